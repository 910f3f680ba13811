package opener_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/opener"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

var contract = sync.OnceValues(func() (*resttest.Contract, error) { return resttest.Load(opener.Contract) })

const token = "credledger_0123456789abcdefghijklmnopqrstuvwxyz"

var (
	recipient = statementtest.Key("recipient")
	secret    = webhook.Secret{1, 2, 3}
)

// A stage is an opener that goes by a city's ledger.
type stage struct {
	*testing.T
	city   *verifiertest.City
	opener *opener.Opener

	mu    sync.Mutex
	calls []*rest.Call
}

func newStage(t *testing.T) *stage {
	s := &stage{T: t, city: verifiertest.New(t)}
	s.opener = opener.New(opener.Config{
		View:    func() verify.View { return s.city.Index },
		Keys:    []envelope.Decrypter{statementtest.Key("retired"), recipient},
		Secrets: []webhook.Secret{secret},
		Token:   opener.TokenOf(token),
		Now:     s.city.Clock.Now,
		Observe: func(c *rest.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, c)
		},
	})
	return s
}

// request makes one of a program on this machine that has the token.
func request(method, path string, body []byte) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8420"+path, bytes.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// An answer is what came back, held against the contract.
type answer struct {
	*stage
	resttest.Answer
}

func (s *stage) do(r *http.Request) answer {
	s.Helper()
	c, err := contract()
	if err != nil {
		s.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	s.opener.ServeHTTP(w, r)
	a := answer{s, resttest.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.Check(s, r, a.Answer)
	return a
}

// ask posts a question: a map, or text as it is.
func (s *stage) ask(question any) answer {
	s.Helper()
	b, isText := question.(string)
	if !isText {
		encoded, err := json.Marshal(question)
		if err != nil {
			s.Fatal(err)
		}
		b = string(encoded)
	}
	return s.do(request(http.MethodPost, "/v1/openings", []byte(b)))
}

type members map[string]any

// An opened is as much of an answer as is looked at.
type opened struct {
	Verdict struct {
		Outcome string
		Axes    map[string]struct{ Result, Reason string }
		Fields  []struct {
			Key   string
			Value any
		}
	}
	Credential, Contents []byte
	Recipient            *sm.Hash
	Type                 *string
}

func (a answer) opened(outcome string) (o opened) {
	a.Helper()
	if a.Status != http.StatusOK {
		a.Fatalf("%d: %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.Fatal(err)
	}
	if o.Verdict.Outcome != outcome {
		a.Errorf("%s, want %s: %+v", o.Verdict.Outcome, outcome, o.Verdict.Axes)
	}
	return o
}

func (a answer) problem(code string) {
	a.Helper()
	var p struct{ Code, Member string }
	if err := json.Unmarshal(a.Body, &p); err != nil || p.Code != code {
		a.Errorf("want %s: %d %s", code, a.Status, a.Body)
	}
}

func seal(t testing.TB, mediaType string, contents []byte) []byte {
	t.Helper()
	b, err := envelope.Seal(recipient.Public(), mediaType, contents)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContract(t *testing.T) {
	s := newStage(t)
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	c.CheckProblems(t, opener.Kinds())
	c.CheckRoutes(t, s.opener.Routes)
	a := s.do(request(http.MethodGet, "/v1/openapi.yaml", nil))
	if a.Status != http.StatusOK || !bytes.Equal(a.Body, opener.Contract) {
		t.Errorf("%d", a.Status)
	}
}

// A sealed credential is opened and verified, and what befalls the licence is told.
func TestSealed(t *testing.T) {
	s := newStage(t)
	l := s.city.Issue("property", 2)[1]
	credential := l.Credential.Bytes()
	question := members{"sealed": seal(t, envelope.Credential, credential)}
	o := s.ask(question).opened("valid")
	if !bytes.Equal(o.Credential, credential) || !bytes.Equal(o.Contents, credential) || *o.Type != envelope.Credential || *o.Recipient != recipient.Public().ID() {
		t.Errorf("%x came as %x of %s", credential, o.Contents, *o.Type)
	}
	if len(o.Verdict.Fields) != len(l.Type.Leaves()) {
		t.Errorf("%d fields", len(o.Verdict.Fields))
	}
	l.Restrict()
	s.ask(question).opened("restricted")
	l.SetStatus("revoked")
	s.ask(question).opened("not-current")
	o = s.ask(members{"sealed": question["sealed"], "asOf": "2026-11-01"}).opened("not-current")
	if why := o.Verdict.Axes["status"].Reason; why != "not-yet-valid" {
		t.Errorf("on a day before it was issued: %s", why)
	}
	altered := bytes.Clone(credential)
	altered[len(altered)-1] ^= 1
	if o := s.ask(members{"sealed": seal(t, envelope.Credential, altered)}).opened("invalid"); len(o.Verdict.Fields) > 0 {
		t.Error("what is invalid has fields")
	}
}

// What is shown is verified in whatever form it comes, and without a seal.
func TestShown(t *testing.T) {
	s := newStage(t)
	l := s.city.Issue("marriage", 1)[0]
	for form, shown := range map[string]any{
		"code":       l.Code("registrationDate"),
		"credential": l.Show("registrationDate").Bytes(),
		"file":       l.Show("registrationDate").Bytes(),
	} {
		o := s.ask(members{form: shown}).opened("valid")
		if len(o.Verdict.Fields) != 1 || o.Contents != nil || o.Type != nil || o.Recipient != nil {
			t.Errorf("%s: %+v", form, o)
		}
	}
	s.ask(members{"sealed": seal(t, "text/plain", []byte(l.Code("registrationDate")))}).opened("valid")
}

// The holder's proof counts if it has the nonce that the caller drew.
func TestHolder(t *testing.T) {
	s := newStage(t)
	l := s.city.Issue("marriage", 1)[0]
	nonce := bytes.Repeat([]byte{7}, 16)
	shown := l.Prove("counter-7", nonce).Bytes()
	question := members{"credential": shown, "audience": "counter-7", "nonce": "07070707070707070707070707070707", "holderRequired": true}
	if o := s.ask(question).opened("valid"); o.Verdict.Axes["holder"].Result != "pass" {
		t.Errorf("%+v", o.Verdict.Axes)
	}
	question["nonce"] = strings.Repeat("08", 16)
	s.ask(question).opened("invalid")
	s.ask(members{"credential": shown, "holderRequired": true}).opened("undetermined")
}

func TestFileOfLicence(t *testing.T) {
	s := newStage(t)
	scan := []byte("the scanned certificate")
	doc := s.city.Document("property", 0, nil)
	doc.SetDocuments(sm.Sum(scan))
	l := s.city.IssueDocuments(doc)[0]
	question := members{"file": scan, "credential": l.Show("documents").Bytes()}
	s.ask(question).opened("valid")
	question["file"] = []byte("another one")
	s.ask(question).problem("file-not-of-licence")
	question["credential"] = l.Show("location").Bytes()
	s.ask(question).problem("documents-not-disclosed")
}

func TestRefusals(t *testing.T) {
	s := newStage(t)
	code := s.city.Issue("marriage", 1)[0].Code("registrationDate")
	foreign, err := envelope.Seal(statementtest.Key("another").Public(), "a/b", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	altered := seal(t, "a/b", []byte("x"))
	altered[len(altered)-1] ^= 1
	for _, c := range []struct {
		question any
		code     string
	}{
		{"", "body-malformed"},
		{"{", "body-malformed"},
		{"[]", "body-malformed"},
		{members{}, "member-invalid"},
		{members{"code": code, "image": []byte("x")}, "member-invalid"},
		{members{"sealed": foreign, "credential": []byte("x")}, "member-invalid"},
		{members{"code": code, "nonce": strings.Repeat("00", 16)}, "member-invalid"},
		{members{"code": code, "audience": "x"}, "member-invalid"},
		{members{"code": code, "fields": []string{"a"}}, "member-invalid"},
		{members{"code": code, "asOf": "31.1.2026"}, "member-invalid"},
		{`{"code":"x","code":"y"}`, "member-invalid"},
		{`{"Code":"x"}`, "member-invalid"},
		{`{"sealed":"!"}`, "member-invalid"},
		{members{"sealed": []byte("x")}, "envelope-malformed"},
		{members{"sealed": foreign}, "envelope-other-key"},
		{members{"sealed": altered}, "envelope-altered"},
		{members{"sealed": seal(t, "text/plain", []byte("nothing that can be verified"))}, "code-malformed"},
		{members{"image": []byte("no image")}, "not-an-image"},
		{members{"code": "https://verify.example/r/" + strings.Repeat("A", 32)}, "reference-elsewhere"},
	} {
		s.ask(c.question).problem(c.code)
	}
	r := request(http.MethodPost, "/v1/openings", []byte("{}"))
	r.Header.Set("Content-Type", "text/plain")
	s.do(r).problem("media-type-unsupported")
	s.do(request(http.MethodGet, "/v1/openings", nil)).problem("method-not-allowed")
	s.do(request(http.MethodGet, "/v1/nothing", nil)).problem("not-found")
	s.do(request(http.MethodGet, "/v1/view?x=1", nil)).problem("parameter-invalid")
	big := request(http.MethodPost, "/v1/openings", nil)
	big.Header.Set("Content-Type", "application/json")
	big.ContentLength = 1 << 30
	s.do(big).problem("body-too-large")
}

// Nobody gets in but a program on this machine that has the token.
func TestGuard(t *testing.T) {
	s := newStage(t)
	view := func(change func(*http.Request)) answer {
		r := request(http.MethodGet, "/v1/view", nil)
		change(r)
		return s.do(r)
	}
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
	}
	host := func(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }
	from := func(address string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = address } }
	for _, change := range []func(*http.Request){
		func(*http.Request) {}, host("localhost:8420"), host("LOCALHOST"), host("[::1]:8420"), host("[::1]"), host("127.0.0.1"), host("127.9.9.9:1"),
		from("[::1]:4000"), from("[::ffff:127.0.0.1]:4000"), header("Authorization", "bearer "+token),
	} {
		if a := view(change); a.Status != http.StatusOK {
			t.Errorf("%d: %s", a.Status, a.Body)
		}
	}
	for code, changes := range map[string][]func(*http.Request){
		"host-refused": {
			host("rebound.example:8420"), host("127.0.0.1.rebound.example"), host("localhost.rebound.example"), host(""), host("10.0.0.1:8420"),
			host("0.0.0.0:8420"), host("[::]:8420"), host("127.0.0.1@rebound.example"), host("2130706433"), host("localhost."), host("[::1%25lo]:8420"),
		},
		"address-refused": {from("10.0.0.1:40000"), from("[fe80::1]:40000"), from("@"), from("")},
		"browser-refused": {
			header("Origin", "http://127.0.0.1:8420"), header("Origin", "null"), header("Origin", ""), header("Sec-Fetch-Site", "same-origin"),
			header("Sec-Fetch-Mode", "no-cors"), header("Cookie", "a=b"),
		},
		"unauthenticated": {
			header("Authorization"), header("Authorization", ""), header("Authorization", "Bearer "), header("Authorization", "Bearer "+token+"x"),
			header("Authorization", "Bearer "+token[1:]), header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(token))),
			header("Authorization", "Bearer "+token, "Bearer "+token), header("Authorization", token),
		},
	} {
		for i, change := range changes {
			a := view(change)
			a.problem(code)
			if bytes.Contains(a.Body, []byte("credledger_")) {
				t.Errorf("%s %d: the token is told: %s", code, i, a.Body)
			}
		}
	}
	if a := s.do(request(http.MethodOptions, "/v1/openings", nil)); len(a.Header.Values("Access-Control-Allow-Origin")) > 0 {
		t.Error("other sites are let in")
	}
}

func TestView(t *testing.T) {
	s := newStage(t)
	read := func() (v struct {
		Ledger    sm.Hash
		Height    uint64
		Heartbeat *string
		Age       *int64
		Keys      []sm.Hash
		Messages  bool
	}) {
		a := s.do(request(http.MethodGet, "/v1/view", nil))
		if err := json.Unmarshal(a.Body, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := read()
	if before.Ledger != s.city.Index.Ledger() || len(before.Keys) != 2 || before.Keys[1] != recipient.Public().ID() || !before.Messages || *before.Age != 0 && *before.Age != 60 {
		t.Errorf("%+v", before)
	}
	s.city.Pass(time.Minute)
	s.city.Clock.Advance(90 * time.Second)
	if after := read(); after.Height <= before.Height || *after.Age < 90 {
		t.Errorf("%+v after %+v", after, before)
	}
	if ready, _ := s.opener.Ready(t.Context()); !ready {
		t.Error("it is not ready")
	}
}

// Nothing out of a call is told to the operator, and nothing in a problem is out of the call.
func TestNothingIsTold(t *testing.T) {
	s := newStage(t)
	l := s.city.Issue("marriage", 1)[0]
	s.ask(members{"sealed": seal(t, envelope.Credential, l.Credential.Bytes())}).opened("valid")
	for _, question := range []any{`{"code":"张三 11010119900307803X"}`, `{"code":["张三"]}`, `{"张三":1}`, members{"sealed": []byte("张三")}, members{"credential": []byte("张三")}} {
		if a := s.ask(question); bytes.Contains(a.Body, []byte("张三")) || bytes.Contains(a.Body, []byte("11010119900307803X")) {
			t.Errorf("%s", a.Body)
		}
	}
	if len(s.calls) != 6 {
		t.Fatalf("%d calls", len(s.calls))
	}
	for _, c := range s.calls {
		if c.Route != "/v1/openings" || c.Err != nil || c.ID == "" || c.Duration <= 0 {
			t.Errorf("%+v", c)
		}
	}
}
