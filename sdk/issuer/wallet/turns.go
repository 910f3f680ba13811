package wallet

import (
	"context"
	"sync"
)

// turns have those who add to something of which there can only be so many do so one after the other, so that each counts what
// the one before has added. They are those of one process: with several, a few more can be added at the same moment.
type turns struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // by what is added to; closed when it is free again
}

func (t *turns) init() { t.busy = map[string]chan struct{}{} }

// take waits until nobody adds to something, and keeps others from it until done is called.
func (t *turns) take(ctx context.Context, what string) (done func(), err error) {
	for {
		t.mu.Lock()
		other := t.busy[what]
		if other == nil {
			mine := make(chan struct{})
			t.busy[what] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.busy, what)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
