//go:build network

package figures

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/test/fabrictest"
)

const (
	emptyProgram = "github.com/credledger/credledger/test/chaincodes/empty"
	emptyName    = "empty"
	emptyLabel   = "empty_1"
	serverLabel  = "credledger_1" // of the real one, whose connection the empty one's is a copy of
)

// deployEmpty puts the empty chaincode into force on the network's channel, beside the real one and
// under the same endorsement policy, which is the channel's default, with a server for each
// organisation. It returns a client configuration of the department that names it.
func (s *setting) deployEmpty(department string) string {
	s.Helper()
	id, archive := s.emptyPackage()
	file := filepath.Join(s.TempDir(), emptyLabel+".tar.gz")
	if err := os.WriteFile(file, archive, 0o644); err != nil {
		s.Fatal(err)
	}
	topology := s.network.Network.Topology()
	first := topology.Organisations[0]
	channel := []string{"-C", fabric.Channel, "-n", emptyName, "-v", "1", "--sequence", "1",
		"-o", address(first.Orderers[0].Port), "--tls", "--cafile", s.file("crypto", first.ID, "ordering", "msp", "tlscacerts", "*")}
	var endorsers []string
	for _, o := range topology.Organisations {
		s.reachEmpty(o.ID, s.serveEmpty(o.ID, id))
		s.peer(o.ID, "install", file)
		s.peer(o.ID, append([]string{"approveformyorg", "--package-id", id}, channel...)...)
		endorsers = append(endorsers, "--peerAddresses", address(o.Peers[0].Port), "--tlsRootCertFiles", s.root(o.ID))
	}
	s.peer(first.ID, append(append([]string{"commit"}, channel...), endorsers...)...)
	return s.emptyConfig(department)
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// file is the one file in the network's directory that matches.
func (s *setting) file(elements ...string) string {
	s.Helper()
	pattern := filepath.Join(append([]string{s.network.Network.Topology().Directory}, elements...)...)
	matches, err := filepath.Glob(pattern)
	if err != nil || len(matches) != 1 {
		s.Fatalf("%s: %d files, %v", pattern, len(matches), err)
	}
	return matches[0]
}

// root is the certificate of the authority for the TLS of an organisation's peers.
func (s *setting) root(org string) string {
	s.Helper()
	return s.file("crypto", org, "msp", "tlscacerts", "*")
}

// peer runs a lifecycle command as the administrator of an organisation, against its peer.
func (s *setting) peer(org string, args ...string) {
	s.Helper()
	cmd := exec.Command(filepath.Join(fabrictest.Programs(s), "peer"), append([]string{"lifecycle", "chaincode"}, args...)...)
	cmd.Env = append(os.Environ(),
		"FABRIC_CFG_PATH="+s.file("nodes", "peer1."+org),
		"FABRIC_LOGGING_SPEC=error",
		"CORE_PEER_MSPCONFIGPATH="+s.file("crypto", org, "admin", "msp"),
		"CORE_PEER_TLS_ROOTCERT_FILE="+s.root(org))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("peer lifecycle chaincode %s, as %s: %v\n%s", args[0], org, err, out)
	}
}

// emptyPackage makes the package of the empty chaincode: that it is a service.
func (s *setting) emptyPackage() (id string, archive []byte) {
	s.Helper()
	pack := func(names []string, contents ...[]byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		t := tar.NewWriter(z)
		for i, name := range names {
			if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(contents[i]))}); err != nil {
				s.Fatal(err)
			}
			if _, err := t.Write(contents[i]); err != nil {
				s.Fatal(err)
			}
		}
		if err := t.Close(); err != nil {
			s.Fatal(err)
		}
		if err := z.Close(); err != nil {
			s.Fatal(err)
		}
		return out.Bytes()
	}
	metadata := fmt.Sprintf(`{"type":"ccaas","label":%q}`, emptyLabel)
	archive = pack([]string{"metadata.json", "code.tar.gz"}, []byte(metadata), pack(nil))
	return fmt.Sprintf("%s:%x", emptyLabel, sha256.Sum256(archive)), archive
}

// serveEmpty starts an organisation's server of the empty chaincode, until the test ends.
func (s *setting) serveEmpty(org, id string) (port int) {
	s.Helper()
	port = fabrictest.FreePorts(s)
	log, err := os.Create(filepath.Join(s.TempDir(), org+".log"))
	if err != nil {
		s.Fatal(err)
	}
	server := exec.Command(fabrictest.Program(s, emptyProgram), "--package-id", id, "--listen", address(port),
		"--tls-cert", s.file("crypto", org, "chaincode1", "tls", "server.crt"),
		"--tls-key", s.file("crypto", org, "chaincode1", "tls", "server.key"), "--client-ca", s.root(org))
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		log.Close()
	})
	s.emptyServers = append(s.emptyServers, server.Process.Pid)
	for begun := time.Now(); ; {
		c, err := net.Dial("tcp", address(port))
		if err == nil {
			c.Close()
			return port
		}
		if time.Since(begun) > 10*time.Second {
			text, _ := os.ReadFile(log.Name())
			s.Fatalf("the empty chaincode does not serve: %v\n%s", err, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reachEmpty tells an organisation's peer, through its external builder, where its server is.
func (s *setting) reachEmpty(org string, port int) {
	s.Helper()
	file := s.file("nodes", "peer1."+org, "connection.json")
	b, err := os.ReadFile(file)
	if err != nil {
		s.Fatal(err)
	}
	var connections map[string]map[string]any
	if err := json.Unmarshal(b, &connections); err != nil || connections[serverLabel] == nil {
		s.Fatalf("%s has no connection %s: %v", file, serverLabel, err)
	}
	own := map[string]any{}
	for name, value := range connections[serverLabel] {
		own[name] = value
	}
	own["address"] = address(port)
	connections[emptyLabel] = own
	if b, err = json.Marshal(connections); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		s.Fatal(err)
	}
}

// emptyConfig writes a client configuration that differs from the real one in the chaincode's name.
func (s *setting) emptyConfig(department string) string {
	s.Helper()
	b, err := os.ReadFile(s.network.Config(department))
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	found := false
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "chaincode:") {
			line, found = "chaincode: "+emptyName+"\n", true
		}
		out = append(out, line)
	}
	if !found {
		s.Fatalf("%s names no chaincode", s.network.Config(department))
	}
	file := filepath.Join(filepath.Dir(s.network.Config(department)), emptyName+".yaml")
	if err := os.WriteFile(file, []byte(strings.Join(out, "")), 0o644); err != nil {
		s.Fatal(err)
	}
	return file
}
