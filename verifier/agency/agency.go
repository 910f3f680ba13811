// Package agency says which agencies may ask a verifier, and for what.
//
// A directory is a file of YAML, which never holds a secret itself:
//
//	agencies:
//	  - id: tax                         # [a-z0-9-]{1,32}
//	    name: {zh: 示范市税务局, en: Demo City Tax Bureau}
//	    tokens:                         # SM3 of bearer tokens, in hex, as `credledger agency token` prints them
//	      - 3f0c...
//	    certificates:                   # SM3 of client certificates in DER, in hex
//	      - 9a41...
//	    addresses: [10.20.0.0/16]       # calls come from here; without it from anywhere
//	    types:                          # the fields that it may ask for, and is told, by type of licence
//	      marriage: [spouse1Name, spouse2Name, registrationDate]
//	    matters: [second-hand-home-transfer]
//	    onBehalf: []                    # a shared counter (综合窗口) names one of these in every call
//	    rate: {perSecond: 50, burst: 100}
//	    dailyCap: 100000                # licences verified on one day in UTC+8
//	    clerks:                         # who may sign in at the counter page
//	      - name: wangfang
//	        unit: 综合窗口3号
//	        password: $2a$12$...        # bcrypt, as `credledger agency clerk` prints it
//
// A Gate stands before the service: Admit (or AdmitClerk, in a clerk's session) for every call,
// which says who it is and holds the rate; then Permit, once it is known what was shown, which holds
// the rest. Each refusal is a *Refusal with a stable code. Gates of several replicas share a Counter
// for the daily cap; rates are for each of them.
//
// Tokens, passwords and rates are those of package callers. The package keeps no token and no
// password, and neither is ever in an error.
package agency

import (
	"slices"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// An Agency is one that may ask. It comes from Parse and is not changed afterwards; it can be used
// from several goroutines.
type Agency struct {
	ID       string
	Name     licence.Text
	Types    map[string][]string // type id -> keys of the fields that it may ask for
	Matters  []string            // ids of the matters that it may name
	OnBehalf []string            // at a shared counter: those on whose behalf it asks
	Rate     callers.Rate
	DailyCap uint64
	Clerks   []*Clerk

	tokens       []sm.Hash
	certificates []sm.Hash
	addresses    callers.Networks
}

// A Clerk is a person who signs in at the counter.
type Clerk struct {
	Name string // to sign in with; unique in the agency
	Unit string

	password callers.Password
}

// May reports whether the agency may be told a field of a type of licence.
func (a *Agency) May(typ, key string) bool { return slices.Contains(a.Types[typ], key) }

// Clerk returns the clerk of a name, nil if there is none.
func (a *Agency) Clerk(name string) *Clerk {
	for _, c := range a.Clerks {
		if c.Name == name {
			return c
		}
	}
	return nil
}
