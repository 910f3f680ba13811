package release_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
)

// What the tests ask for.
const (
	matter = "second-hand-home-transfer"
	other  = "market-regulation" // another agency
)

var (
	clerk   = vault.By{Actor: "wangfang", Purpose: "counter 3"}
	counter = release.Identified{Means: statement.MeansCounter, Record: "identity card seen by wangfang: 110101199001011234"}
	two     = []string{"spouse1Name", "spouse2Id"}
)

// officeTime is when an office begins: an hour after the city's statements.
var officeTime = time.Unix(ledgertest.Time+3600, 0)

// An office is a department that issues marriage certificates and releases them, with a city around it.
type office struct {
	testing.TB
	dir     string
	address string // of the vault
	city    *ledgertest.City
	issuing *ledgertest.Department
	agency  *ledgertest.Department
	typ     *licence.Type

	store  *embedded.Store
	vault  *vault.Vault
	issuer *issuer.Issuer
	index  *index.Index
	log    *accesslog.Log
	desk   *release.Desk
	config release.Config
	close  func()

	mu  sync.Mutex
	now time.Time
}

// newOffice makes an office with its vault at an address, or if that is empty in a SQLite file.
func newOffice(tb testing.TB, address string) *office {
	tb.Helper()
	o := &office{TB: tb, dir: tb.TempDir(), address: address, city: ledgertest.NewCity(tb, "office"), now: officeTime}
	if address == "" {
		o.address = o.path("vault.db")
	}
	o.issuing, o.agency, o.typ = o.city.Issuer(tb, "marriage"), o.city.Department(tb, ledgertest.Properties), o.city.Type(tb, "marriage")
	store, err := embedded.Create(o.path("ledger"), o.city.Genesis)
	o.must(err)
	o.city.Found(tb, store.As)
	o.must(masterkey.Create(o.path("master.keys")))
	keys, err := masterkey.Open(o.path("master.keys"))
	o.must(err)
	v, err := vault.Create(tb.Context(), o.address, vault.Identity{Ledger: o.city.ID, Department: o.issuing.ID}, keys, o.time)
	o.must(err)
	o.must(accesslog.Create(o.path("log"), accesslog.Identity{Ledger: o.city.ID, Department: o.issuing.ID, Log: "releases"}))
	o.must(errors.Join(v.Close(), store.Close()))
	o.open()
	tb.Cleanup(func() { o.close() })
	return o
}

// open opens all that is in the office's directory, as a process does that begins.
func (o *office) open() {
	o.Helper()
	var err error
	o.store, err = embedded.Open(o.path("ledger"))
	o.must(err)
	keys, err := masterkey.Open(o.path("master.keys"))
	o.must(err)
	o.vault, err = vault.Open(o.Context(), o.address, keys, o.time)
	o.must(err)
	o.log, err = accesslog.Open(o.path("log"), o.issuing.Log, o.time)
	o.must(err)
	l := o.store.As(o.issuing.ID)
	profile := licence.Department{ID: o.issuing.ID, USCC: o.issuing.Profile.USCC, Issues: o.issuing.Profile.Issues}
	for _, u := range o.issuing.Profile.Units {
		profile.Units = append(profile.Units, licence.Unit{ID: u.ID, DivisionCode: u.DivisionCode})
	}
	signers := issuer.Fixed(map[statement.Purposes][]sm.Signer{
		statement.PurposeAnchor: {o.issuing.Anchor}, statement.PurposeStatus: {o.issuing.Status, o.issuing.Second}, statement.PurposeConsent: {o.issuing.Consent},
	})
	o.issuer, err = issuer.New(o.Context(), issuer.Config{
		Department: profile, Types: o.city.Types, Ledger: l, Vault: o.vault, Now: o.time, Window: time.Millisecond, Signers: signers,
	})
	o.must(err)
	_, err = o.issuer.CatchUp(o.Context())
	o.must(err)
	o.index, err = index.Open("")
	o.must(err)
	ctx, stop := context.WithCancel(context.Background())
	following := make(chan struct{})
	go func() {
		defer close(following)
		_ = o.index.Follow(ctx, l)
	}()
	o.config = release.Config{
		Department: o.issuing.ID, Authority: o.city.Authority.ID, Issuer: o.issuer, Vault: o.vault, Types: o.city.Types, Ledger: l, Signers: signers,
		View: o.index.Grants(), Known: func() (uint64, uint64) {
			known := o.index.Licence("", sm.Hash{}, sm.Hash{})
			return known.Height, known.Heartbeat.Time
		}, Log: o.log, Now: o.time,
	}
	o.desk = o.newDesk(o.config)
	o.see()
	o.close = func() {
		o.issuer.Close()
		stop()
		<-following
		o.must(errors.Join(o.index.Close(), o.log.Close(), o.vault.Close(), o.store.Close()))
		o.close = func() {}
	}
}

// reopen ends the office's process and begins another one.
func (o *office) reopen() {
	o.Helper()
	o.close()
	o.open()
}

func (o *office) newDesk(c release.Config) *release.Desk {
	o.Helper()
	d, err := release.New(o.Context(), c)
	o.must(err)
	return d
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) path(name string) string { return filepath.Join(o.dir, name) }

func (o *office) time() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) seconds() uint64 { return uint64(o.time().Unix()) }

// see waits until the view has what the ledger has.
func (o *office) see() {
	o.Helper()
	head, err := o.store.As(o.issuing.ID).Head(o.Context())
	o.must(err)
	o.must(o.index.WaitFor(o.Context(), head.Height))
}

// submit has something applied in the name of a department.
func (o *office) submit(department string, body statement.Body, keys ...*sm.PrivateKey) {
	o.Helper()
	ledgertest.Submit(o, o.store.As(department), ledgertest.Sign(o, body, keys...))
	o.see()
}

// number is the licence number of a licence that issue has made.
func number(n int) string { return fmt.Sprintf("J990101-%09d", n) }

// issue issues a licence.
func (o *office) issue(n int) *vault.Licence {
	o.Helper()
	file, err := samples.Files.ReadFile(o.typ.ID + ".jsonl")
	o.must(err)
	var record map[string]any
	o.must(json.Unmarshal(bytes.Split(file, []byte("\n"))[0], &record))
	record[o.typ.NumberField().Key] = number(n)
	b, err := json.Marshal(record)
	o.must(err)
	issued, err := o.issuer.Apply(o.Context(), clerk, &issuer.Application{Type: o.typ.ID, Record: b})
	o.must(err)
	o.see()
	return issued.Licence
}

// policy publishes a version of the policy: some fields by law, and some to nobody.
func (o *office) policy(version int, byLaw, toNobody []string) []byte {
	o.Helper()
	text := fmt.Sprintf("version: %d\nfrom: 2026-11-01\nanswerWithin: 300\n", version)
	if len(byLaw) > 0 {
		text += "bases:\n  - {id: registration-16, text: {zh: 法, en: Act}, agency: " + o.agency.ID + ", matter: " + matter + ", issuer: " + o.issuing.ID +
			", type: marriage, fields: [" + join(byLaw) + "]}\n"
	}
	if len(toNobody) > 0 {
		text += "negative:\n  - {id: nobody, text: {zh: 法, en: Act}, type: marriage, fields: [" + join(toNobody) + "]}\n"
	}
	return o.publish(version, text)
}

func join(fields []string) string {
	out := ""
	for i, f := range fields {
		if i > 0 {
			out += ", "
		}
		out += f
	}
	return out
}

func (o *office) publish(version int, text string) []byte {
	o.Helper()
	signed, err := statement.Sign(&statement.Policy{Ledger: o.city.ID, Version: uint32(version), Definition: []byte(text), SignedAt: o.seconds()}, o.city.Authority.Govern)
	o.must(err)
	return signed
}

// byLaw sets a policy under which some fields are given by law.
func (o *office) byLaw(fields ...string) {
	o.Helper()
	o.must(o.desk.SetPolicy(o.Context(), o.policy(1, fields, nil)))
}

// terms let the agency have two fields of a licence.
func (o *office) terms(l *vault.Licence, uses uint32) release.Terms {
	return release.Terms{Licence: l.ID, Agency: o.agency.ID, Matter: matter, Fields: two, Uses: uses, NotBefore: o.time(), NotAfter: o.time().AddDate(0, 1, 0)}
}

// give gives a grant at the counter.
func (o *office) give(l *vault.Licence, uses uint32) *release.Grant {
	o.Helper()
	g, err := o.desk.Give(o.Context(), clerk, o.terms(l, uses), counter)
	o.must(err)
	return g
}

// hasCode checks the code of an error.
func hasCode(tb testing.TB, err error, code string) {
	tb.Helper()
	if release.Code(err) != code {
		tb.Fatalf("error %v, code %q; want %s", err, release.Code(err), code)
	}
}

// cases are what both databases have to do.
var cases = map[string]func(*testing.T, *office){}

func TestSQLite(t *testing.T) {
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { test(t, newOffice(t, "")) })
	}
}

func TestPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) { test(t, newOffice(t, server.Database(t))) })
	}
	for _, step := range release.AnswerSteps {
		t.Run("killed, "+step, func(t *testing.T) { testKilledAnswering(t, newOffice(t, server.Database(t)), step, false) })
	}
	for _, step := range release.BackSteps {
		t.Run("killed while withdrawing, "+step, func(t *testing.T) { testKilledWithdrawing(t, newOffice(t, server.Database(t)), step) })
	}
}

// A shaky ledger fails when it is told to.
type shaky struct {
	ledger.Ledger
	mu     sync.Mutex
	before error // before a submission
	after  error // after one was applied
}
