package accesslog

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/sdk/filelock"
)

// files is where the files come from that a log writes to as it goes; tests have one that fails.
type files interface {
	// open opens a file for writing at places; it must be there.
	open(name string) (file, error)
	// create makes a file that is not there, durably, and opens it.
	create(name string) (file, error)
}

// A file is one that is written to.
type file interface {
	WriteAt(b []byte, at int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// disk is the file system.
type disk struct{}

func (disk) open(name string) (file, error) { return os.OpenFile(name, os.O_WRONLY, 0) }

func (disk) create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncDir(filepath.Dir(name)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// writeFile writes a file whole or not at all: under another name, which it has in the end.
func writeFile(name string, content []byte) error {
	part := name + partFile
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return storageError("write a file of the access log", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		_ = os.Remove(part) // it is written over next time
		return storageError("write a file of the access log", err)
	}
	return nil
}

// syncDir makes durable which files are in a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDir locks a log's directory until the file is closed, or the process ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, storageError("lock the access log", err)
	}
	free, err := filelock.Try(f)
	if err == nil && free {
		return f, nil
	}
	f.Close()
	if err != nil {
		return nil, storageError("lock the access log", err)
	}
	return nil, errorf(CodeInUse, nil, "the access log is open in another process, or twice in this one; close it there first")
}
