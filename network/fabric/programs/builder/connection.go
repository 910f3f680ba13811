package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// connectionVariable names the file with the connections.
const connectionVariable = "CREDLEDGER_CHAINCODE_CONNECTION"

// maxDialTimeout bounds how long a peer waits for a server.
const maxDialTimeout = time.Minute

// A connection is how a peer reaches the server of a chaincode; the names are Fabric's, in
// connection.json.
type connection struct {
	Address            string `json:"address"`
	DialTimeout        string `json:"dial_timeout"`
	TLSRequired        bool   `json:"tls_required"`
	ClientAuthRequired bool   `json:"client_auth_required"`
	ClientKey          string `json:"client_key"`
	ClientCert         string `json:"client_cert"`
	RootCert           string `json:"root_cert"`
}

func release(output, dir, file string) error {
	b, err := readFile(filepath.Join(output, labelFile), maxLabel)
	if err != nil {
		return fmt.Errorf("tell the package's label: %w", err)
	}
	label := string(b)
	if file == "" {
		return fmt.Errorf("set %s in the peer's environment to the path of the file with the connections, and list it in the builder's propagateEnvironment", connectionVariable)
	}
	connections, err := readConnections(file)
	if err != nil {
		return fmt.Errorf("%s, named by %s: %w", file, connectionVariable, err)
	}
	c, ok := connections[label]
	if !ok {
		return fmt.Errorf("%s, named by %s, has no entry for the package's label %q", file, connectionVariable, label)
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("%s, entry %q: %w", file, label, err)
	}
	return c.write(filepath.Join(dir, "chaincode", "server"))
}

// readConnections reads the connections by label; only their form is checked.
func readConnections(file string) (map[string]*connection, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, errors.New("it holds private keys and is accessible to all users: chmod o= it")
	}
	b, err := readFile(file, maxConnections)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var connections map[string]*connection
	if err := d.Decode(&connections); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return connections, nil
}

func (c *connection) check() error {
	if c == nil {
		return errors.New("it is null")
	}
	host, port, err := net.SplitHostPort(c.Address)
	if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || host == "" || n == 0 {
		return errors.New("address is not HOST:PORT")
	}
	if timeout, err := time.ParseDuration(c.DialTimeout); err != nil || timeout <= 0 || timeout > maxDialTimeout {
		return fmt.Errorf("dial_timeout is no duration above 0 and up to %v, such as \"5s\"", maxDialTimeout)
	}
	if !c.TLSRequired || !c.ClientAuthRequired {
		return errors.New("tls_required and client_auth_required have to be true: chaincode is reached over mutual TLS only")
	}
	if _, err := tls.X509KeyPair([]byte(c.ClientCert), []byte(c.ClientKey)); err != nil {
		return fmt.Errorf("client_cert and client_key: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(c.RootCert)) {
		return errors.New("root_cert holds no certificate in PEM")
	}
	return nil
}

// write writes connection.json, readable by the peer's user only.
func (c *connection) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "connection.json"), b, 0o600)
}
