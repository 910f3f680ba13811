package httpapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// wantCounts waits until these requests are counted, KIND DEPARTMENT MATTER NUMBER each.
func wantCounts(t *testing.T, s *httpapitest.Server, want ...string) {
	t.Helper()
	day := licence.DateOf(s.Clock.Now())
	var got []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		counts, err := s.Store.Counts(t.Context(), day, day)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, c := range counts {
			got = append(got, fmt.Sprintf("%s %s %s %d", c.Kind, c.Department, c.Matter, c.Number))
		}
		if slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("counted are %q, want %q", got, want)
}

// What the access log has no entry of is counted: refusals for over-asking, and requests of agencies that the
// verifier itself did not answer; nothing else.
func TestCounts(t *testing.T) {
	log := new(faultyLog)
	s := httpapitest.New(t, func(c *httpapi.Config) {
		log.AccessLog = c.AccessLog
		c.AccessLog = log
	})
	house := s.Issue("property", 1)[0].Code("location", "area")
	tax, counter := s.Agency(s.Tax), s.Agency(s.Counter)
	context := members{"clerk": "李雷", "unit": "办税服务厅", "matter": transfer}
	ask := func(change members) members {
		body := members{"code": house, "context": maps.Clone(context)}
		for k, v := range change {
			body["context"].(members)[k] = v
		}
		return body
	}
	tooMuch := ask(nil)
	tooMuch["fields"] = []string{"area"}

	tax.Post("/v1/verifications", ask(nil)).Want(t, http.StatusOK)
	tax.Post("/v1/verifications", ask(members{"matter": "company-opening"})).Problem(t, "matter-refused")
	tax.Post("/v1/verifications", ask(members{"clerk": ""})).Problem(t, "member-invalid")
	tax.Post("/v1/verifications", members{"code": "nonsense", "context": context}).Want(t, http.StatusUnprocessableEntity)
	tax.Post("/v1/verifications", tooMuch).Problem(t, "over-asking")
	tax.Post("/v1/verifications", tooMuch).Problem(t, "over-asking")
	shop := ask(nil)
	shop["code"] = s.Issue("business", 1)[0].Code()
	tax.Post("/v1/verifications", shop).Problem(t, "type-refused")
	wantCounts(t, s, "over-asking tax "+transfer+" 3")

	log.before = &accesslog.Error{Code: accesslog.CodeStorage, Message: "the disk is full"}
	s.Post("/v1/verifications", members{"code": house}).Problem(t, "log-unavailable") // the public's
	tax.Post("/v1/verifications", ask(nil)).Problem(t, "log-unavailable")
	tax.Post("/v1/verifications", tooMuch).Problem(t, "over-asking")
	x := newSale(s)
	sale := members{"case": "1", "context": members{"clerk": "a", "unit": "b"}, "licences": []members{{"code": verifiertest.Code(t, x.showCouple())}}}
	counter.Post(transferPath, sale).Problem(t, "log-unavailable") // for two departments
	sale["onBehalf"] = []string{"tax"}
	counter.Post(transferPath, sale).Problem(t, "log-unavailable")
	counter.Post("/v1/verifications", ask(members{"onBehalf": "natural-resources"})).Problem(t, "log-unavailable")
	wantCounts(t, s,
		"over-asking tax "+transfer+" 4",
		"unanswered natural-resources "+transfer+" 2",
		"unanswered tax "+transfer+" 3")
	log.before = nil
	counter.Post("/v1/verifications", ask(members{"onBehalf": "nobody"})).Problem(t, "on-behalf-refused")
	tax.Post("/v1/verifications", ask(nil)).Want(t, http.StatusOK)
	wantCounts(t, s,
		"over-asking tax "+transfer+" 4",
		"unanswered natural-resources "+transfer+" 2",
		"unanswered tax "+transfer+" 3")
}
