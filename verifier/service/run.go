package service

import (
	"context"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
)

// Intervals of what is done again and again.
const (
	purgeEvery   = time.Minute
	beatEvery    = govern.HeartbeatInterval
	snapshotLook = 5 * time.Second
	flushEvery   = 30 * time.Second
	recordLook   = 5 * time.Second
)

// recordTimeout is how long the disk of the access log may take before it counts as one that hangs.
const recordTimeout = 30 * time.Second

// Run serves until ctx is done, or until a part that the service cannot do without has ended: then it
// returns why. Requests under way are finished. Afterwards everything is closed.
func (s *Service) Run(ctx context.Context) error {
	return s.doors.Run(ctx, s.log, []serve.Chore{s.follower.Run, s.anchor, s.purge, s.beat, s.keepSnapshot, s.flush, s.settle, s.tryLog}, s.Close)
}

func (s *Service) purge(ctx context.Context) error {
	return serve.Every(ctx, s.log, purgeEvery, "purging the store", s.store.Purge)
}

// flush keeps the index on disk, so that a service which is killed, and started while the ledger cannot
// be reached, still knows nearly all that it knew.
func (s *Service) flush(ctx context.Context) error {
	return serve.Every(ctx, s.log, flushEvery, "writing the index", func(context.Context) error { return s.index.Flush() })
}

func (s *Service) beat(ctx context.Context) error {
	if s.parts.Beat == nil {
		return nil
	}
	return serve.Every(ctx, s.log, beatEvery/4, "the heartbeat", s.parts.Beat)
}

// anchor anchors checkpoints of the access log. A contradiction between the log and the ledger ends it,
// and is for people to look into: the service goes on, but is not ready.
func (s *Service) anchor(ctx context.Context) error {
	err := accesslog.NewAnchorer(s.access, s.parts.Ledger).Run(ctx)
	if ctx.Err() == nil {
		s.anchoringEnded.Store(true)
		s.log.Error("the access log is anchored no more", "error", err)
	}
	return nil
}

// tryLog finds out whether verifications can be recorded, also while nobody asks for one: a service that is
// not ready is asked for none.
func (s *Service) tryLog(ctx context.Context) error {
	return serve.Every(ctx, s.log, recordLook, "writing the access log", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, recordTimeout)
		defer cancel()
		err := s.access.Check(ctx)
		s.unrecorded.Store(err != nil)
		return err
	})
}

// Reload reads agencies, matters, the policy and certificates again. What cannot be read stays as it was, and
// the error says why.
func (s *Service) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	var errs []error
	directory, err := agency.Load(s.config.Agencies)
	if err != nil {
		errs = append(errs, &serve.Error{Code: serve.CodeConfig, Message: "read " + s.config.Agencies, Err: err})
	} else {
		s.gate.Reload(directory)
	}
	errs = append(errs, s.loadMatters(), s.loadPolicy())
	if directory != nil {
		s.compare(directory)
	}
	errs = append(errs, s.doors.Reload())
	err = errors.Join(errs...)
	if err != nil {
		s.log.Error("what could not be read again stays as it was", "error", err)
	} else {
		s.log.Info("agencies, matters, policy and certificates were read again")
	}
	return err
}
