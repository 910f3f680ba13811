package service_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/sdk/sm/tlcp/tlcptest"
	"github.com/credledger/credledger/verifier/accesslog"
)

func TestServesOnEveryDoor(t *testing.T) {
	w := newWorld(t)
	house := w.city.Issue("property", 4)
	w.start()
	code := house[0].Code("location")
	for name, client := range map[string]*http.Client{"web": http.DefaultClient, "tlcp": tlcptest.Client(t, w.root)} {
		v, status, err := w.verify(client, w.url(name), code)
		if err != nil || status != http.StatusOK || v.Verdict.Outcome != "valid" || len(v.Receipt.Entry) == 0 {
			t.Errorf("%s: %v, %d, %+v", name, err, status, v)
		}
	}
	w.await("readiness", func() bool { return w.ready().Ready })
	for _, url := range []string{w.url("web"), w.url("metrics")} {
		if status, body := w.get(url + "/healthz"); status != http.StatusOK || body != "{\"alive\":true}\n" {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	if r, err := http.Post(w.url("web")+"/readyz", "text/plain", nil); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /readyz: %v, %v", r, err)
	}
	if status, body := w.get(w.url("web") + "/"); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("the page: %d", status)
	}
	if status, _ := w.get(w.url("web") + "/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics are everybody's: %d", status)
	}
	w.must(w.end())
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("marriage", 1)[0].Code()
	w.start()
	for range 3 {
		w.outcome(code)
	}
	w.get(w.url("web") + "/v1/nothing")
	_, text := w.get(w.url("metrics") + "/metrics")
	for _, want := range []string{
		`credledger_verifier_requests_total{route="/v1/verifications",status="200"} 3`,
		`credledger_verifier_verifications_total{outcome="valid",route="/v1/verifications"} 3`,
		`credledger_verifier_problems_total{code="not-found"} 1`,
		`credledger_verifier_request_seconds_count{route="/v1/verifications"} 3`,
		"credledger_verifier_access_log_entries 3",
		"credledger_verifier_index_behind_blocks 0",
		"credledger_verifier_index_height_blocks ",
		"credledger_verifier_index_anchors 1",
		"credledger_verifier_ledger_reached 1",
		"credledger_verifier_view_age_seconds 0",
		"go_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestHTTPS(t *testing.T) {
	w := newWorld(t)
	cert := w.certificate("web")
	w.config.Web.Certificate, w.config.Web.Key, w.config.Web.ClientAuthorities = "web.crt", "web.key", "web.crt"
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	client := func(cert []byte, change func(*tls.Config)) *http.Client {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(cert)
		c := &tls.Config{RootCAs: roots}
		change(c)
		tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	v, status, err := w.verify(client(cert, func(*tls.Config) {}), w.url("web"), code)
	if err != nil || status != http.StatusOK || v.Verdict.Outcome != "valid" {
		t.Errorf("%v, %d, %+v", err, status, v)
	}
	if _, _, err := w.verify(client(cert, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), w.url("web"), code); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if r, err := http.Get(strings.Replace(w.url("web"), "https", "http", 1)); err == nil && r.StatusCode == http.StatusOK {
		t.Error("plain HTTP is spoken on the port of HTTPS")
	}
	next := w.certificate("web")
	w.must(w.service.Reload())
	if _, _, err := w.verify(client(next, func(*tls.Config) {}), w.url("web"), code); err != nil {
		t.Errorf("after the certificate was changed: %v", err)
	}
	w.write("web.crt", []byte("no certificate"))
	if err := w.service.Reload(); serve.Code(err) != serve.CodeConfig {
		t.Errorf("a broken certificate: %v", err)
	}
	if _, _, err := w.verify(client(next, func(*tls.Config) {}), w.url("web"), code); err != nil {
		t.Errorf("after a broken certificate: %v", err)
	}
}

// certificate makes a certificate of ECDSA for loopback.
func (w *world) certificate(name string) []byte {
	w.Helper()
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", w.path(name+".key"), "-out", w.path(name+".crt")).CombinedOutput()
	if err != nil {
		w.Fatalf("openssl makes the certificate of this test: %v\n%s", err, out)
	}
	b, err := os.ReadFile(w.path(name + ".crt"))
	w.must(err)
	return b
}

// With the network gone answers go on, and turn undetermined when they are too old; a service that is
// started then answers from its index.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	w.await("readiness", func() bool { return w.ready().Ready })
	w.ledger.gone.Store(true)
	w.await("the outage to be seen", func() bool { return !w.ready().Reached })
	if got := w.outcome(code); got != "valid" {
		t.Errorf("in an outage: %s", got)
	}
	w.must(w.end())
	w.start()
	if got := w.outcome(code); got != "valid" {
		t.Errorf("started in an outage: %s", got)
	}
	w.city.Clock.Advance(61 * time.Minute)
	if got := w.outcome(code); got != "undetermined" {
		t.Errorf("after an hour without the ledger: %s", got)
	}
	if r := w.ready(); !slices.Contains(r.Problems, "view-old") || *r.Age < 3600 {
		t.Errorf("after an hour without the ledger: %+v", r)
	}
	w.ledger.gone.Store(false)
	w.city.Heartbeat()
	w.await("the ledger to be followed again", func() bool { return w.ready().Ready })
	if got := w.outcome(code); got != "valid" {
		t.Errorf("after the outage: %s", got)
	}
}

// A new service waits for the ledger, and can be told to end while it does.
func TestStartWithoutLedger(t *testing.T) {
	w := newWorld(t)
	w.ledger.gone.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := w.new(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	w.ledger.gone.Store(false)
	w.start()
}

// A ledger that commits what it must not is not followed, is told of, and makes nothing valid.
func TestDishonestLedger(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	w.await("readiness", func() bool { return w.ready().Ready })
	height := w.ready().Height
	w.ledger.lies.Store(true)
	w.city.Pass(time.Minute) // the first block that is told with a lie
	w.city.Pass(time.Minute) // which does not continue that
	w.await("the lie to be seen", func() bool { return slices.Contains(w.ready().Problems, "ledger-discrepant") })
	if r := w.ready(); r.Ready || r.Height > height+1 {
		t.Errorf("%+v, the height was %d", r, height)
	}
	if got := w.outcome(code); got != "valid" {
		t.Errorf("as of the block before: %s", got)
	}
	if !w.hasLogged(`"code":"chain-broken"`) && !w.hasLogged(`"code":"history-rewritten"`) {
		t.Error("no alarm was logged")
	}
}

func TestReload(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.write("agencies.yaml", []byte("agencies: what\n"))
	if err := w.service.Reload(); serve.Code(err) != serve.CodeConfig {
		t.Errorf("a broken file: %v", err)
	}
	files, root, err := tlcp.Generate([]string{"127.0.0.1"}, time.Now())
	w.must(err)
	w.write("agencies.yaml", []byte("agencies: []\n"))
	w.write("tlcp/signing.crt", files.SigningCertificate)
	w.write("tlcp/signing.key", files.SigningKey)
	w.write("tlcp/encryption.crt", files.EncryptionCertificate)
	w.write("tlcp/encryption.key", files.EncryptionKey)
	w.must(w.service.Reload())
	if _, err := tlcptest.Client(t, root).Get(w.url("tlcp") + "/healthz"); err != nil {
		t.Errorf("with the new certificates: %v", err)
	}
	if _, err := tlcptest.Client(t, w.root).Get(w.url("tlcp") + "/healthz"); err == nil {
		t.Error("the old certificates are still shown")
	}
}

// What cannot be started says why, and leaves nothing open.
func TestRefusesToStart(t *testing.T) {
	for name, test := range map[string]struct {
		code   string
		change func(w *world)
	}{
		"no access log": {serve.CodeStart, func(w *world) { w.must(os.RemoveAll(w.path("verifier/access-log"))) }},
		"another's access log": {serve.CodeConfig, func(w *world) {
			w.must(os.RemoveAll(w.path("verifier/access-log")))
			w.must(accesslog.Create(w.path("verifier/access-log"), accesslog.Identity{Ledger: w.city.ID, Department: ledgertest.Properties, Log: "verifier-1"}))
		}},
		"another name of the log": {serve.CodeConfig, func(w *world) { w.config.AccessLog = "verifier-2" }},
		"no agencies":             {serve.CodeConfig, func(w *world) { w.must(os.Remove(w.path("agencies.yaml"))) }},
		"no matters":              {serve.CodeConfig, func(w *world) { w.config.Matters = "nowhere" }},
		"no certificate":          {serve.CodeConfig, func(w *world) { w.config.Web.Certificate, w.config.Web.Key = "a", "b" }},
		"no TLCP key":             {serve.CodeConfig, func(w *world) { w.must(os.Remove(w.path("tlcp/signing.key"))) }},
		"an address of elsewhere": {serve.CodeListen, func(w *world) { w.config.Web = serve.Web{Address: "192.0.2.1:0", Plain: true} }},
		"no store":                {serve.CodeStart, func(w *world) { w.config.Store = "nowhere/store.db" }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			if _, err := w.new(t.Context()); serve.Code(err) != test.code {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestKeyThatIsNotEnrolled(t *testing.T) {
	w := newWorld(t)
	w.city.Authority.Log, w.city.Authority.Govern = w.city.Authority.Govern, w.city.Authority.Log
	w.start()
	if r := w.ready(); !slices.Contains(r.Problems, "key-not-for-log") {
		t.Errorf("%+v", r)
	}
}

func TestSnapshotIsMade(t *testing.T) {
	w := newWorld(t)
	w.city.Issue("property", 8)
	w.start()
	offered := func() bool {
		status, _ := w.get(w.url("web") + "/v1/snapshots/latest")
		return status == http.StatusOK
	}
	w.await("the snapshot", offered)
	// A later start offers the file at once, though the index has more, until another one is due.
	w.must(w.end())
	w.city.Pass(time.Minute)
	w.start()
	w.await("the snapshot of before", offered)
	w.must(w.end())
	if w.hasLogged("the snapshot failed") {
		t.Error(w.logged.String())
	}
}

// The log says what happened, and nothing of whom.
func TestLogHasNothingPersonal(t *testing.T) {
	w := newWorld(t)
	l := w.city.Issue("marriage", 1)[0]
	w.start()
	w.outcome(l.Code(l.Keys()...))
	w.await("the request to be logged", func() bool { return w.hasLogged(`"route":"/v1/verifications"`) })
	w.must(w.end())
	text := w.logged.String()
	for _, f := range l.Credential.Fields {
		if v := f.Value.String(); len(v) > 3 && strings.Contains(text, v) {
			t.Errorf("the log has the value of field %d", f.Index)
		}
	}
	for _, never := range []string{l.Digest.String(), "remoteAddr"} {
		if strings.Contains(text, never) {
			t.Errorf("the log has %s", never)
		}
	}
}
