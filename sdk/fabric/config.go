package fabric

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// A Config says who connects, to what. It comes from LoadConfig.
type Config struct {
	Organisation string // MSP id: the department in whose name transactions are submitted
	Authority    string // MSP id of the organisation whose endorsement is always needed
	Channel      string
	Chaincode    string

	profile  *profile
	identity *identity
}

// configFile is the YAML of a Config. Paths are relative to the file.
type configFile struct {
	Organisation string `yaml:"organisation"`
	Authority    string `yaml:"authority"`
	Channel      string `yaml:"channel"`
	Chaincode    string `yaml:"chaincode"`
	// Profile is a connection profile of fabric-sdk-go; see profile.
	Profile string `yaml:"profile"`
	// Certificate and Key are PEM: the certificate of a client of the organisation (X.509, ECDSA on
	// P-256 or P-384) and its private key (PKCS#8 or SEC 1), readable by its owner only.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Limits of the files of a configuration, in bytes.
const (
	maxConfig  = 64 << 10
	maxProfile = 1 << 20
	maxPEM     = 64 << 10
)

var (
	mspID       = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	channelName = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,248}$`)          // Fabric's rule
	ccName      = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`) // Fabric's rule
)

// LoadConfig reads a client configuration with all that it names:
//
//	organisation: civil-affairs          # the department; its MSP id
//	authority: data-bureau
//	channel: credledger
//	chaincode: credledger
//	profile: profile.yaml                # connection profile; paths in it are relative to it
//	certificate: client.pem
//	key: client.key                      # not readable by others
//
// All keys are needed, others refused. It does not touch the network. The error is a *ledger.Error
// with CodeConfig, CodeKeyExposed or CodeIdentity, and says which file is wrong in what.
func LoadConfig(file string) (*Config, error) {
	b, err := readFile(file, maxConfig)
	if err != nil {
		return nil, err
	}
	f, err := parseConfig(file, b)
	if err != nil {
		return nil, err
	}
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(file), path)
	}
	c := &Config{Organisation: f.Organisation, Authority: f.Authority, Channel: f.Channel, Chaincode: f.Chaincode}
	if c.profile, err = loadProfile(at(f.Profile)); err != nil {
		return nil, err
	}
	if !c.profile.hasOrganisation(c.Authority) {
		return nil, configError(file, "the profile %s names no peer of the authority %s", f.Profile, c.Authority)
	}
	if c.identity, err = loadIdentity(c.Organisation, at(f.Certificate), at(f.Key)); err != nil {
		return nil, err
	}
	return c, nil
}

func parseConfig(file string, b []byte) (*configFile, error) {
	f := new(configFile)
	if err := strictyaml.Decode(b, f); err != nil {
		return nil, configError(file, "%v", err)
	}
	for _, field := range []struct {
		name, value string
		form        *regexp.Regexp
		what        string
	}{
		{"organisation", f.Organisation, mspID, "an id of a department: 1 to 32 of a-z, 0-9 and '-'"},
		{"authority", f.Authority, mspID, "an id of a department: 1 to 32 of a-z, 0-9 and '-'"},
		{"channel", f.Channel, channelName, "the name of a channel: a lower-case letter, then at most 248 of a-z, 0-9, '.' and '-'"},
		{"chaincode", f.Chaincode, ccName, "the name of a chaincode: letters and digits, with single '-' or '_' between them"},
		{"profile", f.Profile, nil, "the path of a connection profile"},
		{"certificate", f.Certificate, nil, "the path of a certificate in PEM"},
		{"key", f.Key, nil, "the path of a private key in PEM"},
	} {
		if field.value == "" || field.form != nil && !field.form.MatchString(field.value) {
			return nil, configError(file, "%s must be %s", field.name, field.what)
		}
	}
	return f, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, configError(path, "there is no such file")
	} else if err != nil {
		return nil, fail(CodeConfig, "read the configuration", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fail(CodeConfig, "read the configuration", err)
	}
	if int64(len(b)) > limit {
		return nil, configError(path, "it is longer than %d bytes", limit)
	}
	return b, nil
}

// readPrivate is readFile for a file that only its owner may touch, as far as the system can say so.
func readPrivate(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &ledger.Error{Code: CodeKeyExposed, Message: fmt.Sprintf(
			"%s: others may touch the private key (mode %04o); chmod 600 it", path, info.Mode().Perm())}
	}
	return readFile(path, limit)
}
