package notify_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/issuertest"
	"github.com/credledger/credledger/sdk/issuer/notify"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webhook"
)

var clerk = vault.By{Actor: "clerk", Purpose: "test"}

// A world is a town that issues, and tells its subscribers.
type world struct {
	*issuertest.Town
	issuer      *issuer.Issuer
	subscribers []*notify.Subscriber
	logged      strings.Builder
	mu          sync.Mutex
	outcomes    map[string]int // of attempts
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Town: issuertest.New(t, "property", ""), outcomes: map[string]int{}}
	w.issuer = w.Issuer(w.Vault)
	return w
}

// notifier makes a notifier on a vault.
func (w *world) notifier(v *vault.Vault) *notify.Notifier {
	return notify.New(notify.Config{
		Vault: v, Ledger: w.Ledger, Subscribers: func() []*notify.Subscriber { return w.subscribers },
		Types: func() []string { return []string{"property"} }, Expiring: 30, Now: w.Clock.Now,
		Log: slog.New(slog.NewTextHandler(w, nil)), Attempts: func(subscriber, outcome string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outcomes[subscriber+" "+outcome]++
		},
	})
}

// Write implements io.Writer, for the log.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.Write(b)
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logged.String()
}

// run runs chores until the returned function is called.
func (w *world) run(chores ...func(context.Context) error) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, chore := range chores {
		running.Go(func() {
			if err := chore(ctx); err != nil {
				w.Error(err)
			}
		})
	}
	end = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.Cleanup(end)
	return end
}

// issue issues the n-th licence.
func (w *world) issue(n int, until *licence.Date) *vault.Licence {
	w.Helper()
	issued, err := w.issuer.Apply(w.Context(), clerk, &issuer.Application{Type: "property", Record: w.Record(n), ValidUntil: until})
	w.Must(err)
	return issued.Licence
}

// set changes the status of a licence through an issuer.
func (w *world) set(iss *issuer.Issuer, l *vault.Licence, to licence.State, reason string) {
	w.Helper()
	subject, err := iss.Subject(w.Context(), l.ID)
	w.Must(err)
	_, err = iss.SetStatus(w.Context(), clerk, []issuer.StatusChange{{Licence: subject, To: to, Reason: reason}}, nil)
	w.Must(err)
}

// A receiver is a subscriber's server, which keeps what it gets.
type receiver struct {
	*world
	*notify.Subscriber
	known []webhook.Secret
	mu    sync.Mutex
	ids   []webhook.ID
	got   []*webhook.Event
	raw   []string
	fail  func(calls int, event *webhook.Event) int // status; 0: success
	calls int
	seen  *webhook.Memory

	// endings: who sends is ended meanwhile. A message whose answer it did not read comes again, under its id.
	endings bool
}

func (w *world) subscribe(name string, change func(*notify.Subscriber)) *receiver {
	w.Helper()
	secret := webhook.NewSecret()
	r := &receiver{world: w, known: []webhook.Secret{secret}, seen: webhook.NewMemory(w.Clock.Now)}
	server := httptest.NewServer(r)
	w.Cleanup(server.Close)
	u, err := url.Parse(server.URL + "/hook?token=hidden")
	w.Must(err)
	r.Subscriber = &notify.Subscriber{Name: name, URL: u, Secrets: r.known}
	if change != nil {
		change(r.Subscriber)
	}
	w.Must(r.Check())
	w.subscribers = append(w.subscribers, r.Subscriber)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	body, err := io.ReadAll(io.LimitReader(request.Body, webhook.MaxBody+1))
	if err != nil || request.Method != http.MethodPost {
		r.Errorf("%s %v", request.Method, err)
	}
	if r.fail != nil {
		event, _ := webhook.ParseEvent(body)
		if status := r.fail(r.calls, event); status != 0 {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
			return
		}
	}
	id, event, err := webhook.Verify(r.known, request.Header, body, r.Clock.Now(), r.seen)
	switch {
	case webhook.Code(err) == webhook.CodeReplayed && r.endings:
		return
	case webhook.Code(err) == webhook.CodeReplayed:
		r.Errorf("%s came twice", id)
	case err != nil:
		r.Errorf("a message: %v", err)
	}
	r.ids, r.got, r.raw = append(r.ids, id), append(r.got, event), append(r.raw, string(body))
}

// await waits until there are n messages, and returns them.
func (r *receiver) await(n int) []*webhook.Event {
	r.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		got := slices.Clone(r.got)
		r.mu.Unlock()
		if len(got) >= n {
			if len(got) > n {
				r.Errorf("%d messages, not %d", len(got), n)
			}
			return got
		}
		if time.Now().After(deadline) {
			r.Fatalf("%d messages, not %d\n%s", len(got), n, r.log())
		}
	}
}

// awaitNoted waits until it is noted of every message that it was taken. Until then it would be sent again when its
// lease is over.
func (w *world) awaitNoted() {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		queued, err := w.Vault.Queued(w.Context())
		w.Must(err)
		if queued == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%d messages are not noted\n%s", queued, w.log())
		}
	}
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}
