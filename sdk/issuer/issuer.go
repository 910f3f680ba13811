// Package issuer is an issuing department at work: it turns records into credentials, anchors them in
// batches, changes their status, lays and lifts restrictions, and binds holders' keys to licences.
//
//	v, err := vault.Open(ctx, "vault.db", keys, time.Now)
//	department, err := issuer.New(ctx, issuer.Config{Vault: v, ...})
//	report, err := department.CatchUp(ctx)
//	issued, err := department.Apply(ctx, vault.By{Actor: "wangfang", Purpose: "counter 3"}, &issuer.Application{Type: "marriage", Record: record})
//
// What was issued stands in the department's vault, sealed. No error holds a value of any field of a licence.
//
// Whatever is done can be killed at any moment: after the next CatchUp nothing is lost, issued twice, or on
// the ledger without the vault's knowledge. docs/ISSUANCE.md has the order of steps that sees to it; the
// comments here name the steps by their numbers there.
//
// The package never decides who may do what (the rules of the ledger do, and whoever calls), and never
// keeps a private key: it signs through sm.Signer.
package issuer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// Config is what an Issuer works with. All of it is needed unless it says otherwise.
type Config struct {
	Department licence.Department
	Unit       string          // id of the unit of the department that issues; default: the first
	Types      []*licence.Type // all versions; licences are issued in the highest of each
	Ledger     ledger.Ledger   // the department's connection
	Vault      *vault.Vault    // the department's, for this ledger

	Signers Signers // the department's keys

	// Window is how long Apply lets a batch wait for more licences to share its anchor, at most a minute.
	// Default: 200 ms.
	Window time.Duration

	Now    func() time.Time // default: time.Now
	Random io.Reader        // source of salts and orders; default: crypto/rand
}

// An Issuer issues licences and changes what holds of them, in the name of one department. It is
// safe for concurrent use.
type Issuer struct {
	department licence.Department
	unit       string
	types      map[string]*licence.Type // the highest versions
	versions   map[typeVersion]*licence.Type
	ledger     ledger.Ledger
	ledgerID   sm.Hash
	vault      *vault.Vault
	signing    Signers
	now        func() time.Time
	clock      clock
	random     io.Reader
	shuffle    func([]*draft)
	gatherers  gatherers
	left       atomic.Bool // vault.Tx.LeaveNumbers was called

	// groupRecords and groupDelay are the constants, except in tests.
	groupRecords int
	groupDelay   time.Duration
	// step is called with the name of every step that has just been done; an error ends there what is
	// being done. It is for tests of what a crash leaves behind.
	step func(name string) error
}

type typeVersion struct {
	id      string
	version uint32
}

// The steps after which a test can end what is being done.
const (
	stepStored   = "stored"   // step 4
	stepResigned = "resigned" // a batch has a new head in the vault, see resign
	stepAnchored = "anchored" // step 5, of one batch
	stepNoted    = "noted"    // step 6

	stepSubmitted = "submitted" // a change of a status, a restriction or a binding is on the ledger
)

// New makes an issuer. It asks the ledger for its id; a vault of another ledger or department is
// CodeVaultOther. CatchUp comes next.
func New(ctx context.Context, c Config) (*Issuer, error) {
	iss := &Issuer{
		department: c.Department, unit: c.Unit, types: map[string]*licence.Type{}, versions: map[typeVersion]*licence.Type{},
		ledger: c.Ledger, vault: c.Vault, signing: c.Signers,
		now: c.Now, random: rand.Reader, groupRecords: groupRecords, groupDelay: groupDelay, step: func(string) error { return nil },
	}
	if c.Ledger == nil || c.Vault == nil || c.Signers == nil {
		return nil, errorf(CodeArguments, nil, "an issuer needs a ledger, a vault and its keys")
	}
	if c.Window < 0 || c.Window > maxWindow {
		return nil, errorf(CodeArguments, nil, "a batch waits for at most %v", maxWindow)
	}
	if iss.now == nil {
		iss.now = time.Now
	}
	iss.clock.now = iss.now
	if c.Random != nil {
		iss.random = &lockedReader{r: c.Random}
	}
	var err error
	if iss.shuffle, err = newShuffle(iss.random); err != nil {
		return nil, err
	}
	iss.gatherers.begin(iss, c.Window)
	if iss.unit == "" && len(c.Department.Units) > 0 {
		iss.unit = c.Department.Units[0].ID
	}
	if !slices.ContainsFunc(c.Department.Units, func(u licence.Unit) bool { return u.ID == iss.unit }) {
		return nil, errorf(CodeArguments, nil, "%s has no unit %q", c.Department.ID, iss.unit)
	}
	for _, t := range c.Types {
		iss.versions[typeVersion{t.ID, uint32(t.Version)}] = t
		if known := iss.types[t.ID]; known == nil || known.Version < t.Version {
			iss.types[t.ID] = t
		}
	}
	var answer struct {
		ID sm.Hash `json:"id"`
	}
	if err := iss.query(ctx, &answer, "ledger"); err != nil {
		return nil, err
	}
	iss.ledgerID = answer.ID
	if id := c.Vault.Identity(); id.Ledger != iss.ledgerID || id.Department != c.Department.ID {
		return nil, errorf(CodeVaultOther, nil, "this is the vault of another department, or for another ledger")
	}
	return iss, nil
}

// Close lets what Apply has begun come to its end, and refuses more. The vault is closed after it.
func (iss *Issuer) Close() { iss.gatherers.close() }

// seconds is the current time as statements carry it.
func (iss *Issuer) seconds() uint64 { return uint64(max(iss.now().Unix(), 0)) }

// typ returns the newest version of a type.
func (iss *Issuer) typ(id string) (*licence.Type, error) {
	t := iss.types[id]
	if t == nil {
		return nil, errorf(CodeTypeUnknown, nil, "there is no licence type %q here", id)
	}
	return t, nil
}

// version returns one version of a type, nil if there is none.
func (iss *Issuer) version(id string, version uint32) *licence.Type {
	return iss.versions[typeVersion{id, version}]
}

// query asks the ledger and decodes the answer.
func (iss *Issuer) query(ctx context.Context, answer any, name string, args ...string) error {
	b, err := iss.ledger.Evaluate(ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		return ledgerError("ask the ledger: "+name, err)
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fmt.Errorf("read the ledger's answer to %s: %w", name, err)
	}
	return nil
}

// read fills b with randomness.
func (iss *Issuer) read(b []byte) error {
	if _, err := io.ReadFull(iss.random, b); err != nil {
		return errorf(CodeStorage, err, "draw random bytes")
	}
	return nil
}

// newShuffle returns a function that puts drafts into random order: by ChaCha8 with a random key, which is a
// cryptographic source.
func newShuffle(random io.Reader) (func([]*draft), error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, errorf(CodeStorage, err, "draw a random order")
	}
	var mu sync.Mutex
	source := mathrand.New(mathrand.NewChaCha8(seed))
	return func(drafts []*draft) {
		mu.Lock()
		defer mu.Unlock()
		source.Shuffle(len(drafts), func(i, j int) { drafts[i], drafts[j] = drafts[j], drafts[i] })
	}, nil
}

// A lockedReader lets several goroutines read from a source that is made for one.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}
