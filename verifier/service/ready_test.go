package service_test

import (
	"net/http"
	"os"
	"slices"
	"testing"
	"time"
)

// A service that cannot write its access log answers no verification, says that it is not ready, and why, and
// is ready again once the log can be written, though nobody has asked for anything meanwhile.
func TestNotReadyWithoutAccessLog(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	var err error
	w.service, err = w.new(t.Context())
	w.must(err)
	segment := w.path("verifier/access-log/0000000000.entries")
	w.must(os.Mkdir(segment, 0o700)) // where the log's first file belongs
	w.run()
	w.await("the failure to be seen", func() bool { return slices.Contains(w.ready().Problems, "log-unavailable") })
	if v, status, err := w.verify(http.DefaultClient, w.url("web"), code); err != nil || status != http.StatusServiceUnavailable || v.Code != "log-unavailable" {
		t.Errorf("%v, %d, %+v", err, status, v)
	}
	if n := w.metric("credledger_verifier_ready"); n != 0 {
		t.Errorf("the metrics say ready: %d", n)
	}
	w.must(os.Remove(segment))
	w.await("readiness", func() bool { return w.ready().Ready })
	if got := w.outcome(code); got != "valid" {
		t.Errorf("with the log there again: %s", got)
	}
	if !w.hasLogged("writing the access log failed") || !w.hasLogged("writing the access log works again") {
		t.Error(w.logged.String())
	}
	w.must(w.end())
}

// A service whose clock is behind that of the ledger can give no verdict but undetermined, and says so.
func TestNotReadyWithClockBehind(t *testing.T) {
	w := newWorld(t)
	code := w.city.Issue("property", 1)[0].Code()
	w.start()
	w.await("readiness", func() bool { return w.ready().Ready })
	w.city.Clock.Advance(-2 * time.Minute) // as far as clocks may be apart
	if r, got := w.ready(), w.outcome(code); !r.Ready || got != "valid" {
		t.Errorf("two minutes behind: %+v, %s", r, got)
	}
	w.city.Clock.Advance(-time.Second)
	if r, got := w.ready(), w.outcome(code); !slices.Equal(r.Problems, []string{"clock-behind"}) || *r.Age != 0 || got != "undetermined" {
		t.Errorf("more than that: %+v, %s", r, got)
	}
	w.city.Clock.Advance(3 * time.Minute)
	if r := w.ready(); !r.Ready {
		t.Errorf("with the clock set: %+v", r)
	}
}
