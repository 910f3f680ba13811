package fabric

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// A process is one that this package started, perhaps in another run of the program. A pid alone
// does not name a process, since pids are used again: the boot and the moment of its start do.
type process struct {
	PID   int    `json:"pid"`
	Boot  string `json:"boot"`  // the kernel's boot id
	Start uint64 `json:"start"` // clock ticks since the boot
}

// spawn starts a detached process: in a session of its own, so that it outlives this program and its
// terminal, with its output appended to a log. Its pid file is there before spawn returns.
func spawn(argv, env []string, dir, log, pidFile string) (process, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return process{}, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return process{}, err
	}
	p, err := identify(cmd.Process.Pid)
	if err == nil {
		err = p.write(pidFile)
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return process{}, err
	}
	go cmd.Wait() // else it would stay a zombie for as long as this program runs
	return p, nil
}

// identify tells which process has a pid now.
func identify(pid int) (process, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return process{}, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// proc(5): the name stands in brackets and may hold anything; the state is field 3, the start 22.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return process{}, fmt.Errorf("/proc/%d/stat has an unknown form", pid)
	}
	if state := string(fields[0]); state == "Z" || state == "X" {
		// Its first thread has ended. Others may still hold what the process has open, its ports too.
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil || len(threads) <= 1 {
			return process{}, fs.ErrNotExist
		}
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return process{PID: pid, Boot: string(bytes.TrimSpace(boot)), Start: start}, err
}

// write puts the pid file in place in one step.
func (p process) write(file string) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return replaceFile(file, append(b, '\n'), 0o644)
}

// readProcess reads a pid file; an absent or damaged one names no process.
func readProcess(file string) process {
	var p process
	b, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(b, &p) != nil || p.PID <= 1 {
		return process{}
	}
	return p
}

// alive reports whether this very process runs.
func (p process) alive() bool {
	if p.PID <= 1 {
		return false
	}
	now, err := identify(p.PID)
	return err == nil && now == p
}

// signal sends a signal to the process and the children of its session's group, if it is alive.
func (p process) signal(s syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	err := syscall.Kill(-p.PID, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

const (
	stopPatience = 10 * time.Second // from SIGTERM to SIGKILL
	killPatience = 5 * time.Second  // from SIGKILL to giving up
	pollInterval = 20 * time.Millisecond
)

// stop ends the process: politely, then not.
func (p process) stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if p.gone(ctx, stopPatience) {
		return nil
	}
	return p.kill()
}

// kill ends the process at once, and returns when it is gone.
func (p process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !p.gone(context.Background(), killPatience) {
		return fmt.Errorf("process %d does not end on SIGKILL", p.PID)
	}
	return nil
}

// gone waits until the process has ended; false if it has not in time.
func (p process) gone(ctx context.Context, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	for p.alive() {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		time.Sleep(pollInterval)
	}
	return true
}
