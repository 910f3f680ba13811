package agency

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"

	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of signing in.
const (
	attempts      = 5                // at once, for one name
	attemptsEvery = 12 * time.Second // then one in this time
	attemptPlaces = 4096             // that names share; see signIns
	atOnce        = 2                // passwords that are checked at a time: each takes a core for a while
)

// signIns holds back the guessing of passwords. Every name, of a clerk or not, has its place among
// a fixed number, which depends on a random key: attempts need no memory, and tell nothing.
type signIns struct {
	key    [32]byte
	limits [attemptPlaces]*rate.Limiter
	checks chan struct{} // holds one value for each password that is checked
}

func newSignIns() *signIns {
	s := &signIns{checks: make(chan struct{}, atOnce)}
	rand.Read(s.key[:])
	for i := range s.limits {
		s.limits[i] = rate.NewLimiter(rate.Every(attemptsEvery), attempts)
	}
	return s
}

// limit returns the limiter of a name.
func (s *signIns) limit(agency, clerk string) *rate.Limiter {
	h := sm.Sum(slices.Concat(s.key[:], []byte(agency), []byte{0}, []byte(clerk)))
	return s.limits[binary.BigEndian.Uint16(h[:])%attemptPlaces]
}

// decoy returns a hash of a cost, which is nobody's password: it takes as long to compare with.
func decoy(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 53))
}

// SignIn tells whether a clerk's name and password are right. The error is a *Refusal: CodeSignIn,
// CodeSignInLimited or, to somebody who knows the password, CodeAddress; or ctx's.
func (g *Gate) SignIn(ctx context.Context, agency, clerk, password string, from netip.Addr) (*Agency, *Clerk, error) {
	wrong := refuse(CodeSignIn, "agency, name or password is wrong")
	if len(agency) > MaxPassword || len(clerk) > 4*MaxText || len(password) > MaxPassword {
		return nil, nil, wrong
	}
	if wait, ok := take(g.signIns.limit(agency, clerk), g.now()); !ok {
		return nil, nil, &Refusal{Code: CodeSignInLimited, RetryAfter: wait, Message: "too many attempts for this name; wait, then try again"}
	}
	select {
	case g.signIns.checks <- struct{}{}:
		defer func() { <-g.signIns.checks }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	d := g.Directory()
	hash := decoy(d.cost)
	a, c := d.byID[agency], (*Clerk)(nil)
	if a != nil {
		c = a.Clerk(clerk)
	}
	if c != nil {
		hash = c.password
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || c == nil {
		return nil, nil, wrong
	}
	if !a.from(from) {
		return nil, nil, refuse(CodeAddress, "clerks of this agency sign in from the addresses on file only; this call came from elsewhere")
	}
	return a, c, nil
}
