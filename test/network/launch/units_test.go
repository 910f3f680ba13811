//go:build network

package launch

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/credledger/credledger/network/fabric"
	"github.com/credledger/credledger/test/fabrictest"
)

// The processes run from the rendered units: here a test stands for systemd. Up joins them and
// starts nothing itself.
func TestUnits(t *testing.T) {
	n := fabrictest.New(t, fabrictest.Options{Organisations: fabrictest.Organisations[:2], Orderers: 1})
	edit(t, n, "authority:", "supervisor: systemd\nauthority:")
	if err := n.Render(t.Context(), progress(t)); err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob(filepath.Join(n.Dir, "n", "systemd", "credledger-*.service"))
	if err != nil || len(units) != 5 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, unit := range units {
		startUnit(t, unit)
	}
	n.Up()
	s := status(t, n)
	if len(s.Problems) > 0 || s.Chaincode.Sequence != 1 {
		t.Errorf("%+v", s)
	}
	for _, p := range s.Processes {
		if p.PID != 0 || p.State != fabric.StateRunning {
			t.Errorf("%+v", p)
		}
	}
	if err := n.Network.Down(context.Background()); fabric.Code(err) != fabric.CodeSupervised {
		t.Errorf("%v", err)
	}
	edit(t, n, "supervisor: systemd\n", "") // so that the cleanup's Down has nothing to complain of
}

// unescape undoes what in a unit would begin a specifier or a variable.
var unescape = strings.NewReplacer("%%", "%", "$$", "$")

var word = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// startUnit starts what a unit says, and ends it with the test.
func startUnit(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := new(exec.Cmd)
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var words []string
		for _, quoted := range word.FindAllString(value, -1) {
			w, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, unescape.Replace(w))
		}
		switch key {
		case "ExecStart":
			cmd.Path, cmd.Args = words[0], words
		case "Environment":
			cmd.Env = append(cmd.Env, words...)
		case "WorkingDirectory":
			cmd.Dir = value
		}
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait() // SIGTERM is how it should end
	})
}
