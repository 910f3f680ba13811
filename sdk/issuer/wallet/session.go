package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// sessionBy is who begins and ends sessions.
var sessionBy = vault.By{Actor: "wallet", Purpose: "session"}

// A Person is who has signed in, as package identity found out.
type Person struct {
	Number string    // identity number, in its canonical form
	Name   string    // "": not known
	Proven time.Time // when they have proven who they are
}

// SignIn begins a session and returns its token, which the browser keeps and nobody else. previous is the session of the same
// browser that ends with it; nil: none.
func (w *Wallet) SignIn(ctx context.Context, p Person, previous *sm.Hash) (token string, s *vault.Session, err error) {
	token = callers.NewToken()
	s = &vault.Session{Person: p.Number, Name: p.Name, Proven: p.Proven, Expires: w.Now().Add(w.Sessions.Length)}
	err = w.write(ctx, sessionBy, func(tx *vault.Tx) error {
		if previous != nil {
			if err := tx.EndSession(*previous); err != nil {
				return err
			}
		}
		if w.Sessions.One {
			if err := tx.EndSessions(p.Number); err != nil {
				return err
			}
		}
		return tx.BeginSession(callers.TokenDigest(token), s)
	})
	return token, s, err
}

// seeEvery is how often it is noted that a session is used.
const seeEvery = 30 * time.Second

// Session returns the session that a digest of a token names, and notes that it is used; nil if it is over.
func (w *Wallet) Session(ctx context.Context, digest sm.Hash) (*vault.Session, error) {
	s, err := w.Vault.Session(ctx, digest)
	if err != nil || s == nil {
		return nil, err
	}
	now := w.Now()
	if now.Sub(s.Seen) > w.Sessions.Idle {
		return nil, w.write(ctx, sessionBy, func(tx *vault.Tx) error { return tx.EndSession(digest) })
	}
	if now.Sub(s.Seen) >= seeEvery {
		s.Seen = now
		err = w.write(ctx, sessionBy, func(tx *vault.Tx) error { return tx.SeeSession(digest) })
	}
	return s, err
}

// SignOut ends a caller's session, or all sessions of the person.
func (w *Wallet) SignOut(ctx context.Context, c *Caller, all bool) error {
	return w.write(ctx, sessionBy, func(tx *vault.Tx) error {
		if all {
			return tx.EndSessions(c.Person.Number)
		}
		return tx.EndSession(c.Digest)
	})
}

// write is a transaction that is tried again if the database says so.
func (w *Wallet) write(ctx context.Context, by vault.By, do func(*vault.Tx) error) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := w.Vault.Write(ctx, by, do)
		if sqldb.Code(err) != sqldb.CodeBusy || attempt == attempts {
			return err
		}
	}
}

// A Caller is a person in a session, who acts for themselves or, under a delegation, for somebody else.
type Caller struct {
	Person
	Digest     sm.Hash // names the session
	Session    *vault.Session
	Delegation *vault.Delegation // nil: for themselves
}

// Caller returns who calls in a session; for is the id of the delegation under which they act, nil for none. It is nil if the
// session is over. Error: CodeEnded for a delegation that is not theirs, or not any more.
func (w *Wallet) Caller(ctx context.Context, digest sm.Hash, under *vault.ItemID) (*Caller, error) {
	s, err := w.Session(ctx, digest)
	if err != nil || s == nil {
		return nil, err
	}
	c := &Caller{Person: Person{s.Person, s.Name, s.Proven}, Digest: digest, Session: s}
	if under == nil {
		return c, nil
	}
	d, err := w.Vault.Delegation(ctx, *under)
	if err != nil && vault.Code(err) != vault.CodeUnknown {
		return nil, err
	}
	if err != nil || d.Helper != c.Number || !d.Open(w.today()) {
		return nil, errorf(CodeEnded, nil, "there is no such delegation to this person, or it is over")
	}
	c.Delegation = d
	return c, nil
}

// Holder is the id of whoever the caller acts for.
func (c *Caller) Holder() string {
	if c.Delegation != nil {
		return c.Delegation.Holder
	}
	return c.Number
}

// Masked leaves a few characters of an identity number.
func Masked(number string) string {
	return licence.Field{Mask: licence.MaskID}.Masked(licence.TextValue(number))
}

// MaskedName leaves the first character of a name.
func MaskedName(name string) string {
	if name == "" {
		return ""
	}
	return licence.Field{Mask: licence.MaskName}.Masked(licence.TextValue(name))
}

// by is how the caller stands in the history of a licence.
func (c *Caller) by(purpose string) vault.By {
	who := "wallet: holder " + Masked(c.Number)
	if d := c.Delegation; d != nil {
		who = "wallet: helper " + Masked(c.Number) + " for holder " + Masked(d.Holder) + ", delegation " + d.ID.String()
	}
	return vault.By{Actor: who, Purpose: purpose}
}

// FreshUntil is until when the person's proof of who they are counts as fresh.
func (w *Wallet) FreshUntil(s *vault.Session) time.Time { return s.Proven.Add(w.Sessions.Fresh) }

// fresh refuses whose proof of who they are is not fresh.
func (w *Wallet) fresh(c *Caller) error {
	if w.Now().After(w.FreshUntil(c.Session)) {
		return errorf(CodeFresh, nil, "sign in again: the last time is too long ago for this")
	}
	return nil
}

// alone refuses helpers.
func (c *Caller) alone() error {
	if c.Delegation != nil {
		return errorf(CodeLimits, nil, "a helper cannot do this: leave the delegation out to do it for yourself")
	}
	return nil
}

// may refuses helpers whose delegation does not name a way.
func (c *Caller) may(way string) error {
	if d := c.Delegation; d != nil && !slices.Contains(d.Ways, way) {
		return errorf(CodeLimits, nil, "the delegation does not say that the helper may do this")
	}
	return nil
}

// act notes what a helper does, and refuses what the delegation does not allow at this moment.
func (w *Wallet) act(ctx context.Context, c *Caller, way, act string, with vault.ID) error {
	d := c.Delegation
	if d == nil {
		return nil
	}
	return w.write(ctx, c.by(act), func(tx *vault.Tx) error { return tx.Act(d.ID, c.Number, way, act, with) })
}
