package index

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble ends the process where it cannot write its log or its manifest. An index must not: it can
// be made again, and what it has in memory can still be asked. So there is no log; what was not
// flushed at a crash is followed again. And the first failure ends the writing, before Pebble knows
// no way out.

const (
	cacheSize    = 16 << 20
	memTableSize = 8 << 20
	memTables    = 4

	// retryDelay keeps Pebble, which at once tries again what failed, from running hot.
	retryDelay = 50 * time.Millisecond
)

// A store is what an index keeps in its directory; store.go says what that is.
type store struct {
	db     *pebble.DB
	lock   *pebble.Lock
	broken atomic.Pointer[error] // why nothing is written any more
	failed chan struct{}         // closed when that is known
	hangs  bool                  // the database cannot be closed; under Index.following
}

// openStore opens the store in a directory of a file system.
func openStore(fs vfs.FS, dir string) (*store, error) {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, &Error{CodeStorage, "make the index's directory", err}
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if errors.Is(err, os.ErrPermission) {
		return nil, &Error{CodeStorage, "lock the index's directory", err}
	} else if err != nil {
		return nil, &Error{CodeInUse, "the index is open in another process, or twice in this one; close it there first", err}
	}
	s := &store{lock: lock, failed: make(chan struct{})}
	o := &pebble.Options{
		FS:                          vfs.OnDiskFull(fs, s.diskFull),
		Lock:                        lock,
		DisableWAL:                  true,
		FormatMajorVersion:          pebble.FormatWALSyncChunks,
		CacheSize:                   cacheSize,
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: memTables,
		Logger:                      s,
		EventListener:               &pebble.EventListener{BackgroundError: s.fail},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most look-ups are for what is not there
	}
	if err := s.open(dir, o); err != nil {
		s.unlock()
		if errors.Is(err, pebble.ErrCorruption) {
			return nil, damaged(err)
		}
		return nil, &Error{CodeStorage, "open the index", err}
	}
	return s, nil
}

// open opens the database, which panics over some errors of the file system.
func (s *store) open(dir string, o *pebble.Options) (err error) {
	defer s.survive(&err)
	if s.db, err = pebble.Open(dir, o); err != nil {
		return err
	}
	if err := s.failure(); err != nil {
		_ = s.db.Close() // the first error says more
		return err
	}
	return nil
}

// survive turns a panic of the database, which may stay locked after it, into an error.
func (s *store) survive(err *error) {
	if r := recover(); r != nil {
		s.hangs = true
		s.fail(fmt.Errorf("the database gave up: %v", r))
		*err = s.failure()
	}
}

func (s *store) unlock() { _ = s.lock.Close() } // the process gives it up at its end anyway

func damaged(err error) *Error {
	return &Error{CodeDamaged, "the directory does not hold an index; remove it, and it is made again from the ledger", err}
}

// Infof, Errorf and Fatalf make the store Pebble's logger: Pebble calls Fatalf where it would end
// the process, for instance on a full disk. The index ends its writing instead.
func (s *store) Infof(string, ...any)              {}
func (s *store) Errorf(string, ...any)             {}
func (s *store) Fatalf(format string, args ...any) { s.fail(fmt.Errorf(format, args...)) }

func (s *store) diskFull() {
	s.fail(syscall.ENOSPC)
	time.Sleep(retryDelay)
}

// fail ends the writing, before Pebble runs out of memory to put it in; the first reason stands.
func (s *store) fail(err error) {
	if s.broken.CompareAndSwap(nil, &err) {
		close(s.failed)
	}
}

func (s *store) failure() error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *store) close() error {
	defer s.unlock()
	err := s.flush()
	if !s.hangs {
		if closeErr := s.db.Close(); err == nil {
			err = closeErr
		}
	}
	if err != nil {
		return &Error{CodeStorage, "close the index", err}
	}
	return nil
}

// flush writes to the disk what is only in memory.
func (s *store) flush() error {
	if err := s.failure(); err != nil {
		return err
	}
	flushed, err := s.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-s.failed:
	}
	return s.failure()
}
