package webhook

import (
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// The types of events.
const (
	LicenceStatus      = "licence.status"      // the state of a licence, or of all under a root, was changed
	LicenceRestriction = "licence.restriction" // a restriction was laid on a licence, or lifted
	LicenceExpiring    = "licence.expiring"    // a licence is valid for some more days only; told once
	JobDone            = "job.done"            // an import, or a list of changes, is through
)

// Types are all types of events.
var Types = []string{LicenceStatus, LicenceRestriction, LicenceExpiring, JobDone}

// An Event is what a message says. At has seconds, in UTC.
type Event struct {
	Type       string    `json:"type"`
	At         time.Time `json:"at"` // when the issuer's service came to know of it
	Ledger     sm.Hash   `json:"ledger"`
	Department string    `json:"department"`

	Licence     *Licence     `json:"licence,omitempty"`     // that it is about; not of JobDone
	Status      *Status      `json:"status,omitempty"`      // of LicenceStatus
	Restriction *Restriction `json:"restriction,omitempty"` // of LicenceRestriction
	Expiring    *Expiring    `json:"expiring,omitempty"`    // of LicenceExpiring
	Job         *Job         `json:"job,omitempty"`         // of JobDone
}

// A Licence says which licence an event is about: all under its root if it has no Digest.
type Licence struct {
	ID     int64    `json:"id,omitempty"` // in the issuer's vault
	Type   string   `json:"type"`
	Root   sm.Hash  `json:"root"`
	Index  uint32   `json:"index"`
	Digest *sm.Hash `json:"digest,omitempty"`
}

// A Status is a change of a state, as the ledger has it.
type Status struct {
	From      licence.State `json:"from"`
	To        licence.State `json:"to"`
	Effective string        `json:"effective"` // first day of the new state, as 2026-01-31
	Sequence  uint32        `json:"sequence"`  // number of the change, from 1
	Block     uint64        `json:"block"`
}

// A Restriction is one that was laid or lifted, as the ledger has it.
type Restriction struct {
	ID        string `json:"id"` // 32 hexadecimal digits
	Lifted    bool   `json:"lifted"`
	Effective string `json:"effective"` // first day of it, or first day without it
	Sequence  uint32 `json:"sequence"`  // number of the change among those of the licence's restrictions, from 1
	Block     uint64 `json:"block"`
}

// Expiring says until when a licence is valid.
type Expiring struct {
	ValidUntil string `json:"validUntil"` // last day, as 2026-01-31
}

// A Job is one that is through.
type Job struct {
	ID       int64  `json:"id"`
	Kind     string `json:"kind"`
	Type     string `json:"type,omitempty"` // licence type
	Records  int64  `json:"records"`        // accepted + rejected
	Accepted int64  `json:"accepted"`
	Rejected int64  `json:"rejected"`
}

// JSON returns the body of a message.
func (e *Event) JSON() ([]byte, error) { return json.Marshal(e) }

// ParseEvent reads the body of a message. Members that it does not know are left out: there may be more one
// day, and types that it does not know as well. Error: CodeMalformed.
func ParseEvent(body []byte) (*Event, error) {
	e := new(Event)
	if len(body) > MaxBody || json.Unmarshal(body, e) != nil || !e.complete() {
		return nil, errorf(CodeMalformed, "the body of the message is no event")
	}
	return e, nil
}

// complete reports whether an event has what its type says.
func (e *Event) complete() bool {
	if e.Type == "" || e.Department == "" || e.At.IsZero() {
		return false
	}
	switch e.Type {
	case LicenceStatus:
		return e.Licence != nil && e.Status != nil
	case LicenceRestriction:
		return e.Licence != nil && e.Restriction != nil
	case LicenceExpiring:
		return e.Licence != nil && e.Expiring != nil
	case JobDone:
		return e.Job != nil
	}
	return true
}
