package httpapi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
)

func TestMe(t *testing.T) {
	s := newScene(t)
	if a := s.Get("/v1/me").Want(t, 200); a.Get("person") != nil || a.Text("issuer.department") != s.Department.ID {
		t.Errorf("nobody: %s", a.Body)
	}
	a := s.holder.Get("/v1/me").Want(t, 200)
	who := s.Holder(1)
	if n := a.Text("person.number"); !strings.Contains(n, "****") || strings.Contains(string(a.Body), who.Number) || strings.Contains(string(a.Body), who.Name) {
		t.Errorf("the person: %s", a.Body)
	}
	if a.Number("person.helping") != 0 || a.Number("person.idleSeconds") != 1200 {
		t.Errorf("the session: %s", a.Body)
	}
}

func TestLicences(t *testing.T) {
	s := newScene(t)
	second := s.Issue(2)
	a := s.holder.Get("/v1/licences").Want(t, 200)
	if a.Number("licences.0.id") != int64(s.id) || a.Get("licences.1") != nil || a.Text("licences.0.state") != "active" || a.Get("licences.0.showable") != true {
		t.Errorf("my licences: %s", a.Body)
	}
	if a := s.spouse.Get("/v1/licences").Want(t, 200); a.Number("licences.0.id") != int64(s.id) {
		t.Errorf("the spouse's licences: %s", a.Body)
	}
	if a := s.stranger.Get("/v1/licences").Want(t, 200); a.Number("licences.0.id") != int64(second) || a.Get("licences.1") != nil {
		t.Errorf("somebody else's licences: %s", a.Body)
	}
	a = s.holder.Get(fmt.Sprint("/v1/licences/", s.id)).Want(t, 200)
	if len(a.Get("fields").([]any)) != len(s.Type.Leaves()) || len(a.Get("restrictions").([]any)) != 0 {
		t.Errorf("a licence: %s", a.Body)
	}
	a = s.holder.Post(fmt.Sprintf("/v1/licences/%d/open", s.id), nil).Want(t, 200)
	if len(a.Get("fields").([]any)) != len(s.Type.Leaves()) || !strings.Contains(string(a.Body), s.Holder(1).Number) {
		t.Errorf("an open licence: %s", a.Body)
	}
	events, err := s.Vault.History(t.Context(), s.id)
	s.Must(err)
	last := events[len(events)-1]
	if last.Action != vault.ActionOpened || !strings.HasPrefix(last.Actor, "wallet: holder 990") || strings.Contains(last.Actor, s.Holder(1).Number) {
		t.Errorf("the history: %+v", last)
	}
}

// What is somebody else's is not found, whatever is asked of it, and just like what does not exist.
func TestSomebodyElses(t *testing.T) {
	s := newScene(t)
	grant := s.holder.Post("/v1/grants", s.grant()).Want(t, 201).Text("grant.grant")
	delegation := s.holder.Post("/v1/delegations", s.delegation(s.Spouse(1))).Want(t, 201).Text("delegation")
	print := s.holder.Post("/v1/prints", s.sheet()).Want(t, 201)
	objection := members{"licence": s.id, "about": "state", "text": "x"}
	for _, id := range []vault.ID{s.id, 4711} {
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{"GET", fmt.Sprint("/v1/licences/", id), nil},
			{"POST", fmt.Sprintf("/v1/licences/%d/open", id), nil},
			{"GET", fmt.Sprintf("/v1/licences/%d/accesses", id), nil},
			{"POST", "/v1/codes", with(s.code("reference"), "licence", id)},
			{"POST", "/v1/codes", with(s.code("self-contained"), "licence", id)},
			{"POST", "/v1/prints", with(s.sheet(), "licence", id)},
			{"POST", "/v1/grants", with(s.grant(), "licence", id)},
			{"POST", "/v1/delegations", with(s.delegation(s.Spouse(1)), "licences", []vault.ID{id})},
			{"POST", "/v1/objections", with(objection, "licence", id)},
		} {
			s.stranger.Do(c.method, c.path, c.body).Want(t, 404).Problem(t, "not-in-wallet")
		}
	}
	use := print.Text("use")
	s.stranger.Get(print.Text("url")).Problem(t, "not-in-wallet")
	s.spouse.Get(print.Text("url")).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/grants/"+grant+"/withdraw", nil).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/grants/"+strings.Repeat("0", 64)+"/withdraw", nil).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/delegations/"+delegation+"/withdraw", nil).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/delegations/"+strings.Repeat("0", 32)+"/withdraw", nil).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/ratings", members{"use": use, "stars": 1}).Problem(t, "not-in-wallet")
	if a := s.stranger.Get("/v1/grants").Want(t, 200); len(a.Get("grants").([]any)) != 0 {
		t.Errorf("grants of others: %s", a.Body)
	}
	if a := s.stranger.Get("/v1/delegations").Want(t, 200); len(a.Get("given").([]any))+len(a.Get("received").([]any)) != 0 {
		t.Errorf("delegations of others: %s", a.Body)
	}
	s.stranger.For(delegation).Get("/v1/licences").Problem(t, "delegation-ended")
	// The other holder of the same licence has the same rights to it.
	s.spouse.Post("/v1/grants/"+grant+"/withdraw", nil).Want(t, 200)
}

// with is an object with another member.
func with(o members, name string, value any) members {
	out := members{}
	for k, v := range o {
		out[k] = v
	}
	out[name] = value
	return out
}

func (s *scene) sheet() members {
	return members{"licence": s.id, "fields": s.Minimum(), "matter": wallettest.Matter}
}

func (s *scene) grant() members {
	return members{"licence": s.id, "fields": s.Minimum(), "matter": wallettest.Matter, "agency": s.Agency.ID, "uses": 2, "days": 30}
}

func (s *scene) delegation(helper wallet.Person) members {
	return members{"helper": helper.Number, "licences": []vault.ID{s.id}, "matter": wallettest.Matter, "may": []string{"show", "print", "grant"}, "days": 3}
}

// A reference code proves that its holder shows it, and serves once: a screenshot of it is worth nothing afterwards.
func TestReferenceCode(t *testing.T) {
	s := newScene(t)
	a := s.holder.Post("/v1/codes", s.code("reference")).Want(t, 201)
	code := a.Text("code")
	if len(code) > 120 || a.Number("lasts") < 50 || a.Number("lasts") > 60 {
		t.Errorf("%d characters, lasts %d s", len(code), a.Number("lasts"))
	}
	first := s.Scan(code).Want(t, 200)
	if first.Text("verdict.outcome") != "valid" || first.Text("verdict.axes.holder.result") != "pass" {
		t.Errorf("the first scan: %s", first.Body)
	}
	if len(first.Get("verdict.fields").([]any)) != len(s.Minimum()) {
		t.Errorf("the fields: %s", first.Body)
	}
	second := s.Scan(code)
	if second.Status < 400 {
		t.Errorf("a screenshot was taken a second time: %s", second.Body)
	}
	third := s.holder.Post("/v1/codes", s.code("reference")).Want(t, 201).Text("code")
	s.Clock.Advance(61 * time.Second)
	if late := s.Scan(third); late.Status < 400 {
		t.Errorf("a code was taken after a minute: %s", late.Body)
	}
	// The key of minutes is used again, and bound once.
	bindings, err := s.Vault.Bindings(t.Context(), s.id)
	s.Must(err)
	if len(bindings) != 1 || bindings[0].NotAfter.Sub(bindings[0].NotBefore) > 10*time.Minute {
		t.Errorf("bindings: %+v", bindings)
	}
}

func TestSelfContainedCode(t *testing.T) {
	s := newScene(t)
	s.Away.Store(true)
	s.holder.Post("/v1/codes", s.code("reference")).Want(t, 503).Problem(t, "verifier-unavailable")
	a := s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 201)
	if a.Get("expiresAt") != nil || !strings.HasPrefix(a.Text("code"), "HTTPS://VERIFY.EXAMPLE.GOV.CN/#") {
		t.Errorf("the code: %s", a.Body)
	}
	got := s.Scan(a.Text("code")).Want(t, 200)
	if got.Text("verdict.outcome") != "valid" || got.Text("verdict.axes.holder.result") != "unknown" {
		t.Errorf("the scan: %s", got.Body)
	}
}

func TestBeyondMinimum(t *testing.T) {
	s := newScene(t)
	more := append([]string{"spouse1Nationality"}, s.Minimum()...)
	for path, body := range map[string]members{
		"/v1/codes": s.code("self-contained"), "/v1/prints": s.sheet(), "/v1/grants": s.grant(),
	} {
		a := s.holder.Post(path, with(body, "fields", more)).Want(t, 409).Problem(t, "beyond-minimum")
		if beyond := fmt.Sprint(a.Get("beyond")); beyond != "[spouse1Nationality]" {
			t.Errorf("%s: beyond %s", path, beyond)
		}
		s.holder.Post(path, with(with(body, "fields", more), "beyond", true)).Want(t, 201)
	}
	without := with(s.code("self-contained"), "beyond", false)
	delete(without, "matter")
	if a := s.holder.Post("/v1/codes", without).Problem(t, "beyond-minimum"); len(a.Get("beyond").([]any)) != len(s.Minimum()) {
		t.Errorf("without a matter: %s", a.Body)
	}
	s.holder.Post("/v1/codes", with(s.code("self-contained"), "fields", []string{"weather"})).Problem(t, "field-unknown")
	s.holder.Post("/v1/codes", with(s.code("self-contained"), "matter", "weather")).Problem(t, "matter-unknown")
	s.holder.Post("/v1/codes", with(s.code("self-contained"), "matter", "company-opening")).Problem(t, "matter-unknown")
	s.holder.Post("/v1/codes", with(s.code("self-contained"), "fields", []string{})).Problem(t, "member-invalid")
	other := with(s.grant(), "agency", s.City.Authority.ID)
	if a := s.holder.Post("/v1/grants", other); a.Status != 409 && a.Status != 201 {
		t.Errorf("another agency: %s", a.Body)
	}
	s.holder.Post("/v1/grants", with(s.grant(), "agency", "nobody")).Problem(t, "agency-unknown")
	s.holder.Post("/v1/grants", with(s.grant(), "agency", s.Department.ID)).Problem(t, "agency-unknown")

	// A quarter of an hour later only the minimum is to be had.
	s.Clock.Advance(15 * time.Minute)
	s.holder.Post("/v1/codes", s.code("reference")).Want(t, 201)
	s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 403).Problem(t, "fresh-sign-in-required")
	s.holder.Post("/v1/grants", s.grant()).Want(t, 201)
	for path, body := range map[string]members{
		"/v1/codes": with(s.code("self-contained"), "fields", more), "/v1/prints": s.sheet(), "/v1/grants": with(s.grant(), "fields", more), "/v1/delegations": s.delegation(s.Spouse(1)),
		fmt.Sprintf("/v1/licences/%d/open", s.id): nil,
	} {
		if body != nil && path != "/v1/delegations" {
			body = with(body, "beyond", true)
		}
		var sent any
		if body != nil {
			sent = body
		}
		s.holder.Post(path, sent).Want(t, 403).Problem(t, "fresh-sign-in-required")
	}
}

func TestPrint(t *testing.T) {
	s := newScene(t)
	a := s.holder.Post("/v1/prints", with(s.sheet(), "large", true)).Want(t, 201)
	file := s.holder.Get(a.Text("url")).Want(t, 200)
	if !bytes.HasPrefix(file.Body, []byte("%PDF-")) || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "inline") {
		t.Errorf("a file of %d bytes, %v", len(file.Body), file.Header)
	}
	if file.Header.Get("Cache-Control") != "no-store" {
		t.Error("a sheet can be cached")
	}
	got := s.Counter.Post("/v1/verifications", members{"file": file.Body, "context": members{"matter": wallettest.Matter, "case": "1", "clerk": "wangfang", "unit": "3"}})
	if got.Want(t, 200).Text("verdict.outcome") != "valid" {
		t.Errorf("the file at the verifier: %s", got.Body)
	}
	s.holder.Post("/v1/prints", with(s.sheet(), "language", "fr")).Problem(t, "member-invalid")
	for range 2 {
		s.holder.Post("/v1/prints", s.sheet()).Want(t, 201)
	}
	s.holder.Get(a.Text("url")).Want(t, 200)
	tablet := s.SignIn(s.Holder(1))
	again := tablet.Post("/v1/prints", s.sheet()).Want(t, 201)
	s.holder.Get(a.Text("url")).Problem(t, "not-in-wallet") // it was the oldest of the person's four
	s.holder.Get(again.Text("url")).Problem(t, "not-in-wallet")
	tablet.Get(again.Text("url")).Want(t, 200)
	s.Clock.Advance(6 * time.Minute)
	tablet.Get(again.Text("url")).Want(t, 404).Problem(t, "not-in-wallet")
}

func TestAccesses(t *testing.T) {
	s := newScene(t)
	path := fmt.Sprintf("/v1/licences/%d/accesses", s.id)
	if a := s.holder.Get(path).Want(t, 200); len(a.Get("accesses").([]any)) != 0 || a.Get("next") != nil || a.Get("verifier") != true {
		t.Errorf("nobody has looked: %s", a.Body)
	}
	code := s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 201).Text("code")
	for range 52 {
		s.Scan(code).Want(t, 200)
	}
	s.Clock.Advance(5 * time.Second)
	l, err := s.Vault.Licence(t.Context(), s.id)
	s.Must(err)
	_, err = s.Desk.Answer(t.Context(), s.Request(l.Digest, nil).Signed, nil)
	s.Must(err)
	a := s.holder.Get(path).Want(t, 200)
	if n := len(a.Get("accesses").([]any)); n != 50 || a.Text("accesses.0.source") != "release" || a.Text("accesses.0.outcome") != "released" ||
		a.Text("accesses.1.source") != "verification" || a.Text("accesses.1.agency") != "counter" || a.Text("accesses.1.matter") != wallettest.Matter {
		t.Errorf("%d accesses: %s", n, a.Body)
	}
	if strings.Contains(string(a.Body), "wangfang") {
		t.Error("a clerk has a name")
	}
	rest := s.holder.Get(path+"?before="+a.Text("next")).Want(t, 200)
	if n := len(rest.Get("accesses").([]any)); n != 3 || rest.Get("next") != nil {
		t.Errorf("%d more accesses: %s", n, rest.Body)
	}
	s.Away.Store(true)
	if a = s.holder.Get(path).Want(t, 200); a.Get("verifier") != false || len(a.Get("accesses").([]any)) != 1 {
		t.Errorf("the verifier is away: %s", a.Body)
	}
	for _, bad := range []string{"x", "1", "1.2.3", "99999999999999999.1", "9999999999999999.1", "-1.1"} {
		s.holder.Get(path+"?before="+bad).Problem(t, "parameter-invalid")
	}
}

func TestGrants(t *testing.T) {
	s := newScene(t)
	made := s.holder.Post("/v1/grants", s.grant()).Want(t, 201)
	if made.Text("grant.state") != "given" || made.Text("grant.means") != "platform" || made.Number("grant.used") != 0 || made.Text("grant.agency") != s.Agency.ID {
		t.Errorf("a grant: %s", made.Body)
	}
	digest := made.Text("grant.grant")
	if a := s.spouse.Get("/v1/grants").Want(t, 200); a.Text("grants.0.grant") != digest {
		t.Errorf("the spouse's grants: %s", a.Body)
	}
	gone := s.holder.Post("/v1/grants/"+digest+"/withdraw", nil).Want(t, 200)
	again := s.spouse.Post("/v1/grants/"+digest+"/withdraw", nil).Want(t, 200)
	if gone.Text("state") != "withdrawn" || again.Text("withdrawnAt") != gone.Text("withdrawnAt") {
		t.Errorf("withdrawn: %s, again: %s", gone.Body, again.Body)
	}
	for range 19 {
		s.holder.Post("/v1/grants", s.grant()).Want(t, 201)
	}
	s.spouse.Post("/v1/grants", s.grant()).Want(t, 409).Problem(t, "too-many") // however many were withdrawn
	for name, value := range map[string]any{"uses": 0, "days": 366} {
		s.holder.Post("/v1/grants", with(s.grant(), name, value)).Problem(t, "member-invalid")
	}
}

func TestObjectionsAndRatings(t *testing.T) {
	s := newScene(t)
	body := members{"licence": s.id, "about": "contents", "text": "第二行\n写错了 <b>"}
	made := s.holder.Post("/v1/objections", body).Want(t, 201)
	if made.Text("state") != "open" || made.Get("answer") != nil || made.Get("use") != nil || made.Text("text") != "第二行\n写错了 <b>" {
		t.Errorf("an objection: %s", made.Body)
	}
	s.holder.Post("/v1/objections", body).Want(t, 201)
	s.holder.Post("/v1/objections", body).Want(t, 201)
	s.holder.Post("/v1/objections", body).Want(t, 409).Problem(t, "objections-open")
	for _, text := range []string{"", strings.Repeat("长", 1001), "bell\u0007", "turn\u202e"} {
		s.spouse.Post("/v1/objections", with(body, "text", text)).Problem(t, "member-invalid")
	}
	s.spouse.Post("/v1/objections", with(body, "about", "weather")).Problem(t, "member-invalid")
	id, err := vault.ParseItemID(made.Text("objection"))
	s.Must(err)
	clerk := vault.By{Actor: "李雷", Purpose: "objection"}
	s.Must(s.Vault.Write(t.Context(), clerk, func(tx *vault.Tx) error {
		return tx.SettleObjection(id, &vault.Settlement{Outcome: vault.Upheld, Text: "已更正"})
	}))
	answered := func() (found any) {
		list := s.holder.Get("/v1/objections").Want(t, 200)
		for i := range list.Get("objections").([]any) {
			if at := fmt.Sprintf("objections.%d.", i); list.Text(at+"objection") == made.Text("objection") {
				if list.Text(at+"answer.outcome") != "upheld" || list.Text(at+"answer.text") != "已更正" {
					t.Errorf("the answer: %s", list.Body)
				}
				if strings.Contains(string(list.Body), "李雷") {
					t.Error("a clerk has a name")
				}
				return list.Get(at + "use")
			}
		}
		t.Fatal("the objection is gone")
		return nil
	}
	use := answered()
	if a := s.holder.Get("/v1/licences").Want(t, 200); a.Text("reminders.0.kind") != "objection-answered" {
		t.Errorf("reminders: %s", a.Body)
	}
	s.spouse.Post("/v1/ratings", members{"use": use, "stars": 5}).Problem(t, "not-in-wallet")
	s.holder.Post("/v1/ratings", members{"use": use, "stars": 6}).Problem(t, "member-invalid")
	s.holder.Post("/v1/ratings", members{"use": use, "stars": 5, "text": "很快"}).Want(t, 204)
	s.holder.Post("/v1/ratings", members{"use": use, "stars": 1}).Want(t, 409).Problem(t, "already-rated")
	if answered() != nil {
		t.Error("a rated answer can be rated")
	}
	code := s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 201).Text("use")
	s.holder.Post("/v1/ratings", members{"use": code, "stars": 2}).Want(t, 204)
	late := s.holder.Post("/v1/codes", s.code("self-contained")).Want(t, 201).Text("use")
	s.Clock.Advance(31 * 24 * time.Hour)
	again := s.SignIn(s.Holder(1))
	again.Post("/v1/ratings", members{"use": late, "stars": 2}).Problem(t, "already-rated")
	counts, err := s.Vault.Ratings(t.Context(), time.Unix(0, 0), s.Clock.Now().Add(time.Hour))
	s.Must(err)
	if len(counts) != 2 || counts[0].Scores != [5]uint64{0, 0, 0, 0, 1} || counts[1].Scores != [5]uint64{0, 1, 0, 0, 0} || counts[1].Matter != wallettest.Matter {
		t.Errorf("ratings: %+v", counts)
	}
}

func TestMatters(t *testing.T) {
	s := newScene(t)
	a := s.holder.Get("/v1/matters").Want(t, 200)
	if a.Text("matters.0.id") != wallettest.Matter || a.Number("matters.0.licences.0") != int64(s.id) || a.Text("matters.0.needs.0.type") != "marriage" ||
		fmt.Sprint(a.Get("matters.0.needs.0.fields")) != fmt.Sprint(s.Minimum()) || len(a.Get("matters.0.agencies").([]any)) != 1 || a.Text("matters.0.agencies.0.id") != "natural-resources" { // the others are not on this ledger
		t.Errorf("matters: %s", a.Body)
	}
	s.Do(http.MethodGet, "/v1/matters", nil).Problem(t, "unauthenticated")
}
