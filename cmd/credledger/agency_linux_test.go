package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A typist answers a command that asks on a terminal.
type typist struct {
	*testing.T
	screen, terminal *os.File
	shown            strings.Builder
}

// await reads what is shown until it ends with a prompt, and the terminal does not show what is typed.
func (y *typist) await(prompt string) {
	y.Helper()
	if err := y.screen.SetReadDeadline(time.Now().Add(patient)); err != nil {
		y.Fatal(err)
	}
	for b := make([]byte, 256); !strings.HasSuffix(y.shown.String(), prompt); {
		n, err := y.screen.Read(b)
		if err != nil {
			y.Fatalf("%v; shown so far: %q", err, y.shown.String())
		}
		y.shown.Write(b[:n])
	}
	for deadline := time.Now().Add(patient); y.echoes(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			y.Fatal("the terminal shows what is typed")
		}
	}
}

func (y *typist) echoes() bool {
	state, err := unix.IoctlGetTermios(int(y.terminal.Fd()), unix.TCGETS)
	if err != nil {
		y.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func (y *typist) write(text string) {
	y.Helper()
	if _, err := y.screen.WriteString(text); err != nil {
		y.Fatal(err)
	}
}

// A password is asked for twice on a terminal, and not shown.
func TestPasswordOnTerminal(t *testing.T) {
	for _, c := range []struct {
		name, first, second string
		exit                int
	}{
		{"the same twice", "correct horse battery", "correct horse battery", exitDone},
		{"not the same", "correct horse battery", "correct horse batter", exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProcess(t)
			y := &typist{T: t}
			y.screen, y.terminal = openTerminal(t)
			var out bytes.Buffer
			cmd := p.command("agency", "clerk", "wangfang", "counter")
			cmd.Stdin, cmd.Stderr, cmd.Stdout = y.terminal, y.terminal, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			y.await("Password: ")
			y.write(c.first + "\n")
			y.await("Once more: ")
			y.write(c.second + "\n")
			if code := exitCode(t, cmd.Wait()); code != c.exit {
				t.Errorf("exit code %d, want %d", code, c.exit)
			}
			if !y.echoes() {
				t.Error("the terminal is left as it should not be")
			}
			if strings.Contains(y.shown.String(), "horse") || strings.Contains(out.String(), "horse") {
				t.Error("the password is shown")
			}
			if made := strings.Contains(out.String(), "$2a$12$"); made != (c.exit == exitDone) {
				t.Errorf("it answers %q", out.String())
			}
		})
	}
}

// Who interrupts the question has the terminal as it was before.
func TestPasswordInterrupted(t *testing.T) {
	p := newProcess(t)
	y := &typist{T: t}
	y.screen, y.terminal = openTerminal(t)
	cmd := p.command("agency", "clerk", "wangfang", "counter")
	cmd.Stdin, cmd.Stderr = y.terminal, y.terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	y.await("Password: ")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, cmd.Wait()); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if !y.echoes() {
		t.Error("the terminal still hides what is typed")
	}
}
