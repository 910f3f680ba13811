//go:build network

package launch

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/test/fabrictest"
)

// programsVariable tells the part of TestWithoutRoot that has no rights where the programs are.
const programsVariable = "CREDLEDGER_TEST_PROGRAMS"

// nobody is a user and a group without any rights.
const nobody = 65534

// A user without any rights brings a network up and down. If the tests are root's, they run
// themselves again as such a user.
func TestWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		upAndDown(t, os.Getenv(programsVariable))
		return
	}
	dir, err := os.MkdirTemp("", "cl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	programs := filepath.Join(dir, "programs")
	copyAll(t, fabrictest.Programs(t), programs)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test")
	copyFile(t, self, program)
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestWithoutRoot$", "-test.v")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"), programsVariable + "=" + programs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

func upAndDown(t *testing.T, programs string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "topology.yaml")
	if err := os.WriteFile(file, fabrictest.Options{}.File(t), 0o644); err != nil {
		t.Fatal(err)
	}
	topology, err := fabric.LoadTopology(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := fabric.New(topology, programs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Down(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := n.Up(t.Context(), progress(t)); err != nil {
		t.Fatal(err)
	}
	s, err := n.Status(t.Context())
	if err != nil || len(s.Problems) > 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// copyAll copies a directory; symbolic links to files outside become files.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if info, err := os.Stat(source); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			copyAll(t, source, target)
		} else {
			copyFile(t, source, target)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		t.Fatal(err)
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
}
