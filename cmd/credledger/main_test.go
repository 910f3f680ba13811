package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// fileLimit is a variable of the environment with the size in bytes that the test binary, run as the
// command, can write no file beyond: what it meets there is what it meets on a full disk.
const fileLimit = "CREDLEDGER_TEST_FILE_LIMIT"

// TestMain makes the test binary the command itself when it is run under the command's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "credledger" {
		os.Exit(m.Run())
	}
	if limit, err := strconv.ParseUint(os.Getenv(fileLimit), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			panic(err)
		}
	}
	main()
}

// commandDir makes a directory that holds the command, for PATH.
func commandDir(t testing.TB) string {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "credledger")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A process runs the command as processes of their own.
type process struct {
	t    testing.TB
	bin  string
	dir  string   // working directory
	env  []string // beside CREDLEDGER_HOME
	home string
}

func newProcess(t testing.TB) *process {
	dir := t.TempDir()
	return &process{t: t, bin: commandDir(t), dir: dir, home: filepath.Join(dir, "home")}
}

// patient is how long a command may take, and a service run, before it is taken to hang.
const patient = 5 * time.Minute

func (p *process) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "credledger"), args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{"CREDLEDGER_HOME=" + p.home, "TMPDIR=" + p.dir, "LANG=C"}, p.env...)
	return cmd
}

// run runs the command and wants its exit code. It returns what was written.
func (p *process) run(want int, args ...string) (stdout, stderr string) {
	p.t.Helper()
	var out, problems bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if got := exitCode(p.t, cmd.Run()); got != want {
		p.t.Fatalf("credledger %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	commandtest.NoPersonalData(p.t, problems.String())
	return out.String(), problems.String()
}

func exitCode(t testing.TB, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return 0
}

func TestScripts(t *testing.T) {
	bin := commandDir(t)
	samples := commandtest.Samples(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("CREDLEDGER_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LANG", "C")
			env.Setenv("SAMPLES", samples)
			env.Defer(func() {
				if err := commandtest.NoPersonalRejects(env.WorkDir); err != nil {
					t.Error(err)
				}
			})
			return nil
		},
		Cmds: commandtest.Commands,
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("unknown condition %s", name)
			}
			return os.Geteuid() == 0, nil
		},
	})
}
