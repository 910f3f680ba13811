// Package wallet is what the holders of a department's licences do themselves (我的证照): see what they hold, show
// no more of it than a matter needs, print it, see who has looked at it, let agencies have fields of it and take that back,
// let somebody help them, object, and say how they were served.
//
//	w, err := wallet.New(wallet.Config{Issuer: department, Vault: v, Grants: desk, Verifier: client, ...})
//	session, err := w.SignIn(ctx, person, nil)
//	caller, err := w.Caller(ctx, session.Digest, delegation)
//	code, err := w.Code(ctx, caller, wallet.Showing{Licence: id, Fields: keys, Matter: "second-hand-home-transfer"}, wallet.Reference)
//
// Who somebody is has been found out before (package identity); the wallet believes it. Whatever is asked, it is asked of
// the vault anew whether this person holds the licence, or may act for who does: there is nothing to be had with an id alone,
// and a delegation ends the moment it is withdrawn. What a stolen session can and cannot do, docs/WALLET.md says.
//
// The department vouches for a holder who shows a licence: with a key that is the person's for this licence, and that is bound to it
// for some minutes. A helper's codes have no such proof. But for printed sheets, for minutes and in memory, the package
// keeps no personal data outside of the vault, never logs, and no error of it holds a value of a
// licence or says who somebody is.
package wallet

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verify"
)

// Config is what a wallet stands on. All of it is needed, and safe for concurrent use, unless it says otherwise.
type Config struct {
	Issuer     *issuer.Issuer
	Vault      *vault.Vault
	Department licence.Department
	Unit       string          // id of the unit that issues
	Types      []*licence.Type // all versions
	Matters    *matter.Catalog
	View       verify.View // of the ledger
	Host       string      // of the verifier's check page, which codes lead to

	Grants   Grants
	Releases Releases // the department's access log for releases
	Verifier Verifier // nil: there is none; then there are no reference codes

	// AgencyName returns the name of a department on the ledger, false if there is none.
	AgencyName func(id string) (licence.Text, bool)

	Sessions Sessions
	Deadline Deadline // of answers to objections
	Now      func() time.Time
}

// Sessions say how long somebody stays signed in.
type Sessions struct {
	Length time.Duration // at most
	Idle   time.Duration // without a call
	Fresh  time.Duration // how long a proof of who somebody is counts as fresh
	One    bool          // signing in ends every other session of the person
}

// Grants is what a release.Desk does for holders.
type Grants interface {
	Give(ctx context.Context, by vault.By, terms release.Terms, how release.Identified) (*release.Grant, error)
	Given(ctx context.Context, claim *vault.ClaimKey) (*release.Grant, error)
	Withdraw(ctx context.Context, by vault.By, digest sm.Hash, how release.Identified) (*release.Grant, error)
	Grant(ctx context.Context, digest sm.Hash) (*release.Grant, error)
	Grants(ctx context.Context, licence vault.ID) ([]*release.Grant, error)
}

// Releases is what an accesslog.Log tells of one licence.
type Releases interface {
	Accesses(issuer string, digest sm.Hash, before uint64, limit int) ([]accesslog.Access, error)
}

// A Verifier is the public service at which codes are checked. Its errors have CodeVerifier.
type Verifier interface {
	// Challenge returns what a holder's proof has to answer.
	Challenge(ctx context.Context) (nonce []byte, audience string, err error)
	// Keep leaves a presentation there for a code that is shown once, and returns its URL.
	Keep(ctx context.Context, presentation []byte) (url string, expires time.Time, err error)
	// Accesses returns up to limit entries of its access log about a licence with an index below before, newest first.
	Accesses(ctx context.Context, digest sm.Hash, before uint64, limit int) ([]Access, error)
}

// A Wallet is safe for concurrent use, and several processes may have wallets of one vault; sheets are to be fetched from
// the one that they were prepared at.
type Wallet struct {
	Config
	types  map[string]*licence.Type // the newest version of each that the department issues
	ids    []string                 // of types, sorted
	brief  briefBindings
	sheets sheets
	turns  turns
}

// New makes a wallet.
func New(c Config) (*Wallet, error) {
	switch {
	case c.Issuer == nil, c.Vault == nil, c.Department.ID == "", c.Unit == "", c.Matters == nil, c.View == nil, c.Host == "", c.Grants == nil, c.Releases == nil,
		c.AgencyName == nil, c.Now == nil:
		return nil, errors.New("wallet: something that it stands on is missing")
	case c.Sessions.Idle < time.Minute, c.Sessions.Length < c.Sessions.Idle, c.Sessions.Fresh < time.Minute:
		return nil, errors.New("wallet: sessions last for some minutes at least, and no less than they may be idle")
	}
	if err := c.Deadline.Check(); err != nil {
		return nil, err
	}
	w := &Wallet{Config: c, types: map[string]*licence.Type{}}
	w.brief.init()
	w.sheets.init()
	w.turns.init()
	for _, t := range c.Types {
		if known := w.types[t.ID]; slices.Contains(c.Department.Issues, t.ID) && (known == nil || known.Version < t.Version) {
			w.types[t.ID] = t
		}
	}
	for id := range w.types {
		w.ids = append(w.ids, id)
	}
	slices.Sort(w.ids)
	return w, nil
}

// today is the day in UTC+8.
func (w *Wallet) today() licence.Date { return licence.DateOf(w.Now()) }

// Purge deletes what has ended. It is meant to be called about once an hour.
func (w *Wallet) Purge(ctx context.Context) error { return w.Vault.PurgeWallet(ctx) }

// Type returns the newest version of a type that the department issues, nil if it does not.
func (w *Wallet) Type(id string) *licence.Type { return w.types[id] }
