package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// object keeps a holder's objection, as the wallet does, and returns its id.
func object(tb testing.TB, s *httpapitest.Server, id int64, text string) string {
	tb.Helper()
	o := &vault.Objection{Licence: vault.ID(id), About: vault.AboutVerdict, Text: text, Due: licence.DateOf(s.Clock.Now()) + 15}
	s.Must(s.Vault.Write(tb.Context(), vault.By{Actor: "holder", Purpose: "wallet"}, func(tx *vault.Tx) error { return tx.Object("990101196811176439", o) }))
	return o.ID.String()
}

// An objection is answered once, by whoever has the right for it, in their own name.
func TestObjections(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	const said = "核验结论有误 <b>&"
	id := object(t, s, s.Issue(1), said)
	clerk := s.SignIn(httpapitest.Clerk)
	open := clerk.Get("/v1/objections").Want(t, http.StatusOK)
	if open.Text("objections.0.id") != id || open.Text("objections.0.text") != said || open.Text("objections.0.type") != "marriage" || open.Get("objections.0.settled") != nil {
		t.Errorf("%s", open.Body)
	}
	settle := "/v1/objections/" + id + "/settle"
	s.SignIn(httpapitest.Viewer).Get("/v1/objections").Problem(t, "right-missing")
	s.SignIn(httpapitest.Viewer).Post(settle, members{"outcome": "upheld", "answer": "a"}).Problem(t, "right-missing")
	stranger := s.SignIn(httpapitest.Stranger) // has the right, for another type
	if a := stranger.Get("/v1/objections").Want(t, http.StatusOK); len(a.Get("objections").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	stranger.Post(settle, members{"outcome": "upheld", "answer": "a"}).Problem(t, "not-in-vault")

	clerk.Post(settle, members{"outcome": "perhaps", "answer": "a"}).Problem(t, "member-invalid")
	clerk.Post(settle, members{"outcome": "upheld", "answer": ""}).Problem(t, "member-invalid")
	clerk.Post(settle, members{"outcome": "upheld", "answer": strings.Repeat("a", 2001)}).Problem(t, "member-invalid")
	a := clerk.Post(settle, members{"outcome": "partly-upheld", "answer": "已更正"}).Want(t, http.StatusOK)
	if a.Text("settled.outcome") != "partly-upheld" || a.Text("settled.text") != "已更正" || a.Text("settled.by") != httpapitest.Clerk {
		t.Errorf("%s", a.Body)
	}
	clerk.Post(settle, members{"outcome": "upheld", "answer": "again"}).Problem(t, "objection-settled")
	clerk.Post("/v1/objections/"+strings.Repeat("0", 32)+"/settle", members{"outcome": "upheld", "answer": "a"}).Problem(t, "objection-unknown")
	if a := clerk.Get("/v1/objections").Want(t, http.StatusOK); len(a.Get("objections").([]any)) != 0 {
		t.Errorf("it is still open: %s", a.Body)
	}
	if a := clerk.Get("/v1/objections?state=answered").Want(t, http.StatusOK); a.Text("objections.0.id") != id {
		t.Errorf("%s", a.Body)
	}
	clerk.Get("/v1/objections?state=all").Problem(t, "parameter-invalid")
}
