package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A grant at the counter: given, used as often as it says, and withdrawn at once.
func TestGrantAtTheCounter(t *testing.T) {
	c := newCounter(t)
	clerk := c.SignIn(httpapitest.Clerk)
	a := clerk.Post("/v1/grants", c.terms(2)).Want(t, http.StatusCreated)
	digest := a.Text("grant")
	if a.Text("state") != "given" || a.Text("means") != "counter" || a.Number("licence") != c.id || a.Text("agencyName.zh") == "" {
		t.Errorf("%s", a.Body)
	}
	c.office.CatchUp()
	ask := func() resttest.Answer {
		return c.ask(c.office.Request(c.digest, func(r *statement.Request) { r.Fields, r.Grant = c.both(), new(hash(t, digest)) })).Want(t, http.StatusOK)
	}
	for use := int64(1); use <= 2; use++ {
		if a := ask(); a.Text("readable.reason") != "basis-and-grant" || a.Number("readable.use") != use || len(bytesOf(t, a, "grant")) == 0 {
			t.Fatalf("%s", a.Body)
		}
	}
	if a := ask(); a.Text("readable.reason") != "grant-used-up" {
		t.Errorf("%s", a.Body)
	}
	again := clerk.Post("/v1/grants", c.terms(5)).Want(t, http.StatusCreated).Text("grant")
	c.office.CatchUp()
	w := clerk.Post("/v1/grants/"+again+"/withdraw", members{"identified": "身份证,窗口1号核对"}).Want(t, http.StatusOK)
	if w.Text("state") != "withdrawn" || w.Text("withdrawnAt") == "" {
		t.Errorf("%s", w.Body)
	}
	digest = again
	if a := ask(); a.Text("readable.reason") != "grant-withdrawn" {
		t.Errorf("%s", a.Body)
	}
	list := clerk.Get(fmt.Sprintf("/v1/grants?licence=%d", c.id)).Want(t, http.StatusOK)
	var used, states []string
	for i := range list.Get("grants").([]any) {
		used = append(used, fmt.Sprint(list.Number(fmt.Sprintf("grants.%d.used", i))))
		states = append(states, list.Text(fmt.Sprintf("grants.%d.state", i)))
	}
	slices.Sort(used)
	slices.Sort(states)
	if !slices.Equal(used, []string{"0", "2"}) || !slices.Equal(states, []string{"given", "withdrawn"}) {
		t.Errorf("%s", list.Body)
	}
	if strings.Contains(string(list.Body), "身份证") {
		t.Error("the record of who was identified is in the list")
	}
	clerk.Post("/v1/grants/"+strings.Repeat("0", 64)+"/withdraw", members{"identified": "a"}).Problem(t, "grant-unknown")
}

// TestGrantOnce: what is sent again, because its answer was lost or somebody pressed twice, gives no other grant.
func TestGrantOnce(t *testing.T) {
	c := newCounter(t)
	clerk := c.SignIn(httpapitest.Clerk)
	terms := c.terms(2)
	first := clerk.With("Idempotency-Key", "grant-one").Post("/v1/grants", terms).Want(t, http.StatusCreated).Text("grant")
	if again := clerk.With("Idempotency-Key", "grant-one").Post("/v1/grants", terms).Want(t, http.StatusCreated).Text("grant"); again != first {
		t.Errorf("another grant was given: %s, and before %s", again, first)
	}
	clerk.With("Idempotency-Key", "grant-one").Post("/v1/grants", c.terms(3)).Problem(t, "idempotency-reused")
	clerk.With("Idempotency-Key", "grant one").Post("/v1/grants", terms).Problem(t, "parameter-invalid")
	if other := clerk.With("Idempotency-Key", "grant-two").Post("/v1/grants", terms).Want(t, http.StatusCreated).Text("grant"); other == first {
		t.Error("another key gives the same grant")
	}
	if list := clerk.Get(fmt.Sprintf("/v1/grants?licence=%d", c.id)).Want(t, http.StatusOK).Get("grants").([]any); len(list) != 2 {
		t.Errorf("there are %d grants", len(list))
	}
}

// both are the fields that the law gives and those that take a grant.
func (c *counter) both() []string {
	return slices.Sorted(slices.Values(append(c.office.Free(), c.office.Granted()...)))
}

// terms is the body of a grant at the counter.
func (c *counter) terms(uses int) members {
	return members{
		"licence": c.id, "agency": c.office.Agency.ID, "matter": releasetest.Matter, "fields": c.office.Granted(), "uses": uses,
		"notAfter": c.Clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), "identified": "身份证,窗口1号核对",
	}
}

func hash(tb testing.TB, s string) sm.Hash {
	tb.Helper()
	h, err := sm.ParseHash(s)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// What a holder signed with a bound key is handed in, and taken back with it.
func TestGrantOfTheHolder(t *testing.T) {
	c := newCounter(t)
	holder, err := sm.GenerateKey(rand.Reader)
	c.Must(err)
	clerk := c.SignIn(httpapitest.Clerk)
	bound := clerk.Post(path(c.id, "/bindings"), members{
		"holderKey": holder.Public().SPKI(), "notAfter": c.Clock.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}).Want(t, http.StatusCreated)
	binding := bytesOf(t, bound, "statement")
	s, err := statement.Parse(binding)
	c.Must(err)
	body := &statement.Grant{
		Ledger: c.City.ID, Issuer: c.Department.ID, Licence: c.digest, Type: c.Type.ID, Agency: c.office.Agency.ID, Matter: releasetest.Matter, Fields: c.office.Granted(),
		Uses: 1, NotBefore: c.office.Seconds(), NotAfter: c.office.Seconds() + 3600, Means: statement.MeansKey, Evidence: sm.Sum(s.Payload), Salt: [16]byte{1}, SignedAt: c.office.Seconds(),
	}
	signed, err := statement.Make(body, holder)
	c.Must(err)
	clerk.Post("/v1/grants", members{"grant": signed.Bytes()}).Problem(t, "binding-missing")
	clerk.Post("/v1/grants", members{"binding": binding}).Problem(t, "member-invalid")
	clerk.Post("/v1/grants", members{"grant": []byte{1}, "binding": binding}).Problem(t, "grant-malformed")
	for range 2 { // the same again changes nothing
		a := clerk.Post("/v1/grants", members{"grant": signed.Bytes(), "binding": binding}).Want(t, http.StatusCreated)
		if a.Text("grant") != sm.Sum(signed.Payload).String() || a.Text("means") != "holder-key" || a.Text("state") != "given" {
			t.Errorf("%s", a.Body)
		}
	}
	c.office.CatchUp()
	digest := sm.Sum(signed.Payload)
	ask := func() resttest.Answer {
		return c.ask(c.office.Request(c.digest, func(r *statement.Request) { r.Fields, r.Grant = c.office.Granted(), &digest })).Want(t, http.StatusOK)
	}
	if a := ask(); a.Text("readable.reason") != "grant" || string(bytesOf(t, a, "binding")) != string(binding) {
		t.Errorf("%s", a.Body)
	}
	withdrawal, err := statement.Make(&statement.Withdrawal{
		Ledger: c.City.ID, Issuer: c.Department.ID, Grant: digest, Means: statement.MeansKey, Evidence: sm.Sum(s.Payload), SignedAt: c.office.Seconds(),
	}, holder)
	c.Must(err)
	other := clerk.Post("/v1/grants", c.terms(1)).Want(t, http.StatusCreated).Text("grant")
	clerk.Post("/v1/grants/"+other+"/withdraw", members{"withdrawal": withdrawal.Bytes(), "binding": binding}).Problem(t, "grant-differs")
	clerk.Post("/v1/grants/"+digest.String()+"/withdraw", members{"withdrawal": withdrawal.Bytes(), "binding": binding, "identified": "a"}).Problem(t, "member-invalid")
	if a := clerk.Post("/v1/grants/"+digest.String()+"/withdraw", members{"withdrawal": withdrawal.Bytes(), "binding": binding}).Want(t, http.StatusOK); a.Text("state") != "withdrawn" {
		t.Errorf("%s", a.Body)
	}
	if a := ask(); a.Text("readable.reason") != "grant-withdrawn" {
		t.Errorf("%s", a.Body)
	}
}

// A grant that cannot be given is refused, and nothing of it stays.
func TestGrantRefused(t *testing.T) {
	c := newCounter(t)
	clerk := c.SignIn(httpapitest.Clerk)
	with := func(change func(members)) members {
		m := c.terms(1)
		change(m)
		return m
	}
	for name, test := range map[string]struct {
		code string
		body members
	}{
		"no licence":       {"member-invalid", with(func(m members) { delete(m, "licence") })},
		"nobody's licence": {"not-in-vault", with(func(m members) { m["licence"] = 99 })},
		"no field":         {"member-invalid", with(func(m members) { m["fields"] = []string{} })},
		"unknown field":    {"release-arguments", with(func(m members) { m["fields"] = []string{"nothing"} })},
		"no use":           {"member-invalid", with(func(m members) { m["uses"] = 0 })},
		"too many uses":    {"member-invalid", with(func(m members) { m["uses"] = 1001 })},
		"without end":      {"member-invalid", with(func(m members) { delete(m, "notAfter") })},
		"over":             {"grant-expired", with(func(m members) { m["notAfter"], m["notBefore"] = "2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z" })},
		"for too long":     {"release-arguments", with(func(m members) { m["notAfter"] = "2099-01-01T00:00:00Z" })},
		"nobody":           {"member-invalid", with(func(m members) { delete(m, "identified") })},
		"both":             {"member-invalid", with(func(m members) { m["grant"] = []byte{1} })},
	} {
		t.Run(name, func(t *testing.T) { clerk.Post("/v1/grants", test.body).Problem(t, test.code) })
	}
	if n := len(clerk.Get(fmt.Sprintf("/v1/grants?licence=%d", c.id)).Want(t, http.StatusOK).Get("grants").([]any)); n != 0 {
		t.Errorf("%d grants", n)
	}
}
