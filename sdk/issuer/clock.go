package issuer

import (
	"sync"
	"time"
)

// A clock gives dates of issue, which never go back.
type clock struct {
	now func() time.Time

	mu     sync.Mutex
	newest uint64 // date of issue so far
}

// next returns the present as statements carry it, in seconds since 1970, or the newest date of issue if the
// clock lags behind that.
func (c *clock) next() uint64 {
	now := uint64(max(c.now().Unix(), 0))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, now)
	return c.newest
}

// atLeast has the clock give no date before one.
func (c *clock) atLeast(newest uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(c.newest, newest)
}

// behind returns by how much the clock lags behind the newest date of issue.
func (c *clock) behind() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Duration(int64(c.newest)-c.now().Unix())*time.Second)
}
