package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode/server/peertest"
)

// TestMain makes the test binary the command itself when it is run under the command's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "credledger-chaincode" {
		os.Exit(m.Run())
	}
	main()
}

// A process is the command, running.
type process struct {
	*exec.Cmd
	log *bufio.Reader // its standard error output
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "credledger-chaincode")
	if err := os.Symlink(binary, command); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(command, args...)}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewReader(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

// end waits for the command's end and returns its exit status and what it logged meanwhile.
func (p *process) end(t *testing.T) (status int, log string) {
	t.Helper()
	timeout := time.AfterFunc(20*time.Second, func() { p.Process.Kill() })
	defer timeout.Stop()
	rest, err := io.ReadAll(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.Wait() // the status says what it returns
	return p.ProcessState.ExitCode(), string(rest)
}

// The command says where it listens, serves the rules there, ends in good order when it is told to,
// with a peer connected, and can be started again on the same port at once, killed or not.
func TestServes(t *testing.T) {
	authority := peertest.NewAuthority(t, nil)
	c := peertest.Config(t, t.TempDir(), authority)
	identity, _ := authority.Issue(t, nil)
	state := peertest.NewState()
	address := c.Listen
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT} {
		p := start(t, "--package-id", c.PackageID, "--listen", address, "--tls-cert", c.Certificate, "--tls-key", c.Key, "--client-ca", c.ClientCA)
		line, err := p.log.ReadString('\n')
		if err != nil || !strings.Contains(line, "level=INFO msg=serving") || !strings.Contains(line, " package="+c.PackageID) {
			t.Fatalf("it began with %q: %v", line, err)
		}
		_, rest, _ := strings.Cut(line, " address=")
		address, _, _ = strings.Cut(rest, " ")
		peer, err := peertest.Dial(address, authority.Client(t), state, identity)
		if err != nil {
			t.Fatal(err)
		}
		if peer.PackageID != c.PackageID {
			t.Errorf("it registered as %s", peer.PackageID)
		}
		call, err := peer.Call(t, "civil-affairs", "Query", "ledger", "[]")
		if err != nil || !strings.Contains(call.Response.Message, `"code":"not-found"`) {
			t.Fatalf("a query of an empty ledger: %v, %v", call, err)
		}
		if err := p.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		want := map[syscall.Signal]int{syscall.SIGKILL: -1}[signal]
		if status, log := p.end(t); status != want || signal != syscall.SIGKILL && !strings.HasSuffix(log, "msg=stopped\n") {
			t.Errorf("%v: exit status %d: %s", signal, status, log)
		}
		peer.Close()
	}
}

func TestExitStatus(t *testing.T) {
	c := peertest.Config(t, t.TempDir(), peertest.NewAuthority(t, nil))
	for _, bad := range []struct {
		key    string
		args   []string
		status int
		want   string
	}{
		{c.Key, []string{"surplus"}, 2, "code=usage"},
		{c.Key + "x", nil, 1, "code=tls-key"},
	} {
		args := append([]string{"--package-id", c.PackageID, "--listen", c.Listen, "--tls-cert", c.Certificate, "--tls-key", bad.key, "--client-ca", c.ClientCA}, bad.args...)
		if status, log := start(t, args...).end(t); status != bad.status || !strings.Contains(log, bad.want) || strings.Contains(log, "serving") {
			t.Errorf("exit status %d, want %d, %s: %s", status, bad.status, bad.want, log)
		}
	}
}
