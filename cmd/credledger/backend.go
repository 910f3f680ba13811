package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
)

// A backend is where the ledger of a home is. The connections that it gives stay open until it is
// closed. It is safe for concurrent use.
type backend interface {
	// as returns a department's connection.
	as(ctx context.Context, department string) (ledger.Ledger, error)
	// reader returns a connection for queries: that of the department if it can be had, else
	// another.
	reader(ctx context.Context, department string) (ledger.Ledger, error)
	close() error
}

// An embeddedBackend has the ledger in the home, and everybody's connection.
type embeddedBackend struct {
	store interface {
		As(department string) ledger.Ledger
		Close() error
	}
}

func (b embeddedBackend) as(_ context.Context, department string) (ledger.Ledger, error) {
	return b.store.As(department), nil
}

func (b embeddedBackend) reader(context.Context, string) (ledger.Ledger, error) {
	return b.store.As(""), nil
}

func (b embeddedBackend) close() error { return b.store.Close() }

// A fabricBackend has connections to a network, those whose client configuration is in a directory.
type fabricBackend struct {
	dir string

	mu          sync.Mutex
	connections map[string]*fabric.Connection // by department, those that were opened
}

func newFabricBackend(dir string) *fabricBackend {
	return &fabricBackend{dir: dir, connections: map[string]*fabric.Connection{}}
}

// codeConnectionMissing is the code of the error that a department has no connection here.
const codeConnectionMissing = "connection-missing"

// departmentID is what a department's id can be.
var departmentID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// file is where a department's client configuration is, if it is there.
func (b *fabricBackend) file(department string) string {
	return filepath.Join(b.dir, department+".yaml")
}

// has reports whether a department has a client configuration here.
func (b *fabricBackend) has(department string) bool {
	if !departmentID.MatchString(department) {
		return false
	}
	_, err := os.Stat(b.file(department))
	return err == nil
}

// departments lists those that have a client configuration, in the order of their names.
func (b *fabricBackend) departments() ([]string, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		// The connection profile lies beside them, under a name that no department has.
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok && b.has(name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, failf("no-connections", "%s has no client configuration of any department: `credledger network up` makes them in "+
			"clients/ of the network's directory, and `connections` in %s names where they are", b.dir, configFile)
	}
	return out, nil
}

// config reads a department's client configuration.
func (b *fabricBackend) config(department string) (*fabric.Config, error) {
	if !b.has(department) {
		return nil, failf(codeConnectionMissing, "%s is missing, with which to act as %s on the network: `credledger network up` makes one for "+
			"each organisation of the topology, in clients/ of the network's directory", b.file(department), department)
	}
	c, err := fabric.LoadConfig(b.file(department))
	if err != nil {
		return nil, err
	}
	if c.Organisation != department {
		return nil, failf("connection-other", "%s is the connection of %s; a file bears the name of its organisation", b.file(department), c.Organisation)
	}
	return c, nil
}

// authority is whose endorsement the network needs always.
func (b *fabricBackend) authority() (string, error) {
	all, err := b.departments()
	if err != nil {
		return "", err
	}
	c, err := b.config(all[0])
	if err != nil {
		return "", err
	}
	return c.Authority, nil
}

func (b *fabricBackend) as(ctx context.Context, department string) (ledger.Ledger, error) {
	return b.connect(ctx, department)
}

func (b *fabricBackend) connect(ctx context.Context, department string) (*fabric.Connection, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.connections[department]; l != nil {
		return l, nil
	}
	c, err := b.config(department)
	if err != nil {
		return nil, err
	}
	l, err := fabric.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	b.connections[department] = l
	return l, nil
}

func (b *fabricBackend) reader(ctx context.Context, department string) (ledger.Ledger, error) {
	return b.connectAny(ctx, department)
}

func (b *fabricBackend) connectAny(ctx context.Context, department string) (*fabric.Connection, error) {
	name, err := b.preferred(department)
	if err != nil {
		return nil, err
	}
	return b.connect(ctx, name)
}

// preferred is whose connection is used for queries: the department's, the authority's, or the
// first.
func (b *fabricBackend) preferred(department string) (string, error) {
	if b.has(department) {
		return department, nil
	}
	all, err := b.departments()
	if err != nil {
		return "", err
	}
	if authority, err := b.authority(); err != nil || b.has(authority) {
		return authority, err
	}
	return all[0], nil
}

func (b *fabricBackend) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	for _, l := range b.connections {
		err = errors.Join(err, l.Close())
	}
	return err
}

// hasNoEffect reports whether it is certain that a submission which ended with an error has none.
func hasNoEffect(err error) bool {
	switch ledger.Code(err) {
	case ledger.CodeNotSubmitted, ledger.CodeClosed, fabric.CodeDenied, fabric.CodeDiffer, fabric.CodeIdentity, fabric.CodeInvalidated:
		return true
	}
	return chaincode.Code(err) != ""
}
