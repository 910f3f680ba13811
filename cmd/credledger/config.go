package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// config is credledger.yaml. Unknown keys are refused.
type config struct {
	// Ledger says where the ledger is: ledgerEmbedded or ledgerFabric.
	Ledger string `yaml:"ledger"`
	// Connections is the directory of the client configurations of ledgerFabric, absolute or
	// relative to the home: DEPARTMENT.yaml for each department that is acted for.
	Connections string `yaml:"connections"`
	// Host is the one whose check page a phone opens when it scans a self-contained code.
	Host string `yaml:"host"`
	// Vaults are the addresses of the vaults that are PostgreSQL databases, by department. The vaults of
	// other departments are files in the home.
	Vaults map[string]string `yaml:"vaults"`
}

// Where the ledger of a home can be.
const (
	ledgerEmbedded = "embedded" // in the home, in the process of the command
	ledgerFabric   = "fabric"   // on a network of Hyperledger Fabric
)

const (
	configFile = "credledger.yaml"
	maxConfig  = 64 << 10 // bytes
)

// hostName is what can be the host of a code.
var hostName = regexp.MustCompile(`^[A-Za-z0-9.:-]{1,253}$`)

// text is the commented file.
func (c config) text() []byte {
	where := "# Where the ledger is. embedded: in this home, in one process.\nledger: embedded\n"
	if c.Ledger == ledgerFabric {
		where = "# Where the ledger is. fabric: on a network of Hyperledger Fabric.\nledger: fabric\n\n" +
			"# Directory of the client configurations, DEPARTMENT.yaml each; relative to this file if it is not absolute.\n" +
			"connections: " + strconv.Quote(c.Connections) + "\n"
	}
	return []byte("# Configuration of this CredLedger home. Unknown keys are refused.\n\n" + where +
		"\n# Host whose check page a phone opens when it scans a self-contained code.\nhost: " + c.Host + "\n" +
		"\n# Vaults of departments that are PostgreSQL databases; those of others are files in vault/. No password stands\n" +
		"# here: name a passfile, or set PGPASSFILE. `credledger vault create` makes the vault in the database.\n" + c.vaults())
}

// vaults is the last part of the commented file.
func (c config) vaults() string {
	if len(c.Vaults) == 0 {
		return "# vaults:\n#   DEPARTMENT: postgres://USER@HOST/DATABASE?sslmode=verify-full\n"
	}
	out := "vaults:\n"
	for _, department := range slices.Sorted(maps.Keys(c.Vaults)) {
		out += "  " + strconv.Quote(department) + ": " + strconv.Quote(c.Vaults[department]) + "\n"
	}
	return out
}

func readConfig(dir string) (config, error) {
	path := filepath.Join(dir, configFile)
	b, err := readBounded(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, failf("no-home", "%s is not a CredLedger home: `credledger init --home %s` makes one", dir, dir)
	} else if err != nil {
		return config{}, err
	}
	c, err := parseConfig(b)
	if err != nil {
		return config{}, failf("config-malformed", "%s: %v", path, err)
	}
	if c.Connections != "" && !filepath.IsAbs(c.Connections) {
		c.Connections = filepath.Join(dir, c.Connections)
	}
	return c, nil
}

// parseConfig reads the bytes of credledger.yaml.
func parseConfig(b []byte) (c config, err error) {
	if err := strictyaml.Decode(b, &c); err != nil {
		return c, err
	}
	switch {
	case c.Ledger != ledgerEmbedded && c.Ledger != ledgerFabric:
		return c, errors.New("ledger must be embedded or fabric")
	case c.Ledger == ledgerFabric && c.Connections == "":
		return c, errors.New("ledger: fabric goes with connections, the directory of the client configurations")
	case c.Ledger == ledgerEmbedded && c.Connections != "":
		return c, errors.New("connections goes with ledger: fabric")
	case !hostName.MatchString(c.Host):
		return c, errors.New("host must name the host of the check page in letters, digits, '.', '-' and ':'")
	}
	if len(c.Vaults) == 0 {
		c.Vaults = nil
	}
	for department, address := range c.Vaults {
		if !sqldb.IsPostgreSQL(address) {
			return c, fmt.Errorf("vaults: that of %s is not the URL of a PostgreSQL database, postgres://USER@HOST/DATABASE", department)
		}
	}
	return c, nil
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
