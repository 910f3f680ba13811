package receipt

import (
	"cmp"

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
	Unanchored Outcome = "unanchored" // a checkpoint does that nothing but the verifier's key speaks for
	Refused    Outcome = "refused"
)

// A Report is the answer of Verify.
type Report struct {
	Outcome Outcome
	Code    string // why it is not anchored; "" if it is

	File     *File
	KeyState verify.KeyState // what became of the key that signed the checkpoint; "" if nothing is known of it

	// Anchor is the checkpoint on the ledger, if Anchored. The entry was recorded before the first
	// heartbeat after it.
	Anchor verify.Checkpoint

	// Upgradable says, of what is Unanchored, that the ledger has another checkpoint that should cover
	// the entry: the verifier can be asked for the proof, and has something to hide if it gives none.
	Upgradable bool
}

// Verify judges a receipt by what is known of the ledger. It refuses
//
//   - a receipt of another ledger, or one whose parts do not belong together: salt, presentation and
//     entry, or the entry and the checkpoint;
//   - one whose checkpoint is not signed with a key of its department for logs, within the dates of
//     that key;
//   - one whose checkpoint has another root than the ledger has at this size: somebody was shown
//     another log;
//   - if the ledger has no checkpoint at this size, one whose key was declared compromised.
//
// With the checkpoint on the ledger it does not matter what became of the key: whoever stole it later
// cannot have put the entry there. Shown is what the receipt is said to be about, nil if that is not
// asked: a receipt for something else is refused. The error is Trust's.
func Verify(f *File, shown *credential.Opened, t Trust) (Report, error) {
	r := Report{File: f}
	signed := f.Proof.Checkpoint
	key := t.Key(signed.Signed.KeyID)
	if key != nil {
		r.KeyState = key.State
	}
	if code := cmp.Or(f.belongs(t.Ledger()), f.about(shown), signedBy(signed, key)); code != "" {
		return r.refused(code), nil
	}
	onLedger, ok, err := t.Checkpoint(signed.Department, signed.Log, signed.Size)
	switch {
	case err != nil:
		return Report{}, err
	case ok && onLedger.Root != signed.Root:
		return r.refused(CodeCheckpointDiffers), nil
	case ok:
		r.Outcome, r.Anchor = Anchored, onLedger
		return r, nil
	case r.KeyState == verify.KeyCompromised:
		return r.refused(CodeKeyCompromised), nil
	}
	r.Outcome, r.Code = Unanchored, CodeCheckpointNotThere
	newest, ok, err := t.LatestCheckpoint(signed.Department, signed.Log)
	if err != nil {
		return Report{}, err
	}
	r.Upgradable = ok && newest.Size > f.Proof.Index
	return r, nil
}

func (r Report) refused(code string) Report {
	r.Outcome, r.Code = Refused, code
	return r
}

// belongs checks that the parts of the receipt belong together, and to a ledger. It returns the code of
// what is wrong, as the functions after it do.
func (f *File) belongs(ledger sm.Hash) string {
	switch {
	case f.Proof.Checkpoint.Ledger != ledger:
		return CodeOtherLedger
	case access.PresentationCommitment(f.Salt, f.Presentation) != f.Entry.Presentation:
		return CodeEntryDiffers
	case !f.Proof.Includes(f.Leaf()):
		return CodeNotIncluded
	}
	return ""
}

// about checks that the receipt is about what was shown, and that the log names the licence that was:
// a verifier that records another one hides the access from those whose licence it is.
func (f *File) about(shown *credential.Opened) string {
	switch {
	case shown == nil:
		return ""
	case sm.Sum(shown.Presentation.Bytes()) != f.Presentation:
		return CodePresentationDiffers
	case access.LicenceCommitment(f.Salt, shown.Record.Issuer, shown.Digest) != f.Entry.Licence:
		return CodeLicenceDiffers
	}
	return ""
}

// signedBy checks the signature of a checkpoint with a key that may have made it, whatever became of
// the key since.
func signedBy(c *access.Checkpoint, key *verify.Key) string {
	switch {
	case key == nil:
		return CodeKeyUnknown
	case key.Department != c.Department:
		return CodeKeyDepartment
	case !key.Purposes.Has(statement.PurposeLog):
		return CodeKeyPurpose
	case !c.Signed.Verify(key.Public):
		return CodeSignature
	case key.NotBefore != nil && c.SignedAt < *key.NotBefore:
		return CodeKeyNotYetValid
	case key.NotAfter != nil && c.SignedAt > *key.NotAfter:
		return CodeKeyExpired
	}
	return ""
}
