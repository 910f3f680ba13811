package service

import (
	"context"
	"log/slog"

	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/verifier/httpapi"
)

// observe counts a request and logs it: failures of the service always, the rest when asked to.
func (s *Service) observe(c httpapi.Call) {
	s.metrics.Observe(c.Route, c.Status, c.Problem, c.Duration)
	if c.Outcome != "" {
		s.outcomes(c.Route, c.Outcome)
	}
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

// count adds what Prometheus is told beside what every service tells.
func (s *Service) count() {
	s.outcomes = s.metrics.Counter("verifications_total", "Verdicts given, and overall outcomes of cases.", "route", "outcome")
	gauge := s.metrics.Gauge
	gauge("index_height_blocks", "Blocks that the index has applied.", func() float64 { return float64(s.index.Head().Height) })
	gauge("index_anchors", "Verified anchors that the index holds in memory.", func() float64 { return float64(s.index.Anchors()) })
	gauge("index_behind_blocks", "Blocks that the ledger had more, when it was last reached.", func() float64 { return float64(s.follower.State().Behind) })
	gauge("ledger_reached", "1 while the ledger can be reached.", func() float64 { return serve.Bool(s.follower.State().Reached) })
	gauge("ledger_discrepant", "1 while the ledger has committed what it must not.", func() float64 { return serve.Bool(s.follower.State().Discrepancy != "") })
	gauge("view_age_seconds", "Seconds since the newest heartbeat of the index; -1 without any.", func() float64 {
		if age, ok := s.age(); ok {
			return max(0, age).Seconds()
		}
		return -1
	})
	gauge("access_log_entries", "Entries of the access log.", func() float64 { return float64(s.access.Size()) })
	gauge("access_log_anchored_entries", "Entries under the newest checkpoint on the ledger; -1 if the log cannot be read.", func() float64 {
		n, err := s.access.Anchored()
		if err != nil {
			return -1
		}
		return float64(n)
	})
	gauge("ready", "1 while /readyz says yes.", func() float64 { return serve.Bool(s.readiness(context.Background()).Ready) })
}
