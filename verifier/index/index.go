// Package index is a verifier's own view of a ledger.
//
// It follows the blocks of a ledger, applies every transaction to its own copy of the state by the
// rules of package chaincode, signatures included, and so takes nobody's word: a ledger that commits
// what the rules do not allow, or changes its past, is a Discrepancy, and the index believes nothing
// that comes after. It implements verify.View: anchors, changes of status, restrictions, keys and
// types are in memory, and no question goes to a peer.
//
// State and position are kept in a directory, so that a restart goes on where it was; without a
// directory they are kept in memory too. The directory can be removed at any time: the index makes
// it again from the ledger. An index has one writer, Follow, and any number of readers.
//
// The package signs nothing, submits nothing, and reads no clock: whether the view is fresh is for
// package verify to say, from the heartbeats on the ledger.
package index

import (
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// An Index is a view of one ledger: of the first that it follows. It is safe for concurrent use.
type Index struct {
	store  *store
	memory *memory

	following sync.Mutex   // held by Follow and Close
	reading   sync.RWMutex // of the store by others than Follow; held by Close
	adding    sync.Mutex   // while a block is taken in: outside, store, memory and head agree
	first     sm.Hash      // of block 0; under following

	mu          sync.Mutex // of all that follows
	head        ledger.Head
	recognised  bool  // the ledger followed now is the one of the index, as far as it was seen
	ended       error // why the last Follow ended; nil while one goes on
	discrepancy *Discrepancy
	closed      bool
	changed     chan struct{} // closed, and replaced, when any of these changes
}

var _ verify.View = (*Index)(nil)

// Open opens the index in a directory, which is made if need be; dir "" is one in memory that ends
// with Close. The error is an *Error: CodeInUse, CodeDamaged or CodeStorage.
func Open(dir string) (*Index, error) {
	if dir == "" {
		return open(vfs.NewMem(), "index")
	}
	return open(vfs.Default, dir)
}

func open(fs vfs.FS, dir string) (*Index, error) {
	s, err := openStore(fs, dir)
	if err != nil {
		return nil, err
	}
	x := &Index{store: s, memory: newMemory(), changed: make(chan struct{})}
	e, err := s.extent()
	if err == nil {
		err = s.load(x.memory)
	}
	if err != nil {
		_ = s.close() // the first error says more
		return nil, err
	}
	x.head, x.first = e.head, e.first
	x.memory.publish(x.head.Height)
	return x, nil
}

// Close ends the index, once Follow has ended: cancel its context first. Readers may go on reading
// what there is in memory: all but checkpoints.
func (x *Index) Close() error {
	x.following.Lock()
	defer x.following.Unlock()
	closed := false
	x.update(func() {
		closed = x.closed
		x.closed = true
		x.ended = errClosed
	})
	if closed {
		return nil
	}
	x.reading.Lock()
	defer x.reading.Unlock()
	return x.store.close()
}

var errClosed = &Error{Code: CodeClosed, Message: "the index was closed"}

// update changes what is under mu and tells those who wait.
func (x *Index) update(change func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
	close(x.changed)
	x.changed = make(chan struct{})
}

// Head returns how far the index is: the number of blocks that it has applied and the hash of the
// newest.
func (x *Index) Head() ledger.Head {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.head
}

// Discrepancy returns what the ledger did wrong, nil if it did nothing wrong since Follow began.
func (x *Index) Discrepancy() *Discrepancy {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.discrepancy
}

// WaitFor waits until a Follow that goes on, or one that is yet to begin, has recognised its ledger
// and has applied so many blocks: to answer as of now, wait for the height of the ledger's head. The
// error is ctx's, or why Follow ended: a *Discrepancy, an *Error or the ledger's.
func (x *Index) WaitFor(ctx context.Context, height uint64) error {
	for {
		x.mu.Lock()
		reached, ended, changed := x.recognised && x.head.Height >= height, x.ended, x.changed
		x.mu.Unlock()
		switch {
		case ended != nil:
			return ended
		case reached:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ledger implements verify.View.
func (x *Index) Ledger() sm.Hash { return x.memory.registry.Load().ledger }

// Type implements verify.View.
func (x *Index) Type(id string, version uint32) (named, newest *licence.Type) {
	return x.memory.registry.Load().typeOf(id, version)
}

// Department implements verify.View.
func (x *Index) Department(id string) *verify.Department {
	return x.memory.registry.Load().departments[id]
}

// Key implements verify.View.
func (x *Index) Key(kid sm.Hash) *verify.Key { return x.memory.registry.Load().keys[kid] }

// Licence implements verify.View.
func (x *Index) Licence(issuer string, root, digest sm.Hash) verify.Licence {
	return x.memory.licence(issuer, root, digest)
}

// Withdrawn implements verify.View.
func (x *Index) Withdrawn(department string, binding sm.Hash) bool {
	return x.memory.consentTo(department, binding) == statement.ConsentWithdraw
}

func (m *memory) licence(issuer string, root, digest sm.Hash) verify.Licence {
	m.mu.RLock()
	defer m.mu.RUnlock()
	l := verify.Licence{Heartbeat: m.heartbeat(uint32(m.heartbeats.n))}
	if m.height > 0 {
		l.Height = m.height - 1
	}
	number, known := m.names.numbers[issuer]
	if !known {
		return l
	}
	a := m.findAnchor(number, &root)
	if a == nil {
		return l
	}
	l.Anchored = true
	l.Anchor = m.describe(a, m.registry.Load().ledger)
	s := subject{issuer: number, typ: a.typ, hash: root}
	l.RootChanges = m.changes(&s, a.changes)
	s.hash = digest
	l.Changes = m.changes(&s, m.changeTable.find(&digest, m.same(&s)))
	l.Restrictions = m.openRestrictions(&s)
	return l
}

// consentTo returns what a department said last of a digest, "" if nothing. A withdrawal is final.
func (m *memory) consentTo(department string, digest sm.Hash) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	number, known := m.names.numbers[department]
	if !known {
		return ""
	}
	s := subject{issuer: number, hash: digest}
	switch same := m.same(&s); {
	case m.withdrawn.find(&digest, same) != 0:
		return statement.ConsentWithdraw
	case m.given.find(&digest, same) != 0:
		return statement.ConsentGive
	}
	return ""
}
