package access

import (
	"encoding/hex"
	"strconv"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/internal/jsonappend"
)

// The forms that entries, checkpoints and proofs have in JSON: hashes and calls in lower-case hex, times as in
// RFC 3339 in UTC, days as in ISO 8601. Member names never change.

// AppendJSON appends the entry for people and programs that read no CBOR, with null for a heartbeat
// that was not there. It is not what the leaf is made of.
func (e *Entry) AppendJSON(b []byte) []byte {
	b = jsonappend.Time(append(b, `{"time":`...), e.Time)
	b = hex.AppendEncode(append(b, `,"call":"`...), e.Call[:])
	b = jsonappend.String(append(b, `","agency":`...), e.Agency)
	b = jsonappend.String(append(b, `,"clerk":`...), e.Clerk)
	b = jsonappend.String(append(b, `,"unit":`...), e.Unit)
	b = jsonappend.String(append(b, `,"matter":`...), e.Matter)
	b = jsonappend.String(append(b, `,"case":`...), e.Case)
	b = jsonappend.String(append(b, `,"onBehalf":`...), e.OnBehalf)
	b = jsonappend.String(append(b, `,"asked":`...), e.Asked)
	b = jsonappend.String(append(b, `,"type":`...), e.Type)
	b = jsonappend.Hash(append(b, `,"licence":`...), e.Licence)
	b = jsonappend.Hash(append(b, `,"presentation":`...), e.Presentation)
	b = jsonappend.Strings(append(b, `,"fields":`...), e.Fields)
	b = jsonappend.String(append(b, `,"outcome":`...), e.Outcome)
	b = jsonappend.Strings(append(b, `,"reasons":`...), e.Reasons)
	b = jsonappend.String(append(b, `,"day":`...), licence.Date(e.Day).String())
	b = strconv.AppendUint(append(b, `,"height":`...), e.Height, 10)
	b = append(b, `,"heartbeat":`...)
	if e.Heartbeat == 0 {
		b = append(b, `null`...)
	} else {
		b = jsonappend.Time(b, e.Heartbeat)
	}
	b = jsonappend.String(append(b, `,"overall":`...), e.Overall)
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler with the form of AppendJSON.
func (e *Entry) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// AppendJSON appends the checkpoint for people and programs that read no CBOR. The key is the id of
// the one that signed it.
func (c *Checkpoint) AppendJSON(b []byte) []byte {
	b = jsonappend.Hash(append(b, `{"ledger":`...), c.Ledger)
	b = jsonappend.String(append(b, `,"department":`...), c.Department)
	b = jsonappend.String(append(b, `,"log":`...), c.Log)
	b = strconv.AppendUint(append(b, `,"size":`...), c.Size, 10)
	b = jsonappend.Hash(append(b, `,"root":`...), c.Root)
	b = jsonappend.Time(append(b, `,"signedAt":`...), c.SignedAt)
	b = jsonappend.Hash(append(b, `,"key":`...), c.Signed.KeyID)
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler with the form of AppendJSON.
func (c *Checkpoint) MarshalJSON() ([]byte, error) { return c.AppendJSON(nil), nil }

// AppendJSON appends a proof:
//
//	{"checkpoint": the signed statement in base64, "index": number, "path": [hash, ...], "readable": {...}}
//
// What is readable is the checkpoint in its own form.
func (p *Proof) AppendJSON(b []byte) []byte {
	b = jsonappend.Base64(append(b, `{"checkpoint":`...), p.Checkpoint.Signed.Bytes())
	b = strconv.AppendUint(append(b, `,"index":`...), p.Index, 10)
	b = append(b, `,"path":[`...)
	for i, h := range p.Path {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonappend.Hash(b, h)
	}
	b = p.Checkpoint.AppendJSON(append(b, `],"readable":`...))
	return append(b, '}')
}

// MarshalJSON implements json.Marshaler with the form of AppendJSON.
func (p *Proof) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }
