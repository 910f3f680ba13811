package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/filelock"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// A seenMemory is the file snapshots/LEDGER in a home: the newest block that a snapshot of the ledger had,
// as HEIGHT:HASH and a line feed. It only ever goes forward, whoever writes it at the same time.
type seenMemory struct {
	home   string
	ledger sm.Hash
}

func (m seenMemory) path() string { return filepath.Join(m.home, "snapshots", m.ledger.String()) }

// maxSeen bounds the file, in bytes.
const maxSeen = 100

// recall returns the newest block; zero if no snapshot was opened yet.
func (m seenMemory) recall() (ledger.Head, error) {
	b, err := readBounded(m.path(), maxSeen)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Head{}, nil
	} else if err != nil {
		return ledger.Head{}, err
	}
	head, err := ledger.ParseHead(strings.TrimSuffix(string(b), "\n"))
	if err != nil {
		return ledger.Head{}, failf("snapshots-damaged", "%s does not say which block was seen last (%v); remove it only if you know that no newer snapshot was read here", m.path(), err)
	}
	return head, nil
}

// remember writes a block down if it is newer than the one that is there.
func (m seenMemory) remember(ctx context.Context, head ledger.Head) (err error) {
	if err := makeDir(filepath.Dir(m.path())); err != nil {
		return err
	}
	lock, err := os.OpenFile(m.path()+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := awaitLock(ctx, lock); err != nil {
		return err
	}
	seen, err := m.recall()
	if err != nil || head.Height <= seen.Height {
		return err
	}
	if err := writeOutput(m.path(), []byte(head.String()+"\n")); err != nil {
		return err
	}
	return syncDir(filepath.Dir(m.path()))
}

// awaitLock locks a file until it is closed, as soon as no other process has it locked.
func awaitLock(ctx context.Context, f *os.File) error {
	for deadline := time.Now().Add(patience); ; {
		free, err := filelock.Try(f)
		switch {
		case err != nil || free:
			return err
		case time.Now().After(deadline):
			return failf("home-in-use", "another process keeps %s locked", f.Name())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(patience / 100):
		}
	}
}
