package embedded

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/sdk/ledger"
)

// A disk is a file system with a fuse. The first write that fails blows it, and from then on no
// write reaches the files: what they hold is what a crash at that moment would have left, which the
// store underneath knows how to open. Without it, that store would go on after an error, into a log
// or manifest of which nobody knows how much is there.
type disk struct {
	vfs.FS
	blown  chan struct{} // closed when the fuse blows
	mu     sync.Mutex
	reason *ledger.Error
	locks  []*lock
}

func newDisk(fs vfs.FS) *disk { return &disk{FS: fs, blown: make(chan struct{})} }

// blow records why the disk cannot be written to any more; the first reason stands.
func (d *disk) blow(doing string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reason == nil {
		d.reason = storageError(doing, err)
		close(d.blown)
	}
}

// failure returns why the fuse has blown, nil if it has not.
func (d *disk) failure() *ledger.Error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reason
}

// write does a write unless the fuse has blown, and blows it if the write fails.
func (d *disk) write(doing string, do func() error) error {
	if reason := d.failure(); reason != nil {
		return reason
	}
	err := do()
	if err != nil {
		d.blow(doing, err)
	}
	return err
}

// retryDelay keeps the background work of the store underneath, which at once tries again what
// failed, from running hot once the fuse has blown.
const retryDelay = 50 * time.Millisecond

// create opens a file for writing.
func (d *disk) create(name string, open func() (vfs.File, error)) (vfs.File, error) {
	isLog := strings.HasSuffix(name, ".log")
	var opened vfs.File
	err := d.write("create a file", func() (err error) {
		opened, err = open()
		return err
	})
	switch {
	case err == nil:
	case isLog:
		opened = vfs.NewMemFile(nil) // nothing will be written to it
	default:
		time.Sleep(retryDelay)
		return nil, err
	}
	return &file{File: opened, disk: d, silent: isLog}, nil
}

func (d *disk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.create(name, func() (vfs.File, error) { return d.FS.Create(name, category) })
}

func (d *disk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.create(newname, func() (vfs.File, error) { return d.FS.ReuseForWrite(oldname, newname, category) })
}

func (d *disk) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.create(name, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, category, opts...) })
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	dir, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &file{File: dir, disk: d, silent: true}, nil
}

func (d *disk) Rename(oldname, newname string) error {
	return d.write("rename a file", func() error { return d.FS.Rename(oldname, newname) })
}

func (d *disk) MkdirAll(dir string, perm os.FileMode) error {
	return d.write("make a directory", func() error { return d.FS.MkdirAll(dir, perm) })
}

// Remove does not blow the fuse: a file too many does no harm.
func (d *disk) Remove(name string) error {
	if reason := d.failure(); reason != nil {
		return reason
	}
	return d.FS.Remove(name)
}

func (d *disk) Unwrap() vfs.FS { return d.FS }

// Lock takes the lock of a directory in a way that unlock can let go of.
func (d *disk) Lock(name string) (io.Closer, error) {
	c, err := d.FS.Lock(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) && !errors.Is(err, fs.ErrExist) {
			return nil, storageError("lock the ledger's directory", err)
		}
		return nil, fail(CodeInUse, "the ledger is open in another process, or twice in this one; close it there first", err)
	}
	l := &lock{closer: c}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locks = append(d.locks, l)
	return l, nil
}

// unlock lets go of the directory for a store that cannot be closed. Its fuse has blown, so that it
// cannot spoil what the next one does.
func (d *disk) unlock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.locks {
		_ = l.Close() // the process gives it up at its end anyway
	}
}

type lock struct {
	once   sync.Once
	closer io.Closer
	err    error
}

func (l *lock) Close() error {
	l.once.Do(func() { l.err = l.closer.Close() })
	return l.err
}

// A file is one that is open for writing, or a directory. A log and a directory are silent: they
// blow the fuse without telling Pebble, which panics where a log cannot be closed or begun, holding
// locks that nobody can release then. It goes on as if nothing had happened, to no effect, until
// whoever committed something looks at the fuse.
type file struct {
	vfs.File
	disk   *disk
	silent bool
}

func (f *file) do(doing string, do func() error) error {
	err := f.disk.write(doing, do)
	if f.silent {
		return nil
	}
	return err
}

func (f *file) Write(p []byte) (n int, err error) {
	err = f.do("write to a file", func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.do("write to a file", func() (err error) {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *file) Sync() error { return f.do("sync a file", f.File.Sync) }

func (f *file) SyncData() error { return f.do("sync a file", f.File.SyncData) }

func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.do("sync a file", func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

func (f *file) Close() error {
	err := f.File.Close()
	if err != nil {
		f.disk.blow("close a file", err)
	}
	if f.silent {
		return nil
	}
	return err
}
