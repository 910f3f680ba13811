package service

import (
	"context"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
)

// Intervals of what is done again and again.
const (
	purgeEvery    = time.Hour
	doneEvery     = time.Minute
	expiringEvery = time.Hour
	sweepLook     = 10 * time.Minute
	beatEvery     = govern.HeartbeatInterval / 4
)

// Run serves until ctx is done, or until a part that the service cannot do without has ended: then it
// returns why. Requests under way are finished. Afterwards everything is closed that New opened.
func (s *Service) Run(ctx context.Context) error {
	chores := []serve.Chore{
		s.keepCompared, s.keepKeys, s.keepLearning, s.purge, s.sweepAtNight, s.beat,
		s.once(s.work), s.once(s.notifier.Follow), s.once(s.tellDone), s.once(s.tellExpiring), s.once(s.notifier.Send),
	}
	return s.doors.Run(ctx, s.log, append(append(chores, s.releaseChores()...), s.walletChores()...), s.Close)
}

// once begins a chore when the vault was compared with the ledger.
func (s *Service) once(chore serve.Chore) serve.Chore {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.comparison.first():
			return chore(ctx)
		}
	}
}

// work does what the API has left to be done in the background: jobs, and what was approved.
func (s *Service) work(ctx context.Context) error {
	s.api.Run(ctx, func(err error) { s.log.Error("what was begun could not be done", "error", err) })
	return nil
}

func (s *Service) tellDone(ctx context.Context) error {
	return serve.Every(ctx, s.log, doneEvery, "looking for jobs that are done", s.notifier.TellDone)
}

func (s *Service) tellExpiring(ctx context.Context) error {
	return serve.Every(ctx, s.log, expiringEvery, "looking for licences that expire", s.notifier.TellExpiring)
}

func (s *Service) purge(ctx context.Context) error {
	return serve.Every(ctx, s.log, purgeEvery, "purging the vault", s.parts.Vault.Purge)
}

func (s *Service) beat(ctx context.Context) error {
	if s.parts.Beat == nil {
		return nil
	}
	return serve.Every(ctx, s.log, beatEvery, "the heartbeat", s.parts.Beat)
}

// sweepBy is who stands in the history for what was erased after its time.
var sweepBy = vault.By{Actor: "service", Purpose: "kept long enough"}

// sweepHour is when what was kept long enough is erased, in the time of the licences' dates (UTC+8).
const sweepHour = 3

// errClock says that a clock is not to be believed that is far ahead of the ledger's newest heartbeat.
var errClock = errors.New("the newest heartbeat is old, or this machine's clock is wrong: nothing is erased by it")

// sweepAtNight erases what was kept long enough, once a night.
func (s *Service) sweepAtNight(ctx context.Context) error {
	if len(s.config.Retention) == 0 {
		return nil
	}
	var swept licence.Date
	return serve.Every(ctx, s.log, sweepLook, "erasing what was kept long enough", func(ctx context.Context) error {
		now := s.parts.Now()
		today := licence.DateOf(now)
		if now.UTC().Add(8*time.Hour).Hour() != sweepHour || swept == today {
			return nil
		}
		if s.releasing != nil && s.releasing.old() {
			return errClock
		}
		err := s.sweep(ctx, today)
		if err == nil {
			swept = today
		}
		return err
	})
}

func (s *Service) sweep(ctx context.Context, today licence.Date) error {
	n, err := s.parts.Vault.Sweep(ctx, sweepBy, s.config.Retention, today)
	if n > 0 {
		s.log.Info("what was kept long enough is erased", "licences", n)
	}
	return err
}

func (s *Service) keepKeys(ctx context.Context) error {
	return serve.Every(ctx, s.log, keysEvery, "looking for new keys", s.keys.refresh)
}

// learnEvery is how often the ledger is asked whether there is something new to issue.
const learnEvery = 5 * time.Minute

// keepLearning logs that the ledger says something else about the department than at the start.
func (s *Service) keepLearning(ctx context.Context) error {
	told := false
	return serve.Every(ctx, s.log, learnEvery, "asking the ledger about the department", func(ctx context.Context) error {
		now, err := ask(ctx, s.parts.Ledger, s.config.Department)
		if err == nil && !told && !s.learnt.same(now) {
			told = true
			s.log.Warn("the ledger has other types or units for the department than at the start: restart the service to use them")
		}
		return err
	})
}

// Reload reads staff, webhooks, keys and certificates again. What cannot be read stays as it was, and the error
// says why.
func (s *Service) Reload(ctx context.Context) error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	directory, err := s.loadStaff()
	if err == nil {
		s.gate.Reload(directory)
		s.compare(directory)
	}
	err = errors.Join(err, s.loadSubscribers(), s.keys.refresh(ctx), s.doors.Reload(), s.holding.reload())
	if err != nil {
		s.log.Error("what could not be read again stays as it was", "error", err)
	} else {
		s.log.Info("staff, webhooks, keys and certificates were read again")
	}
	return err
}
