package resttest

import (
	"os"
	"strings"
	"testing"
)

// Commands returns the commands in the shell blocks of a guide, in their order.
func Commands(tb testing.TB, file string) []string {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split(string(b), "\n```") {
		if block, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			out = append(out, split(block)...)
		}
	}
	return out
}

// split takes a block apart: a command ends with the line on which its quotation marks are closed.
func split(block string) []string {
	var out []string
	command := ""
	for _, line := range strings.Split(block, "\n") {
		command += line
		plain := strings.ReplaceAll(command, `\"`, "")
		open := strings.Count(plain, `"`)%2 == 1 && !strings.Contains(plain, "'") || strings.Count(plain, "'")%2 == 1
		if open || strings.HasSuffix(line, "|") {
			command += "\n"
			continue
		}
		out = append(out, command)
		command = ""
	}
	return out
}
