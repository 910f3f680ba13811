package httpapi

import (
	"net/netip"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// cookie is how the pages of the desk say in whose session they call.
var cookie = rest.SessionCookie{Name: "credledger-desk", Header: "CredLedger-Desk"}

// A call is one request on its way.
type call struct {
	*API
	*rest.Call
	who     *staff.Caller // nil: the public
	session string        // the token, of a person
	address netip.Addr
}

// serve finds out who is calling and answers.
func (a *API) serve(rc *rest.Call, e endpoint) error {
	c := &call{API: a, Call: rc, address: rest.Address(rc.R)}
	if e.who != nobody && e.who != departments {
		if err := c.identify(); err != nil {
			return c.unknown(err)
		}
	}
	rc.State = c
	switch {
	case e.who == departments:
		if err := c.limitAsked(); err != nil {
			return err
		}
	case e.who == staffOnly && c.who == nil:
		return c.unknown(rest.Refuse(rest.CodeUnauthenticated, "call with a token, a client certificate, or a session"))
	case e.who == people && (c.who == nil || c.who.Kind != staff.Person):
		return c.unknown(rest.Refuse(rest.CodeUnauthenticated, "this is for people who have signed in at the desk"))
	case c.who == nil:
		if err := c.limit(); err != nil {
			return err
		}
	}
	return e.serve(c)
}

// identify goes by the token, else by the certificate, else by the session.
func (c *call) identify() error {
	token, err := rest.Bearer(c.R.Header)
	if err != nil {
		return err
	}
	if der := rest.Certificate(c.R); token != "" || der != nil {
		who, err := c.Staff.Admit(callers.Credentials{Token: token, Certificate: der, Address: c.address})
		if err == nil {
			c.who = who
		}
		return err
	}
	if token, err = cookie.Of(c.R); err != nil || token == "" {
		return err
	}
	if rest.Changes(c.R) {
		if err := cookie.FromPage(c.R); err != nil {
			return err
		}
	}
	who, err := c.Staff.Resume(token, c.address)
	if staff.Code(err) == staff.CodeUnauthenticated {
		cookie.Remove(c.W)
	}
	if err == nil {
		c.who, c.session = who, token
	}
	return err
}

// unknown makes guessing slow: what does not authenticate counts as the public's.
func (c *call) unknown(err error) error {
	if c.AsProblem(err).Code != rest.CodeUnauthenticated {
		return err
	}
	if limited := c.limit(); limited != nil {
		return limited
	}
	return err
}

// limit counts a call of the public's.
func (c *call) limit() error {
	if wait := c.public.Take(c.address); wait > 0 {
		return &rest.Problem{Code: rest.CodeRateLimited, Detail: "too many calls from this address; callers who say who they are have limits of their own", RetryAfter: wait}
	}
	return nil
}

// seen returns what is observed of who calls.
func (c *call) seen() (kind, system string) {
	switch {
	case c.who == nil:
		return CallerPublic, ""
	case c.who.Kind == staff.System:
		return staff.System, c.who.Name
	}
	return c.who.Kind, ""
}

// by is who calls and what for, for the vault.
func (c *call) by(purpose string) vault.By { return vault.By{Actor: c.who.Name, Purpose: purpose} }

// may refuses what the caller may not do with licences of a type, and returns the type. For whoever has no
// right at all for it there is no such type.
func (c *call) may(typ string, right staff.Right) (*licence.Type, error) {
	t := c.types[typ]
	if t == nil || len(c.who.Rights(typ)) == 0 {
		return nil, rest.Refuse(codeTypeUnknown, "GET /v1/types lists the types for which the caller has rights")
	}
	if !c.who.May(typ, right) {
		return nil, missing(typ, right)
	}
	return t, nil
}

func missing(typ string, right staff.Right) error {
	return rest.Refuse(codeRight, "this takes the right "+string(right)+" for licences of the type "+typ+", which the caller does not have")
}

// licence returns the licence that the path names, for a caller who has a right for its type.
func (c *call) licence() (*vault.Licence, error) {
	id, err := c.NumberParameter("licence", 1, maxID)
	if err != nil {
		return nil, err
	}
	return c.known(vault.ID(id))
}

// known returns a licence by its id. For whoever has no right at all for its type there is no such licence.
func (c *call) known(id vault.ID) (*vault.Licence, error) {
	l, err := c.Vault.Licence(c.R.Context(), id)
	if err != nil {
		return nil, err
	}
	if c.types[l.Type] == nil || len(c.who.Rights(l.Type)) == 0 {
		return nil, notFound()
	}
	return l, nil
}

func notFound() error {
	return rest.Refuse(codeUnknown, "there is no such thing, or it is not for this caller")
}

// permitted returns the licence that the path names, for a caller who has the right for its type.
func (c *call) permitted(right staff.Right) (*vault.Licence, error) {
	l, err := c.licence()
	if err == nil && !c.who.May(l.Type, right) {
		return nil, missing(l.Type, right)
	}
	return l, err
}

// proposalID returns the id of the proposal or draft that the path names.
func (c *call) proposalID() (vault.ProposalID, error) {
	s, _ := c.Parameter("proposal")
	id, err := vault.ParseProposalID(s)
	if err != nil {
		return id, c.Wrong("proposal", "must be 32 lower-case hexadecimal digits")
	}
	return id, nil
}

// maxID is the greatest id that a number in JSON holds exactly.
const maxID = 1<<53 - 1

func dayOrNull(d *licence.Date) *string {
	if d == nil {
		return nil
	}
	return rest.OrNull(d.String())
}

func timeOrNull(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return rest.OrNull(rest.RFC3339(*t))
}
