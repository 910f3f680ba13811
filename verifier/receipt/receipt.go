// Package receipt is the verification receipt (核验回执): what a verifier found when a licence was
// shown to it, as its access log recorded that, with the proof that the log did.
//
// Whoever asked keeps the receipt as a file in JSON:
//
//	entry         base64, the entry of the access log, see package access: what was found, and for whom
//	salt          base64, 16 bytes: opens the commitments of the entry
//	presentation  SM3 of what was shown
//	proof         {"checkpoint": base64 of a signed statement, "index": number, "path": [hash, ...],
//	              "readable": {...}}: the entry is the one with this number in the log as the
//	              checkpoint has it
//	readable      the same for people and for programs that read no CBOR; never believed
//
// A verifier signs no receipt by itself. It signs a checkpoint of its log once it has recorded what came
// together, before it answers any of that, and each receipt is the path from its entry to the checkpoint.
// With it the file is as good as the verifier's key: unanchored. Once a checkpoint is on the ledger that
// covers the entry, the verifier gives the proof by that one to whoever asks; it takes the place of the
// first, and the file stands by itself for good, whatever became of the verifier and its keys: anchored.
//
// With the salt, whoever has the ledger's digests can tell which licence the receipt is about: a
// file is as confidential as what was shown. It holds no value of a licence.
//
// The package does no I/O, reads no clock and keeps nothing.
package receipt

import (
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A File is a receipt. It is not changed.
type File struct {
	Entry        *access.Entry
	Encoded      []byte        // the entry, as access.Entry.Bytes encodes it
	Salt         access.Salt   // opens the commitments in the entry
	Presentation sm.Hash       // SM3 of what was shown
	Proof        *access.Proof // that the log has the entry
}

// Leaf returns the leaf of the entry.
func (f *File) Leaf() sm.Hash { return access.Leaf(f.Encoded) }
