package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// A helper does what the delegation says, as a helper, until it is withdrawn, and not a moment longer.
func TestDelegate(t *testing.T) {
	s := newScene(t)
	helper := s.SignIn(s.Holder(2))
	other := s.Issue(2)
	given := s.holder.Post("/v1/delegations", s.delegation(s.Holder(2))).Want(t, 201)
	id := given.Text("delegation")
	if strings.Contains(string(given.Body), s.Holder(2).Number) {
		t.Errorf("the helper's number is told: %s", given.Body)
	}
	if a := helper.Get("/v1/me").Want(t, 200); a.Number("person.helping") != 1 {
		t.Errorf("the helper: %s", a.Body)
	}
	if a := helper.Get("/v1/delegations").Want(t, 200); a.Text("received.0.delegation") != id || !strings.Contains(a.Text("received.0.holderName"), "*") {
		t.Errorf("received: %s", a.Body)
	}
	acting := helper.For(id)
	if a := acting.Get("/v1/licences").Want(t, 200); a.Number("licences.0.id") != int64(s.id) || a.Get("licences.1") != nil {
		t.Errorf("the licences of whom they help: %s", a.Body)
	}
	if a := acting.Post(fmt.Sprintf("/v1/licences/%d/open", s.id), nil).Want(t, 200); len(a.Get("fields").([]any)) != len(s.Minimum()) {
		t.Errorf("a helper reads: %s", a.Body)
	}
	code := acting.Post("/v1/codes", s.code("reference")).Want(t, 201).Text("code")
	got := s.Scan(code).Want(t, 200)
	if got.Text("verdict.outcome") != "valid" || got.Text("verdict.axes.holder.result") != "unknown" || !strings.Contains(string(got.Body), "未证明本人出示") {
		t.Errorf("a helper's code passes for the holder's: %s", got.Body)
	}
	acting.Post("/v1/prints", s.sheet()).Want(t, 201)
	grant := acting.Post("/v1/grants", with(s.grant(), "days", 300)).Want(t, 201)
	if grant.Text("grant.means") != "delegate" || grant.Text("grant.notAfter") > s.Clock.Now().Add(4*24*time.Hour).Format(time.RFC3339) {
		t.Errorf("a helper's grant: %s", grant.Body)
	}
	for path, body := range map[string]any{
		"/v1/codes":  with(with(s.code("reference"), "beyond", true), "fields", append([]string{"spouse1Nationality"}, s.Minimum()...)),
		"/v1/grants": with(with(s.grant(), "beyond", true), "matter", "company-opening"),
	} {
		if a := acting.Post(path, body); a.Text("code") != "delegation-limits" && a.Text("code") != "matter-unknown" {
			t.Errorf("%s beyond the delegation: %s", path, a.Body)
		}
	}
	acting.Post("/v1/codes", with(s.code("reference"), "licence", other)).Problem(t, "not-in-wallet") // their own, but not as a helper
	for _, path := range []string{fmt.Sprintf("/v1/licences/%d/accesses", s.id), "/v1/objections", "/v1/delegations"} {
		acting.Get(path).Problem(t, "delegation-limits")
	}
	acting.Post("/v1/delegations", s.delegation(s.Spouse(1))).Problem(t, "delegation-limits")
	s.stranger.For("x").Get("/v1/licences").Problem(t, "parameter-invalid")
	s.spouse.For(id).Get("/v1/licences").Problem(t, "delegation-ended")

	list := s.holder.Get("/v1/delegations").Want(t, 200)
	var acts []string
	for _, a := range list.Get("given.0.acts").([]any) {
		acts = append(acts, a.(map[string]any)["act"].(string))
	}
	if fmt.Sprint(acts) != "[grant print code read]" {
		t.Errorf("the acts: %v", acts)
	}
	events, err := s.Vault.History(t.Context(), s.id)
	s.Must(err)
	if last := events[len(events)-1]; !strings.HasPrefix(last.Actor, "wallet: helper 990") || !strings.Contains(last.Actor, id) {
		t.Errorf("the history: %+v", last)
	}

	sheet := acting.Post("/v1/prints", s.sheet()).Want(t, 201).Text("url")
	s.holder.Post("/v1/delegations/"+id+"/withdraw", nil).Want(t, 200)
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/licences", nil}, {"POST", "/v1/codes", s.code("reference")}, {"POST", "/v1/prints", s.sheet()}, {"POST", "/v1/grants", s.grant()},
		{"POST", "/v1/grants/" + grant.Text("grant.grant") + "/withdraw", nil}, {"POST", fmt.Sprintf("/v1/licences/%d/open", s.id), nil},
	} {
		acting.Do(c.method, c.path, c.body).Want(t, 403).Problem(t, "delegation-ended")
	}
	helper.Get(sheet).Problem(t, "delegation-ended")
	again := s.holder.Post("/v1/delegations/"+id+"/withdraw", nil).Want(t, 200)
	if again.Text("state") != "withdrawn" || again.Text("endedAt") == "" {
		t.Errorf("withdrawn twice: %s", again.Body)
	}
}

func TestDelegationLimits(t *testing.T) {
	s := newScene(t)
	helper := s.SignIn(s.Holder(2))
	show := s.holder.Post("/v1/delegations", with(with(s.delegation(s.Holder(2)), "may", []string{"show"}), "days", 2)).Want(t, 201).Text("delegation")
	acting := helper.For(show)
	acting.Post("/v1/codes", s.code("reference")).Want(t, 201)
	acting.Post("/v1/prints", s.sheet()).Problem(t, "delegation-limits")
	acting.Post("/v1/grants", s.grant()).Problem(t, "delegation-limits")
	given := s.holder.Post("/v1/grants", s.grant()).Want(t, 201).Text("grant.grant")
	acting.Get("/v1/grants").Problem(t, "delegation-limits") // who may not give them need not know them
	acting.Post("/v1/grants/"+given+"/withdraw", nil).Problem(t, "delegation-limits")
	s.holder.Post("/v1/grants/"+given+"/withdraw", nil).Want(t, 200)
	acting.Post("/v1/grants/"+given+"/withdraw", nil).Problem(t, "delegation-limits")
	// The helper gives it back.
	helper.Post("/v1/delegations/"+show+"/withdraw", nil).Want(t, 200)
	acting.Get("/v1/licences").Problem(t, "delegation-ended")

	for name, c := range map[string]struct {
		member string
		value  any
		code   string
	}{
		"no number":      {"helper", "nobody", "helper-invalid"},
		"oneself":        {"helper", s.Holder(1).Number, "helper-invalid"},
		"nobody's":       {"licences", []vault.ID{4711}, "not-in-wallet"},
		"no licence":     {"licences", []vault.ID{}, "member-invalid"},
		"twice":          {"licences", []vault.ID{s.id, s.id}, "member-invalid"},
		"no way":         {"may", []string{}, "member-invalid"},
		"a made-up way":  {"may", []string{"sell"}, "member-invalid"},
		"for too long":   {"days", 91, "member-invalid"},
		"no such matter": {"matter", "weather", "matter-unknown"},
		"another matter": {"matter", "company-opening", "matter-unknown"},
	} {
		if a := s.holder.Post("/v1/delegations", with(s.delegation(s.Holder(2)), c.member, c.value)); a.Text("code") != c.code {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	last := s.holder.Post("/v1/delegations", with(s.delegation(s.Holder(2)), "days", 1)).Want(t, 201).Text("delegation")
	s.Clock.Advance(25 * time.Hour)
	s.SignIn(s.Holder(2)).For(last).Get("/v1/licences").Problem(t, "delegation-ended")
}
