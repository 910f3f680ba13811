package issuer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
)

// A delivery is a batch of a run on its way to the ledger, and to where its credentials go.
type delivery struct {
	batch    *batch
	anchored chan struct{} // closed when it is; of a bundle only
	end      int64         // of the bundle, after its credentials
}

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

// goOn submits and delivers what an earlier run has put into the vault.
func (r *run) goOn(ctx context.Context) error {
	var left []*vault.Batch
	for _, state := range []string{vault.Pending, vault.Anchored} {
		for after := int64(0); ; {
			page, err := r.iss.vault.Batches(ctx, state, r.row.ID, after, submissionsAtOnce)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			left = append(left, page...)
			after = page[len(page)-1].ID
		}
	}
	slices.SortFunc(left, func(a, b *vault.Batch) int { return cmp.Compare(a.ID, b.ID) })
	for _, kept := range left {
		if err := r.submit(ctx, &delivery{batch: &batch{Batch: kept}}); err != nil {
			return err
		}
	}
	return nil
}

// submit has a batch anchored and delivered, while the run goes on. It waits while too many are on
// their way.
func (r *run) submit(ctx context.Context, d *delivery) error {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if r.bundle != nil {
		d.anchored = make(chan struct{})
		r.queue <- d // there is room for all that have a slot
	}
	r.work.Go(func() {
		if err := r.bring(ctx, d); err != nil {
			r.fail(err)
		}
	})
	return nil
}

// bring brings a batch to the ledger, and its credentials to where they go, unless that is the bundle.
func (r *run) bring(ctx context.Context, d *delivery) error {
	if d.batch.Position == nil {
		if err := r.iss.bring(ctx, d.batch); err != nil {
			return err
		}
		r.anchored.Add(int64(d.batch.Size))
	}
	if r.bundle != nil {
		close(d.anchored)
		return nil
	}
	if r.dir != nil {
		if err := r.writeFiles(ctx, d); err != nil {
			return err
		}
	}
	return r.finishDelivery(d)
}

// fillBundle appends the credentials of the batches that are submitted to the bundle, in their order, each when
// it is on the ledger.
func (r *run) fillBundle(ctx context.Context) {
	for d := range r.queue {
		select {
		case <-d.anchored:
		case <-ctx.Done():
			return
		}
		err := r.appendToBundle(ctx, d)
		if err == nil {
			err = r.finishDelivery(d)
		}
		if err != nil {
			r.fail(err)
			return
		}
	}
}

// finishDelivery hands a batch that is delivered to the next transaction.
func (r *run) finishDelivery(d *delivery) error {
	if err := r.iss.step(stepDelivered); err != nil {
		return err
	}
	r.mu.Lock()
	r.finished = append(r.finished, d)
	r.mu.Unlock()
	<-r.slots
	return nil
}

// takeFinished returns what was delivered since it was called last.
func (r *run) takeFinished() []*delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.finished
	r.finished = nil
	return out
}

// credentials returns the credentials of a batch in the order of the inputs.
func (r *run) credentials(ctx context.Context, d *delivery) ([]Anchored, error) {
	var out []Anchored
	var err error
	if d.batch.sealed == nil { // put into the vault by an earlier run
		out, err = r.iss.openBatch(ctx, r.by, d.batch.Batch)
	}
	for i, draft := range d.batch.drafts {
		out = append(out, Anchored{draft.row, d.batch.sealed.Credential(i)})
	}
	slices.SortFunc(out, func(a, b Anchored) int { return cmp.Compare(a.Row, b.Row) })
	return out, err
}

func (r *run) appendToBundle(ctx context.Context, d *delivery) error {
	credentials, err := r.credentials(ctx, d)
	if err != nil {
		return err
	}
	var b []byte
	for _, c := range credentials {
		b = c.Credential.AppendTo(b[:0])
		if err := r.bundle.append(b); err != nil {
			return err
		}
	}
	d.end = r.bundle.length
	return r.bundle.flush()
}

// filesAtOnce is how many files are written at once by a run: most of the time of each is waiting for
// the disk.
const filesAtOnce = 64

// writeFiles writes the credentials of a batch to files of their own. Those that are there already stay as they
// are; one of another content is CodeOutputExists.
func (r *run) writeFiles(ctx context.Context, d *delivery) error {
	credentials, err := r.credentials(ctx, d)
	if err != nil {
		return err
	}
	var writers sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for _, c := range credentials {
		r.files <- struct{}{}
		writers.Go(func() {
			defer func() { <-r.files }()
			if err := writeCredential(filepath.Join(r.job.Dir, CredentialFile(c.Row)), c.Credential); err != nil {
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
func writeCredential(path string, c *credential.Presentation) error {
	content := c.Bytes()
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
