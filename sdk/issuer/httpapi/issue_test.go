package httpapi_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/sm"
)

func TestIssue(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	body := members{"type": "marriage", "fields": s.Fields(1), "purpose": "办件 2026-0001"}
	a := s.System().Key("one").Post("/v1/licences", body).Want(t, http.StatusCreated)
	if a.Text("licence.state") != "active" || a.Get("licence.anchor") == nil || a.Get("earlier") != false || a.Get("sealed") != nil || a.Get("licence.current") != true {
		t.Errorf("%s", a.Body)
	}
	p, err := credential.Parse(bytesOf(t, a, "credential"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := p.Open(s.Type)
	if err != nil {
		t.Fatal(err)
	}
	if number, _ := o.Value(s.Type.NumberField().Key); number.String() != s.Number(1) || o.Digest.String() != a.Text("licence.digest") {
		t.Error("the credential is another licence's")
	}
	if want := fmt.Sprint("/v1/licences/", a.Number("licence.id")); a.Header.Get("Location") != want {
		t.Errorf("location %q", a.Header.Get("Location"))
	}

	// The same call again is the same licence; anything else under the key is refused.
	again := s.System().Key("one").Post("/v1/licences", body).Want(t, http.StatusCreated)
	if again.Number("licence.id") != a.Number("licence.id") || again.Get("earlier") != true || again.Text("credential") != a.Text("credential") {
		t.Errorf("%s", again.Body)
	}
	s.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(2)}).Problem(t, "idempotency-reused")
	s.System().Key("one").With("Prefer", "respond-async").Post("/v1/licences", body).Problem(t, "idempotency-reused")
	taken := s.System().Key("two").Post("/v1/licences", body).Problem(t, "record-refused")
	if taken.Status != http.StatusUnprocessableEntity || taken.Text("problems.0.code") != "licence-active" || taken.Text("problems.0.text.zh") == "" {
		t.Errorf("%s", taken.Body)
	}
	// A person's key is not the system's.
	s.SignIn(httpapitest.Clerk).With("Idempotency-Key", "test-key-one").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(3)}).Want(t, http.StatusCreated)
}

func TestIssueForARecipient(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	key, err := sm.GenerateKey(rand.Reader)
	s.Must(err)
	recipient := base64.StdEncoding.EncodeToString(key.Public().SPKI())
	a := s.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1), "recipient": recipient}).Want(t, http.StatusCreated)
	open := func(sealed []byte) []byte {
		e, err := envelope.Parse(sealed)
		s.Must(err)
		b, err := e.Open(key)
		s.Must(err)
		return b
	}
	if a.Get("credential") != nil {
		t.Errorf("it is there for all to read: %s", a.Body)
	}
	inside := open(bytesOf(t, a, "sealed"))
	path := fmt.Sprintf("/v1/licences/%d/credential", a.Number("licence.id"))
	later := s.System().Post(path, members{"purpose": "again", "recipient": recipient}).Want(t, http.StatusOK)
	plain := s.System().Post(path, members{"purpose": "again"}).Want(t, http.StatusOK)
	if string(open(bytesOf(t, later, "sealed"))) != string(inside) || string(bytesOf(t, plain, "credential")) != string(inside) || later.Get("credential") != nil {
		t.Error("another credential is sealed")
	}
	for name, bad := range map[string]any{
		"no key": "AAAA", "another length": recipient[:120], "off the curve": base64.StdEncoding.EncodeToString(append(key.Public().SPKI()[:90], 0)), "a number": 1,
	} {
		if p := s.System().Key("bad").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(2), "recipient": bad}).Problem(t, "member-invalid"); p.Text("member") != "/recipient" {
			t.Errorf("%s: %s", name, p.Body)
		}
	}
}

// What is wrong with a record is told, all of it, at the fields and without a value; a preview and a draft tell the same.
func TestBadRecords(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	const canary = "zq7canary"
	for _, c := range []struct {
		name   string
		change func(members)
		code   string
		field  any
	}{
		{"missing", func(f members) { delete(f, "spouse1Name") }, "missing-field", "spouse1Name"},
		{"null", func(f members) { f["spouse1Name"] = nil }, "missing-field", "spouse1Name"},
		{"bad value", func(f members) { f["spouse1Id"] = canary }, "bad-value", "spouse1Id"},
		{"bad date", func(f members) { f["registrationDate"] = "2026-02-30" }, "bad-value", "registrationDate"},
		{"unknown", func(f members) { f[canary] = 1 }, "unknown-field", nil},
		{"twice, by another name", func(f members) { f["cert_no"] = canary }, "duplicate-field", "certificateNumber"},
		{"a list for a text", func(f members) { f["spouse1Name"] = []string{canary, "b"} }, "bad-value", "spouse1Name"},
		{"a number for a text", func(f members) { f["spouse1Name"] = 17 }, "bad-value", "spouse1Name"},
		{"too large", func(f members) { f["remarks"] = strings.Repeat("x", 70_000) }, "bad-value", "remarks"},
		{"control characters", func(f members) { f["spouse1Name"] = "a\x00b" }, "bad-value", "spouse1Name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := s.Fields(1)
			c.change(f)
			body := members{"type": "marriage", "fields": f}
			p := s.System().Key("one").Post("/v1/licences", body).Problem(t, "record-refused")
			draft := s.System().Post("/v1/drafts", body).Problem(t, "record-refused")
			preview := s.System().Post("/v1/previews", body).Want(t, http.StatusOK)
			for _, a := range []struct {
				where string
				get   func(string) any
				body  []byte
			}{{"issue", p.Get, p.Body}, {"draft", draft.Get, draft.Body}, {"preview", preview.Get, preview.Body}} {
				if a.get("problems.0.code") != c.code || a.get("problems.0.field") != c.field {
					t.Errorf("%s: %s", a.where, a.body)
				}
				if strings.Contains(string(a.body), canary) {
					t.Errorf("%s repeats what was sent: %s", a.where, a.body)
				}
			}
			if preview.Get("licence") != nil {
				t.Errorf("%s", preview.Body)
			}
		})
	}
	two := s.Fields(1)
	delete(two, "spouse1Name")
	two["spouse2Id"] = "1"
	if p := s.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": two}).Problem(t, "record-refused"); len(p.Get("problems").([]any)) != 2 {
		t.Errorf("%s", p.Body)
	}
	s.System().Key("one").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusCreated) // the key is not used up
}

func TestPreview(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	f := s.Fields(1)
	f["spouse1Id"] = "９９０１０１１９６８１１１７６４３９"
	a := s.System().Post("/v1/previews", members{"type": "marriage", "fields": f}).Want(t, http.StatusOK)
	if len(a.Get("problems").([]any)) != 0 || a.Text("licence.type") != "marriage" || a.Get("licence.validUntil") != nil {
		t.Errorf("%s", a.Body)
	}
	values := map[string]any{}
	for _, v := range a.Get("licence.fields").([]any) {
		values[v.(members)["key"].(string)] = v.(members)["value"]
	}
	if values["spouse1Id"] != "990101196811176439" || values["certificateNumber"] != s.Number(1) || values["remarks"] != nil || values["identifier"] == nil || len(values) != len(s.Type.Leaves()) {
		t.Errorf("%v", values)
	}
	if len(s.System().Get("/v1/desk").Get("issued").([]any)) != 0 {
		t.Error("a preview issues")
	}
}

// Many at a time share anchors, and each is issued once, whoever asks how often.
func TestIssueTogether(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	var wait sync.WaitGroup
	ids := make([]int64, 60)
	for i := range ids {
		wait.Go(func() {
			n := i / 2 // each twice, at the same time
			a := s.System().Key(fmt.Sprint("n", n)).Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(n)})
			if a.Status != http.StatusCreated {
				t.Errorf("%d: %s", n, a.Body)
			}
			ids[i] = a.Number("licence.id")
		})
	}
	wait.Wait()
	seen := map[int64]bool{}
	for i := range 30 {
		if ids[2*i] != ids[2*i+1] {
			t.Errorf("%d was issued twice: %d and %d", i, ids[2*i], ids[2*i+1])
		}
		seen[ids[2*i]] = true
	}
	if len(seen) != 30 {
		t.Errorf("%d licences", len(seen))
	}
}

func TestIdempotencyKeys(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	body := members{"type": "marriage", "fields": s.Fields(1)}
	s.System().Post("/v1/licences", body).Problem(t, "parameter-invalid")
	for _, bad := range []string{"", "short", "with space", "a\"b\"cdefgh", strings.Repeat("x", 129), "schlüssel", "' OR 1=1 --"} {
		if p := s.System().With("Idempotency-Key", bad).Post("/v1/licences", body).Problem(t, "parameter-invalid"); p.Text("member") != "Idempotency-Key" {
			t.Errorf("%q: %s", bad, p.Body)
		}
	}
}

func TestDrafts(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	clerk := s.SignIn(httpapitest.Clerk)
	make := func(n int) string {
		a := clerk.Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(n), "purpose": "case 1"}).Want(t, http.StatusCreated)
		if a.Header.Get("Location") != "/v1/drafts/"+a.Text("id") || a.Text("by") != httpapitest.Clerk {
			t.Errorf("%v %s", a.Header, a.Body)
		}
		return "/v1/drafts/" + a.Text("id")
	}
	first, second := make(1), make(2)
	if a := clerk.Get("/v1/drafts").Want(t, http.StatusOK); len(a.Get("drafts").([]any)) != 2 || strings.Contains(string(a.Body), s.Number(1)) {
		t.Errorf("%s", a.Body)
	}
	a := clerk.Get(first).Want(t, http.StatusOK)
	if a.Text("request.fields.certificateNumber") != s.Number(1) || a.Text("preview.licence.type") != "marriage" {
		t.Errorf("%s", a.Body)
	}
	// Undone: nothing was issued, and the number is free.
	clerk.Do(http.MethodDelete, first, nil).Want(t, http.StatusNoContent)
	clerk.Do(http.MethodDelete, first, nil).Problem(t, "proposal-closed")
	clerk.Get(first).Problem(t, "proposal-closed")
	clerk.Post(first+"/issue", nil).Problem(t, "proposal-closed")
	s.Issue(1)

	issued := clerk.Post(second+"/issue", nil).Want(t, http.StatusCreated)
	if issued.Text("licence.state") != "active" || len(bytesOf(t, issued, "credential")) == 0 {
		t.Errorf("%s", issued.Body)
	}
	clerk.Post(second+"/issue", nil).Problem(t, "proposal-closed")
	clerk.Do(http.MethodDelete, second, nil).Problem(t, "proposal-closed")

	// A number that was taken meanwhile: the draft stays.
	third := make(3)
	s.Issue(3)
	if p := clerk.Post(third+"/issue", nil).Problem(t, "record-refused"); p.Text("problems.0.code") != "licence-active" {
		t.Errorf("%s", p.Body)
	}
	if a := clerk.Get(third).Want(t, http.StatusOK); a.Text("preview.problems.0.code") != "licence-active" {
		t.Errorf("%s", a.Body)
	}
	// Nobody without the right sees drafts, or that there is one.
	for _, name := range []string{httpapitest.Viewer, httpapitest.Second, httpapitest.Stranger} {
		other := s.SignIn(name)
		if a := other.Get("/v1/drafts").Want(t, http.StatusOK); len(a.Get("drafts").([]any)) != 0 {
			t.Errorf("%s sees %s", name, a.Body)
		}
		other.Get(third).Problem(t, "not-in-vault")
		other.Post(third+"/issue", nil).Problem(t, "not-in-vault")
		other.Do(http.MethodDelete, third, nil).Problem(t, "not-in-vault")
	}
	s.Clock.Advance(8 * 24 * 3600 * 1e9)
	late := s.SignIn(httpapitest.Clerk)
	late.Get(third).Problem(t, "proposal-closed")
	late.Post(third+"/issue", nil).Problem(t, "proposal-closed")
	late.Get("/v1/drafts/"+strings.Repeat("0", 32)).Problem(t, "not-in-vault")
	late.Get("/v1/drafts/xyz").Problem(t, "parameter-invalid")
}

// Two who issue a draft at the same time get the same licence.
func TestDraftIssuedTwiceAtOnce(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	draft := "/v1/drafts/" + s.System().Post("/v1/drafts", members{"type": "marriage", "fields": s.Fields(1)}).Want(t, http.StatusCreated).Text("id") + "/issue"
	var wait sync.WaitGroup
	ids := make([]int64, 8)
	for i := range ids {
		wait.Go(func() {
			if a := s.System().Post(draft, nil); a.Status == http.StatusCreated {
				ids[i] = a.Number("licence.id")
			} else if a.Text("code") != "proposal-closed" {
				t.Errorf("%s", a.Body)
			}
		})
	}
	wait.Wait()
	some := int64(0)
	for _, id := range ids {
		if id != 0 && some != 0 && id != some {
			t.Errorf("issued twice: %v", ids)
		}
		some = max(some, id)
	}
	if some == 0 {
		t.Error("nobody has issued it")
	}
}
