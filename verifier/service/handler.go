package service

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/credledger/credledger/verifier/httpapi"
)

// handler is what the listeners of callers serve: probes before all limits, then the gate, then the API
// with the pages.
func (s *Service) handler(api *httpapi.API) http.Handler {
	refuse := func(w http.ResponseWriter, r *http.Request, code string) {
		if code == "overloaded" {
			s.metrics.shed.WithLabelValues("requests").Inc()
		}
		api.Refuse(w, r, code, time.Second)
	}
	g := &gate{max: int64(s.config.Limits.Concurrent), refuse: refuse, next: patient(api)}
	return s.probes(throughProxies(s.config.Web.Proxies, g))
}

// patient gives the download of a snapshot the time that it needs on a slow line.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/snapshots/") {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTimeout))
		}
		next.ServeHTTP(w, r)
	})
}

// observe counts a request and logs it: failures of the service always, the rest when asked to.
func (s *Service) observe(c httpapi.Call) {
	s.metrics.observe(c)
	if c.Err == nil && !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	line := []any{
		"request", c.RequestID, "method", c.Method, "route", c.Route, "caller", c.Caller, "agency", c.Agency,
		"status", c.Status, "outcome", c.Outcome, "problem", c.Problem, "microseconds", c.Duration.Microseconds(),
	}
	if c.Err != nil {
		s.log.Error("a request failed", append(line, "error", c.Err)...)
		return
	}
	s.log.Debug("request", line...)
}
