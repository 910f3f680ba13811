package wallet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// What a grant is, as people are told.
const (
	GrantWaiting   = "waiting" // not on the ledger yet
	GrantGiven     = "given"
	GrantUsedUp    = "used-up"
	GrantExpired   = "expired"
	GrantWithdrawn = "withdrawn"
)

// Bounds of grants that are given here.
const (
	MaxUses   = 100
	MaxDays   = 365
	maxGrants = 500 // that are listed

	// maxGiven is how many for one licence can be open or have been given within a day: each is two transactions of
	// the ledger in the end.
	maxGiven = 20
)

// A Grant is one for a licence of the caller's.
type Grant struct {
	*release.Grant
	Is string // one of the above
}

func (w *Wallet) grant(g *release.Grant) *Grant {
	out := &Grant{g, GrantGiven}
	now := w.Now().Unix()
	switch {
	case g.State == vault.GrantWithdrawn:
		out.Is = GrantWithdrawn
	case now > int64(g.NotAfter):
		out.Is = GrantExpired
	case g.Used >= g.Uses:
		out.Is = GrantUsedUp
	case g.State == vault.GrantKept:
		out.Is = GrantWaiting
	}
	return out
}

// ListGrants returns the grants for the licences of whoever the caller acts for, newest first; to helpers who may give grants those
// of their matter. Error: CodeLimits for other helpers.
func (w *Wallet) ListGrants(ctx context.Context, c *Caller) ([]*Grant, error) {
	if err := c.may(WayGrant); err != nil {
		return nil, err
	}
	all, err := w.Licences(ctx, c)
	if err != nil {
		return nil, err
	}
	return w.grantsFor(ctx, c, all)
}

func (w *Wallet) grantsFor(ctx context.Context, c *Caller, all []*Licence) ([]*Grant, error) {
	var out []*Grant
	for _, l := range all {
		found, err := w.Grants.Grants(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			if c.Delegation == nil || c.Delegation.Matter == g.Matter {
				out = append(out, w.grant(g))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *Grant) int { return b.KeptAt.Compare(a.KeptAt) })
	return out[:min(len(out), maxGrants)], nil
}

// MayAsk reports whether an agency is another department on the ledger: nobody else can be let have anything.
func (w *Wallet) MayAsk(agency string) bool {
	return agency != w.Department.ID && w.AgencyText(agency) != nil
}

// Granting is what somebody wants to let an agency have.
type Granting struct {
	Showing
	Agency string
	Uses   uint32 // 1 to MaxUses
	Days   int    // 1 to MaxDays, today included
	Once   *Once  // nil: each call gives another grant
}

// Give lets an agency have fields of a licence.
//
// Errors: as of Code; CodeAgency, CodeArguments, CodeTooMany, vault.CodeClaimReused; those of package release.
func (w *Wallet) Give(ctx context.Context, c *Caller, g Granting) (*Grant, vault.ItemID, error) {
	none := vault.ItemID{}
	if g.Uses < 1 || g.Uses > MaxUses || g.Days < 1 || g.Days > MaxDays {
		return nil, none, errorf(CodeArguments, nil, "a grant is for 1 to %d uses within 1 to %d days", MaxUses, MaxDays)
	}
	l, err := w.Licence(ctx, c, g.Licence)
	if err != nil {
		return nil, none, err
	}
	done, err := w.turns.take(ctx, fmt.Sprint("grants for ", l.ID))
	if err != nil {
		return nil, none, err
	}
	defer done()
	claim := g.Once.claim(c, "grant")
	if earlier, err := w.Grants.Given(ctx, claim); err != nil {
		return nil, none, err
	} else if earlier != nil {
		return w.given(ctx, c, earlier)
	}
	if !w.MayAsk(g.Agency) {
		return nil, none, errorf(CodeAgency, nil, "there is no other department of this name on the ledger")
	}
	if err := w.permitGrant(c, l, &g); err != nil {
		return nil, none, err
	}
	if err := w.room(ctx, l); err != nil {
		return nil, none, err
	}
	if err := w.act(ctx, c, WayGrant, "grant", l.ID); err != nil {
		return nil, none, err
	}
	now := w.Now()
	last := licence.DateOf(now) + licence.Date(g.Days-1)
	if c.Delegation != nil { // what a helper gives does not outlast the helper
		last = min(last, c.Delegation.Until)
	}
	until := time.Unix((int64(last)+1)*86400-8*3600-1, 0) // the last second of the last day, UTC+8
	given, err := w.Grants.Give(ctx, c.by(g.purpose("grant")), release.Terms{
		Licence: l.ID, Agency: g.Agency, Matter: g.Matter, Fields: g.Fields, Uses: g.Uses, NotBefore: now, NotAfter: until, Claim: claim,
	}, w.identified(c))
	if err != nil {
		return nil, none, err
	}
	return w.given(ctx, c, given)
}

// given is a grant that was given, with what the giver can rate.
func (w *Wallet) given(ctx context.Context, c *Caller, g *release.Grant) (*Grant, vault.ItemID, error) {
	use, err := w.use(ctx, c, vault.UseGrant, g.Matter)
	return w.grant(g), use, err
}

// room refuses a grant for a licence that has too many.
func (w *Wallet) room(ctx context.Context, l *Licence) error {
	all, err := w.Grants.Grants(ctx, l.ID)
	if err != nil {
		return err
	}
	n := 0
	for _, g := range all {
		if is := w.grant(g).Is; is == GrantGiven || is == GrantWaiting || w.Now().Sub(g.KeptAt) < 24*time.Hour {
			n++
		}
	}
	if n >= maxGiven {
		return errorf(CodeTooMany, nil, "there are %d grants for the licence that are open, or of the last day", n)
	}
	return nil
}

// permitGrant is permit for a grant: an agency that the matter does not name is more than it needs too.
func (w *Wallet) permitGrant(c *Caller, l *Licence, g *Granting) error {
	m := w.Matters.Matter(g.Matter, w.today())
	if m == nil {
		return errorf(CodeMatter, nil, "there is no such matter")
	}
	if err := w.permit(c, l, &g.Showing); err != nil {
		return err
	}
	for _, d := range m.Departments {
		if d.ID == g.Agency {
			return nil
		}
	}
	if c.Delegation != nil {
		return errorf(CodeLimits, nil, "a helper gives grants to agencies of the matter alone")
	}
	return w.confirmed(c, g.Beyond, []string{})
}

// identified says who was identified and how, for the record behind a grant or a withdrawal.
func (w *Wallet) identified(c *Caller) release.Identified {
	at := c.Proven.UTC().Format(time.RFC3339)
	if d := c.Delegation; d != nil {
		return release.Identified{Means: statement.MeansDelegate, Record: fmt.Sprintf(
			"helper %s signed in through the identity platform at %s; acts for %s under the delegation %s of %s", c.Number, at, d.Holder, d.ID, d.Given.UTC().Format(time.RFC3339))}
	}
	return release.Identified{Means: statement.MeansPlatform, Record: fmt.Sprintf("%s signed in through the identity platform at %s", c.Number, at)}
}

// Withdraw takes a grant back, for good and at once. Errors: CodeNotThere for a grant for somebody else's licence; CodeEnded, CodeLimits.
func (w *Wallet) Withdraw(ctx context.Context, c *Caller, digest sm.Hash) (*Grant, error) {
	if err := c.may(WayGrant); err != nil {
		return nil, err
	}
	g, err := w.Grants.Grant(ctx, digest)
	if release.Code(err) == release.CodeGrantUnknown {
		return nil, notThere()
	} else if err != nil {
		return nil, err
	}
	if _, err := w.Licence(ctx, c, g.ID); err != nil {
		return nil, err
	}
	if d := c.Delegation; d != nil && d.Matter != g.Matter {
		return nil, errorf(CodeLimits, nil, "the grant is for another matter than the delegation")
	}
	if g.State == vault.GrantWithdrawn {
		return w.grant(g), nil
	}
	if err := w.act(ctx, c, WayGrant, "withdraw", g.ID); err != nil {
		return nil, err
	}
	taken, err := w.Grants.Withdraw(ctx, c.by("withdraw a grant"), digest, w.identified(c))
	if err != nil {
		return nil, err
	}
	return w.grant(taken), nil
}
