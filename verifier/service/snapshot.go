package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/snapshot"
)

// keepSnapshot keeps the snapshot that is offered: makes it where a key of the authority is, and takes
// what is in the file, whoever put it there.
func (s *Service) keepSnapshot(ctx context.Context) error {
	var made time.Time
	return serve.Every(ctx, s.log, snapshotLook, "the snapshot", func(context.Context) error {
		if now := s.parts.Now(); s.follower.State().Settled && now.Sub(made) >= s.config.Snapshot.Every {
			if err := s.makeSnapshot(); err != nil {
				return failedSnapshot("make", s.config.Snapshot.File, err)
			}
			made = now
		}
		if err := s.takeSnapshot(); err != nil {
			return failedSnapshot("read", s.config.Snapshot.File, err)
		}
		return nil
	})
}

func failedSnapshot(what, file string, err error) error {
	return &serve.Error{Code: CodeSnapshot, Message: what + " the snapshot " + file, Err: err}
}

// makeSnapshot writes a snapshot of what the index has, whole or not at all, if a key for it is here.
func (s *Service) makeSnapshot() error {
	export, err := s.index.Export()
	if err != nil {
		return err
	}
	authority, trust, err := snapshot.TrustOf(export)
	if err != nil {
		return err
	}
	keys, err := s.parts.Keys(authority)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k sm.Signer) bool { return slices.ContainsFunc(trust.Keys, k.Public().Equal) })
	if i < 0 {
		return nil
	}
	b, _, err := snapshot.Build(export, keys[i])
	if err != nil {
		return err
	}
	return replaceFile(s.config.Snapshot.File, b)
}

func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".snapshot-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// takeSnapshot reads the file when it has changed, and offers it if the authority has signed it and it
// is not older than the one before.
func (s *Service) takeSnapshot() error {
	info, err := os.Stat(s.config.Snapshot.File)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.ModTime().Equal(s.snapshotAt):
		return nil
	case err != nil:
		return err
	case info.Size() > snapshot.MaxFile:
		return errors.New("the file is too large")
	}
	b, err := os.ReadFile(s.config.Snapshot.File)
	if err != nil {
		return err
	}
	least := uint64(0)
	if before := s.snapshot.Load(); before != nil {
		least = before.Header.Height
	}
	export, err := s.index.Export()
	if err != nil {
		return err
	}
	_, trust, err := snapshot.TrustOf(export)
	if err != nil {
		return err
	}
	trust.Seen = ledger.Head{} // it may be older than the index: readers see as of when it is
	if _, err := snapshot.Open(b, trust, least); err != nil {
		return err
	}
	signed, header, err := snapshot.Header(b)
	if err != nil {
		return err
	}
	s.snapshot.Store(&httpapi.Snapshot{File: b, Statement: signed, Header: header})
	s.snapshotAt = info.ModTime()
	return nil
}
