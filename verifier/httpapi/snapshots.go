package httpapi

import (
	"bytes"
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// snapshotMedia is the media type of a snapshot's file.
const snapshotMedia = "application/vnd.credledger.snapshot"

func (c *call) getSnapshot() error {
	s := c.Snapshot()
	if s == nil {
		return errNoSnapshot()
	}
	h := c.W.Header()
	h.Set("Content-Type", snapshotMedia)
	h.Set("Content-Disposition", `attachment; filename="credledger.snapshot"`)
	h.Set("ETag", `"`+sm.Sum(s.Statement).String()+`"`)
	h.Set("Cache-Control", "no-cache") // kept, and asked for again with its tag
	http.ServeContent(c.W, c.R, "", time.Time{}, bytes.NewReader(s.File))
	return nil
}

func errNoSnapshot() error {
	return rest.Refuse(codeSnapshotNone, "this verifier has no snapshot; the authority makes one from time to time")
}

func (c *call) getSnapshotDescription() error {
	s := c.Snapshot()
	if s == nil {
		return errNoSnapshot()
	}
	out := struct {
		Statement []byte  `json:"statement"`
		Ledger    sm.Hash `json:"ledger"`
		Height    uint64  `json:"height"`
		Block     sm.Hash `json:"block"`
		Heartbeat *string `json:"heartbeat"`
		Content   sm.Hash `json:"content"`
		Length    uint64  `json:"length"`
		Size      int     `json:"size"`
	}{Statement: s.Statement, Ledger: s.Header.Ledger, Height: s.Header.Height, Block: s.Header.Block,
		Content: s.Header.Content, Length: s.Header.Length, Size: len(s.File)}
	if at := s.Header.Heartbeat; at != 0 {
		out.Heartbeat = utcOrNull(&at)
	}
	return c.Answer(http.StatusOK, out)
}
