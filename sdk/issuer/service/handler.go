package service

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/issuer/httpapi"
)

// transferTimeout is what a file of an import, or of what came of it, may take on its way.
const transferTimeout = time.Hour

// patient gives great files the time that they need on a slow line.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control, until := http.NewResponseController(w), time.Now().Add(transferTimeout)
		switch {
		case r.URL.Path == "/v1/imports":
			_ = control.SetReadDeadline(until)
			_ = control.SetWriteDeadline(until)
		case strings.HasPrefix(r.URL.Path, "/v1/jobs/"), r.URL.Path == "/v1/licences/export":
			_ = control.SetWriteDeadline(until)
		}
		next.ServeHTTP(w, r)
	})
}

// observe counts a request and logs it: failures of the service always, the rest when asked to.
func (s *Service) observe(c httpapi.Call) {
	s.metrics.Observe(c.Route, c.Status, c.Problem, c.Duration)
	if c.Err == nil && !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	line := []any{
		"request", c.RequestID, "method", c.Method, "route", c.Route, "caller", c.Caller,
		"status", c.Status, "problem", c.Problem, "microseconds", c.Duration.Microseconds(),
	}
	if c.Err != nil {
		s.log.Error("a request failed", append(line, "error", c.Err)...)
		return
	}
	s.log.Debug("request", line...)
}
