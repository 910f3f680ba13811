package store

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// testOutage stops the server under a replica, in order and by force, and starts it again.
func testOutage(t *testing.T, server *sqldbtest.Server) {
	t.Run("outage", func(t *testing.T) {
		p := newPlace(server.Database(t))
		s := p.open(t)
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
			used, err := s.NewChallenge("desk", time.Minute)
			must(t, err)
			open, err := s.NewChallenge("desk", time.Minute)
			must(t, err)
			must(t, s.RedeemChallenge(t.Context(), used.Nonce, "desk"))
			server.Stop(t, signal)
			began := time.Now()
			refused(t, s.RedeemChallenge(t.Context(), open.Nonce, "desk"), CodeUnavailable)
			refused(t, s.Ping(t.Context()), CodeUnavailable)
			if took := time.Since(began); took > 4*patience { // each of two calls is bounded, and this machine may be slow
				t.Fatalf("it took %v to find out that the server is down", took)
			}
			_, err = s.NewChallenge("desk", time.Minute)
			must(t, err)                   // which needs no database
			s.Count(Unanswered, "tax", "") // which is written when there is a database again
			server.Start(t)
			must(t, s.Ping(t.Context()))
			must(t, s.RedeemChallenge(t.Context(), open.Nonce, "desk"))
			refused(t, s.RedeemChallenge(t.Context(), used.Nonce, "desk"), CodeChallengeUsed)
		}
		must(t, s.Purge(t.Context()))
		wantCounts(t, s, today(p), today(p), "unanswered tax  2")
		server.Stop(t, syscall.SIGINT)
		_, err := Open(t.Context(), p.address, p.time)
		refused(t, err, CodeUnavailable)
		server.Start(t)
	})
}

func TestAddresses(t *testing.T) {
	dir := t.TempDir()
	notDatabase := filepath.Join(dir, "text")
	must(t, os.WriteFile(notDatabase, []byte(strings.Repeat("this is not a database. ", 100)), 0o600))
	for name, c := range map[string]struct{ address, code string }{
		"empty":            {"", CodeAddress},
		"no directory":     {filepath.Join(dir, "none", "store.db"), CodeAddress},
		"a directory":      {dir, CodeAddress},
		"another file":     {notDatabase, CodeDamaged},
		"a URL's port":     {"postgres://user:hunter2@host:port/name", CodeAddress},
		"a URL's escape":   {"postgres://user:hunter2@%zz/name", CodeAddress},
		"a parameter":      {"postgres://user:hunter2@host/name?sslmode=perhaps", CodeAddress},
		"nobody listening": {"postgresql:///name?host=" + dir + "&user=hunter3", CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), c.address, time.Now)
			refused(t, err, c.code, "hunter2")
		})
	}
}

func TestFileIsPrivate(t *testing.T) {
	p := newPlace(filepath.Join(t.TempDir(), "store.db"))
	s := p.open(t)
	_, _, err := s.PutReference(t.Context(), []byte("presentation"), time.Minute)
	must(t, err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(p.address + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("store.db%s has mode %v", suffix, info.Mode())
		}
	}
}
