// Package clients_test builds the clients in docs/clients and runs them against real services.
package clients_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const javaDir = "../../docs/clients/java"

// tool finds a program of the JDK.
func tool(name string) (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if path := filepath.Join(home, "bin", name); exec.Command(path, "-version").Run() == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

// classes compiles the Java client, its example and the driver of these tests, as it would be for Java 8.
var classes = sync.OnceValues(func() (string, error) {
	javac, err := tool("javac")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "classes-")
	if err != nil {
		return "", err
	}
	args := []string{"--release", "8", "-Xlint:all,-options,-serial", "-Werror", "-encoding", "UTF-8", "-d", dir}
	for _, pattern := range []string{"testdata/*.java", javaDir + "/examples/*.java", javaDir + "/src/io/github/credledger/client/*.java"} {
		sources, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil {
			return "", err
		}
		args = append(args, sources...)
	}
	if out, err := exec.Command(javac, args...).CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := classes(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func compiled(t *testing.T) string {
	t.Helper()
	dir, err := classes()
	if err != nil {
		t.Fatal("these tests need a JDK, version 9 or later, with javac in the PATH or in JAVA_HOME: ", err)
	}
	return dir
}

// A driver is the Java client at work: it does one thing after the other.
type driver struct {
	*testing.T
	in  io.Writer
	out *bufio.Reader
}

func newDriver(t *testing.T) *driver {
	t.Helper()
	dir := compiled(t)
	java, err := tool("java")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(java, "-XX:TieredStopAtLevel=1", "-cp", dir, "Driver")
	var problems bytes.Buffer
	command.Stderr = &problems
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(10*time.Minute, func() { _ = command.Process.Kill() })
	t.Cleanup(func() {
		_ = in.Close()
		if err := command.Wait(); err != nil || problems.Len() > 0 {
			t.Errorf("%v: %s", err, &problems)
		}
		hung.Stop()
	})
	return &driver{t, in, bufio.NewReader(out)}
}

type members map[string]any

// An answer is what the client made of a call: Ok, or what was thrown.
type answer struct {
	OK      json.RawMessage `json:"ok"`
	Code    string          // of an ApiException
	Status  int
	Member  string
	Text    string
	Message string
	Failed  string // class of another exception

	Problems []struct{ Code, Field string }
	Instance string
}

// do has the client do something.
func (d *driver) do(what string, q members) (a answer) {
	d.Helper()
	q["do"] = what
	b, err := json.Marshal(q)
	if err == nil {
		_, err = d.in.Write(append(b, '\n'))
	}
	if err != nil {
		d.Fatal(err)
	}
	line, err := d.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		d.Fatalf("%s: %v in %q", what, err, line)
	}
	return a
}

// want has the client do something, and decodes what comes of it.
func want[T any](d *driver, what string, q members) (out T) {
	d.Helper()
	a := d.do(what, q)
	if a.OK == nil {
		d.Fatalf("%s: %s %s: %s", what, a.Code, a.Failed, a.Message)
	}
	if err := json.Unmarshal(a.OK, &out); err != nil {
		d.Fatalf("%s: %v in %s", what, err, a.OK)
	}
	return out
}

// refused has the client do something, and wants a problem.
func (d *driver) refused(code, what string, q members) answer {
	d.Helper()
	a := d.do(what, q)
	if a.Code != code || a.OK != nil || a.Failed != "" {
		d.Errorf("%s: %+v, want %s", what, a, code)
	}
	return a
}

// failed has the client do something, and wants no answer of a service.
func (d *driver) failed(exception, what string, q members) answer {
	d.Helper()
	a := d.do(what, q)
	if a.Failed != exception || a.OK != nil || a.Code != "" {
		d.Errorf("%s: %+v, want %s", what, a, exception)
	}
	return a
}

// A verdict is as much of one as the client tells.
type verdict struct {
	Outcome, Text, Note, Status, Type, Issuer, Digest, Shown string
	Holder                                                   bool
	Fields                                                   map[string][]string
}

// A verification is the answer of a verifier as the client tells it.
type verification struct {
	Verdict  verdict
	Withheld []string
	Receipt  string
}

func TestJSON(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	for text, again := range map[string]string{
		` {"a" : [1, -2.50, 1e3 ,true,false,null,"x"] } `: `{"a":[1,-2.50,1000,true,false,null,"x"]}`,
		`"\u4e2d\ud83d\ude00\"\\\/\b\f\n\r\t"`:            `"中😀\"\\/\u0008\u000c\u000a\u000d\u0009"`,
		`"\ud83d"`:                                        `"\ud83d"`, `{}`: `{}`, `[]`: `[]`, `0`: `0`,
		strings.Repeat("[", 60) + strings.Repeat("]", 60): strings.Repeat("[", 60) + strings.Repeat("]", 60),
	} {
		got := want[struct{ Again string }](d, "json", members{"text": []byte(text)})
		if got.Again != again {
			t.Errorf("%s came back as %s", text, got.Again)
		}
	}
	for _, text := range []string{
		``, ` `, `{`, `}`, `[1,]`, `{"a":1,}`, `{"a":1,"a":2}`, `{a:1}`, `{"a" 1}`, `[1 2]`, `'a'`, `"a`, "\"\n\"", `"\x"`, `"\u12"`, `"\u12g4"`, `01`, `+1`, `1.`, `.5`, `1e`, `--1`,
		`tru`, `nul`, `1 1`, `NaN`, `"a" //`, `1e9999`, strings.Repeat("9", 41), strings.Repeat("[", 100) + strings.Repeat("]", 100), "\"\xff\"", "\xef\xbb\xbf1",
	} {
		a := d.failed("IllegalArgumentException", "json", members{"text": []byte(text)})
		if strings.Contains(a.Message, "9999") {
			t.Errorf("%q is repeated: %s", text, a.Message)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	for url, shown := range map[string]string{
		"https://verifier.example": "https://verifier.example", "https://verifier.example:8443/": "https://verifier.example:8443",
		"http://127.0.0.1:8420": "http://127.0.0.1:8420", "http://localhost:1/": "http://localhost:1", "http://[::1]:1": "http://[::1]:1",
		"HTTPS://verifier.example/issuer": "HTTPS://verifier.example/issuer",
	} {
		got := want[struct{ Shown string }](d, "settings", members{"url": url, "token": "credledger_x"})
		if got.Shown != shown {
			t.Errorf("%s: %s", url, got.Shown)
		}
	}
	for _, url := range []string{
		"", "verifier.example", "http://verifier.example", "http://127.0.0.1.example", "http://localhost.example", "ftp://127.0.0.1", "https://a@b.example",
		"https://verifier.example?x=1", "https://verifier.example#x", "file:///etc/passwd", "https://",
	} {
		d.failed("IllegalArgumentException", "settings", members{"url": url, "token": "credledger_x"})
	}
	for _, token := range []string{"", "a b", "a\r\nX: y", "令牌"} {
		a := d.failed("IllegalArgumentException", "settings", members{"url": "https://verifier.example", "token": token})
		if token != "" && strings.Contains(a.Message, token) {
			t.Errorf("the token is told: %s", a.Message)
		}
	}
}

// Lines are what a process writes.
type lines struct {
	mu  sync.Mutex
	all []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, b...)
	return len(b), nil
}

// await waits until there are so many lines.
func (l *lines) await(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		l.mu.Lock()
		all := string(l.all)
		l.mu.Unlock()
		if strings.Count(all, "\n") >= n {
			return strings.Split(strings.TrimSuffix(all, "\n"), "\n")
		}
		if time.Now().After(deadline) {
			t.Fatalf("it wrote only %q", all)
		}
	}
}
