package vectors_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// runPython runs check.py of a folder, and returns its output and whether it found everything right.
func runPython(t *testing.T, folder string) (output string, right bool) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is needed to run the second implementation, check.py: install Python 3.8 or later")
	}
	out, err := exec.Command(python, filepath.Join(folder, "check.py")).CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatalf("run check.py: %v", err)
	}
	return string(out), err == nil
}

// A second implementation, which shares no code with this one, finds the same in every file.
func TestSecondImplementation(t *testing.T) {
	output, right := runPython(t, ".")
	if want := fmt.Sprintf("%d files, 0 problems\n", len(paths(t))); !right || output != want {
		t.Errorf("check.py says:\n%s\nwant %s", output, want)
	}
}

// It is no yes-man: with one digit of one file changed it says so.
func TestSecondImplementationNotices(t *testing.T) {
	folder := t.TempDir()
	for _, path := range append(paths(t), "check.py") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if path == filepath.Join(goodFolder, "statement-head.json") {
			at := bytes.Index(b, []byte(`"payload": "`)) + 40
			b[at] ^= 1 // another hexadecimal digit
		}
		if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, path), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if output, right := runPython(t, folder); right {
		t.Errorf("check.py says:\n%s", output)
	}
}
