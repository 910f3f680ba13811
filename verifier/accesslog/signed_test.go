package accesslog

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// A notary is a key that tells when it signs, waits, and can fail.
type notary struct {
	sm.Signer
	mu      sync.Mutex
	err     error
	signing func()
	signed  int
}

func (n *notary) Sign(message []byte) ([]byte, error) {
	if n.signing != nil {
		n.signing()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return nil, n.err
	}
	n.signed++
	return n.Signer.Sign(message)
}

func (n *notary) set(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

// watched is a disk on which every sync is told of.
type watched struct {
	disk
	synced func()
}

func (w watched) open(name string) (file, error) {
	f, err := w.disk.open(name)
	return watchedFile{f, w.synced}, err
}

func (w watched) create(name string) (file, error) {
	f, err := w.disk.create(name)
	return watchedFile{f, w.synced}, err
}

type watchedFile struct {
	file
	synced func()
}

func (f watchedFile) Sync() error {
	err := f.file.Sync()
	f.synced()
	return err
}

// TestSignedWhenDurable wants a checkpoint to be signed when what it covers is on disk, and before anybody
// is told.
func TestSignedWhenDurable(t *testing.T) {
	l := newLog(t, small)
	closeLog(t, l)
	var mu sync.Mutex
	var events []string
	event := func(name string) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, name)
		}
	}
	l, err := open(l.dir, &notary{Signer: testKey, signing: event("sign")}, time.Now, watched{synced: event("sync")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var want []string
	for i := range 20 {
		add(t, l, i, i)
		event("told")()
		want = append(want, "sync", "sign", "told")
	}
	if !slices.Equal(events, want) {
		t.Errorf("in this order: %v", events)
	}
}

// TestNothingSignedOfWhatFailed wants no signature under what is not on disk.
func TestNothingSignedOfWhatFailed(t *testing.T) {
	l := newLog(t, small)
	closeLog(t, l)
	fs := &faulty{fail: map[string]error{}}
	key := &notary{Signer: testKey}
	l, err := open(l.dir, key, time.Now, fs)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	places := fill(t, l, 3)
	for _, operation := range []string{"write", "sync"} {
		fs.set(operation, errFault)
		_, err := l.Append(t.Context(), draft(9, 9))
		wantCode(t, operation, err, CodeStorage)
		fs.set(operation, nil)
	}
	if key.signed != len(places) {
		t.Errorf("%d checkpoints were signed for %d entries", key.signed, len(places))
	}
	check(t, l, append(places, fill(t, l, 10)...))
}

// TestOneSignatureForAll wants entries that are written together to share a checkpoint.
func TestOneSignatureForAll(t *testing.T) {
	l := newLog(t, 6)
	closeLog(t, l)
	key := &notary{Signer: testKey}
	first, queued := make(chan struct{}), make(chan struct{})
	var once sync.Once
	key.signing = func() {
		once.Do(func() {
			close(first)
			<-queued
		})
	}
	l = reopenWith(t, l.dir, key, time.Now)
	const more = 40
	var group sync.WaitGroup
	places := make([]Place, 1+more)
	group.Go(func() { places[0] = add(t, l, 0, 0) })
	<-first // is being signed
	for i := range more {
		group.Go(func() { places[1+i] = add(t, l, 1+i, i) })
	}
	for len(l.queue) < more {
		time.Sleep(time.Millisecond)
	}
	close(queued)
	group.Wait()
	slices.SortFunc(places, func(a, b Place) int { return int(a.Index) - int(b.Index) })
	check(t, l, places)
	if key.signed != 2 {
		t.Errorf("%d checkpoints were signed, want 2", key.signed)
	}
	for _, p := range places[1:] {
		if p.Checkpoint != places[1].Checkpoint || p.Checkpoint.Size != 1+more {
			t.Fatalf("the checkpoint of entry %d is of %d", p.Index, p.Checkpoint.Size)
		}
	}
}

// TestCannotSign has the key fail: nothing is acknowledged, and what was recorded meanwhile is in the log,
// under the next checkpoint that is signed.
func TestCannotSign(t *testing.T) {
	l := newLog(t, small)
	closeLog(t, l)
	key := &notary{Signer: testKey}
	l = reopenWith(t, l.dir, key, time.Now)
	fill(t, l, 5)
	key.set(errFault)
	for i := range 7 { // beyond the end of a segment
		_, err := l.Append(t.Context(), draft(5+i, i))
		wantCode(t, "append without a key", err, CodeUnsigned)
		if !errors.Is(err, errFault) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
	if l.Size() != 12 {
		t.Fatalf("the log has %d entries, want 12", l.Size())
	}
	key.set(nil)
	p := add(t, l, 12, 0)
	wantSigned(t, l, &p)
	for i := range l.Size() {
		entries, err := l.Entries(i, 1)
		if err != nil {
			t.Fatal(err)
		}
		path, err := l.Inclusion(i, p.Checkpoint.Size)
		if err != nil || !(&access.Proof{Checkpoint: p.Checkpoint, Index: i, Path: path}).Includes(access.Leaf(entries[0])) {
			t.Errorf("entry %d is not under the next checkpoint: %v", i, err)
		}
	}
}
