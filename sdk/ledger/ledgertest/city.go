// Package ledgertest tests ledgers, and helps to test what stands on one.
//
// Run is the conformance suite that every implementation of ledger.Ledger passes, RunFounding the
// part of it for a ledger that has just begun. City is a small city to try things in: an authority
// and its departments, with all their keys, and builders for whatever they sign:
//
//	city := ledgertest.NewCity(t, "a test")
//	store, err := embedded.Create(dir, city.Genesis)
//	city.Found(t, store.As)                                   // departments, keys, types
//	batch := city.Issue(t, "marriage", 256)                   // real licences, one signed head
//	ledgertest.Submit(t, store.As(batch.Issuer), batch.Tx)
//	revoke := batch.Change(7, licence.Revoked)
//	ledgertest.Submit(t, store.As(batch.Issuer), ledgertest.Sign(t, revoke, batch.Department.Status))
//
// The private keys are known to everybody. The package is for tests alone.
package ledgertest

import (
	"crypto/rand"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// Authority is the id of the city's authority, and the ids of its other departments.
const (
	Authority  = "data-bureau"
	Marriages  = "civil-affairs"     // issues marriage certificates
	Properties = "natural-resources" // issues real property certificates
	Businesses = "market-regulation" // issues business licences
)

// Log is the access log that each department has.
const Log = "main"

// Time is the signed-at of what the city signs, in seconds since 1970-01-01T00:00:00Z, and Day the
// day it takes effect.
const (
	Time = statementtest.Time
	Day  = 20764 // 2026-11-07
)

// A City is an authority, its departments and the types of licences, as on the ledger once Found
// has run.
type City struct {
	ID          sm.Hash // of the ledger
	Genesis     []byte  // the signed statement
	Authority   *Department
	Departments []*Department // those that the authority admits, in the order of the catalogue
	Types       []*licence.Type
}

// A Department is one with its keys.
type Department struct {
	ID      string
	Profile statement.Profile

	Govern  *sm.PrivateKey // statement.PurposeGovern
	Anchor  *sm.PrivateKey // statement.PurposeAnchor
	Status  *sm.PrivateKey // statement.PurposeStatus
	Second  *sm.PrivateKey // statement.PurposeStatus, for changes that need two
	Log     *sm.PrivateKey // statement.PurposeLog
	Consent *sm.PrivateKey // statement.PurposeConsent
}

// NewCity makes a city, whose ledger has a random id.
func NewCity(tb testing.TB, name string) *City {
	tb.Helper()
	c := new(City)
	var err error
	if c.Types, err = catalog.Types(); err != nil {
		tb.Fatal(err)
	}
	profiles, err := catalog.Departments()
	if err != nil {
		tb.Fatal(err)
	}
	for i := range profiles {
		d := newDepartment(&profiles[i])
		if d.ID == Authority {
			c.Authority = d
		} else {
			c.Departments = append(c.Departments, d)
		}
	}
	if c.Authority == nil {
		tb.Fatalf("the catalogue has no department %s", Authority)
	}
	genesis := &statement.Genesis{
		Name:      name,
		Authority: c.Authority.Profile,
		PublicKey: [64]byte(c.Authority.Govern.Public().Bytes()),
		Purposes:  statement.PurposeGovern,
		CreatedAt: Time,
	}
	rand.Read(genesis.Nonce[:])
	c.Genesis = sign(tb, genesis, c.Authority.Govern)
	payload, err := statement.Encode(genesis)
	if err != nil {
		tb.Fatal(err)
	}
	c.ID = sm.Sum(payload)
	return c
}

func newDepartment(d *licence.Department) *Department {
	p := statement.Profile{ID: d.ID, USCC: d.USCC, NameZh: d.Name.Zh, NameEn: d.Name.En, Issues: d.Issues}
	for _, u := range d.Units {
		p.Units = append(p.Units, statement.Unit{ID: u.ID, DivisionCode: u.DivisionCode, NameZh: u.Name.Zh, NameEn: u.Name.En})
	}
	key := func(purpose string) *sm.PrivateKey { return statementtest.Key("city " + d.ID + " " + purpose) }
	return &Department{
		ID: d.ID, Profile: p,
		Govern: key("govern"), Anchor: key("anchor"), Status: key("status"), Second: key("second status"),
		Log: key("log"), Consent: key("consent"),
	}
}

// Department returns the department with an id, the authority included.
func (c *City) Department(tb testing.TB, id string) *Department {
	tb.Helper()
	if id == c.Authority.ID {
		return c.Authority
	}
	for _, d := range c.Departments {
		if d.ID == id {
			return d
		}
	}
	tb.Fatalf("the city has no department %s", id)
	return nil
}

// Issuer returns the department that issues a type.
func (c *City) Issuer(tb testing.TB, typ string) *Department {
	tb.Helper()
	for _, d := range c.Departments {
		for _, t := range d.Profile.Issues {
			if t == typ {
				return d
			}
		}
	}
	tb.Fatalf("no department of the city issues the type %s", typ)
	return nil
}

// Type returns a type of the catalogue.
func (c *City) Type(tb testing.TB, id string) *licence.Type {
	tb.Helper()
	for _, t := range c.Types {
		if t.ID == id {
			return t
		}
	}
	tb.Fatalf("the catalogue has no type %s", id)
	return nil
}

// Admission returns the statement that admits a department.
func (c *City) Admission(d *Department) *statement.Department {
	return &statement.Department{Ledger: c.ID, Profile: d.Profile, State: statement.DepartmentActive, Sequence: 1, SignedAt: Time}
}

// Enrolment returns the statement that enrols a key. Who signs it, beside the key itself, is the
// caller's choice.
func (c *City) Enrolment(department string, key *sm.PrivateKey, purposes statement.Purposes) *statement.Key {
	return &statement.Key{
		Ledger: c.ID, Department: department, Action: statement.KeyEnrol,
		KeyID: key.Public().ID(), PublicKey: key.Public().Bytes(), Purposes: purposes, SignedAt: Time,
	}
}

// EndKey returns the statement that retires a key or declares it compromised, with the roots that
// are disowned with it.
func (c *City) EndKey(department string, key *sm.PrivateKey, action string, disowned ...sm.Hash) *statement.Key {
	return &statement.Key{
		Ledger: c.ID, Department: department, Action: action, KeyID: key.Public().ID(), Disowned: disowned, SignedAt: Time,
	}
}

// Heartbeat returns the heartbeat with a sequence number: one minute after another from Time on.
func (c *City) Heartbeat(sequence uint64) *statement.Heartbeat {
	return &statement.Heartbeat{Ledger: c.ID, Sequence: sequence, Time: Time + 60*sequence}
}
