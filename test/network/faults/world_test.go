//go:build network

package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/credledger/credledger/network/fabric"
)

// insideVariable marks the process that has the world to itself.
const insideVariable = "CREDLEDGER_FAULTS_INSIDE"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(issuingVariable) != "":
		os.Exit(issuingProcess())
	case os.Getenv(insideVariable) == "":
		os.Exit(enterWorld())
	}
	if err := furnishWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// enterWorld runs this program again with the same arguments, in namespaces of its own, and returns
// its exit status. In a process namespace it is the process with whose end all others end.
func enterWorld() int {
	// There is no way to the outside from within, and a build may need modules.
	if _, err := fabric.Build(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	runtime.LockOSThread() // Pdeathsig is about the thread that started it
	err = cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintf(os.Stderr, "faults: these tests cut an organisation off in a network namespace of its own, and none can be had here: %v\n"+
			"Run them as root, or let ordinary users have namespaces: sysctl user.max_user_namespaces, "+
			"kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); "+
			"in a container, allow CAP_SYS_ADMIN.\n", err)
		return 1
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	fmt.Fprintln(os.Stderr, "faults:", err)
	return 1
}

// furnishWorld makes the namespaces usable: /proc tells of the processes within, and the loopback
// interface and a bridge between the organisations are up.
func furnishWorld() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts within the namespace: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc within the namespace: %w", err)
	}
	for _, args := range []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"address add " + address(0) + "/24 dev " + bridge,
		"link set " + bridge + " up",
	} {
		if err := ip(strings.Fields(args)...); err != nil {
			return err
		}
	}
	return nil
}

// ip runs the command of this name.
func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s (of Debian's package iproute2): %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
