package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A Config is all that a server has to be told.
type Config struct {
	PackageID   string // of the installed package, LABEL:HASH; the peer refuses a server with another one
	Listen      string // HOST:PORT to listen on, port 0 for any that is free
	Certificate string // file: the server's certificate and those that lead to its authority, PEM
	Key         string // file: the certificate's private key, PEM; not accessible to all users
	ClientCA    string // file: certificates of the authorities of the peers' certificates, PEM
}

// maxFile bounds a file that is read, in bytes.
const maxFile = 1 << 20

// packageID is what Fabric names an installed package by: its label and its SHA-256.
var packageID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}:[0-9a-f]{64}$`)

// check reads everything that a configuration names, and returns what it gives for TLS.
func (c *Config) check(now time.Time) (*tls.Config, error) {
	if !packageID.MatchString(c.PackageID) {
		return nil, &Error{CodeUsage, "the package id is LABEL:HASH, the hash in 64 lower-case hexadecimal digits, as in the peer's list of installed chaincodes", nil}
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host == "" {
		return nil, &Error{CodeUsage, "the address to listen on is HOST:PORT; 0.0.0.0 is every IPv4 address", nil}
	}
	certificate, err := c.certificate(now)
	if err != nil {
		return nil, err
	}
	clients, err := c.clients(now)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{*certificate},
		ClientAuth:             tls.RequireAndVerifyClientCert,
		ClientCAs:              clients,
		SessionTicketsDisabled: true, // each connection shows its certificate
	}, nil
}

// certificate reads the server's certificate and key, and makes sure that a peer can accept them.
func (c *Config) certificate(now time.Time) (*tls.Certificate, error) {
	certPEM, chain, err := readCertificates(c.Certificate)
	if err != nil {
		return nil, &Error{CodeCertificate, "read the server's certificate", err}
	}
	for _, cert := range chain {
		if err := inForce(cert, now); err != nil {
			return nil, &Error{CodeCertificate, "renew the server's certificate " + c.Certificate, err}
		}
	}
	leaf := chain[0]
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return nil, &Error{CodeCertificate, "the server's certificate " + c.Certificate + " names no host (subject alternative name), so that no peer would accept it", nil}
	}
	if !serves(leaf) {
		return nil, &Error{CodeCertificate, "the server's certificate " + c.Certificate + " is not for servers (extended key usage), so that no peer would accept it", nil}
	}
	info, err := os.Stat(c.Key)
	if err != nil {
		return nil, &Error{CodeKey, "read the server's key", err}
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, &Error{CodeKeyExposed, "the server's key " + c.Key + " is accessible to all users: chmod o= it, and consider replacing it", nil}
	}
	keyPEM, err := readFile(c.Key)
	if err != nil {
		return nil, &Error{CodeKey, "read the server's key", err}
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, &Error{CodeKey, c.Key + " is not the key of the certificate " + c.Certificate, err}
	}
	return &pair, nil
}

// clients reads the authorities of the peers' certificates. After a change of authority a file has
// the old one's beside the new one's: one of them in force is enough.
func (c *Config) clients(now time.Time) (*x509.CertPool, error) {
	_, authorities, err := readCertificates(c.ClientCA)
	if err != nil {
		return nil, &Error{CodeClientCA, "read the authorities of the peers' certificates", err}
	}
	pool, expired := x509.NewCertPool(), error(nil)
	valid := false
	for _, a := range authorities {
		if !a.IsCA {
			return nil, &Error{CodeClientCA, c.ClientCA + " holds a certificate that is not an authority's", nil}
		}
		if err := inForce(a, now); err != nil {
			expired = err
			continue
		}
		valid = true
		pool.AddCert(a)
	}
	if !valid {
		return nil, &Error{CodeClientCA, "no certificate in " + c.ClientCA + " is in force", expired}
	}
	return pool, nil
}

func inForce(c *x509.Certificate, now time.Time) error {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return fmt.Errorf("a certificate in it holds from %s to %s only", c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// serves reports whether a certificate may be a server's (RFC 5280, section 4.2.1.12: without the
// extension it may be anything's).
func serves(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// readCertificates reads a file with one or more certificates in PEM, and nothing else in PEM.
func readCertificates(file string) (b []byte, certs []*x509.Certificate, err error) {
	if b, err = readFile(file); err != nil {
		return nil, nil, err
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, nil, fmt.Errorf("%s holds more than certificates", file)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return b, certs, nil
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", file, maxFile)
	}
	return b, err
}

func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return &Error{CodeAddressInUse, "another program listens on " + address + ": end it, or choose another port", err}
	}
	return &Error{CodeListen, "listen on " + address, err}
}
