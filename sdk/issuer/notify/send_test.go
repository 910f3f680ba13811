package notify_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/notify"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/webhook"
)

// done puts so many jobs that are done into the vault, and has them told of.
func (w *world) done(n *notify.Notifier, jobs ...int) {
	w.Helper()
	w.Must(w.Vault.Write(w.Context(), clerk, func(tx *vault.Tx) error {
		for _, i := range jobs {
			if err := tx.AddJob(&vault.Job{Name: sm.Hash{byte(i), byte(i >> 8)}, Kind: "issue", Records: int64(i), Accepted: int64(i), Done: true}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.Must(n.TellDone(w.Context()))
}

// send sends what is due.
func (w *world) send(n *notify.Notifier) {
	w.Helper()
	var sending sync.WaitGroup
	w.Must(notify.SendDue(n, w.Context(), sending.Go))
	sending.Wait()
}

// What is not taken is sent again, after growing pauses, under its id, and keeps nothing else back for long.
func TestRetries(t *testing.T) {
	w := newWorld(t)
	broken, well := w.subscribe("broken", nil), w.subscribe("well", nil)
	n := w.notifier(w.Vault)
	broken.fail = func(int, *webhook.Event) int { return http.StatusServiceUnavailable }
	w.done(n, 1, 2, 3, 4, 5)
	w.send(n)
	if well.count() != 5 || broken.calls != notify.FailsInARow {
		t.Errorf("%d messages; the one that is down was called %d times", well.count(), broken.calls)
	}
	w.send(n)
	if broken.calls != notify.FailsInARow {
		t.Error("it is called again at once")
	}
	for range 12 {
		w.Clock.Advance(2 * notify.LongPause)
		w.send(n)
	}
	broken.fail = nil
	w.Clock.Advance(2 * notify.LongPause)
	w.send(n)
	if broken.count() != 5 {
		t.Errorf("%d messages when it works again", broken.count())
	}
	if n, err := w.Vault.Queued(t.Context()); n != 0 || err != nil {
		t.Errorf("%d messages wait, %v", n, err)
	}
	if strings.Count(w.log(), "does not take") != 1 || !strings.Contains(w.log(), "answers again") || strings.Contains(w.log(), "hidden") {
		t.Errorf("the log:\n%s", w.log())
	}
	if w.outcomes["broken failed"] == 0 || w.outcomes["broken delivered"] != 5 || w.outcomes["well delivered"] != 5 || w.outcomes["well failed"] != 0 {
		t.Errorf("%v", w.outcomes)
	}
}

// A subscriber that does not answer keeps no other one waiting, however much waits for it.
func TestOneHangs(t *testing.T) {
	w := newWorld(t)
	hanging, well := w.subscribe("hanging", nil), w.subscribe("well", nil)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is noticed
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	var err error
	hanging.URL, err = url.Parse(server.URL)
	w.Must(err)
	n := w.notifier(w.Vault)
	const messages = 3 * notify.AtOnce
	for i := range messages / 100 {
		var jobs []int
		for k := range 100 {
			jobs = append(jobs, 100*i+k)
		}
		w.done(n, jobs...)
	}
	end := w.run(n.Send)
	well.await(messages / 100 * 100)
	w.done(n, messages) // while it is being sent to the other
	well.await(messages/100*100 + 1)
	w.mu.Lock()
	failed := w.outcomes["hanging failed"] // an attempt takes ten seconds until it is ended
	w.mu.Unlock()
	if failed >= notify.FailsInARow {
		t.Errorf("the other was waited for until %d attempts had failed", failed)
	}
	end()
}

// A message that is never taken does not keep the others back.
func TestOneBadMessage(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	r.fail = func(_ int, e *webhook.Event) int {
		if e.Job.Records == 2 {
			return http.StatusBadRequest
		}
		return 0
	}
	w.done(n, 1, 2, 3)
	w.send(n)
	if r.count() != 2 {
		t.Errorf("%d messages", r.count())
	}
	w.Clock.Advance(notify.Patience)
	w.done(n, 4)
	w.send(n)
	w.Clock.Advance(time.Hour)
	w.send(n)
	if dead, err := w.Vault.GivenUp(t.Context()); dead != 1 || err != nil || r.count() != 3 {
		t.Errorf("%d given up, %v, %d messages", dead, err, r.count())
	}
	calls := r.calls
	w.Clock.Advance(365 * 24 * time.Hour)
	w.send(n)
	if r.calls != calls {
		t.Error("what was given up is sent")
	}
	r.fail = nil
	w.Must(w.Vault.Write(t.Context(), clerk, func(tx *vault.Tx) error {
		if revived, err := tx.Revive(); revived != 1 || err != nil {
			t.Errorf("%d revived, %v", revived, err)
		}
		return nil
	}))
	w.send(n)
	if r.count() != 4 {
		t.Errorf("%d messages after it was revived", r.count())
	}
	if ids := slices.Compact(slices.Clone(r.ids)); len(ids) != 4 {
		t.Errorf("%d ids", len(ids))
	}
}

// An attempt whose answer was lost comes again under the same id; other messages have others.
func TestIDs(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		ids = append(ids, request.Header.Get(webhook.HeaderID))
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	var err error
	r.URL, err = url.Parse(server.URL)
	w.Must(err)
	w.done(n, 1, 2)
	w.send(n)
	w.Clock.Advance(time.Hour)
	w.send(n)
	if len(ids) != 4 || ids[0] != ids[2] || ids[1] != ids[3] || ids[0] == ids[1] {
		t.Errorf("%v", ids)
	}
}

// Two secrets sign while one takes the place of the other.
func TestSecretsChange(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	old, fresh := r.known[0], webhook.NewSecret()
	w.subscribers[0].Secrets = []webhook.Secret{old, fresh}
	w.done(n, 1)
	w.send(n)
	r.known = []webhook.Secret{fresh}
	w.done(n, 2)
	w.send(n)
	w.subscribers[0].Secrets = []webhook.Secret{fresh}
	w.done(n, 3)
	w.send(n)
	if r.count() != 3 {
		t.Errorf("%d messages", r.count())
	}
}

// Messages of somebody who is not told any more are given up.
func TestSubscriberGone(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("gone", nil)
	n := w.notifier(w.Vault)
	w.done(n, 1)
	w.subscribers = nil
	w.send(n)
	if dead, err := w.Vault.GivenUp(t.Context()); dead != 1 || err != nil || r.calls != 0 {
		t.Errorf("%d given up, %v; called %d times", dead, err, r.calls)
	}
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	called := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusPermanentRedirect))
	t.Cleanup(server.Close)
	var err error
	r.URL, err = url.Parse(server.URL)
	w.Must(err)
	w.done(n, 1)
	w.send(n)
	if called || w.outcomes["all failed"] != 1 {
		t.Errorf("called: %v, %v", called, w.outcomes)
	}
}

// A name that leads to this machine is not called: https, as its configuration says, but not there.
func TestNameOfAPrivateAddress(t *testing.T) {
	w := newWorld(t)
	r := w.subscribe("all", nil)
	n := w.notifier(w.Vault)
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	var err error
	r.URL, err = url.Parse("https://ip6-localhost.:" + port) // a name of the hosts file, or of nobody
	w.Must(err)
	w.done(n, 1)
	w.send(n)
	if w.outcomes["all failed"] != 1 {
		t.Errorf("%v", w.outcomes)
	}
}

func TestCheck(t *testing.T) {
	secrets := []webhook.Secret{{}}
	for _, test := range []struct {
		name, url string
		events    []string
		secrets   []webhook.Secret
		ok        bool
	}{
		{"permits", "https://permits.example/x?y", []string{webhook.JobDone}, secrets, true},
		{"permits", "http://127.0.0.1:80/", nil, secrets, true},
		{"permits", "http://[::1]:80/", nil, secrets, true},
		{"permits", "http://localhost/", nil, secrets, true},
		{"permits", "http://permits.example/", nil, secrets, false},
		{"permits", "http://10.0.0.1/", nil, secrets, false},
		{"permits", "ftp://127.0.0.1/", nil, secrets, false},
		{"permits", "https://user:password@permits.example/", nil, secrets, false},
		{"permits", "https://permits.example/#x", nil, secrets, false},
		{"permits", "https:permits.example", nil, secrets, false},
		{"permits", "/x", nil, secrets, false},
		{"permits", "https://permits.example/", []string{"licence.anything"}, secrets, false},
		{"permits", "https://permits.example/", nil, nil, false},
		{"Permits", "https://permits.example/", nil, secrets, false},
		{"", "https://permits.example/", nil, secrets, false},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		err = (&notify.Subscriber{Name: test.name, URL: u, Events: test.events, Secrets: test.secrets}).Check()
		if (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if err := (&notify.Subscriber{Name: "permits", Secrets: secrets}).Check(); err == nil {
		t.Error(errors.New("no URL is a URL"))
	}
}

func TestPause(t *testing.T) {
	last := time.Duration(0)
	for attempts := range 100 {
		got := notify.PauseAfter(attempts)
		if got < last || got < 5*time.Second || got > notify.LongPause {
			t.Errorf("after %d attempts: %v", attempts, got)
		}
		last = got
	}
}
