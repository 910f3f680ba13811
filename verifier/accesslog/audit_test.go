package accesslog

import (
	"bytes"
	"errors"
	"iter"

	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

var _ Ledger = (*index.Index)(nil)

// anchoredSizes are the sizes at which the log of the audit's tests has checkpoints; it has three
// entries more, in segments of eight.
var anchoredSizes = []int{5, 8, 20, 30}

const auditedSize = 33

// audited makes that log, and closes it.
func audited(t *testing.T) (*verifiertest.City, string) {
	t.Helper()
	city := verifiertest.New(t)
	l, a, _ := cityLog(t, city)
	for _, size := range anchoredSizes {
		fill(t, l, size)
		anchor(t, a)
	}
	fill(t, l, auditedSize)
	closeLog(t, l)
	caughtUp(t, city)
	return city, l.dir
}

func auditDir(t testing.TB, dir string, ledger Ledger, options AuditOptions) *Report {
	t.Helper()
	files, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Audit(files, ledger, options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// auditExport exports a log, and audits that.
func auditExport(t testing.TB, dir string, ledger Ledger, options AuditOptions) (*Report, error) {
	t.Helper()
	files, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := files.Write(&b); err != nil {
		return nil, err
	}
	x, err := ReadExport(&b)
	if err != nil {
		return nil, err
	}
	return Audit(x, ledger, options)
}

// wantFindings wants findings with these codes, in this order.
func wantFindings(t testing.TB, r *Report, want ...string) {
	t.Helper()
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Code)
	}
	if !slices.Equal(got, want) || r.Clean() != (len(want) == 0) {
		t.Errorf("the audit finds %v, want %v", r.Findings, want)
	}
}

func TestAuditClean(t *testing.T) {
	city, dir := audited(t)
	var f access.Frontier
	for _, r := range records(t, dir) {
		f.Append(access.Leaf(r.entry))
	}
	head := Head{f.Size(), f.Root()}
	fromFiles := auditDir(t, dir, city.Index, AuditOptions{Expect: &head})
	fromExport, err := auditExport(t, dir, city.Index, AuditOptions{Expect: &head})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Report{fromFiles, fromExport} {
		wantFindings(t, r)
		if r.Head != head || r.Checkpoints != 4 || r.Anchored != 30 || r.Unseen != 0 || r.Ledger != 30 || r.Behind() != 0 || r.Identity.Department != ledgertest.Authority {
			t.Errorf("the report is %+v", r)
		}
	}

	// While the log is open and goes on.
	l := reopenIn(t, city, dir)
	fill(t, l, 100)
	if r := auditDir(t, dir, city.Index, AuditOptions{}); !r.Clean() || r.Head.Size != 100 {
		t.Errorf("the report of a log in use is %+v", r)
	}

	// By a view of the ledger that is behind.
	anchor(t, NewAnchorer(l, &post{Ledger: city.As(ledgertest.Authority)}))
	old := &lagging{Ledger: city.Index, size: 20}
	r := auditDir(t, dir, old, AuditOptions{})
	wantFindings(t, r)
	if r.Unseen != 2 || r.Checkpoints != 3 || r.Anchored != 20 {
		t.Errorf("the report by an old view is %+v", r)
	}
	r, err = auditExport(t, dir, &lagging{Ledger: city.Index}, AuditOptions{})
	if err != nil || !r.Clean() || r.Unseen != 5 || r.Anchored != 0 {
		t.Errorf("the report by a ledger without checkpoints is %+v, %v", r, err)
	}
}

// A lagging is a view of the ledger that ends with the checkpoint of a size, or with an error.
type lagging struct {
	Ledger
	size uint64
	err  error
}

func (l *lagging) Checkpoints(department, log string) iter.Seq2[verify.Checkpoint, error] {
	return func(yield func(verify.Checkpoint, error) bool) {
		for c, err := range l.Ledger.Checkpoints(department, log) {
			if l.err != nil {
				err = l.err
			}
			if err == nil && c.Size > l.size || !yield(c, err) {
				return
			}
		}
	}
}

// TestAuditHandsOverEntries: all that are entries, each once, from a log as from an export.
func TestAuditHandsOverEntries(t *testing.T) {
	city, dir := audited(t)
	var want, got []string
	for _, r := range records(t, dir) {
		want = append(want, string(r.entry))
	}
	slices.Sort(want)
	var mu sync.Mutex
	options := AuditOptions{Entry: func(e *access.Entry) error {
		b, err := e.Bytes()
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(b))
		return err
	}}
	auditDir(t, dir, city.Index, options)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d entries are handed over, the log has %d", len(got), len(want))
	}
	got = nil
	_, err := auditExport(t, dir, city.Index, options)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d entries are handed over, the export has %d; %v", len(got), len(want), err)
	}
	enough := errors.New("enough")
	var n atomic.Int32
	_, err = auditExport(t, dir, city.Index, AuditOptions{Entry: func(*access.Entry) error {
		if n.Add(1) == 7 {
			return enough
		}
		return nil
	}})
	if !errors.Is(err, enough) {
		t.Errorf("after %d entries: %v", n.Load(), err)
	}
}

// TestAuditOfOlderExport audits an export when the ledger has gone on.
func TestAuditOfOlderExport(t *testing.T) {
	city, dir := audited(t)
	files, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := files.Write(&b); err != nil {
		t.Fatal(err)
	}
	l := reopenIn(t, city, dir)
	fill(t, l, 40)
	anchor(t, NewAnchorer(l, &post{Ledger: city.As(ledgertest.Authority)}))
	caughtUp(t, city)
	x, err := ReadExport(&b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Audit(x, city.Index, AuditOptions{})
	if err != nil || !r.Clean() || r.Behind() != 7 || r.Head.Size != auditedSize {
		t.Errorf("the report is %+v, %v", r, err)
	}
}

// TestExpect compares with a head that was noted elsewhere: it finds what no checkpoint covers.
func TestExpect(t *testing.T) {
	city, dir := audited(t)
	r := auditDir(t, dir, city.Index, AuditOptions{})
	head := r.Head
	shorter, other := copyDir(t, dir), copyDir(t, dir)
	all := records(t, dir)
	rebuild(t, shorter, all[:31])
	all[32] = altered(t, all[32])
	rebuild(t, other, all)
	wantFindings(t, auditDir(t, shorter, city.Index, AuditOptions{}))
	wantFindings(t, auditDir(t, other, city.Index, AuditOptions{}))
	wantFindings(t, auditDir(t, shorter, city.Index, AuditOptions{Expect: &head}), CodeRolledBack)
	wantFindings(t, auditDir(t, other, city.Index, AuditOptions{Expect: &head}), CodeHeadDiffers)
	r, err := auditExport(t, shorter, city.Index, AuditOptions{Expect: &head})
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, r, CodeRolledBack)
}

// TestManyFindings ends when it has seen enough.
func TestManyFindings(t *testing.T) {
	city, dir := audited(t)
	all := records(t, dir)
	for len(all) < 500 {
		all = append(all, record{entry: []byte{0}})
	}
	rebuild(t, dir, all)
	r := auditDir(t, dir, city.Index, AuditOptions{})
	if len(r.Findings) != maxFindings || !r.Incomplete || r.Clean() {
		t.Errorf("%d findings, incomplete: %v", len(r.Findings), r.Incomplete)
	}
}

func TestLedgerFails(t *testing.T) {
	city, dir := audited(t)
	files, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Audit(files, &lagging{Ledger: city.Index, err: errFault}, AuditOptions{}); !errors.Is(err, errFault) {
		t.Errorf("a view that cannot be read: %v", err)
	}
	_, err = OpenFiles(t.TempDir())
	wantCode(t, "no log", err, CodeMissing)
}

func TestParseHead(t *testing.T) {
	h := Head{1204, sm.Sum([]byte("root"))}
	if got, err := ParseHead(h.String()); err != nil || got != h {
		t.Errorf("ParseHead(%s) = %v, %v", h, got, err)
	}
	root := h.Root.String()
	for _, bad := range []string{
		"", ":", "1", "1:", ":" + root, "01:" + root, "+1:" + root, "-1:" + root, "1:" + strings.ToUpper(root), "1:" + root + " ",
		"1:" + root[1:], "18446744073709551616:" + root,
	} {
		if h, err := ParseHead(bad); err == nil {
			t.Errorf("ParseHead(%q) = %v, want an error", bad, h)
		}
	}
}
