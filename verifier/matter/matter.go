// Package matter is one service item (事项) that needs several licences, as data, and the one answer
// to all the licences that were shown for it.
//
// A matter is a file of YAML. It names what is required, in which alternatives, which fields each
// has to disclose and whose holders have to show it; rules between the fields; and what is left for
// a person to review:
//
//	id: second-hand-home-transfer       # [a-z0-9-]{1,32}
//	version: 1
//	from: 2026-01-01                    # the first day on which this version counts
//	code: 000715DEM001                  # of the item in the national catalogue, [0-9A-Z]{1,31}
//	provisional: true                   # the code is not one that the catalogue assigns
//	name: {zh: 二手房过户, en: Transfer of a second-hand home}
//	basis:                              # what the law says
//	  - {zh: ..., en: ...}
//	departments:                        # all those that one case serves
//	  - {id: natural-resources, name: {zh: ..., en: ...}}
//	requirements:
//	  - role: title
//	    name: {zh: 出卖人的不动产权证书, en: The sellers' title}
//	    min: 1                          # how many licences; 0: none will do
//	    max: 1
//	    alternatives:                   # any of them will do
//	      - type: property
//	        fields: [rightHolders, rightHolderIds]
//	        show: all                   # none, one or all of the holders show it
//	        holders: rightHolders       # the list that says how many all are
//	rules:                              # each in one of four forms
//	  - id: right-holders-covered
//	    text: {zh: ..., en: ...}
//	    every: [property.rightHolderIds]                    # each of these values
//	    in: [marriage.spouse1Id, marriage.spouse2Id]        # is one of those
//	  - {id: ..., text: ..., equals: {field: no-record.recordsFound, value: "0"}}
//	  - {id: ..., text: ..., within: {field: no-record.issueDate, days: 30}}       # before the day of the case
//	  - {id: ..., text: ..., notAfter: {field: property.registrationDate, bound: no-record.searchedUntil}}
//	review:
//	  - {zh: ..., en: ...}
//
// A field is written TYPE.KEY: a licence type stands in one requirement of a matter, so that it is
// always plain what a licence was shown for. Evaluate judges; it does no I/O, reads no clock and
// keeps nothing. The package never verifies a licence itself, and no value of a field is in what it
// answers.
package matter

import (
	"slices"

	"github.com/credledger/credledger/sdk/licence"
)

// A Matter is one version of a service item. It comes from Parse and is not changed afterwards; it
// can be used from several goroutines. Its JSON form is part of the interface.
type Matter struct {
	ID           string         `yaml:"id" json:"id"`
	Version      int            `yaml:"version" json:"version"`         // from 1
	From         string         `yaml:"from" json:"from"`               // first day of this version, ISO 8601
	Code         string         `yaml:"code" json:"code"`               // of the item in the national catalogue
	Provisional  bool           `yaml:"provisional" json:"provisional"` // Code is not one that the catalogue assigns
	Name         licence.Text   `yaml:"name" json:"name"`
	Basis        []licence.Text `yaml:"basis" json:"basis"`
	Departments  []Department   `yaml:"departments" json:"departments"` // all those that one case serves
	Requirements []Requirement  `yaml:"requirements" json:"requirements"`
	Rules        []Rule         `yaml:"rules" json:"rules"`
	Review       []licence.Text `yaml:"review" json:"review"` // what is left for a person to look at

	from licence.Date
}

// A Department is one that a case of the matter serves.
type Department struct {
	ID   string       `yaml:"id" json:"id"`
	Name licence.Text `yaml:"name" json:"name"`
}

// A Requirement is one part that licences play in a matter.
type Requirement struct {
	Role         string        `yaml:"role" json:"role"`
	Name         licence.Text  `yaml:"name" json:"name"`
	Min          int           `yaml:"min" json:"min"`
	Max          int           `yaml:"max" json:"max"`
	Alternatives []Alternative `yaml:"alternatives" json:"alternatives"`
}

// An Alternative is one type of licence that can play the part.
type Alternative struct {
	Type    string   `yaml:"type" json:"type"`
	Fields  []string `yaml:"fields" json:"fields"`                       // keys that must be disclosed
	Show    Show     `yaml:"show" json:"show"`                           // whose holders show it
	Holders string   `yaml:"holders,omitempty" json:"holders,omitempty"` // with ShowAll: the field, a list, that has one text a holder
}

// Show says how many of the holders of a licence have to show it themselves.
type Show string

// How many holders show a licence.
const (
	ShowNone Show = "none" // a print will do
	ShowOne  Show = "one"
	ShowAll  Show = "all"
)

// A Rule compares fields of the licences that were shown. It has exactly one of four forms: Every
// with In, Equals, Within, NotAfter. Fields are written TYPE.KEY.
type Rule struct {
	ID       string       `yaml:"id" json:"id"`
	Text     licence.Text `yaml:"text" json:"text"`
	Every    []string     `yaml:"every,omitempty" json:"every,omitempty"` // each value of these fields
	In       []string     `yaml:"in,omitempty" json:"in,omitempty"`       // is a value of those
	Equals   *Equals      `yaml:"equals,omitempty" json:"equals,omitempty"`
	Within   *Within      `yaml:"within,omitempty" json:"within,omitempty"`
	NotAfter *NotAfter    `yaml:"notAfter,omitempty" json:"notAfter,omitempty"`
}

// Equals asks for one value.
type Equals struct {
	Field string `yaml:"field" json:"field"`
	Value string `yaml:"value" json:"value"`
}

// Within asks for a date at most so many days before the day of the case, and not after it.
type Within struct {
	Field string `yaml:"field" json:"field"`
	Days  int    `yaml:"days" json:"days"`
}

// NotAfter asks for dates that are not after any date of another field.
type NotAfter struct {
	Field string `yaml:"field" json:"field"`
	Bound string `yaml:"bound" json:"bound"`
}

// alternative returns what the matter says of a type, and in which requirement; nil if it does not
// want the type.
func (m *Matter) alternative(typ string) (requirement int, a *Alternative) {
	for i := range m.Requirements {
		for j := range m.Requirements[i].Alternatives {
			if a := &m.Requirements[i].Alternatives[j]; a.Type == typ {
				return i, a
			}
		}
	}
	return 0, nil
}

// Fields returns the keys of the fields that the matter asks for of a type; nil if it does not want
// the type. The caller does not change them.
func (m *Matter) Fields(typ string) []string {
	if _, a := m.alternative(typ); a != nil {
		return a.Fields
	}
	return nil
}

// Types returns the ids of the types that the matter can use, sorted.
func (m *Matter) Types() []string {
	var types []string
	for i := range m.Requirements {
		for j := range m.Requirements[i].Alternatives {
			types = append(types, m.Requirements[i].Alternatives[j].Type)
		}
	}
	slices.Sort(types)
	return types
}
