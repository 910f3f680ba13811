// Package embedded is a ledger in one process and one directory, with nothing to install: the rules
// of package chaincode over Pebble, an LSM store. Whoever runs it is trusted for completeness and
// order, unless somebody else keeps a head of the chain: Audit with that head refuses a rewritten
// past. Nobody has to trust it for authenticity: Audit replays every signature.
//
// One goroutine writes. It takes all transactions that wait, applies each in its order, forms one
// block of those that broke no rule and changed something, and commits block, state and history in
// one batch with one sync (group commit). Submit returns after that. Reads never see what is not
// durable yet.
//
// A block is deterministic CBOR (RFC 8949, section 4.2)
//
//	[1, number, previous hash, [[actor, transaction], ...]]
//
// where number counts from 0, the previous hash has 32 bytes (zero in block 0), actor is the id of
// the submitting department and transaction a byte string as of chaincode.Transaction.Bytes. Its
// hash is SM3 of these bytes. Block 0 holds the genesis alone. Blocks carry no time: the clock of
// whoever runs the ledger proves nothing. A transaction is named BLOCK-INDEX.
//
// The directory is Pebble's, all of it. The keys in it, with numbers in big-endian form and a
// position being the block in 8 bytes and the index in 4:
//
//	block/NUMBER (8 bytes)       the block
//	state/KEY                    position of the transaction that wrote it, then the value
//	history/KEY 00 POSITION      a value that the key had before, and the position that wrote it
//	meta/format                  1 byte: version of this layout, 1
//	meta/head                    height (8 bytes) and hash of the newest block
//
// The package keeps no keys, makes no statements, and never begins a ledger that it was not told to
// begin.
package embedded

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/sdk/ledger"
)

// A Store is a ledger that is open. It is safe for concurrent use.
type Store struct {
	disk  *disk
	db    *pebble.DB
	queue *queue

	written chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	view    *view         // what reads see; nil when closed
	changed chan struct{} // closed, and replaced, when view changes
	readers sync.WaitGroup
	closing sync.Once
	closed  error
}

// A view is the store after a block that is durable.
type view struct {
	snapshot *pebble.Snapshot
	head     ledger.Head
	users    int // under Store.mu: the Store itself, as long as it is the newest, and those reading
}

// start makes the store ready for reads and writes.
func (s *Store) start(head ledger.Head) *Store {
	s.queue = newQueue()
	s.written = make(chan struct{})
	s.changed = make(chan struct{})
	s.view = &view{snapshot: s.db.NewSnapshot(), head: head, users: 1}
	s.readers.Add(1)
	go s.write()
	return s
}

// As returns an organisation's connection; actor is its department id. Who may call it is the
// caller's to decide: the ledger believes the name.
func (s *Store) As(actor string) ledger.Ledger {
	return &connection{store: s, actor: actor, closed: make(chan struct{})}
}

// closeGrace is how long Close and Open wait for work that hangs on a failed disk.
const closeGrace = time.Second

// Close ends the ledger: nothing new is accepted, what was accepted is committed and answered,
// followers and later calls end with ledger.CodeClosed, and the directory is free. The error is the
// failure of the disk, if there was one.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Store) close() error {
	s.queue.close()
	hangs := false
	select {
	case <-s.written:
	case <-s.disk.blown:
		select {
		case <-s.written:
		case <-time.After(closeGrace):
			hangs = true
		}
	}
	s.publish(nil)
	s.readers.Wait()
	if hangs {
		s.disk.unlock()
		return s.disk.failure()
	}
	return s.shut()
}

// shut closes the store underneath.
func (s *Store) shut() error {
	err := s.db.Close()
	s.disk.unlock()
	if reason := s.disk.failure(); reason != nil {
		return reason
	}
	if err != nil {
		return storageError("close the ledger", err)
	}
	return nil
}

// publish lets reads see a new view, and wakes who waits for one; nil is the end.
func (s *Store) publish(v *view) {
	if v != nil {
		v.users = 1
		s.readers.Add(1)
	}
	s.mu.Lock()
	old := s.view
	s.view = v
	changed := s.changed
	s.changed = make(chan struct{})
	s.mu.Unlock()
	close(changed)
	s.release(old)
}

// acquire returns the newest view, which is the caller's until release, and a channel that is
// closed when there is a newer one.
func (s *Store) acquire() (*view, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view == nil {
		return nil, nil, errClosed()
	}
	s.view.users++
	return s.view, s.changed, nil
}

func (s *Store) release(v *view) {
	s.mu.Lock()
	v.users--
	last := v.users == 0
	s.mu.Unlock()
	if last {
		_ = v.snapshot.Close() // it never fails
		s.readers.Done()
	}
}
