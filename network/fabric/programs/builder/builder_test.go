package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric/common/flogging"
	"github.com/hyperledger/fabric/core/container/externalbuilder"
)

const (
	label = "credledger_1"
	hash  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// keyPair returns a self-signed certificate and its key in PEM.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certDER, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certDER})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// entry is a good entry of the file with the connections.
func entry(t *testing.T) map[string]any {
	t.Helper()
	cert, key := keyPair(t)
	root, _ := keyPair(t)
	return map[string]any{
		"address": "127.0.0.1:7052", "dial_timeout": "5s", "tls_required": true, "client_auth_required": true,
		"client_key": key, "client_cert": cert, "root_cert": root,
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, file string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// call runs the program under a name and returns its exit status and what it complained about.
func call(file string, args ...string) (status int, complaint string) {
	var stderr bytes.Buffer
	status = run(append([]string{"/some/where/bin/" + args[0]}, args[1:]...), func(name string) string {
		if name == connectionVariable {
			return file
		}
		return ""
	}, &stderr)
	return status, stderr.String()
}

// The peer's own code runs the program for a package, and finds the server.
func TestPeerFindsTheServer(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Fatalf("this test builds the program: %v", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"detect", "build", "release"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "builder", "bin", name), ".")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	good := entry(t)
	t.Setenv(connectionVariable, write(t, filepath.Join(dir, "connections.json"), encode(t, map[string]any{label: good, "other": nil})))
	durable := filepath.Join(dir, "builds")
	if err := os.Mkdir(durable, 0o700); err != nil {
		t.Fatal(err)
	}
	detector := &externalbuilder.Detector{DurablePath: durable, Builders: []*externalbuilder.Builder{{
		Name: "credledger", Location: filepath.Join(dir, "builder"), MSPID: "civil-affairs",
		PropagateEnvironment: []string{connectionVariable}, Logger: flogging.MustGetLogger("builder"),
	}}}

	instance, err := detector.Build(label+":"+hash, []byte(`{"type":"ccaas","label":"credledger_1","path":""}`), emptyCode(t))
	if err != nil || instance == nil {
		t.Fatalf("instance %v: %v", instance, err)
	}
	info, err := instance.ChaincodeServerInfo()
	if err != nil {
		t.Fatal(err)
	}
	security := info.ClientConfig.SecOpts
	if info.Address != good["address"] || info.ClientConfig.DialTimeout != 5*time.Second ||
		!security.UseTLS || !security.RequireClientCert || string(security.Key) != good["client_key"] ||
		string(security.Certificate) != good["client_cert"] || string(security.ServerRootCAs[0]) != good["root_cert"] {
		t.Errorf("the peer would connect with %+v", info)
	}
	written := filepath.Join(instance.ChaincodeServerReleaseDir(), "connection.json")
	if s, err := os.Stat(written); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", written, s.Mode(), err)
	}

	if instance, err = detector.Build("golang_1:"+hash, []byte(`{"type":"golang","label":"golang_1"}`), emptyCode(t)); instance != nil || err != nil {
		t.Errorf("another type of package: %v, %v", instance, err)
	}
	for _, bad := range []string{"absent_1", "other", "a/b"} {
		if _, err := detector.Build(bad+":"+hash, encode(t, metadata{"ccaas", bad}), emptyCode(t)); err == nil {
			t.Errorf("%s was built", bad)
		}
	}
}

// emptyCode is the code of a package that has none.
func emptyCode(t *testing.T) io.Reader {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := tar.NewWriter(z).Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestBadPackages(t *testing.T) {
	for _, bad := range []struct{ name, metadata, detect, build string }{
		{"no metadata", "", "no such file", "no such file"},
		{"no JSON", "type: ccaas", "invalid character", "invalid character"},
		{"a list", `["ccaas"]`, "cannot unmarshal", "cannot unmarshal"},
		{"trailing data", `{"type":"ccaas","label":"a"} {}`, "after top-level", "after top-level"},
		{"a number as type", `{"type":1,"label":"a"}`, "cannot unmarshal", "cannot unmarshal"},
		{"no type", `{"label":"a"}`, `of type ""`, ""},
		{"another type", `{"type":"golang","label":"a"}`, `of type "golang"`, ""},
		{"a long type", `{"type":"` + strings.Repeat("x", 1000) + `","label":"a"}`, "of type", ""},
		{"capitals", `{"type":"CCAAS","label":"a"}`, `of type "CCAAS"`, ""},
		{"no label", `{"type":"ccaas"}`, "", "label"},
		{"a path as label", `{"type":"ccaas","label":"../a"}`, "", "label"},
		{"a line break in the label", `{"type":"ccaas","label":"a\n"}`, "", "label"},
		{"a long label", `{"type":"ccaas","label":"` + strings.Repeat("a", maxLabel+1) + `"}`, "", "label"},
		{"too large", `{"type":"ccaas","label":"a"}` + strings.Repeat(" ", maxMetadata), "more than", "more than"},
	} {
		dir := t.TempDir()
		if bad.metadata != "" {
			write(t, filepath.Join(dir, "metadata.json"), []byte(bad.metadata))
		}
		for name, want := range map[string]string{"detect": bad.detect, "build": bad.build} {
			args := map[string][]string{"detect": {name, dir, dir}, "build": {name, dir, dir, t.TempDir()}}[name]
			status, complaint := call("", args...)
			if failed := want != ""; failed != (status == 1) || !strings.Contains(complaint, want) || failed == (complaint == "") || len(complaint) > 300 {
				t.Errorf("%s: %s: exit status %d: %s", bad.name, name, status, complaint)
			}
		}
	}
}

func TestBadConnections(t *testing.T) {
	good := entry(t)
	_, otherKey := keyPair(t)
	changed := func(field string, value any) []byte {
		e := maps.Clone(good)
		e[field] = value
		if value == nil {
			delete(e, field)
		}
		return encode(t, map[string]any{label: e})
	}
	type file struct {
		name    string
		content []byte
		want    string
	}
	files := []file{
		{"empty", nil, "EOF"},
		{"no JSON", []byte("address: x"), "invalid character"},
		{"a list", []byte("[]"), "cannot unmarshal"},
		{"null", []byte("null"), "no entry"},
		{"no entries", []byte("{}"), "no entry for the package's label \"credledger_1\""},
		{"another label", encode(t, map[string]any{"credledger_2": good}), "no entry"},
		{"a null entry", encode(t, map[string]any{label: nil}), "null"},
		{"trailing data", append(encode(t, map[string]any{label: good}), "{}"...), "follows"},
		{"too large", append(encode(t, map[string]any{label: good}), bytes.Repeat([]byte(" "), maxConnections)...), "more than"},
		{"an unknown field", changed("tls", true), "unknown field"},
		{"another entry's unknown field", encode(t, map[string]any{label: good, "a": map[string]any{"b": 1}}), "unknown field"},
		{"no port", changed("address", "localhost"), "address"},
		{"no host", changed("address", ":7052"), "address"},
		{"port 0", changed("address", "localhost:0"), "address"},
		{"port 65536", changed("address", "localhost:65536"), "address"},
		{"a named port", changed("address", "localhost:https"), "address"},
		{"a URL", changed("address", "grpcs://localhost:7052"), "address"},
		{"a number as timeout", changed("dial_timeout", 5), "cannot unmarshal"},
		{"a timeout without a unit", changed("dial_timeout", "5"), "dial_timeout"},
		{"a timeout of 0", changed("dial_timeout", "0s"), "dial_timeout"},
		{"a negative timeout", changed("dial_timeout", "-5s"), "dial_timeout"},
		{"a long timeout", changed("dial_timeout", "61s"), "dial_timeout"},
		{"no TLS", changed("tls_required", false), "mutual TLS only"},
		{"no client authentication", changed("client_auth_required", false), "mutual TLS only"},
		{"another's key", changed("client_key", otherKey), "does not match"},
		{"a path for a key", changed("client_key", "/etc/key.pem"), "client_key"},
		{"a key for a root", changed("root_cert", otherKey), "root_cert"},
	}
	for field := range good {
		files = append(files, file{"no " + field, changed(field, nil), field})
	}
	output := t.TempDir()
	write(t, filepath.Join(output, labelFile), []byte(label))
	for _, f := range files {
		dir := t.TempDir()
		status, complaint := call(write(t, filepath.Join(t.TempDir(), "connections.json"), f.content), "release", output, dir)
		if status != 1 || !strings.Contains(complaint, f.want) || strings.Contains(complaint, "PRIVATE") {
			t.Errorf("%s: exit status %d: %s", f.name, status, complaint)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: something was released: %v, %v", f.name, left, err)
		}
	}

	file0 := write(t, filepath.Join(t.TempDir(), "connections.json"), encode(t, map[string]any{label: good}))
	if status, complaint := call(file0, "release", output, t.TempDir()); status != 0 || complaint != "" {
		t.Errorf("a good file: exit status %d: %s", status, complaint)
	}
	if status, complaint := call(file0, "release", t.TempDir(), t.TempDir()); status != 1 || !strings.Contains(complaint, "label") {
		t.Errorf("nothing built: exit status %d: %s", status, complaint)
	}
	if status, complaint := call(file0, "release", output, "/dev/null"); status != 1 || complaint == "" {
		t.Errorf("a file to release to: exit status %d: %s", status, complaint)
	}
	if err := os.Chmod(file0, 0o604); err != nil {
		t.Fatal(err)
	}
	if status, complaint := call(file0, "release", output, t.TempDir()); status != 1 || !strings.Contains(complaint, "chmod") {
		t.Errorf("a file that all users can read: exit status %d: %s", status, complaint)
	}
	for name, file := range map[string]string{"unset": "", "absent": filepath.Join(output, "none")} {
		if status, complaint := call(file, "release", output, t.TempDir()); status != 1 || !strings.Contains(complaint, connectionVariable) {
			t.Errorf("%s: exit status %d: %s", name, status, complaint)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"builder"}, {"run", "a", "b"}, {"detect"}, {"detect", "a"}, {"detect", "a", "b", "c"}, {"build", "a", "b"},
		{"build", "a", "b", "c", "d"}, {"release", "a"}, {"release", "a", "b", "c"},
	} {
		if status, complaint := call("", args...); status != 2 || !strings.Contains(complaint, errUsage.Error()) {
			t.Errorf("%q: exit status %d: %s", args, status, complaint)
		}
	}
	if status := run(nil, os.Getenv, io.Discard); status != 2 {
		t.Errorf("no name: exit status %d", status)
	}
}
