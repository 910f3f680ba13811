package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// blocks returns the blocks of code in a Markdown file, in their order, as lines.
func blocks(t *testing.T, file string) [][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for i, part := range strings.Split(string(b), "\n```") {
		if i%2 == 1 {
			_, code, _ := strings.Cut(part, "\n") // without the language
			out = append(out, strings.Split(code, "\n"))
		}
	}
	return out
}

// A shellLine is a command of a README, with what its comment promises.
type shellLine struct {
	command string
	comment string
	exit    int
}

var exitPromise = regexp.MustCompile(`(?:exit code |退出码 )(\d)$`)

func parseShell(lines []string) []shellLine {
	var out []shellLine
	for _, line := range lines {
		command, comment, _ := strings.Cut(line, " # ")
		s := shellLine{command: strings.TrimSpace(command), comment: strings.TrimSpace(comment)}
		if m := exitPromise.FindStringSubmatch(s.comment); m != nil {
			s.exit, _ = strconv.Atoi(m[1])
			s.comment = strings.TrimRight(strings.TrimSuffix(s.comment, m[0]), ":;: ")
		}
		out = append(out, s)
	}
	return out
}

// commandsOf returns the commands without their comments and without the choice of a language.
func commandsOf(lines []shellLine) []string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.ReplaceAll(l.command, " --lang zh", ""))
	}
	return out
}

// readmes are the READMEs, with what a verdict begins with in each.
var readmes = []struct{ file, valid string }{
	{"../README.md", "Verified: genuine and in force\n"},
	{"../docs/README.zh-CN.md", "核验通过,现行有效\n"},
}

// Both READMEs show the same commands: the three to begin with, and those to try by hand.
func TestReadmesShowTheSame(t *testing.T) {
	english, chinese := blocks(t, readmes[0].file), blocks(t, readmes[1].file)
	if len(english) < 3 || len(chinese) < 3 {
		t.Fatal("the blocks of code are not found")
	}
	for i := range 3 {
		if en, zh := commandsOf(parseShell(english[i])), commandsOf(parseShell(chinese[i])); !slices.Equal(en, zh) {
			t.Errorf("the commands differ:\n%s\n%s", strings.Join(en, "\n"), strings.Join(zh, "\n"))
		}
	}
	if got := commandsOf(parseShell(english[0])); !slices.Equal(got, []string{"go run ./cmd/credledger demo", "bash test/run", "go run ./cmd/credledger demo --network"}) {
		t.Errorf("the first commands are %q", got)
	}
}

// What the READMEs have the reader try by hand works, on a machine where nothing was done before.
// Only that it is in /tmp is changed: here it is in the test's own directory.
func TestReadmeCommands(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "credledger")
	build := exec.Command("go", "build", "-o", binary, "./cmd/credledger")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, readme := range readmes {
		t.Run(filepath.Base(readme.file), func(t *testing.T) {
			lines := parseShell(blocks(t, readme.file)[1])
			if lines[0].command != "go build -o credledger ./cmd/credledger" {
				t.Fatalf("it begins with %s", lines[0].command)
			}
			dir := t.TempDir()
			for from, to := range map[string]string{binary: "credledger", filepath.Join(root, "sdk"): "sdk"} {
				if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
					t.Fatal(err)
				}
			}
			env := []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
			verdicts := 0
			for _, line := range lines[1:] {
				command := strings.ReplaceAll(line.command, "/tmp/", dir+"/")
				if variable, ok := strings.CutPrefix(command, "export "); ok {
					env = append(env, variable)
					continue
				}
				var out, problems bytes.Buffer
				cmd := exec.Command("/bin/sh", "-c", command)
				cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &problems
				var exit *exec.ExitError
				if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				if got := cmd.ProcessState.ExitCode(); got != line.exit {
					t.Fatalf("%s: exit code %d, want %d\n%s%s", line.command, got, line.exit, out.String(), problems.String())
				}
				if !strings.Contains(strings.ToLower(out.String()), strings.ToLower(line.comment)) {
					t.Errorf("%s: the README says %q, the command\n%s", line.command, line.comment, out.String())
				}
				if strings.Contains(command, " verify ") && line.exit == 0 {
					verdicts++
					if !strings.HasPrefix(out.String(), readme.valid) {
						t.Errorf("%s: the verdict is\n%s", line.command, out.String())
					}
				}
			}
			if verdicts != 1 || len(lines) < 8 {
				t.Errorf("%d lines with %d valid verdicts", len(lines), verdicts)
			}
		})
	}
}
