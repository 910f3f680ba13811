package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// Config is what the API stands on. All of it is safe for concurrent use.
type Config struct {
	Host      string         // host, and port unless 443, in the URLs of reference codes; also the audience of the public's challenges
	View      View           // of the ledger
	AccessLog AccessLog      // of the department whose verifier this is; records every verification before it is answered
	Store     Store          // what the replicas of this verifier share
	Intake    *intake.Reader // reads what is shown
	Gate      *agency.Gate   // knows the agencies

	Matters  func() *matter.Catalog // as they are now
	Snapshot func() *Snapshot       // the newest; nil while there is none
	Requests Requests               // to issuers; nil: this verifier makes none
	Pages    http.Handler           // answers what is not the API's; nil: nothing does
	Now      func() time.Time
	Public   callers.Rate // of calls without an account, for each address
	Observe  func(Call)   // told of every call once it is answered
}

// A View is the verifier's view of the ledger: an index.Index.
type View interface {
	verify.View
	// Departments returns every department, by id.
	Departments() []*verify.Department
	// Keys returns every key that was ever enrolled, by department and id.
	Keys() []index.KeyRecord
	// Types returns the newest version of every licence type, by id.
	Types() []*licence.Type
	// Exceptions returns what the ledger holds about one licence beside the anchor of its batch.
	Exceptions(issuer string, digest sm.Hash) []index.Exception
}

// An AccessLog keeps what was verified: an accesslog.Log.
type AccessLog interface {
	// Identity says which log this is, and so whose verifier.
	Identity() accesslog.Identity
	// Append records a verification. The entry is durable, and under a signed checkpoint, when it returns.
	Append(ctx context.Context, d *accesslog.Draft) (accesslog.Place, error)
	// Size returns the number of durable entries, Root the root over the first so many of them.
	Size() uint64
	Root(size uint64) (sm.Hash, error)
	// Entries returns up to n entries from an index on, as encoded.
	Entries(from uint64, n int) ([][]byte, error)
	// Inclusion and Consistency return proofs as in RFC 9162, section 2.1.
	Inclusion(index, size uint64) ([]sm.Hash, error)
	Consistency(first, second uint64) ([]sm.Hash, error)
	// Accesses returns up to limit accesses to a licence below an index, the newest first; 0 is from
	// the newest on.
	Accesses(issuer string, digest sm.Hash, before uint64, limit int) ([]accesslog.Access, error)
	// Proof returns the proof of an entry by the first checkpoint on the ledger that covers it, nil
	// while there is none.
	Proof(index uint64) (*access.Proof, error)
	// Checkpoints returns up to n checkpoints on the ledger that are longer than a size, by size.
	Checkpoints(after uint64, n int) ([]*access.Checkpoint, error)
}

// A Store has what the replicas of one verifier share: a store.Store, which see.
type Store interface {
	NewChallenge(audience string, ttl time.Duration) (store.Challenge, error)
	RedeemChallenge(ctx context.Context, nonce []byte, audience string) error
	PutReference(ctx context.Context, presentation []byte, ttl time.Duration) (token string, expires time.Time, err error)
	TakeReference(ctx context.Context, token string) ([]byte, error)
	NewSession(ctx context.Context, agency, clerk string, ttl time.Duration) (token string, expires time.Time, err error)
	Session(ctx context.Context, token string) (store.Session, error)
	EndSession(ctx context.Context, token string) error
	// Count counts a request that the access log has no entry of; it does not wait.
	Count(kind store.CountKind, department, matter string)
}

// A Snapshot is a signed snapshot of the ledger. It is not changed.
type Snapshot struct {
	File      []byte // as package snapshot makes it
	Statement []byte // the signed statement in it
	Header    *statement.Snapshot
}

// A Call is what is known of one call once it is answered. It holds no personal data: neither path nor
// query, which name licences, nor the clerk.
type Call struct {
	RequestID string
	Method    string
	Route     string // its pattern; "" of a path that the API does not have
	Caller    string // CallerPublic, CallerAgency or CallerClerk; "" if that did not come up
	Agency    string // id, unless the caller is the public
	Outcome   string // of the verdict or of the case, if there is one
	Problem   string // code of the problem, if there is one
	Status    int
	Duration  time.Duration
	Err       error // the cause of a problem that is no fault of the caller's
}

// The callers.
const (
	CallerPublic = "public"
	CallerAgency = "agency"
	CallerClerk  = "clerk"
)

// Bounds of what callers can make the API keep, and for how long.
const (
	challengeTTL = 5 * time.Minute
	referenceTTL = time.Minute
	sessionTTL   = 10 * time.Hour
	maxHost      = 150 // bytes: an audience is a host and an agency's id
)

// check reports the first thing that is missing, a mistake of whoever wires the service.
func (c *Config) check() error {
	switch {
	case c.Host == "" || len(c.Host) > maxHost:
		return errors.New("verifier API: the host has 1 to 150 characters")
	case c.View == nil, c.AccessLog == nil, c.Store == nil, c.Intake == nil, c.Gate == nil,
		c.Matters == nil, c.Snapshot == nil, c.Now == nil, c.Observe == nil:
		return errors.New("verifier API: something that it stands on is missing")
	case c.Public.PerSecond <= 0, c.Public.Burst < 1:
		return errors.New("verifier API: the public may make some calls")
	}
	return nil
}
