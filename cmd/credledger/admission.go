package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/certificate"
)

// An admission is what departments that are new bring with them.
type admission struct {
	certification
	enrolments []string // files
	keys       []string // ids of the keys in them, as their departments say them
}

func (o *admission) flags(c *call) {
	c.flags.StringArrayVar(&o.enrolments, "enrolment", nil, "a new department's first key, a `FILE` of `credledger keys request`; once for each")
	c.flags.StringArrayVar(&o.keys, "key", nil, "id of the `KEY` in an --enrolment, as its department says it; once for each")
	o.certification.flags(c, true)
}

// prepare reads and checks, before anything is written, what new departments bring. It returns the
// certificates by department.
func (f *founding) prepare(ctx context.Context, c *call, o *admission, all []licence.Department, before map[string]*departmentRecord) (map[string]*certificate.Chain, error) {
	if len(o.keys) != len(o.enrolments) {
		return nil, usagef("say the id of the key in each --enrolment with --key")
	}
	f.enrolments = map[string]*govern.Enrolment{}
	for _, file := range o.enrolments {
		e, err := f.readEnrolment(file)
		if err == nil && !slices.Contains(o.keys, e.Key.KeyID.String()) {
			err = otherKey(e, file)
		}
		if err == nil {
			err = f.mayEnrol(ctx, e, file, all, before)
		}
		if err != nil {
			return nil, err
		}
		f.enrolments[e.Key.Department] = e
	}
	return f.certifyNew(o, c.args[0], all, before)
}

// mayEnrol checks that an enrolment is the first of a department that is new, or was one.
func (f *founding) mayEnrol(ctx context.Context, e *govern.Enrolment, file string, all []licence.Department, before map[string]*departmentRecord) error {
	if err := plainEnrolment(e, file); err != nil {
		return err
	}
	id := e.Key.Department
	if f.enrolments[id] != nil || !slices.ContainsFunc(all, func(d licence.Department) bool { return d.ID == id }) {
		return failf("enrolment-other", "%s enrols a key of %s, which is not among the departments, or has another enrolment", file, id)
	}
	if f.isNew(id, before) {
		return nil
	}
	var record keyRecord
	err := f.query(ctx, &record, "key", e.Key.KeyID.String())
	if chaincode.Code(err) == chaincode.CodeNotFound || err == nil && record.Department != id {
		return failf("enrolment-other", "%s is on the ledger already: its keys come by `credledger keys generate`, after a loss by `credledger keys vouch`", id)
	}
	return err
}

// isNew reports whether a department is not on the ledger, or not with all that it begins with.
func (f *founding) isNew(id string, before map[string]*departmentRecord) bool {
	return before[id] == nil || f.marked(id)
}

// certifyNew checks that each department that is new has a certificate for its first key, which it
// brings in an enrolment or which is in the home, if there are certificates at all.
func (f *founding) certifyNew(o *admission, file string, all []licence.Department, before map[string]*departmentRecord) (map[string]*certificate.Chain, error) {
	chains, err := o.certification.read(f.now())
	if err != nil || len(chains) == 0 {
		return nil, err
	}
	of := map[string]*certificate.Chain{}
	for i := range all {
		d := &all[i]
		key, err := f.firstKey(d.ID)
		if errors.Is(err, fs.ErrNotExist) {
			if !f.isNew(d.ID, before) {
				continue
			}
			return nil, failf("no-key", "the key of %s that was certified is neither in an --enrolment nor in the home, as keys/%s/%s.pem", d.ID, d.ID, governKey)
		} else if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(chains, func(chain *certificate.Chain) bool { return chain.Key().Equal(key) })
		switch {
		case at >= 0:
			if err := checkCertified(chains[at], d, key); err != nil {
				return nil, err
			}
			of[d.ID] = chains[at]
		case f.isNew(d.ID, before):
			return nil, failf("certificate-missing", "no certificate is of the first key of %s, %s", d.ID, key.ID())
		}
	}
	for i, chain := range chains {
		if !slices.Contains(slices.Collect(maps.Values(of)), chain) {
			return nil, failf("certificate-other-key", "%s is of the key %s, which is the first key of no department in %s", o.files[i], chain.Key().ID(), file)
		}
	}
	return of, nil
}

// firstKey is the key with which a department begins; fs.ErrNotExist if there is none yet.
func (f *founding) firstKey(department string) (*sm.PublicKey, error) {
	if e := f.enrolments[department]; e != nil {
		return sm.NewPublicKey(e.Key.PublicKey)
	}
	key, err := readPrivateKey(f.keyFile(department, governKey))
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

// enrolFirst brings the first key of a department, which the department keeps to itself, to the ledger,
// if the ledger does not have it. The department enrols its other keys.
func (f *founding) enrolFirst(ctx context.Context, e *govern.Enrolment) error {
	var record keyRecord
	err := f.query(ctx, &record, "key", e.Key.KeyID.String())
	if chaincode.Code(err) != chaincode.CodeNotFound {
		return err
	}
	if err := e.Vouch(f.govern); err != nil {
		return err
	}
	return e.Submit(ctx, f.authority)
}
