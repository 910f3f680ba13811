//go:build network

package operations

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// startUnit starts what a unit says, as systemd would: with its environment and nothing else, in its
// working directory, until the test ends.
func (c *city) startUnit(file string) {
	c.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		c.Fatal(err)
	}
	var start []string
	var before [][]string
	var environment []string
	dir := ""
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "WorkingDirectory":
			dir = value
		case "Environment":
			environment = append(environment, c.words(value)...)
		case "ExecStartPre":
			before = append(before, c.words(value))
		case "ExecStart":
			start = c.words(value)
		}
	}
	if dir == "" || len(start) == 0 {
		c.Fatalf("%s starts nothing", file)
	}
	for _, argv := range before {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			c.Fatalf("%v: %v: %s", argv, err, out)
		}
	}
	name := strings.TrimSuffix(filepath.Base(file), ".service")
	log, err := os.Create(filepath.Join(c.network.Dir, name+".log"))
	if err != nil {
		c.Fatal(err)
	}
	cmd := exec.Command(start[0], start[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environment, log, log
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
		if c.Failed() {
			text, _ := os.ReadFile(log.Name())
			c.Logf("== %s\n%s", name, text[max(0, len(text)-2000):])
		}
	})
}

// words splits a value at spaces as systemd.syntax(7) does, as far as the units need it.
func (c *city) words(value string) []string {
	c.Helper()
	var out []string
	for value = strings.TrimSpace(value); value != ""; value = strings.TrimSpace(value) {
		word, rest, _ := strings.Cut(value, " ")
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			if word, rest, ok = strings.Cut(quoted, `"`); !ok {
				c.Fatalf("a quotation does not end: %s", value)
			}
		}
		if strings.ContainsAny(strings.ReplaceAll(word, "%%", ""), `\%$`) {
			c.Fatalf("the test does not read what systemd would: %s", word)
		}
		out = append(out, strings.ReplaceAll(word, "%%", "%"))
		value = rest
	}
	return out
}
