// Package issuertest makes issuing departments for tests: a city with an embedded ledger, and a department in it
// with keys, types and a vault.
package issuertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Town is a city with a department that issues licences of a type.
type Town struct {
	testing.TB
	City       *ledgertest.City
	Department *ledgertest.Department
	Type       *licence.Type
	Ledger     ledger.Ledger // the department's connection
	Vault      *vault.Vault
	Address    string // of the vault
	Dir        string
	Clock      *Clock

	store *embedded.Store
	keys  atomic.Pointer[[]key]
}

// A key is a key of the department in its home.
type key struct {
	signer   sm.Signer
	purposes statement.Purposes
}

// New makes a town whose department issues licences of a type ("marriage", "property", "business") and has its
// vault at an address, or if that is empty in a SQLite file.
func New(tb testing.TB, typ, address string) *Town {
	tb.Helper()
	t := &Town{TB: tb, City: ledgertest.NewCity(tb, "town"), Dir: tb.TempDir(), Address: address, Clock: new(Clock)}
	var err error
	t.store, err = embedded.Create(t.Path("ledger"), t.City.Genesis)
	t.Must(err)
	tb.Cleanup(func() { t.store.Close() })
	t.City.Found(tb, t.store.As)
	t.Department, t.Type = t.City.Issuer(tb, typ), t.City.Type(tb, typ)
	t.Ledger = t.store.As(t.Department.ID)
	d := t.Department
	t.keys.Store(&[]key{{d.Anchor, statement.PurposeAnchor}, {d.Status, statement.PurposeStatus}, {d.Second, statement.PurposeStatus}, {d.Consent, statement.PurposeConsent}, {d.Log, statement.PurposeLog}})
	if address == "" {
		t.Address = t.Path("vault.db")
	}
	t.Must(masterkey.Create(t.Path("master.keys")))
	t.Vault, err = vault.Create(tb.Context(), t.Address, vault.Identity{Ledger: t.City.ID, Department: d.ID}, t.MasterKeys(), t.Clock.Now)
	t.Must(err)
	tb.Cleanup(func() { t.Vault.Close() })
	return t
}

// Must fails the test on an error.
func (t *Town) Must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Path is a path in the town's directory.
func (t *Town) Path(name string) string { return filepath.Join(t.Dir, name) }

// As is a department's connection to the ledger.
func (t *Town) As(department string) ledger.Ledger { return t.store.As(department) }

// MasterKeys opens the master keys of the vault.
func (t *Town) MasterKeys() *masterkey.File {
	t.Helper()
	keys, err := masterkey.Open(t.Path("master.keys"))
	t.Must(err)
	return keys
}

// Reopen opens the vault again, as another process does.
func (t *Town) Reopen() *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), t.Address, t.MasterKeys(), t.Clock.Now)
	t.Must(err)
	t.Cleanup(func() { v.Close() })
	return v
}

// Config is what an issuer of the town works with, on one of the handles of its vault.
func (t *Town) Config(v *vault.Vault) issuer.Config {
	d := t.Department
	profile := licence.Department{ID: d.ID, USCC: d.Profile.USCC, Issues: d.Profile.Issues}
	for _, u := range d.Profile.Units {
		profile.Units = append(profile.Units, licence.Unit{ID: u.ID, DivisionCode: u.DivisionCode})
	}
	return issuer.Config{
		Department: profile, Types: t.City.Types, Ledger: t.Ledger, Vault: v, Now: t.Clock.Now, Window: 5 * time.Millisecond,
		Signers: func(ctx context.Context, p statement.Purposes, _ bool) ([]sm.Signer, error) { return t.Keys(ctx, p) },
	}
}

// Issuer makes an issuer that has caught up with the ledger, on one of the handles of the town's vault.
func (t *Town) Issuer(v *vault.Vault) *issuer.Issuer {
	t.Helper()
	iss, err := issuer.New(t.Context(), t.Config(v))
	t.Must(err)
	t.Cleanup(iss.Close)
	_, err = iss.CatchUp(t.Context())
	t.Must(err)
	return iss
}

// Keys returns the department's keys for a purpose that the ledger has in force.
func (t *Town) Keys(ctx context.Context, p statement.Purposes) (out []sm.Signer, err error) {
	for _, k := range *t.keys.Load() {
		if !k.purposes.Has(p) {
			continue
		}
		b, err := t.Ledger.Evaluate(ctx, chaincode.Query{Name: "key", Args: []string{k.signer.Public().ID().String()}})
		if err != nil {
			return nil, err
		}
		var record struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal(b, &record); err != nil {
			return nil, err
		}
		if record.State == chaincode.KeyActive {
			out = append(out, k.signer)
		}
	}
	return out, nil
}

// Rotate gives the department a new key for a purpose in the place of one that it has, on the ledger and at hand.
func (t *Town) Rotate(old *sm.PrivateKey, p statement.Purposes) *sm.PrivateKey {
	t.Helper()
	fresh, err := sm.GenerateKey(rand.Reader)
	t.Must(err)
	t.submit(t.City.Enrolment(t.Department.ID, fresh, p), t.Department.Govern, fresh)
	t.keys.Store(new(append(slices.Clone(*t.keys.Load()), key{fresh, p})))
	t.submit(t.City.EndKey(t.Department.ID, old, statement.KeyRetire), t.Department.Govern)
	return fresh
}

func (t *Town) submit(body statement.Body, signers ...*sm.PrivateKey) {
	t.Helper()
	ledgertest.Submit(t, t.Ledger, ledgertest.Sign(t, body, signers...))
}

// Record is a record of the town's type, as JSON, whose licence number no other n has.
func (t *Town) Record(n int) []byte {
	t.Helper()
	file, err := samples.Files.ReadFile(t.Type.ID + ".jsonl")
	t.Must(err)
	lines := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
	var record map[string]any
	t.Must(json.Unmarshal(lines[n%len(lines)], &record))
	record[t.Type.NumberField().Key] = fmt.Sprintf("J990101-%09d", n)
	b, err := json.Marshal(record)
	t.Must(err)
	return b
}

// A Clock goes as the machine's does, from an hour after the city was founded on. It is safe for concurrent use.
type Clock struct{ ahead atomic.Int64 }

var (
	founded = time.Unix(ledgertest.Time+3600, 0)
	began   = time.Now()
)

// Now returns the time of the clock: pass it where a func() time.Time is wanted.
func (c *Clock) Now() time.Time {
	return founded.Add(time.Since(began) + time.Duration(c.ahead.Load()))
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }
