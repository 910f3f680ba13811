package issuer

import (
	"context"
	"slices"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Signers returns the department's keys of the present for one purpose, the best first: for
// statement.PurposeAnchor what signs heads and bindings, for PurposeStatus what signs changes of statuses
// (the second for those that need two) and restrictions, for PurposeConsent what withdraws bindings. It is
// asked for every batch and change, by several goroutines, so that keys can be rotated while the issuer
// works. refused says that the ledger has just refused what was signed with the keys that it returned
// last: it looks for newer ones. No key is an empty list.
type Signers func(ctx context.Context, purpose statement.Purposes, refused bool) ([]sm.Signer, error)

// Fixed returns keys that do not change while the issuer works.
func Fixed(keys map[statement.Purposes][]sm.Signer) Signers {
	return func(_ context.Context, purpose statement.Purposes, _ bool) ([]sm.Signer, error) {
		return keys[purpose], nil
	}
}

// signers returns the keys for a purpose. No key is CodeSignerMissing.
func (iss *Issuer) signers(ctx context.Context, purpose statement.Purposes, refused bool) ([]sm.Signer, error) {
	keys, err := iss.signing(ctx, purpose, refused)
	name := strings.Join(purpose.Names(), ", ")
	switch {
	case err != nil:
		return nil, errorf(CodeSignerMissing, err, "get the department's key for %s", name)
	case len(keys) == 0:
		return nil, errorf(CodeSignerMissing, nil, "this needs a key of the department for %s", name)
	}
	return keys, nil
}

// keyRefused are the answers of the ledger to a statement that is right but for its key.
var keyRefused = map[string]bool{
	chaincode.CodeKeyUnknown: true, chaincode.CodeKeyPurpose: true, chaincode.CodeKeyExpired: true,
	chaincode.CodeKeyRetired: true, chaincode.CodeKeyCompromised: true,
}

// newer returns keys for a purpose in the place of those that the ledger has just refused; false if there are no
// others.
func (iss *Issuer) newer(ctx context.Context, purpose statement.Purposes, old []sm.Signer) ([]sm.Signer, bool) {
	keys, err := iss.signers(ctx, purpose, true)
	same := func(a, b sm.Signer) bool { return a.Public().ID() == b.Public().ID() }
	return keys, err == nil && !slices.EqualFunc(keys, old, same)
}

// submitSigned signs a statement with one key, and submits it; once more with a newer key if the ledger refuses the
// first.
func (iss *Issuer) submitSigned(ctx context.Context, doing string, purpose statement.Purposes, body statement.Body) error {
	keys, err := iss.signers(ctx, purpose, false)
	if err != nil {
		return err
	}
	for again := true; ; again = false {
		signed, err := signAll(body, keys[:1])
		if err != nil {
			return err
		}
		_, err = iss.ledger.Submit(ctx, &chaincode.Transaction{Statements: signed})
		if again && keyRefused[chaincode.Code(err)] {
			var ok bool
			if keys, ok = iss.newer(ctx, purpose, keys); ok {
				continue
			}
		}
		if err != nil {
			return ledgerError(doing, err)
		}
		return iss.step(stepSubmitted)
	}
}

// signAll signs a statement with each of the keys.
func signAll(body statement.Body, keys []sm.Signer) ([][]byte, error) {
	var out [][]byte
	for _, key := range keys {
		signed, err := statement.Sign(body, key)
		if err != nil {
			return nil, statementError("sign a "+string(body.Kind())+" statement", err)
		}
		out = append(out, signed)
	}
	return out, nil
}
