package issuer

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/sdk/filelock"
)

// A tail is a file that a run appends to, of which only the first bytes, as many as are settled, count. What
// stands after them was written by a run that died before it could settle it, and is cut off.
type tail struct {
	path   string
	file   *os.File // nil until something is written, if the file is made only then
	w      *bufio.Writer
	length int64 // bytes written, those in the buffer included
}

const tailBuffer = 256 << 10

// openTail opens a file, which is locked from then on. One that is absent is made if nothing counts in it: at
// once, or when something is written; else it is CodeOutputDamaged. cut has to follow.
func openTail(path string, length int64, lazy bool) (*tail, error) {
	t := &tail{path: path}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && length > 0:
		return nil, errorf(CodeOutputDamaged, nil, "%s, which this run has begun to write, is gone; put it back and run again", path)
	case errors.Is(err, fs.ErrNotExist) && lazy:
		return t, nil
	case errors.Is(err, fs.ErrNotExist):
		return t, t.create()
	case err != nil:
		return nil, storageError("write the output", err)
	}
	return t, t.use(f)
}

// create makes the file, which must not exist, and makes its name durable.
func (t *tail) create() error {
	f, err := os.OpenFile(t.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return storageError("write the output", err)
	}
	if err := t.use(f); err != nil {
		return err
	}
	return syncDir(filepath.Dir(t.path))
}

func (t *tail) use(f *os.File) error {
	if err := lock(f); err != nil {
		return errors.Join(err, f.Close())
	}
	t.file, t.w = f, bufio.NewWriterSize(f, tailBuffer)
	return nil
}

// lock makes an output this run's, until it is closed.
func lock(f *os.File) error {
	switch free, err := filelock.Try(f); {
	case err != nil:
		return storageError("lock the output", err)
	case !free:
		return errorf(CodeJobInUse, nil, "another run is writing to %s; let it come to its end", f.Name())
	}
	return nil
}

// cut cuts off what stands after a length. A file that is shorter is CodeOutputDamaged.
func (t *tail) cut(length int64) error {
	t.length = length
	if t.file == nil {
		return nil
	}
	t.w.Reset(t.file)
	info, err := t.file.Stat()
	if err == nil && info.Size() < length {
		return errorf(CodeOutputDamaged, nil, "%s is shorter than this run has written; put the whole file back and run again", t.path)
	}
	if err == nil {
		err = t.file.Truncate(length)
	}
	if err == nil {
		_, err = t.file.Seek(length, io.SeekStart)
	}
	if err != nil {
		return storageError("write the output", err)
	}
	return nil
}

// append appends b.
func (t *tail) append(b []byte) error {
	if t.file == nil {
		if err := t.create(); err != nil {
			return err
		}
	}
	n, err := t.w.Write(b)
	t.length += int64(n)
	if err != nil {
		return storageError("write the output", err)
	}
	return nil
}

// flush has what was written in the file, where sync makes it durable.
func (t *tail) flush() error {
	if t.file == nil {
		return nil
	}
	if err := t.w.Flush(); err != nil {
		return storageError("write the output", err)
	}
	return nil
}

// sync makes durable what was flushed; somebody else may be writing.
func (t *tail) sync() error {
	if t.file == nil {
		return nil
	}
	if err := t.file.Sync(); err != nil {
		return storageError("write the output", err)
	}
	return nil
}

// close closes the file without writing what is in the buffer: what was not settled does not count.
func (t *tail) close() { _ = closeIf(t.file) }

func closeIf(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return storageError("make a file", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return storageError("make a file", err)
	}
	return nil
}
