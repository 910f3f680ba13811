// Package hometest runs credledger as processes of their own, as an operator does, in homes of a test.
package hometest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds everything that is waited for.
const patience = 3 * time.Minute

// An Operator has a directory of the test's, with a home in it.
type Operator struct {
	testing.TB
	Command string // path of the program
	Dir     string // working directory
	Home    string
}

// New makes an operator who uses a program.
func New(tb testing.TB, command string) *Operator {
	tb.Helper()
	dir := tb.TempDir()
	return &Operator{TB: tb, Command: command, Dir: dir, Home: filepath.Join(dir, "home")}
}

// Must fails the test on an error.
func (o *Operator) Must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// Path is a path in the operator's directory.
func (o *Operator) Path(name string) string { return filepath.Join(o.Dir, name) }

// Process is the program, about to run in a home.
func (o *Operator) Process(ctx context.Context, home string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, o.Command, append(args, "--home", home)...)
	cmd.Dir = o.Dir
	cmd.Env = append(os.Environ(), "LANG=C")
	return cmd
}

// Run runs a command in the operator's home, wants its exit code, and returns what it answered.
func (o *Operator) Run(want int, args ...string) string {
	o.Helper()
	return o.RunIn(o.Home, want, args...)
}

// RunIn is Run in another home.
func (o *Operator) RunIn(home string, want int, args ...string) string {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), patience)
	defer cancel()
	var out, problems bytes.Buffer
	cmd := o.Process(ctx, home, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		o.Must(err)
	}
	if got != want {
		o.Fatalf("credledger %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	return strings.TrimSpace(out.String())
}

// Edit replaces texts in a file of a home, of which each must be there: old, new, old, new.
func (o *Operator) Edit(home, name string, edits ...string) {
	o.Helper()
	path := filepath.Join(home, name)
	b, err := os.ReadFile(path)
	o.Must(err)
	for i := 0; i < len(edits); i += 2 {
		changed := bytes.ReplaceAll(b, []byte(edits[i]), []byte(edits[i+1]))
		if bytes.Equal(changed, b) {
			o.Fatalf("no %q in %s", edits[i], path)
		}
		b = changed
	}
	o.Must(os.WriteFile(path, b, 0o600))
}

// A Service is a command that serves.
type Service struct {
	*Operator
	Process *os.Process
	URLs    map[string]string // of its listeners, by name
	Log     *bytes.Buffer     // to be read when it has ended

	cmd *exec.Cmd
}

// Serve starts a command that serves in a home, and waits until it listens.
func (o *Operator) Serve(home string, args ...string) *Service {
	o.Helper()
	s := &Service{Operator: o, Log: new(bytes.Buffer)}
	s.cmd = o.Process(context.Background(), home, append(args, "--json")...)
	s.cmd.Stderr = s.Log
	out, err := s.cmd.StdoutPipe()
	o.Must(err)
	o.Must(s.cmd.Start())
	s.Process = s.cmd.Process
	o.Cleanup(func() { _ = s.Process.Kill() }) // unless it has ended
	var answer struct{ Serving map[string]string }
	if err := json.NewDecoder(out).Decode(&answer); err != nil {
		_ = s.cmd.Wait()
		o.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, s.Log)
	}
	s.URLs = answer.Serving
	return s
}

// End ends the service with a signal. One that is told to end does it without an error.
func (s *Service) End(signal syscall.Signal) {
	s.Helper()
	s.Must(s.Process.Signal(signal))
	err := s.cmd.Wait()
	if signal == syscall.SIGTERM && err != nil {
		s.Errorf("%v\n%s", err, s.Log)
	}
}

// Get fetches something from one of the listeners into a value.
func (s *Service) Get(door, path string, into any) {
	s.Helper()
	r, err := http.Get(s.URLs[door] + path)
	s.Must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	s.Must(err)
	if err := json.Unmarshal(b, into); err != nil {
		s.Fatalf("%s: %v in %s", path, err, b)
	}
}

// Await waits until something is so.
func (s *Service) Await(what string, is func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not within %v\n%s", what, patience, s.Log)
		}
	}
}
