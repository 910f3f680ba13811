package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

type initOptions struct {
	departments, catalog, authority, name string
}

func initCommand() *command {
	return &command{
		name: "init", args: "--home DIR [--departments FILE] [--catalog DIR] [--authority ID] [--name NAME]",
		summary: "make a home: a ledger, its departments with their keys, and the licence types",
		detail: "DIR must not exist, or be empty. Departments and licence types are the built-in ones of a\n" +
			"demonstration city unless named. The authority is the department that issues no type.",
		flags: func(c *call) {
			o := new(initOptions)
			c.options = o
			c.flags.StringVar(&o.departments, "departments", "", "the departments, a JSON `FILE`")
			c.flags.StringVar(&o.catalog, "catalog", "", "the licence types, a `DIR` of one JSON file each")
			c.flags.StringVar(&o.authority, "authority", "", "`ID` of the department that is the authority")
			c.flags.StringVar(&o.name, "name", "CredLedger", "`NAME` of the ledger, for people")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*initOptions)
			if len(c.args) > 0 {
				return usagef("init takes no arguments besides its flags")
			}
			if c.homeDir == "" {
				return usagef("name the home to make with --home DIR")
			}
			plan, err := planCity(o)
			if err != nil {
				return err
			}
			id, err := makeHome(ctx, c, plan)
			if err != nil {
				return err
			}
			types := make([]string, len(plan.types))
			for i, t := range plan.types {
				types[i] = t.ID
			}
			departments := make([]string, len(plan.departments))
			for i, d := range plan.departments {
				departments[i] = d.ID
			}
			c.answer(map[string]any{
				"home": c.homeDir, "ledger": id, "authority": plan.authority.ID, "departments": departments, "types": types,
			}, func(w io.Writer) {
				fmt.Fprintf(w, c.pick("主目录 %s\n账本 %s\n主管部门 %s\n准入部门 %s\n证照类型 %s\n",
					"home %s\nledger %s\nauthority %s\ndepartments %s\nlicence types %s\n"),
					c.homeDir, id, plan.authority.ID, c.list(departments), c.list(types))
			})
			return nil
		},
	}
}

// A cityPlan is what a new ledger begins with.
type cityPlan struct {
	name        string
	authority   *licence.Department
	departments []licence.Department // all, the authority among them
	types       []*licence.Type
}

func planCity(o *initOptions) (*cityPlan, error) {
	plan := &cityPlan{name: o.name}
	var err error
	if o.departments == "" {
		plan.departments, err = catalog.Departments()
	} else {
		var b []byte
		if b, err = readBounded(o.departments, licence.MaxDepartmentsFile); err != nil {
			return nil, err
		}
		if plan.departments, err = licence.ParseDepartments(b); err != nil {
			err = failf("departments-malformed", "%s: %v", o.departments, err)
		}
	}
	if err != nil {
		return nil, err
	}
	if o.catalog == "" {
		plan.types, err = catalog.Types()
	} else {
		if plan.types, err = catalog.Load(o.catalog); err != nil {
			err = failf("catalogue-malformed", "%v", err)
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range plan.departments {
		d := &plan.departments[i]
		if o.authority == d.ID || o.authority == "" && len(d.Issues) == 0 {
			if plan.authority != nil {
				return nil, usagef("several departments issue no type: name the authority with --authority ID")
			}
			plan.authority = d
		}
		for _, id := range d.Issues {
			if !slices.ContainsFunc(plan.types, func(t *licence.Type) bool { return t.ID == id }) {
				return nil, failf(chaincode.CodeTypeUnknown, "the department %s issues the type %q, which the catalogue does not have", d.ID, id)
			}
		}
	}
	if plan.authority == nil {
		return nil, usagef("none of the departments is the authority: name it with --authority ID")
	}
	return plan, nil
}

// readBounded reads a file of at most max bytes.
func readBounded(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		err = failf("too-large", "%s has more than %d bytes", path, max)
	}
	return b, err
}

// makeHome makes the home in a directory inside it, and moves what is there up when all is done, the
// configuration last: without that it is no home.
func makeHome(ctx context.Context, c *call, plan *cityPlan) (id sm.Hash, err error) {
	entries, err := os.ReadDir(c.homeDir)
	switch {
	case err == nil && len(entries) > 0:
		return id, failf("home-exists", "%s exists and is not empty: a home is made in a new directory", c.homeDir)
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(c.homeDir, 0o700); err != nil {
			return id, err
		}
		defer func() {
			if err != nil {
				os.Remove(c.homeDir)
			}
		}()
	case err != nil:
		return id, err
	}
	dir, err := os.MkdirTemp(c.homeDir, ".init-")
	if err != nil {
		return id, err
	}
	defer os.RemoveAll(dir) // what is left of it if something failed
	if err := os.Mkdir(filepath.Join(dir, "register"), 0o700); err != nil {
		return id, err
	}
	if id, err = (founding{call: c, dir: dir, plan: plan}).found(ctx); err != nil {
		return id, err
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(configText), 0o644); err != nil {
		return id, err
	}
	for _, name := range []string{"keys", "register", "ledger", configFile} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(c.homeDir, name)); err != nil {
			return id, err
		}
	}
	return id, nil
}

// A founding writes the first transactions of a ledger.
type founding struct {
	*call
	dir  string
	plan *cityPlan
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

func (f founding) found(ctx context.Context) (id sm.Hash, err error) {
	govKey, err := f.newKey(f.plan.authority.ID, "govern")
	if err != nil {
		return id, err
	}
	genesis, id, err := govern.Genesis(f.plan.name, f.plan.authority, statement.PurposeGovern, govKey, f.now())
	if err != nil {
		return id, err
	}
	store, err := embedded.Create(filepath.Join(f.dir, "ledger"), genesis)
	if err != nil {
		return id, err
	}
	err = f.fill(ctx, store, id, govKey)
	return id, errors.Join(err, store.Close())
}

func (f founding) createRegister(id sm.Hash, department string) error {
	register, err := issuer.CreateRegister((&home{dir: f.dir}).registerFile(department), id, department)
	if err != nil {
		return err
	}
	return register.Close()
}

func (f founding) fill(ctx context.Context, store *embedded.Store, id sm.Hash, govKey *sm.PrivateKey) error {
	authority := store.As(f.plan.authority.ID)
	for _, t := range f.plan.types {
		if err := govern.Publish(ctx, authority, id, t, govKey, f.now()); err != nil {
			return fmt.Errorf("publish %s: %w", t.ID, err)
		}
	}
	for i := range f.plan.departments {
		d := &f.plan.departments[i]
		first := govKey
		if d != f.plan.authority {
			if err := govern.Admit(ctx, authority, id, d, statement.DepartmentActive, 1, govKey, f.now()); err != nil {
				return fmt.Errorf("admit %s: %w", d.ID, err)
			}
			var err error
			if first, err = f.newKey(d.ID, "govern"); err != nil {
				return err
			}
			if err := govern.Enrol(ctx, authority, id, d.ID, statement.PurposeGovern, f.now(), first, govKey); err != nil {
				return fmt.Errorf("enrol the first key of %s: %w", d.ID, err)
			}
		}
		if err := f.enrolKeys(ctx, store.As(d.ID), id, d.ID, first); err != nil {
			return err
		}
		if len(d.Issues) > 0 {
			if err := f.createRegister(id, d.ID); err != nil {
				return err
			}
		}
	}
	service, err := readPrivateKey((&home{dir: f.dir}).keyFile(f.plan.authority.ID, "service"))
	if err != nil {
		return err
	}
	return govern.Beat(ctx, authority, id, service, f.now(), govern.HeartbeatInterval)
}

func (f founding) enrolKeys(ctx context.Context, l ledger.Ledger, id sm.Hash, department string, first *sm.PrivateKey) error {
	for _, k := range departmentKeys {
		key, err := f.newKey(department, k.name)
		if err != nil {
			return err
		}
		if err := govern.Enrol(ctx, l, id, department, k.purposes, f.now(), key, first); err != nil {
			return fmt.Errorf("enrol %s of %s: %w", k.name, department, err)
		}
	}
	return nil
}

// newKey makes a private key and writes its file.
func (f founding) newKey(department, name string) (*sm.PrivateKey, error) {
	key, err := sm.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	return key, writePrivateKey((&home{dir: f.dir}).keyFile(department, name), key)
}

// writePrivateKey writes a key to a new file, readable by its owner only.
func writePrivateKey(path string, key *sm.PrivateKey) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return failf("key-exists", "%s exists already; choose another name", path)
	} else if err != nil {
		return err
	}
	_, err = f.Write(key.PEM())
	return errors.Join(err, f.Sync(), f.Close())
}
