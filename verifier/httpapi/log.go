package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
)

func (c *call) getLog() error {
	log, size := c.AccessLog.Identity(), c.AccessLog.Size()
	root, err := c.AccessLog.Root(size)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		Ledger     sm.Hash `json:"ledger"`
		Department string  `json:"department"`
		Log        string  `json:"log"`
		Size       uint64  `json:"size"`
		Root       sm.Hash `json:"root"`
	}{log.Ledger, log.Department, log.Log, size, root})
}

// getReceipt gives the proof that makes a receipt anchored.
func (c *call) getReceipt() error {
	index, _, err := c.entry()
	if err != nil {
		return err
	}
	p, err := c.AccessLog.Proof(index)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		Proof *access.Proof `json:"proof"`
	}{p})
}

// entry returns the index and the leaf of the entry that a call names. Whoever knows no leaf is told
// nothing about what entries there are.
func (c *call) entry() (index uint64, leaf sm.Hash, err error) {
	if index, err = c.NumberParameter("index", 0, access.MaxEntries); err != nil {
		return
	}
	if leaf, err = c.HashParameter("leaf"); err != nil {
		return
	}
	unknown := rest.Refuse(codeReceiptUnknown, "the access log has no entry with this index and leaf; each replica of a verifier has a log of its own")
	if index >= c.AccessLog.Size() {
		return index, leaf, unknown
	}
	found, err := c.AccessLog.Entries(index, 1)
	if err != nil {
		return index, leaf, err
	}
	if len(found) != 1 || access.Leaf(found[0]) != leaf {
		return index, leaf, unknown
	}
	return index, leaf, nil
}

type checkpointJSON struct {
	Size      uint64  `json:"size"`
	Root      sm.Hash `json:"root"`
	SignedAt  string  `json:"signedAt"`
	Statement []byte  `json:"statement"`
}

func (c *call) getCheckpoints() error {
	after, limit, err := c.pageParameters("after")
	if err != nil {
		return err
	}
	found, err := c.AccessLog.Checkpoints(after, int(limit))
	if err != nil {
		return err
	}
	out := struct {
		Checkpoints []checkpointJSON `json:"checkpoints"`
		Next        *uint64          `json:"next"`
	}{Checkpoints: make([]checkpointJSON, len(found))}
	for k, f := range found {
		out.Checkpoints[k] = checkpointJSON{f.Size, f.Root, rest.UTC(f.SignedAt), f.Signed.Bytes()}
	}
	if n := len(found); n == int(limit) {
		out.Next = &found[n-1].Size
	}
	return c.Answer(http.StatusOK, out)
}

// A treeHead is the log as it was when it had so many entries.
type treeHead struct {
	Size uint64  `json:"size"`
	Root sm.Hash `json:"root"`
}

// head returns the tree head of the size that a call names.
func (c *call) head(name string) (t treeHead, err error) {
	size := c.AccessLog.Size()
	if t.Size, err = c.NumberParameter(name, 1, access.MaxEntries); err != nil {
		return t, err
	}
	if t.Size > size {
		return t, c.Wrong(name, "must not exceed the size of the access log: GET /v1/log")
	}
	t.Root, err = c.AccessLog.Root(t.Size)
	return t, err
}

func (c *call) getConsistency() error {
	first, err := c.head("first")
	if err != nil {
		return err
	}
	second, err := c.head("second")
	if err != nil {
		return err
	}
	if second.Size < first.Size {
		return c.Wrong("second", "must not be less than first")
	}
	path, err := c.AccessLog.Consistency(first.Size, second.Size)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		First  treeHead  `json:"first"`
		Second treeHead  `json:"second"`
		Path   []sm.Hash `json:"path"`
	}{first, second, append([]sm.Hash{}, path...)})
}

func (c *call) getInclusion() error {
	index, leaf, err := c.entry()
	if err != nil {
		return err
	}
	head, err := c.head("size")
	if err != nil {
		return err
	}
	if head.Size <= index {
		return c.Wrong("size", "must exceed the index")
	}
	path, err := c.AccessLog.Inclusion(index, head.Size)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		Index uint64  `json:"index"`
		Leaf  sm.Hash `json:"leaf"`
		treeHead
		Path []sm.Hash `json:"path"`
	}{index, leaf, head, append([]sm.Hash{}, path...)})
}

var _ AccessLog = (*accesslog.Log)(nil)
