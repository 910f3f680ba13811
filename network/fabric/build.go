package fabric

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Programs that a network needs.
const (
	programPeer          = "peer"
	programOrderer       = "orderer"
	programConfigtxgen   = "configtxgen"
	programConfigtxlator = "configtxlator"
	programCryptogen     = "cryptogen"
	programBuilder       = "credledger-builder"
	programChaincode     = "credledger-chaincode"
	programCredledger    = "credledger"
)

// fabricVersion is the release of Fabric that the nested module pins, as its programs report it.
const fabricVersion = "2.5.9"

// Build builds the programs that a network runs, from the source tree that this package was
// compiled from, and returns their directory. Fabric's own programs and the external builder are
// built once, by the nested module that pins their version, and kept in the user's cache directory;
// the chaincode server is built each time, which takes a moment if nothing changed. (The program
// credledger, which sends heartbeats, is added by a Network that has to.) It needs Go, no C compiler.
// Processes that run an earlier build are not disturbed.
func Build(ctx context.Context, progress io.Writer) (dir string, err error) {
	root, err := sourceTree()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", failf(CodeProgramsMissing, "there is no cache directory to build in (%w): set HOME, or name the programs' directory in the topology (programs:)", err)
	}
	cache = filepath.Join(cache, programCredledger)
	key, err := fabricKey(root)
	if err != nil {
		return "", err
	}
	pinned := filepath.Join(cache, "fabric-"+key)
	ours := filepath.Join(cache, "tree-"+digest([]byte(root), []byte(key)))
	for _, dir := range []string{cache, ours} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", failf(CodeBuildFailed, "%w", err)
		}
	}
	unlock, err := lock(ctx, filepath.Join(cache, "lock"), func() { fmt.Fprintln(progress, "waiting for another build") })
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := buildFabric(ctx, root, pinned, progress); err != nil {
		return "", err
	}
	if err := buildInto(ctx, root, ours, programChaincode); err != nil {
		return "", err
	}
	return ours, linkAll(pinned, ours)
}

// sourceTree finds the root of the module from where this file was compiled.
func sourceTree() (string, error) {
	_, self, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(self)))
	if _, err := os.Stat(filepath.Join(root, "network", "fabric", "programs", "go.mod")); err != nil {
		return "", failf(CodeProgramsMissing, "the programs of the network are not here, and neither is the source tree to build them from: name their directory in the topology (programs:)")
	}
	if _, err := exec.LookPath("go"); err != nil {
		return "", failf(CodeProgramsMissing, "the programs of the network are built with Go, which is not in PATH: install Go, or name the programs' directory in the topology (programs:)")
	}
	return root, nil
}

// fabricKey names what the nested module's programs are built from.
func fabricKey(root string) (string, error) {
	dir := filepath.Join(root, "network", "fabric", "programs")
	parts := [][]byte{[]byte(runtime.Version())}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		parts = append(parts, []byte(path[len(dir):]), b)
		return err
	})
	if err != nil {
		return "", failf(CodeBuildFailed, "%w", err)
	}
	return digest(parts...), nil
}

// digest is a short name for contents.
func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// buildFabric builds the nested module's programs, unless dir has them: it gets its name when it is
// complete.
func buildFabric(ctx context.Context, root, dir string, progress io.Writer) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	fmt.Fprintf(progress, "building the programs of Hyperledger Fabric %s, once: about two minutes\n", fabricVersion)
	temporary, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	const commands = "github.com/hyperledger/fabric/cmd/"
	nested := filepath.Join(root, "network", "fabric", "programs")
	version := "-X github.com/hyperledger/fabric/common/metadata.Version=" + fabricVersion
	if err := goBuild(ctx, nested, "-ldflags", "-s -w "+version, "-o", temporary+"/",
		commands+programPeer, commands+programOrderer, commands+programConfigtxgen, commands+programConfigtxlator,
		commands+programCryptogen); err != nil {
		return err
	}
	if err := goBuild(ctx, nested, "-ldflags", "-s -w", "-o", filepath.Join(temporary, programBuilder), "./builder"); err != nil {
		return err
	}
	if err := os.Rename(temporary, dir); err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	return nil
}

// buildInto builds one of this module's programs and puts it in place in one step.
func buildInto(ctx context.Context, root, dir, name string) error {
	temporary, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	defer os.RemoveAll(temporary)
	if err := goBuild(ctx, root, "-o", filepath.Join(temporary, name), "./cmd/"+name); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(temporary, name), filepath.Join(dir, name)); err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	return nil
}

func goBuild(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return failf(CodeBuildFailed, "go build in %s: %w\n%s", dir, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

// linkAll makes the files of one directory available in another.
func linkAll(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return failf(CodeBuildFailed, "%w", err)
	}
	for _, f := range files {
		err := os.Symlink(filepath.Join(from, f.Name()), filepath.Join(to, f.Name()))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return failf(CodeBuildFailed, "%w", err)
		}
	}
	return nil
}

// checkPrograms reports the first program that is missing.
func checkPrograms(dir string, names ...string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return failf(CodeProgramsMissing, "%s is not there or cannot be run: name the directory of all programs in the topology (programs:), or leave it out to have them built", path)
		}
	}
	return nil
}
