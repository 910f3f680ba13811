package verify_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// noon is the time of most verifications: 2026-11-03 12:00 in UTC+8.
var noon = time.Date(2026, 11, 3, 4, 0, 0, 0, time.UTC)

func at(d time.Duration) uint64 { return uint64(noon.Add(d).Unix()) }

func day(s string) licence.Date {
	d, err := licence.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func dayp(s string) *licence.Date { d := day(s); return &d }

// A view is one that a test writes down. It is a real View, of a ledger of few words.
type view struct {
	ledger      sm.Hash
	types       map[string][]*licence.Type
	departments map[string]*verify.Department
	keys        map[sm.Hash]*verify.Key
	licence     verify.Licence // what it knows of every licence
	root        sm.Hash        // under which licence.Anchor is; zero: under any
	withdrawn   map[sm.Hash]bool
}

func (v *view) Ledger() sm.Hash { return v.ledger }

func (v *view) Type(id string, version uint32) (named, newest *licence.Type) {
	for _, t := range v.types[id] {
		if t.Version == int(version) {
			return t, v.types[id][len(v.types[id])-1]
		}
	}
	return nil, nil
}

func (v *view) Department(id string) *verify.Department { return v.departments[id] }
func (v *view) Key(kid sm.Hash) *verify.Key             { return v.keys[kid] }

func (v *view) Licence(issuer string, root, _ sm.Hash) verify.Licence {
	l := v.licence
	l.Anchored = l.Anchored && root == v.root && issuer == l.Anchor.Head.Issuer
	return l
}

func (v *view) Withdrawn(_ string, binding sm.Hash) bool { return v.withdrawn[binding] }

func newKey(t testing.TB) *sm.PrivateKey {
	t.Helper()
	k, err := sm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const civilAffairs = "civil-affairs"

// A city is a view with one issuer and a batch of marriage certificates.
type city struct {
	view    *view
	typ     *licence.Type
	key     *sm.PrivateKey // civil affairs' key for anchoring
	batch   *credential.Batch
	holders map[int]*sm.PrivateKey
}

func newCity(t testing.TB, size int, change ...func(*credential.Record)) *city {
	t.Helper()
	types, err := catalog.Types()
	if err != nil {
		t.Fatal(err)
	}
	c := &city{key: newKey(t), view: &view{
		ledger: sm.Sum([]byte("a ledger")), types: map[string][]*licence.Type{},
		departments: map[string]*verify.Department{}, keys: map[sm.Hash]*verify.Key{}, withdrawn: map[sm.Hash]bool{},
	}}
	for _, lt := range types {
		c.view.types[lt.ID] = []*licence.Type{lt}
	}
	c.typ = c.view.types["marriage"][0]
	c.view.departments[civilAffairs] = &verify.Department{
		Profile: statement.Profile{ID: civilAffairs, NameZh: "示范市民政局", NameEn: "Demo City Civil Affairs Bureau"},
		State:   statement.DepartmentActive,
	}
	c.enrol(c.key, civilAffairs, statement.PurposeAnchor)
	record := credential.Record{Issuer: civilAffairs, IssuedAt: at(-24 * time.Hour)}
	for _, f := range change {
		f(&record)
	}
	c.batch = c.issue(t, size, record, c.key, at(-24*time.Hour))
	c.anchor(c.batch)
	c.view.licence.Height = 40
	c.view.licence.Heartbeat = verify.Heartbeat{Sequence: 9, Time: at(-time.Minute), Block: 40}
	return c
}

func (c *city) enrol(key *sm.PrivateKey, department string, purposes statement.Purposes) *verify.Key {
	k := &verify.Key{Department: department, Public: key.Public(), Purposes: purposes, State: verify.KeyActive}
	c.view.keys[key.Public().ID()] = k
	return k
}

// issue makes a batch of the first sample licence, each with other salts.
func (c *city) issue(t testing.TB, size int, record credential.Record, key sm.Signer, signedAt uint64) *credential.Batch {
	t.Helper()
	b, err := samples.Files.ReadFile("marriage-1.json")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := licence.NewReader(bytes.NewReader(b), c.typ)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	drafts := make([]*credential.Draft, size)
	for i := range drafts {
		salts := make([]byte, len(c.typ.Leaves())*credential.SaltSize)
		if _, err := rand.Read(salts); err != nil {
			t.Fatal(err)
		}
		if drafts[i], err = credential.NewDraft(doc, record, salts); err != nil {
			t.Fatal(err)
		}
	}
	batch, err := credential.NewBatch(drafts, statement.Head{Ledger: c.view.ledger, Unit: "marriage-registry", SignedAt: signedAt}, key)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// anchor has the view know a batch.
func (c *city) anchor(b *credential.Batch) {
	s, err := statement.Parse(b.Statement)
	if err != nil {
		panic(err)
	}
	c.view.root = b.Head.Root
	c.view.licence.Anchored = true
	c.view.licence.Anchor = verify.Anchor{
		Head: *b.Head, KeyID: s.KeyID, Signature: s.Signature, Checked: true,
		Position: verify.Position{Block: 17, Index: 2}, TransactionID: "17-2",
		Before: verify.Heartbeat{Sequence: 3, Time: at(-24*time.Hour - 30*time.Second), Block: 16},
		After:  verify.Heartbeat{Sequence: 4, Time: at(-24*time.Hour + 30*time.Second), Block: 18},
	}
}

// two discloses two fields of a licence.
func (c *city) two(t testing.TB, i int) *credential.Presentation {
	t.Helper()
	p, err := credential.Disclose(c.batch.Credential(i), c.typ, "spouse1Name", "spouse2Id")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c *city) open(t testing.TB, p *credential.Presentation) *credential.Opened {
	t.Helper()
	o, err := p.Open(c.typ)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// check gives the verdict on a presentation at noon.
func (c *city) check(p *credential.Presentation, change ...func(*verify.Request)) verify.Verdict {
	r := verify.Request{Presentation: p.Bytes(), Now: noon}
	for _, f := range change {
		f(&r)
	}
	return verify.Verify(c.view, r)
}

// want is what a test expects of one axis.
type want struct {
	axis   verify.Axis
	result verify.Result
	reason verify.Reason
}

func expect(t *testing.T, v verify.Verdict, outcome verify.Outcome, wants ...want) {
	t.Helper()
	if v.Outcome != outcome {
		t.Errorf("outcome = %s, want %s; reasons %v", v.Outcome, outcome, v.Reasons())
	}
	for _, w := range wants {
		if got := v.Finding(w.axis); got.Result != w.result || got.Reason != w.reason {
			t.Errorf("%s = %s/%s, want %s/%s", w.axis, got.Result, got.Reason, w.result, w.reason)
		}
	}
}

func pass(a verify.Axis, r verify.Reason) want    { return want{a, verify.Pass, r} }
func fail(a verify.Axis, r verify.Reason) want    { return want{a, verify.Fail, r} }
func unknown(a verify.Axis, r verify.Reason) want { return want{a, verify.Unknown, r} }
