//go:build network

package command

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
	"github.com/credledger/credledger/test/fabrictest"
)

// A demonstration is one on its way, with its files in dir.
type demonstration struct {
	t        *testing.T
	program  string
	dir      string
	out      bytes.Buffer
	problems bytes.Buffer
}

func newDemonstration(t *testing.T) *demonstration {
	d := &demonstration{t: t, program: fabrictest.Program(t, program)}
	fabrictest.Programs(t)
	var err error
	if d.dir, err = os.MkdirTemp("", "cl"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.noProcesses()
		if err := os.RemoveAll(d.dir); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *demonstration) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+d.dir, "LANG=C")
	return cmd
}

// start starts the demonstration.
func (d *demonstration) start(args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := d.command(append([]string{"demo", "--network"}, args...)...)
	cmd.Stdout, cmd.Stderr = &d.out, &d.problems
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	return cmd
}

// place is the directory that the demonstration has made.
func (d *demonstration) place() string {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.dir, "credledger-demo-*"))
	if err != nil || len(found) != 1 {
		d.t.Fatalf("the demonstration has not made one directory: %v %v", found, err)
	}
	return found[0]
}

// processes counts the network's processes that run.
func (d *demonstration) processes() int {
	d.t.Helper()
	running := 0
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		d.t.Fatalf("the processes of this machine cannot be listed: %v", err)
	}
	for _, file := range lines {
		cwd, err := os.Readlink(filepath.Join(filepath.Dir(file), "cwd"))
		if err == nil && strings.HasPrefix(cwd, d.dir+"/") {
			running++
		}
	}
	return running
}

func (d *demonstration) noProcesses() {
	d.t.Helper()
	if n := d.processes(); n > 0 {
		d.t.Errorf("%d processes are left", n)
		for _, topology := range mustGlob(d.t, filepath.Join(d.dir, "*", "topology.yaml")) {
			_ = d.command("network", "down", "--topology", topology).Run()
		}
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The story on a network ends as it says, with every verdict, and takes the network down; it can be
// gone on with from there.
func TestDemo(t *testing.T) {
	d := newDemonstration(t)
	began := time.Now()
	if err := d.start().Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, d.out.String(), d.problems.String())
	}
	t.Logf("the demonstration took %v", time.Since(began))
	rest := d.out.String()
	for _, line := range []string{
		"== 1. Four departments bring up a network ==", "== 2. The data bureau founds the ledger", "== 3. Three departments issue",
		"  Verified: genuine and in force\n",
		"== 5. One department asks another",
		"  Released\n",
		"  The evidence is good",
		"  Verification failed: do not rely on it\n",
		"  Verification failed: do not rely on it\n",
		"  Genuine, but not in force (revoked)\n",
		"  Genuine, but not in force (suspended)\n",
		"  Genuine, but not in force (expired)\n",
		"  Genuine, but not in force (superseded by a newer licence)\n",
		"  Verified: genuine and in force, but restricted\n",
		"  nothing is wrong\n",
		"== 9. The network is taken down",
		"$ credledger network up --topology " + d.place(),
	} {
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("%q is missing, or out of turn, in:\n%s", line, d.out.String())
		}
		rest = after
	}
	commandtest.NoPersonalData(t, d.problems.String())
	d.noProcesses()

	topology, home := filepath.Join(d.place(), "topology.yaml"), filepath.Join(d.place(), "home")
	for _, args := range [][]string{
		{"network", "up", "--topology", topology},
		{"verify", "--home", home, filepath.Join(d.place(), "code.png")},
		{"audit", "--home", home},
		{"network", "down", "--topology", topology},
	} {
		if out, err := d.command(args...).CombinedOutput(); err != nil {
			t.Fatalf("credledger %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Interrupted, while the network comes up or later, the demonstration leaves no process behind.
func TestDemoInterrupted(t *testing.T) {
	for _, when := range []struct {
		name  string
		until func(*demonstration) bool
	}{
		{"when the first processes run", func(d *demonstration) bool { return d.processes() > 1 }},
		{"when the ledger is being founded", func(d *demonstration) bool {
			return len(mustGlob(t, filepath.Join(d.dir, "*", "home", "keys"))) > 0
		}},
	} {
		t.Run(when.name, func(t *testing.T) {
			d := newDemonstration(t)
			cmd := d.start("--json")
			for deadline := time.Now().Add(2 * time.Minute); !when.until(d); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("it does not get on")
				}
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || exit.Sys().(syscall.WaitStatus).Signaled() {
				t.Errorf("it ended with %v", err)
			}
			values, err := commandtest.Values(d.problems.String())
			if err != nil || len(values) != 1 || commandtest.At(values[0], "error.code") != "interrupted" {
				t.Errorf("%v: %s", err, d.problems.String())
			}
			d.noProcesses()
		})
	}
}
