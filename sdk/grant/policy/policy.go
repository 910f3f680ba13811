// Package policy is the legal bases for the release of licences between departments, as versioned data
// that the authority publishes, and the one decision on a request that follows from them:
//
//	version: 1
//	from: 2026-11-01                  # the first day on which this version counts
//	answerWithin: 300                 # seconds, unless a basis says otherwise
//	bases:
//	  - id: registration-rules-16     # [a-z0-9-]{1,32}
//	    text: {zh: ..., en: ...}      # what the law says
//	    agency: natural-resources     # who may ask
//	    matter: second-hand-home-transfer
//	    issuer: civil-affairs         # who is asked
//	    type: marriage
//	    fields: [spouse1Name, spouse2Id]
//	    answerWithin: 60              # optional
//	    from: 2026-11-01              # optional: first and last day
//	    until: 2027-12-31
//	negative:                         # what is not released, whatever a basis or a grant says
//	  - id: minors
//	    text: {zh: ..., en: ...}
//	    type: birth
//	    fields: [motherId]            # absent: all
//	    agency: market-regulation     # absent: whoever asks
//	    matter: company-registration  # absent: whatever for
//
// It is YAML, in which every key is known, and it travels in a signed statement. Decide is a pure function
// of request, grant, policy and time. A request is answered as a whole or not at all; what the law gives
// needs no grant and uses none up; what only the holder can give needs one; and what stands on the
// negative list nobody releases: the holder can still show it.
//
// The package does no I/O, reads no clock, and sees no value of a licence.
package policy

import (
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Policy is one version of the legal bases. It comes from Parse and is not changed afterwards; it can
// be used from several goroutines.
type Policy struct {
	Version      int         `yaml:"version"`
	From         string      `yaml:"from"`         // first day of this version, ISO 8601
	AnswerWithin int         `yaml:"answerWithin"` // seconds after a request came in, unless a basis says otherwise
	Bases        []Basis     `yaml:"bases"`
	Negative     []Exclusion `yaml:"negative"`

	from licence.Date
}

// A Basis says that the law has an issuer give fields of a type to an agency, for a matter.
type Basis struct {
	ID           string       `yaml:"id"`
	Text         licence.Text `yaml:"text"` // what the law says
	Agency       string       `yaml:"agency"`
	Matter       string       `yaml:"matter"`
	Issuer       string       `yaml:"issuer"`
	Type         string       `yaml:"type"`
	Fields       []string     `yaml:"fields"`
	AnswerWithin int          `yaml:"answerWithin"` // seconds; 0: as in the Policy
	From         string       `yaml:"from"`         // first day, ISO 8601; "": from the start
	Until        string       `yaml:"until"`        // last day; "": for good

	days
}

// An Exclusion is a line of the negative list.
type Exclusion struct {
	ID     string       `yaml:"id"`
	Text   licence.Text `yaml:"text"` // what the law says
	Type   string       `yaml:"type"`
	Fields []string     `yaml:"fields"` // none: all
	Agency string       `yaml:"agency"` // "": whoever asks
	Matter string       `yaml:"matter"` // "": whatever for
	From   string       `yaml:"from"`   // as in a Basis
	Until  string       `yaml:"until"`

	days
}

// days is the days on which something counts.
type days struct {
	from, until *licence.Date
}

func (d days) count(day licence.Date) bool {
	return (d.from == nil || *d.from <= day) && (d.until == nil || day <= *d.until)
}

func (b *Basis) about(r *statement.Request, day licence.Date) bool {
	return b.Agency == r.Agency && b.Matter == r.Matter && b.Issuer == r.Issuer && b.Type == r.Type && b.count(day)
}

func (x *Exclusion) about(r *statement.Request, field string, day licence.Date) bool {
	return x.Type == r.Type && (x.Agency == "" || x.Agency == r.Agency) && (x.Matter == "" || x.Matter == r.Matter) &&
		(len(x.Fields) == 0 || slices.Contains(x.Fields, field)) && x.count(day)
}

// dayOf returns the day in UTC+8 of a time in seconds.
func dayOf(seconds uint64) licence.Date {
	return licence.DateOf(time.Unix(int64(seconds), 0))
}

// A Published policy is one that the authority signed.
type Published struct {
	*Policy
	Digest sm.Hash // SM3 of the payload of the statement: what an answer names it by
}

// Read reads a policy that the authority published: a signed statement. Authority is the id of that
// department. Which version was seen last is for the caller to remember. The error is an
// [*grant.Error], one of package statement, or of Parse.
func Read(signed []byte, authority string, v grant.View) (*Published, error) {
	body, s, err := statement.ParseAs[*statement.Policy](signed)
	if err != nil {
		return nil, err
	}
	if _, err := grant.SignedBy(s, authority, statement.PurposeGovern, body.SignedAt, v); err != nil {
		return nil, err
	}
	p, err := Parse(body.Definition)
	if err != nil {
		return nil, err
	}
	if p.Version != int(body.Version) {
		return nil, errorf("version: must be %d, as the statement says", body.Version)
	}
	return &Published{Policy: p, Digest: sm.Sum(s.Payload)}, nil
}
