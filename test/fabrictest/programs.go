package fabrictest

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"testing"

	"github.com/credledger/credledger/network/fabric"
)

var build struct {
	sync.Mutex
	dir      string            // of the network's programs
	programs map[string]string // path by package
}

// Programs returns the directory of the programs that networks run; the first call in a test
// process builds them.
func Programs(tb testing.TB) string {
	tb.Helper()
	build.Lock()
	defer build.Unlock()
	if build.dir == "" {
		dir, err := fabric.Build(context.Background(), tb.Output())
		if err != nil {
			tb.Fatal(err)
		}
		build.dir = dir
	}
	return build.dir
}

// Program builds a main package of this module, named by its import path, once in a test process,
// and returns the path of the program.
func Program(tb testing.TB, pkg string) string {
	tb.Helper()
	build.Lock()
	defer build.Unlock()
	if p := build.programs[pkg]; p != "" {
		return p
	}
	// Beside the test program, which go test removes with its directory.
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	program := filepath.Join(filepath.Dir(self), path.Base(pkg))
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	if build.programs == nil {
		build.programs = map[string]string{}
	}
	build.programs[pkg] = program
	return program
}

// withHeartbeat is a directory of the programs with the one that sends heartbeats.
func withHeartbeat(tb testing.TB, programs string) string {
	tb.Helper()
	dir := tb.TempDir()
	files, err := os.ReadDir(programs)
	if err != nil {
		tb.Fatal(err)
	}
	links := map[string]string{"credledger": Program(tb, "github.com/credledger/credledger/cmd/credledger")}
	for _, f := range files {
		if f.Name() != "credledger" {
			links[f.Name()] = filepath.Join(programs, f.Name())
		}
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}
