package issuer

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A tail is a file that a run appends to, of which only the first bytes, as many as the register
// says, count. What stands after them was written by a run that died before it could be registered,
// and is cut off.
type tail struct {
	path   string
	file   *os.File // nil until something is written, if the file is made only then
	w      *bufio.Writer
	length int64 // bytes written, those in the buffer included
}

const tailBuffer = 256 << 10

// openTail opens a file at the length that counts. A file that is absent, or shorter, is
// CodeOutputDamaged, except that one of length 0 is made: at once, or when something is written.
func openTail(path string, length int64, lazy bool) (*tail, error) {
	t := &tail{path: path, length: length}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && length > 0:
		return nil, errorf(CodeOutputDamaged, nil, "%s, which this run has begun to write, is gone; put it back and run again", path)
	case errors.Is(err, fs.ErrNotExist):
		if lazy {
			return t, nil
		}
		return t, t.create()
	case err != nil:
		return nil, storageError("write the output", err)
	case info.Size() < length:
		return nil, errorf(CodeOutputDamaged, nil, "%s is shorter than this run has written; put the whole file back and run again", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = f.Truncate(length)
	}
	if err == nil {
		_, err = f.Seek(length, io.SeekStart)
	}
	if err != nil {
		return nil, storageError("write the output", errors.Join(err, closeIf(f)))
	}
	t.use(f)
	return t, nil
}

func (t *tail) use(f *os.File) { t.file, t.w = f, bufio.NewWriterSize(f, tailBuffer) }

// create makes the file, which must not exist, and makes its name durable.
func (t *tail) create() error {
	f, err := os.OpenFile(t.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return storageError("write the output", err)
	}
	t.use(f)
	return syncDir(filepath.Dir(t.path))
}

// write appends b.
func (t *tail) write(b []byte) error {
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

// sync makes what was written durable.
func (t *tail) sync() error {
	if t.file == nil {
		return nil
	}
	err := t.w.Flush()
	if err == nil {
		err = t.file.Sync()
	}
	if err != nil {
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
