package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// keys reads the private keys of a department that are in the home, in the order of their names.
func (h *home) keys(department string) (names []string, keys []*sm.PrivateKey, err error) {
	files, err := os.ReadDir(filepath.Join(h.dir, "keys", department))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for _, file := range files {
		name, isKey := strings.CutSuffix(file.Name(), ".pem")
		if !isKey {
			continue
		}
		key, err := readPrivateKey(h.keyFile(department, name))
		if err != nil {
			return nil, nil, err
		}
		names = append(names, name)
		keys = append(keys, key)
	}
	return names, keys, nil
}

// keyRecord is what the ledger says of a key.
type keyRecord struct {
	ID         sm.Hash  `json:"id"`
	Department string   `json:"department"`
	Purposes   []string `json:"purposes"`
	NotBefore  *instant `json:"notBefore,omitempty"`
	NotAfter   *instant `json:"notAfter,omitempty"`
	State      string   `json:"state"`
}

// signers returns the keys of a department in the home that the ledger takes for a purpose now.
func (h *home) signers(ctx context.Context, department string, purpose statement.Purposes) ([]sm.Signer, error) {
	_, keys, err := h.keys(department)
	if err != nil {
		return nil, err
	}
	now := instant(govern.Seconds(h.now()))
	var signers []sm.Signer
	for _, key := range keys {
		var record keyRecord
		err := h.query(ctx, &record, "key", key.Public().ID().String())
		if chaincode.Code(err) == chaincode.CodeNotFound {
			continue
		} else if err != nil {
			return nil, err
		}
		purposes, err := statement.ParsePurposes(record.Purposes)
		if err != nil {
			return nil, err
		}
		begun := record.NotBefore == nil || *record.NotBefore <= now
		ended := record.NotAfter != nil && *record.NotAfter < now
		if record.State == chaincode.KeyActive && purposes.Has(purpose) && begun && !ended {
			signers = append(signers, key)
		}
	}
	return signers, nil
}

func readPrivateKey(file string) (*sm.PrivateKey, error) {
	b, err := readBounded(file, maxKeyFile)
	if err != nil {
		return nil, err
	}
	key, err := sm.ParsePrivateKeyPEM(b, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

// writePrivateKey writes a key to a new file, readable by its owner only: whole or not at all. When it
// returns the key is on the disk for good, so that the ledger can be told of it.
func writePrivateKey(path string, key *sm.PrivateKey) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, unfinished+"*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(key.PEM())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // does not replace what is there
	}
	if errors.Is(err, fs.ErrExist) {
		err = failf("key-exists", "%s exists already; choose another name", path)
	}
	return errors.Join(err, os.Remove(f.Name()), syncDir(dir))
}

// makeDir makes a directory, for its owner only, and what is missing above it; a crash does not take
// it away again.
func makeDir(dir string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
