package receipt

import (
	"errors"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// A Trust is what a reader of receipts knows of the ledger, and believes: an index that followed it,
// or a snapshot.
type Trust interface {
	// Ledger returns the ledger's id.
	Ledger() sm.Hash
	// Key returns a key, nil if it was never enrolled.
	Key(kid sm.Hash) *verify.Key
	// Checkpoint returns the checkpoint of an access log of a department at a size; ok is false if
	// none is known.
	Checkpoint(department, log string, size uint64) (c verify.Checkpoint, ok bool, err error)
	// LatestCheckpoint returns the newest checkpoint of an access log of a department.
	LatestCheckpoint(department, log string) (c verify.Checkpoint, ok bool, err error)
}

// An Outcome is what a receipt is worth.
type Outcome string

// The outcomes.
const (
	Anchored   Outcome = "anchored"   // a checkpoint on the ledger covers the entry: it can be changed by nobody any more
	Unanchored Outcome = "unanchored" // signed by the verifier, which nothing but its key proves
	Refused    Outcome = "refused"
)

// A Report is the answer of Verify.
type Report struct {
	Outcome Outcome
	Code    string // why it is not anchored; "" if it is

	File     *File
	KeyState verify.KeyState // what became of the key that signed the receipt; "" if nothing is known of it

	// Checkpoint is the one on the ledger that covers the entry, if Anchored. The entry was recorded
	// before the first heartbeat after it.
	Checkpoint verify.Checkpoint

	// Upgradable says, of what is Unanchored, that the ledger has a checkpoint that should cover the
	// entry: the verifier can be asked for the proof, and has something to hide if it gives none.
	Upgradable bool
}

// Verify judges a receipt by what is known of the ledger. It refuses
//
//   - a receipt of another ledger, or one whose entry or salt does not belong to it;
//   - one that is not signed with a key of the verifier for its logs, within the dates of that key;
//   - a proof that does not lead from the entry to a signed checkpoint of this log, or to one with
//     another root than the ledger has at this size: somebody was shown another log;
//   - if no checkpoint on the ledger covers the entry, a receipt whose key was declared compromised.
//
// With the checkpoint on the ledger it does not matter what became of the key: the receipt says what
// the entry says, which the checkpoint fixed, and whoever stole the key later cannot have made it.
// Shown is what the receipt is said to be about, nil if that is not asked: a receipt for something
// else is refused. The error is Trust's.
func Verify(f *File, shown *credential.Opened, t Trust) (Report, error) {
	r := Report{File: f}
	refuse := func(code string) (Report, error) {
		r.Outcome, r.Code = Refused, code
		return r, nil
	}
	if f.receipt.Ledger != t.Ledger() {
		return refuse(CodeOtherLedger)
	}
	if !f.consistent() {
		return refuse(CodeEntryDiffers)
	}
	if code := f.about(shown); code != "" {
		return refuse(code)
	}
	key := t.Key(f.signed.KeyID)
	if key != nil {
		r.KeyState = key.State
	}
	if code := f.signedBy(key); code != "" {
		return refuse(code)
	}
	if code := f.proved(t); code != "" {
		return refuse(code)
	}
	code, err := r.anchor(t)
	switch {
	case err != nil:
		return Report{}, err
	case code == CodeCheckpointDiffers:
		return refuse(code)
	case code == "":
		r.Outcome = Anchored
		return r, nil
	case r.KeyState == verify.KeyCompromised:
		return refuse(CodeKeyCompromised)
	}
	r.Outcome, r.Code = Unanchored, code
	newest, ok, err := t.LatestCheckpoint(f.receipt.Verifier, f.receipt.Log)
	if err != nil {
		return Report{}, err
	}
	r.Upgradable = ok && newest.Size > f.receipt.Index
	return r, nil
}

// about checks that the receipt is about what was shown, and that the log names the licence that was:
// a verifier that records another one hides the access from those whose licence it is.
func (f *File) about(shown *credential.Opened) string {
	switch {
	case shown == nil:
		return ""
	case sm.Sum(shown.Presentation.Bytes()) != f.receipt.Presentation:
		return CodePresentationDiffers
	case access.LicenceCommitment(f.salt, shown.Record.Issuer, shown.Digest) != f.entry.Licence:
		return CodeLicenceDiffers
	}
	return ""
}

// signedBy checks the signature of the receipt with a key that may have made it, whatever became of
// the key since. It returns the code of what is wrong.
func (f *File) signedBy(key *verify.Key) string {
	switch at := f.receipt.CheckedAt; {
	case key == nil:
		return CodeKeyUnknown
	case key.Department != f.receipt.Verifier:
		return CodeKeyDepartment
	case !key.Purposes.Has(statement.PurposeLog):
		return CodeKeyPurpose
	case !f.signed.Verify(key.Public):
		return CodeSignature
	case key.NotBefore != nil && at < *key.NotBefore:
		return CodeKeyNotYetValid
	case key.NotAfter != nil && at > *key.NotAfter:
		return CodeKeyExpired
	}
	return ""
}

// proved checks the proof, if there is one, by itself.
func (f *File) proved(t Trust) string {
	if f.proof == nil {
		return ""
	}
	var wrong *Error
	if errors.As(f.provedBy(f.proof), &wrong) {
		return wrong.Code
	}
	key := t.Key(f.proof.signed.KeyID)
	if key == nil || key.Department != f.receipt.Verifier || !key.Purposes.Has(statement.PurposeLog) || !f.proof.signed.Verify(key.Public) {
		return CodeCheckpointUnsigned
	}
	return ""
}

// anchor looks for the checkpoint of the proof on the ledger.
func (r *Report) anchor(t Trust) (code string, err error) {
	if r.File.proof == nil {
		return CodeNoProof, nil
	}
	signed := r.File.proof.checkpoint
	c, ok, err := t.Checkpoint(signed.Department, signed.Log, signed.Size)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return CodeCheckpointNotThere, nil
	case c.Root != signed.Root:
		return CodeCheckpointDiffers, nil
	}
	r.Checkpoint = c
	return "", nil
}
