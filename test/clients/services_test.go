package clients_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/opener"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

// listen serves over HTTPS, and returns where and the file of the authority to trust.
func listen(t *testing.T, handler http.Handler) (url, authorities string) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, write(t, "authorities.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	s := httpapitest.New(t)
	url, authorities := listen(t, s.API)
	d := newDriver(t)
	l := s.Issue("property", 1)[0]
	ask := func(q members) members {
		q["url"], q["authorities"] = url, authorities
		return q
	}

	// The public.
	got := want[verification](d, "verify", ask(members{"code": l.Code("location", "rightHolders")}))
	if v := got.Verdict; v.Outcome != "valid" || v.Text != "核验通过,现行有效" || v.Type != "property" || v.Digest != l.Digest.String() || v.Holder || v.Note == "" ||
		len(v.Fields["location"]) != 1 || len(v.Fields["rightHolders"]) < 1 {
		t.Errorf("%+v", got)
	}
	if strings.Contains(got.Verdict.Shown, got.Verdict.Fields["location"][0]) {
		t.Errorf("a verdict that is printed tells a field: %s", got.Verdict.Shown)
	}
	if _, err := receipt.Parse([]byte(got.Receipt)); err != nil {
		t.Errorf("the receipt: %v", err)
	}

	// An agency.
	agency := members{"code": l.Code("location", "rightHolders"), "token": s.Tax, "matter": "second-hand-home-transfer", "fields": []string{"location"}}
	got = want[verification](d, "verify", ask(agency))
	if len(got.Verdict.Fields) != 1 || len(got.Withheld) != 1 || got.Withheld[0] != "rightHolders" {
		t.Errorf("%+v", got)
	}
	agency["fields"] = []string{"rightHolderIds", "certificateNumber", "area"}
	if a := d.refused("over-asking", "verify", ask(agency)); a.Status != http.StatusForbidden || a.Text == "" {
		t.Errorf("%+v", a)
	}
	agency["token"] = "credledger_nobody"
	d.refused("unauthenticated", "verify", ask(agency))

	// A holder.
	challenge := want[struct{ Audience, Nonce string }](d, "challenge", ask(members{}))
	nonce, err := hex.DecodeString(challenge.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	proven := ask(members{"credential": l.Prove(challenge.Audience, nonce).Bytes(), "audience": challenge.Audience, "nonce": challenge.Nonce, "holderRequired": true})
	got = want[verification](d, "verify", proven)
	if !got.Verdict.Holder || got.Verdict.Outcome != "valid" {
		t.Errorf("%+v", got.Verdict)
	}
	d.refused("challenge-used", "verify", proven)

	// What befalls a licence, and what is not one.
	l.SetStatus("revoked")
	got = want[verification](d, "verify", ask(members{"credential": l.Show().Bytes()}))
	if got.Verdict.Outcome != "not-current" || got.Verdict.Status != "revoked" {
		t.Errorf("%+v", got.Verdict)
	}
	forged := l.Show("location").Bytes()
	forged[len(forged)-1] ^= 1
	got = want[verification](d, "verify", ask(members{"credential": forged}))
	if got.Verdict.Outcome != "invalid" || len(got.Verdict.Fields) > 0 {
		t.Errorf("%+v", got.Verdict)
	}
	d.refused("code-malformed", "verify", ask(members{"code": "HTTPS://VERIFY.EXAMPLE/#X"}))

	// The JDK does not trust the authority, and will not if it is asked again.
	began := time.Now()
	d.failed("SSLHandshakeException", "verify", members{"url": url, "code": "X"})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v to find out", took)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const openerToken = "credledger_0123456789abcdefghijklmnopqrstuvwxyz"

// An opening is the answer of the opener as the client tells it.
type opening struct {
	Verdict              verdict
	Credential, Contents []byte
	Type                 *string
}

// A checkedMessage is a message that the opener has checked.
type checkedMessage struct {
	ID, Type string
	Replayed bool
	Event    webhook.Event
}

func TestOpener(t *testing.T) {
	t.Parallel()
	s := httpapitest.New(t)
	key, secret := statementtest.Key("recipient"), webhook.Secret{7}
	endpoint := opener.New(opener.Config{
		View: func() verify.View { return s.Index }, Keys: []envelope.Decrypter{key}, Secrets: []webhook.Secret{secret},
		Token: opener.TokenOf(openerToken), Now: s.Clock.Now, Observe: func(*rest.Call) {},
	})
	server := httptest.NewServer(endpoint)
	t.Cleanup(server.Close)
	d := newDriver(t)
	ask := func(q members) members {
		q["url"] = server.URL
		if q["token"] == nil {
			q["token"] = openerToken
		}
		return q
	}
	l := s.Issue("marriage", 1)[0]
	credential := l.Credential.Bytes()
	sealed, err := envelope.Seal(key.Public(), envelope.Credential, credential)
	if err != nil {
		t.Fatal(err)
	}
	got := want[opening](d, "open", ask(members{"sealed": sealed}))
	if got.Verdict.Outcome != "valid" || !bytes.Equal(got.Credential, credential) || !bytes.Equal(got.Contents, credential) || *got.Type != envelope.Credential ||
		len(got.Verdict.Fields) != len(l.Type.Leaves()) {
		t.Errorf("%+v", got)
	}
	got = want[opening](d, "open", ask(members{"code": l.Code("registrationDate")}))
	if len(got.Verdict.Fields) != 1 {
		t.Errorf("%+v", got.Verdict)
	}
	sealed[len(sealed)-1] ^= 1
	d.refused("envelope-altered", "open", ask(members{"sealed": sealed}))
	d.refused("member-invalid", "open", ask(members{"code": "x", "fields": []string{"a"}}))
	d.refused("unauthenticated", "open", ask(members{"code": "x", "token": "credledger_another"}))

	event := webhook.Event{Type: webhook.JobDone, At: s.Clock.Now(), Department: "civil-affairs", Job: &webhook.Job{ID: 3, Kind: "import"}}
	body, err := event.JSON()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	webhook.Sign(header, []webhook.Secret{secret}, webhook.ID{5}, s.Clock.Now(), body)
	message := ask(members{
		"id": header.Get(webhook.HeaderID), "timestamp": header.Get(webhook.HeaderTimestamp), "signature": header.Get(webhook.HeaderSignature), "body": body,
	})
	checked := want[checkedMessage](d, "check", message)
	if checked.Type != webhook.JobDone || checked.Replayed || checked.Event.Job.ID != 3 || checked.ID != header.Get(webhook.HeaderID) {
		t.Errorf("%+v", checked)
	}
	checked = want[checkedMessage](d, "check", message)
	if !checked.Replayed {
		t.Error("a message is not known again")
	}
	message["body"] = append(body, ' ')
	d.refused("webhook-signature", "check", message)
}

// A certificate in a PKCS #12 file proves who calls.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("this test needs the openssl command in the PATH: ", err)
	}
	dir := t.TempDir()
	openssl := func(args ...string) {
		command := exec.Command("openssl", args...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=registry", "-days", "2")
	openssl("pkcs12", "-export", "-in", "own.crt", "-inkey", "own.key", "-out", "own.p12", "-passout", "pass:secret")
	block, _ := pem.Decode(mustRead(t, filepath.Join(dir, "own.crt")))
	roots := x509.NewCertPool()
	own, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(own)
	var shown []byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].Raw
		_, _ = io.WriteString(w, valid)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	authorities := write(t, "authorities.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	d := newDriver(t)
	q := members{"url": server.URL, "authorities": authorities, "pkcs12": filepath.Join(dir, "own.p12"), "password": "secret", "code": "X", "patience": 0}
	want[verification](d, "verify", q)
	if !bytes.Equal(shown, own.Raw) {
		t.Error("another certificate was shown")
	}
	q["password"] = "wrong"
	if a := d.failed("IOException", "verify", q); strings.Contains(a.Message, "wrong") && strings.Contains(a.Message, "secret") {
		t.Errorf("%s", a.Message)
	}
	delete(q, "pkcs12")
	if a := d.do("verify", q); a.OK != nil {
		t.Error("a call without the certificate is answered")
	}
	q["authorities"] = write(t, "none.pem", nil)
	d.failed("IOException", "verify", q)
}
