package accesslog

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
)

// TestCheck asks at every place in a segment: the answer is yes, and nothing is left of the question.
func TestCheck(t *testing.T) {
	l := newLog(t, small)
	var places []Place
	for size := range 18 {
		places = append(places, fill(t, l, size)...)
		for range 2 {
			if err := l.Check(t.Context()); err != nil {
				t.Fatalf("with %d entries: %v", size, err)
			}
		}
		info, err := os.Stat(l.path(l.active.number, entriesFile))
		if err != nil || info.Size() != l.end {
			t.Fatalf("with %d entries the segment has %d bytes, want %d, %v", size, info.Size(), l.end, err)
		}
	}
	check(t, l, places)
	closeLog(t, l)
	check(t, reopen(t, l.dir), places)
}

// TestCheckKilled has what a process leaves that ends while it writes for Check: an audit of the files
// has nothing against it, and it is cut off when the log is opened.
func TestCheckKilled(t *testing.T) {
	city, dir := audited(t)
	l := reopenIn(t, city, dir)
	for _, size := range []int{auditedSize, 40} { // 40 fill segments: the next one is not there yet
		fill(t, l, size)
		if err := l.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		name := l.path(l.active.number, entriesFile)
		closeLog(t, l)
		change(t, name, func(b []byte) []byte { return append(b, make([]byte, rehearsalSize)...) })
		r := auditDir(t, dir, city.Index, AuditOptions{})
		wantFindings(t, r)
		if r.Head.Size != uint64(size) {
			t.Errorf("the audit saw %d entries, want %d", r.Head.Size, size)
		}
		l = reopenIn(t, city, dir)
		if info, err := os.Stat(name); err != nil || info.Size() != l.end || l.Size() != uint64(size) {
			t.Errorf("opened again it has %d entries, and %d bytes, want %d, %v", l.Size(), info.Size(), l.end, err)
		}
	}
}

// TestCheckFails has every operation fail: the answer is no until it works again, and nothing is lost.
func TestCheckFails(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync", "truncate"} {
		l, fs := newFaulty(t)
		fs.half = true
		places := fill(t, l, 8) // the next segment is not there yet
		if operation != "create" {
			places = append(places, fill(t, l, 9)...)
		}
		fs.set(operation, syscall.ENOSPC)
		for range 2 {
			err := l.Check(t.Context())
			wantCode(t, operation, err, CodeStorage)
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: %v", operation, err)
			}
		}
		fs.set(operation, nil)
		if err := l.Check(t.Context()); err != nil {
			t.Errorf("%s works again: %v", operation, err)
		}
		check(t, l, places)
		places = append(places, fill(t, l, 20)...)
		check(t, l, places)
		closeLog(t, l)
		check(t, reopen(t, l.dir), places)
	}
}

// TestCheckTogether asks while entries are recorded.
func TestCheckTogether(t *testing.T) {
	l := newLog(t, small)
	done := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := l.Check(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	places := fillTogether(t, l, 8, 20)
	close(done)
	asking.Wait()
	check(t, l, places)
	closeLog(t, l)
	check(t, reopen(t, l.dir), places)
}

// hanging is a file system whose syncs begin, and end when the test lets them.
type hanging struct {
	disk
	begun, end chan struct{}
}

func (h *hanging) open(name string) (file, error) {
	inner, err := h.disk.open(name)
	return &hangingFile{inner, h}, err
}

func (h *hanging) create(name string) (file, error) {
	inner, err := h.disk.create(name)
	return &hangingFile{inner, h}, err
}

type hangingFile struct {
	file
	fs *hanging
}

func (f *hangingFile) Sync() error {
	f.fs.begun <- struct{}{}
	<-f.fs.end
	return f.file.Sync()
}

// TestCheckHangs has the disk not answer: whoever asked meanwhile, or asks then, need not wait for it.
func TestCheckHangs(t *testing.T) {
	l := newLog(t, small)
	closeLog(t, l)
	fs := &hanging{begun: make(chan struct{}), end: make(chan struct{})}
	l, err := open(l.dir, testKey, l.now, fs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- l.Check(ctx) }()
	<-fs.begun
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who asked: %v", err)
	}
	if err := l.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who asks then: %v", err)
	}
	fs.end <- struct{}{}
	closeLog(t, l)
	wantCode(t, "closed", l.Check(t.Context()), CodeClosed)
}
