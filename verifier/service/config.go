package service

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"time"

	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/strictyaml"
)

// Config is verifier.yaml. Every key is required but those that say otherwise; unknown keys are
// refused. Paths are absolute, or relative to the directory of the file. [Config.Text] explains each.
type Config struct {
	Department string      `yaml:"department"`
	Key        string      `yaml:"key"`
	AccessLog  string      `yaml:"accessLog"`
	Web        serve.Web   `yaml:"web"`
	TLCP       *serve.TLCP `yaml:"tlcp"`    // may be left out
	Metrics    string      `yaml:"metrics"` // address; may be left out
	Agencies   string      `yaml:"agencies"`
	Matters    string      `yaml:"matters"` // directory; may be left out
	Reports    string      `yaml:"reports"` // directory; may be left out
	Store      string      `yaml:"store"`
	Limits     Limits      `yaml:"limits"`
	Ready      Ready       `yaml:"ready"`
	Snapshot   Snapshots   `yaml:"snapshot"`
	Requests   *Requests   `yaml:"requests"` // may be left out
	LogLevel   string      `yaml:"logLevel"`
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
// the certificates of package tlcp in tlcp/ beside the directory of the service.
func Default(department string) *Config {
	return &Config{
		Department: department,
		Key:        filepath.Join("keys", department, "service.pem"),
		AccessLog:  "verifier-1",
		Web:        serve.Web{Address: "127.0.0.1:8080"},
		TLCP:       serve.DefaultTLCP("127.0.0.1:8443", "tlcp"),
		Metrics:    "127.0.0.1:9464",
		Agencies:   "agencies.yaml",
		Store:      "verifier/store.db",
		Limits:     Limits{Connections: 1024, Concurrent: 128, PublicPerSecond: 5, PublicBurst: 30},
		Ready:      Ready{Blocks: 100, Age: time.Hour},
		Snapshot:   Snapshots{File: "verifier/snapshot", Every: 10 * time.Minute},
		LogLevel:   "info",
	}
}

// ParseConfig reads the bytes of verifier.yaml, which lies in dir. The error is an [*serve.Error] with
// [serve.CodeConfig].
func ParseConfig(b []byte, dir string) (*Config, error) {
	c := new(Config)
	if err := strictyaml.Decode(b, c); err != nil {
		return nil, &serve.Error{Code: serve.CodeConfig, Message: err.Error()}
	}
	if err := c.check(); err != nil {
		return nil, &serve.Error{Code: serve.CodeConfig, Message: err.Error()}
	}
	c.resolve(dir)
	return c, nil
}

// doors is the part of the configuration that says where to listen.
func (c *Config) doors() *serve.Config {
	return &serve.Config{Web: &c.Web, TLCP: c.TLCP, Metrics: c.Metrics, Connections: c.Limits.Connections, Concurrent: c.Limits.Concurrent}
}

// resolve makes paths absolute, or relative to the working directory as dir is.
func (c *Config) resolve(dir string) {
	paths := append(c.doors().Paths(), &c.Key, &c.Agencies, &c.Matters, &c.Reports, &c.Snapshot.File)
	if !sqldb.IsPostgreSQL(c.Store) {
		paths = append(paths, &c.Store)
	}
	serve.Resolve(dir, paths...)
	c.Requests.resolve(dir)
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
	}
	if err := c.Requests.check(); err != nil {
		return err
	}
	if err := c.doors().Check(); err != nil {
		return err
	}
	return serve.CheckRanges([]serve.Range{
		{Name: "limits.publicPerSecond", Value: c.Limits.PublicPerSecond, Least: 0.01, Most: 1e6},
		{Name: "limits.publicBurst", Value: float64(c.Limits.PublicBurst), Least: 1, Most: 1e6},
		{Name: "ready.blocks", Value: float64(c.Ready.Blocks), Least: 1, Most: 1e12},
		{Name: "ready.age (seconds)", Value: c.Ready.Age.Seconds(), Least: 60, Most: 1e9},
		{Name: "snapshot.every (seconds)", Value: c.Snapshot.Every.Seconds(), Least: 10, Most: 1e7},
	})
}
