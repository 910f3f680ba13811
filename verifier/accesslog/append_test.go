package accesslog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// TestAppend fills many small segments, and looks at the log after every few entries, opened again
// and not, with its index files and without.
func TestAppend(t *testing.T) {
	l := newLog(t, small)
	var places []Place
	check(t, l, nil)
	for _, size := range []int{1, 2, 7, 8, 9, 15, 16, 17, 40, 67, 128} {
		places = append(places, fill(t, l, size)...)
		check(t, l, places)
		closeLog(t, l)
		l = reopen(t, l.dir)
		check(t, l, places)
		closeLog(t, l)
		indexes, err := filepath.Glob(filepath.Join(l.dir, "*"+indexFile))
		if err != nil || len(indexes) != size/8 {
			t.Fatalf("with %d entries there are the index files %v", size, indexes)
		}
		for _, name := range indexes {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		l = reopen(t, l.dir)
		check(t, l, places)
	}
}

func TestTogether(t *testing.T) {
	for _, height := range []uint{1, small, segmentHeight} {
		l := newLog(t, height)
		places := fillTogether(t, l, 32, 20)
		check(t, l, places)
		closeLog(t, l)
		check(t, reopen(t, l.dir), places)
	}
}

// TestPlace wants what Append returns to be what it was given, sealed.
func TestPlace(t *testing.T) {
	l := newLog(t, small)
	d := draft(1, 2)
	p, err := l.Append(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	e, err := access.ParseEntry(p.Encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(e, p.Entry) {
		t.Errorf("the entry is %+v, encoded as %+v", p.Entry, e)
	}
	if e.Licence != access.LicenceCommitment(p.Salt, d.Issuer, d.Digest) || e.Presentation != access.PresentationCommitment(p.Salt, d.Presentation) {
		t.Error("the commitments are not those to licence and presentation")
	}
	if e.Case != d.Entry.Case || e.Outcome != d.Entry.Outcome || !slices.Equal(e.Fields, d.Entry.Fields) || e.Time != d.Entry.Time {
		t.Errorf("the entry is %+v, want %+v", e, d.Entry)
	}
	again, err := l.Append(t.Context(), d)
	if err != nil || again.Salt == p.Salt || again.Leaf == p.Leaf {
		t.Errorf("the same again has the same salt or leaf: %v", err)
	}
}

// TestNothingOfTheLicence looks for what must not be in the files.
func TestNothingOfTheLicence(t *testing.T) {
	l := newLog(t, small)
	for i := range 20 {
		add(t, l, i, 3)
	}
	closeLog(t, l)
	named, shown := digest(3), draft(4, 3).Presentation
	files, err := os.ReadDir(l.dir)
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(l.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for what, secret := range map[string]string{"digest": string(named[:]), "digest in hex": named.String(), "presentation": string(shown[:])} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s holds a %s", f.Name(), what)
			}
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestDraftOutOfBounds(t *testing.T) {
	l := newLog(t, small)
	d := draft(1, 1)
	d.Entry.Clerk = strings.Repeat("长", 100)
	_, err := l.Append(t.Context(), d)
	var invalid *access.Error
	if !errors.As(err, &invalid) || invalid.Code != access.CodeInvalid {
		t.Errorf("a clerk's name of 300 bytes: %v", err)
	}
	check(t, l, nil)
}

// TestLargestGroups records entries of the greatest size, more than one group can hold.
func TestLargestGroups(t *testing.T) {
	l := newLog(t, segmentHeight)
	d := draft(0, 0)
	d.Entry.Fields = slices.Repeat([]string{strings.Repeat("f", 64)}, access.MaxFields)
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if _, err := l.Append(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	closeLog(t, l)
	l = reopen(t, l.dir)
	if entries, err := l.Entries(0, 1000); err != nil || len(entries) != 200 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// TestAccesses compares with a search through all entries.
func TestAccesses(t *testing.T) {
	l := newLog(t, small)
	const size = 101
	of := func(i int) int { return i * i % 7 } // 0, 1, 2 and 4, in clusters
	for i := range size {
		add(t, l, i, of(i))
	}
	for range 2 {
		for licence := range 7 {
			for _, before := range []uint64{0, 1, 8, 50, size, size + 1, 1 << 50} {
				for _, limit := range []int{0, 1, 3, 1000, 5000} {
					var want []uint64
					for i := size - 1; i >= 0; i-- {
						if of(i) == licence && (before == 0 || uint64(i) < before) && len(want) < limit {
							want = append(want, uint64(i))
						}
					}
					got, err := l.Accesses(issuer, digest(licence), before, limit)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.EqualFunc(got, want, func(a Access, i uint64) bool { return a.Index == i }) {
						t.Fatalf("accesses to %d before %d, %d of them: %v, want %v", licence, before, limit, got, want)
					}
					for _, a := range got {
						e, err := access.ParseEntry(a.Entry)
						if err != nil || e.Licence != access.LicenceCommitment(a.Salt, issuer, digest(licence)) {
							t.Fatalf("entry %d does not open: %v", a.Index, err)
						}
					}
				}
			}
		}
		for _, other := range []string{"", "civil-affairs2", "market-regulation"} {
			if got, err := l.Accesses(other, digest(0), 0, 10); err != nil || len(got) > 0 {
				t.Errorf("accesses to a licence of %q: %v, %v", other, got, err)
			}
		}
		closeLog(t, l)
		l = reopen(t, l.dir)
	}
}

func TestOutOfRange(t *testing.T) {
	l := newLog(t, small)
	fill(t, l, 20)
	_, err := l.Root(21)
	wantCode(t, "Root", err, CodeRange)
	_, err = l.Inclusion(3, 21)
	wantCode(t, "Inclusion beyond the end", err, CodeRange)
	_, err = l.Inclusion(3, 3)
	wantCode(t, "Inclusion of another", err, CodeRange)
	_, err = l.Consistency(3, 21)
	wantCode(t, "Consistency beyond the end", err, CodeRange)
	_, err = l.Consistency(4, 3)
	wantCode(t, "Consistency backwards", err, CodeRange)
	_, err = l.Proof(20)
	wantCode(t, "Proof", err, CodeRange)
	if entries, err := l.Entries(20, 5); err != nil || len(entries) > 0 {
		t.Errorf("Entries at the end: %v, %v", entries, err)
	}
	if entries, err := l.Entries(1<<63, 5); err != nil || len(entries) > 0 {
		t.Errorf("Entries beyond the end: %v, %v", entries, err)
	}
	if entries, err := l.Entries(18, 5); err != nil || len(entries) != 2 {
		t.Errorf("the last entries: %v, %v", entries, err)
	}
}

// TestClose closes a log under load: what was acknowledged is there, and nothing hangs.
func TestClose(t *testing.T) {
	for range 8 {
		l := newLog(t, small)
		var mu sync.Mutex
		var acknowledged []Place
		var group sync.WaitGroup
		for g := range 16 {
			group.Go(func() {
				for i := 0; ; i++ {
					p, err := l.Append(t.Context(), draft(i, g))
					if err != nil {
						wantCode(t, "append", err, CodeClosed)
						return
					}
					mu.Lock()
					acknowledged = append(acknowledged, p)
					mu.Unlock()
				}
			})
		}
		for l.Size() < 10 {
			runtime.Gosched()
		}
		closeLog(t, l)
		group.Wait()
		_, err := l.Append(t.Context(), draft(0, 0))
		wantCode(t, "append to a closed log", err, CodeClosed)
		slices.SortFunc(acknowledged, func(a, b Place) int { return int(a.Index) - int(b.Index) })
		check(t, reopen(t, l.dir), acknowledged)
	}
}

func TestCancelled(t *testing.T) {
	l := newLog(t, small)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 50 {
		if _, err := l.Append(ctx, draft(i, 0)); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	fill(t, l, int(l.Size())+1)
}

func TestCreateAndOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "log")
	_, err := Open(dir, testKey, time.Now)
	wantCode(t, "open what is not there", err, CodeMissing)
	for _, id := range []Identity{{}, {Department: "data-bureau"}, {Department: "data-bureau", Log: "A"}, {Department: "../x", Log: "a"}} {
		wantCode(t, "create "+id.Department+"/"+id.Log, Create(dir, id), CodeName)
	}
	if err := Create(dir, testID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "create twice", Create(dir, testID), CodeExists)
	l := reopen(t, dir)
	if l.Identity() != testID {
		t.Errorf("the identity is %+v", l.Identity())
	}
	_, err = Open(dir, testKey, time.Now)
	wantCode(t, "open twice", err, CodeInUse)
	closeLog(t, l)
	closeLog(t, reopen(t, dir))

	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "create in a directory that is used", Create(other, testID), CodeExists)

	// One that was interrupted is taken over.
	half := t.TempDir()
	for _, name := range []string{keyFile, checkpointsFile, identityFile + partFile} {
		if err := os.WriteFile(filepath.Join(half, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Open(half, testKey, time.Now)
	wantCode(t, "open what was never finished", err, CodeMissing)
	if err := Create(half, testID); err != nil {
		t.Fatal(err)
	}
	check(t, reopen(t, half), nil)
}

func TestIdentityRefused(t *testing.T) {
	good := `{"format": 2, "ledger": "` + sm.Sum(nil).String() + `", "department": "a", "log": "b", "segment": 8}`
	for name, c := range map[string]struct{ old, new, code string }{
		"later format":     {`"format": 2`, `"format": 3, "more": 1`, CodeNewerFormat},
		"earlier format":   {`"format": 2`, `"format": 1`, CodeOlderFormat},
		"no format":        {`"format": 2`, `"format": 0`, CodeDamaged},
		"unknown member":   {`"log"`, `"more": 1, "log"`, CodeDamaged},
		"no log":           {`"b"`, `""`, CodeDamaged},
		"no department":    {`"a"`, `"A"`, CodeDamaged},
		"odd segment":      {`8}`, `9}`, CodeDamaged},
		"great segment":    {`8}`, `131072}`, CodeDamaged},
		"no segment":       {`8}`, `0}`, CodeDamaged},
		"not JSON":         {`{`, ``, CodeDamaged},
		"not a ledger":     {`"ledger": "`, `"ledger": "0`, CodeDamaged},
		"cut short":        {`}`, ``, CodeDamaged},
		"good, to be sure": {``, ``, ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), []byte(strings.Replace(good, c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readIdentity(dir); Code(err) != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}
