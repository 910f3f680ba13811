package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// aStory is a small ledger with something of everything, in memory.
type aStory struct {
	city    *ledgertest.City
	home    *home
	store   *Store
	batch   *ledgertest.Batch
	anchor  ledger.Receipt // of batch
	changes ledger.Receipt // of five status changes
	second  ledger.Receipt // of one that took two signatures
	head    ledger.Head
}

func newStory(t *testing.T) *aStory {
	t.Helper()
	s := &aStory{city: ledgertest.NewCity(t, t.Name()), home: newMemHome(t, vfs.NewMem())}
	var err error
	if s.store, err = s.home.begin(t, s.city); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	issuer := s.city.Department(t, ledgertest.Properties)
	for _, f := range append(s.city.Admit(t, issuer), s.city.Publish(t, s.city.Type(t, "property"))) {
		ledgertest.Submit(t, s.store.As(f.Actor), f.Tx)
	}
	s.batch = s.city.Digests(t, "property", 16, nil, nil)
	d, l := s.batch.Department, s.store.As(s.batch.Issuer)
	s.anchor = ledgertest.Submit(t, l, s.batch.Tx)
	var changes []*statement.Status
	for i := range 5 {
		changes = append(changes, s.batch.Change(i, licence.Revoked))
	}
	s.changes = ledgertest.Submit(t, l, ledgertest.SignAll(t, changes, d.Status))
	again := ledgertest.After(t, changes[0], licence.Active)
	s.second = ledgertest.Submit(t, l, ledgertest.Sign(t, again, d.Status, d.Second))
	ledgertest.Submit(t, l, ledgertest.Sign(t, s.batch.Restrict(7), d.Status))
	other := s.city.Issue(t, "property", 3)
	ledgertest.Submit(t, s.store.As(other.Issuer), other.Tx)
	if s.head, err = l.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// close closes the store, so that its files can be worked on.
func (s *aStory) close(t *testing.T) {
	t.Helper()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// tamper changes what is stored, behind the ledger's back.
func (s *aStory) tamper(t *testing.T, change func(*pebble.DB)) {
	t.Helper()
	s.close(t)
	db, err := s.home.openDB(newDisk(s.home.fs), func(*pebble.Options) {})
	if err != nil {
		t.Fatal(err)
	}
	change(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *aStory) audit(t *testing.T, options audit.Options) *audit.Report {
	t.Helper()
	report, err := s.home.audit(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAuditClean(t *testing.T) {
	s := newStory(t)
	var done, total uint64
	options := audit.Options{Expect: &s.head, Progress: func(d, n uint64) {
		if d != done+1 || n != s.head.Height {
			t.Errorf("progress %d of %d after %d; there are %d blocks", d, n, done, s.head.Height)
		}
		done, total = d, n
	}}
	live, err := s.store.Audit(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if done != total || done != s.head.Height {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	done = 0
	s.close(t)
	closed := s.audit(t, options)
	for name, r := range map[string]*audit.Report{"open": live, "closed": closed} {
		if !r.Clean() {
			t.Errorf("%s: %v", name, r.Findings)
		}
		if r.Ledger != s.city.ID || r.Head != s.head || r.Blocks != s.head.Height || r.Transactions != s.head.Height {
			t.Errorf("%s: %+v; want ledger %s at %s, one transaction a block", name, r, s.city.ID, s.head)
		}
		// Five changes are one transaction; one change, and each of six enrolments, has two signatures.
		if want := r.Transactions + 4 + 1 + 6; r.Statements != want || r.Signatures != want {
			t.Errorf("%s: %d statements, %d signatures; want %d", name, r.Statements, r.Signatures, want)
		}
	}
}

func TestAuditChangesNothing(t *testing.T) {
	s := newStory(t)
	s.close(t)
	before := s.home.fs.(*vfs.MemFS).String()
	s.audit(t, audit.Options{})
	if after := s.home.fs.(*vfs.MemFS).String(); after != before {
		t.Errorf("the directory was\n%sand is\n%s", before, after)
	}
}

func TestAuditExpect(t *testing.T) {
	s := newStory(t)
	s.close(t)
	earlier, err := parseEarlier(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		expect ledger.Head
		want   string // code
		block  int64
	}{
		{"the head", s.head, "", 0},
		{"an earlier head", earlier, "", 0},
		{"another past", ledger.Head{Height: 3, Hash: sm.Hash{1}}, audit.FindingRewritten, 2},
		{"another newest block", ledger.Head{Height: s.head.Height, Hash: sm.Hash{1}}, audit.FindingRewritten, int64(s.head.Height) - 1},
		{"more blocks", ledger.Head{Height: s.head.Height + 1, Hash: s.head.Hash}, audit.FindingShortened, int64(s.head.Height) - 1},
	} {
		r := s.audit(t, audit.Options{Expect: &test.expect})
		if test.want == "" {
			if !r.Clean() {
				t.Errorf("%s: %v", test.name, r.Findings)
			}
			continue
		}
		if len(r.Findings) != 1 || r.Findings[0].Code != test.want || r.Findings[0].Block != test.block {
			t.Errorf("%s: %v; want %s at block %d", test.name, r.Findings, test.want, test.block)
		}
	}
}

// parseEarlier returns the head that was there before the last block.
func parseEarlier(t *testing.T, s *aStory) (ledger.Head, error) {
	t.Helper()
	var earlier ledger.Head
	db, err := s.home.openDB(newDisk(s.home.fs), func(o *pebble.Options) { o.ReadOnly = true })
	if err != nil {
		return earlier, err
	}
	block, _, err := readBlock(db, s.head.Height-2)
	if err != nil {
		return earlier, err
	}
	earlier = ledger.Head{Height: s.head.Height - 1, Hash: block.Hash}
	return earlier, db.Close()
}

func TestAuditStopsAtEnough(t *testing.T) {
	s := newStory(t)
	s.tamper(t, func(db *pebble.DB) {
		for i := range 50 {
			set(t, db, stateKey(fmt.Sprintf("key/slipped-in-%d", i)), make([]byte, positionSize))
		}
	})
	for most, want := range map[int]int{1: 1, 7: 7, 0: 50} {
		r := s.audit(t, audit.Options{MaxFindings: most})
		if len(r.Findings) != want || r.Incomplete != (most > 0) {
			t.Errorf("at most %d: %d findings, incomplete %v", most, len(r.Findings), r.Incomplete)
		}
	}
}

func TestAuditGivenUp(t *testing.T) {
	s := newStory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := s.store.Audit(ctx, audit.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v; want a cancelled context", r, err)
	}
	s.close(t)
	if _, err := s.store.Audit(t.Context(), audit.Options{}); ledger.Code(err) != ledger.CodeClosed {
		t.Errorf("audit of a closed ledger: %v", err)
	}
}

func TestAuditOfNoLedger(t *testing.T) {
	dir := t.TempDir()
	if _, err := Audit(t.Context(), dir, audit.Options{}); ledger.Code(err) != CodeNotALedger {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Audit(t.Context(), filepath.Join(dir, "absent"), audit.Options{}); ledger.Code(err) != CodeNotALedger {
		t.Errorf("an absent directory: %v", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("the audit left %v, %v", names, err)
	}
}
