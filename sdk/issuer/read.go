package issuer

import (
	"context"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"
	"sync/atomic"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// An item is one record of the inputs on its way.
type item struct {
	record   int64 // number in the whole of the inputs, from 1
	input    int   // which of them, from 1
	line     int   // of that input
	raw      licence.Raw
	problems []licence.Problem // why it is rejected; none: it is not
	draft    draft
}

// A chunk is consecutive records of the inputs: those of one batch, before any is rejected.
type chunk struct {
	items    []item
	issuedAt uint64
	prefix   sm.Hash       // running SM3 over all records up to the end of the chunk
	ready    chan struct{} // closed when all are drafted or rejected
	batch    *batchRow     // of those that were not rejected; nil if all were
}

// inputs reads the records of several files, one after the other.
type inputs struct {
	typ    *licence.Type
	paths  []string // those not yet open
	opened int
	path   string // of the one that is open
	file   *os.File
	reader *licence.Reader
	record int64        // number of the last record
	bytes  atomic.Int64 // read so far
	prefix hash.Hash    // over the records as they came, see note
	buf    []byte
}

func newInputs(typ *licence.Type, paths []string) *inputs {
	return &inputs{typ: typ, paths: paths, prefix: sm.NewHash()}
}

// next returns the next record. It returns io.EOF after the last; an error ends the reading.
func (in *inputs) next() (item, error) {
	for {
		if in.reader == nil {
			if len(in.paths) == 0 {
				return item{}, io.EOF
			}
			if err := in.open(); err != nil {
				return item{}, err
			}
		}
		raw, err := in.reader.NextRaw()
		var refused *licence.RecordError
		switch {
		case err == nil:
			in.record++
			in.note(uint64(len(raw.Text())), raw.Text())
			return item{record: in.record, input: in.opened, line: raw.Line, raw: raw}, nil
		case errors.Is(err, io.EOF):
			in.close()
		case errors.As(err, &refused):
			in.record++
			in.note(^uint64(0), "")
			return item{record: in.record, input: in.opened, line: refused.Line, problems: refused.Problems}, nil
		default:
			return item{}, inputError(in.path, err)
		}
	}
}

// note adds a record to the running hash: its length in 8 bytes, and itself. One that is too large
// to be held has the length 2^64-1, and that is all that is remembered of it.
func (in *inputs) note(length uint64, text string) {
	in.buf = append(binary.BigEndian.AppendUint64(in.buf[:0], length), text...)
	in.prefix.Write(in.buf)
}

// sum returns the running hash.
func (in *inputs) sum() (h sm.Hash) {
	in.prefix.Sum(h[:0])
	return h
}

func (in *inputs) open() error {
	path := in.paths[0]
	f, err := os.Open(path)
	if err != nil {
		return storageError("read the input", err)
	}
	in.path, in.paths, in.file = path, in.paths[1:], f
	in.opened++
	if in.reader, err = licence.NewReader(&countingReader{f, &in.bytes}, in.typ); err != nil {
		return inputError(path, err)
	}
	return nil
}

// close closes the file that is open.
func (in *inputs) close() {
	_ = closeIf(in.file) // it was only read
	in.file, in.reader = nil, nil
}

// skip reads as many records as the register has settled. They must be those that were settled.
func (in *inputs) skip(ctx context.Context, records int64, prefix sm.Hash) error {
	for in.record < records {
		if in.record%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := in.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if in.record != records || in.sum() != prefix {
		return errorf(CodeInputChanged, nil, "the first %d records are not those that were issued or rejected from this input before; "+
			"put the old input back to go on, and give other records in a file of their own", records)
	}
	return nil
}

// checkInputs finds out whether each input can be opened, and begins as one of its format does,
// before anything is issued from the first.
func checkInputs(typ *licence.Type, paths []string) error {
	for _, path := range paths {
		in := newInputs(typ, []string{path})
		err := in.open()
		in.close()
		if err != nil {
			return err
		}
	}
	return nil
}

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// recordsInFlight bounds the records that are drafted in advance, in whole chunks; there is one chunk
// for each core at least.
const recordsInFlight = 8192

// read reads the inputs to their end, in chunks, which go to whoever drafts them and, in order, to
// whoever settles them.
func (r *run) read(ctx context.Context, toDraft, ordered chan<- *chunk) error {
	for end := false; !end; {
		c := &chunk{items: make([]item, 0, r.job.Batch), ready: make(chan struct{})}
		var failed error
		for len(c.items) < r.job.Batch && !end {
			it, err := r.in.next()
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
			c.issuedAt, c.prefix = r.clock.next(), r.in.sum()
			for _, to := range []chan<- *chunk{ordered, toDraft} {
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
