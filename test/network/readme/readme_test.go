//go:build network

package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkCommands: the third block of the README works, line by line. Only that it is in /tmp is
// changed. It takes the ports of the default topology.
func TestNetworkCommands(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(readme), "\n```\n")
	if len(parts) < 6 {
		t.Fatal("the README has no third block of code")
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "credledger"), "./cmd/credledger")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	shell := func(command string) (string, error) {
		cmd := exec.Command("/bin/sh", "-c", command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Cleanup(func() { shell("./credledger network down --topology net/topology.yaml") })
	commands := strings.Split(parts[5], "\n")
	for _, command := range commands {
		out, err := shell(strings.ReplaceAll(command, "/tmp/", dir+"/"))
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		if strings.Contains(command, "ledger show") && !strings.Contains(out, "civil-affairs") {
			t.Errorf("%s:\n%s", command, out)
		}
	}
	if len(commands) != 5 || !strings.Contains(commands[4], "network down") {
		t.Errorf("the commands are %q", commands)
	}
}
