package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A founding brings departments, their keys and licence types to a ledger, as the authority. Each step
// looks first whether it was done before, so that a founding that was interrupted goes on; and each
// private key is on the disk before the ledger hears of it, so that none is lost.
type founding struct {
	*home
	authority ledger.Ledger // its connection
	govern    sm.Signer     // its key for governing

	enrolments map[string]*govern.Enrolment // by department, of first keys that are not in the home
}

// departmentKeys are the keys that a department begins with, beside its first, for governing. Two
// for status, because some changes need two signers.
var departmentKeys = []struct {
	name     string
	purposes statement.Purposes
}{
	{"anchor", statement.PurposeAnchor},
	{"status-1", statement.PurposeStatus},
	{"status-2", statement.PurposeStatus},
	{"service", statement.PurposeLog | statement.PurposeConsent},
}

// governKey is the name of a department's first key, for governing.
const governKey = "govern"

// all brings what a city begins with, after its genesis. What a run that was interrupted had submitted can be
// on the ledger when the peer that is asked does not have it yet: then it is brought twice, which the ledger
// refuses, and it is there when one asks again.
func (f *founding) all(ctx context.Context, plan *cityPlan) error {
	for try := 1; ; try++ {
		err := f.bring(ctx, plan)
		if chaincode.Code(err) != chaincode.CodeSequence || try == foundingTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

// foundingTries is how often that is done at the most.
const foundingTries = 10

// bring brings what is missing.
func (f *founding) bring(ctx context.Context, plan *cityPlan) error {
	if err := makeDir(filepath.Join(f.dir, vaultsDir)); err != nil {
		return err
	}
	for _, t := range plan.types {
		if err := f.publish(ctx, t); err != nil {
			return fmt.Errorf("publish %s: %w", t.ID, err)
		}
	}
	before, err := f.admitted(ctx)
	if err == nil {
		err = f.mark(f.author) // the genesis has admitted it, with its first key
	}
	if err == nil {
		err = f.departments(ctx, plan.departments, before)
	}
	if err != nil {
		return err
	}
	return f.beat(ctx, govern.HeartbeatInterval)
}

// publish publishes a type, if the ledger does not have that version.
func (f *founding) publish(ctx context.Context, t *licence.Type) error {
	_, err := f.ledger.Evaluate(ctx, chaincode.Query{Name: "type", Args: []string{t.ID, strconv.Itoa(t.Version)}})
	if chaincode.Code(err) != chaincode.CodeNotFound {
		return err
	}
	return govern.Publish(ctx, f.authority, f.id, t, f.govern, f.now())
}

// departmentsAtOnce is how many departments are brought to the ledger at the same time: on a network
// a transaction takes longer than many of them.
const departmentsAtOnce = 16

// departments establishes departments, given what the ledger says of those that it has.
func (f *founding) departments(ctx context.Context, all []licence.Department, before map[string]*departmentRecord) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, departmentsAtOnce)
	var working sync.WaitGroup
	for i := range all {
		slots <- struct{}{}
		working.Go(func() {
			defer func() { <-slots }()
			if err := f.establish(ctx, &all[i], before[all[i].ID]); err != nil {
				cancel(err) // the first
			}
		})
	}
	working.Wait()
	return context.Cause(ctx)
}

// establish admits a department and enrols its keys. Of one that the ledger has, only the
// description is changed, unless an earlier run was interrupted before it had all keys.
func (f *founding) establish(ctx context.Context, d *licence.Department, known *departmentRecord) error {
	if known == nil {
		if err := f.mark(d.ID); err != nil {
			return err
		}
		known = &departmentRecord{State: statement.DepartmentActive}
	}
	if !sameProfile(d, &known.Department) {
		if err := govern.Admit(ctx, f.authority, f.id, d, known.State, known.Sequence+1, f.govern, f.now()); err != nil {
			return fmt.Errorf("admit %s: %w", d.ID, err)
		}
	}
	if !f.marked(d.ID) {
		return nil
	}
	var err error
	if e := f.enrolments[d.ID]; e != nil {
		err = f.enrolFirst(ctx, e)
	} else {
		err = f.enrolAll(ctx, d.ID)
	}
	if err != nil {
		return err
	}
	if len(d.Issues) > 0 {
		if err := f.createVault(ctx, d.ID); err != nil {
			return err
		}
	}
	return removeIfThere(f.markFile(d.ID))
}

// enrolAll makes and enrols the keys that a department begins with.
func (f *founding) enrolAll(ctx context.Context, department string) error {
	first := f.govern
	if department != f.author {
		var err error
		if first, err = f.enrol(ctx, f.authority, department, governKey, statement.PurposeGovern, f.govern); err != nil {
			return err
		}
	}
	l, err := f.as(ctx, department)
	if errorCode(err) == codeConnectionMissing {
		l, err = f.authority, nil // which may submit the keys of every department
	}
	if err != nil {
		return err
	}
	for _, k := range departmentKeys {
		if _, err := f.enrol(ctx, l, department, k.name, k.purposes, first); err != nil {
			return err
		}
	}
	return nil
}

// markFile is there, beside the keys of a department, until all of them are enrolled.
func (f *founding) markFile(department string) string {
	return filepath.Join(f.dir, "keys", department, ".establishing")
}

func (f *founding) mark(department string) error {
	path := f.markFile(department)
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func (f *founding) marked(department string) bool {
	_, err := os.Stat(f.markFile(department))
	return err == nil
}

// sameProfile reports whether a department is described in the same words.
func sameProfile(a, b *licence.Department) bool {
	return reflect.DeepEqual(govern.Profile(a), govern.Profile(b))
}

// enrol makes a key of a department, if it is not in the home, and enrols it, if the ledger does not
// have it. Another key vouches for it.
func (f *founding) enrol(ctx context.Context, l ledger.Ledger, department, name string, purposes statement.Purposes, voucher sm.Signer) (*sm.PrivateKey, error) {
	key, err := f.ownKeyNamed(department, name)
	if err != nil {
		return nil, err
	}
	_, err = f.ledger.Evaluate(ctx, chaincode.Query{Name: "key", Args: []string{key.Public().ID().String()}})
	if chaincode.Code(err) == chaincode.CodeNotFound {
		err = govern.Enrol(ctx, l, f.id, department, purposes, f.now(), key, voucher)
	}
	if err != nil {
		return nil, fmt.Errorf("enrol the key %s of %s: %w", name, department, err)
	}
	return key, nil
}

// ownKeyNamed reads a key in the home, and makes it if it is not there.
func (h *home) ownKeyNamed(department, name string) (*sm.PrivateKey, error) {
	path := h.keyFile(department, name)
	key, err := readPrivateKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = sm.GenerateKey(nil); err != nil {
		return nil, err
	}
	return key, writePrivateKey(path, key)
}
