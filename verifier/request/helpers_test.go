package request_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/outbound"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// A world is two departments that ask, one that is asked, and a marriage.
type world struct {
	*verifiertest.City
	t        testing.TB
	issuer   *requesttest.Issuer
	marriage *verifiertest.Licence
	store    *store.Store
	file     string // of the store
	log      *accesslog.Log
	asker    *request.Asker
	ended    []store.RequestState
}

func newWorld(t testing.TB, change ...func(*request.Config)) *world {
	t.Helper()
	w := &world{City: verifiertest.New(t), t: t, file: filepath.Join(t.TempDir(), "store.db")}
	w.issuer = requesttest.New(t, w.City, ledgertest.Marriages)
	w.marriage = w.Issue("marriage", 1)[0]
	w.issuer.Hold(w.marriage)
	var err error
	if w.store, err = store.Open(t.Context(), w.file, w.Clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	dir := filepath.Join(t.TempDir(), "log")
	if err := accesslog.Create(dir, accesslog.Identity{Ledger: w.ID, Department: w.Authority.ID, Log: "verifier-1"}); err != nil {
		t.Fatal(err)
	}
	if w.log, err = accesslog.Open(dir, w.Authority.Log, w.Clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.Close() })
	w.asker = w.another(change...)
	return w
}

// another makes an asker of the world, as after a new start.
func (w *world) another(change ...func(*request.Config)) *request.Asker {
	w.t.Helper()
	c := request.Config{
		View: w.Index, Grants: w.Index.Grants(), Store: w.store, Log: w.log, Now: w.Clock.Now,
		Keys: map[string]request.Key{
			ledgertest.Properties: w.Department(w.t, ledgertest.Properties).Consent,
			ledgertest.Businesses: w.Department(w.t, ledgertest.Businesses).Consent,
		},
		Issuers: map[string]*outbound.Place{ledgertest.Marriages: w.issuer.Place()},
		Policy:  func() *policy.Published { return w.issuer.Policy },
		Ended:   func(s store.RequestState) { w.ended = append(w.ended, s) },
	}
	for _, f := range change {
		f(&c)
	}
	a, err := request.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(a.Close)
	return a
}

// ask is what the registry of real property asks by law.
func (w *world) ask(change ...func(*request.Ask)) request.Ask {
	a := request.Ask{
		Agency: ledgertest.Properties, Issuer: ledgertest.Marriages, Type: "marriage", Licence: &w.marriage.Digest,
		Matter: requesttest.Matter, Case: "20261107-0042", Fields: []string{"spouse2Name", "spouse1Name"}, Clerk: "li", Unit: "hall-1",
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

// under is what changes an ask to one under a grant.
func under(digest sm.Hash, fields ...string) func(*request.Ask) {
	return func(a *request.Ask) { a.Grant, a.Fields = &digest, fields }
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// made asks, which must end in a state.
func (w *world) made(a request.Ask, want store.RequestState) *store.Request {
	w.t.Helper()
	got, err := w.asker.Ask(w.t.Context(), a)
	w.must(err)
	if r := got.Kept; r.State != want {
		w.t.Fatalf("the request is %s (%s); want %s", r.State, r.Problem, want)
	}
	return w.again(got.Kept)
}

// again returns a request as it is now.
func (w *world) again(r *store.Request) *store.Request {
	w.t.Helper()
	r, err := w.store.Request(w.t.Context(), r.Agency, r.Digest)
	w.must(err)
	return r
}

// pass lets time pass and settles what is due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.Pass(d)
	w.must(w.asker.Settle(w.t.Context()))
}

// entries returns what is in the access log.
func (w *world) entries() (out []*access.Entry) {
	w.t.Helper()
	all, err := w.log.Entries(0, accesslog.MostEntries)
	w.must(err)
	for _, b := range all {
		e, err := access.ParseEntry(b)
		w.must(err)
		out = append(out, e)
	}
	return out
}

// outcomes are those of the entries, in their order.
func (w *world) outcomes() (out []string) {
	for _, e := range w.entries() {
		out = append(out, e.Outcome)
	}
	return out
}

// wantOutcomes checks what is in the access log.
func (w *world) wantOutcomes(want ...string) {
	w.t.Helper()
	if got := w.outcomes(); !slices.Equal(got, want) {
		w.t.Fatalf("the log has %v; want %v", got, want)
	}
}

// stored returns all bytes of the store's files.
func (w *world) stored() (all []byte) {
	w.t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.file + suffix)
		if err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// unavailable is an issuer that cannot answer at present.
func unavailable(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}
