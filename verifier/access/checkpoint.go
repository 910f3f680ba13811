package access

import (
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Checkpoint is a department's signed word on how long one of its logs is, and on the root over its
// entries. It is not changed.
type Checkpoint struct {
	*statement.Checkpoint                      // what it says
	Signed                *statement.Statement // how; its body is the same
}

// SignCheckpoint signs a checkpoint with a key of its department for statement.PurposeLog. The error is
// a *statement.Error, or the signer's.
func SignCheckpoint(c *statement.Checkpoint, signer sm.Signer) (*Checkpoint, error) {
	signed, err := statement.Make(c, signer)
	if err != nil {
		return nil, err
	}
	return &Checkpoint{c, signed}, nil
}

// ParseCheckpoint reads a signed checkpoint. It checks its form only. The error is a *statement.Error.
func ParseCheckpoint(b []byte) (*Checkpoint, error) {
	c, signed, err := statement.ParseAs[*statement.Checkpoint](b)
	if err != nil {
		return nil, err
	}
	return &Checkpoint{c, signed}, nil
}

// A Proof shows that a log has an entry, by a checkpoint that covers it. It is not changed.
type Proof struct {
	Checkpoint *Checkpoint
	Index      uint64    // of the entry, from 0
	Path       []sm.Hash // from the entry's leaf up to the root, see VerifyInclusion
}

// Includes reports whether the path leads from a leaf at the index to the checkpoint's root. Whether
// the checkpoint is to be believed is another matter.
func (p *Proof) Includes(leaf sm.Hash) bool {
	return VerifyInclusion(leaf, p.Index, p.Checkpoint.Size, p.Path, p.Checkpoint.Root)
}
