package fabric

import (
	"context"
	"errors"
	"sync"
	"time"
)

// forEach runs a step for each of a list at the same time; the first error ends the others and is
// returned.
func forEach[T any](ctx context.Context, list []T, step func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, v := range list {
		wg.Go(func() {
			if err := step(ctx, v); err != nil {
				cancel(err) // the first cause stays
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// together runs steps at the same time, like forEach.
func together(ctx context.Context, steps ...func(context.Context) error) error {
	return forEach(ctx, steps, func(ctx context.Context, step func(context.Context) error) error { return step(ctx) })
}

const (
	patience      = time.Minute // with a step that does not succeed
	retryInterval = 100 * time.Millisecond
)

var errPatience = errors.New("patience is at an end")

// until tries a step of this machine until it succeeds. It gives up when a process that the step
// needs has died, or when patience is at an end.
func (n *Network) until(ctx context.Context, what string, needs []*node, step func(context.Context) error) error {
	return n.untilWithin(ctx, patience, what, needs, step)
}

// untilAll tries a step that needs what other hosts do: if there are any, without an end.
func (n *Network) untilAll(ctx context.Context, what string, needs []*node, step func(context.Context) error) error {
	limit := patience
	if n.Host != "" {
		limit = 365 * 24 * time.Hour
	}
	return n.untilWithin(ctx, limit, what, needs, step)
}

func (n *Network) untilWithin(ctx context.Context, limit time.Duration, what string, needs []*node, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errPatience)
	defer cancel()
	var last error
	for {
		err := step(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if permanent(err) {
			return err
		}
		for _, p := range needs {
			if err := n.died(p); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
				return cause
			}
			return failf(CodeNotReady, "%s: not done within %v: %w", what, limit, last)
		case <-time.After(retryInterval):
		}
	}
}

// permanent reports whether an error stays, however often the step is tried.
func permanent(err error) bool {
	c := Code(err)
	return c != "" && c != CodeCommand
}
