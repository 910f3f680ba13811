package verifiertest

import (
	"sync"
	"time"
)

// A Clock stands still until it is told to go on. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at a time, cut to whole seconds.
func NewClock(at time.Time) *Clock { return &Clock{now: at.Truncate(time.Second).UTC()} }

// Now returns the time of the clock: pass it where a func() time.Time is wanted.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Unix returns the time in seconds since 1970-01-01T00:00:00Z.
func (c *Clock) Unix() uint64 { return uint64(c.Now().Unix()) }

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
