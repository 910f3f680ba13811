package agency

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
)

// A Counter counts what agencies verify on one day, for all replicas of a verifier. It is safe for
// concurrent use.
type Counter interface {
	// Add counts n more for an agency on a day, unless the total would exceed limit: then ok is false
	// and nothing was counted. It returns the total that is counted now. After an error it may have
	// been counted or not.
	Add(ctx context.Context, agency string, day licence.Date, n, limit uint64) (total uint64, ok bool, err error)
}

// A Gate admits calls by a Directory. It is safe for concurrent use.
type Gate struct {
	counter Counter
	now     func() time.Time
	state   atomic.Pointer[state]
	signIns *callers.SignIns
}

// A state is a directory with what is kept about its agencies from call to call.
type state struct {
	*Directory
	accounts map[string]*account // by id
}

// An account is what is kept about one agency.
type account struct {
	limiter *rate.Limiter
	allotment
}

// NewGate returns a gate; now is the clock.
func NewGate(d *Directory, counter Counter, now func() time.Time) *Gate {
	g := &Gate{counter: counter, now: now, signIns: callers.NewSignIns()}
	g.Reload(d)
	return g
}

// Reload has calls from now on admitted by another directory. Rates go on as they are; who is no
// longer in it is not admitted again.
func (g *Gate) Reload(d *Directory) {
	next := &state{Directory: d, accounts: map[string]*account{}}
	last := g.state.Load()
	for _, a := range d.agencies {
		if last != nil && last.accounts[a.ID] != nil {
			kept := last.accounts[a.ID]
			a.Rate.Limiter(kept.limiter, g.now())
			next.accounts[a.ID] = kept
			continue
		}
		next.accounts[a.ID] = &account{limiter: a.Rate.Limiter(nil, g.now()), allotment: newAllotment()}
	}
	g.state.Store(next)
}

// Directory returns the one that calls are admitted by now.
func (g *Gate) Directory() *Directory { return g.state.Load().Directory }

// Admit tells which agency calls. The error is a *Refusal: CodeUnauthenticated, CodeAddress or
// CodeRateLimited.
func (g *Gate) Admit(c callers.Credentials) (*Agency, error) {
	s := g.state.Load()
	a, ok := s.secrets.Find(c)
	if !ok {
		return nil, refuse(CodeUnauthenticated, "send a token of an agency (Authorization: Bearer ...), or a client certificate that is on file")
	}
	return s.admit(a, c.Address, g.now())
}

// admit holds an agency to its addresses and its rate.
func (s *state) admit(a *Agency, from netip.Addr, now time.Time) (*Agency, error) {
	if !a.addresses.Allow(from) {
		return nil, refuse(CodeAddress, "calls of this agency come from the addresses on file only; this one came from elsewhere")
	}
	if wait, ok := callers.Take(s.accounts[a.ID].limiter, now); !ok {
		return nil, &Refusal{Code: CodeRateLimited, RetryAfter: wait,
			Message: fmt.Sprintf("this agency may call %g times a second, and %d times at once; call again later", a.Rate.PerSecond, a.Rate.Burst)}
	}
	return a, nil
}

// AdmitClerk tells whether a clerk who signed in may call now. The error is a *Refusal:
// CodeUnauthenticated if there is no such clerk any more, CodeAddress or CodeRateLimited.
func (g *Gate) AdmitClerk(agency, clerk string, from netip.Addr) (*Agency, *Clerk, error) {
	s := g.state.Load()
	a := s.byID[agency]
	if a == nil || a.Clerk(clerk) == nil {
		return nil, nil, refuse(CodeUnauthenticated, "the clerk is not on file any more; sign in again")
	}
	if _, err := s.admit(a, from, g.now()); err != nil {
		return nil, nil, err
	}
	return a, a.Clerk(clerk), nil
}

// A Context says who asks, and what for.
type Context struct {
	Clerk    string // who
	Unit     string // where
	Matter   string // id of the service item (事项)
	Case     string // case number (办件号); may be ""
	OnBehalf string // at a shared counter: the department that it is for
}

// An Ask is one licence that an agency wants verified.
type Ask struct {
	Type   string   // "" if what was shown could not be read: then nothing is disclosed
	Fields []string // keys of the fields that are asked for
}

// Permit says whether an agency may have these licences verified, in one case, and counts them, or
// one if there are none, for the daily cap. The error is a *Refusal: CodeContext, CodeMatter,
// CodeOnBehalf, CodeType, CodeOverAsking or CodeDailyCap; or, wrapped, the Counter's.
func (g *Gate) Permit(ctx context.Context, a *Agency, c Context, asks []Ask) error {
	if err := a.PermitContext(c); err != nil {
		return err
	}
	for i := range asks {
		if err := a.permitAsk(&asks[i]); err != nil {
			return err
		}
	}
	kept := g.state.Load().accounts[a.ID]
	if kept == nil {
		return refuse(CodeUnauthenticated, "the agency is not on file any more")
	}
	return kept.spend(ctx, g.counter, a, uint64(max(len(asks), 1)), g.now())
}

// PermitContext checks who asks and what for, as Permit does, before it is known what is shown: what can be shown
// once should not be used up by a call that is refused for this. It counts nothing. The error is a *Refusal:
// CodeContext, CodeMatter or CodeOnBehalf.
func (a *Agency) PermitContext(c Context) error {
	required := []string{c.Clerk, c.Unit, c.Matter}
	optional := []string{c.Case}
	if len(a.OnBehalf) > 0 {
		required = append(required, c.OnBehalf)
	} else {
		optional = append(optional, c.OnBehalf)
	}
	for _, s := range required {
		if !callers.Line(s, MaxText) {
			return refuse(CodeContext, contextMessage(len(a.OnBehalf) > 0))
		}
	}
	for _, s := range optional {
		if s != "" && !callers.Line(s, MaxText) {
			return refuse(CodeContext, contextMessage(len(a.OnBehalf) > 0))
		}
	}
	if !slices.Contains(a.Matters, c.Matter) {
		return refuse(CodeMatter, fmt.Sprintf("this agency may name the matters %v", a.Matters))
	}
	if c.OnBehalf != "" && !slices.Contains(a.OnBehalf, c.OnBehalf) {
		return refuse(CodeOnBehalf, fmt.Sprintf("this agency may ask on behalf of %v", a.OnBehalf))
	}
	return nil
}

func contextMessage(shared bool) string {
	message := fmt.Sprintf("name the clerk, the unit and the matter, each in a text of one line and at most %d characters", MaxText)
	if shared {
		message += "; this is a shared counter: name the department on whose behalf it asks, too"
	}
	return message
}

// permitAsk checks type and fields.
func (a *Agency) permitAsk(ask *Ask) error {
	if ask.Type == "" {
		return nil
	}
	if _, ok := a.Types[ask.Type]; !ok {
		return refuse(CodeType, "this agency may not ask for licences of this type")
	}
	var over []string
	for _, key := range ask.Fields {
		if !a.May(ask.Type, key) {
			over = append(over, key)
		}
	}
	if over != nil {
		return &Refusal{Code: CodeOverAsking, Fields: over,
			Message: fmt.Sprintf("of licences of the type %s this agency may ask for %v; leave the others out", ask.Type, a.Types[ask.Type])}
	}
	return nil
}
