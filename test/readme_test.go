package test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve/servetest"
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

// Both READMEs show the same commands: the three to begin with, those to try by hand, those of a network,
// those of the two services, and those of an exchange between departments.
func TestReadmesShowTheSame(t *testing.T) {
	english, chinese := blocks(t, readmes[0].file), blocks(t, readmes[1].file)
	if len(english) < 6 || len(chinese) < 6 {
		t.Fatal("the blocks of code are not found")
	}
	for i := range 6 {
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

// What the README shows of the services works, after what it shows before. Changed are the directory and
// the ports.
func TestReadmeServices(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "credledger"), "./cmd/credledger")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Symlink(filepath.Join(root, "sdk"), filepath.Join(dir, "sdk")); err != nil {
		t.Fatal(err)
	}
	changed := []string{"/tmp/", dir + "/"}
	for _, port := range []string{":8080", ":8443", ":9464", ":8090", ":8444", ":9465", ":8091", ":8092"} {
		changed = append(changed, port, ":"+freePort(t))
	}
	here := strings.NewReplacer(changed...)
	shell := func(command string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", here.Replace(command))
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "CREDLEDGER_HOME=" + dir + "/city"}
		return cmd
	}
	run := func(lines []shellLine, wants ...string) {
		t.Helper()
		for i, line := range lines {
			deadline := time.Now().Add(time.Minute)
			for {
				out, err := shell(line.command).CombinedOutput()
				if err == nil && (i >= len(wants) || strings.Contains(string(out), wants[i])) {
					break
				}
				if !strings.HasSuffix(line.command, "/readyz") || time.Now().After(deadline) { // a service becomes ready soon after it listens
					t.Fatalf("%s: %v\n%s", line.command, err, out)
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	// serve starts a service whose configuration has the ports of this test, until end is called.
	serve := func(line shellLine, config string) (end func()) {
		t.Helper()
		config = filepath.Join(dir, "city", config)
		b, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, []byte(here.Replace(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
		service := shell("exec " + line.command)
		said, err := service.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		service.Stderr = io.Discard
		if err := service.Start(); err != nil {
			t.Fatal(err)
		}
		end = sync.OnceFunc(func() {
			_ = service.Process.Signal(os.Interrupt)
			if err := service.Wait(); err != nil {
				t.Errorf("%s ends with %v", line.command, err)
			}
		})
		t.Cleanup(end)
		if first, err := bufio.NewReader(said).ReadString('\n'); err != nil { // where it listens, once it does
			t.Fatalf("%s says %q, %v", line.command, first, err)
		}
		return end
	}
	all := blocks(t, "../README.md")
	run(parseShell(all[1])[2:5]) // init, issue, present
	verifier, issuer := parseShell(all[3]), parseShell(all[4])
	endVerifier := serve(verifier[0], "verifier.yaml")
	run(verifier[1:], `"outcome":"valid"`, `"ready":true`)
	run(issuer[:2])
	serve(issuer[2], "issuer/civil-affairs/issuer.yaml")
	run(issuer[3:], `"ready":true`)
	if out, err := shell("curl -sf http://127.0.0.1:8091/").CombinedOutput(); err != nil || !strings.Contains(string(out), "我的证照") {
		t.Errorf("the wallet says %v\n%s", err, out)
	}
	endVerifier() // which has the access log
	run(parseShell(all[5]), "Released", "The evidence is good", "releases")
}

// freePort returns a port on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	address, err := servetest.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(address, ":")
	return port
}
