package wallet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
	"github.com/credledger/credledger/verifier/verify"
)

// A licence is told of in the words of its type, as the ledger has it today.
func TestStates(t *testing.T) {
	w := wallettest.New(t, "property")
	by := vault.By{Actor: "wangfang", Purpose: "counter"}
	id := w.Issue(1)
	holder := wallet.Person{Number: w.Fields(1)["rightHolderIds"].([]any)[0].(string), Proven: w.Clock.Now()}
	token, _, err := w.Wallet.SignIn(t.Context(), holder, nil)
	w.Must(err)
	caller := func() *wallet.Caller {
		t.Helper()
		c, err := w.Wallet.Caller(t.Context(), digestOf(token), nil)
		w.Must(err)
		return c
	}
	look := func() (*wallet.Licence, []wallet.Reminder) {
		t.Helper()
		w.CatchUp()
		all, err := w.Wallet.Licences(t.Context(), caller())
		w.Must(err)
		reminders, err := w.Wallet.Reminders(t.Context(), caller(), all)
		w.Must(err)
		return all[0], reminders
	}
	if l, r := look(); l.State != verify.ReasonActive || l.Restricted || !l.Showable || len(r) != 0 {
		t.Errorf("as issued: %+v, %+v", l, r)
	}
	subject, err := w.Issuer.Subject(t.Context(), id)
	w.Must(err)
	kind := w.Type.Restrictions[0]
	laid, err := w.Issuer.Restrict(t.Context(), by, subject, kind.Code, nil)
	w.Must(err)
	l, _ := look()
	lie, err := w.Wallet.Restrictions(t.Context(), l)
	w.Must(err)
	if !l.Restricted || len(lie) != 1 || lie[0].Text != kind.Label {
		t.Errorf("restricted: %+v, %+v", l, lie)
	}
	_, err = w.Issuer.Release(t.Context(), by, subject, kind.Code, &laid.ID, nil)
	w.Must(err)
	if l, _ := look(); l.Restricted {
		t.Error("what was lifted lies on it")
	}
	for _, to := range []licence.State{licence.Suspended, licence.Active, licence.Revoked} {
		tr, ok := w.Type.Transition(licence.State(l.State), to)
		if !ok {
			continue
		}
		_, err := w.Issuer.SetStatus(t.Context(), by, []issuer.StatusChange{{Licence: subject, To: to, Reason: tr.Reasons[0].Code}}, nil)
		if issuer.Code(err) == issuer.CodeApprovals {
			continue
		}
		w.Must(err)
		var r []wallet.Reminder
		if l, r = look(); l.State != verify.Reason(to) || l.StateText.Zh == "" || l.StateText.En == "" {
			t.Errorf("%s: %+v", to, l)
		}
		if to == licence.Suspended && (len(r) != 1 || r[0].Kind != wallet.RemindSuspended) {
			t.Errorf("suspended: %+v", r)
		}
	}
}

// A grant and a delegation that are about to end are reminded of.
func TestReminders(t *testing.T) {
	w := wallettest.New(t, "marriage")
	id := w.Issue(1)
	holder := w.SignIn(w.Holder(1))
	show := map[string]any{"licence": id, "fields": w.Minimum(), "matter": wallettest.Matter}
	grant := func(days int) {
		show["agency"], show["uses"], show["days"] = w.Agency.ID, 1, days
		holder.Post("/v1/grants", show).Want(t, 201)
	}
	grant(3)
	grant(30)
	helping := func(days int) {
		holder.Post("/v1/delegations", map[string]any{"helper": w.Spouse(2).Number, "licences": []any{id}, "matter": wallettest.Matter, "may": []string{"show"}, "days": days}).Want(t, 201)
	}
	helping(1)
	helping(30)
	w.CatchUp()
	a := holder.Get("/v1/licences").Want(t, 200)
	if a.Text("reminders.0.kind") != "delegation-expires" || a.Number("reminders.0.days") != 0 || a.Text("reminders.1.kind") != "grant-expires" ||
		a.Number("reminders.1.days") != 2 || a.Get("reminders.2") != nil {
		t.Errorf("%s", a.Body)
	}
}

// What two processes do on one PostgreSQL database is the same.
func TestPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	w := wallettest.NewAt(t, "marriage", server.Database(t))
	id := w.Issue(1)
	first := w.SignIn(w.Holder(1))
	w.Rewire(nil) // another process
	second := first
	second.Handler = w.API
	show := map[string]any{"licence": id, "fields": w.Minimum(), "matter": wallettest.Matter, "kind": "reference"}
	one := first.Post("/v1/codes", show).Want(t, 201)
	other := second.Post("/v1/codes", show).Want(t, 201)
	w.Scan(one.Text("code")).Want(t, 200)
	w.Scan(other.Text("code")).Want(t, 200)
	first.Post("/v1/ratings", map[string]any{"use": other.Text("use"), "stars": 5}).Want(t, 204)
	second.Post("/v1/ratings", map[string]any{"use": other.Text("use"), "stars": 1}).Problem(t, "already-rated")
	given := first.Post("/v1/delegations", map[string]any{"helper": w.Holder(2).Number, "licences": []any{id}, "matter": wallettest.Matter, "may": []string{"show"}, "days": 1}).Want(t, 201)
	helper := w.SignIn(w.Holder(2)).For(given.Text("delegation"))
	helper.Get("/v1/licences").Want(t, 200)
	first.Post("/v1/delegations/"+given.Text("delegation")+"/withdraw", nil).Want(t, 200)
	helper.Get("/v1/licences").Problem(t, "delegation-ended")
	first.Do("DELETE", "/v1/sessions", nil).Want(t, 204)
	second.Get("/v1/licences").Problem(t, "unauthenticated")
	w.Clock.Advance(30 * time.Hour)
	w.Must(w.Wallet.Purge(t.Context()))
	bindings, err := w.Vault.Bindings(t.Context(), id)
	w.Must(err)
	if len(bindings) != 0 {
		t.Errorf("%d bindings of minutes are kept for a day", len(bindings))
	}
}

// Without what it stands on there is no wallet.
func TestNew(t *testing.T) {
	if _, err := wallet.New(wallet.Config{}); err == nil {
		t.Error("a wallet of nothing is made")
	}
	w := wallettest.New(t, "marriage")
	for name, change := range map[string]func(*wallet.Config){
		"no vault":       func(c *wallet.Config) { c.Vault = nil },
		"no view":        func(c *wallet.Config) { c.View = nil },
		"idle for long":  func(c *wallet.Config) { c.Sessions.Idle = 3 * c.Sessions.Length },
		"never fresh":    func(c *wallet.Config) { c.Sessions.Fresh = 0 },
		"no deadline":    func(c *wallet.Config) { c.Deadline = wallet.Deadline{} },
		"no matters":     func(c *wallet.Config) { c.Matters = nil },
		"no department":  func(c *wallet.Config) { c.Department = licence.Department{} },
		"no check page":  func(c *wallet.Config) { c.Host = "" },
		"nothing is log": func(c *wallet.Config) { c.Releases = nil },
	} {
		c := w.Wallet.Config
		change(&c)
		if _, err := wallet.New(c); err == nil || !strings.HasPrefix(err.Error(), "wallet") && !strings.HasPrefix(err.Error(), "objections") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
