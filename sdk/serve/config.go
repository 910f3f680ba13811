package serve

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
)

// Config says where a service listens and what it takes on.
type Config struct {
	Name        string // what the listener of Web is called; "": web
	Web         *Web
	TLCP        *TLCP  // nil: no such listener
	Metrics     string // address on loopback; "": no such listener
	Connections int    // of callers, open at a time
	Concurrent  int    // requests worked on at a time
}

// Web is the listener of browsers and other programs.
type Web struct {
	Address           string         `yaml:"address"`
	Certificate       string         `yaml:"certificate"` // with Key; may be left out
	Key               string         `yaml:"key"`
	Plain             bool           `yaml:"plain"`             // may be left out
	ClientAuthorities string         `yaml:"clientAuthorities"` // may be left out
	Proxies           []netip.Prefix `yaml:"proxies"`           // may be left out
}

// TLCP is the listener of those who use national cryptography on the way as well.
type TLCP struct {
	Address               string `yaml:"address"`
	SigningCertificate    string `yaml:"signingCertificate"`
	SigningKey            string `yaml:"signingKey"`
	EncryptionCertificate string `yaml:"encryptionCertificate"`
	EncryptionKey         string `yaml:"encryptionKey"`
}

// DefaultTLCP is a listener with the files of [tlcp.Generate] in a directory.
func DefaultTLCP(address, dir string) *TLCP {
	in := func(name string) string { return filepath.Join(dir, name) }
	return &TLCP{
		Address:            address,
		SigningCertificate: in("signing.crt"), SigningKey: in("signing.key"),
		EncryptionCertificate: in("encryption.crt"), EncryptionKey: in("encryption.key"),
	}
}

// Paths returns the paths in a configuration, those that are not there as well.
func (c *Config) Paths() []*string {
	paths := []*string{&c.Web.Certificate, &c.Web.Key, &c.Web.ClientAuthorities}
	if t := c.TLCP; t != nil {
		paths = append(paths, &t.SigningCertificate, &t.SigningKey, &t.EncryptionCertificate, &t.EncryptionKey)
	}
	return paths
}

// Resolve makes paths absolute, or relative to the working directory as dir is; "" stays.
func Resolve(dir string, paths ...*string) {
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// Check returns what is wrong first, in the words of whoever wrote the file.
func (c *Config) Check() error {
	if c.Metrics != "" && !isLoopback(c.Metrics) {
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
	return CheckRanges([]Range{
		{"limits.connections", float64(c.Connections), 1, 1 << 20},
		{"limits.concurrent", float64(c.Concurrent), 1, 1 << 16},
	})
}

// A Range is what a number in a configuration can be.
type Range struct {
	Name        string
	Value       float64
	Least, Most float64
}

// CheckRanges names the first number that is not within its range.
func CheckRanges(ranges []Range) error {
	for _, r := range ranges {
		if !(r.Value >= r.Least && r.Value <= r.Most) {
			return fmt.Errorf("%s is between %v and %v", r.Name, r.Least, r.Most)
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
	case slices.ContainsFunc(w.Proxies, func(p netip.Prefix) bool { return !p.IsValid() }):
		return fmt.Errorf("web.proxies are networks, like 10.0.0.0/24")
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
