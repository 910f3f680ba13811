package callers

import (
	"errors"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// A Rate bounds how often somebody calls: so many times a second on average, and so many at once.
type Rate struct {
	PerSecond float64 `yaml:"perSecond"`
	Burst     int     `yaml:"burst"`
}

// maxRate is as good as none.
const maxRate = 1e6

// Check returns what is wrong with a rate, nil if nothing is.
func (r Rate) Check() error {
	if math.IsNaN(r.PerSecond) || r.PerSecond <= 0 || r.PerSecond > maxRate || r.Burst < 1 || r.Burst > maxRate {
		return errors.New("rate: perSecond must be more than 0, and burst at least 1, as in {perSecond: 50, burst: 100}")
	}
	return nil
}

// Limiter returns one that holds somebody to the rate. It goes on as last is, unless that is nil.
func (r Rate) Limiter(last *rate.Limiter, now time.Time) *rate.Limiter {
	if last == nil {
		return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
	}
	last.SetLimitAt(now, rate.Limit(r.PerSecond))
	last.SetBurstAt(now, r.Burst)
	return last
}

// Take takes one call from a limiter, or says how long to wait for it.
func Take(l *rate.Limiter, now time.Time) (wait time.Duration, ok bool) {
	if l.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(max(missing, 0) / float64(l.Limit()) * float64(time.Second)), false
}
