package accesslog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestTorn cuts the last group at byte after byte, and has zeros or rubbish in place of its end, as a crash
// can leave it: what was acknowledged before is there, and the log goes on.
func TestTorn(t *testing.T) {
	l := newLog(t, small)
	places := fill(t, l, 11)
	name := l.path(1, entriesFile)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	add(t, l, 11, 1)
	closeLog(t, l)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for end := len(before); end < len(whole); end += 9 {
		for what, torn := range map[string][]byte{
			"cut":     whole[:end],
			"zeros":   append(bytes.Clone(whole[:end]), make([]byte, len(whole)-end)...),
			"rubbish": append(bytes.Clone(whole[:end]), bytes.Repeat([]byte(groupMagic), 200)...),
		} {
			if bytes.HasPrefix(torn, whole) {
				continue // what was not written would have been zeros
			}
			change(t, name, func([]byte) []byte { return torn })
			l := reopen(t, l.dir)
			check(t, l, places)
			p := add(t, l, 11, 1)
			check(t, l, append(slices.Clone(places), p))
			closeLog(t, l)
			l = reopen(t, l.dir)
			if l.Size() != 12 {
				t.Fatalf("%s at %d: %d entries after the next one", what, end, l.Size())
			}
			closeLog(t, l)
		}
	}
}

// TestChangedBytes changes bytes all over a log's files: the log does not open, or it refuses to give out
// what was changed, or only the last group is lost, which a crash could have done as well.
func TestChangedBytes(t *testing.T) {
	l := newLog(t, 2)
	places := fill(t, l, 7)
	closeLog(t, l)
	files, err := os.ReadDir(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == keyFile || f.Name() == lockFile || f.Name() == checkpointsFile {
			continue
		}
		b, err := os.ReadFile(filepath.Join(l.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(b); i += 3 {
			change(t, filepath.Join(l.dir, f.Name()), func([]byte) []byte { c := bytes.Clone(b); c[i] ^= 0x20; return c })
			l, err := Open(l.dir, testKey, time.Now)
			if err != nil {
				if Code(err) != CodeDamaged && (Code(err) != CodeNewerFormat || f.Name() != identityFile) {
					t.Fatalf("byte %d of %s: %v", i, f.Name(), err)
				}
				continue
			}
			if size := l.Size(); size != 7 && (size != 6 || f.Name() != segmentName(1)+entriesFile) {
				t.Fatalf("byte %d of %s: %d entries", i, f.Name(), size)
			}
			for at := range l.Size() {
				page, err := l.Entries(at, 1)
				if err != nil {
					wantCode(t, "entries", err, CodeDamaged)
				} else if !bytes.Equal(page[0], places[at].Encoded) {
					t.Fatalf("byte %d of %s: entry %d is another", i, f.Name(), at)
				}
			}
			closeLog(t, l)
		}
		change(t, filepath.Join(l.dir, f.Name()), func([]byte) []byte { return b })
	}
	check(t, reopen(t, l.dir), places)
}

// TestMissing removes files.
func TestMissing(t *testing.T) {
	l := newLog(t, small)
	fill(t, l, 30)
	closeLog(t, l)
	for name, code := range map[string]string{
		segmentName(0) + entriesFile: CodeDamaged, segmentName(2) + entriesFile: CodeDamaged,
		checkpointsFile: CodeDamaged, keyFile: CodeStorage, identityFile: CodeMissing,
		segmentName(1) + indexFile: "", lockFile: "",
	} {
		dir := copyDir(t, l.dir)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, testKey, time.Now)
		if Code(err) != code || (err == nil) != (code == "") {
			t.Errorf("without %s: %v, want %q", name, err, code)
		}
		if err == nil {
			closeLog(t, l)
		}
	}
}

// faulty is a file system on which writes, syncs, cuts or creations fail when the test says so.
type faulty struct {
	disk
	mu   sync.Mutex
	fail map[string]error // by operation
	half bool             // a write that fails has written half of it before
}

func (f *faulty) set(operation string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[operation] = err
}

func (f *faulty) fails(operation string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail[operation]
}

func (f *faulty) open(name string) (file, error) {
	inner, err := f.disk.open(name)
	return &faultyFile{inner, f}, err
}

func (f *faulty) create(name string) (file, error) {
	if err := f.fails("create"); err != nil {
		return nil, err
	}
	inner, err := f.disk.create(name)
	return &faultyFile{inner, f}, err
}

type faultyFile struct {
	file
	fs *faulty
}

func (f *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.fs.fails("write"); err != nil {
		if f.fs.half {
			n, _ := f.file.WriteAt(b[:len(b)/2], at)
			return n, err
		}
		return 0, err
	}
	return f.file.WriteAt(b, at)
}

func (f *faultyFile) Sync() error {
	if err := f.fs.fails("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.fails("truncate"); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

func newFaulty(t *testing.T) (*Log, *faulty) {
	t.Helper()
	l := newLog(t, small)
	closeLog(t, l)
	fs := &faulty{fail: map[string]error{}}
	l, err := open(l.dir, testKey, time.Now, fs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, fs
}

// TestDiskFull has every operation fail at every place in a segment: nothing is acknowledged then, and
// once there is room the log goes on, as if what failed had never been tried.
func TestDiskFull(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync", "truncate"} {
		for _, half := range []bool{false, true} {
			l, fs := newFaulty(t)
			fs.half = half
			var places []Place
			for i := range 20 {
				places = append(places, fill(t, l, i+1)...)
				fs.set(operation, syscall.ENOSPC)
				if operation == "truncate" {
					fs.set("write", syscall.EIO)
				}
				for range 3 {
					p, err := l.Append(t.Context(), draft(100, 0))
					switch {
					case err == nil && operation == "create": // the segment that there is has room
						places = append(places, p)
					case err == nil:
						t.Fatalf("%s failed, and the entry was acknowledged", operation)
					case Code(err) != CodeStorage || !errors.Is(err, syscall.ENOSPC) && operation != "truncate":
						t.Fatalf("%s: %v", operation, err)
					}
				}
				fs.set(operation, nil)
				fs.set("write", nil)
				check(t, l, places)
			}
			closeLog(t, l)
			check(t, reopen(t, l.dir), places)
		}
	}
}

// TestDiskFullTogether has the disk fail now and then under load: exactly what was acknowledged is in
// the log.
func TestDiskFullTogether(t *testing.T) {
	l, fs := newFaulty(t)
	fs.half = true
	var mu sync.Mutex
	var places []Place
	var group sync.WaitGroup
	for g := range 16 {
		group.Go(func() {
			for i := range 40 {
				if g == 0 {
					fs.set("write", map[bool]error{true: syscall.ENOSPC}[i%4 == 1])
					fs.set("sync", map[bool]error{true: errFault}[i%4 == 3])
				}
				p, err := l.Append(t.Context(), draft(i, g))
				if err != nil {
					wantCode(t, "append", err, CodeStorage)
					continue
				}
				mu.Lock()
				places = append(places, p)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	fs.set("write", nil)
	fs.set("sync", nil)
	slices.SortFunc(places, func(a, b Place) int { return int(a.Index) - int(b.Index) })
	if len(places) == 0 || len(places) == 16*40 {
		t.Fatalf("%d entries were acknowledged", len(places))
	}
	check(t, l, places)
	closeLog(t, l)
	check(t, reopen(t, l.dir), places)
}

// TestIndexCannotBeWritten has a directory where the index file is written.
func TestIndexCannotBeWritten(t *testing.T) {
	l := newLog(t, small)
	trap := l.path(0, indexFile) + partFile
	if err := os.MkdirAll(filepath.Join(trap, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	places := fill(t, l, 30)
	l.seals.Wait()
	check(t, l, places)
	if got, err := l.Accesses(issuer, digest(3), 0, 10); err != nil || len(got) != 3 {
		t.Errorf("accesses: %v, %v", got, err)
	}
	if l.nextFull() == nil {
		t.Fatal("the index file was written")
	}
	if err := os.RemoveAll(trap); err != nil {
		t.Fatal(err)
	}
	places = append(places, fill(t, l, 33)...) // one more is full, and all are tried again
	l.seals.Wait()
	if s := l.nextFull(); s != nil {
		t.Errorf("segment %d has no index file", s.number)
	}
	check(t, l, places)
}
