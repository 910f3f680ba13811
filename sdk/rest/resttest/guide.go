package resttest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
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

// AllCalled makes sure that a guide has a command for each of the routes, METHOD PATH, which called
// returns once they were called. A call is observed only after it was answered, so it waits for the last.
func AllCalled(tb testing.TB, routes []string, called func() []string) {
	tb.Helper()
	var missing []string
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		so := called()
		missing = slices.DeleteFunc(slices.Clone(routes), func(r string) bool { return slices.Contains(so, r) })
		if len(missing) == 0 {
			return
		}
	}
	tb.Errorf("the guide has no command for %q", missing)
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
