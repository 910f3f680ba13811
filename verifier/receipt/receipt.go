// Package receipt is the verification receipt (核验回执): a verifier's signed word on what it found
// when a licence was shown to it, with the place in its access log where it recorded that.
//
// Whoever asked keeps the receipt as a file in JSON:
//
//	receipt   base64, the signed statement: what was shown (by its SM3), what was found, on which
//	          day, by which height of the ledger, and where in which log that is recorded
//	entry     base64, the entry of the access log, see package access
//	salt      base64, 16 bytes: opens the commitments of the entry
//	proof     null, or {"checkpoint": base64 of a signed statement, "path": [hash, ...]}: that the
//	          log had the entry when the checkpoint was taken
//	readable  all of that for people and for programs that read no CBOR; never believed
//
// The receipt says nothing that the entry does not say as well. So once a checkpoint that covers the
// entry is on the ledger, the file stands by itself for good: Verify calls it anchored, whatever
// became of the verifier and its keys. Before, it is as good as the verifier's key: unanchored.
//
// With the salt, whoever has the ledger's digests can tell which licence the receipt is about: a
// file is as confidential as what was shown. It holds no value of a licence.
//
// The package does no I/O, reads no clock and keeps nothing.
package receipt

import (
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// A File is a receipt with what belongs to it. It is not changed.
type File struct {
	signed  *statement.Statement
	receipt *statement.Receipt // its body

	encoded []byte
	entry   *access.Entry
	salt    access.Salt

	proof *Proof // nil while there is none
}

// Receipt returns the body of the signed statement. It is not to be changed.
func (f *File) Receipt() *statement.Receipt { return f.receipt }

// Entry returns the entry of the access log. It is not to be changed.
func (f *File) Entry() *access.Entry { return f.entry }

// Proof returns the proof that the log has the entry, nil if there is none.
func (f *File) Proof() *Proof { return f.proof }

// A Place is where a verification was recorded.
type Place struct {
	Ledger   sm.Hash
	Verifier string      // the department that keeps the log
	Log      string      // which of its logs
	Index    uint64      // of the entry, from 0
	Entry    []byte      // as access.Entry.Bytes encodes it
	Salt     access.Salt // of its commitments
}

// Sign makes the receipt for an entry with the verifier's key for its logs. Presentation is the SM3
// of the bytes that were shown, which the entry commits to; everything else that the receipt says is
// taken from the entry. The error is an *Error, one of package access or statement, or the signer's.
func Sign(at Place, presentation sm.Hash, signer sm.Signer) (*File, error) {
	entry, err := access.ParseEntry(at.Entry)
	if err != nil {
		return nil, err
	}
	if access.PresentationCommitment(at.Salt, presentation) != entry.Presentation {
		return nil, errorf(CodePresentationDiffers, "the entry of the access log is about something else than what was shown")
	}
	body := &statement.Receipt{
		Ledger: at.Ledger, Verifier: at.Verifier, Log: at.Log, Index: at.Index, Leaf: access.Leaf(at.Entry),
		Presentation: presentation, Outcome: entry.Outcome, Reasons: entry.Reasons, Day: entry.Day,
		Height: entry.Height, Heartbeat: entry.Heartbeat, CheckedAt: entry.Time,
	}
	signed, err := statement.Make(body, signer)
	if err != nil {
		return nil, err
	}
	return &File{signed: signed, receipt: body, encoded: at.Entry, entry: entry, salt: at.Salt}, nil
}

// consistent reports whether the receipt and the entry say the same.
func (f *File) consistent() bool {
	r, e := f.receipt, f.entry
	return r.Leaf == access.Leaf(f.encoded) &&
		access.PresentationCommitment(f.salt, r.Presentation) == e.Presentation &&
		r.Outcome == e.Outcome && slices.Equal(r.Reasons, e.Reasons) && r.Day == e.Day &&
		r.Height == e.Height && r.Heartbeat == e.Heartbeat && r.CheckedAt == e.Time
}

// A Proof shows that an access log had an entry when a checkpoint of it was taken. It is not changed.
type Proof struct {
	signed     *statement.Statement
	checkpoint *statement.Checkpoint // its body
	path       []sm.Hash
}

// NewProof makes a proof of a signed checkpoint, and the inclusion path of an entry in the log of
// that size (RFC 9162, section 2.1.3.1). The error is an *Error with CodeMalformed.
func NewProof(checkpoint []byte, path []sm.Hash) (*Proof, error) {
	body, signed, err := statement.ParseAs[*statement.Checkpoint](checkpoint)
	if err != nil {
		return nil, errorf(CodeMalformed, "the checkpoint of a proof is not one: %v", err)
	}
	if len(path) > maxPath {
		return nil, errorf(CodeMalformed, "a path has at most %d hashes, this has %d", maxPath, len(path))
	}
	return &Proof{signed, body, path}, nil
}

// maxPath is the length of the longest inclusion path: that in a log of 2^40 - 1 entries.
const maxPath = 40

// Checkpoint returns the body of the signed checkpoint. It is not to be changed.
func (p *Proof) Checkpoint() *statement.Checkpoint { return p.checkpoint }

// WithProof returns the file with another proof. The error is an *Error with CodeProofDiffers or
// CodeNotIncluded.
func (f *File) WithProof(p *Proof) (*File, error) {
	if err := f.provedBy(p); err != nil {
		return nil, err
	}
	upgraded := *f
	upgraded.proof = p
	return &upgraded, nil
}

// provedBy checks that a proof leads from the entry to its checkpoint.
func (f *File) provedBy(p *Proof) error {
	r, c := f.receipt, p.checkpoint
	if c.Ledger != r.Ledger || c.Department != r.Verifier || c.Log != r.Log {
		return errorf(CodeProofDiffers, "the proof is about another access log than the receipt")
	}
	if !access.VerifyInclusion(r.Leaf, r.Index, c.Size, p.path, c.Root) {
		return errorf(CodeNotIncluded, "the proof does not show that the access log has the entry")
	}
	return nil
}
