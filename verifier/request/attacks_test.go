package request_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/request/requesttest"
	"github.com/credledger/credledger/verifier/store"
)

// answerOf parses an answer, to be changed and signed anew.
func answerOf(t *testing.T, signed []byte) *statement.Answer {
	t.Helper()
	a, _, err := statement.ParseAs[*statement.Answer](signed)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What is no answer to the request, however it is signed, is taken for none: the request stays open until it is due.
func TestWhatIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	other := w.Issue("marriage", 2)[1]
	w.issuer.Hold(other)
	grantDigest := w.issuer.Give(w.marriage, ledgertest.Properties, requesttest.Matter, 100, "spouse1Id")
	foreign := w.issuer.Give(other, ledgertest.Properties, requesttest.Matter, 100, "spouse1Id")
	resign := func(change func(*statement.Answer)) func(*testing.T, *requesttest.Message) {
		return func(t *testing.T, m *requesttest.Message) {
			a := answerOf(t, m.Answer)
			change(a)
			m.Answer = w.issuer.Sign(a)
		}
	}
	for name, c := range map[string]struct {
		ask    func(*request.Ask)
		change func(*testing.T, *requesttest.Message)
		code   string
	}{
		"another request": {nil, resign(func(a *statement.Answer) { a.Request[0] ^= 1 }), grant.CodeAnswerDiffers},
		"another issuer":  {nil, func(t *testing.T, m *requesttest.Message) { m.Answer = signAs(t, w, ledgertest.Businesses, m.Answer) }, grant.CodeKeyDepartment},
		"another key": {nil, func(t *testing.T, m *requesttest.Message) {
			m.Answer = signWith(t, w.Department(t, ledgertest.Marriages).Anchor, m.Answer)
		}, grant.CodeKeyPurpose},
		"signature":            {nil, func(_ *testing.T, m *requesttest.Message) { m.Answer = mangled(m.Answer, -1) }, grant.CodeSignature},
		"not a statement":      {nil, func(_ *testing.T, m *requesttest.Message) { m.Answer = m.Answer[1:] }, statement.CodeMalformed},
		"fewer fields":         {nil, resign(func(a *statement.Answer) { a.Fields = a.Fields[:1] }), grant.CodeAnswerFields},
		"another presentation": {nil, resign(func(a *statement.Answer) { a.Presentation = &sm.Hash{1} }), grant.CodePresentation},
		"no presentation":      {nil, func(_ *testing.T, m *requesttest.Message) { m.Sealed = nil }, envelope.CodeMalformed},
		"envelope altered":     {nil, func(_ *testing.T, m *requesttest.Message) { m.Sealed = mangled(m.Sealed, -1) }, envelope.CodeAltered},
		"no grant":             {under(grantDigest, "spouse1Id"), func(_ *testing.T, m *requesttest.Message) { m.Grant, m.Binding = nil, nil }, grant.CodeGrantMissing},
		"no binding":           {under(grantDigest, "spouse1Id"), func(_ *testing.T, m *requesttest.Message) { m.Binding = nil }, grant.CodeBindingMissing},
		"a grant for nothing":  {nil, func(_ *testing.T, m *requesttest.Message) { m.Binding = []byte{1} }, grant.CodeBindingDiffers},
		"another grant":        {under(grantDigest, "spouse1Id"), resign(func(a *statement.Answer) { a.Grant = &foreign }), grant.CodeGrantDiffers},
		"beyond the uses":      {under(grantDigest, "spouse1Id"), resign(func(a *statement.Answer) { a.Use = 101 }), grant.CodeUsedUp},
	} {
		t.Run(name, func(t *testing.T) {
			w.issuer.Change(func(m *requesttest.Message) { c.change(t, m) })
			a := w.ask()
			if c.ask != nil {
				c.ask(&a)
			}
			if r := w.made(a, store.RequestPending); r.Problem != c.code {
				t.Errorf("problem %q; want %q", r.Problem, c.code)
			}
		})
	}
	if n := w.log.Size(); n != 0 {
		t.Errorf("%d entries", n)
	}
	w.issuer.Change(nil)
	w.pass(time.Hour)
	for _, e := range w.entries() {
		if e.Outcome != "unanswered" {
			t.Errorf("%+v", e)
		}
	}
}

func mangled(b []byte, at int) []byte {
	out := append([]byte{}, b...)
	out[(at+len(out))%len(out)] ^= 1
	return out
}

func signAs(t *testing.T, w *world, department string, answer []byte) []byte {
	return signWith(t, w.Department(t, department).Consent, answer)
}

func signWith(t *testing.T, key *sm.PrivateKey, answer []byte) []byte {
	t.Helper()
	signed, err := statement.Sign(answerOf(t, answer), key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// An issuer that releases something else than was asked for, and signs that, has not answered.
func TestWhatWasNotAskedFor(t *testing.T) {
	w := newWorld(t)
	other := w.Issue("marriage", 2)[1]
	for name, contents := range map[string][]byte{
		"another licence": other.Show("spouse1Name", "spouse2Name").Bytes(),
		"more fields":     w.marriage.Show("spouse1Name", "spouse2Name", "spouse1Id").Bytes(),
		"another type":    w.Issue("divorce", 1)[0].Show("holder").Bytes(),
		"nothing at all":  []byte("not a presentation"),
	} {
		t.Run(name, func(t *testing.T) {
			w.issuer.Fault(nil)
			digest := sm.Sum(contents)
			var asked *statement.Request
			w.issuer.Asked(func(r *statement.Request) { asked = r })
			w.issuer.Change(func(m *requesttest.Message) {
				a := answerOf(t, m.Answer)
				a.Presentation = &digest
				m.Answer = w.issuer.Sign(a)
				var err error
				if m.Sealed, err = w.issuer.Seal(asked, contents); err != nil {
					t.Error(err)
				}
			})
			if r := w.made(w.ask(), store.RequestPending); r.Problem == "" || r.Released != nil {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestWhatAnIssuerSends(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		status int
		body   string
		code   string
	}{
		"nothing":        {200, "", request.CodeNotAnAnswer},
		"a page":         {200, "<html>", request.CodeNotAnAnswer},
		"a null":         {200, "null", request.CodeNotAnAnswer},
		"no answer":      {200, `{"outcome":"released"}`, request.CodeNotAnAnswer},
		"no base64":      {200, `{"answer":"%%%%"}`, request.CodeNotAnAnswer},
		"too much":       {200, `{"answer":"` + strings.Repeat("A", 1<<20) + `"}`, request.CodeNotAnAnswer},
		"a problem":      {422, `{"code":"request-expired","title":"x"}`, "request-expired"},
		"a long code":    {422, `{"code":"` + strings.Repeat("a", 65) + `"}`, request.CodeIssuerFailed},
		"a code in HTML": {500, `{"code":"<script>"}`, request.CodeIssuerFailed},
		"a secret":       {500, `{"code":"李四 990101196802291232"}`, request.CodeIssuerFailed},
		"not found":      {404, "", request.CodeIssuerFailed},
		"created":        {201, `{"answer":"AAAA"}`, request.CodeIssuerFailed},
	} {
		w.issuer.Fault(func(w http.ResponseWriter) bool {
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
			return true
		})
		if r := w.made(w.ask(), store.RequestPending); r.Problem != c.code {
			t.Errorf("%s: problem %q; want %q", name, r.Problem, c.code)
		}
	}
	w.issuer.Close()
	if r := w.made(w.ask(), store.RequestPending); r.Problem != request.CodeUnreachable {
		t.Errorf("problem %q", r.Problem)
	}
}

// Nothing that is not the issuer's answer is taken for one, and nothing makes the department fail.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"answer":"0oRYWaMB"}`))
	f.Add([]byte(`{"outcome":"released","answer":"0oRYWaMB","sealed":"hQE=","grant":"0oQ=","binding":"0oQ="}`))
	whole, err := json.Marshal(requesttest.Message{Outcome: "refused", Answer: []byte{0xd2, 0x84}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	accept := request.AcceptForTest(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if accept(body) {
			t.Fatalf("%q is an answer", body)
		}
	})
}

func TestWhatIsNotAsked(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*request.Ask)
		code   string
	}{
		"agency without a key":   {func(a *request.Ask) { a.Agency = "tax" }, request.CodeAgency},
		"issuer without a URL":   {func(a *request.Ask) { a.Issuer = ledgertest.Businesses }, request.CodeIssuer},
		"issuer that is none":    {func(a *request.Ask) { a.Issuer = "nobody" }, request.CodeIssuer},
		"type that is none":      {func(a *request.Ask) { a.Type = "nothing" }, request.CodeType},
		"field that is none":     {func(a *request.Ask) { a.Fields = []string{"spouse3Name"} }, request.CodeInvalid},
		"field twice":            {func(a *request.Ask) { a.Fields = []string{"spouse1Name", "spouse1Name"} }, request.CodeInvalid},
		"no field":               {func(a *request.Ask) { a.Fields = nil }, request.CodeInvalid},
		"no licence":             {func(a *request.Ask) { a.Licence = nil }, request.CodeInvalid},
		"licence and number":     {func(a *request.Ask) { a.Number = "J990101-2026-000001" }, request.CodeInvalid},
		"number that is none":    {func(a *request.Ask) { a.Licence, a.Number = nil, strings.Repeat("9", 600) }, request.CodeInvalid},
		"number and grant":       {func(a *request.Ask) { a.Licence, a.Number, a.Grant = nil, "J990101-2026-000001", &sm.Hash{1} }, request.CodeInvalid},
		"no matter":              {func(a *request.Ask) { a.Matter = "" }, request.CodeInvalid},
		"longer than 30 days":    {func(a *request.Ask) { a.Within = 31 * 24 * time.Hour }, request.CodeInvalid},
		"case of several lines":  {func(a *request.Ask) { a.Case = "a\nb" }, request.CodeInvalid},
		"case that is a novel":   {func(a *request.Ask) { a.Case = strings.Repeat("a", 201) }, request.CodeInvalid},
		"clerk of several lines": {func(a *request.Ask) { a.Clerk = "a\nb" }, request.CodeInvalid},
		"unit that is not UTF-8": {func(a *request.Ask) { a.Unit = "\xff" }, request.CodeInvalid},
	} {
		if _, err := w.asker.Ask(t.Context(), w.ask(c.change)); request.Code(err) != c.code {
			t.Errorf("%s: %v; want %s", name, err, c.code)
		}
	}
	if found, err := w.store.Requests(t.Context(), ledgertest.Properties, "", 0, 10); err != nil || len(found) > 0 || w.issuer.Calls() > 0 {
		t.Fatalf("%d were kept, %d sent", len(found), w.issuer.Calls())
	}
	// A key that the ledger has declared compromised, or never had, makes no requests.
	d := w.Department(t, ledgertest.Properties)
	w.Submit(d.ID, ledgertest.Sign(t, w.EndKey(d.ID, d.Consent, statement.KeyRetire), d.Govern))
	if _, err := w.asker.Ask(t.Context(), w.ask()); request.Code(err) != request.CodeAgency {
		t.Errorf("a retired key: %v", err)
	}
	m := w.Department(t, ledgertest.Marriages)
	w.Submit(m.ID, ledgertest.Sign(t, w.EndKey(m.ID, m.Consent, statement.KeyRetire), m.Govern))
	byNumber := w.ask(func(a *request.Ask) {
		a.Agency, a.Licence, a.Number = ledgertest.Businesses, nil, w.value("certificateNumber")
	})
	if _, err := w.asker.Ask(t.Context(), byNumber); request.Code(err) != request.CodeIssuerKey {
		t.Errorf("no key to seal to: %v", err)
	}
	if _, err := request.New(request.Config{}); err == nil {
		t.Error("an asker that stands on nothing")
	}
}
