package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
)

// A home is a directory that holds all that one installation needs:
//
//	credledger.yaml              its configuration
//	ledger/                      the embedded ledger
//	index/                       the verifier's index of the ledger; may be deleted, is made again
//	keys/<department>/NAME.pem   private keys, PKCS#8, readable by the owner only
//	register/<department>.db     what the department has issued
type home struct {
	dir    string
	config config
	store  *embedded.Store
	ledger ledger.Ledger // as the authority
	id     sm.Hash
	author string // department id of the authority
	now    func() time.Time
	view   *index.Index
	stop   context.CancelFunc // ends the following of view

	registers map[string]*issuer.Register // by department, those that were read
}

// config is credledger.yaml. Unknown keys are refused.
type config struct {
	// Ledger says where the ledger is: "embedded", in this home.
	Ledger string `yaml:"ledger"`
	// Host is the one whose check page a phone opens when it scans a self-contained code.
	Host string `yaml:"host"`
}

const (
	configFile = "credledger.yaml"
	maxConfig  = 64 << 10 // bytes
)

// hostName is what can be the host of a code.
var hostName = regexp.MustCompile(`^[A-Za-z0-9.:-]{1,253}$`)

const configText = `# Configuration of this CredLedger home. Unknown keys are refused.

# Where the ledger is. embedded: in this home, in one process.
ledger: embedded

# Host whose check page a phone opens when it scans a self-contained code.
host: verify.credledger.example
`

func readConfig(dir string) (config, error) {
	path := filepath.Join(dir, configFile)
	b, err := readBounded(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, failf("no-home", "%s is not a CredLedger home: `credledger init --home %s` makes one", dir, dir)
	} else if err != nil {
		return config{}, err
	}
	var c config
	if err := yaml.UnmarshalWithOptions(b, &c, yaml.Strict()); err != nil {
		return config{}, failf("config-malformed", "%s: %s", path, yaml.FormatError(err, false, false))
	}
	if c.Ledger != "embedded" {
		return config{}, failf("config-malformed", "%s: ledger must be embedded", path)
	}
	if !hostName.MatchString(c.Host) {
		return config{}, failf("config-malformed", "%s: host must name the host of the check page in letters, digits, '.', '-' and ':'", path)
	}
	return c, nil
}

// openHome opens the home that the call names. If the home holds the authority's key, the ledger
// gets a heartbeat first when the newest is older than a minute: on an embedded ledger nobody else
// could have written since.
func (c *call) openHome(ctx context.Context) (*home, error) {
	if c.homeDir == "" {
		return nil, usagef("name the home with --home DIR or CREDLEDGER_HOME; `credledger init` makes one")
	}
	if slices.Contains(c.args, "-") {
		// What comes may be made by a command that holds the home until it has written it.
		in := bufio.NewReader(c.stdin)
		in.Peek(1)
		c.stdin = in
	}
	return openHome(ctx, c.homeDir, c.now)
}

func openHome(ctx context.Context, dir string, now func() time.Time) (*home, error) {
	config, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	var store *embedded.Store
	err = whenFree(ctx, func() error {
		store, err = embedded.Open(filepath.Join(dir, "ledger"))
		return err
	})
	if err != nil {
		return nil, err
	}
	h := &home{dir: dir, config: config, store: store, now: now, registers: map[string]*issuer.Register{}}
	if err := h.begin(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// patience is how long a command waits for another one that has the ledger open.
const patience = 5 * time.Second

// whenFree tries to open the ledger until no other process has it open, or patience is at an end.
func whenFree(ctx context.Context, open func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := open()
		if ledger.Code(err) != embedded.CodeInUse {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(patience / 100):
		}
	}
}

func (h *home) begin(ctx context.Context) error {
	var genesis struct {
		ID        sm.Hash `json:"id"`
		Authority string  `json:"authority"`
	}
	if err := h.query(ctx, &genesis, "ledger"); err != nil {
		return err
	}
	h.id, h.author = genesis.ID, genesis.Authority
	h.ledger = h.as(h.author)
	return h.beat(ctx, govern.HeartbeatInterval)
}

// beat submits a heartbeat if the newest is older than the interval and the key for it is here.
func (h *home) beat(ctx context.Context, interval time.Duration) error {
	signers, err := h.signers(ctx, h.author, statement.PurposeLog)
	if err != nil || len(signers) == 0 {
		return err
	}
	return govern.Beat(ctx, h.ledger, h.id, signers[0], h.now(), interval)
}

// close ends the index and the ledger, after what was accepted is durable.
func (h *home) close() error {
	var err error
	if h.view != nil {
		h.stop()
		err = h.view.Close()
	}
	for _, register := range h.registers {
		err = errors.Join(err, register.Close())
	}
	return errors.Join(err, h.store.Close())
}

// as is a department's connection to the ledger.
func (h *home) as(department string) ledger.Ledger { return h.store.As(department) }

// query asks the ledger and decodes the answer.
func (h *home) query(ctx context.Context, answer any, name string, args ...string) error {
	b, err := h.store.As("").Evaluate(ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fmt.Errorf("read the ledger's answer to %s: %w", name, err)
	}
	return nil
}

// keyFile is the path of a private key.
func (h *home) keyFile(department, name string) string {
	return filepath.Join(h.dir, "keys", department, name+".pem")
}

// registerFile is the path of a department's register.
func (h *home) registerFile(department string) string {
	return filepath.Join(h.dir, "register", department+".db")
}

// register opens the register of a department for reading, until the home is closed; nil if it is
// not in the home.
func (h *home) register(department string) (*issuer.Register, error) {
	if register := h.registers[department]; register != nil {
		return register, nil
	}
	register, err := issuer.OpenRegister(h.registerFile(department))
	switch {
	case issuer.Code(err) == issuer.CodeRegisterMissing:
		return nil, nil
	case err != nil:
		return nil, err
	}
	h.registers[department] = register
	return register, nil
}

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

// department loads a department from the ledger.
func (h *home) department(ctx context.Context, id string) (*licence.Department, error) {
	var d licence.Department
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

// typeVersion loads one version of a type from the ledger.
func (h *home) typeVersion(id string, version uint32) (*licence.Type, error) {
	b, err := h.ledger.Evaluate(context.Background(), chaincode.Query{Name: "type", Args: []string{id, strconv.FormatUint(uint64(version), 10)}})
	if c := chaincode.Code(err); c == chaincode.CodeNotFound || c == chaincode.CodeQuery {
		return nil, failf(chaincode.CodeTypeUnknown, "there is no version %d of the licence type %q on this ledger", version, id)
	} else if err != nil {
		return nil, err
	}
	return licence.ParseType(b)
}

// index returns the verifier's index of the ledger, up to its newest block.
func (h *home) index(ctx context.Context) (*index.Index, error) {
	if h.view == nil {
		dir := filepath.Join(h.dir, "index")
		view, err := index.Open(dir)
		var unusable *index.Error
		if errors.As(err, &unusable) && unusable.Code == index.CodeStorage {
			return nil, fmt.Errorf("%w (if %s is damaged, remove it: it is made again)", err, dir)
		} else if err != nil {
			return nil, err
		}
		h.view = view
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		h.stop = stop
		go view.Follow(ctx, h.ledger) // WaitFor says why it ended
	}
	head, err := h.ledger.Head(ctx)
	if err != nil {
		return nil, err
	}
	return h.view, h.view.WaitFor(ctx, head.Height)
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
