// Package release is an issuing department that answers: other departments ask it for fields of licences that it has
// issued, instead of collecting them from the holders again, and it releases them under a holder's grant or because
// the law says so, and under nothing else.
//
//	desk, err := release.New(ctx, release.Config{Issuer: department, Vault: v, View: index.Grants(), Log: log, ...})
//	err = desk.SetPolicy(ctx, signed)
//	given, err := desk.Give(ctx, by, release.Terms{...}, release.Identified{Means: statement.MeansCounter, Record: "..."})
//	answered, err := desk.Answer(ctx, request, subject)
//
// An answer leaves only when it is kept in the vault, with the use of the grant counted in the same transaction,
// and when the department's access log has its entry, durably. So whatever is killed at any moment, no number of a
// use is given twice, the same request gets the same answer, and nothing is released that the log does not know. A
// withdrawal holds from the moment at which it is in the vault. docs/RELEASE.md has the order of steps, and what is
// refused how; the comments here name the steps by their numbers there.
//
// The package decides nothing by itself: package policy does, by what the authority has published. It never keeps a
// private key, and no error of it holds a value of a licence, or says who a holder is.
package release

import (
	"context"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/accesslog"
)

// Config is what a Desk works with. All of it is needed unless it says otherwise.
type Config struct {
	Department string // id
	Authority  string // id of the department that publishes the policy
	Issuer     *issuer.Issuer
	Vault      *vault.Vault
	Types      []*licence.Type // all versions
	Ledger     ledger.Ledger   // the department's connection

	// Signers returns the department's keys for statement.PurposeConsent, which sign answers, grants and
	// withdrawals, and what the ledger learns of them. Those that can decrypt (envelope.Decrypter) open what
	// agencies have sealed to the department.
	Signers issuer.Signers

	View  grant.View                        // of the ledger
	Known func() (height, heartbeat uint64) // the newest block of the view, and the time of its newest heartbeat; for the log

	Log Log // the department's access log for releases

	// Admit is asked before anything is looked up for an agency whose signature was found right; its error is what
	// Answer returns. nil: everybody is admitted.
	Admit func(agency string) error

	Now func() time.Time // default: time.Now
}

// A Log is an access log; *accesslog.Log is one.
type Log interface {
	Append(ctx context.Context, d *accesslog.Draft) (accesslog.Place, error)
	Identity() accesslog.Identity
	Size() uint64
	Entries(from uint64, n int) ([][]byte, error)
}

// A Desk answers in the name of one department. It is safe for concurrent use, and several processes may have desks of
// one vault.
type Desk struct {
	c     Config
	types map[string]*licence.Type // the highest versions

	restored uint64 // when an old copy of the vault was noticed last, in seconds; 0: never
	flights  flights

	mu       sync.Mutex
	policies []version        // of those that the vault has, the smallest first
	logged   map[sm.Hash]bool // requests whose answers are in the log, which the vault does not know yet: whether a transaction tells it

	// step is called with the name of every step that has just been done; an error ends there what is being
	// done. It is for tests of what a crash leaves behind.
	step func(name string) error
}

// The steps after which a test can end what is being done.
const (
	stepOpened    = "opened"    // the licence was opened for a release
	stepAnswered  = "answered"  // the answer is in the vault, and the use is counted
	stepLogged    = "logged"    // the access log has it
	stepKept      = "kept"      // a grant is in the vault
	stepWithdrawn = "withdrawn" // a withdrawal is in the vault
	stepSubmitted = "submitted" // the ledger has a grant, or its withdrawal
)

// New makes a desk, and compares the vault with the access log, which tells if an old copy of the vault was put back: then the
// uses of its grants are not known any more, and they are ended.
//
// Errors: CodeArguments; issuer.CodeVaultOther for the vault of another department or ledger; accesslog.CodeRolledBack if
// the log has lost entries; those of the vault and the log.
func New(ctx context.Context, c Config) (*Desk, error) {
	if c.Department == "" || c.Authority == "" || c.Issuer == nil || c.Vault == nil || c.Ledger == nil || c.Signers == nil || c.View == nil || c.Known == nil || c.Log == nil {
		return nil, errorf(CodeArguments, nil, "a department that releases needs an issuer, a vault, a ledger with a view of it, its keys and an access log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if id, log := c.Vault.Identity(), c.Log.Identity(); id.Department != c.Department || log.Department != c.Department || log.Ledger != id.Ledger {
		return nil, errorf(issuer.CodeVaultOther, nil, "the vault or the access log is another department's, or for another ledger")
	}
	d := &Desk{c: c, types: map[string]*licence.Type{}, logged: map[sm.Hash]bool{}, step: func(string) error { return nil }}
	d.flights.busy = map[sm.Hash]chan struct{}{}
	for _, t := range c.Types {
		if known := d.types[t.ID]; known == nil || known.Version < t.Version {
			d.types[t.ID] = t
		}
	}
	return d, d.compare(ctx)
}

// seconds is the current time as statements carry it.
func (d *Desk) seconds() uint64 { return uint64(max(d.c.Now().Unix(), 0)) }
