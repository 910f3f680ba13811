package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp/tlcptest"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
)

// A served is a running `credledger serve`.
type served struct {
	*process
	cmd  *exec.Cmd
	urls map[string]string
	log  *output
}

// An output is what a process writes while it is looked at.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// onAnyPort lets the service of the home listen on ports that are free, for any number of callers.
func (p *process) onAnyPort() {
	p.t.Helper()
	path := filepath.Join(p.home, verifierFile)
	b, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{":8080", ":0"}, {":8443", ":0"}, {":9464", ":0"}, {"publicPerSecond: 5", "publicPerSecond: 100000"}, {"publicBurst: 30", "publicBurst: 100000"},
	} {
		if !bytes.Contains(b, []byte(edit[0])) {
			p.t.Fatalf("no %s in %s", edit[0], path)
		}
		b = bytes.ReplaceAll(b, []byte(edit[0]), []byte(edit[1]))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// serve starts the service and waits until it listens.
func (p *process) serve() *served {
	p.t.Helper()
	return p.start("serve")
}

// start starts a command that serves, and waits until it listens.
func (p *process) start(args ...string) *served {
	p.t.Helper()
	s := &served{process: p, cmd: p.command(append(args, "--json")...), log: new(output)}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // unless it has ended
	var answer struct{ Serving map[string]string }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&answer); err != nil {
		_ = s.cmd.Wait()
		p.t.Fatalf("%s: %v\n%s", args[0], err, s.log)
	}
	s.urls = answer.Serving
	return s
}

// logs waits until the service has logged something.
func (s *served) logs(text string) {
	s.t.Helper()
	s.until(fmt.Sprintf("it logs %q", text), func() bool { return strings.Contains(s.log.String(), text) })
}

// until waits until something is so.
func (s *served) until(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s:\n%s", what, s.log)
		}
	}
}

// end tells the service to end, and wants its exit code.
func (s *served) end(want int) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if got := exitCode(s.t, s.cmd.Wait()); got != want {
		s.t.Errorf("it ended with %d, want %d\n%s", got, want, s.log)
	}
	commandtest.NoPersonalData(s.t, s.log.String())
}

// A verified is as much of the answer to a verification as is looked at.
type verified struct {
	Verdict struct{ Outcome string }
	Receipt json.RawMessage
}

func verifyAt(c *http.Client, url, code string) (v verified, err error) {
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		return v, err
	}
	r, err := c.Post(url+"/v1/verifications", "application/json", bytes.NewReader(body))
	if err != nil {
		return v, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d: %s", r.StatusCode, b)
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}

// await has a code verified until the outcome is the one that is wanted.
func (s *served) await(code, want string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		v, err := verifyAt(http.DefaultClient, s.urls["web"], code)
		if err != nil {
			s.t.Fatal(err)
		}
		if v.Verdict.Outcome == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s, want %s", v.Verdict.Outcome, want)
		}
	}
}

// The service of a new home works as it is, while other commands use the home, and goes on where it
// was when it is started again.
func TestServe(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.onAnyPort()
	s := p.serve()
	p.marriages("input.jsonl", 1, 2)
	p.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)
	credential := filepath.Join("out", "licence-0000001.cred")
	code, _ := p.run(exitDone, "present", credential, "--disclose", "registrationDate")
	code = strings.TrimSpace(code)
	s.await(code, "valid")

	root, err := os.ReadFile(filepath.Join(p.home, "tlcp", "authority.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verifyAt(tlcptest.Client(t, root), s.urls["tlcp"], code); err != nil || v.Verdict.Outcome != "valid" {
		t.Errorf("over TLCP: %+v, %v", v, err)
	}
	p.run(exitDone, "status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "divorce", credential)
	s.await(code, "not-current")

	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.logs("were read again")
	s.await(code, "not-current") // SIGHUP does not end it
	s.end(exitDone)
	s = p.serve()
	s.await(code, "not-current")
	s.end(exitDone)
}

// Killed while it answers, the service has answered nothing that its access log does not have, and signed
// no two states of it.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.onAnyPort()
	p.marriages("input.jsonl", 1, 1)
	p.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)
	code, _ := p.run(exitDone, "present", filepath.Join("out", "licence-0000001.cred"), "--disclose", "registrationDate")
	code = strings.TrimSpace(code)
	answered := map[uint64]sm.Hash{} // leaves by index
	signed := map[uint64]sm.Hash{}   // roots by size
	var mu sync.Mutex
	for range 3 {
		s := p.serve()
		before := len(answered)
		var asking sync.WaitGroup
		for range 16 {
			asking.Go(func() {
				for {
					v, err := verifyAt(http.DefaultClient, s.urls["web"], code)
					if err != nil {
						return // it was killed
					}
					f, err := receipt.Parse(v.Receipt)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					index, c := f.Proof.Index, f.Proof.Checkpoint
					if _, twice := answered[index]; twice {
						t.Errorf("two receipts for entry %d", index)
					}
					if root, known := signed[c.Size]; known && root != c.Root {
						t.Errorf("two roots were signed for %d entries", c.Size)
					}
					if !f.Proof.Includes(f.Leaf()) {
						t.Errorf("the receipt for entry %d does not prove it", index)
					}
					answered[index], signed[c.Size] = f.Leaf(), c.Root
					mu.Unlock()
				}
			})
		}
		s.until("it answers", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(answered) >= before+100
		})
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = s.cmd.Wait()
		asking.Wait()
	}
	log := p.openAccessLog()
	for index, leaf := range answered {
		entries, err := log.Entries(index, 1)
		if err != nil || len(entries) != 1 || access.Leaf(entries[0]) != leaf {
			t.Fatalf("entry %d was answered for, and is not in the log: %v", index, err)
		}
	}
	for size, root := range signed {
		if got, err := log.Root(size); err != nil || got != root {
			t.Fatalf("the log is not the one that was signed at %d entries: %v", size, err)
		}
	}
	t.Logf("%d answers under %d checkpoints, %d entries", len(answered), len(signed), log.Size())
}

// What is wrong with a home's configuration is said, and nothing is served.
func TestServeRefuses(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.onAnyPort()
	path := filepath.Join(p.home, verifierFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for edit, code := range map[[2]string]string{
		{"logLevel: info", "logLevel: loud"}:                          "config-malformed",
		{"logLevel: info", "logLevel: info\nlog: x"}:                  "config-malformed",
		{"127.0.0.1:0", "0.0.0.0:0"}:                                  "config-malformed",
		{"accessLog: verifier-1", "accessLog: verifier-2"}:            "config-malformed",
		{"keys/data-bureau/service.pem", "keys/data-bureau/none.pem"}: "file",
		{"agencies: agencies.yaml", "agencies: nowhere.yaml"}:         "config-malformed",
		{"tlcp/signing.crt", "tlcp/authority.crt"}:                    "config-malformed",
	} {
		bad := bytes.Replace(good, []byte(edit[0]), []byte(edit[1]), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("no %q", edit[0])
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		out, problems := p.run(exitFailed, "serve", "--json")
		problems = problems[strings.Index(problems, "{\n"):] // after what was logged
		if out != "" || !strings.Contains(problems, `"code": "`+code+`"`) {
			t.Errorf("%q: %s%s", edit[1], out, problems)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, problems := p.run(exitFailed, "serve"); !strings.Contains(problems, verifierFile) {
		t.Errorf("without configuration: %s", problems)
	}
}
