//go:build network

package verifier

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

	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/test/fabrictest"
)

const (
	program  = "github.com/credledger/credledger/cmd/credledger"
	patience = 3 * time.Minute
	maxAge   = 20 * time.Second // for which a status counts
)

// A world is a network, with a home of the authority and services in it.
type world struct {
	*testing.T
	network *fabrictest.Network
	command string
	dir     string
	home    string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{T: t, dir: dir, home: filepath.Join(dir, "home"), command: fabrictest.Program(t, program)}
	w.network = fabrictest.Start(t, fabrictest.Options{Heartbeat: w.home})
	w.must(os.Mkdir(w.path("types"), 0o755))
	types, err := catalog.Types()
	w.must(err)
	for _, typ := range types {
		var members map[string]any
		w.must(json.Unmarshal(typ.Canonical(), &members))
		members["maxStatusAge"] = maxAge.String()
		b, err := json.Marshal(members)
		w.must(err)
		w.must(os.WriteFile(w.path("types/"+typ.ID+".json"), b, 0o644))
	}
	b, err := samples.Files.ReadFile("marriage-1.json")
	w.must(err)
	w.must(os.WriteFile(w.path("marriage-1.json"), b, 0o644))
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) process(ctx context.Context, home string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.command, append(args, "--home", home)...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "LANG=C")
	return cmd
}

// run runs a command in the authority's home, wants its exit code, and returns what it answered.
func (w *world) run(want int, args ...string) string {
	w.Helper()
	return w.runIn(w.home, want, args...)
}

func (w *world) runIn(home string, want int, args ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	var out, problems bytes.Buffer
	cmd := w.process(ctx, home, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		w.must(err)
	}
	if got != want {
		w.Fatalf("credledger %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	return strings.TrimSpace(out.String())
}

// edit replaces texts in a file of a home.
func (w *world) edit(home, name string, edits ...string) {
	w.Helper()
	path := filepath.Join(home, name)
	b, err := os.ReadFile(path)
	w.must(err)
	for i := 0; i < len(edits); i += 2 {
		changed := bytes.ReplaceAll(b, []byte(edits[i]), []byte(edits[i+1]))
		if bytes.Equal(changed, b) {
			w.Fatalf("no %q in %s", edits[i], path)
		}
		b = changed
	}
	w.must(os.WriteFile(path, b, 0o600))
}

// A service is a running `credledger serve`.
type service struct {
	*world
	cmd  *exec.Cmd
	urls map[string]string
	log  *bytes.Buffer
}

func (w *world) serve(home string) *service {
	w.Helper()
	s := &service{world: w, cmd: w.process(context.Background(), home, "serve", "--json"), log: new(bytes.Buffer)}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	w.must(err)
	w.must(s.cmd.Start())
	w.Cleanup(func() { _ = s.cmd.Process.Kill() }) // unless it has ended
	var answer struct{ Serving map[string]string }
	if err := json.NewDecoder(out).Decode(&answer); err != nil {
		_ = s.cmd.Wait()
		w.Fatalf("serve: %v\n%s", err, s.log)
	}
	s.urls = answer.Serving
	return s
}

func (s *service) end(signal syscall.Signal) {
	s.Helper()
	s.must(s.cmd.Process.Signal(signal))
	err := s.cmd.Wait()
	if signal == syscall.SIGTERM && err != nil {
		s.Errorf("serve: %v\n%s", err, s.log)
	}
}

// A verification is as much of the answer as the tests look at.
type verification struct {
	Verdict struct{ Outcome string }
	Receipt json.RawMessage
	Code    string // of a problem
}

// verify has a request verified.
func (s *service) verify(request map[string]any) verification {
	s.Helper()
	body, err := json.Marshal(request)
	s.must(err)
	r, err := http.Post(s.urls["web"]+"/v1/verifications", "application/json", bytes.NewReader(body))
	s.must(err)
	defer r.Body.Close()
	var v verification
	s.must(json.NewDecoder(r.Body).Decode(&v))
	return v
}

func (s *service) outcome(code string) string {
	s.Helper()
	v := s.verify(map[string]any{"code": code})
	if v.Code != "" {
		s.Fatalf("a problem: %s", v.Code)
	}
	return v.Verdict.Outcome
}

// get fetches something into a value.
func (s *service) get(door, path string, into any) {
	s.Helper()
	r, err := http.Get(s.urls[door] + path)
	s.must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	s.must(err)
	if err := json.Unmarshal(b, into); err != nil {
		s.Fatalf("%s: %v in %s", path, err, b)
	}
}

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool
	Problems []string
	Reached  bool
	Height   uint64
}

func (s *service) ready() (r readiness) {
	s.Helper()
	s.get("metrics", "/readyz", &r)
	return r
}

// await waits until something is so.
func (s *service) await(what string, is func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not within %v\n%s", what, patience, s.log)
		}
	}
}
