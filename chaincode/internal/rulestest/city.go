package rulestest

import (
	"slices"
	"sync"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// The departments of the city.
const (
	Authority = "data-bureau"
	Issuer    = "natural-resources" // issues property
	Other     = "civil-affairs"     // issues marriage, and divorce once that is published
	Suspended = "market-regulation" // issues business; suspended by City.Suspend
	Stranger  = "stranger"          // never admitted
)

// Time is the date on every statement.
const Time = statementtest.Time

// A City is a ledger with the built-in types, and departments that have one key of each sort: label
// "<department>/<sort>", the sorts being those of Sorts.
type City struct {
	*Ledger
	T      testing.TB
	ID     sm.Hash
	Submit func(actor string, tx *chaincode.Transaction) (existing bool, err error)
}

// Sorts are the keys of a department; the first one is its first.
var Sorts = []struct {
	Name     string
	Purposes statement.Purposes
}{
	{"govern", statement.PurposeGovern},
	{"anchor", statement.PurposeAnchor},
	{"status-1", statement.PurposeStatus},
	{"status-2", statement.PurposeStatus},
	{"log", statement.PurposeLog},
	{"consent", statement.PurposeConsent},
}

var keys sync.Map

// Key returns the key of a label; the same label always gives the same key.
func Key(label string) *sm.PrivateKey {
	key, ok := keys.Load(label)
	if !ok {
		key, _ = keys.LoadOrStore(label, statementtest.Key(label))
	}
	return key.(*sm.PrivateKey)
}

// KeyID returns the kid of the key of a label.
func KeyID(label string) sm.Hash { return Key(label).Public().ID() }

// Profile returns the profile of a department of the catalogue, or of one like it.
func Profile(id string) statement.Profile {
	p := statement.Profile{ID: id, USCC: "11990100MB0000009K", NameZh: "某局", NameEn: "Some bureau",
		Units: []statement.Unit{{ID: "unit", DivisionCode: "990101", NameZh: "科室", NameEn: "Section"}}}
	departments, err := catalog.Departments()
	if err != nil {
		panic(err) // they are built in
	}
	for _, d := range departments {
		if d.ID == id {
			p.USCC, p.NameZh, p.NameEn, p.Issues = d.USCC, d.Name.Zh, d.Name.En, d.Issues
		}
	}
	if id == Other {
		p.Issues = []string{"divorce", "marriage"}
	}
	return p
}

// Genesis returns the genesis of the city's ledger.
func Genesis() *statement.Genesis {
	return &statement.Genesis{
		Name: "示范市证照台账", Authority: Profile(Authority), PublicKey: [64]byte(Key(Authority + "/govern").Public().Bytes()),
		Purposes: statement.PurposeGovern, CreatedAt: Time, Nonce: [16]byte{1},
	}
}

// New founds a city on a new ledger in memory.
func New(t testing.TB) *City {
	l := NewLedger()
	return Found(t, l, l.Submit)
}

// Found founds a city on an empty ledger, through submit; the ledger in memory is where tests look.
func Found(t testing.TB, l *Ledger, submit func(string, *chaincode.Transaction) (bool, error)) *City {
	t.Helper()
	payload, err := statement.Encode(Genesis())
	if err != nil {
		t.Fatal(err)
	}
	c := &City{Ledger: l, T: t, ID: sm.Sum(payload), Submit: submit}
	c.Must(Authority, c.Tx(Genesis(), Authority+"/govern"))
	types, err := catalog.Types()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types {
		c.Must(Authority, c.Tx(c.Type(typ), Authority+"/govern"))
	}
	for _, id := range []string{Authority, Issuer, Other, Suspended} {
		first := id + "/govern"
		if id != Authority {
			c.Must(Authority, c.Tx(c.Department(Profile(id), 1), Authority+"/govern"))
			c.Must(Authority, c.Tx(c.Enrol(id, first, statement.PurposeGovern), first, Authority+"/govern"))
		}
		for _, sort := range Sorts[1:] {
			label := id + "/" + sort.Name
			c.Must(id, c.Tx(c.Enrol(id, label, sort.Purposes), label, first))
		}
	}
	c.Must(Authority, c.Tx(&statement.Heartbeat{Ledger: c.ID, Sequence: 1, Time: Time}, Authority+"/log"))
	return c
}

// Clone returns a copy of the city for another test; it is on a ledger in memory.
func (c *City) Clone(t testing.TB) *City {
	d := &City{Ledger: c.Ledger.Clone(), T: t, ID: c.ID}
	d.Submit = d.Ledger.Submit
	return d
}

// Must submits a transaction that breaks no rule.
func (c *City) Must(actor string, tx *chaincode.Transaction) {
	c.T.Helper()
	if _, err := c.Submit(actor, tx); err != nil {
		c.T.Fatalf("%s submits a transaction: %v", actor, err)
	}
}

// Sign signs a body with the keys of some labels.
func (c *City) Sign(body statement.Body, labels ...string) [][]byte {
	c.T.Helper()
	var out [][]byte
	for _, label := range labels {
		signed, err := statement.Sign(body, Key(label))
		if err != nil {
			c.T.Fatalf("sign a %s statement: %v", body.Kind(), err)
		}
		out = append(out, signed)
	}
	return out
}

// Tx is a transaction of one statement.
func (c *City) Tx(body statement.Body, labels ...string) *chaincode.Transaction {
	c.T.Helper()
	return &chaincode.Transaction{Statements: c.Sign(body, labels...)}
}

// Department admits a department, or changes it, as active.
func (c *City) Department(p statement.Profile, sequence uint64) *statement.Department {
	return &statement.Department{Ledger: c.ID, Profile: p, State: statement.DepartmentActive, Sequence: sequence, SignedAt: Time}
}

// Suspend suspends a department that was admitted and not changed since.
func (c *City) Suspend(id string) {
	c.T.Helper()
	d := c.Department(Profile(id), 2)
	d.State = statement.DepartmentSuspended
	c.Must(Authority, c.Tx(d, Authority+"/govern"))
}

// Type publishes a type.
func (c *City) Type(t *licence.Type) *statement.Type {
	return &statement.Type{Ledger: c.ID, ID: t.ID, Version: uint32(t.Version), Definition: t.Canonical(), SignedAt: Time}
}

// Enrol enrols the key of a label.
func (c *City) Enrol(department, label string, purposes statement.Purposes) *statement.Key {
	public := Key(label).Public()
	return &statement.Key{Ledger: c.ID, Department: department, Action: statement.KeyEnrol, KeyID: public.ID(),
		PublicKey: public.Bytes(), Purposes: purposes, SignedAt: Time}
}

// EndKey retires the key of a label or declares it compromised.
func (c *City) EndKey(department, action, label string, disowned ...sm.Hash) *statement.Key {
	return &statement.Key{Ledger: c.ID, Department: department, Action: action, KeyID: KeyID(label),
		PublicKey: []byte{}, Disowned: disowned, SignedAt: Time}
}

// A Batch is licences under one head.
type Batch struct {
	Head    *statement.Head
	Digests []sm.Hash
	tree    *credential.Tree
}

// Batch makes a head over n licences; another name gives other ones. A department that issues
// nothing makes one of marriage.
func (c *City) Batch(issuer, name string, n int) *Batch {
	digests := make([]sm.Hash, n)
	for i := range digests {
		digests[i] = sm.Sum([]byte{byte(i), byte(i >> 8), 'o', 'f', ' '})
		digests[i] = sm.Sum(append(digests[i][:], issuer+" "+name...))
	}
	typ := "marriage"
	if issues := Profile(issuer).Issues; len(issues) > 0 {
		typ = issues[len(issues)-1]
	}
	return c.BatchOf(issuer, typ, digests)
}

// BatchOf makes a head of version 1 of a type over digests.
func (c *City) BatchOf(issuer, typ string, digests []sm.Hash) *Batch {
	b := &Batch{Digests: digests, tree: credential.NewTree(slices.Clone(digests))}
	b.Head = &statement.Head{Ledger: c.ID, Issuer: issuer, Unit: "unit", Type: typ, TypeVersion: 1,
		Root: b.tree.Root(), Size: uint32(len(digests)), SignedAt: Time}
	return b
}

// Tx is the transaction that anchors the batch, signed by one key.
func (b *Batch) Tx(c *City, label string) *chaincode.Transaction {
	tx := c.Tx(b.Head, label)
	for _, d := range b.Digests {
		tx.Digests = append(tx.Digests, d[:]...)
	}
	return tx
}

// Anchor anchors a new batch of n licences, signed and submitted by its issuer.
func (c *City) Anchor(issuer, name string, n int) *Batch {
	c.T.Helper()
	b := c.Batch(issuer, name, n)
	c.Must(issuer, b.Tx(c, issuer+"/anchor"))
	return b
}

// Place returns where licence i stands.
func (b *Batch) Place(i int) *statement.Place {
	return &statement.Place{Root: b.Head.Root, Index: uint32(i), Digest: b.Digests[i], Path: b.tree.AppendPath([]byte{}, i)}
}

// Status is the first change of the status of licence i.
func (b *Batch) Status(i int, from, to licence.State) *statement.Status {
	return &statement.Status{Ledger: b.Head.Ledger, Issuer: b.Head.Issuer, Root: b.Head.Root, Licence: b.Place(i), Sequence: 1,
		From: string(from), To: string(to), Effective: 20764, Reason: sm.Sum([]byte("reason")), SignedAt: Time}
}

// RootStatus is the first change of the status of all licences.
func (b *Batch) RootStatus(from, to licence.State) *statement.Status {
	s := b.Status(0, from, to)
	s.Licence = nil
	return s
}

// Then is the change that follows another one.
func Then(before *statement.Status, to licence.State) *statement.Status {
	s := *before
	s.From, s.To, s.Sequence, s.Previous = before.To, string(to), before.Sequence+1, Previous(before)
	return &s
}

// Restriction lays the first restriction on licence i.
func (b *Batch) Restriction(i int, id byte) *statement.Restriction {
	return &statement.Restriction{Ledger: b.Head.Ledger, Issuer: b.Head.Issuer, Licence: *b.Place(i), Sequence: 1,
		Action: statement.RestrictionLay, ID: [16]byte{id}, Ground: sm.Sum([]byte("ground")), Effective: 20764, SignedAt: Time}
}

// ThenRestriction lays or lifts a restriction after another one.
func ThenRestriction(before *statement.Restriction, action string, id byte) *statement.Restriction {
	r := *before
	r.Action, r.ID, r.Sequence, r.Previous = action, [16]byte{id}, before.Sequence+1, Previous(before)
	return &r
}

// Previous is what the change after a body says of it.
func Previous(body statement.Body) *sm.Hash {
	payload, err := statement.Encode(body)
	if err != nil {
		panic(err) // bodies of tests that are followed are valid
	}
	h := sm.Sum(payload)
	return &h
}

// Log is the access log that each department has.
const Log = "main"

// Checkpoint fixes a department's access log.
func (c *City) Checkpoint(department string, size uint64) *statement.Checkpoint {
	return &statement.Checkpoint{Ledger: c.ID, Department: department, Log: Log, Size: size, Root: sm.Sum([]byte{byte(size)}), SignedAt: Time}
}

// Consent gives or withdraws a grant.
func (c *City) Consent(department, action string) *statement.Consent {
	return &statement.Consent{Ledger: c.ID, Department: department, Digest: sm.Sum([]byte("grant")), Action: action, SignedAt: Time}
}
