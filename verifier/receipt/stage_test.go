package receipt_test

import (
	"crypto/rand"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// A trust is one that a test has made up.
type trust struct {
	ledger sm.Hash
	keys   map[sm.Hash]*verify.Key
	points map[uint64]verify.Checkpoint
	err    error
}

func (t *trust) Ledger() sm.Hash             { return t.ledger }
func (t *trust) Key(kid sm.Hash) *verify.Key { return t.keys[kid] }
func (t *trust) Checkpoint(department, log string, size uint64) (verify.Checkpoint, bool, error) {
	c, ok := t.points[size]
	return c, ok && department == verifierID && log == "main", t.err
}
func (t *trust) LatestCheckpoint(department, log string) (c verify.Checkpoint, ok bool, err error) {
	for _, p := range t.points {
		if p.Size > c.Size {
			c, ok = p, true
		}
	}
	return c, ok, t.err
}

// A stage has a receipt that is anchored, and what that depends on.
type stage struct {
	*book
	trust *trust
	own   *verify.Key // that signed the checkpoint
	file  *receipt.File
	shown *credential.Opened
}

func newStage(t *testing.T) *stage {
	city := verifiertest.New(t)
	b := newBook(t, city)
	l := city.Issue("property", 2)
	b.fill(2)
	f := b.verification(l[0])
	b.fill(4)
	f = b.upgraded(f, b.checkpoint())
	c := f.Proof.Checkpoint
	own := &verify.Key{Department: verifierID, Public: b.key.Public(), Purposes: statement.PurposeLog, State: verify.KeyActive}
	s := &stage{book: b, own: own, file: f}
	s.trust = &trust{
		ledger: city.ID, keys: map[sm.Hash]*verify.Key{b.key.Public().ID(): own},
		points: map[uint64]verify.Checkpoint{c.Size: {Size: c.Size, Root: c.Root}},
	}
	opened, err := l[0].Show().Open(l[0].Type)
	if err != nil {
		t.Fatal(err)
	}
	s.shown = opened
	return s
}

// with is the file with something changed.
func (s *stage) with(change func(f *receipt.File)) {
	f := *s.file
	proof := *f.Proof
	f.Proof = &proof
	change(&f)
	s.file = &f
}

// restated is the file with an entry that says something else.
func (s *stage) restated(change func(*access.Entry)) {
	s.Helper()
	s.with(func(f *receipt.File) {
		e := *f.Entry
		change(&e)
		encoded, err := e.Bytes()
		if err != nil {
			s.Fatal(err)
		}
		f.Entry, f.Encoded = &e, encoded
	})
}

// resigned is the file with a checkpoint that says something else, signed with a key; the path stays.
func (s *stage) resigned(key *sm.PrivateKey, change func(*statement.Checkpoint)) {
	s.Helper()
	c := *s.file.Proof.Checkpoint.Checkpoint
	change(&c)
	s.with(func(f *receipt.File) { f.Proof.Checkpoint = sign(s, &c, key) })
}

func freshKey(tb testing.TB) *sm.PrivateKey {
	tb.Helper()
	key, err := sm.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func bound(seconds uint64) *uint64 { return &seconds }

// again is the stage with parts that can be changed.
func (s *stage) again(t *testing.T) *stage {
	b, own, shown, presentation := *s.book, *s.own, *s.shown, *s.shown.Presentation
	b.TB = t
	shown.Presentation = &presentation
	points := map[uint64]verify.Checkpoint{}
	for size, c := range s.trust.points {
		points[size] = c
	}
	return &stage{
		book: &b, own: &own, file: s.file, shown: &shown,
		trust: &trust{ledger: s.trust.ledger, keys: map[sm.Hash]*verify.Key{b.key.Public().ID(): &own}, points: points},
	}
}
