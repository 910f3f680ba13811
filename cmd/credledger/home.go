package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/network/embedded/share"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
)

// A home is a directory that holds all that one installation needs:
//
//	credledger.yaml              its configuration
//	ledger/                      the embedded ledger, if that is where the ledger is
//	ledger.shared/               where the processes that use that ledger meet
//	index/                       the verifier's index of the ledger; may be deleted, is made again
//	snapshots/<ledger>           the newest block that a snapshot had
//	keys/<department>/NAME.pem   private keys, PKCS#8, readable by the owner only
//	keys/<department>/master.keys  the master keys of its vault
//	vault/<department>.db        what the department has issued, sealed
//	verifier.yaml, agencies.yaml configuration of the verifier service
//	policy.yaml, policy.signed   the policy for releases between departments, as written and as published
//	issuer/<department>/         configuration of its issuing service, and what that keeps
//	tlcp/, verifier/             its certificates, and what it keeps
//	opener/                      what `credledger open` keeps: an index, and the token of its callers
//
// Several commands and services can use one home at a time: an embedded ledger is shared among them,
// see package share, and of what else is in the home each takes its turn.
type home struct {
	dir     string
	config  config
	backend backend
	ledger  ledger.Ledger // for queries
	id      sm.Hash
	author  string // department id of the authority
	now     func() time.Time
	view    *index.Index
	stop    context.CancelFunc // ends the following of view

	vaults map[string]*vault.Vault    // by department, those that were opened
	types  map[typeName]*licence.Type // those that were asked for; a published version never changes
}

type typeName struct {
	id      string
	version uint32
}

func newHome(dir string, now func() time.Time) *home {
	return &home{dir: dir, now: now, vaults: map[string]*vault.Vault{}, types: map[typeName]*licence.Type{}}
}

// openHome opens the home that the call names, for what it does as a department, "" if it only asks.
func (c *call) openHome(ctx context.Context, department string) (*home, error) {
	h, err := c.connectHome(ctx, department)
	if err != nil {
		return nil, err
	}
	if err := h.begin(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// connectHome is openHome without a question to a network, which may be down.
func (c *call) connectHome(ctx context.Context, department string) (*home, error) {
	if c.homeDir == "" {
		return nil, usagef("name the home with --home DIR or CREDLEDGER_HOME; `credledger init` makes one")
	}
	if slices.Contains(c.args, "-") {
		// What comes may be made by a command that holds the home until it has written it.
		in := bufio.NewReader(c.stdin)
		in.Peek(1)
		c.stdin = in
	}
	config, err := readConfig(c.homeDir)
	if err != nil {
		return nil, err
	}
	h := newHome(c.homeDir, c.now)
	h.config = config
	if config.Ledger == ledgerFabric {
		h.backend = newFabricBackend(config.Connections)
	} else {
		store, err := share.Open(ctx, h.ledgerDir())
		if err != nil {
			return nil, err
		}
		h.backend = embeddedBackend{store}
	}
	if h.ledger, err = h.backend.reader(ctx, department); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// patience is how long a command waits for another one that audits the ledger, or has the index open.
const patience = 5 * time.Second

// whenFree tries to audit the ledger, or to open the index, until no other process has it open, or patience is
// at an end.
func whenFree(ctx context.Context, open func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := open()
		var view *index.Error
		if ledger.Code(err) != embedded.CodeInUse && !(errors.As(err, &view) && view.Code == index.CodeInUse) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(patience / 100):
		}
	}
}

// begin asks for what is the same all the time. If the home holds the authority's key and an embedded
// ledger, that gets a heartbeat when the newest is older than a minute.
func (h *home) begin(ctx context.Context) error {
	var genesis struct {
		ID        sm.Hash `json:"id"`
		Authority string  `json:"authority"`
	}
	err := h.query(ctx, &genesis, "ledger")
	if chaincode.Code(err) == chaincode.CodeNotFound {
		return failf("ledger-not-founded", "nothing is on this ledger yet: `credledger init --network DIR` founds it")
	} else if err != nil {
		return err
	}
	h.id, h.author = genesis.ID, genesis.Authority
	if h.config.Ledger == ledgerFabric {
		return nil // `credledger heartbeat` goes with the network
	}
	return h.beat(ctx, govern.HeartbeatInterval)
}

// beat submits a heartbeat if the newest is older than the interval and the key for it is here.
func (h *home) beat(ctx context.Context, interval time.Duration) error {
	signers, err := h.signers(ctx, h.author, statement.PurposeLog)
	if err != nil || len(signers) == 0 {
		return err
	}
	l, err := h.as(ctx, h.author)
	if err != nil {
		return err
	}
	return govern.Beat(ctx, l, h.id, signers[0], h.now(), interval)
}

// close ends the index and the ledger, after what was accepted is durable.
func (h *home) close() error {
	var err error
	if h.stop != nil {
		h.stop()
	}
	if h.view != nil {
		err = h.view.Close()
	}
	return errors.Join(err, h.closeVaults(), h.backend.close())
}

// as is a department's connection to the ledger.
func (h *home) as(ctx context.Context, department string) (ledger.Ledger, error) {
	return h.backend.as(ctx, department)
}

// query asks the ledger and decodes the answer.
func (h *home) query(ctx context.Context, answer any, name string, args ...string) error {
	b, err := h.ledger.Evaluate(ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fmt.Errorf("read the ledger's answer to %s: %w", name, err)
	}
	return nil
}

// ledgerDir is where an embedded ledger is.
func (h *home) ledgerDir() string { return filepath.Join(h.dir, "ledger") }

// keyFile is the path of a private key.
func (h *home) keyFile(department, name string) string {
	return filepath.Join(h.dir, "keys", department, name+".pem")
}

// A departmentRecord is what the ledger says of a department.
type departmentRecord struct {
	licence.Department
	State    string `json:"state"`
	Sequence uint64 `json:"sequence"` // of the newest change
}

// department loads a department from the ledger.
func (h *home) department(ctx context.Context, id string) (*departmentRecord, error) {
	var d departmentRecord
	err := h.query(ctx, &d, "department", id)
	if c := chaincode.Code(err); c == chaincode.CodeNotFound || c == chaincode.CodeQuery {
		return nil, failf(chaincode.CodeDepartmentUnknown, "there is no department %q on this ledger", id)
	}
	return &d, err
}

// licenceType loads the newest version of a type from the ledger.
func (h *home) licenceType(ctx context.Context, id string) (*licence.Type, error) {
	b, err := h.ledger.Evaluate(ctx, chaincode.Query{Name: "type", Args: []string{id}})
	if c := chaincode.Code(err); c == chaincode.CodeNotFound || c == chaincode.CodeQuery {
		return nil, failf(chaincode.CodeTypeUnknown, "there is no licence type %q on this ledger", id)
	} else if err != nil {
		return nil, err
	}
	return licence.ParseType(b)
}

// licenceTypes loads all versions of a type from the ledger.
func (h *home) licenceTypes(ctx context.Context, id string) ([]*licence.Type, error) {
	newest, err := h.licenceType(ctx, id)
	if err != nil {
		return nil, err
	}
	versions := []*licence.Type{newest}
	for version := uint32(newest.Version) - 1; version > 0; version-- {
		t, err := h.typeVersion(id, version)
		if errorCode(err) == chaincode.CodeTypeUnknown {
			continue
		} else if err != nil {
			return nil, err
		}
		versions = append(versions, t)
	}
	return versions, nil
}

// typeVersion loads one version of a type from the ledger.
func (h *home) typeVersion(id string, version uint32) (*licence.Type, error) {
	name := typeName{id, version}
	if t := h.types[name]; t != nil {
		return t, nil
	}
	b, err := h.ledger.Evaluate(context.Background(), chaincode.Query{Name: "type", Args: []string{id, strconv.FormatUint(uint64(version), 10)}})
	if c := chaincode.Code(err); c == chaincode.CodeNotFound || c == chaincode.CodeQuery {
		return nil, failf(chaincode.CodeTypeUnknown, "there is no version %d of the licence type %q on this ledger", version, id)
	} else if err != nil {
		return nil, err
	}
	t, err := licence.ParseType(b)
	if err == nil {
		h.types[name] = t
	}
	return t, err
}
