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
	draft    *draft            // nil: it is rejected
	row      listRow           // of a list, in place of raw and draft
}

// A format tells the records of an input apart: it returns a function that returns the next record, with its text.
// The error of that is io.EOF, a *licence.RecordError, after which reading goes on, or a *licence.InputError.
type format func(io.Reader) (next func() (it item, text string, err error), err error)

// licenceRecords is the format of records of licences.
func licenceRecords(t *licence.Type) format {
	return func(r io.Reader) (func() (item, string, error), error) {
		reader, err := licence.NewReader(r, t)
		if err != nil {
			return nil, err
		}
		return func() (item, string, error) {
			raw, err := reader.NextRaw()
			return item{line: raw.Line, raw: raw}, raw.Text(), err
		}, nil
	}
}

// inputs reads the records of several files, one after the other.
type inputs struct {
	format format
	open   func(path string) (io.ReadCloser, error)
	paths  []string // those not yet open
	opened int
	path   string // of the one that is open
	file   io.ReadCloser
	read   func() (item, string, error) // of that
	record int64                        // number of the last record
	bytes  atomic.Int64                 // read so far
	prefix hash.Hash                    // over the records as they came, see note
	buf    []byte
}

// newInputs prepares to read files; open may be nil for os.Open.
func newInputs(f format, open func(path string) (io.ReadCloser, error), paths []string) *inputs {
	if open == nil {
		open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
	}
	return &inputs{format: f, open: open, paths: paths, prefix: sm.NewHash()}
}

// next returns the next record. It returns io.EOF after the last; an error ends the reading.
func (in *inputs) next() (item, error) {
	for {
		if in.read == nil {
			if len(in.paths) == 0 {
				return item{}, io.EOF
			}
			if err := in.begin(); err != nil {
				return item{}, err
			}
		}
		it, text, err := in.read()
		var refused *licence.RecordError
		switch {
		case errors.Is(err, io.EOF):
			in.close()
			continue
		case err == nil:
			in.note(uint64(len(text)), text)
		case errors.As(err, &refused):
			in.note(^uint64(0), "")
			it = item{line: refused.Line, problems: refused.Problems}
		default:
			return item{}, inputError(in.path, err)
		}
		in.record++
		it.record, it.input = in.record, in.opened
		return it, nil
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

// begin opens the next file.
func (in *inputs) begin() error {
	path := in.paths[0]
	f, err := in.open(path)
	if err != nil {
		return storageError("read the input", err)
	}
	in.path, in.paths, in.file = path, in.paths[1:], f
	in.opened++
	if in.read, err = in.format(&countingReader{f, &in.bytes}); err != nil {
		return inputError(path, err)
	}
	return nil
}

// close closes the file that is open.
func (in *inputs) close() {
	if in.file != nil {
		_ = in.file.Close() // it was only read
	}
	in.file, in.read = nil, nil
}

// skip reads as many records as the job has settled. They must be those that were settled.
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
	if in.record != records || records > 0 && in.sum() != prefix {
		return errorf(CodeInputChanged, nil, "the first %d records are not those that were issued or rejected from this input before; "+
			"put the old input back to go on, and give other records in a file of their own", records)
	}
	return nil
}

// checkInputs finds out whether each input can be opened, and begins as one of its format does,
// before anything is done with the first.
func checkInputs(f format, open func(path string) (io.ReadCloser, error), paths []string) error {
	for i := range paths {
		in := newInputs(f, open, paths[i:i+1])
		err := in.begin()
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
