package fabric

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// checkMaterial reports the first thing about the organisations' certificates that would keep a
// process of this machine from starting or from being believed, in words that say which file it is.
func (n *Network) checkMaterial(now time.Time) error {
	t := n.topology
	for i := range t.Organisations {
		o := &t.Organisations[i]
		msps := []string{t.material(o, "msp")}
		if len(o.Orderers) > 0 {
			msps = append(msps, t.material(o, "ordering", "msp"))
		}
		for _, msp := range msps {
			for _, pattern := range []string{"cacerts/*", "tlscacerts/*", "config.yaml"} {
				if err := present(oneOf(msp, pattern)); err != nil {
					return err
				}
			}
		}
		for _, p := range t.orderersOf(o) { // the channel's configuration names them
			if err := present(t.tlsOf(o, p.short()).Certificate); err != nil {
				return err
			}
		}
	}
	for _, p := range n.localNodes("") {
		if err := n.checkNode(p, now); err != nil {
			return err
		}
	}
	return nil
}

// checkNode checks the material of one process, and of those who speak for its organisation.
func (n *Network) checkNode(p *node, now time.Time) error {
	t := n.topology
	if p.org == nil {
		return nil
	}
	if _, err := n.checkTLS(p, now); err != nil {
		return err
	}
	identities := []string{p.short()}
	switch p.kind {
	case kindChaincode:
		return nil
	case kindPeer:
		identities = append(identities, "admin", "client")
	}
	for _, name := range identities {
		msp := t.material(p.org, name, "msp")
		if err := present(oneOf(msp, "keystore/*")); err != nil {
			return err
		}
		if _, err := readCertificate(oneOf(msp, "signcerts/*"), now); err != nil {
			return err
		}
	}
	return nil
}

// checkTLS checks a process's TLS certificate as those will who connect to it, and returns it.
func (n *Network) checkTLS(p *node, now time.Time) (*x509.Certificate, error) {
	files := n.topology.tlsOf(p.org, p.short())
	certificate, err := readCertificate(files.Certificate, now)
	if err != nil {
		return nil, err
	}
	if _, err := tls.LoadX509KeyPair(files.Certificate, files.Key); err != nil {
		return nil, failf(CodeCertificates, "%s and %s: %w", files.Certificate, files.Key, err)
	}
	if err := certificate.VerifyHostname(p.Host); err != nil {
		return nil, failf(CodeCertificates, "%s is not valid for the host of %s in the topology: %w; have it issued for %s, or name the host that it is for",
			files.Certificate, p.name, err, p.Host)
	}
	root := n.topology.rootOf(p.org, p.kind)
	b, err := os.ReadFile(root)
	if err != nil {
		return nil, failf(CodeCertificates, "%w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b)
	intermediates := x509.NewCertPool()
	chain, err := os.ReadFile(files.Certificate)
	if err != nil {
		return nil, failf(CodeCertificates, "%w", err)
	}
	intermediates.AppendCertsFromPEM(chain)
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if usage == x509.ExtKeyUsageClientAuth && p.kind == kindChaincode {
			continue
		}
		_, err := certificate.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
		})
		if err != nil {
			return nil, failf(CodeCertificates, "%s is not good for %s under %s: %w; it has to be for server and client authentication",
				files.Certificate, p.name, root, err)
		}
	}
	return certificate, nil
}

// readCertificate reads the first certificate of a PEM file, which has to be valid now.
func readCertificate(path string, now time.Time) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, failf(CodeCertificates, "%w", err)
	}
	block, _ := pem.Decode(bytes.TrimSpace(b))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, failf(CodeCertificates, "%s holds no certificate in PEM", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, failf(CodeCertificates, "%s: %w", path, err)
	}
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return nil, failf(CodeCertificates, "%s is valid from %s to %s: put a current certificate in its place, and start the process again",
			path, c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime))
	}
	return c, nil
}

// present reports a file that is missing, with what to do.
func present(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return failf(CodeCertificates, "%s is missing: put the organisation's material there (OPERATIONS.md says what it consists of), or run `credledger network render` on one host and copy the directory", path)
	} else if err != nil {
		return failf(CodeCertificates, "%w", err)
	}
	return nil
}

// expiring lists the certificates of this machine that end within a time, with their last moment.
func (n *Network) expiring(within time.Duration, now time.Time) map[string]time.Time {
	t := n.topology
	found := map[string]time.Time{}
	for _, p := range n.localNodes("") {
		if p.org == nil {
			continue
		}
		files := []string{t.tlsOf(p.org, p.short()).Certificate}
		for _, name := range []string{p.short(), "admin", "client"} {
			files = append(files, oneOf(t.material(p.org, name, "msp"), "signcerts/*"))
		}
		for _, file := range slices.Compact(files) {
			c, err := readCertificate(file, now)
			if err == nil && c.NotAfter.Before(now.Add(within)) {
				found[filepath.Clean(file)] = c.NotAfter
			}
		}
	}
	return found
}
