package issuer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A chunk is consecutive records of the inputs: those of one batch, before any is rejected.
type chunk struct {
	items    []item
	issuedAt uint64
	prefix   sm.Hash       // running SM3 over all records up to the end of the chunk
	ready    chan struct{} // closed when all are drafted or rejected
}

// A pipeline reads records in chunks, and drafts these on all cores.
type pipeline struct {
	iss   *Issuer
	typ   *licence.Type
	terms terms
	in    *inputs
	batch int  // records in a chunk
	seal  bool // the drafts are sealed too

	toDraft chan *chunk
	ordered chan *chunk // in the order of the input, to be settled when they are ready
}

// recordsInFlight bounds the records that are drafted in advance, in whole chunks; there is one chunk
// for each core at least.
const recordsInFlight = 8192

func (iss *Issuer) pipeline(typ *licence.Type, t terms, in *inputs, batch int, seal bool) *pipeline {
	depth := max(runtime.GOMAXPROCS(0), recordsInFlight/batch)
	return &pipeline{iss: iss, typ: typ, terms: t, in: in, batch: batch, seal: seal, toDraft: make(chan *chunk, depth), ordered: make(chan *chunk, depth)}
}

// run runs the pipeline until the inputs have come to their end, and has settle take what comes out of it. An error
// ends ctx by fail. inputErr is why the inputs could not be read to their end; what stands before was settled.
func (p *pipeline) run(ctx context.Context, fail context.CancelCauseFunc, settle func(context.Context, <-chan *chunk) error) (inputErr, err error) {
	var stages sync.WaitGroup
	stages.Go(func() { inputErr = p.read(ctx) })
	for range runtime.GOMAXPROCS(0) {
		stages.Go(func() {
			if err := p.draft(ctx); err != nil {
				fail(err)
			}
		})
	}
	if err := settle(ctx, p.ordered); err != nil {
		fail(err)
	}
	stages.Wait()
	return inputErr, context.Cause(ctx)
}

// read reads the inputs to their end, in chunks, which go to whoever drafts them and, in order, to
// whoever settles them.
func (p *pipeline) read(ctx context.Context) error {
	defer close(p.toDraft)
	defer close(p.ordered)
	for end := false; !end; {
		c := &chunk{items: make([]item, 0, p.batch), ready: make(chan struct{})}
		var failed error
		for len(c.items) < p.batch && !end {
			it, err := p.in.next()
			if err == nil {
				c.items = append(c.items, it)
				continue
			}
			end = true
			if !errors.Is(err, io.EOF) {
				failed = err
			}
		}
		if len(c.items) > 0 {
			c.issuedAt, c.prefix = p.iss.clock.next(), p.in.sum()
			for _, to := range []chan<- *chunk{p.ordered, p.toDraft} {
				select {
				case to <- c:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

// draft drafts the records of the chunks that come, until no more come.
func (p *pipeline) draft(ctx context.Context) error {
	d := p.iss.drafter(p.typ, p.terms, bufio.NewReaderSize(p.iss.random, 16<<10))
	for c := range p.toDraft {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := range c.items {
			it := &c.items[i]
			if it.problems != nil {
				continue
			}
			var err error
			if it.draft, it.problems, err = d.draft(it.raw, c.issuedAt); err != nil {
				return err
			}
			if it.draft != nil {
				it.draft.row = it.record
			}
		}
		if p.seal {
			if err := p.iss.seal(ctx, p.typ.ID, c.drafts()); err != nil {
				return err
			}
		}
		close(c.ready)
	}
	return nil
}

// drafts returns those records of a chunk that are right, in their order.
func (c *chunk) drafts() []*draft {
	out := make([]*draft, 0, len(c.items))
	for i := range c.items {
		if c.items[i].draft != nil {
			out = append(out, c.items[i].draft)
		}
	}
	return out
}

// wait waits until a chunk is drafted.
func (c *chunk) wait(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
