package licence

import (
	"time"
)

// Text is a text shown to people, in Chinese and in English.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Kind says what a field's values look like, how they are brought to their one canonical form and how they are checked.
type Kind string

// The kinds of fields.
const (
	KindString       Kind = "string"        // one line of text
	KindText         Kind = "text"          // text of several lines
	KindName         Kind = "name"          // the name of one person or body
	KindNames        Kind = "names"         // a list of names
	KindDate         Kind = "date"          // a civil date, ISO 8601 (2006-05-06)
	KindDecimal      Kind = "decimal"       // a decimal number
	KindResidentID   Kind = "resident-id"   // a resident identity number, GB 11643
	KindIDs          Kind = "ids"           // a list of identity numbers: resident identity numbers or unified social credit codes
	KindUSCC         Kind = "uscc"          // a unified social credit code, GB 32100
	KindPropertyUnit Kind = "property-unit" // a real property unit number, GB/T 37346, 28 characters
)

// List reports whether values of the kind are lists of texts rather than single texts.
func (k Kind) List() bool { return k == KindNames || k == KindIDs }

// Classification of a field: who may see it as a matter of course.
const (
	Public    = "public"    // anybody: it stands in a public register
	Internal  = "internal"  // departments and the holder
	Sensitive = "sensitive" // personal data that is shown masked unless it was disclosed for a purpose
)

// Field is one entry of a type's dictionary.
type Field struct {
	Key            string   `json:"key"`
	Label          Text     `json:"label"`
	Kind           Kind     `json:"kind"`
	Classification string   `json:"classification"`
	Required       bool     `json:"required"`
	Aliases        []string `json:"aliases"`        // other names of the field in input, beside Key; exact, case-sensitive
	Mask           string   `json:"mask,omitempty"` // "", "name" or "id": how Masked renders a value
}

// State is the status of one licence.
type State string

// The states of a licence, from the least to the most restrictive.
const (
	Active     State = "active"
	Suspended  State = "suspended"
	Superseded State = "superseded"
	Revoked    State = "revoked"
)

// Valid reports whether s is one of the four states.
func (s State) Valid() bool { return s.Restrictiveness() < 4 }

// Restrictiveness orders the states: active 0, suspended 1, superseded 2, revoked 3.
// Anything else is 4, more restrictive than every state, so that an unknown state is never taken for a lesser one.
func (s State) Restrictiveness() int {
	switch s {
	case Active:
		return 0
	case Suspended:
		return 1
	case Superseded:
		return 2
	case Revoked:
		return 3
	}
	return 4
}

// The effects a reason can have.
const (
	FromDate = "from-date" // the change holds from its effective date
	AbInitio = "ab-initio" // the change holds from the beginning: the licence should never have been in its former state
)

// Reason is one of the reasons a transition can be given.
type Reason struct {
	Code   string `json:"code"`
	Label  Text   `json:"label"`
	Effect string `json:"effect"` // FromDate or AbInitio
}

// Transition is one change of state that a type allows.
type Transition struct {
	From      State    `json:"from"`
	To        State    `json:"to"`
	Approvals int      `json:"approvals"` // how many signers it takes: 1 or 2
	Reasons   []Reason `json:"reasons"`
}

// Reason returns the transition's reason with the given code.
func (t Transition) Reason(code string) (Reason, bool) {
	for _, r := range t.Reasons {
		if r.Code == code {
			return r, true
		}
	}
	return Reason{}, false
}

// Restriction is a kind of restriction (a seizure, a mortgage) that can lie on licences of a type.
type Restriction struct {
	Code  string `json:"code"`
	Label Text   `json:"label"`
}

// Whether a licence can belong to several holders, and whether it runs for a term.
const (
	HoldersOne        = "one"
	HoldersMany       = "many"
	ValidityPermanent = "permanent" // licences of the type have no last day
	ValidityTerm      = "term"      // licences of the type can have a first and a last day
)

// Type is one version of a licence type: what a licence of this type consists of and what can become of it.
// It comes from ParseType and is not changed afterwards; it can be used from several goroutines.
type Type struct {
	ID           string
	Version      int
	Code         string // GB/T 36904 type code: Definer and three digits
	Provisional  bool   // Code is not (yet) one that a standards body has assigned
	Name         Text
	Definer      string        // unified social credit code of the body that defined the type
	Holders      string        // HoldersOne or HoldersMany
	Validity     string        // ValidityPermanent or ValidityTerm
	MaxStatusAge time.Duration // whole seconds: how old a view of the ledger may be for a verdict on a licence of this type
	Fields       []Field
	Transitions  []Transition
	Restrictions []Restriction

	leaves []string       // keys of the committed leaves, in order
	names  map[string]int // every name of every field, and the reserved ones -> slot
	number int            // index of the number field
}

// Keys of the two leaves that follow a type's fields, and input names that are reserved in every type.
const (
	IdentifierKey = "identifier" // the GB/T 36904 identifier
	DocumentsKey  = "documents"  // lower-case hex SM3 digests of the licence's files

	NumberAlias     = "ZZBH"      // alias of the field that is the licence's number
	IdentifierAlias = "ZZBS"      // input name of the identifier, beside IdentifierKey
	ValidFromAlias  = "ZZYXQQSRQ" // input name of the first day of validity
	ValidUntilAlias = "ZZYXQJZRQ" // input name of the last day of validity
)

// Leaves returns the keys of the committed leaves in order: the fields', IdentifierKey, DocumentsKey.
// The caller must not change it.
func (t *Type) Leaves() []string { return t.leaves }

// NumberField returns the field that holds the licence's number: the one with the alias ZZBH.
func (t *Type) NumberField() Field { return t.Fields[t.number] }

// Field returns the field with the given key.
func (t *Type) Field(key string) (Field, bool) {
	for _, f := range t.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// Transition returns what the type says about the change from one state to another; false if it does not allow it.
func (t *Type) Transition(from, to State) (Transition, bool) {
	for _, tr := range t.Transitions {
		if tr.From == from && tr.To == to {
			return tr, true
		}
	}
	return Transition{}, false
}

// Restriction returns the type's restriction with the given code.
func (t *Type) Restriction(code string) (Restriction, bool) {
	for _, r := range t.Restrictions {
		if r.Code == code {
			return r, true
		}
	}
	return Restriction{}, false
}
