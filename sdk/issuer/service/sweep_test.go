package service_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/licence"
)

// What was kept long enough is erased, and nothing else.
func TestSweep(t *testing.T) {
	w := newWorld(t, "")
	w.config.Retention = map[string]int{"property": 10}
	w.begin()
	ended, kept := w.mustIssue(), w.mustIssue()
	if _, code, err := w.call(http.DefaultClient, "web", "/v1/licences/"+licenceID(ended)+"/status", "", w.change(licence.Revoked)); err != nil || code != http.StatusOK {
		t.Fatal(code, err)
	}
	today := licence.DateOf(w.Clock.Now())
	w.Must(service.Sweep(w.service, t.Context(), today+10))
	if w.erased(ended) {
		t.Error("it is erased too early")
	}
	w.Must(service.Sweep(w.service, t.Context(), today+11))
	if !w.erased(ended) || w.erased(kept) {
		t.Errorf("erased: the one that ended %v, the one that did not %v", w.erased(ended), w.erased(kept))
	}
}

// A clock that is ahead by years erases nothing, as long as no heartbeat says that these have passed.
func TestSweepByWrongClock(t *testing.T) {
	w := newWorld(t, "")
	w.config.Retention = map[string]int{"property": 10}
	w.begin()
	ended := w.mustIssue()
	if _, code, err := w.call(http.DefaultClient, "web", "/v1/licences/"+licenceID(ended)+"/status", "", w.change(licence.Revoked)); err != nil || code != http.StatusOK {
		t.Fatal(code, err)
	}
	w.Must(w.end())
	now := w.Clock.Now().UTC()
	night := time.Date(now.Year()+3, time.January, 1, 19, 5, 0, 0, time.UTC) // 03:05 in UTC+8
	w.Clock.Advance(night.Sub(now))
	w.start()
	w.await("the night", func() bool { return w.hasLogged("erasing what was kept long enough failed") })
	if w.erased(ended) {
		t.Error("it is erased by a clock that is wrong")
	}
	w.Must(w.end())
	w.beat(2)
	w.start()
	w.await("it to be erased", func() bool { return w.erased(ended) })
}
