package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/service"
)

// verifierNames are what a home has for its verifier service, all of it made by init.
var verifierNames = []string{verifierFile, agenciesFile, tlcpDir, verifierDir}

const (
	verifierFile = "verifier.yaml"
	agenciesFile = "agencies.yaml"
	tlcpDir      = "tlcp"     // certificates
	verifierDir  = "verifier" // what the service keeps, see package service
)

// makeVerifier gives a new home what its verifier service begins with, as far as an earlier init has
// not: the authority verifies, with its key for the log, on this machine, for the public alone.
func (f *founding) makeVerifier() error {
	config := service.Default(f.author)
	log := filepath.Join(f.dir, verifierDir, service.AccessLogDir)
	if err := makeDir(filepath.Dir(log)); err != nil {
		return err
	}
	err := accesslog.Create(log, accesslog.Identity{Ledger: f.id, Department: config.Department, Log: config.AccessLog})
	if err != nil && accesslog.Code(err) != accesslog.CodeExists {
		return err
	}
	if err := f.makeCertificates(); err != nil {
		return err
	}
	if err := writeOutput(filepath.Join(f.dir, agenciesFile), agency.Template()); err != nil {
		return err
	}
	return writeOutput(filepath.Join(f.dir, verifierFile), config.Text())
}

// makeCertificates makes certificates for TLCP on this machine. That of their authority comes last.
func (f *founding) makeCertificates() error {
	root := filepath.Join(f.dir, tlcpDir, "authority.crt")
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files, authority, err := tlcp.Generate([]string{"localhost", "127.0.0.1", "::1"}, f.now())
	if err != nil {
		return err
	}
	if err := makeDir(filepath.Dir(root)); err != nil {
		return err
	}
	for _, out := range []struct {
		name    string
		content []byte
	}{
		{"signing.key", files.SigningKey}, {"signing.crt", files.SigningCertificate},
		{"encryption.key", files.EncryptionKey}, {"encryption.crt", files.EncryptionCertificate},
		{"authority.crt", authority},
	} {
		if err := writeOutput(filepath.Join(f.dir, tlcpDir, out.name), out.content); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(root))
}
