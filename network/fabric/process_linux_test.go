package fabric

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func startProcess(t *testing.T, argv ...string) (p process, pidFile, log string) {
	t.Helper()
	dir := t.TempDir()
	pidFile, log = filepath.Join(dir, "pid"), filepath.Join(dir, "log")
	p, err := spawn(argv, []string{"PATH=" + os.Getenv("PATH"), "WORD=told"}, dir, log, pidFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	return p, pidFile, log
}

func TestProcess(t *testing.T) {
	p, pidFile, log := startProcess(t, "/bin/sh", "-c", "echo $WORD; pwd; exec sleep 60")
	if read := readProcess(pidFile); read != p || !p.alive() {
		t.Fatalf("the pid file says %+v, started was %+v, alive %v", read, p, p.alive())
	}
	if sid, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(p.PID), 0, 0); errno != 0 || int(sid) != p.PID {
		t.Errorf("session %d of process %d: a terminal's end would end it", sid, p.PID)
	}
	if got, want := written(t, log, 2), "told\n"+filepath.Dir(log)+"\n"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	if err := p.stop(t.Context()); err != nil || p.alive() {
		t.Errorf("stop: %v, alive %v", err, p.alive())
	}
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("stop of what has ended: %v", err)
	}
}

// A process that ignores SIGTERM, and its children, end on kill.
func TestKill(t *testing.T) {
	p, _, log := startProcess(t, "/bin/sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; wait")
	pid, err := strconv.Atoi(strings.TrimSpace(written(t, log, 1)))
	if err != nil {
		t.Fatal(err)
	}
	child, err := identify(pid)
	if err != nil || !child.alive() {
		t.Fatalf("the child does not run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no patience
	if err := p.stop(ctx); err != nil || p.alive() {
		t.Errorf("stop without patience: %v, alive %v", err, p.alive())
	}
	if !child.gone(t.Context(), 5*time.Second) {
		t.Error("the child goes on")
	}
}

// written waits until a log has a number of lines.
func written(t *testing.T, log string, lines int) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(pollInterval) {
		b, err := os.ReadFile(log)
		if err == nil && strings.Count(string(b), "\n") >= lines {
			return string(b)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has %q, %v", b, err)
		}
	}
}

// A pid file names a process, not whatever has its pid later.
func TestReusedPID(t *testing.T) {
	self, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !self.alive() {
		t.Fatal("this process is not alive")
	}
	for name, p := range map[string]process{
		"started at another time": {self.PID, self.Boot, self.Start + 1},
		"of another boot":         {self.PID, "another", self.Start},
		"none":                    {},
		"of everybody":            {PID: -1, Boot: self.Boot, Start: self.Start},
		"init":                    {PID: 1, Boot: self.Boot},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			if err := p.write(file); err != nil {
				t.Fatal(err)
			}
			read := readProcess(file)
			if read.alive() {
				t.Fatal("is taken for a running process")
			}
			// These would end this test, or more.
			if err := errors.Join(read.stop(t.Context()), read.kill()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamagedPIDFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	for _, content := range []string{"", "\n", "12", `{"pid":"12"}`, `{"pid":12`, "{}"} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if p := readProcess(file); p.PID != 0 || p.alive() {
			t.Errorf("%q names %+v", content, p)
		}
	}
}

// A process that has ended and that nobody has waited for is not alive.
func TestZombie(t *testing.T) {
	cmd := exec.Command("/bin/sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if !p.gone(t.Context(), 5*time.Second) {
		t.Error("a zombie counts as alive")
	}
	if _, err := identify(p.PID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("identify a zombie: %v", err)
	}
	cmd.Wait()
}

func TestSpawnFailure(t *testing.T) {
	dir := t.TempDir()
	if _, err := spawn([]string{filepath.Join(dir, "absent")}, nil, dir, filepath.Join(dir, "log"), filepath.Join(dir, "pid")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// Without its pid file, a process must not go on.
	if _, err := spawn([]string{"/bin/sleep", "60"}, nil, dir, filepath.Join(dir, "log"), filepath.Join(dir, "absent", "pid")); err == nil {
		t.Error("spawn without a place for the pid file succeeds")
	}
}

func TestLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := lock(ctx, file, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("a lock that is held: %v", err)
	}
	waited := false
	again, err := lock(t.Context(), file, func() { waited = true; unlock() })
	if err != nil || !waited {
		t.Fatalf("a lock that becomes free: %v, waited %v", err, waited)
	}
	again()
	if _, err := lock(t.Context(), filepath.Join(file, "inside"), nil); Code(err) != CodeDirectory {
		t.Errorf("a lock that cannot be: %v", err)
	}
}
