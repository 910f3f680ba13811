package masterkey

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A File is a key file in use. It is safe for concurrent use, and reads the file again when that was
// replaced.
type File struct {
	path string

	mu   sync.Mutex
	ring ring
	info os.FileInfo // of the file that ring was read from
}

// Create makes a key file with one new key. It is never made by the way: whoever lost one has lost the
// vault. Errors: CodeExists, CodeUnavailable.
func Create(path string) error {
	k, err := newKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errorf(CodeExists, nil, "%s exists already", path)
	} else if err != nil {
		return errorf(CodeUnavailable, err, "make the key file")
	}
	if err := writeAndSync(f, ring{k}.format()); err != nil {
		return errors.Join(errorf(CodeUnavailable, err, "make the key file"), os.Remove(path))
	}
	return syncDir(path)
}

// Open opens a key file. Errors: CodeMissing, CodePermissions, CodeMalformed, CodeUnavailable.
func Open(path string) (*File, error) {
	f := &File{path: path}
	_, err := f.current()
	return f, err
}

// Keys returns the ids of the keys in the file, newest first.
func (f *File) Keys() ([]ID, error) {
	r, err := f.current()
	if err != nil {
		return nil, err
	}
	ids := make([]ID, len(r))
	for i := range r {
		ids[i] = r[i].id()
	}
	return ids, nil
}

// Wrap wraps data keys of KeySize bytes under the newest key of the file, each bound to its aad of at
// most MaxAAD bytes: it unwraps with the same aad only.
func (f *File) Wrap(_ context.Context, aads, keys [][]byte) ([][]byte, error) {
	if err := check(aads, keys, KeySize); err != nil {
		return nil, err
	}
	r, err := f.current()
	if err != nil {
		return nil, err
	}
	return r.wrap(aads, keys)
}

// Unwrap is the inverse of Wrap, for all the keys of the file. Errors: CodeUnknown, CodeRefused.
func (f *File) Unwrap(_ context.Context, aads, wrapped [][]byte) ([][]byte, error) {
	if err := check(aads, wrapped, WrappedSize); err != nil {
		return nil, err
	}
	r, err := f.current()
	if err != nil {
		return nil, err
	}
	return r.unwrap(aads, wrapped)
}

// current returns the keys of the file as it is now. Rotate and Forget replace the file whole.
func (f *File) current() (ring, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err == nil && f.info != nil && os.SameFile(info, f.info) && info.ModTime().Equal(f.info.ModTime()) && info.Size() == f.info.Size() {
		return f.ring, nil
	}
	r, info, err := read(f.path)
	if err != nil {
		return nil, err
	}
	f.ring, f.info = r, info
	return r, nil
}

// read reads a key file.
func read(path string) (ring, os.FileInfo, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errorf(CodeMissing, nil, "there is no key file %s", path)
	} else if err != nil {
		return nil, nil, errorf(CodeUnavailable, err, "read the key file")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errorf(CodeUnavailable, err, "read the key file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, errorf(CodePermissions, nil, "others may read the key file %s: chmod 600", path)
	}
	content, err := io.ReadAll(io.LimitReader(f, int64(len(ringTitle)+(maxKeys+1)*ringLine)))
	if err != nil {
		return nil, nil, errorf(CodeUnavailable, err, "read the key file")
	}
	r, err := parseRing(content)
	return r, info, err
}

// Rotate puts a new key in front of the others in a key file, and returns its id.
// Errors: CodeInUse while another call rewrites the file, and those of Open.
func Rotate(path string) (ID, error) {
	k, err := newKey()
	if err != nil {
		return ID{}, err
	}
	return k.id(), rewrite(path, func(old ring) (ring, error) {
		if len(old) == maxKeys {
			return nil, errorf(CodeArgument, nil, "there are %d keys in the file: rewrap the vault, and take away what is old", maxKeys)
		}
		return append(ring{k}, old...), nil
	})
}

// Forget takes a key out of a key file, for good: what is wrapped under it cannot be read any more. Ask
// the vault first whether anything is. Errors: CodeUnknown; CodeInUse for the newest key, which wraps, and
// while another call rewrites the file; those of Open.
func Forget(path string, id ID) error {
	return rewrite(path, func(old ring) (ring, error) {
		if _, ok := old.find(id); !ok {
			return nil, errorf(CodeUnknown, nil, "there is no master key %s in the file", id)
		}
		if old[0].id() == id {
			return nil, errorf(CodeInUse, nil, "the master key %s is the one that wraps: rotate first", id)
		}
		var rest ring
		for _, k := range old {
			if k.id() != id {
				rest = append(rest, k)
			}
		}
		return rest, nil
	})
}

// rewrite replaces a key file. The new one is written beside it under one name, so that a second call
// cannot work from the same old content.
func rewrite(path string, change func(ring) (ring, error)) error {
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errorf(CodeInUse, nil, "%s exists: the key file is being rewritten, or that was interrupted; if nobody is at it, remove %s and try again", beside, beside)
	} else if err != nil {
		return errorf(CodeUnavailable, err, "rewrite the key file")
	}
	old, info, err := read(path)
	var changed ring
	if err == nil {
		changed, err = change(old)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(beside))
	}
	err = writeAndSync(f, changed.format())
	if err == nil { // times are coarse on some file systems: the new file must be told from the old one
		err = os.Chtimes(beside, time.Time{}, later(info.ModTime()))
	}
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return errors.Join(errorf(CodeUnavailable, err, "rewrite the key file"), os.Remove(beside))
	}
	return syncDir(path)
}

// later returns the present time, or one after the given time if the clock is behind.
func later(than time.Time) time.Time {
	if now := time.Now(); now.After(than) {
		return now
	}
	return than.Add(time.Millisecond)
}

func writeAndSync(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the name of a file durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return errorf(CodeUnavailable, err, "write the key file")
	}
	return nil
}
