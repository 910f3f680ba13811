package staff

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/credledger/credledger/sdk/callers"
)

// A Gate admits calls by a Directory. It is safe for concurrent use.
type Gate struct {
	now      func() time.Time
	state    atomic.Pointer[state]
	signIns  *callers.SignIns
	sessions *sessions
}

// A state is a directory with what is kept about its callers from call to call.
type state struct {
	*Directory
	limiters map[string]*rate.Limiter // by name
}

// NewGate returns a gate; now is the clock.
func NewGate(d *Directory, now func() time.Time) *Gate {
	g := &Gate{now: now, signIns: callers.NewSignIns(), sessions: newSessions()}
	g.Reload(d)
	return g
}

// Reload has calls from now on admitted by another directory. Rates go on as they are; who is no
// longer in it is not admitted again, and their sessions are over.
func (g *Gate) Reload(d *Directory) {
	next := &state{Directory: d, limiters: map[string]*rate.Limiter{}}
	last := g.state.Load()
	for _, c := range d.callers {
		var kept *rate.Limiter
		if last != nil {
			kept = last.limiters[c.Name]
		}
		next.limiters[c.Name] = c.Rate.Limiter(kept, g.now())
	}
	g.state.Store(next)
}

// Directory returns the one that calls are admitted by now.
func (g *Gate) Directory() *Directory { return g.state.Load().Directory }

// Admit tells which system calls. The error is a *Refusal: CodeUnauthenticated, CodeAddress or
// CodeRateLimited.
func (g *Gate) Admit(shown callers.Credentials) (*Caller, error) {
	s := g.state.Load()
	c, ok := s.secrets.Find(shown)
	if !ok {
		return nil, refuse(CodeUnauthenticated, "send a token of a system (Authorization: Bearer ...), or a client certificate that is on file")
	}
	return c, s.admit(c, shown.Address, g.now())
}

// admit holds a caller to its addresses and its rate.
func (s *state) admit(c *Caller, from netip.Addr, now time.Time) error {
	if !c.addresses.Allow(from) {
		return refuse(CodeAddress, "this caller calls from the addresses on file only; this call came from elsewhere")
	}
	if wait, ok := callers.Take(s.limiters[c.Name], now); !ok {
		return &Refusal{Code: CodeRateLimited, RetryAfter: wait,
			Message: fmt.Sprintf("this caller may call %g times a second, and %d times at once; call again later", c.Rate.PerSecond, c.Rate.Burst)}
	}
	return nil
}

// A Session is that of a person who has signed in.
type Session struct {
	Token   string // for the person's browser; nobody guesses it
	Person  *Caller
	Expires time.Time
}

// SignIn signs a person in. The error is a *Refusal: CodeSignIn, CodeSignInLimited or, to somebody who
// knows the password, CodeAddress; or ctx's.
func (g *Gate) SignIn(ctx context.Context, name, password string, from netip.Addr) (*Session, error) {
	wrong := refuse(CodeSignIn, "name or password is wrong")
	if len(name) > 4*callers.MaxLine || len(password) > callers.MaxPassword {
		return nil, wrong
	}
	now := g.now()
	if wait, ok := g.signIns.Attempt(name, now); !ok {
		return nil, &Refusal{Code: CodeSignInLimited, RetryAfter: wait, Message: "too many attempts for this name; wait, then try again"}
	}
	s := g.state.Load()
	person := s.byName[name]
	var on callers.Password
	if person != nil && person.Kind == Person {
		on = person.password
	}
	if right, err := g.signIns.Check(ctx, password, on, s.cost); errors.Is(err, callers.ErrBusy) {
		return nil, &Refusal{Code: CodeSignInLimited, RetryAfter: time.Second, Message: "too many people sign in at this moment; wait, then try again"}
	} else if err != nil {
		return nil, err
	} else if !right {
		return nil, wrong
	}
	if !person.addresses.Allow(from) {
		return nil, refuse(CodeAddress, "this person signs in from the addresses on file only; this call came from elsewhere")
	}
	return g.sessions.begin(person, now), nil
}

// Resume tells whose session it is. The error is a *Refusal: CodeUnauthenticated if it is over, CodeAddress
// or CodeRateLimited.
func (g *Gate) Resume(token string, from netip.Addr) (*Caller, error) {
	s := g.state.Load()
	now := g.now()
	c := g.sessions.find(token, s.Directory, now)
	if c == nil {
		return nil, refuse(CodeUnauthenticated, "the session has ended: sign in again")
	}
	return c, s.admit(c, from, now)
}

// SignOut ends a session.
func (g *Gate) SignOut(token string) { g.sessions.end(token) }
