package service

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/strictyaml"
)

// Config is verifier.yaml. Every key is required but those that say otherwise; unknown keys are
// refused. Paths are absolute, or relative to the directory of the file. [Config.Text] explains each.
type Config struct {
	Department string    `yaml:"department"`
	Key        string    `yaml:"key"`
	AccessLog  string    `yaml:"accessLog"`
	Web        Web       `yaml:"web"`
	TLCP       *TLCP     `yaml:"tlcp"`    // may be left out
	Metrics    string    `yaml:"metrics"` // address; may be left out
	Agencies   string    `yaml:"agencies"`
	Matters    string    `yaml:"matters"` // directory; may be left out
	Store      string    `yaml:"store"`
	Limits     Limits    `yaml:"limits"`
	Ready      Ready     `yaml:"ready"`
	Snapshot   Snapshots `yaml:"snapshot"`
	LogLevel   string    `yaml:"logLevel"`
}

// Web is the listener of browsers and agencies.
type Web struct {
	Address           string         `yaml:"address"`
	Certificate       string         `yaml:"certificate"` // with Key; may be left out
	Key               string         `yaml:"key"`
	Plain             bool           `yaml:"plain"`             // may be left out
	ClientAuthorities string         `yaml:"clientAuthorities"` // may be left out
	Proxies           []netip.Prefix `yaml:"proxies"`           // may be left out
}

// TLCP is the listener of agencies that use national cryptography on the way as well.
type TLCP struct {
	Address               string `yaml:"address"`
	SigningCertificate    string `yaml:"signingCertificate"`
	SigningKey            string `yaml:"signingKey"`
	EncryptionCertificate string `yaml:"encryptionCertificate"`
	EncryptionKey         string `yaml:"encryptionKey"`
}

// Limits are what the service takes on before it sheds.
type Limits struct {
	Connections     int     `yaml:"connections"`
	Concurrent      int     `yaml:"concurrent"`
	PublicPerSecond float64 `yaml:"publicPerSecond"`
	PublicBurst     int     `yaml:"publicBurst"`
}

// Ready says when the service is not ready.
type Ready struct {
	Blocks uint64        `yaml:"blocks"`
	Age    time.Duration `yaml:"age"`
}

// Snapshots says where the snapshot is and how often it is made.
type Snapshots struct {
	File  string        `yaml:"file"`
	Every time.Duration `yaml:"every"`
}

// Default is the configuration of a new home whose service verifies for a department: on loopback, with
// the certificates of [tlcp.Generate] in tlcp/ beside the directory of the service.
func Default(department string) *Config {
	return &Config{
		Department: department,
		Key:        filepath.Join("keys", department, "service.pem"),
		AccessLog:  "verifier-1",
		Web:        Web{Address: "127.0.0.1:8080"},
		TLCP: &TLCP{
			Address:            "127.0.0.1:8443",
			SigningCertificate: "tlcp/signing.crt", SigningKey: "tlcp/signing.key",
			EncryptionCertificate: "tlcp/encryption.crt", EncryptionKey: "tlcp/encryption.key",
		},
		Metrics:  "127.0.0.1:9464",
		Agencies: "agencies.yaml",
		Store:    "verifier/store.db",
		Limits:   Limits{Connections: 1024, Concurrent: 128, PublicPerSecond: 5, PublicBurst: 30},
		Ready:    Ready{Blocks: 100, Age: time.Hour},
		Snapshot: Snapshots{File: "verifier/snapshot", Every: 10 * time.Minute},
		LogLevel: "info",
	}
}

// ParseConfig reads the bytes of verifier.yaml, which lies in dir. The error is an [*Error] with
// [CodeConfig].
func ParseConfig(b []byte, dir string) (*Config, error) {
	c := new(Config)
	if err := strictyaml.Decode(b, c); err != nil {
		return nil, &Error{Code: CodeConfig, Message: err.Error()}
	}
	if err := c.check(); err != nil {
		return nil, &Error{Code: CodeConfig, Message: err.Error()}
	}
	c.resolve(dir)
	return c, nil
}

// resolve makes paths absolute, or relative to the working directory as dir is.
func (c *Config) resolve(dir string) {
	paths := []*string{&c.Key, &c.Agencies, &c.Matters, &c.Snapshot.File, &c.Web.Certificate, &c.Web.Key, &c.Web.ClientAuthorities}
	if !isDatabase(c.Store) {
		paths = append(paths, &c.Store)
	}
	if c.TLCP != nil {
		paths = append(paths, &c.TLCP.SigningCertificate, &c.TLCP.SigningKey, &c.TLCP.EncryptionCertificate, &c.TLCP.EncryptionKey)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// isDatabase reports whether a store is a database server's, not a file.
func isDatabase(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

var (
	departmentID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	logName      = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

func (c *Config) check() error {
	level := new(slog.Level)
	switch {
	case !departmentID.MatchString(c.Department):
		return fmt.Errorf("department is the id of one on the ledger")
	case c.Key == "":
		return fmt.Errorf("key names the file of the department's key for the log")
	case !logName.MatchString(c.AccessLog):
		return fmt.Errorf("accessLog is a name of lower-case letters, digits and '-', 32 at most")
	case c.Agencies == "":
		return fmt.Errorf("agencies names a file")
	case c.Store == "":
		return fmt.Errorf("store names a file, or a database as postgres://...")
	case c.Snapshot.File == "":
		return fmt.Errorf("snapshot.file names a file")
	case level.UnmarshalText([]byte(c.LogLevel)) != nil:
		return fmt.Errorf("logLevel is debug, info, warn or error")
	case c.Metrics != "" && !isLoopback(c.Metrics):
		return fmt.Errorf("metrics is an address on loopback, like 127.0.0.1:9464: what it tells is nobody else's business")
	}
	if err := c.Web.check(); err != nil {
		return err
	}
	if c.TLCP != nil {
		if err := c.TLCP.check(); err != nil {
			return err
		}
	}
	for _, n := range []struct {
		name       string
		value      float64
		least, max float64
	}{
		{"limits.connections", float64(c.Limits.Connections), 1, 1 << 20},
		{"limits.concurrent", float64(c.Limits.Concurrent), 1, 1 << 16},
		{"limits.publicPerSecond", c.Limits.PublicPerSecond, 0.01, 1e6},
		{"limits.publicBurst", float64(c.Limits.PublicBurst), 1, 1e6},
		{"ready.blocks", float64(c.Ready.Blocks), 1, 1e12},
		{"ready.age (seconds)", c.Ready.Age.Seconds(), 60, 1e9},
		{"snapshot.every (seconds)", c.Snapshot.Every.Seconds(), 10, 1e7},
	} {
		if !(n.value >= n.least && n.value <= n.max) {
			return fmt.Errorf("%s is between %v and %v", n.name, n.least, n.max)
		}
	}
	return nil
}

func (w *Web) check() error {
	switch {
	case !isAddress(w.Address):
		return fmt.Errorf("web.address is HOST:PORT, like 0.0.0.0:443")
	case (w.Certificate == "") != (w.Key == ""):
		return fmt.Errorf("web.certificate and web.key go together")
	case w.Certificate != "" && w.Plain:
		return fmt.Errorf("web.plain goes without a certificate")
	case w.Certificate == "" && !w.Plain && !isLoopback(w.Address):
		return fmt.Errorf("web.address is not on loopback: name web.certificate and web.key, or say plain: true where a proxy in front ends HTTPS")
	case w.ClientAuthorities != "" && w.Certificate == "":
		return fmt.Errorf("web.clientAuthorities goes with a certificate")
	}
	return nil
}

func (t *TLCP) check() error {
	switch {
	case !isAddress(t.Address):
		return fmt.Errorf("tlcp.address is HOST:PORT, like 0.0.0.0:8443")
	case t.SigningCertificate == "" || t.SigningKey == "" || t.EncryptionCertificate == "" || t.EncryptionKey == "":
		return fmt.Errorf("tlcp names two certificates and their keys")
	}
	return nil
}

func isAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != ""
}

// isLoopback reports whether an address can be reached from this machine alone.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
