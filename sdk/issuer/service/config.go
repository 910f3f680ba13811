package service

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer/notify"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/strictyaml"
	"github.com/credledger/credledger/sdk/webhook"
)

// Config is issuer.yaml. Every key is required but those that say otherwise; unknown keys are refused. Paths
// are absolute, or relative to the directory of the file. [Config.Text] explains each.
type Config struct {
	Department string         `yaml:"department"`
	Unit       string         `yaml:"unit"` // may be left out
	Staff      string         `yaml:"staff"`
	Spool      string         `yaml:"spool"` // directory
	Web        serve.Web      `yaml:"web"`
	TLCP       *serve.TLCP    `yaml:"tlcp"`    // may be left out
	Metrics    string         `yaml:"metrics"` // address; may be left out
	Window     time.Duration  `yaml:"window"`
	Retention  map[string]int `yaml:"retention"` // days, by licence type; may be left out
	Expiring   int            `yaml:"expiring"`  // days; may be left out
	Webhooks   []Webhook      `yaml:"webhooks"`  // may be left out
	Release    *Release       `yaml:"release"`   // may be left out
	Wallet     *Wallet        `yaml:"wallet"`    // may be left out
	Limits     Limits         `yaml:"limits"`
	LogLevel   string         `yaml:"logLevel"`
}

// A Webhook is a subscriber.
type Webhook struct {
	Name        string         `yaml:"name"`
	URL         string         `yaml:"url"`
	Secret      string         `yaml:"secret"`      // path
	Types       []string       `yaml:"types"`       // may be left out
	Events      []string       `yaml:"events"`      // may be left out
	Authorities string         `yaml:"authorities"` // path; may be left out
	Networks    []netip.Prefix `yaml:"networks"`    // may be left out
}

// Limits are what the service takes on before it sheds.
type Limits struct {
	Connections     int     `yaml:"connections"`
	Concurrent      int     `yaml:"concurrent"`
	PublicPerSecond float64 `yaml:"publicPerSecond"`
	PublicBurst     int     `yaml:"publicBurst"`
	ImportMegabytes int     `yaml:"importMegabytes"`
}

// Default is the configuration of a department's service in a new home: on loopback, with the certificates
// of package tlcp in a directory.
func Default(department, certificates string) *Config {
	return &Config{
		Department: department,
		Staff:      "staff.yaml",
		Spool:      "spool",
		Web:        serve.Web{Address: "127.0.0.1:8090"},
		TLCP:       serve.DefaultTLCP("127.0.0.1:8444", certificates),
		Metrics:    "127.0.0.1:9465",
		Window:     200 * time.Millisecond,
		Expiring:   30,
		Release:    DefaultRelease(),
		Limits:     Limits{Connections: 4096, Concurrent: 2048, PublicPerSecond: 5, PublicBurst: 30, ImportMegabytes: 4096},
		LogLevel:   "info",
	}
}

// ParseConfig reads the bytes of issuer.yaml, which lies in dir. The error is a [*serve.Error] with
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
	paths := append(c.doors().Paths(), &c.Staff, &c.Spool)
	for i := range c.Webhooks {
		paths = append(paths, &c.Webhooks[i].Secret, &c.Webhooks[i].Authorities)
	}
	paths = append(paths, c.Wallet.paths()...)
	if c.Release != nil {
		paths = append(paths, &c.Release.Directory, &c.Release.Policy, &c.Release.Matters)
	}
	serve.Resolve(dir, paths...)
}

var (
	departmentID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	typeID       = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// Bounds.
const (
	maxDays     = 100_000 // of retention, and until licences expire
	maxWindow   = 10 * time.Second
	maxWebhooks = 64
	maxFile     = 1 << 20 // bytes of a file that the configuration names
)

func (c *Config) check() error {
	level := new(slog.Level)
	switch {
	case !departmentID.MatchString(c.Department):
		return fmt.Errorf("department is the id of one on the ledger")
	case c.Staff == "":
		return fmt.Errorf("staff names a file")
	case c.Spool == "":
		return fmt.Errorf("spool names a directory")
	case level.UnmarshalText([]byte(c.LogLevel)) != nil:
		return fmt.Errorf("logLevel is debug, info, warn or error")
	case len(c.Webhooks) > maxWebhooks:
		return fmt.Errorf("webhooks are %d at most", maxWebhooks)
	}
	for _, typ := range slices.Sorted(maps.Keys(c.Retention)) {
		if days := c.Retention[typ]; !typeID.MatchString(typ) || days < 0 || days > maxDays {
			return fmt.Errorf("retention is a number of days, up to %d, for the id of a licence type", maxDays)
		}
	}
	names := map[string]bool{}
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		if names[w.Name] {
			return fmt.Errorf("webhooks: two are named %q", w.Name)
		}
		names[w.Name] = true
		if w.Secret == "" {
			return fmt.Errorf("webhooks: secret names a file")
		}
		s, err := w.subscriber()
		if err == nil {
			s.Secrets = make([]webhook.Secret, 1)
			err = s.Check()
		}
		if err != nil {
			return fmt.Errorf("webhooks: %w", err)
		}
	}
	if err := c.Release.check(); err != nil {
		return err
	}
	if err := c.Wallet.check(c.Release, &c.Limits); err != nil {
		return err
	}
	if err := c.doors().Check(); err != nil {
		return err
	}
	return serve.CheckRanges([]serve.Range{
		{Name: "window (seconds)", Value: c.Window.Seconds(), Least: 0.001, Most: maxWindow.Seconds()},
		{Name: "expiring (days)", Value: float64(c.Expiring), Least: 0, Most: maxDays},
		{Name: "limits.publicPerSecond", Value: c.Limits.PublicPerSecond, Least: 0.01, Most: 1e6},
		{Name: "limits.publicBurst", Value: float64(c.Limits.PublicBurst), Least: 1, Most: 1e6},
		{Name: "limits.importMegabytes", Value: float64(c.Limits.ImportMegabytes), Least: 1, Most: 1 << 20},
	})
}

// subscriber is the subscriber without what is in files.
func (w *Webhook) subscriber() (*notify.Subscriber, error) {
	u, err := url.Parse(w.URL)
	if err != nil {
		return nil, fmt.Errorf("url is https://HOST/PATH")
	}
	return &notify.Subscriber{Name: w.Name, URL: u, Types: w.Types, Events: w.Events, Networks: w.Networks}, nil
}

// subscribers reads the subscribers with what is in files.
func (c *Config) subscribers() ([]*notify.Subscriber, error) {
	var out []*notify.Subscriber
	for i := range c.Webhooks {
		s, err := c.Webhooks[i].load()
		if err != nil {
			return nil, &serve.Error{Code: serve.CodeConfig, Message: "the webhook " + c.Webhooks[i].Name, Err: err}
		}
		out = append(out, s)
	}
	return out, nil
}

func (w *Webhook) load() (*notify.Subscriber, error) {
	s, err := w.subscriber()
	if err != nil {
		return nil, err
	}
	b, err := readFile(w.Secret)
	if err != nil {
		return nil, err
	}
	if s.Secrets, err = webhook.ParseSecrets(b); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Secret, err)
	}
	if w.Authorities == "" {
		return s, nil
	}
	if b, err = readFile(w.Authorities); err != nil {
		return nil, err
	}
	s.Roots = x509.NewCertPool()
	if !s.Roots.AppendCertsFromPEM(bytes.TrimSpace(b)) {
		return nil, fmt.Errorf("%s holds no certificate", w.Authorities)
	}
	return s, nil
}

// readFile reads a small file.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}
