package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

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
		"\n# Host whose check page a phone opens when it scans a self-contained code.\nhost: " + c.Host + "\n")
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
