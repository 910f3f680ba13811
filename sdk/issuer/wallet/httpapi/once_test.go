package httpapi_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

// under is a client whose calls have an idempotency key.
func under(c wallettest.Client, key string) wallettest.Client {
	return wallettest.Client{Client: c.With("Idempotency-Key", key)}
}

// TestOnce: a call that is sent again under its key, even at the same moment, does nothing anew: neither when the answer was lost,
// nor when the person has proven who they are too long ago meanwhile, nor when what it did has ended.
func TestOnce(t *testing.T) {
	s := newScene(t)
	const key = "0123456789abcdef"
	answers := make([]resttest.Answer, 3)
	var at sync.WaitGroup
	for i := range answers {
		at.Go(func() { answers[i] = under(s.holder, key).Post("/v1/grants", s.grant()) })
	}
	at.Wait()
	var grants [3]string
	for i, a := range answers {
		grants[i] = a.Want(t, 201).Text("grant.grant")
	}
	if grants[1] != grants[0] || grants[2] != grants[0] {
		t.Errorf("one key, the grants %v", grants)
	}
	if a := s.holder.Get("/v1/grants").Want(t, 200); a.Text("grants.0.grant") != grants[0] || a.Get("grants.1") != nil {
		t.Errorf("there are %s", a.Body)
	}
	named := under(s.holder, key+"-help").Post("/v1/delegations", s.delegation(s.Holder(2))).Want(t, 201).Text("delegation")

	objection := members{"licence": s.id, "about": "state", "text": "不是我"}
	made := under(s.holder, key+"-object").Post("/v1/objections", objection).Want(t, 201).Text("objection")
	if a := under(s.holder, key+"-object").Post("/v1/objections", objection).Want(t, 201); a.Text("objection") != made {
		t.Errorf("again: %s", a.Body)
	}
	if a := s.holder.Get("/v1/objections").Want(t, 200); a.Text("objections.0.objection") != made || a.Get("objections.1") != nil {
		t.Errorf("there are %s", a.Body)
	}

	s.Clock.Advance(11 * time.Minute)
	under(s.holder, key+"-more").Post("/v1/delegations", s.delegation(s.Holder(2))).Problem(t, "fresh-sign-in-required")
	s.holder.Post("/v1/grants/"+grants[0]+"/withdraw", nil).Want(t, 200)
	if a := under(s.holder, key).Post("/v1/grants", s.grant()).Want(t, 201); a.Text("grant.grant") != grants[0] || a.Text("grant.state") != "withdrawn" {
		t.Errorf("again, once it is withdrawn: %s", a.Body)
	}
	if a := under(s.holder, key+"-help").Post("/v1/delegations", s.delegation(s.Holder(2))).Want(t, 201); a.Text("delegation") != named {
		t.Errorf("again: %s", a.Body)
	}
	if a := s.holder.Get("/v1/delegations").Want(t, 200); a.Text("given.0.delegation") != named || a.Get("given.1") != nil {
		t.Errorf("there are %s", a.Body)
	}
	if a := s.holder.Post("/v1/grants", s.grant()).Want(t, 201); a.Text("grant.grant") == grants[0] {
		t.Error("without a key nothing new is given")
	}
	if a := under(s.SignIn(s.Holder(1)), key+"-new").Post("/v1/delegations", s.delegation(s.Holder(2))).Want(t, 201); a.Text("delegation") == named {
		t.Error("under another key nobody new is named")
	}
	s.Clock.Advance(25 * time.Hour)
	if a := under(s.SignIn(s.Holder(1)), key).Post("/v1/grants", s.grant()).Want(t, 201); a.Text("grant.grant") == grants[0] {
		t.Error("a key holds for more than a day")
	}
}

// TestOnceForOneThing: a key is one person's, for one thing; what else comes under it is refused, and what is no key too.
func TestOnceForOneThing(t *testing.T) {
	s := newScene(t)
	const key = "0123456789abcdef"
	mine := under(s.holder, key)
	grant := mine.Post("/v1/grants", s.grant()).Want(t, 201).Text("grant.grant")
	mine.Post("/v1/grants", with(s.grant(), "uses", 9)).Want(t, 422).Problem(t, "idempotency-reused")
	mine.Post("/v1/delegations", s.delegation(s.Holder(2))).Problem(t, "idempotency-reused")
	if a := under(s.spouse, key).Post("/v1/grants", s.grant()).Want(t, 201); a.Text("grant.grant") == grant {
		t.Error("the spouse is answered with the holder's")
	}
	named := s.holder.Post("/v1/delegations", with(s.delegation(s.Holder(2)), "may", []string{"grant"})).Want(t, 201).Text("delegation")
	helper := under(s.SignIn(s.Holder(2)), key)
	given := helper.For(named).Post("/v1/grants", s.grant()).Want(t, 201)
	if given.Text("grant.grant") == grant || given.Text("grant.means") != "delegate" {
		t.Errorf("the helper is answered with %s", given.Body)
	}
	helper.Post("/v1/grants", s.grant()).Problem(t, "not-in-wallet")
	s.holder.Post("/v1/delegations/"+named+"/withdraw", nil).Want(t, 200)
	helper.For(named).Post("/v1/grants", s.grant()).Problem(t, "delegation-ended")
	for _, bad := range []string{"short", "with a space", strings.Repeat("x", 129)} {
		under(s.holder, bad).Post("/v1/grants", s.grant()).Problem(t, "parameter-invalid")
	}
}

// TestManyAtOnce: how many there can be holds for calls at the same moment too.
func TestManyAtOnce(t *testing.T) {
	s := newScene(t)
	for _, c := range []struct {
		path string
		body members
		most int
		code string
	}{
		{"/v1/grants", s.grant(), 20, "too-many"},
		{"/v1/objections", members{"licence": s.id, "about": "state", "text": "不对"}, 3, "objections-open"},
	} {
		answers := make([]resttest.Answer, c.most+10)
		var at sync.WaitGroup
		for i := range answers {
			at.Go(func() { answers[i] = s.holder.Post(c.path, c.body) })
		}
		at.Wait()
		made := 0
		for _, a := range answers {
			if a.Status == 201 {
				made++
			} else {
				a.Problem(t, c.code)
			}
		}
		if made != c.most {
			t.Errorf("%s: %d were made, of %d that there can be", c.path, made, c.most)
		}
	}
}
