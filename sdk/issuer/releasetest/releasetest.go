// Package releasetest is a department that answers the requests of another one, to test against: the department of an
// issuertest.Town with a view of the ledger, an access log and a policy, and an agency that makes requests.
//
//	o := releasetest.New(town, town.Issuer(town.Vault))
//	answered, err := o.Desk.Answer(ctx, o.Request(digest, nil).Signed, nil)
//
// By the law of the town the agency may have the first two fields of a licence; the others take a grant, but for the
// last one, which nobody is given. The package is for tests alone.
package releasetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/issuertest"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
)

// What the agency asks for, and the basis in law.
const (
	Matter = "second-hand-home-transfer"
	Basis  = "home-transfer"
)

// Patience is how long a test waits for what has to come: there may be slow machines.
const Patience = time.Minute

// An Office is the department.
type Office struct {
	*issuertest.Town
	Index  *index.Index
	Log    *accesslog.Log
	Desk   *release.Desk
	Agency *ledgertest.Department // that asks
	Other  *ledgertest.Department // another one, which the law gives nothing; the authority
}

// Outside makes an office of a town without what it stands on, which makes laws and requests, but answers nothing.
func Outside(t *issuertest.Town) *Office {
	o := &Office{Town: t, Other: t.City.Authority}
	for _, d := range t.City.Departments {
		if d.ID != t.Department.ID && o.Agency == nil {
			o.Agency = d
		}
	}
	return o
}

// New makes an office of a town. Change changes what its desk stands on.
func New(t *issuertest.Town, iss *issuer.Issuer, change ...func(*release.Config)) *Office {
	t.Helper()
	o := Outside(t)
	var err error
	o.Index, err = index.Open("")
	t.Must(err)
	following, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = o.Index.Follow(following, t.Ledger) // CatchUp says why it ended
	}()
	t.Cleanup(func() {
		stop()
		<-done
		_ = o.Index.Close()
	})
	o.CatchUp()
	t.Must(accesslog.Create(t.Path("release-log"), accesslog.Identity{Ledger: t.City.ID, Department: t.Department.ID, Log: "releases"}))
	o.Log, err = accesslog.Open(t.Path("release-log"), t.Department.Log, t.Clock.Now)
	t.Must(err)
	t.Cleanup(func() { _ = o.Log.Close() })
	of := t.Config(t.Vault)
	c := release.Config{
		Issuer: iss, Vault: t.Vault, Types: of.Types, View: o.Index.Grants(), Known: o.known, Ledger: t.Ledger,
		Department: t.Department.ID, Authority: t.City.Authority.ID, Signers: of.Signers, Log: o.Log, Now: t.Clock.Now,
	}
	for _, f := range change {
		f(&c)
	}
	o.Desk, err = release.New(t.Context(), c)
	t.Must(err)
	t.Must(o.Desk.SetPolicy(t.Context(), o.Policy(1, o.Law())))
	return o
}

func (o *Office) known() (height, heartbeat uint64) {
	l := o.Index.Licence("", sm.Hash{}, sm.Hash{})
	return l.Height, l.Heartbeat.Time
}

// CatchUp waits until the view has what the ledger has.
func (o *Office) CatchUp() {
	o.Helper()
	head, err := o.Ledger.Head(o.Context())
	o.Must(err)
	waiting, stop := context.WithTimeout(o.Context(), Patience)
	defer stop()
	o.Must(o.Index.WaitFor(waiting, head.Height))
}

// Free are the fields that the law gives, Granted two that take a grant, and Never is given to nobody.
func (o *Office) Free() []string    { return o.keys(0, 2) }
func (o *Office) Granted() []string { return o.keys(2, 4) }
func (o *Office) Never() string     { return o.Type.Fields[len(o.Type.Fields)-1].Key }

func (o *Office) keys(from, to int) (keys []string) {
	for _, f := range o.Type.Fields[from:to] {
		keys = append(keys, f.Key)
	}
	slices.Sort(keys)
	return keys
}

// Law is the law of the town, but for its version.
func (o *Office) Law() string {
	return fmt.Sprintf(`
from: 2026-01-01
answerWithin: 300
bases:
  - id: %s
    text: {zh: 示例, en: Example}
    agency: %s
    matter: %s
    issuer: %s
    type: %s
    fields: [%s]
negative:
  - id: nobody
    text: {zh: 示例, en: Example}
    type: %s
    fields: [%s]
`, Basis, o.Agency.ID, Matter, o.Department.ID, o.Type.ID, strings.Join(o.Free(), ", "), o.Type.ID, o.Never())
}

// Policy returns a law as the authority publishes it under a version.
func (o *Office) Policy(version uint32, law string) []byte {
	o.Helper()
	return sign(o, &statement.Policy{
		Ledger: o.City.ID, Version: version, Definition: fmt.Appendf(nil, "version: %d%s", version, law), SignedAt: o.Seconds(),
	}, o.City.Authority.Govern)
}

// Seconds is the time by the town's clock.
func (o *Office) Seconds() uint64 { return uint64(o.Clock.Now().Unix()) }

// A Request is one of the agency's.
type Request struct {
	*statement.Request
	Signed []byte
	Digest sm.Hash        // its name
	Key    *sm.PrivateKey // opens the answer
}

// Request makes a request of the agency for what the law gives of a licence; change changes it before it is signed.
func (o *Office) Request(licence sm.Hash, change func(*statement.Request)) *Request {
	o.Helper()
	return o.RequestBy(o.Agency.Consent, licence, change)
}

// RequestBy is Request with another key.
func (o *Office) RequestBy(key *sm.PrivateKey, licence sm.Hash, change func(*statement.Request)) *Request {
	o.Helper()
	own, err := sm.GenerateKey(rand.Reader)
	o.Must(err)
	r := &statement.Request{
		Ledger: o.City.ID, Agency: o.Agency.ID, Issuer: o.Department.ID, Type: o.Type.ID, Licence: &licence, Matter: Matter, Case: "20261107-0042",
		Fields: o.Free(), Recipient: [64]byte(own.Public().Bytes()), SignedAt: o.Seconds(), NotAfter: o.Seconds() + 300,
	}
	_, err = rand.Read(r.Nonce[:])
	o.Must(err)
	if change != nil {
		change(r)
	}
	payload, err := statement.Encode(r)
	o.Must(err)
	return &Request{Request: r, Signed: sign(o, r, key), Digest: sm.Sum(payload), Key: own}
}

// Open opens what was released.
func (r *Request) Open(tb testing.TB, sealed []byte) []byte {
	tb.Helper()
	e, err := envelope.Parse(sealed)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := e.Open(r.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Terms are those of a grant to the agency of the fields that the law does not give, for a year.
func (o *Office) Terms(licence vault.ID, uses uint32) release.Terms {
	now := o.Clock.Now()
	return release.Terms{
		Licence: licence, Agency: o.Agency.ID, Matter: Matter, Fields: o.Granted(), Uses: uses, NotBefore: now, NotAfter: now.Add(365 * 24 * time.Hour),
	}
}

// Give gives a grant on behalf of a holder who was identified at the counter, and waits until the view has it.
func (o *Office) Give(licence vault.ID, uses uint32) *release.Grant {
	o.Helper()
	g, err := o.Desk.Give(o.Context(), vault.By{Actor: "wangfang", Purpose: "counter"}, o.Terms(licence, uses), release.Identified{Means: statement.MeansCounter, Record: "identity card seen at counter 1"})
	o.Must(err)
	o.CatchUp()
	return g
}

func sign(o *Office, body statement.Body, key *sm.PrivateKey) []byte {
	o.Helper()
	signed, err := statement.Sign(body, key)
	o.Must(err)
	return signed
}
