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

// filesAtOnce is how many files are written at once: most of the time of each is waiting for the
// disk.
const filesAtOnce = 16

// A file to be delivered.
type delivery struct {
	path    string
	content []byte
}

// deliver writes the credentials of a batch, which are staged, to files of their own. Those that are
// there already stay as they are; one of another content is CodeOutputExists.
func (r *run) deliver(b *batchRow) error {
	credentials, err := r.segment(b)
	if err != nil {
		return err
	}
	work := make(chan delivery)
	failed := make(chan error, filesAtOnce)
	var writers sync.WaitGroup
	for range min(filesAtOnce, len(credentials)) {
		writers.Go(func() {
			var first error
			for f := range work {
				if first == nil {
					first = f.write()
				}
			}
			failed <- first
		})
	}
	for i := range credentials {
		c := &credentials[i]
		work <- delivery{filepath.Join(r.job.Dir, CredentialFile(c.record)), c.content}
	}
	close(work)
	writers.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return syncDir(r.job.Dir)
}

// write writes the file under another name, makes it durable, and gives it its own.
func (d *delivery) write() error {
	switch there, err := os.ReadFile(d.path); {
	case err == nil && bytes.Equal(there, d.content):
		return nil // by the run that this one continues
	case err == nil:
		return errorf(CodeOutputExists, nil, "%s is another file; move it away and run again", d.path)
	case !errors.Is(err, fs.ErrNotExist):
		return storageError("write a credential", err)
	}
	part := d.path + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return storageError("write a credential", err)
	}
	_, err = f.Write(d.content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, d.path)
	}
	if err != nil {
		return storageError("write a credential", err)
	}
	return nil
}
