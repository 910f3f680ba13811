package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// A snapshot that has grown old says nothing for a licence, nor against it.
func TestSnapshotGrowsOld(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	cred, file := c.path("m/licence-0000001.cred"), c.path("city.snapshot")
	c.run(exitDone, "snapshot", "make", file)
	c.wantAxis(cred, exitDone, "freshness", "fresh", "--snapshot", file)
	c.now = c.now.Add(24*time.Hour + time.Minute)
	c.wantAxis(cred, exitUndetermined, "freshness", "stale", "--snapshot", file)
	c.wantAxis(cred, exitDone, "freshness", "fresh") // the ledger itself has another heartbeat

	// Another ledger with this one's name: the authority's key in two places.
	files, err := filepath.Glob(c.path("home/snapshots/*[0-9a-f]"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	seen, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	height, _, _ := strings.Cut(string(seen), ":")
	if err := os.WriteFile(files[0], []byte(height+":"+sm.Sum(nil).String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := filepath.Base(files[0])
	public, _ := c.run(exitDone, "keys", "export", "--department", "data-bureau", "service")
	key := c.path("authority.pub")
	if err := os.WriteFile(key, []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problem := c.run(exitUndetermined, "verify", "--json", "--snapshot", file, "--ledger", id, "--authority-key", key, cred)
	if !strings.Contains(problem, `"snapshot-forked"`) {
		t.Error(problem)
	}
}

// What was seen only goes forward, whoever writes it down.
func TestSeenGoesForward(t *testing.T) {
	memory := seenMemory{t.TempDir(), sm.Sum([]byte("a ledger"))}
	if seen, err := memory.recall(); err != nil || seen != (ledger.Head{}) {
		t.Fatalf("%v, %v", seen, err)
	}
	const writers, each = 8, 10
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				head := ledger.Head{Height: uint64(1 + (i*7+w*3)%(writers*each)), Hash: sm.Sum([]byte{byte(w)})}
				if err := memory.remember(t.Context(), head); err != nil {
					t.Error(err)
				}
				if seen, err := memory.recall(); err != nil || seen.Height < head.Height {
					t.Errorf("after %v: %v, %v", head, seen, err)
				}
			}
		})
	}
	all.Wait()
	newest, err := memory.recall()
	if err != nil {
		t.Fatal(err)
	}
	if err := memory.remember(t.Context(), ledger.Head{Height: newest.Height, Hash: sm.Sum(nil)}); err != nil {
		t.Fatal(err)
	}
	if seen, err := memory.recall(); err != nil || seen != newest {
		t.Errorf("%v, %v; want %v", seen, err, newest)
	}
	if err := os.WriteFile(memory.path(), []byte(strings.Repeat("1", maxSeen+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := memory.recall(); errorCode(err) != "too-large" {
		t.Error(err)
	}
}
