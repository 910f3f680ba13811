package service

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/statement"
)

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool     `json:"ready"`
	Problems []string `json:"problems"` // codes; none if it is ready
	Height   uint64   `json:"height"`   // blocks of the ledger with which the vault was compared
	Blocked  []string `json:"blocked"`  // types that are not issued until what the vault has lost is brought back, or the loss is accepted
}

// Problems of readiness; part of the interface.
const (
	notBegun    = "starting"          // or ending
	notReached  = "ledger-unreached"  // the ledger cannot be reached
	notCompared = "ledger-unchecked"  // the vault was not compared with the ledger since the start
	notTheSame  = "ledger-other"      // the ledger is another one, or was put back
	notStored   = "vault-unavailable" // the vault's database does not answer
	notSigning  = "key-missing"       // there is no key in force that anchors

	// Of a service that answers requests:
	notViewing  = "index-behind"      // the view of the ledger has not caught up
	notRecent   = "view-old"          // it is older than verdicts may rest on, or without any time
	notHonest   = "ledger-discrepant" // the ledger committed what it must not
	notEnrolled = "key-not-for-log"   // nobody would believe the access log: start anew with a key in force
	notRecorded = "log-unavailable"   // the access log cannot be written, so that no request is answered
	notAnchored = "log-not-anchored"  // the anchoring of the access log has ended
)

// probeTimeout is what a question to the vault may take.
const probeTimeout = time.Second

func (s *Service) readiness(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	compared := s.comparison.state()
	r := readiness{Problems: s.releasing.problems(), Blocked: []string{}, Height: compared.height}
	for _, p := range []struct {
		code string
		is   bool
	}{
		{notBegun, !s.doors.Serving()},
		{notReached, compared.reached == no},
		{notCompared, !compared.done},
		{notTheSame, compared.other},
		{notSigning, !s.keys.has(statement.PurposeAnchor)},
		{notStored, s.parts.Vault.Ping(ctx) != nil},
	} {
		if p.is {
			r.Problems = append(r.Problems, p.code)
		}
	}
	r.Ready = len(r.Problems) == 0
	r.Blocked = append(r.Blocked, compared.blocked...)
	return r
}

// ready is readiness as the probes want it.
func (s *Service) ready(ctx context.Context) (bool, any) {
	r := s.readiness(ctx)
	return r.Ready, r
}

// count adds what Prometheus is told beside what every service tells.
func (s *Service) count() {
	s.attempts = s.metrics.Counter("webhook_attempts_total", "Attempts to send messages to subscribers.", "subscriber", "outcome")
	number := func(name, help string, ask func(context.Context) (int64, error)) {
		s.metrics.Gauge(name, help+"; -1 if the vault does not answer.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
			defer cancel()
			n, err := ask(ctx)
			if err != nil {
				return -1
			}
			return float64(n)
		})
	}
	number("webhook_waiting", "Messages that wait to be sent", s.parts.Vault.Queued)
	number("webhook_given_up", "Messages that were given up", s.parts.Vault.GivenUp)
	number("pending_batches", "Batches that are not yet known to be on the ledger, 100 at most", func(ctx context.Context) (int64, error) {
		waiting, err := s.parts.Vault.Batches(ctx, vault.Pending, 0, 0, 100)
		return int64(len(waiting)), err
	})
	gauge := s.metrics.Gauge
	gauge("compared_height_blocks", "Blocks of the ledger with which the vault was compared.", func() float64 { return float64(s.comparison.state().height) })
	gauge("blocked_types", "Types that are not issued because the vault has lost licences of theirs.", func() float64 { return float64(len(s.comparison.state().blocked)) })
	gauge("ledger_reached", "1 while the ledger can be reached.", func() float64 { return serve.Bool(s.comparison.state().reached == yes) })
	s.releasing.count(gauge)
	gauge("ready", "1 while /readyz says yes.", func() float64 { return serve.Bool(s.readiness(context.Background()).Ready) })
}
