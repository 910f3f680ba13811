package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
)

// Intervals of what is done again and again.
const (
	purgeEvery    = time.Minute
	beatEvery     = govern.HeartbeatInterval
	snapshotLook  = 5 * time.Second
	flushEvery    = 30 * time.Second
	shutdownGrace = 20 * time.Second
)

// Run serves until ctx is done, or until a part that the service cannot do without has ended: then it
// returns why. Requests under way are finished, for shutdownGrace at most. Afterwards everything is
// closed.
func (s *Service) Run(ctx context.Context) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var doors, chores sync.WaitGroup
	fail := func(err error) {
		if err != nil && working.Err() == nil {
			s.log.Error("the service ends", "error", err)
			stop(err)
		}
	}
	// The chores go on while the last requests are finished: they end with choring.
	choring, endChores := context.WithCancel(context.WithoutCancel(ctx))
	defer endChores()
	for _, chore := range []func(context.Context) error{s.follower.run, s.anchor, s.purge, s.beat, s.keepSnapshot, s.flush} {
		chores.Go(func() { fail(chore(choring)) })
	}
	for _, d := range s.doors {
		doors.Go(func() { fail(d.serve()) })
		s.log.Info("listening", "for", d.name, "at", d.scheme+"://"+d.listener.Addr().String())
	}
	s.serving.Store(true)

	<-working.Done()
	s.serving.Store(false)
	s.log.Info("shutting down")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	var closing sync.WaitGroup
	for _, d := range s.doors {
		closing.Go(func() { d.shutdown(ending) })
	}
	closing.Wait()
	doors.Wait()
	endChores()
	chores.Wait()
	err := s.Close()
	if cause := context.Cause(working); ctx.Err() == nil {
		err = errors.Join(cause, err)
	}
	s.log.Info("ended")
	return err
}

// every does something at once and then again and again. What fails is logged and tried again.
func (s *Service) every(ctx context.Context, interval time.Duration, what string, do func(context.Context) error) error {
	for failing := false; ; {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			s.log.Warn(what+" failed, and is tried again", "error", err)
		case err == nil && failing:
			s.log.Info(what + " works again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}

func (s *Service) purge(ctx context.Context) error {
	return s.every(ctx, purgeEvery, "purging the store", s.store.Purge)
}

// flush keeps the index on disk, so that a service which is killed, and started while the ledger cannot
// be reached, still knows nearly all that it knew.
func (s *Service) flush(ctx context.Context) error {
	return s.every(ctx, flushEvery, "writing the index", func(context.Context) error { return s.index.Flush() })
}

func (s *Service) beat(ctx context.Context) error {
	if s.parts.Beat == nil {
		return nil
	}
	return s.every(ctx, beatEvery/4, "the heartbeat", s.parts.Beat)
}

// anchor anchors checkpoints of the access log. A contradiction between the log and the ledger ends it,
// and is for people to look into: the service goes on, but is not ready.
func (s *Service) anchor(ctx context.Context) error {
	err := accesslog.NewAnchorer(s.access, s.parts.Ledger, s.parts.Signer, s.parts.Now).Run(ctx)
	if ctx.Err() == nil {
		s.anchoringEnded.Store(true)
		s.log.Error("the access log is anchored no more", "error", err)
	}
	return nil
}

// Reload reads agencies, matters and certificates again. What cannot be read stays as it was, and
// the error says why.
func (s *Service) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	var errs []error
	directory, err := agency.Load(s.config.Agencies)
	if err != nil {
		errs = append(errs, &Error{Code: CodeConfig, Message: "read " + s.config.Agencies, Err: err})
	} else {
		s.gate.Reload(directory)
	}
	errs = append(errs, s.loadMatters())
	if directory != nil {
		s.compare(directory)
	}
	if s.config.Web.Certificate != "" {
		errs = append(errs, s.web.load(&s.config.Web))
	}
	if s.tlcp != nil {
		id, err := loadTLCP(s.config.TLCP)
		if err == nil {
			s.tlcp.SetIdentity(id)
		}
		errs = append(errs, err)
	}
	err = errors.Join(errs...)
	if err != nil {
		s.log.Error("what could not be read again stays as it was", "error", err)
	} else {
		s.log.Info("agencies, matters and certificates were read again")
	}
	return err
}
