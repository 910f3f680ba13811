package main

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
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
)

// What the scripts can say beside the commands of testscript.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	// credledger ARGUMENTS... runs the command, which must end with 0.
	"credledger": func(ts *testscript.TestScript, _ bool, args []string) { runInScript(ts, exitDone, args) },

	// exits CODE ARGUMENTS... runs the command, which must end with that exit code.
	"exits": func(ts *testscript.TestScript, _ bool, args []string) {
		code, err := strconv.Atoi(args[0])
		ts.Check(err)
		runInScript(ts, code, args[1:])
	},

	// json FILE PATH VALUE ... wants values in the JSON of a file, of stdout or stderr. A path is the
	// names and indices that lead there, with dots between; it begins with an index where the file
	// holds several JSON values.
	"json": func(ts *testscript.TestScript, _ bool, args []string) {
		for i := 1; i+1 < len(args); i += 2 {
			if got := jsonAt(ts, args[0], args[i]); got != args[i+1] {
				ts.Fatalf("%s: %s is %s, want %s", args[0], args[i], got, args[i+1])
			}
		}
	},

	// setjson NAME FILE PATH sets a variable to a value in the JSON of a file.
	"setjson": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Setenv(args[0], jsonAt(ts, args[1], args[2]))
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

	// copytree FROM TO copies a directory.
	"copytree": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
	},
}

// runInScript runs the command as a process of its own and checks what holds of every run: that
// JSON is asked for and had, on standard error too; that a failure says why; and that what a
// failure says holds nothing personal.
func runInScript(ts *testscript.TestScript, want int, args []string) {
	got := exitDone
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
		_, err := jsonValues(stdout)
		ts.Check(err)
		if problems, err := jsonValues(stderr); err != nil {
			ts.Fatalf("standard error is not JSON: %v", err)
		} else if len(problems) > 0 {
			if code := at(problems[0], "error.code"); len(problems) > 1 || code == "" || code == "failed" || at(problems[0], "error.message") == "" {
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
	failed := got == exitFailed || got == exitUsage
	switch {
	case !failed && stderr != "":
		ts.Fatalf("it did not fail, but wrote to standard error")
	case failed && stdout == "" && stderr == "":
		ts.Fatalf("it failed without a word")
	}
	if text := personal(stderr); text != "" {
		ts.Fatalf("standard error holds personal data: %s", text)
	}
	if text := personal(stdout); text != "" && failed && verdicts == 1 {
		ts.Fatalf("the output of a failure holds personal data: %s", text)
	}
}

// jsonAt finds a value in the JSON of a file.
func jsonAt(ts *testscript.TestScript, file, path string) string {
	values, err := jsonValues(ts.ReadFile(file))
	ts.Check(err)
	if len(values) == 1 {
		return at(values[0], path)
	}
	return at(values, path)
}

// at follows a path into a JSON value, and writes what is there: null and what is absent as "".
func at(v any, path string) string {
	for step := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if step == "length" {
				v = float64(len(node))
			} else if err != nil || i >= len(node) {
				return ""
			} else {
				v = node[i]
			}
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// personalData are the values in the sample licences that name or describe a person or a place.
var personalData = sync.OnceValue(func() []string {
	types, err := catalog.Types()
	if err != nil {
		panic(err)
	}
	var out []string
	for _, t := range types {
		f, err := samples.Files.Open(t.ID + ".jsonl")
		if err != nil {
			panic(err)
		}
		r, err := licence.NewReader(f, t)
		if err != nil {
			panic(err)
		}
		for doc, err := r.Next(); err == nil; doc, err = r.Next() {
			for i, field := range t.Fields {
				switch {
				case field.Classification == licence.Public, field.Kind == licence.KindDate, strings.Contains(field.Key, "ationality"):
				case !doc.ValueAt(i).IsNull():
					out = append(out, doc.ValueAt(i).Strings()...)
				}
			}
		}
	}
	if len(out) < 500 {
		panic("the samples are not read")
	}
	return append(out, "司马一", "990101196802291232", "阿依古丽", "990101197011094042", "欧阳静", "WH990101", "L990101")
})

// personal returns a personal value that a text holds, "" if it holds none.
func personal(text string) string {
	for _, value := range personalData() {
		if strings.Contains(text, value) {
			return value
		}
	}
	return ""
}

func noPersonalData(t testing.TB, text string) {
	t.Helper()
	if value := personal(text); value != "" {
		t.Fatalf("%q holds personal data: %s", text, value)
	}
}

// noPersonalRejects wants no personal data in the reasons of rejections, under a directory.
func noPersonalRejects(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "rejects.jsonl") {
			return err
		}
		b, err := os.ReadFile(path)
		if value := personal(string(b)); err == nil && value != "" {
			err = fmt.Errorf("%s holds personal data: %s", path, value)
		}
		return err
	})
}

// sampleDir has the sample licences as files: those that are built in, in more those of two types
// that are not, in catalogue all five types, and the built-in departments.
func sampleDir(t testing.TB) string {
	dir := t.TempDir()
	const source = "../../sdk/licence"
	copies := [][2]string{
		{source + "/samples/*.json*", "."},
		{source + "/samples/*.xml", "."},
		{source + "/samples/*.csv", "."},
		{source + "/testdata/*-1.json", "more"},
		{source + "/testdata/types/*.json", "catalogue"},
		{source + "/catalog/[^d]*.json", "catalogue"},
		{source + "/catalog/departments.json", "."},
	}
	for _, c := range copies {
		files, err := filepath.Glob(c[0])
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", c[0], err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err == nil {
				err = os.MkdirAll(filepath.Join(dir, c[1]), 0o755)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, c[1], filepath.Base(file)), b, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
