// Package commandtest helps to test the command from outside: what scripts can say, what is in the
// JSON that it answers with, the sample licences as files, and what of them is personal and must not
// be seen where it is not asked for. It is for tests alone.
package commandtest

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credledger/credledger/network/embedded"
)

// Commands is what scripts can say beside the commands of testscript.
var Commands = map[string]func(*testscript.TestScript, bool, []string){
	// credledger ARGUMENTS... runs the command, which must end with 0.
	"credledger": func(ts *testscript.TestScript, _ bool, args []string) { Run(ts, 0, args...) },

	// exits CODE ARGUMENTS... runs the command, which must end with that exit code.
	"exits": func(ts *testscript.TestScript, _ bool, args []string) {
		code, err := strconv.Atoi(args[0])
		ts.Check(err)
		Run(ts, code, args[1:]...)
	},

	// serveissuer DEPARTMENT runs the issuing service of a department until the script ends, at ISSUER_URL.
	"serveissuer": func(ts *testscript.TestScript, _ bool, args []string) { serveIssuer(ts, args[0]) },

	// json FILE PATH VALUE ... wants values in the JSON of a file, of stdout or stderr. A path is the
	// names and indices that lead there, with dots between; it begins with an index where the file
	// holds several JSON values.
	"json": func(ts *testscript.TestScript, _ bool, args []string) {
		for i := 1; i+1 < len(args); i += 2 {
			if got := valueAt(ts, args[0], args[i]); got != args[i+1] {
				ts.Fatalf("%s: %s is %s, want %s", args[0], args[i], got, args[i+1])
			}
		}
	},

	// setjson NAME FILE PATH sets a variable to a value in the JSON of a file.
	"setjson": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Setenv(args[0], valueAt(ts, args[1], args[2]))
	},

	// count N PATTERN wants so many files of a pattern.
	"count": func(ts *testscript.TestScript, _ bool, args []string) {
		files, err := filepath.Glob(ts.MkAbs(args[1]))
		ts.Check(err)
		if strconv.Itoa(len(files)) != args[0] {
			ts.Fatalf("%d files %s, want %s", len(files), args[1], args[0])
		}
	},

	// flip FILE N/D changes a bit of the byte that is N/D of the way into the file.
	"flip": func(ts *testscript.TestScript, _ bool, args []string) {
		var n, d int
		_, err := fmt.Sscanf(args[1], "%d/%d", &n, &d)
		ts.Check(err)
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		ts.Check(err)
		b[len(b)*n/d] ^= 1
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
	},

	// replace OLD NEW FILE replaces a text, which the file must have.
	"replace": func(ts *testscript.TestScript, _ bool, args []string) {
		b, err := os.ReadFile(ts.MkAbs(args[2]))
		ts.Check(err)
		replaced := strings.ReplaceAll(string(b), args[0], args[1])
		if replaced == string(b) {
			ts.Fatalf("%s does not have %q", args[2], args[0])
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(replaced), 0o600))
	},

	// hold HOME has the ledger of a home open in this process until the end of the script.
	"hold": func(ts *testscript.TestScript, _ bool, args []string) {
		store, err := embedded.Open(filepath.Join(ts.MkAbs(args[0]), "ledger"))
		ts.Check(err)
		ts.Defer(func() { store.Close() })
	},

	// jpeg PNG JPEG writes a picture as a JPEG.
	"jpeg": func(ts *testscript.TestScript, _ bool, args []string) {
		picture, err := png.Decode(strings.NewReader(ts.ReadFile(args[0])))
		ts.Check(err)
		var out bytes.Buffer
		ts.Check(jpeg.Encode(&out, picture, &jpeg.Options{Quality: 60}))
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o600))
	},

	// copytree FROM TO copies a directory, with the permissions of what is in it.
	"copytree": func(ts *testscript.TestScript, _ bool, args []string) {
		from, to := ts.MkAbs(args[0]), ts.MkAbs(args[1])
		ts.Check(os.CopyFS(to, os.DirFS(from)))
		ts.Check(filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			name, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			return os.Chmod(filepath.Join(to, name), info.Mode().Perm())
		}))
	},
}

// Run runs the command, the credledger in PATH, as a process of its own, which must end with an exit
// code. It checks what holds of every run: that JSON is asked for and had, on standard error too; that
// a failure says why; and that what a failure says holds nothing personal.
func Run(ts *testscript.TestScript, want int, args ...string) {
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec("credledger", args...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	verdicts := 0 // lines that are not indented
	if slices.Contains(args, "--json") {
		_, err := Values(stdout)
		ts.Check(err)
		if problems, err := Values(stderr); err != nil {
			ts.Fatalf("standard error is not JSON: %v", err)
		} else if len(problems) > 0 {
			if code := At(problems[0], "error.code"); len(problems) > 1 || code == "" || code == "failed" || At(problems[0], "error.message") == "" {
				ts.Fatalf("not an error with a code: %s", stderr)
			}
		}
	} else {
		for line := range strings.Lines(stdout) {
			if !strings.HasPrefix(line, " ") {
				verdicts++
			}
		}
	}
	failed := got == 1 || got == 2 || got == 4 && stdout == "" // an outage, before there was a verdict
	switch {
	case !failed && stderr != "" && args[0] != "network": // whose progress is long
		ts.Fatalf("it did not fail, but wrote to standard error")
	case failed && stdout == "" && stderr == "":
		ts.Fatalf("it failed without a word")
	}
	if text := Personal(stderr); text != "" {
		ts.Fatalf("standard error holds personal data: %s", text)
	}
	if text := Personal(stdout); text != "" && failed && verdicts == 1 {
		ts.Fatalf("the output of a failure holds personal data: %s", text)
	}
}
