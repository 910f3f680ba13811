package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// members is a JSON object.
type members = map[string]any

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// picture draws a code.
func picture(tb testing.TB, code string) []byte {
	tb.Helper()
	symbol, err := qr.Encode(code, qr.DefaultLevel(code))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if err := symbol.PNG(&out, 4); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// receiptOf reads the receipt of an answer.
func receiptOf(tb testing.TB, a httpapitest.Answer, member string) *receipt.File {
	tb.Helper()
	f, err := receipt.Parse(raw(tb, a, member))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// worth judges a receipt by the ledger.
func worth(tb testing.TB, s *httpapitest.Server, f *receipt.File, shown *credential.Presentation) receipt.Outcome {
	tb.Helper()
	var opened *credential.Opened
	if shown != nil {
		typ, _ := s.Index.Type(shown.Record.Type, shown.Record.TypeVersion)
		var err error
		if opened, err = shown.Open(typ); err != nil {
			tb.Fatal(err)
		}
	}
	r, err := receipt.Verify(f, opened, s.Index)
	if err != nil {
		tb.Fatal(err)
	}
	return r.Outcome
}

// Every form in which a licence can be shown gives the same verdict, and a receipt that the ledger
// makes good for years.
func TestFormsOfALicence(t *testing.T) {
	s := httpapitest.New(t)
	scan := []byte("the scanned certificate")
	doc := s.Document("property", 1, nil)
	doc.SetDocuments(sm.Sum(scan))
	house := s.IssueDocuments(doc)[0]
	shown := house.Show("location", "rightHolders", licence.DocumentsKey)
	code := verifiertest.Code(t, shown)
	reference := s.Post("/v1/references", members{"presentation": base64Of(shown.Bytes())}).Want(t, http.StatusCreated)
	for name, body := range map[string]members{
		"code":                 {"code": code},
		"code of another host": {"code": "https://elsewhere.example/#" + code[strings.Index(code, "#")+1:]},
		"full-width code":      {"code": fullWidth(code)},
		"credential":           {"credential": base64Of(shown.Bytes())},
		"image":                {"image": base64Of(picture(t, code))},
		"file that is a code":  {"file": base64Of(picture(t, code))},
		"file with credential": {"file": base64Of(scan), "credential": base64Of(shown.Bytes())},
		"reference":            {"code": reference.Text("url")},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.Post("/v1/verifications", body).Want(t, http.StatusOK)
			if a.Text("verdict.outcome") != "valid" || a.Text("verdict.axes.holder.reason") != "static" {
				t.Errorf("%s", a.Body)
			}
			if got := fieldKeys(a, "verdict.fields"); !slices.Equal(got, []string{"rightHolders", "location", "documents"}) {
				t.Errorf("fields %v", got)
			}
			if got := a.Get("withheld").([]any); len(got) != 0 {
				t.Errorf("withheld %v of what is public", got)
			}
			if got := worth(t, s, receiptOf(t, a, "receipt"), shown); got != receipt.Unanchored {
				t.Errorf("the receipt is %s", got)
			}
		})
	}
}

// fieldKeys returns the keys of a list of fields in an answer.
func fieldKeys(a httpapitest.Answer, path string) []string {
	var keys []string
	list, _ := a.Get(path).([]any)
	for _, f := range list {
		keys = append(keys, f.(map[string]any)["key"].(string))
	}
	return keys
}

func fullWidth(s string) string {
	return strings.Map(func(c rune) rune {
		if '!' <= c && c <= '~' {
			return c - '!' + '！'
		}
		return c
	}, s)
}

func TestOutcomes(t *testing.T) {
	s := httpapitest.New(t)
	houses := s.Issue("property", 6)
	s.Pass(48 * time.Hour)
	houses[1].SetStatus(licence.Revoked)
	houses[2].Restrict()
	altered := houses[3].Show("location").Bytes()
	altered[len(altered)-1-64*4] ^= 1
	other := verifiertest.New(t).Issue("property", 1)[0]
	outcome := func(b []byte, change members) (string, httpapitest.Answer) {
		body := members{"credential": base64Of(b)}
		for name, v := range change {
			body[name] = v
		}
		a := s.Post("/v1/verifications", body).Want(t, http.StatusOK)
		return a.Text("verdict.outcome"), a
	}
	show := func(l *verifiertest.Licence) []byte { return l.Show("location").Bytes() }
	for _, test := range []struct {
		name         string
		presentation []byte
		change       members
		outcome      string
	}{
		{"valid", show(houses[0]), nil, "valid"},
		{"holder required of a print", show(houses[0]), members{"holderRequired": true}, "undetermined"},
		{"revoked", show(houses[1]), nil, "not-current"},
		{"revoked, as of the day before", show(houses[1]), members{"asOf": "2026-11-08"}, "valid"},
		{"restricted", show(houses[2]), nil, "restricted"},
		{"altered", altered, nil, "invalid"},
		{"not even a presentation", []byte{0x88, 1, 2, 3}, nil, "invalid"},
		{"of another ledger", show(other), nil, "undetermined"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, a := outcome(test.presentation, test.change)
			if got != test.outcome {
				t.Errorf("%s, want %s: %s", got, test.outcome, a.Body)
			}
			if got == "invalid" && len(fieldKeys(a, "verdict.fields")) > 0 {
				t.Errorf("what is invalid is repeated: %s", a.Body)
			}
			f := receiptOf(t, a, "receipt")
			if f.Entry.Outcome != got || f.Presentation != sm.Sum(test.presentation) {
				t.Errorf("the receipt is about something else: %+v", f)
			}
			if got := worth(t, s, f, nil); got != receipt.Unanchored {
				t.Errorf("the receipt is %s", got)
			}
		})
	}

	// Nothing says that a licence is in force now which was so on the day that was asked for.
	_, a := outcome(show(houses[1]), members{"asOf": "2026-11-08"})
	for _, member := range []string{"verdict.text.en", "receipt.readable.text.en"} {
		if got := a.Text(member); got != "Verified: genuine, and in force on 2026-11-08" {
			t.Errorf("%s: %q", member, got)
		}
	}

	// With the network gone it goes on answering, until the view is older than the type allows.
	s.Disconnect()
	s.Clock.Advance(houses[0].Type.MaxStatusAge - time.Minute)
	if got, a := outcome(show(houses[0]), nil); got != "valid" || a.Get("verdict.ledger.age").(float64) < 3000 {
		t.Errorf("%s: %s", got, a.Body)
	}
	s.Clock.Advance(2 * time.Minute)
	if got, a := outcome(show(houses[0]), nil); got != "undetermined" || a.Text("verdict.axes.freshness.reason") != "stale" {
		t.Errorf("%s: %s", got, a.Body)
	}
}

func TestFileThatIsNotTheLicences(t *testing.T) {
	s := httpapitest.New(t)
	doc := s.Document("property", 1, nil)
	doc.SetDocuments(sm.Sum([]byte("one")))
	house := s.IssueDocuments(doc)[0]
	ask := func(file string, keys ...string) httpapitest.Answer {
		return s.Post("/v1/verifications", members{"file": base64Of([]byte(file)), "credential": base64Of(house.Show(keys...).Bytes())})
	}
	ask("one", "documents").Want(t, http.StatusOK)
	ask("two", "documents").Problem(t, "file-not-of-licence")
	ask("one", "location").Problem(t, "documents-not-disclosed")
}

func TestAgencySeesWhatItMay(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	shown := house.Code("location", "rightHolders", "area", "rightHolderIds")
	tax := s.Agency(s.Tax)
	context := members{"clerk": "李雷", "unit": "办税服务厅", "matter": "second-hand-home-transfer", "case": "2026-0001"}

	a := tax.Post("/v1/verifications", members{"code": shown, "context": context}).Want(t, http.StatusOK)
	if got := fieldKeys(a, "verdict.fields"); !slices.Equal(got, []string{"rightHolders", "location"}) {
		t.Errorf("fields %v", got)
	}
	if got := a.Get("withheld"); !slices.Equal(got.([]any), []any{"rightHolderIds", "area"}) {
		t.Errorf("withheld %v", got)
	}
	entry := receiptOf(t, a, "receipt").Entry
	if entry.Agency != "tax" || entry.Clerk != "李雷" || entry.Unit != "办税服务厅" || entry.Case != "2026-0001" ||
		entry.Matter != "second-hand-home-transfer" || !slices.Equal(entry.Fields, []string{"rightHolders", "location"}) || entry.Overall != "" || entry.Asked != "" {
		t.Errorf("recorded %+v", entry)
	}
	first := entry.Call

	a = tax.Post("/v1/verifications", members{"code": shown, "context": context, "fields": []string{"location"}}).Want(t, http.StatusOK)
	if second := receiptOf(t, a, "receipt").Entry.Call; second == first || second == (access.Call{}) || first == (access.Call{}) {
		t.Errorf("two calls are named %x and %x", first, second)
	}
	if got := fieldKeys(a, "verdict.fields"); !slices.Equal(got, []string{"location"}) {
		t.Errorf("fields %v", got)
	}
	a = tax.Post("/v1/verifications", members{"code": shown, "context": context, "fields": []string{}}).Want(t, http.StatusOK)
	if got := fieldKeys(a, "verdict.fields"); got != nil {
		t.Errorf("asked for none, got %v", got)
	}

	a = tax.Post("/v1/verifications", members{"code": shown, "context": context, "fields": []string{"location", "area"}}).Problem(t, "over-asking")
	if got := a.Get("fields").([]any); !slices.Equal(got, []any{"area"}) {
		t.Errorf("refused %v", got)
	}
	shop := s.Issue("business", 1)[0]
	tax.Post("/v1/verifications", members{"code": shop.Code(), "context": context}).Problem(t, "type-refused")
	for name, other := range map[string]string{"matter": "company-opening", "onBehalf": "housing"} {
		changed := members{}
		for k, v := range context {
			changed[k] = v
		}
		changed[name] = other
		want := map[string]string{"matter": "matter-refused", "onBehalf": "on-behalf-refused"}[name]
		tax.Post("/v1/verifications", members{"code": shown, "context": changed}).Problem(t, want)
	}
	tax.Post("/v1/verifications", members{"code": shown}).Problem(t, "context-missing")
	s.Agency(s.Counter).Post("/v1/verifications", members{"code": shown, "context": context}).Problem(t, "context-missing") // on whose behalf?

	size := s.Log.Size()
	s.Post("/v1/verifications", members{"code": shown, "context": context}).Problem(t, "unauthenticated")
	s.Post("/v1/verifications", members{"code": shown, "fields": []string{"location"}}).Problem(t, "unauthenticated")
	if s.Log.Size() != size {
		t.Error("a refused call is recorded as a verification")
	}
}

func TestChallenge(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	challenge := func(c httpapitest.Client) (nonce []byte, audience string) {
		a := c.Post("/v1/challenges", members{}).Want(t, http.StatusCreated)
		nonce, err := hex.DecodeString(a.Text("nonce"))
		if err != nil {
			t.Fatal(err)
		}
		return nonce, a.Text("audience")
	}
	body := func(nonce []byte, audience string) members {
		return members{"credential": base64Of(house.Prove(audience, nonce, "location").Bytes()), "nonce": hex.EncodeToString(nonce), "holderRequired": true}
	}

	nonce, audience := challenge(s.Client)
	if audience != verifiertest.Host {
		t.Errorf("the audience of the public is %q", audience)
	}
	b := body(nonce, audience)
	a := s.Post("/v1/verifications", b).Want(t, http.StatusOK)
	if a.Text("verdict.outcome") != "valid" || a.Text("verdict.axes.holder.reason") != "holder-proven" {
		t.Errorf("%s", a.Body)
	}
	s.Post("/v1/verifications", b).Problem(t, "challenge-used")

	nonce, audience = challenge(s.Client)
	s.Clock.Advance(6 * time.Minute)
	s.Post("/v1/verifications", body(nonce, audience)).Problem(t, "challenge-expired")
	s.Post("/v1/verifications", body(bytes.Repeat([]byte{7}, 40), audience)).Problem(t, "challenge-unknown")

	// A challenge in one name does not count in another, and only an agency has two.
	nonce, audience = challenge(s.Agency(s.Tax))
	if audience != verifiertest.Host+"/tax" {
		t.Errorf("the audience of the agency is %q", audience)
	}
	s.Post("/v1/verifications", body(nonce, audience)).Problem(t, "challenge-unknown")
	b = body(nonce, audience)
	b["audience"] = audience
	s.Post("/v1/verifications", b).Problem(t, "audience-refused")
	s.Post("/v1/challenges", members{"audience": "公安局"}).Problem(t, "audience-refused")
	b["context"] = members{"clerk": "a", "unit": "b", "matter": "second-hand-home-transfer"}
	if a := s.Agency(s.Tax).Post("/v1/verifications", b).Want(t, http.StatusOK); a.Text("verdict.axes.holder.reason") != "holder-proven" {
		t.Errorf("%s", a.Body)
	}
}

func TestReference(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	leave := func(p *credential.Presentation) string {
		a := s.Post("/v1/references", members{"presentation": base64Of(p.Bytes())}).Want(t, http.StatusCreated)
		return a.Text("url")
	}
	url := leave(house.Show("location"))
	if len(url) > 120 || !strings.HasPrefix(url, "HTTPS://VERIFY.EXAMPLE/R/") {
		t.Errorf("%s", url)
	}
	s.Post("/v1/verifications", members{"code": strings.ToLower(url)}).Want(t, http.StatusOK)
	s.Post("/v1/verifications", members{"code": url}).Problem(t, "reference-used")
	url = leave(house.Show("location"))
	s.Clock.Advance(61 * time.Second)
	s.Post("/v1/verifications", members{"code": url}).Problem(t, "reference-expired")
	s.Post("/v1/verifications", members{"code": "https://verify.example/r/" + strings.Repeat("a", 32)}).Problem(t, "reference-unknown")

	// The wallet answered a challenge before anybody knew who would take the reference.
	a := s.Post("/v1/challenges", members{}).Want(t, http.StatusCreated)
	nonce, _ := hex.DecodeString(a.Text("nonce"))
	proven := house.Prove(a.Text("audience"), nonce, "location")
	for i, want := range []string{"holder-proven", "nonce-not-ours"} { // and answers it once
		a := s.Post("/v1/verifications", members{"code": leave(proven)}).Want(t, http.StatusOK)
		if got := a.Text("verdict.axes.holder.reason"); got != want {
			t.Errorf("taken %d times before: %s, want %s", i, got, want)
		}
	}
	forOthers := house.Prove("elsewhere", bytes.Repeat([]byte{1}, 40), "location")
	if a := s.Post("/v1/verifications", members{"code": leave(forOthers)}).Want(t, http.StatusOK); a.Text("verdict.axes.holder.result") != "unknown" {
		t.Errorf("%s", a.Body)
	}

	for _, b := range [][]byte{append(house.Show("location").Bytes(), 0), {1, 2, 3}, verifiertest.New(t).Issue("property", 1)[0].Show().Bytes()} {
		s.Post("/v1/references", members{"presentation": base64Of(b)}).Problem(t, "presentation-refused")
	}
}

// The access log goes to the ledger, and the receipt with it.
func TestReceiptIsUpgraded(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	for range 5 {
		s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK)
	}
	a := s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK)
	f := receiptOf(t, a, "receipt")
	path := "/v1/receipts/5?leaf=" + f.Leaf().String()
	if a := s.Get(path).Want(t, http.StatusOK); a.Get("proof") != nil {
		t.Errorf("%s", a.Body)
	}
	last := s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK)
	s.Anchor()
	s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK) // the log grows on
	if got := worth(t, s, f, house.Show()); got != receipt.Unanchored {
		t.Errorf("the receipt without the proof is %s", got)
	}
	if got := worth(t, s, receiptOf(t, last, "receipt"), house.Show()); got != receipt.Anchored {
		t.Errorf("the receipt under the checkpoint itself is %s", got)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(raw(t, a, "receipt"), &file); err != nil {
		t.Fatal(err)
	}
	file["proof"] = raw(t, s.Get(path).Want(t, http.StatusOK), "proof")
	upgraded, err := receipt.Parse(encode(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if got := worth(t, s, upgraded, house.Show()); got != receipt.Anchored {
		t.Errorf("the receipt is %s", got)
	}
	s.Get("/v1/receipts/5?leaf="+strings.Repeat("0", 64)).Problem(t, "receipt-unknown")
	s.Get("/v1/receipts/4?leaf="+f.Leaf().String()).Problem(t, "receipt-unknown")
	s.Get("/v1/receipts/500?leaf="+f.Leaf().String()).Problem(t, "receipt-unknown")
}
