package accesslog

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// A post is a connection to a ledger on which submissions fail when the test says so.
type post struct {
	ledger.Ledger
	refuse    error // nothing is submitted
	lose      bool  // it is, but the answer is lost
	submitted [][]byte
}

func (p *post) Submit(ctx context.Context, tx *chaincode.Transaction) (ledger.Receipt, error) {
	if p.refuse != nil {
		return ledger.Receipt{}, p.refuse
	}
	p.submitted = append(p.submitted, tx.Statements[0])
	receipt, err := p.Ledger.Submit(ctx, tx)
	if p.lose && err == nil {
		return ledger.Receipt{}, &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the answer was lost"}
	}
	return receipt, err
}

// cityLog makes a log of the city's authority, with an Anchorer and the connection that it uses.
func cityLog(t *testing.T, city *verifiertest.City) (*Log, *Anchorer, *post) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if err := create(dir, Identity{city.ID, ledgertest.Authority, "verifier-1"}, small); err != nil {
		t.Fatal(err)
	}
	l := reopenIn(t, city, dir)
	p := &post{Ledger: city.As(ledgertest.Authority)}
	return l, NewAnchorer(l, p), p
}

// reopenIn opens a log of the city's authority.
func reopenIn(t *testing.T, city *verifiertest.City, dir string) *Log {
	t.Helper()
	return reopenWith(t, dir, city.Authority.Log, city.Clock.Now)
}

func anchor(t *testing.T, a *Anchorer) {
	t.Helper()
	if err := a.Anchor(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// caughtUp waits until the index has all of the ledger.
func caughtUp(t testing.TB, city *verifiertest.City) {
	t.Helper()
	head, err := city.As(ledgertest.Authority).Head(t.Context())
	if err == nil {
		err = city.Index.WaitFor(t.Context(), head.Height)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantProofs wants every anchored entry to have a proof against a checkpoint that is on the ledger.
func wantProofs(t *testing.T, city *verifiertest.City, l *Log, anchored uint64) {
	t.Helper()
	caughtUp(t, city)
	if got, err := l.Anchored(); err != nil || got != anchored {
		t.Fatalf("%d entries are anchored, want %d, %v", got, anchored, err)
	}
	for i := range l.Size() {
		p, err := l.Proof(i)
		if err != nil || (p == nil) != (i >= anchored) {
			t.Fatalf("the proof of entry %d is %v, %v", i, p, err)
		}
		if p == nil {
			continue
		}
		entry, err := l.Entries(i, 1)
		if err != nil || p.Index != i {
			t.Fatalf("the proof of entry %d is one of %d: %v", i, p.Index, err)
		}
		wantSigned(t, l, &Place{Proof: p, Leaf: access.Leaf(entry[0])})
		c := p.Checkpoint
		if c.SignedAt != city.Clock.Unix() {
			t.Fatalf("the checkpoint is %+v", c)
		}
		record, found, err := city.Index.Checkpoint(l.id.Department, l.id.Log, c.Size)
		if err != nil || !found || record.Root != c.Root {
			t.Fatalf("the ledger has %+v at %d: %v", record, c.Size, err)
		}
	}
}

func TestAnchor(t *testing.T) {
	city := verifiertest.New(t)
	l, a, p := cityLog(t, city)
	anchor(t, a)
	if len(p.submitted) > 0 {
		t.Fatal("a log without entries was anchored")
	}
	wantProofs(t, city, l, 0)
	for _, size := range []int{1, 5, 8, 9, 30} {
		fill(t, l, size)
		anchor(t, a)
		anchor(t, a)
		wantProofs(t, city, l, uint64(size))
	}
	if len(p.submitted) != 5 {
		t.Errorf("%d checkpoints were submitted, want 5", len(p.submitted))
	}
	fill(t, l, 33)
	wantProofs(t, city, l, 30)
	closeLog(t, l)
	l = reopenIn(t, city, l.dir)
	wantProofs(t, city, l, 30)
	anchor(t, NewAnchorer(l, p))
	wantProofs(t, city, l, 33)

	list, err := l.Checkpoints(0, 1000)
	if err != nil || len(list) != 6 || list[0].Size != 1 || list[5].Size != 33 {
		t.Errorf("the checkpoints are %v, %v", list, err)
	}
	if list, err = l.Checkpoints(5, 2); err != nil || len(list) != 2 || list[0].Size != 8 {
		t.Errorf("two checkpoints after 5 are %v, %v", list, err)
	}
	if list, err = l.Checkpoints(33, 2); err != nil || len(list) != 0 {
		t.Errorf("the checkpoints after the last are %v, %v", list, err)
	}
}

// TestAnswerLost has the ledger take a checkpoint without saying so: the same bytes are submitted
// again.
func TestAnswerLost(t *testing.T) {
	city := verifiertest.New(t)
	l, a, p := cityLog(t, city)
	fill(t, l, 5)
	p.lose = true
	if err := a.Anchor(t.Context()); ledger.Code(err) != ledger.CodeOutcomeUnknown {
		t.Fatal(err)
	}
	fill(t, l, 12)
	if err := a.Anchor(t.Context()); ledger.Code(err) != ledger.CodeOutcomeUnknown || !errors.Is(a.State().Err, err) {
		t.Fatal(err, a.State())
	}
	p.lose = false
	anchor(t, a)
	if len(p.submitted) != 4 || !bytes.Equal(p.submitted[0], p.submitted[2]) || bytes.Equal(p.submitted[2], p.submitted[3]) {
		t.Errorf("%d submissions", len(p.submitted))
	}
	wantProofs(t, city, l, 12)
	if s := a.State(); s.Err != nil || s.Size != 12 || !s.At.Equal(city.Clock.Now()) {
		t.Errorf("the state is %+v", s)
	}
}

// TestEndedBeforeStored ends the process, as it were, when a checkpoint is on the ledger and not
// stored: the next one gets to store it.
func TestEndedBeforeStored(t *testing.T) {
	for _, grow := range []int{0, 3} {
		city := verifiertest.New(t)
		l, a, p := cityLog(t, city)
		fill(t, l, 5)
		p.lose = true
		if err := a.Anchor(t.Context()); err == nil {
			t.Fatal("the answer was not lost")
		}
		closeLog(t, l)
		l = reopenIn(t, city, l.dir)
		fill(t, l, 5+grow)
		p.lose = false
		anchor(t, NewAnchorer(l, p))
		wantProofs(t, city, l, uint64(5+grow))
	}
}

// TestCheckpointNotStored has the disk full when a checkpoint is to be stored.
func TestCheckpointNotStored(t *testing.T) {
	city := verifiertest.New(t)
	l, _, p := cityLog(t, city)
	closeLog(t, l)
	fs := &faulty{fail: map[string]error{}, half: true}
	l, err := open(l.dir, city.Authority.Log, city.Clock.Now, fs)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := NewAnchorer(l, p)
	fill(t, l, 5)
	anchor(t, a)
	fill(t, l, 7)
	for _, operation := range []string{"write", "sync"} {
		fs.set(operation, syscall.ENOSPC)
		wantCode(t, operation, a.Anchor(t.Context()), CodeStorage)
		fs.set(operation, nil)
		closeLog(t, reopenIn(t, city, copyDir(t, l.dir))) // half of a checkpoint is none
	}
	anchor(t, a)
	wantProofs(t, city, l, 7)
}

// TestRolledBack goes on with a log from an old copy.
func TestRolledBack(t *testing.T) {
	city := verifiertest.New(t)
	l, a, p := cityLog(t, city)
	fill(t, l, 5)
	anchor(t, a)
	old := copyDir(t, l.dir)
	fill(t, l, 9)
	anchor(t, a)

	copied := reopenIn(t, city, old)
	again := NewAnchorer(copied, p)
	wantCode(t, "a log that is shorter than the ledger knows", again.Run(t.Context()), CodeRolledBack)
	fill(t, copied, 12)
	submitted := len(p.submitted)
	wantCode(t, "a log that went on from an old copy", NewAnchorer(copied, p).Run(t.Context()), CodeForked)
	if len(p.submitted) > submitted {
		t.Error("a checkpoint of a forked log was submitted")
	}
	anchor(t, a) // the true one goes on
	fill(t, l, 13)
	anchor(t, a)
	wantProofs(t, city, l, 13)
}

// TestTwoLogsOfOneName runs two copies of one log at a time.
func TestTwoLogsOfOneName(t *testing.T) {
	city := verifiertest.New(t)
	l, a, p := cityLog(t, city)
	fill(t, l, 5)
	anchor(t, a)
	copied := reopenIn(t, city, copyDir(t, l.dir))
	b := NewAnchorer(copied, p)
	anchor(t, b)
	fill(t, l, 8)
	anchor(t, a)
	fill(t, copied, 8)
	wantCode(t, "another root at a size", b.Run(t.Context()), CodeForked)

	fill(t, l, 20)
	anchor(t, a)
	late := reopenIn(t, city, copyDir(t, l.dir))
	c := NewAnchorer(late, p)
	anchor(t, c)
	fill(t, late, 22)
	fill(t, l, 25)
	anchor(t, a)
	wantCode(t, "a checkpoint before the newest", c.Run(t.Context()), CodeRolledBack)
}

// TestOpenAgainstCheckpoint opens logs that are not those of their own newest checkpoint.
func TestOpenAgainstCheckpoint(t *testing.T) {
	city := verifiertest.New(t)
	l, a, _ := cityLog(t, city)
	fill(t, l, 12)
	anchor(t, a)
	closeLog(t, l)
	all := records(t, l.dir)

	shorter := copyDir(t, l.dir)
	rebuild(t, shorter, all[:11])
	_, err := Open(shorter, testKey, time.Now)
	wantCode(t, "a log that lost an entry", err, CodeRolledBack)

	other := copyDir(t, l.dir)
	rebuild(t, other, append(append([]record{all[1]}, all[1:]...), all[0]))
	_, err = Open(other, testKey, time.Now)
	wantCode(t, "a log with another entry", err, CodeForked)
}

// TestStatementOfGreatestLength wants the slots to have room for the longest checkpoint that there
// can be.
func TestStatementOfGreatestLength(t *testing.T) {
	name := "abcdefghijklmnopqrstuvwxyz012345"
	b, err := statement.Sign(&statement.Checkpoint{
		Ledger: sm.Sum(nil), Department: name, Log: name, Size: 1<<40 - 1, Root: sm.Sum(nil), SignedAt: 1<<40 - 1,
	}, statementtest.Key("log"))
	if err != nil || len(b) > maxStatement {
		t.Errorf("%d bytes, there is room for %d, %v", len(b), maxStatement, err)
	}
}

// TestCheckpointBytes changes every byte of the file of checkpoints: a last one that is damaged is one
// that was not written to its end, any other is found when it is read.
func TestCheckpointBytes(t *testing.T) {
	city := verifiertest.New(t)
	l, a, _ := cityLog(t, city)
	for _, size := range []int{3, 5} {
		fill(t, l, size)
		anchor(t, a)
	}
	closeLog(t, l)
	whole, err := os.ReadFile(filepath.Join(l.dir, checkpointsFile))
	if err != nil || len(whole) != 2*slotSize {
		t.Fatal(len(whole), err)
	}
	for i := range whole {
		change(t, filepath.Join(l.dir, checkpointsFile), func([]byte) []byte { b := bytes.Clone(whole); b[i] ^= 0x10; return b })
		c, err := openCheckpoints(l.dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first := i < slotSize; c.number() != map[bool]int64{true: 2, false: 1}[first] {
			t.Errorf("byte %d: there are %d checkpoints", i, c.number())
		} else if _, err := c.slot(0); first != (Code(err) == CodeDamaged) {
			t.Errorf("byte %d: the first checkpoint: %v", i, err)
		}
		c.close()
	}
}

// TestProofOfAlteredTree gives out no path that does not lead to the checkpoint.
func TestProofOfAlteredTree(t *testing.T) {
	city := verifiertest.New(t)
	l, a, _ := cityLog(t, city)
	fill(t, l, 20)
	anchor(t, a)
	closeLog(t, l)
	change(t, l.path(0, indexFile), func(b []byte) []byte { b[indexLayout(small).node(1, 2)] ^= 1; return b })
	l = reopenIn(t, city, l.dir)
	if p, err := l.Proof(2); err != nil || p == nil {
		t.Errorf("a path that passes by what was altered: %v", err)
	}
	_, err := l.Proof(6)
	wantCode(t, "a path with what was altered", err, CodeDamaged)
}
