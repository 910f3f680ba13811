package service_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm/tlcp/tlcptest"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/webhook"
)

func TestServesOnEveryDoor(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	for name, client := range map[string]*http.Client{"web": http.DefaultClient, "tlcp": tlcptest.Client(t, w.root)} {
		answer, status, err := w.issue(client, name)
		if err != nil || status != http.StatusCreated || len(answer.Credential) == 0 {
			t.Errorf("%s: %v, %d, %+v", name, err, status, answer)
		}
	}
	for _, url := range []string{w.url("web"), w.url("metrics")} {
		if status, body := w.get(url + "/healthz"); status != http.StatusOK || body != "{\"alive\":true}\n" {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	if status, body := w.get(w.url("web") + "/"); status != http.StatusOK || body != "the desk" {
		t.Errorf("the page: %d %s", status, body)
	}
	if status, body := w.get(w.url("web") + "/metrics"); status == http.StatusOK && body != "the desk" {
		t.Errorf("metrics are everybody's: %d", status)
	}
	for name, want := range map[string]int{
		`credledger_issuer_requests_total{route="/v1/licences",status="201"}`: 2,
		"credledger_issuer_ready":            1,
		"credledger_issuer_ledger_reached":   1,
		"credledger_issuer_webhook_waiting":  0,
		"credledger_issuer_webhook_given_up": 0,
		"credledger_issuer_blocked_types":    0,
	} {
		if got := w.metric(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	w.settled()
	w.Must(w.end())
}

// settled waits until the vault knows that every batch is on the ledger.
func (w *world) settled() {
	w.Helper()
	w.await("all batches to be settled", func() bool { return w.metric("credledger_issuer_pending_batches") == 0 })
}

// The service issues the same on PostgreSQL, and several share a vault.
func TestPostgreSQL(t *testing.T) {
	w := newWorld(t, sqldbtest.PostgreSQL(t).Database(t))
	w.begin()
	first := w.mustIssue()
	other := *w
	config := *w.config
	other.config, other.vault, other.stop = &config, w.Reopen(), nil
	if _, err := other.new(t.Context()); serve.Code(err) != serve.CodeStart || !strings.Contains(err.Error(), "spool") {
		t.Errorf("two services with one spool: %v", err)
	}
	other.config.Spool = "spool-2"
	w.Must(os.Mkdir(w.Path("spool-2"), 0o700))
	other.config.Release = new(*w.config.Release)
	other.config.Release.Directory, other.config.Release.AccessLog = "release-2", "releases-2"
	other.createLog()
	other.begin()
	again, status, err := other.call(http.DefaultClient, "web", "/v1/licences", "request-1", w.application(1))
	if err != nil || status != http.StatusCreated || !again.Earlier || again.Licence.Digest != first.Licence.Digest {
		t.Errorf("the same request at another service: %v, %d, %+v", err, status, again)
	}
	taken, status, err := other.call(http.DefaultClient, "web", "/v1/licences", "another-request", w.application(1))
	if err != nil || status != http.StatusUnprocessableEntity {
		t.Errorf("the same number at another service: %v, %d, %+v", err, status, taken)
	}
	w.Must(other.end())
	w.Must(w.end())
}

// A start waits for the ledger, and can be told to end while it does.
func TestStartWithoutLedger(t *testing.T) {
	w := newWorld(t, "")
	w.ledger.gone.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := w.new(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	w.ledger.gone.Store(false)
	w.begin()
}

// With the ledger gone nothing is issued, and nothing is lost: what was asked for then is there once when it
// is back, whoever asks again.
func TestOutage(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	w.mustIssue()
	w.ledger.gone.Store(true)
	ask := func() (issued, int) {
		answer, status, err := w.call(http.DefaultClient, "web", "/v1/licences", "in-the-outage", w.application(1000))
		w.Must(err)
		return answer, status
	}
	if answer, status := ask(); status < 500 {
		t.Errorf("in an outage: %d %+v", status, answer)
	}
	w.await("the outage to be seen", func() bool { return slices.Contains(w.ready().Problems, "ledger-unreached") })
	w.ledger.gone.Store(false)
	w.Clock.Advance(time.Minute) // it has waited long
	w.await("readiness", func() bool { return w.ready().Ready })
	w.settled()
	first, status := ask()
	again, statusAgain := ask()
	if status != http.StatusCreated || statusAgain != http.StatusCreated || first.Licence.Digest == "" || again.Licence.Digest != first.Licence.Digest {
		t.Errorf("after the outage: %d %+v, %d %+v", status, first, statusAgain, again)
	}
	if found, err := w.Vault.ByNumber(t.Context(), w.Type.ID, "J990101-000001000"); err != nil || len(found) != 1 {
		t.Errorf("%d licences, %v", len(found), err)
	}
}

// Keys are rotated while the service works, and nobody notices.
func TestRotation(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	var failed, answered atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			for ctx.Err() == nil {
				if answer, status, err := w.issue(http.DefaultClient, "web"); err != nil || status != http.StatusCreated {
					failed.Add(1)
					t.Errorf("%v, %d %s", err, status, answer.Code)
					return
				}
				answered.Add(1)
			}
		})
	}
	changes := func() {
		before := answered.Load()
		w.await("more licences", func() bool { return answered.Load() >= before+20 || failed.Load() > 0 })
	}
	changes()
	second := w.Rotate(w.Department.Anchor, statement.PurposeAnchor)
	changes()
	w.Rotate(second, statement.PurposeAnchor)
	status := w.Rotate(w.Department.Status, statement.PurposeStatus)
	changes()
	stop()
	working.Wait()
	last := w.mustIssue()
	if answer, code, err := w.call(http.DefaultClient, "web", "/v1/licences/"+licenceID(last)+"/status", "", w.change(licence.Suspended)); err != nil || code != http.StatusOK {
		t.Errorf("a change of status with the new key %s: %v, %d %s", status.Public().ID(), err, code, answer.Code)
	}
	w.settled()
}

// licenceID is the id of a licence as paths have it.
func licenceID(answer issued) string { return strings.Trim(string(answer.Licence.ID), `"`) }

// change is the body of a request for a change of status.
func (w *world) change(to licence.State) []byte {
	w.Helper()
	for _, t := range w.Type.Transitions {
		if t.From == licence.Active && t.To == to {
			b, err := json.Marshal(map[string]string{"to": string(to), "reason": t.Reasons[0].Code, "purpose": "test"})
			w.Must(err)
			return b
		}
	}
	w.Fatalf("no change to %s", to)
	return nil
}

func TestReload(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	w.write("staff.yaml", []byte("people: what\n"))
	if err := w.service.Reload(t.Context()); serve.Code(err) != serve.CodeConfig {
		t.Errorf("a broken file: %v", err)
	}
	w.mustIssue()
	old := w.token
	w.token = callers.NewToken()
	w.write("staff.yaml", []byte(w.staff(w.token)))
	w.Must(w.service.Reload(t.Context()))
	w.mustIssue()
	w.token = old
	if _, status, err := w.issue(http.DefaultClient, "web"); err != nil || status != http.StatusUnauthorized {
		t.Errorf("with the old token: %v, %d", err, status)
	}
}

// A change made through the API is told to a subscriber, who is called over HTTP on this machine.
func TestWebhooks(t *testing.T) {
	w := newWorld(t, "")
	secret, seen := webhook.NewSecret(), webhook.NewMemory(w.Clock.Now)
	w.write("hook.secret", []byte(secret.Text()+"\n"))
	events := make(chan *webhook.Event, 10)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Must(err)
		_, event, err := webhook.Verify([]webhook.Secret{secret}, r.Header, body, w.Clock.Now(), seen)
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		events <- event
	}))
	t.Cleanup(server.Close)
	w.config.Webhooks = []service.Webhook{{Name: "hook", URL: server.URL, Secret: "hook.secret", Events: []string{webhook.LicenceStatus}}}
	w.begin()
	w.await("the notifier to follow", func() bool {
		told, err := w.Vault.Told(t.Context())
		w.Must(err)
		return told.Height > 0
	})
	l := w.mustIssue()
	if answer, code, err := w.call(http.DefaultClient, "web", "/v1/licences/"+licenceID(l)+"/status", "", w.change(licence.Suspended)); err != nil || code != http.StatusOK {
		t.Fatalf("%v, %d %s", err, code, answer.Code)
	}
	select {
	case e := <-events:
		if e.Status.To != licence.Suspended || e.Licence.Digest.String() != l.Licence.Digest {
			t.Errorf("%+v, %+v", e.Licence, e.Status)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no message\n%s", w.logged)
	}
	w.await("the attempt to be counted", func() bool {
		_, text := w.get(w.url("metrics") + "/metrics")
		return strings.Contains(text, `credledger_issuer_webhook_attempts_total{outcome="delivered",subscriber="hook"} 1`)
	})
}

// A vault that was put back from an old copy does not issue what was issued since: the service says so, and goes on
// with what is not concerned.
func TestRestoredVault(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	w.mustIssue()
	w.Must(w.end())
	w.Must(w.Vault.Close())
	before, err := os.ReadFile(w.Address)
	w.Must(err)
	w.vault = w.Reopen()
	w.begin()
	w.mustIssue()
	w.Must(w.end())
	w.Must(w.vault.Close())
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Remove(w.Address + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	w.Must(os.WriteFile(w.Address, before, 0o600))
	w.vault = w.Reopen()
	w.begin()
	if r := w.ready(); !slices.Equal(r.Blocked, []string{"property"}) {
		t.Errorf("%+v", r)
	}
	if answer, status, err := w.issue(http.DefaultClient, "web"); err != nil || status < 400 || answer.Code != vault.CodeContentsLost {
		t.Errorf("%v, %d %s", err, status, answer.Code)
	}
	if !w.hasLogged("the vault has lost licences") {
		t.Error("no alarm was logged")
	}
}

// What cannot be started says why, and leaves nothing open.
func TestRefusesToStart(t *testing.T) {
	for name, test := range map[string]struct {
		code   string
		change func(w *world)
	}{
		"no staff": {serve.CodeConfig, func(w *world) { w.Must(os.Remove(w.Path("staff.yaml"))) }},
		"no spool": {serve.CodeConfig, func(w *world) { w.Must(os.Remove(w.Path("spool"))) }},
		"no secret": {serve.CodeConfig, func(w *world) {
			w.config.Webhooks = []service.Webhook{{Name: "a", URL: "https://a.example", Secret: "a"}}
		}},
		"no certificate":          {serve.CodeConfig, func(w *world) { w.config.Web.Certificate, w.config.Web.Key = "a", "b" }},
		"no TLCP key":             {serve.CodeConfig, func(w *world) { w.Must(os.Remove(w.Path("tlcp/signing.key"))) }},
		"an address of elsewhere": {serve.CodeListen, func(w *world) { w.config.Web = serve.Web{Address: "192.0.2.1:0", Plain: true} }},
		"no such department":      {serve.CodeStart, func(w *world) { w.config.Department = "nobody" }},
		"another's vault":         {serve.CodeStart, func(w *world) { w.config.Department = "civil-affairs" }},
		"no access log":           {serve.CodeStart, func(w *world) { w.Must(os.RemoveAll(w.Path("release/access-log"))) }},
		"another access log":      {serve.CodeConfig, func(w *world) { w.config.Release.AccessLog = "releases-2" }},
		"no index":                {serve.CodeStart, func(w *world) { w.write("release/index", []byte("a file")) }},
		"no such unit":            {serve.CodeConfig, func(w *world) { w.config.Unit = "nowhere" }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			test.change(w)
			if _, err := w.new(t.Context()); serve.Code(err) != test.code {
				t.Errorf("%v", err)
			}
		})
	}
}

// Requests under way are finished when the service is told to end, and none is begun.
func TestShutdownFinishes(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	body := w.application(1)
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url("web"), "http://"))
	w.Must(err)
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, err = fmt.Fprintf(c, "POST /v1/licences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nIdempotency-Key: shutdown-request\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n",
		w.token, len(body))
	w.Must(err)
	answer := bufio.NewReader(c)
	if line, err := answer.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") { // the body is read: it is under way
		t.Fatalf("%q, %v", line, err)
	}
	w.stop()
	time.Sleep(50 * time.Millisecond)
	_, err = c.Write(body)
	w.Must(err)
	b, err := io.ReadAll(answer)
	w.Must(err)
	if !strings.HasPrefix(string(b), "\r\nHTTP/1.1 201") {
		t.Errorf("%.300q", b)
	}
	w.Must(<-w.ended)
	w.stop = nil
}

// The log says what happened, and nothing of whom.
func TestLogHasNothingPersonal(t *testing.T) {
	w := newWorld(t, "")
	w.begin()
	answer := w.mustIssue()
	w.await("the request to be logged", func() bool { return w.hasLogged(`"route":"/v1/licences"`) })
	w.Must(w.end())
	text := w.logged.String()
	var record map[string]any
	w.Must(json.Unmarshal(w.Record(1), &record))
	for key, v := range record {
		if s, ok := v.(string); ok && len(s) > 3 && strings.Contains(text, s) {
			t.Errorf("the log has the value of %s", key)
		}
	}
	for _, never := range []string{answer.Licence.Digest, w.token, "remoteAddr"} {
		if strings.Contains(text, never) {
			t.Errorf("the log has %s", never)
		}
	}
}
