package embedded

import (
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A faultFS is a file system that asks a hook before every write, sync and creation. The hook may
// wait, or return an error in place of the operation.
type faultFS struct {
	vfs.FS
	hook func(op, name string, bytes int) error
}

func (f *faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.hook("create", name, 0); err != nil {
		return nil, err
	}
	inner, err := f.FS.Create(name, c)
	return f.wrap(name, inner), err
}

func (f *faultFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.hook("create", newname, 0); err != nil {
		return nil, err
	}
	inner, err := f.FS.ReuseForWrite(oldname, newname, c)
	return f.wrap(newname, inner), err
}

func (f *faultFS) wrap(name string, inner vfs.File) vfs.File {
	if inner == nil {
		return nil
	}
	return &faultFile{File: inner, fs: f, name: name}
}

type faultFile struct {
	vfs.File
	fs   *faultFS
	name string
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.fs.hook("write", f.name, len(p)); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // half of it still fits
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultFile) Sync() error {
	if err := f.fs.hook("sync", f.name, 0); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) SyncData() error {
	if err := f.fs.hook("sync", f.name, 0); err != nil {
		return err
	}
	return f.File.SyncData()
}

// fullAfter is a hook for a disk that has room for some bytes more.
func fullAfter(room int) func(op, name string, bytes int) error {
	var mu sync.Mutex
	return func(op, _ string, bytes int) error {
		mu.Lock()
		defer mu.Unlock()
		if op == "sync" {
			return nil
		}
		if room -= bytes; room < 0 || op == "create" && room == 0 {
			room = 0
			return syscall.ENOSPC
		}
		return nil
	}
}

// failsAt is a hook for a disk on which an operation on a file of some sort fails from the n-th on.
func failsAt(op, sort string, n int) func(op, name string, bytes int) error {
	var mu sync.Mutex
	return func(o, name string, _ int) error {
		mu.Lock()
		defer mu.Unlock()
		if o != op || !strings.Contains(name, sort) {
			return nil
		}
		if n--; n < 0 {
			return syscall.EIO
		}
		return nil
	}
}
