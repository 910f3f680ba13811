package accesslog

import (
	"errors"
	"runtime"
	"sync"

	"github.com/credledger/credledger/sdk/sm"
)

// A log is read by three that work at the same time: one puts what is stored into batches, several
// prepare these (which is nearly all the work: leaves, signatures, and what is made of the entries), and one visits
// what is prepared, in the order in which it was put.

// The kinds of item.
type itemKind int

const (
	entryItem      itemKind = iota
	checkpointItem          // behind the entries that it covers
	segmentItem             // a segment of Files is full
	findingItem             // something is wrong with the way in which the log is stored
	lineItem                // of an Export: an entry, a checkpoint or the last line, which preparing it tells
	lastItem                // the last line of an Export
)

// An item is a part of a log.
type item struct {
	kind  itemKind
	bytes []byte // of an entry, or of a line

	offset     int64 // of an entry: where it is in its segment
	tag        tag
	checkpoint *stored
	proof      []sm.Hash // of the checkpoint's consistency with the one before, or with the empty log
	unproven   bool      // there is no such proof
	finding    Finding
	entries    uint64 // of the last line: how many there are
	err        error  // that ends the reading here

	leaf    sm.Hash // of an entry
	problem string  // with an entry or a checkpoint by itself, "" if there is none
}

// Bounds of a batch.
const (
	batchItems = 256
	batchBytes = 128 << 10 // more than the longest line
)

// A batch is some items that follow each other.
type batch struct {
	items    []item
	bytes    []byte // of all items, one after the other
	prepared chan struct{}
}

// A pipeline is one reading of a log.
type pipeline struct {
	jobs, queue chan *batch // to be prepared, and to be visited
	free        chan *batch
	stop        chan struct{} // closed when nothing more is wanted
	current     *batch
}

// errStopped says that nothing more is wanted.
var errStopped = errors.New("the reading has ended")

// most is how many goroutines prepare items.
const most = 8

// read has items put by produce, prepared by the functions that prepare makes, one for each goroutine, and
// visited. It returns the first error of visit, else that of produce; then nobody is at work any more.
func read(produce func(*pipeline) error, prepare func() func(*batch), visit func(*item) error) error {
	workers := min(runtime.GOMAXPROCS(0), most)
	p := &pipeline{
		jobs: make(chan *batch, 2*workers), queue: make(chan *batch, 2*workers), free: make(chan *batch, 4*workers+1), stop: make(chan struct{}),
	}
	var group sync.WaitGroup
	for range workers {
		do := prepare()
		group.Go(func() {
			for b := range p.jobs {
				do(b)
				close(b.prepared)
			}
		})
	}
	var failed error
	group.Go(func() {
		defer close(p.queue)
		defer close(p.jobs)
		if failed = produce(p); failed == nil {
			failed = p.flush()
		} else if !errors.Is(failed, errStopped) {
			_ = p.flush() // what comes before the failure counts
		}
	})
	err := p.visit(visit)
	group.Wait()
	if err != nil {
		return err
	}
	return failed
}

// visit visits the items. After an error it has the others stop, and waits for them.
func (p *pipeline) visit(visit func(*item) error) (err error) {
	for b := range p.queue {
		<-b.prepared
		for i := range b.items {
			if err != nil {
				break
			}
			if err = visit(&b.items[i]); err != nil {
				close(p.stop)
			}
		}
		select {
		case p.free <- b:
		default:
		}
	}
	return err
}

// put adds an item, and a copy of its bytes.
func (p *pipeline) put(it item) error {
	if b := p.current; b != nil && (len(b.items) == batchItems || len(b.bytes)+len(it.bytes) > batchBytes) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	if p.current == nil {
		p.current = p.newBatch()
	}
	b := p.current
	if it.bytes != nil {
		from := len(b.bytes)
		b.bytes = append(b.bytes, it.bytes...)
		it.bytes = b.bytes[from:]
	}
	b.items = append(b.items, it)
	return nil
}

func (p *pipeline) newBatch() *batch {
	select {
	case b := <-p.free:
		clear(b.items)
		*b = batch{b.items[:0], b.bytes[:0], make(chan struct{})}
		return b
	default:
		return &batch{make([]item, 0, batchItems), make([]byte, 0, batchBytes), make(chan struct{})}
	}
}

// flush hands the batch on that is being filled.
func (p *pipeline) flush() error {
	b := p.current
	p.current = nil
	if b == nil {
		return nil
	}
	for _, to := range []chan *batch{p.jobs, p.queue} {
		select {
		case to <- b:
		case <-p.stop:
			return errStopped
		}
	}
	return nil
}
