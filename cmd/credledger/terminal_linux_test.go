package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal: what is written to terminal can be read from screen.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return screen, terminal
}

// onTerminal runs the command with both of its outputs on a terminal, and returns what it shows.
func (p *process) onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	screen, terminal := openTerminal(t)
	shown := make(chan string)
	go func() {
		var b bytes.Buffer
		io.Copy(&b, screen) // ends with an error when nobody has the terminal open
		shown <- b.String()
	}()
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = terminal, terminal
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	terminal.Close()
	return <-shown
}

// Long work shows how far it is on a terminal, and nowhere else; what is left there is the answer.
func TestProgress(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.marriages("input.jsonl", 1, 2000)
	issue := []string{"issue", "--department", "civil-affairs", "--type", "marriage", "--batch", "64"}
	shown := p.onTerminal(t, append(issue, "--bundle", "a.creds", "input.jsonl")...)
	if !strings.Contains(shown, "\rissuing, KB read [") || !strings.Contains(shown, "\r\x1b[K") {
		t.Errorf("no progress is shown: %q", shown)
	}
	if _, last, _ := strings.Cut(shown, "\x1b[K"); !strings.HasPrefix(last, "records read: 2000, issued: 2000, ") {
		t.Errorf("the answer is not left on a line of its own: %q", shown)
	}
	p.marriages("more.jsonl", 5000, 500)
	shown = p.onTerminal(t, append(issue, "--json", "--bundle", "b.creds", "more.jsonl")...)
	if strings.ContainsAny(shown, "\x1b[") {
		t.Errorf("progress among JSON: %q", shown)
	}
	if shown = p.onTerminal(t, "audit"); !strings.Contains(shown, "\rblocks audited [") {
		t.Errorf("no progress of the audit: %q", shown)
	}
	p.marriages("third.jsonl", 7000, 500)
	if _, problems := p.run(exitDone, append(issue, "--bundle", "c.creds", "third.jsonl")...); problems != "" {
		t.Errorf("progress without a terminal: %q", problems)
	}
}

// On a terminal that is too narrow for the code the demo says where the picture is.
func TestDemoOnNarrowTerminal(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	shown := p.onTerminal(t, "demo")
	if strings.Contains(shown, "█") || !strings.Contains(shown, "the picture is in code.png") {
		t.Errorf("the code does not fit into 80 columns: %q", shown)
	}
}
