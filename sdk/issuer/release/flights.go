package release

import (
	"context"
	"sync"

	"github.com/credledger/credledger/sdk/sm"
)

// flights are the requests that are being answered: each by one at a time.
type flights struct {
	mu   sync.Mutex
	busy map[sm.Hash]chan struct{} // closed when it is free again
}

// begin waits until nobody is answering a request, and keeps others from it until end is called.
func (f *flights) begin(ctx context.Context, request sm.Hash) (end func(), err error) {
	for {
		f.mu.Lock()
		other := f.busy[request]
		if other == nil {
			mine := make(chan struct{})
			f.busy[request] = mine
			f.mu.Unlock()
			return func() {
				f.mu.Lock()
				delete(f.busy, request)
				f.mu.Unlock()
				close(mine)
			}, nil
		}
		f.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
