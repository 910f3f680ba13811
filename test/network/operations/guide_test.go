package operations

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/credledger/credledger/network/fabric"
	sdk "github.com/credledger/credledger/sdk/fabric"
	"github.com/credledger/credledger/sdk/ledger"
)

const guideFile = "../../../docs/OPERATIONS.md"

// guide is the text of docs/OPERATIONS.md.
func guide(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section is the text under a heading, up to the next one.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(guide(t), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", guideFile, heading)
	}
	inside := false
	var out []string
	for line := range strings.Lines(text) {
		inside = inside != strings.HasPrefix(line, "```")
		if !inside && strings.HasPrefix(line, "#") {
			break
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// blocks are the fenced blocks of a text that name this language; "" are commands for a shell.
func blocks(text, language string) []string {
	var out []string
	for i, part := range strings.Split("\n"+text, "\n```") {
		if i%2 == 0 {
			continue
		}
		named, code, _ := strings.Cut(part, "\n")
		if named == language {
			out = append(out, code)
		}
	}
	return out
}

// commands is one of the blocks of commands under a heading, the first being 0.
func commands(t *testing.T, heading string, i int) string {
	t.Helper()
	all := blocks(section(t, heading), "")
	if i >= len(all) {
		t.Fatalf("%q has %d blocks of commands", heading, len(all))
	}
	return all[i]
}

// codeSpan matches what stands between backquotes in running text.
var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// invocations are the command lines of credledger that the guide shows or names.
func invocations(t *testing.T) []string {
	t.Helper()
	text := guide(t)
	var lines []string
	for _, block := range blocks(text, "") {
		lines = append(lines, strings.Split(block, "\n")...)
	}
	for _, span := range codeSpan.FindAllStringSubmatch(text, -1) {
		lines = append(lines, span[1])
	}
	var out []string
	for _, line := range lines {
		for _, part := range regexp.MustCompile(`\|\||&&|[|;]|\$\(`).Split(line, -1) {
			part = strings.TrimPrefix(strings.TrimSpace(part), "sudo -u credledger ")
			if rest, ok := strings.CutPrefix(part, "credledger "); ok && rest != "" {
				out = append(out, strings.TrimRight(rest, ")"))
			}
		}
	}
	return out
}

// Every command of credledger that the guide has exists, with every flag.
func TestCommandsExist(t *testing.T) {
	program := filepath.Join(t.TempDir(), "credledger")
	build := exec.Command("go", "build", "-o", program, "./cmd/credledger")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen := map[string]bool{}
	for _, invocation := range invocations(t) {
		words := strings.Fields(invocation)
		name, help := commandOf(program, words)
		if name == "" {
			t.Errorf("there is no command: credledger %s", invocation)
			continue
		}
		seen[name] = true
		for _, word := range words {
			if flag, _, _ := strings.Cut(word, "="); strings.HasPrefix(flag, "--") && !strings.Contains(help, flag+" ") {
				t.Errorf("credledger %s has no flag %s", name, flag)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only these commands were found in the guide: %v", seen)
	}
}

// commandOf is the command that some words begin with, and its help; "" if there is none.
func commandOf(program string, words []string) (name, help string) {
	for n := min(2, len(words)); n > 0; n-- {
		name := strings.Join(words[:n], " ")
		help, err := exec.Command(program, append([]string{"help"}, words[:n]...)...).Output()
		if err == nil && strings.Contains(string(help), "usage: credledger "+name) {
			return name, string(help)
		}
	}
	return "", ""
}

// Every topology that the guide shows is one.
func TestTopologiesAreValid(t *testing.T) {
	shown := blocks(guide(t), "yaml")
	if len(shown) == 0 {
		t.Fatal("the guide shows no topology")
	}
	for _, text := range shown {
		if _, err := fabric.ParseTopology([]byte(text), "/"); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

// The guide says what to do about every problem that `credledger network status` reports, and about
// the errors that a client meets when something is wrong.
func TestCodesAreExplained(t *testing.T) {
	text := guide(t)
	for _, code := range []string{
		fabric.ProblemStopped, fabric.ProblemDead, fabric.ProblemSilent, fabric.ProblemNoMajority, fabric.ProblemNoLeader,
		fabric.ProblemBehind, fabric.ProblemEndorsers, fabric.ProblemUpgrade, fabric.ProblemExpiry,
		ledger.CodeOutcomeUnknown, ledger.CodeNotSubmitted, sdk.CodeDiffer, sdk.CodeDenied,
	} {
		if !strings.Contains(text, "`"+code+"`") {
			t.Errorf("the guide does not explain %s", code)
		}
	}
}

// Links within the guide lead to headings.
func TestLinksLead(t *testing.T) {
	text := guide(t)
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !anchors[link[1]] {
			t.Errorf("no heading is called #%s", link[1])
		}
	}
}
