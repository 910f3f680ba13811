package server_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/shim"

	"github.com/credledger/credledger/chaincode/server"
	"github.com/credledger/credledger/chaincode/server/peertest"
)

// A server that could not serve does not start: it says why in one line, with a code, and never that
// it serves.
func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content ...[]byte) string {
		return peertest.WriteFile(t, dir, name, bytes.Join(content, nil))
	}
	late := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }
	authority := peertest.NewAuthority(t, nil)
	old := peertest.NewAuthority(t, expired)
	config := peertest.Config(t, dir, authority)
	good := map[string]string{
		"--package-id": "credledger_1.0+a-b:" + strings.Repeat("0123456789abcdef", 4),
		"--listen":     config.Listen,
		"--tls-cert":   config.Certificate,
		"--tls-key":    config.Key,
		"--client-ca":  write("authorities", old.PEM, authority.PEM),
	}
	args := func(changed map[string]string) (out []string) {
		all := maps.Clone(good)
		maps.Copy(all, changed)
		for name, value := range all {
			if value != "absent" {
				out = append(out, name+"="+value)
			}
		}
		return out
	}
	for flag := range good {
		for _, value := range []string{"absent", ""} {
			expect(t, args(map[string]string{flag: value}), server.ExitUsage, server.CodeUsage, flag)
		}
	}
	expect(t, nil, server.ExitUsage, server.CodeUsage, "--package-id, --listen, --tls-cert, --tls-key, --client-ca")
	expect(t, append(args(nil), "more"), server.ExitUsage, server.CodeUsage, "flags only")
	expect(t, append(args(nil), "--verbose"), server.ExitUsage, server.CodeUsage, "unknown flag")
	expect(t, append(args(nil), "--tls-key"), server.ExitUsage, server.CodeUsage, "needs an argument")

	key, err := os.ReadFile(good["--tls-key"])
	if err != nil {
		t.Fatal(err)
	}
	inUse, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inUse.Close()
	hash := strings.Repeat("0", 64)
	cert := func(name string, change func(*x509.Certificate)) string {
		pem, _ := authority.Issue(t, change)
		return write(name, pem)
	}
	open := func(name string, mode os.FileMode) string {
		file := write(name, key)
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	leaf, anotherKey := authority.Issue(t, nil)
	absent := filepath.Join(dir, "absent")
	large := write("large", make([]byte, server.MaxFile+1))
	text := write("text", []byte("no PEM"))
	broken := write("broken", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	for _, bad := range []struct {
		name, flag, value string
		status            int
		code, want        string
	}{
		{"no hash", "--package-id", "credledger_1", server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"no label", "--package-id", ":" + hash, server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"a short hash", "--package-id", "a:" + hash[1:], server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"capitals in the hash", "--package-id", "a:" + strings.Repeat("A", 64), server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"a path as label", "--package-id", "../a:" + hash, server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"a line break", "--package-id", "a:" + hash + "\n", server.ExitUsage, server.CodeUsage, "LABEL:HASH"},
		{"no port", "--listen", "127.0.0.1", server.ExitUsage, server.CodeUsage, "HOST:PORT"},
		{"no host", "--listen", ":7052", server.ExitUsage, server.CodeUsage, "HOST:PORT"},
		{"a port that is none", "--listen", "127.0.0.1:65536", server.ExitUsage, server.CodeUsage, "HOST:PORT"},
		{"a named port", "--listen", "127.0.0.1:http", server.ExitUsage, server.CodeUsage, "HOST:PORT"},
		{"a port in use", "--listen", inUse.Addr().String(), server.ExitFailed, server.CodeAddressInUse, inUse.Addr().String()},
		{"another host's address", "--listen", "192.0.2.1:0", server.ExitFailed, server.CodeListen, "192.0.2.1"},

		{"no certificate file", "--tls-cert", absent, server.ExitFailed, server.CodeCertificate, absent},
		{"a directory", "--tls-cert", dir, server.ExitFailed, server.CodeCertificate, dir},
		{"a large file", "--tls-cert", large, server.ExitFailed, server.CodeCertificate, "more than"},
		{"no PEM", "--tls-cert", text, server.ExitFailed, server.CodeCertificate, "no certificate"},
		{"a broken certificate", "--tls-cert", broken, server.ExitFailed, server.CodeCertificate, broken},
		{"a key for a certificate", "--tls-cert", good["--tls-key"], server.ExitFailed, server.CodeCertificate, "more than certificates"},
		{"an expired certificate", "--tls-cert", cert("expired", expired), server.ExitFailed, server.CodeCertificate, "renew"},
		{"an expired chain", "--tls-cert", write("chain", leaf, old.PEM), server.ExitFailed, server.CodeCertificate, "renew"},
		{"a certificate of tomorrow", "--tls-cert", cert("late", late), server.ExitFailed, server.CodeCertificate, "renew"},
		{"no host in it", "--tls-cert", cert("hosts", func(c *x509.Certificate) { c.IPAddresses = nil }), server.ExitFailed, server.CodeCertificate, "names no host"},
		{"a client's", "--tls-cert", cert("client", func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), server.ExitFailed, server.CodeCertificate, "not for servers"},
		{"one for something else", "--tls-cert", cert("other", func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
		}), server.ExitFailed, server.CodeCertificate, "not for servers"},

		{"no key file", "--tls-key", absent, server.ExitFailed, server.CodeKey, absent},
		{"no PEM", "--tls-key", text, server.ExitFailed, server.CodeKey, text},
		{"a large file", "--tls-key", large, server.ExitFailed, server.CodeKey, "more than"},
		{"a certificate for a key", "--tls-key", write("nokey", leaf), server.ExitFailed, server.CodeKey, "nokey"},
		{"another's key", "--tls-key", write("another", anotherKey), server.ExitFailed, server.CodeKey, "does not match"},
		{"a key that all users can read", "--tls-key", open("exposed", 0o644), server.ExitFailed, server.CodeKeyExposed, "chmod"},
		{"a key that all users can write", "--tls-key", open("open", 0o602), server.ExitFailed, server.CodeKeyExposed, "chmod"},

		{"no authority file", "--client-ca", absent, server.ExitFailed, server.CodeClientCA, absent},
		{"no PEM", "--client-ca", text, server.ExitFailed, server.CodeClientCA, "no certificate"},
		{"a broken authority", "--client-ca", broken, server.ExitFailed, server.CodeClientCA, broken},
		{"no authority's", "--client-ca", good["--tls-cert"], server.ExitFailed, server.CodeClientCA, "not an authority's"},
		{"an expired authority", "--client-ca", write("old", old.PEM), server.ExitFailed, server.CodeClientCA, "in force"},
		{"an authority of tomorrow", "--client-ca", write("new", peertest.NewAuthority(t, late).PEM), server.ExitFailed, server.CodeClientCA, "in force"},
		{"an authority and a key", "--client-ca", write("both", authority.PEM, key), server.ExitFailed, server.CodeClientCA, "more than certificates"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			expect(t, args(map[string]string{bad.flag: bad.value}), bad.status, bad.code, bad.want)
		})
	}

	var stderr bytes.Buffer
	failing := func() (shim.Chaincode, error) { return nil, errors.New("no contract") }
	if status := server.Run(t.Context(), "program", args(nil), io.Discard, &stderr, failing); status != server.ExitFailed || !strings.Contains(stderr.String(), "code="+server.CodeChaincode) {
		t.Errorf("a chaincode that cannot be made: exit status %d: %s", status, &stderr)
	}
	stderr.Reset()
	for _, usage := range [][]x509.ExtKeyUsage{nil, {x509.ExtKeyUsageAny}, {x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		cert, key := authority.Issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = usage })
		files := map[string]string{"--tls-cert": write("usage", cert), "--tls-key": write("usage-key", key)}
		if status := server.Run(ctx, "program", args(files), io.Discard, &stderr, newScript); status != server.ExitDone {
			t.Errorf("a good configuration: exit status %d: %s", status, &stderr)
		}
	}
	if log := stderr.String(); strings.Count(log, "msg=serving address=127.0.0.1:") != 3 || !strings.Contains(log, "package="+good["--package-id"]) {
		t.Errorf("the log of good configurations: %s", log)
	}
}

func newScript() (shim.Chaincode, error) { return script{}, nil }

// expect runs the program with arguments that are wrong.
func expect(t *testing.T, args []string, status int, code, want string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := server.Run(t.Context(), "program", args, &stdout, &stderr, newScript)
	line := stderr.String()
	if got != status || !strings.Contains(line, "level=ERROR") || !strings.HasSuffix(line, "code="+code+"\n") || !strings.Contains(line, want) ||
		strings.Count(line, "\n") != 1 || strings.Contains(line, "serving") || stdout.Len() > 0 {
		t.Errorf("%q: exit status %d, want %d, %s, %q: %s%s", slices.Sorted(slices.Values(args)), got, status, code, want, line, &stdout)
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := server.Run(t.Context(), "program", []string{"--help"}, &stdout, &stderr, newScript); status != server.ExitDone || stderr.Len() > 0 {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
	for _, want := range []string{"Usage: program --package-id", "--listen HOST:PORT ", "--tls-cert FILE ", "--tls-key FILE ", "--client-ca FILE "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, &stdout)
		}
	}
}

func TestErrors(t *testing.T) {
	inner := &server.Error{server.CodeKey, "read the key", io.EOF}
	outer := &server.Error{server.CodeServe, "serve", inner}
	if server.Code(outer) != server.CodeServe || server.Code(io.EOF) != "" || !errors.Is(outer, io.EOF) {
		t.Errorf("%v: code %q", outer, server.Code(outer))
	}
	if got, want := outer.Error(), "serve-failed: serve: tls-key: read the key: EOF"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
