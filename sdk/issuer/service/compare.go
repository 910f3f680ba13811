package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/serve"
)

// A comparison is what is known of vault and ledger together.
type comparison struct {
	mu    sync.Mutex
	known compared
	ready chan struct{} // closed once the two were compared; made by first
}

// A compared is what came of comparing vault and ledger.
type compared struct {
	done    bool   // at least once
	other   bool   // the ledger was another one when it was last asked
	reached answer // whether the ledger could be reached then
	height  uint64
	blocked []string // types
}

type answer int

const (
	unasked answer = iota
	yes
	no
)

func (c *comparison) state() compared {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}

// first is closed once vault and ledger were compared.
func (c *comparison) first() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done()
}

func (c *comparison) done() chan struct{} {
	if c.ready == nil {
		c.ready = make(chan struct{})
	}
	return c.ready
}

// note notes what came of a comparison.
func (c *comparison) note(report *vault.CatchUpReport, blocked []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.reached, c.known.other = yes, false
	switch vault.Code(err) {
	case vault.CodeUnavailable:
		c.known.reached = no
	case vault.CodeLedgerOther:
		c.known.other = true
	}
	if err != nil {
		return
	}
	c.known.height, c.known.blocked = report.To.Height, blocked
	if !c.known.done {
		c.known.done = true
		close(c.done())
	}
}

// How often vault and ledger are compared, and how long a batch may wait for the ledger before somebody looks
// after it.
const (
	compareEvery = 2 * time.Second
	waitedLong   = 30 * time.Second
)

// keepCompared compares the vault with the ledger at once and then again and again, and settles what waits: at the
// start what an earlier process has left, later what the ledger did not take while it could not be reached.
func (s *Service) keepCompared(ctx context.Context) error {
	return serve.Every(ctx, s.log, compareEvery, "comparing the vault with the ledger", s.compareOnce)
}

func (s *Service) compareOnce(ctx context.Context) error {
	report, err := s.parts.Vault.CatchUp(ctx, s.parts.Ledger)
	if err != nil {
		s.comparison.note(nil, nil, err)
		return err
	}
	for _, lost := range report.Lost {
		s.log.Error("the vault has lost licences that are on the ledger: bring them back, or accept the loss", "type", lost.Type, "root", lost.Root, "licences", lost.Size)
	}
	if report.States > 0 {
		s.log.Info("states were taken over from the ledger", "changes", report.States)
	}
	lost, err := s.parts.Vault.Lost(ctx)
	if err != nil {
		return err
	}
	var blocked []string
	for _, b := range lost {
		if !slices.Contains(blocked, b.Type) {
			blocked = append(blocked, b.Type)
		}
	}
	err = s.settle(ctx)
	s.comparison.note(report, blocked, nil) // what the ledger does not take keeps nobody from issuing
	return err
}

// settle brings to the ledger what waits: everything at the start, later what has waited long.
func (s *Service) settle(ctx context.Context) error {
	if s.comparison.state().done {
		oldest, err := s.parts.Vault.Batches(ctx, vault.Pending, 0, 0, 1)
		if err != nil || len(oldest) == 0 || s.parts.Now().Sub(time.Unix(int64(oldest[0].IssuedAt), 0)) < waitedLong {
			return err
		}
		s.log.Warn("batches have waited for the ledger; they are submitted again")
	}
	_, err := s.issuer.CatchUp(ctx)
	return err
}
