package serve

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// shutdownGrace is how long requests under way have to be finished.
const shutdownGrace = 20 * time.Second

// A Chore is what a service does beside answering, until ctx is done. If it returns an error before, the
// service ends.
type Chore func(ctx context.Context) error

// Run serves until ctx is done, or until a listener or a chore has ended with an error, which it then
// returns. Requests under way are finished, for shutdownGrace at most, and the chores go on meanwhile;
// then they are ended, and then closing closes what the service stands on.
func (d *Doors) Run(ctx context.Context, log *slog.Logger, chores []Chore, closing func() error) error {
	addPlaces()
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var open, busy sync.WaitGroup
	fail := func(err error) {
		if err != nil && working.Err() == nil {
			log.Error("the service ends", "error", err)
			stop(err)
		}
	}
	choring, endChores := context.WithCancel(context.WithoutCancel(ctx))
	defer endChores()
	for _, chore := range chores {
		busy.Go(func() { fail(chore(choring)) })
	}
	for _, door := range d.doors {
		open.Go(func() { fail(door.serve()) })
		log.Info("listening", "for", door.name, "at", door.url())
	}
	d.serving.Store(true)

	<-working.Done()
	d.serving.Store(false)
	log.Info("shutting down")
	d.shutdown(context.WithoutCancel(ctx))
	open.Wait()
	endChores()
	busy.Wait()
	err := closing()
	if cause := context.Cause(working); ctx.Err() == nil {
		err = errors.Join(cause, err)
	}
	log.Info("ended")
	return err
}

// shutdown ends the listeners: no new connections, and requests under way are finished.
func (d *Doors) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	var closing sync.WaitGroup
	for _, door := range d.doors {
		closing.Go(func() { door.shutdown(ctx) })
	}
	closing.Wait()
}

// Every does something at once and then again and again, until ctx is done. What fails is logged, once, and
// tried again.
func Every(ctx context.Context, log *slog.Logger, interval time.Duration, what string, do func(context.Context) error) error {
	for failing := false; ; {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			log.Warn(what+" failed, and is tried again", "error", err)
		case err == nil && failing:
			log.Info(what + " works again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}
