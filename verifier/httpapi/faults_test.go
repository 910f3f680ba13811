package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// faultyLog is a log that can fail, also after it has recorded.
type faultyLog struct {
	httpapi.AccessLog
	before, after error
}

func (l *faultyLog) Append(ctx context.Context, d *accesslog.Draft) (accesslog.Place, error) {
	if l.before != nil {
		return accesslog.Place{}, l.before
	}
	p, err := l.AccessLog.Append(ctx, d)
	if l.after != nil {
		return accesslog.Place{}, l.after
	}
	return p, err
}

// What cannot be recorded is not answered.
func TestLogFails(t *testing.T) {
	log := new(faultyLog)
	s := httpapitest.New(t, func(c *httpapi.Config) {
		log.AccessLog = c.AccessLog
		c.AccessLog = log
	})
	house := s.Issue("property", 1)[0]
	cause := &accesslog.Error{Code: accesslog.CodeStorage, Message: "the disk is full"}
	for _, fault := range []func(error){func(err error) { log.before = err }, func(err error) { log.after = err }} {
		fault(cause)
		a := s.Post("/v1/verifications", members{"code": house.Code("location")}).Problem(t, "log-unavailable")
		if a.Header.Get("Retry-After") == "" || strings.Contains(string(a.Body), "disk") || strings.Contains(string(a.Body), "示范市") {
			t.Errorf("%s", a.Body)
		}
		calls := s.Calls()
		if last := calls[len(calls)-1]; !errors.Is(last.Err, cause) || last.Problem != "log-unavailable" || last.Outcome != "" {
			t.Errorf("%+v", last)
		}
		x := newSale(s)
		s.Agency(s.Counter).Post(transferPath, members{"case": "1", "context": members{"clerk": "a", "unit": "b"},
			"licences": []members{{"code": verifiertest.Code(t, x.showCouple())}}}).Problem(t, "log-unavailable")
		fault(nil)
		s.Post("/v1/verifications", members{"code": house.Code("location")}).Want(t, http.StatusOK)
	}
}

// brokenStore fails at everything.
type brokenStore struct{ err error }

func (b brokenStore) NewChallenge(string, time.Duration) (store.Challenge, error) {
	return store.Challenge{}, b.err
}
func (b brokenStore) Count(store.CountKind, string, string)                 {}
func (b brokenStore) RedeemChallenge(context.Context, []byte, string) error { return b.err }
func (b brokenStore) PutReference(context.Context, []byte, time.Duration) (string, time.Time, error) {
	return "", time.Time{}, b.err
}
func (b brokenStore) TakeReference(context.Context, string) ([]byte, error) { return nil, b.err }
func (b brokenStore) NewSession(context.Context, string, string, time.Duration) (string, time.Time, error) {
	return "", time.Time{}, b.err
}
func (b brokenStore) Session(context.Context, string) (store.Session, error) {
	return store.Session{}, b.err
}
func (b brokenStore) EndSession(context.Context, string) error { return b.err }

func TestStoreFails(t *testing.T) {
	cause := errors.New("no connection to 10.0.0.1")
	s := httpapitest.New(t, func(c *httpapi.Config) {
		c.Store = brokenStore{&store.Error{Code: store.CodeUnavailable, Message: "the store cannot be reached", Err: cause}}
	})
	house := s.Issue("property", 1)[0]
	nonce := make([]byte, 40)
	for name, a := range map[string]httpapitest.Answer{
		"challenge":        s.Post("/v1/challenges", members{}),
		"redeem":           s.Post("/v1/verifications", members{"code": house.Code(), "nonce": fmt.Sprintf("%x", nonce)}),
		"reference":        s.Post("/v1/references", members{"presentation": base64Of(house.Show().Bytes())}),
		"take a reference": s.Post("/v1/verifications", members{"code": "https://verify.example/r/" + strings.Repeat("a", 32)}),
		"sign in": s.With("CredLedger-Counter", "1").Post("/v1/sessions",
			members{"agency": httpapitest.CounterID, "clerk": httpapitest.Clerk, "password": httpapitest.Password}),
		"session": s.With("Cookie", "credledger-session="+strings.Repeat("A", 32)).Get("/v1/me"),
	} {
		a.Problem(t, "store-unavailable")
		if strings.Contains(string(a.Body), "10.0.0.1") || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK) // needs no store
	calls := s.Calls()
	if !errors.Is(calls[0].Err, cause) {
		t.Errorf("%+v", calls[0])
	}
}

func TestPanic(t *testing.T) {
	var broken func() *matter.Catalog
	s := httpapitest.New(t, func(c *httpapi.Config) {
		c.Matters = func() *matter.Catalog { return broken() }
	})
	for _, f := range []func() *matter.Catalog{
		func() *matter.Catalog { panic("with a value in it") },
		func() *matter.Catalog { var none []int; _ = none[len(s.Tax)]; return nil },
	} {
		broken = f
		a := s.Get("/v1/matters").Problem(t, "internal")
		calls := s.Calls()
		last := calls[len(calls)-1]
		if a.Status != 500 || strings.Contains(string(a.Body)+last.Err.Error(), "with a value") || !strings.Contains(last.Err.Error(), "faults_test.go") {
			t.Errorf("%s, %+v", a.Body, last)
		}
	}
	broken = func() *matter.Catalog { panic(http.ErrAbortHandler) }
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the server is not told to hang up")
		}
	}()
	serve(s, newRequest(t, http.MethodGet, "/v1/matters", nil))
}

func TestRefuse(t *testing.T) {
	s := httpapitest.New(t)
	w := newRecorder()
	s.API.Refuse(w, newRequest(t, http.MethodPost, "/v1/verifications", nil), "overloaded", 1500*time.Millisecond)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), `"code":"overloaded"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if calls := s.Calls(); len(calls) != 1 || calls[0].Problem != "overloaded" || calls[0].Route != "" {
		t.Errorf("%+v", calls)
	}
	w = newRecorder()
	s.API.Refuse(w, newRequest(t, http.MethodGet, "/", nil), "no-such-code", 0)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A challenge is redeemed once among the replicas that share a store, and stays so when one starts again.
func TestReplicas(t *testing.T) {
	city := verifiertest.New(t)
	house := city.Issue("property", 1)[0]
	file := filepath.Join(t.TempDir(), "shared.db")
	shared := func(c *httpapi.Config) {
		opened, err := store.Open(t.Context(), file, city.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { opened.Close() })
		c.Store = opened
	}
	replicas := []*httpapitest.Server{httpapitest.NewOn(t, city, shared), httpapitest.NewOn(t, city, shared), httpapitest.NewOn(t, city, shared)}
	nonce := nonceOf(t, replicas[0])
	body := members{"credential": base64Of(house.Prove(verifiertest.Host, nonce).Bytes()), "nonce": fmt.Sprintf("%x", nonce), "holderRequired": true}
	reference := replicas[1].Post("/v1/references", members{"presentation": base64Of(house.Show().Bytes())}).Want(t, http.StatusCreated).Text("url")
	var mu sync.Mutex
	statuses := map[string]int{}
	var wait sync.WaitGroup
	for i := range 12 {
		wait.Go(func() {
			a := replicas[i%3].Post("/v1/verifications", body)
			b := replicas[i%3].Post("/v1/verifications", members{"code": reference})
			mu.Lock()
			defer mu.Unlock()
			statuses[a.Text("verdict.axes.holder.reason")+a.Text("code")]++
			statuses[b.Text("verdict.outcome")+b.Text("code")]++
		})
	}
	wait.Wait()
	if statuses["holder-proven"] != 1 || statuses["challenge-used"] != 11 || statuses["valid"] != 1 || statuses["reference-used"] != 11 {
		t.Errorf("%v", statuses)
	}
	again := httpapitest.NewOn(t, city, shared)
	again.Post("/v1/verifications", body).Problem(t, "challenge-used")
	again.Post("/v1/verifications", members{"code": reference}).Problem(t, "reference-used")
}

// Many callers at once are all recorded, each with its own receipt.
func TestManyAtOnce(t *testing.T) {
	s := httpapitest.New(t)
	houses := s.Issue("property", 8)
	var bodies [][]byte
	for _, house := range houses {
		bodies = append(bodies, encode(t, members{"code": house.Code("location")}))
	}
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Go(func() {
			for range 4 {
				w := serve(s, newRequest(t, http.MethodPost, "/v1/verifications", bytes.NewReader(bodies[i%8])))
				if !strings.Contains(w.Body.String(), `"digest":"`+houses[i%8].Digest.String()) {
					t.Errorf("another's answer: %s", w.Body)
				}
			}
		})
	}
	wait.Wait()
	if n := s.Log.Size(); n != 256 {
		t.Errorf("%d entries", n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := httpapi.New(httpapi.Config{}); err == nil {
		t.Error("an API that stands on nothing")
	}
	for _, change := range []func(*httpapi.Config){
		func(c *httpapi.Config) { c.AccessLog = nil },
		func(c *httpapi.Config) { c.Observe = nil },
		func(c *httpapi.Config) { c.Host = "" },
		func(c *httpapi.Config) { c.Host = strings.Repeat("a", 151) },
		func(c *httpapi.Config) { c.Public.Burst = 0 },
	} {
		httpapitest.New(t, func(c *httpapi.Config) {
			wrong := *c
			change(&wrong)
			if _, err := httpapi.New(wrong); err == nil {
				t.Error("it is taken as it is")
			}
		})
	}
}
