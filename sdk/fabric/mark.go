package fabric

import (
	"sync"
	"sync/atomic"
	"time"
)

// A mark is the greatest of some numbers. Zero is a mark at 0.
type mark struct{ value atomic.Uint64 }

func (m *mark) raise(value uint64) {
	for {
		old := m.value.Load()
		if value <= old || m.value.CompareAndSwap(old, value) {
			return
		}
	}
}

func (m *mark) get() uint64 { return m.value.Load() }

// A bell wakes all who wait for it. Zero is a bell.
type bell struct {
	mu sync.Mutex
	c  chan struct{}
}

// next returns a channel that is closed at the next ring.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// A pace is how long something took of late: an exponentially weighted mean. Zero has seen nothing.
type pace struct{ mean atomic.Int64 }

func (p *pace) note(took time.Duration) {
	for {
		old := p.mean.Load()
		next := int64(took)
		if old > 0 {
			next = old + (next-old)/8
		}
		if p.mean.CompareAndSwap(old, next) {
			return
		}
	}
}

// times returns the mean n times, kept within bounds.
func (p *pace) times(n int64, least, most time.Duration) time.Duration {
	return min(max(time.Duration(n*p.mean.Load()), least), most)
}
