package callers

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"

	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of signing in.
const (
	attempts      = 5                // at once, for one name
	attemptsEvery = 12 * time.Second // then one in this time
	attemptPlaces = 4096             // that names share; see SignIns
	atOnce        = 2                // passwords that are checked at a time: each takes a core for a while
	mostWaiting   = 64               // passwords that are checked or wait for it: a department that opens
)

// ErrBusy says that too many passwords wait to be checked. It may be tried again a moment later.
var ErrBusy = errors.New("too many people sign in at this moment")

// SignIns holds back the guessing of passwords. Every name, of somebody or not, has its place among
// a fixed number, which depends on a random key: attempts need no memory, and tell nothing. It is safe
// for concurrent use.
type SignIns struct {
	key    [32]byte
	limits [attemptPlaces]*rate.Limiter
	places chan struct{} // holds one value for each password that is checked or waits for that
	checks chan struct{} // holds one value for each password that is checked
}

// NewSignIns returns one that has seen no attempt.
func NewSignIns() *SignIns {
	s := &SignIns{key: randomKey(), places: make(chan struct{}, mostWaiting), checks: make(chan struct{}, atOnce)}
	for i := range s.limits {
		s.limits[i] = rate.NewLimiter(rate.Every(attemptsEvery), attempts)
	}
	return s
}

// limit returns the limiter of a name.
func (s *SignIns) limit(name string) *rate.Limiter {
	h := sm.Sum(slices.Concat(s.key[:], []byte(name)))
	return s.limits[binary.BigEndian.Uint16(h[:])%attemptPlaces]
}

// Attempt counts an attempt to sign in with a name. If there were too many it returns how long to wait.
func (s *SignIns) Attempt(name string, now time.Time) (wait time.Duration, ok bool) {
	return Take(s.limit(name), now)
}

// Check reports whether a password is the one that is on file; nil: there is no such name, which takes
// as long. The error is ErrBusy or ctx's.
func (s *SignIns) Check(ctx context.Context, password string, on Password, cost Cost) (right bool, err error) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return false, ErrBusy
	}
	select {
	case s.checks <- struct{}{}:
		defer func() { <-s.checks }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := on != nil
	if !known {
		on = cost.decoy()
	}
	return bcrypt.CompareHashAndPassword(on, []byte(password)) == nil && known, nil
}
