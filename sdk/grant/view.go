package grant

import (
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A View is what is known of the ledger, and believed. Its methods answer from memory and are safe for
// concurrent use; nobody changes the results.
type View interface {
	// Ledger returns the ledger's id.
	Ledger() sm.Hash
	// Key returns a key, nil if it was never enrolled.
	Key(kid sm.Hash) *Key
	// Consent returns what the ledger has under a digest for a department: statement.ConsentGive,
	// statement.ConsentWithdraw, or "" for nothing.
	Consent(department string, digest sm.Hash) string
}

// A Key is one that a department enrolled.
type Key struct {
	Department string
	Public     *sm.PublicKey
	Purposes   statement.Purposes
	NotBefore  *uint64 // bounds of the dates of what it signs, seconds since 1970-01-01T00:00:00Z
	NotAfter   *uint64
	State      KeyState
}

// A KeyState is what became of a key, in the words of the ledger.
type KeyState string

// The states of a key.
const (
	KeyActive      KeyState = "active"
	KeyRetired     KeyState = "retired" // speaks for what it signed, and signs no more
	KeyCompromised KeyState = "compromised"
)

// SignedBy checks that a statement about a view's ledger is signed with a key of a department for a
// purpose, as of signedAt, and returns the state of the key: KeyActive or KeyRetired. The error is an
// *[Error].
func SignedBy(s *statement.Statement, department string, purpose statement.Purposes, signedAt uint64, v View) (KeyState, error) {
	if s.Body.LedgerID() != v.Ledger() {
		return "", errorf(CodeOtherLedger, "the %s is for another ledger", s.Body.Kind())
	}
	key, kind := v.Key(s.KeyID), s.Body.Kind()
	switch {
	case key == nil:
		return "", errorf(CodeKeyUnknown, "the %s is signed with a key that is not on the ledger, as far as it is known here", kind)
	case key.Department != department:
		return "", errorf(CodeKeyDepartment, "the %s is signed with a key of another department than %s", kind, department)
	case !key.Purposes.Has(purpose):
		return "", errorf(CodeKeyPurpose, "the %s is signed with a key that is not for this", kind)
	case !s.Verify(key.Public):
		return "", errorf(CodeSignature, "the signature of the %s is not valid: ask for it again", kind)
	case key.State == KeyCompromised:
		return "", errorf(CodeKeyCompromised, "the %s is signed with a key that was declared compromised", kind)
	case key.NotBefore != nil && signedAt < *key.NotBefore:
		return "", errorf(CodeKeyNotYetValid, "the %s is signed before its key begins", kind)
	case key.NotAfter != nil && signedAt > *key.NotAfter:
		return "", errorf(CodeKeyExpired, "the %s is signed after its key ends", kind)
	}
	return key.State, nil
}

// A will is a holder's will about a licence, and how it was known to be that.
type will struct {
	issuer   string
	licence  sm.Hash
	means    string
	evidence sm.Hash
	signedAt uint64
}

// check checks that a statement is signed by the holder's bound key or by the issuer, as its means say.
func (w will) check(s *statement.Statement, binding []byte, v View) (*Binding, KeyState, error) {
	kind := s.Body.Kind()
	if w.means != statement.MeansKey {
		if binding != nil {
			return nil, "", errorf(CodeBindingDiffers, "the issuer signed this %s, so that no binding belongs to it", kind)
		}
		state, err := SignedBy(s, w.issuer, statement.PurposeConsent, w.signedAt, v)
		return nil, state, err
	}
	if s.Body.LedgerID() != v.Ledger() {
		return nil, "", errorf(CodeOtherLedger, "the %s is for another ledger", kind)
	}
	if binding == nil {
		return nil, "", errorf(CodeBindingMissing, "the holder signed this %s: the binding of the key belongs to it", kind)
	}
	body, signed, err := statement.ParseAs[*statement.Binding](binding)
	if err != nil {
		return nil, "", err
	}
	b := &Binding{Binding: body, Digest: sm.Sum(signed.Payload)}
	if b.Digest != w.evidence || body.Issuer != w.issuer || body.Digest != w.licence {
		return nil, "", errorf(CodeBindingDiffers, "the binding is not the one that the %s names, or of another licence", kind)
	}
	state, err := SignedBy(signed, w.issuer, statement.PurposeAnchor, body.NotBefore, v)
	if err != nil {
		return nil, "", err
	}
	key, err := sm.NewPublicKey(body.HolderKey[:])
	switch {
	case err != nil || !s.Verify(key):
		return nil, "", errorf(CodeSignature, "the %s is not signed with the key that is bound to the licence", kind)
	case w.signedAt+Skew < body.NotBefore:
		return nil, "", errorf(CodeBindingNotYetValid, "the %s is signed before the key was bound to the licence", kind)
	case w.signedAt > body.NotAfter:
		return nil, "", errorf(CodeBindingExpired, "the %s is signed after the binding of the key expired", kind)
	}
	return b, state, nil
}
