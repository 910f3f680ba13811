// Package sqldbtest runs a PostgreSQL server for tests: a private one, in a directory of its own, that
// listens on a local socket only and ends with the test.
package sqldbtest

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is a running PostgreSQL server.
type Server struct {
	programs string
	dir      string
	identity *syscall.Credential // of its processes; nil: the test's own
	process  *exec.Cmd
	log      bytes.Buffer // of the server; read once it has ended
	ended    chan error
	made     atomic.Int32 // databases
}

const (
	startTime = 30 * time.Second
	superuser = "postgres"
)

// PostgreSQL starts a server. The test fails where PostgreSQL is not installed.
func PostgreSQL(t testing.TB) *Server {
	t.Helper()
	s := &Server{programs: programs(t), identity: identity(t)}
	dir, err := os.MkdirTemp("", "postgresql") // t.TempDir is closed to other users, and too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.dir = dir
	if s.identity != nil {
		if err := os.Chown(dir, int(s.identity.Uid), int(s.identity.Gid)); err != nil {
			t.Fatalf("give the server its directory: %v", err)
		}
	}
	if out, err := s.command("initdb", "--pgdata", s.data(), "--username", superuser, "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(t)
	t.Cleanup(func() {
		if s.process != nil {
			s.Stop(t, syscall.SIGQUIT)
		}
	})
	return s
}

// programs returns the directory of PostgreSQL's programs: that of the PATH, or the newest of Debian's.
func programs(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	if len(found) == 0 {
		t.Fatal("PostgreSQL is needed for this test: install the package postgresql")
	}
	return filepath.Dir(found[len(found)-1])
}

// identity returns whom the server runs as: it refuses to run as root.
func identity(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.identity}
	endWithParent(cmd.SysProcAttr)
	return cmd
}

// Start starts the server again after Stop, with what it holds.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.log.Reset()
	s.process = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=",
		"-c", "fsync=off") // what survives the server's end is in the files; the machine's end is not tested
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	if err := s.process.Start(); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	s.ended = make(chan error, 1)
	go func(p *exec.Cmd) { s.ended <- p.Wait() }(s.process)
	for deadline := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		err := s.exec("SELECT 1")
		if err == nil {
			return
		}
		select {
		case <-s.ended:
			t.Fatalf("PostgreSQL ended at once:\n%s", s.log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not answer: %v", err)
		}
	}
}

// Stop ends the server by a signal: SIGINT has it finish properly, SIGQUIT has it drop everything.
func (s *Server) Stop(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
	select {
	case <-s.ended:
	case <-time.After(startTime):
		t.Fatal("PostgreSQL does not stop")
	}
	s.process = nil
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return s.url(name)
}

// Copy makes a copy of a database, which nobody may have open, and returns its URL.
func (s *Server) Copy(t testing.TB, from string) string {
	t.Helper()
	config, err := pgx.ParseConfig(from)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE " + config.Database); err != nil {
		t.Fatalf("copy a database: %v", err)
	}
	return s.url(name)
}

// Files returns the directory with the tables of a database.
func (s *Server) Files(t testing.TB, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var oid string
	if err := conn.QueryRow(t.Context(), "SELECT CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()").Scan(&oid); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(s.data(), "base", oid)
}

func (s *Server) url(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.dir}, "user": {superuser}}.Encode()
}

func (s *Server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}
