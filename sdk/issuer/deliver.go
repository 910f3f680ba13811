package issuer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A run that delivers one file per licence stages the credentials first, in one file in the
// directory, which is removed at the end. It is a CBOR sequence of two items per licence: the number
// of the record in the input, and the credential.
const stagingFile = ".credledger-issuing"

// CredentialFile is the name of the file with the credential of a record, by its number in the
// input, from 1: licence-0000001.cred. It says nothing about the licence.
func CredentialFile(record int64) string { return fmt.Sprintf("licence-%07d.cred", record) }

// credentialIn returns a file in a directory that has a name which CredentialFile can return, "" if
// there is none.
func credentialIn(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", storageError("look into the output directory", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "licence-") && strings.HasSuffix(e.Name(), ".cred") {
			return filepath.Join(dir, e.Name()), nil
		}
	}
	return "", nil
}

// filesAtOnce is how many files are written at once by a run: most of the time of each is waiting for
// the disk.
const filesAtOnce = 64

// deliver writes the credentials of a batch, which are staged, to files of their own. Those that are
// there already stay as they are; one of another content is CodeOutputExists.
func (r *run) deliver(b *batchRow) error {
	credentials, err := r.segment(b)
	if err != nil {
		return err
	}
	var writers sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range credentials {
		r.files <- struct{}{}
		writers.Go(func() {
			defer func() { <-r.files }()
			c := &credentials[i]
			if err := writeCredential(filepath.Join(r.job.Dir, CredentialFile(c.record)), c.content); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	writers.Wait()
	if failed != nil {
		return failed
	}
	return syncDir(r.job.Dir)
}

// writeCredential writes a file under another name, makes it durable, and gives it its own.
func writeCredential(path string, content []byte) error {
	switch there, err := os.ReadFile(path); {
	case err == nil && bytes.Equal(there, content):
		return nil // by the run that this one continues
	case err == nil:
		return errorf(CodeOutputExists, nil, "%s is another file; move it away and run again", path)
	case !errors.Is(err, fs.ErrNotExist):
		return storageError("write a credential", err)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that was killed
		return storageError("write a credential", err)
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // never through a planted link
	if err != nil {
		return storageError("write a credential", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return storageError("write a credential", err)
	}
	return nil
}
