package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// said runs the command in this process, without a home.
func said(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	env := &environment{
		stdin: strings.NewReader(""), stdout: &out, stderr: &problems,
		getenv: func(string) string { return "" }, now: time.Now,
	}
	if got := run(context.Background(), env, args); got != want {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, want, out.String(), problems.String())
	}
	return out.String(), problems.String()
}

var flagName = regexp.MustCompile(`--([a-z-]+)`)

// Every command has help, in which each of its flags is, and no other.
func TestHelp(t *testing.T) {
	overview, _ := said(t, exitDone, "help")
	for _, cmd := range commands() {
		words := strings.Fields(cmd.name)
		text, problems := said(t, exitDone, append([]string{"help"}, words...)...)
		if again, _ := said(t, exitDone, append(words, "--help")...); again != text || problems != "" {
			t.Errorf("%s: help and --help differ", cmd.name)
		}
		if !strings.Contains(text, "\nusage: credledger "+cmd.name) {
			t.Errorf("%s: no usage line", cmd.name)
		}
		if !strings.Contains(overview, "\n  "+cmd.name+" ") || !strings.Contains(overview, cmd.summary) {
			t.Errorf("%s is not in the overview", cmd.name)
		}
		for line := range strings.Lines(overview + text) {
			if columns := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns > 140 {
				t.Errorf("%s: a line of %d columns: %s", cmd.name, columns, line)
			}
		}
		c := &call{environment: &environment{}, command: cmd, flags: pflag.NewFlagSet("", pflag.ContinueOnError)}
		if cmd.flags != nil {
			cmd.flags(c)
		}
		for _, name := range []string{"home", "json", "lang"} {
			c.flags.String(name, "", "of every command")
		}
		c.flags.VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(text, "--"+f.Name+" ") || strings.TrimSpace(f.Usage) == "" {
				t.Errorf("%s: the help does not have --%s", cmd.name, f.Name)
			}
		})
		for _, match := range flagName.FindAllStringSubmatch(cmd.args, -1) {
			if c.flags.Lookup(match[1]) == nil {
				t.Errorf("%s: the usage line has --%s, which there is not", cmd.name, match[1])
			}
		}
	}
	for _, args := range [][]string{{"help", "status"}, {"help", "nothing"}, {"keys"}, {"nothing"}} {
		if _, problems := said(t, exitUsage, args...); problems == "" {
			t.Errorf("%v: nothing is said", args)
		}
	}
}

// The scripts, those that need a network too, have each command with an answer and an error in JSON.
func TestScriptsHaveJSON(t *testing.T) {
	var files []string
	for _, pattern := range []string{"testdata/script/*.txtar", "../../test/network/command/testdata/script/*.txtar"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no scripts %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, cmd := range commands() {
		for _, begin := range []string{`(credledger|exits [0345])`, `exits [12]`} {
			if cmd.name == "demo" || cmd.name == "heartbeat" || cmd.name == "serve" || cmd.name == "issuer serve" || cmd.name == "open" {
				continue // have tests of their own
			}
			if !regexp.MustCompile(`(?m)^` + begin + ` ` + cmd.name + ` .*--json`).MatchString(all.String()) {
				t.Errorf("no script has: %s %s ... --json", begin, cmd.name)
			}
		}
	}
}

func TestLocale(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "en"},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		{map[string]string{"LANG": "ZH_HANS"}, "zh"},
		{map[string]string{"LANG": "C"}, "en"},
		{map[string]string{"LANG": "de_DE.UTF-8"}, "en"},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"},
		{map[string]string{"LANG": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"},
		{map[string]string{"LANG": "C", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"},
	} {
		if got := locale(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%v: %s, want %s", test.env, got, test.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"钱琳 J990101-2006, ok": "钱琳 J990101-2006, ok",
		"全 角　空格":              "全 角　空格",
		"a\nb":                "a; b",
		"\x1b[2K\rVerified":   "\uFFFD[2K\uFFFDVerified",
		"right\u202eto left":  "right\uFFFDto left",
		"not \xff UTF-8":      "not \uFFFD UTF-8",
		"bell\a and tab\t":    "bell\uFFFD and tab\uFFFD",
		"阿依古丽·静 “引号” <标签> &…": "阿依古丽·静 “引号” <标签> &…",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
