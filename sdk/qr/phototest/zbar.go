package phototest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Zbar returns what zbarimg reads in a picture, a PNG or JPEG: the texts of the QR symbols, one a line, or nothing. The
// test fails where zbarimg is not installed.
func Zbar(t testing.TB, picture []byte) string {
	t.Helper()
	program, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("zbarimg is needed for this test: install the package zbar-tools")
	}
	file := filepath.Join(t.TempDir(), "picture")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	command := exec.Command(program, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file)
	command.Stderr = &complaint
	out, err := command.Output()
	if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 4) { // 4: no symbol found
		t.Fatalf("zbarimg: %v: %s", err, complaint.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}
