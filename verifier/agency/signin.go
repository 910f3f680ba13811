package agency

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/credledger/credledger/sdk/callers"
)

// SignIn tells whether a clerk's name and password are right. The error is a *Refusal: CodeSignIn,
// CodeSignInLimited or, to somebody who knows the password, CodeAddress; or ctx's.
func (g *Gate) SignIn(ctx context.Context, agency, clerk, password string, from netip.Addr) (*Agency, *Clerk, error) {
	wrong := refuse(CodeSignIn, "agency, name or password is wrong")
	if len(agency) > callers.MaxPassword || len(clerk) > 4*MaxText || len(password) > callers.MaxPassword {
		return nil, nil, wrong
	}
	if wait, ok := g.signIns.Attempt(agency+"\x00"+clerk, g.now()); !ok {
		return nil, nil, &Refusal{Code: CodeSignInLimited, RetryAfter: wait, Message: "too many attempts for this name; wait, then try again"}
	}
	d := g.Directory()
	a, c := d.byID[agency], (*Clerk)(nil)
	if a != nil {
		c = a.Clerk(clerk)
	}
	var on callers.Password
	if c != nil {
		on = c.password
	}
	if right, err := g.signIns.Check(ctx, password, on, d.cost); errors.Is(err, callers.ErrBusy) {
		return nil, nil, &Refusal{Code: CodeSignInLimited, RetryAfter: time.Second, Message: "too many people sign in at this moment; wait, then try again"}
	} else if err != nil {
		return nil, nil, err
	} else if !right {
		return nil, nil, wrong
	}
	if !a.addresses.Allow(from) {
		return nil, nil, refuse(CodeAddress, "clerks of this agency sign in from the addresses on file only; this call came from elsewhere")
	}
	return a, c, nil
}
