package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/access"
)

// small is the height of the segments of most tests: they have eight entries.
const small = 3

// testKey signs the checkpoints of most tests.
var testKey = statementtest.Key("log")

var testID = Identity{Ledger: sm.Sum([]byte("ledger")), Department: "data-bureau", Log: "verifier-1"}

// newLog makes a log in a directory of its own and opens it.
func newLog(t testing.TB, height uint) *Log {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if err := create(dir, testID, height); err != nil {
		t.Fatal(err)
	}
	return reopen(t, dir)
}

func reopen(t testing.TB, dir string) *Log {
	t.Helper()
	return reopenWith(t, dir, testKey, time.Now)
}

// reopenWith opens a log whose key is that of somebody in particular.
func reopenWith(t testing.TB, dir string, key sm.Signer, now func() time.Time) *Log {
	t.Helper()
	l, err := Open(dir, key, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

const issuer = "civil-affairs"

// digest names one of the licences of the tests.
func digest(i int) sm.Hash { return sm.Sum(fmt.Appendf(nil, "licence %d", i)) }

// draft returns what is recorded of the i-th verification, of the licence with the digest digest(of).
func draft(i, of int) *Draft {
	return &Draft{
		Entry: access.Entry{
			Time: 1794009600 + uint64(i), Agency: "housing-bureau", Clerk: "王芳", Unit: "hall-1", Matter: "second-hand-home-transfer",
			Case: fmt.Sprintf("20261107-%06d", i), Type: "marriage", Fields: []string{"spouse1Name", "spouse2Name"}, Outcome: "valid",
			Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
			Day:     20764, Height: 12, Heartbeat: 1794009600,
		},
		Issuer: issuer, Digest: digest(of), Presentation: sm.Sum(fmt.Appendf(nil, "shown %d", i)),
	}
}

// add records the i-th verification.
func add(t testing.TB, l *Log, i, of int) Place {
	t.Helper()
	p, err := l.Append(t.Context(), draft(i, of))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fill records verifications until the log has so many entries, of ten licences in turn.
func fill(t testing.TB, l *Log, size int) (places []Place) {
	t.Helper()
	for i := int(l.Size()); i < size; i++ {
		places = append(places, add(t, l, i, i%10))
	}
	return places
}

// fillTogether records verifications from many goroutines, until the log has so many entries more.
func fillTogether(t testing.TB, l *Log, goroutines, each int) []Place {
	t.Helper()
	places := make([][]Place, goroutines)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range each {
				p, err := l.Append(t.Context(), draft(g*each+i, i%10))
				if err != nil {
					t.Error(err)
					return
				}
				places[g] = append(places[g], p)
			}
		})
	}
	group.Wait()
	all := slices.Concat(places...)
	slices.SortFunc(all, func(a, b Place) int { return int(a.Index) - int(b.Index) })
	return all
}

// check wants a log to have exactly these places, and its tree to be that of their leaves at every
// size.
func check(t testing.TB, l *Log, places []Place) {
	t.Helper()
	size := uint64(len(places))
	if l.Size() != size {
		t.Fatalf("the log has %d entries, want %d", l.Size(), size)
	}
	var entries [][]byte
	for uint64(len(entries)) < size {
		page, err := l.Entries(uint64(len(entries)), MostEntries)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, page...)
	}
	var f access.Frontier
	roots := []sm.Hash{f.Root()}
	for i, p := range places {
		if p.Index != uint64(i) || string(p.Encoded) != string(entries[i]) || p.Leaf != access.Leaf(p.Encoded) {
			t.Fatalf("entry %d is not the one that was acknowledged at %d", i, p.Index)
		}
		f.Append(p.Leaf)
		roots = append(roots, f.Root())
	}
	signed := map[uint64]bool{}
	for i, p := range places {
		wantSigned(t, l, &p)
		if c := p.Checkpoint; c.Root != roots[c.Size] {
			t.Fatalf("the checkpoint of entry %d has another root at %d", i, c.Size)
		}
		signed[p.Checkpoint.Size] = true
	}
	if size > 0 && !signed[size] {
		t.Fatal("no checkpoint covers the whole log")
	}
	step := max(1, size/23)
	for s := uint64(0); s <= size; s += step {
		root, err := l.Root(s)
		if err != nil || root != roots[s] {
			t.Fatalf("the root at %d is %s, want %s, %v", s, root, roots[s], err)
		}
		for i := uint64(0); i < s; i += step {
			path, err := l.Inclusion(i, s)
			if err != nil || !access.VerifyInclusion(places[i].Leaf, i, s, path, root) {
				t.Fatalf("entry %d in %d has no good path: %v", i, s, err)
			}
			proof, err := l.Consistency(i, s)
			if err != nil || !access.VerifyConsistency(i, s, proof, roots[i], root) {
				t.Fatalf("the log of %d is not shown to continue that of %d: %v", s, i, err)
			}
		}
	}
}

// wantSigned wants the proof of an entry to be good: one by a checkpoint of the log, which its key has signed.
func wantSigned(t testing.TB, l *Log, p *Place) {
	t.Helper()
	c := p.Checkpoint
	if c.Ledger != l.id.Ledger || c.Department != l.id.Department || c.Log != l.id.Log || !c.Signed.Verify(l.signer.Public()) {
		t.Fatalf("the checkpoint of entry %d is %+v, not one that the log has signed", p.Index, c)
	}
	if !p.Includes(p.Leaf) {
		t.Fatalf("the checkpoint of entry %d at %d does not cover it", p.Index, c.Size)
	}
}

func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	if Code(err) != code || err == nil {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// change rewrites a file.
func change(t testing.TB, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyDir copies a log's directory, with what its files hold now.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

var errFault = errors.New("the test's fault")

// records reads what is stored in a log's directory, as somebody does who means to change it.
func records(t testing.TB, dir string) (all []record) {
	t.Helper()
	_, height, err := readIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	count, err := countSegments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for number := range count {
		b, err := os.ReadFile(filepath.Join(dir, segmentName(number)+entriesFile))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scan(bytes.NewReader(b), number<<height, func(_ int64, r *record) error {
			all = append(all, record{r.salt, r.tag, bytes.Clone(r.entry)})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// rebuild writes all segments of a log anew, without a trace but in the hashes.
func rebuild(t testing.TB, dir string, all []record) {
	t.Helper()
	_, height, err := readIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*" + entriesFile, "*" + indexFile} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for first := 0; first < len(all); first += 1 << height {
		s := newSegment(uint64(first)>>height, height)
		var file []byte
		for i := first; i < min(len(all), first+1<<height); i++ {
			b := all[i].append(beginGroup(nil))
			endGroup(b, uint64(i), 1)
			s.add(int64(len(file)+groupHead), all[i].tag, access.Leaf(all[i].entry))
			file = append(file, b...)
		}
		name := filepath.Join(dir, segmentName(s.number))
		if err := os.WriteFile(name+entriesFile, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if s.size() == 1<<height {
			if err := os.WriteFile(name+indexFile, s.index(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
