//go:build network

package command

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
	"github.com/credledger/credledger/test/fabrictest"
)

const program = "github.com/credledger/credledger/cmd/credledger"

// TestScripts runs each script with a network of its own, that is not up yet: one at a time.
func TestScripts(t *testing.T) {
	bin := filepath.Dir(fabrictest.Program(t, program))
	fabrictest.Programs(t)
	samples := commandtest.Samples(t)
	var one sync.Mutex
	commands := map[string]func(*testscript.TestScript, bool, []string){"interrupt": interrupt, "together": together, "heartbeat": heartbeat}
	for name, command := range commandtest.Commands {
		commands[name] = command
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			one.Lock()
			env.Defer(one.Unlock)
			home := filepath.Join(env.WorkDir, "home")
			n := fabrictest.New(t, fabrictest.Options{Heartbeat: home})
			env.Defer(n.Down)
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			// Where go build finds its caches, and the network's programs are kept.
			for _, name := range []string{"HOME", "GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY"} {
				if value, ok := os.LookupEnv(name); ok {
					env.Setenv(name, value)
				}
			}
			env.Setenv("CREDLEDGER_HOME", home)
			env.Setenv("LANG", "C")
			env.Setenv("SAMPLES", samples)
			env.Setenv("TOPOLOGY", n.Topology)
			env.Setenv("NETWORK", n.Topology[:len(n.Topology)-len("topology.yaml")]+"n")
			env.Setenv("PORT", strconv.Itoa(fabrictest.FreePorts(t)))
			return nil
		},
		Cmds: commands,
	})
}

// credledger is the command as a process.
func credledger(ts *testscript.TestScript, args ...string) *exec.Cmd {
	path, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], "credledger"))
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"CREDLEDGER_HOME=" + ts.Getenv("CREDLEDGER_HOME"), "LANG=C"}
	return cmd
}

// interrupt ARGUMENTS... runs the command and kills it, later each time, until it comes to its end, which
// must be with success, and after a few times. What a home is not yet, it is not by half.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	for delay := 50 * time.Millisecond; ; delay = delay * 5 / 4 {
		cmd := credledger(ts, args...)
		var problems strings.Builder
		cmd.Stderr = &problems
		ts.Check(cmd.Start())
		timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() }) // it may have ended
		err := cmd.Wait()
		timer.Stop()
		var exit *exec.ExitError
		switch {
		case err == nil:
			ts.Logf("interrupted until it had %v", delay)
			if delay < 120*time.Millisecond {
				ts.Fatalf("it was hardly interrupted")
			}
			return
		case !errors.As(err, &exit) || exit.ExitCode() != -1:
			ts.Fatalf("after %v: %v: %s", delay, err, problems.String())
		}
		if _, err := os.Stat(filepath.Join(ts.Getenv("CREDLEDGER_HOME"), "credledger.yaml")); err == nil {
			ts.Logf("killed when it had just made the home")
			return
		}
		if delay > time.Minute {
			ts.Fatalf("it does not get on")
		}
	}
}

// together N ARGUMENTS... runs the command N times at once; all must succeed.
func together(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	problems := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			cmd := credledger(ts, args[1:]...)
			if out, err := cmd.CombinedOutput(); err != nil {
				problems[i] = errors.New(err.Error() + ": " + string(out))
			}
		})
	}
	all.Wait()
	ts.Check(errors.Join(problems...))
}

// heartbeat waits until the ledger's newest heartbeat is a later one than that with the given number,
// and sets BEAT to its own number.
func heartbeat(ts *testscript.TestScript, _ bool, args []string) {
	after, err := strconv.Atoi(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		commandtest.Run(ts, 0, "ledger", "show", "--json")
		values, err := commandtest.Values(ts.ReadFile("stdout"))
		ts.Check(err)
		number := commandtest.At(values[0], "heartbeat.sequence")
		if n, err := strconv.Atoi(number); err == nil && n > after {
			ts.Setenv("BEAT", number)
			return
		}
	}
	ts.Fatalf("no heartbeat after number %d for a minute", after)
}
