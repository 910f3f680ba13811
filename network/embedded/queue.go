package embedded

import (
	"context"
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// What may wait, and what the writer takes at once. A transaction has at most
// chaincode.MaxTransaction bytes, by which each of the byte limits can be exceeded.
const (
	maxWaiting      = 1024    // transactions
	maxWaitingBytes = 8 << 20 //
	maxGroup        = 512     // transactions in a block
	maxGroupBytes   = 4 << 20 // of the transactions in a block
)

// A submission is a transaction that waits for the writer, and then for the disk.
type submission struct {
	actor string
	bytes []byte
	tx    *chaincode.Transaction // parsed from bytes
	done  chan outcome           // gets one, for which it has room
}

// An outcome is the answer to a submission.
type outcome struct {
	receipt ledger.Receipt
	err     error
}

// A queue holds the submissions that wait for the writer. It is bounded: who comes when it is full
// waits for room.
type queue struct {
	mu      sync.Mutex
	waiting []*submission
	bytes   int
	closed  bool
	room    chan struct{} // closed, and replaced, when there may be room again
	ready   chan struct{} // holds a token when the writer should look
}

func newQueue() *queue {
	return &queue{room: make(chan struct{}), ready: make(chan struct{}, 1)}
}

// put adds a submission as soon as there is room. It gives up when ctx is done, when the disk has
// failed, or when the connection or the queue is closed; then the submission is not in the queue.
func (q *queue) put(ctx context.Context, p *submission, disk *disk, hungUp <-chan struct{}) error {
	for {
		room, err := q.tryPut(p)
		if err != nil || room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return fail(ledger.CodeNotSubmitted, "the transaction was given up while it waited for its turn", ctx.Err())
		case <-disk.blown:
			return disk.failure()
		case <-hungUp:
			return errClosed()
		}
	}
}

// tryPut adds a submission, or returns what to wait for before trying again.
func (q *queue) tryPut(p *submission) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, errClosed()
	case len(q.waiting) >= maxWaiting || q.bytes >= maxWaitingBytes:
		return q.room, nil
	}
	q.waiting = append(q.waiting, p)
	q.bytes += len(p.bytes)
	q.wake()
	return nil, nil
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default: // there is a token already
	}
}

// take returns the submissions that go into the next block, oldest first; none, at once, if nothing
// waits. more is false once the queue is closed and empty.
func (q *queue) take() (group []*submission, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.waiting) && n < maxGroup && bytes < maxGroupBytes {
		bytes += len(q.waiting[n].bytes)
		n++
	}
	group = append(group, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	if n > 0 {
		q.bytes -= bytes
		close(q.room)
		q.room = make(chan struct{})
	}
	return group, n > 0 || !q.closed
}

// close lets nobody in any more; what waits is still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.room)
		q.room = make(chan struct{})
	}
	q.wake()
}

func errClosed() *ledger.Error { return fail(ledger.CodeClosed, "the ledger was closed", nil) }
