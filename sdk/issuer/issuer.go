// Package issuer is an issuing department at work: it turns the records of a registry into
// credentials, anchors them in batches, changes their status, lays and lifts restrictions, and
// binds holders' keys to licences.
//
//	register, err := issuer.OpenRegister("register.db")
//	department, err := issuer.New(ctx, issuer.Config{...})
//	report, err := department.Issue(ctx, issuer.Job{Type: "marriage", Inputs: []string{"1998.csv"}, Dir: "credentials"}, nil)
//
// What was issued stands in the department's Register. The register, the rejects file and every
// error hold no value of any field of a licence; those are in the credentials only, which go to the
// place that the caller names and nowhere else.
//
// Issue can be killed at any moment and run again with the same arguments: nothing is lost, nothing
// is issued twice, and nothing is on the ledger that the register does not know. The order of steps
// that sees to it is written down at the type run.
//
// The package never decides who may do what (the rules of the ledger do), and never keeps a private
// key: it signs through sm.Signer.
package issuer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// Config is what an Issuer works with. All of it is needed unless it says otherwise.
type Config struct {
	Department licence.Department
	Unit       string          // id of the unit of the department that issues; default: the first
	Types      []*licence.Type // of several versions of a type, the highest is used
	Ledger     ledger.Ledger   // the department's connection
	Register   *Register       // the department's, for this ledger

	Anchor sm.Signer   // key of the department for statement.PurposeAnchor; for Issue and Bind
	Status []sm.Signer // keys for statement.PurposeStatus, the second for changes that need two; for SetStatus, Restrict and Release

	Now    func() time.Time // default: time.Now
	Random io.Reader        // source of salts and orders; default: crypto/rand
}

// An Issuer issues licences and changes what holds of them, in the name of one department. It is
// safe for concurrent use.
type Issuer struct {
	department licence.Department
	unit       string
	types      map[string]*licence.Type
	ledger     ledger.Ledger
	ledgerID   sm.Hash
	register   *Register
	anchor     sm.Signer
	status     []sm.Signer
	now        func() time.Time
	random     io.Reader

	// groupRecords is the constant, except in tests.
	groupRecords int
	// step is called with the name of every step of Issue that has just been done; an error ends
	// the run there. It is for tests of what a crash leaves behind.
	step func(name string) error
}

// New makes an issuer. It asks the ledger for its id; a register of another ledger or department is
// CodeRegisterOther.
func New(ctx context.Context, c Config) (*Issuer, error) {
	iss := &Issuer{
		department: c.Department, unit: c.Unit, types: map[string]*licence.Type{}, ledger: c.Ledger,
		register: c.Register, anchor: c.Anchor, status: c.Status, now: c.Now, random: rand.Reader,
		groupRecords: groupRecords, step: func(string) error { return nil },
	}
	if c.Ledger == nil || c.Register == nil {
		return nil, errorf(CodeArguments, nil, "an issuer needs a ledger and a register")
	}
	if iss.now == nil {
		iss.now = time.Now
	}
	if c.Random != nil {
		iss.random = &lockedReader{r: c.Random}
	}
	if iss.unit == "" && len(c.Department.Units) > 0 {
		iss.unit = c.Department.Units[0].ID
	}
	if !slices.ContainsFunc(c.Department.Units, func(u licence.Unit) bool { return u.ID == iss.unit }) {
		return nil, errorf(CodeArguments, nil, "%s has no unit %q", c.Department.ID, iss.unit)
	}
	for _, t := range c.Types {
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
	if c.Register.ledger != iss.ledgerID || c.Register.department != c.Department.ID {
		return nil, errorf(CodeRegisterOther, nil, "%s is the register of another department, or of another ledger", c.Register.path)
	}
	return iss, nil
}

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
