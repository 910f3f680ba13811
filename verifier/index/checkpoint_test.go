package index_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

// checkpoint fixes a log of a department at a size and returns the block it is in, and SM3 of the signed statement.
func (w *town) checkpoint(department *ledgertest.Department, log string, size uint64) (block uint64, signed sm.Hash) {
	w.Helper()
	c := &statement.Checkpoint{
		Ledger: w.city.ID, Department: department.ID, Log: log, Size: size, Root: logRoot(log, size), SignedAt: ledgertest.Time,
	}
	tx := ledgertest.Sign(w.T, c, department.Log)
	w.submit(department.ID, tx)
	return w.height() - 1, sm.Sum(tx.Statements[0])
}

func logRoot(log string, size uint64) sm.Hash { return sm.Sum([]byte{log[0], byte(size)}) }

// Checkpoints are told live and after a restart alike, each log for itself, with the heartbeats that
// bracket them.
func TestCheckpoints(t *testing.T) {
	w := newTown(t)
	d := w.city.Department(t, ledgertest.Marriages)
	other := w.city.Department(t, ledgertest.Properties)
	blocks, signed := map[uint64]uint64{}, map[uint64]sm.Hash{}
	blocks[10], signed[10] = w.checkpoint(d, "first", 10)
	w.beat()
	blocks[12], signed[12] = w.checkpoint(d, "first", 12)
	w.checkpoint(d, "first", 12) // signed again: the ledger has what was first
	w.beat()
	w.beat()
	w.checkpoint(d, "second", 5)
	w.checkpoint(other, "first", 99)

	dir := t.TempDir()
	check := func(t *testing.T, x *index.Index) {
		t.Helper()
		for _, c := range []struct {
			size          uint64
			before, after uint64 // sequence numbers of heartbeats
		}{{10, 0, 1}, {12, 1, 2}} {
			got, ok, err := x.Checkpoint(d.ID, "first", c.size)
			if err != nil || !ok || got.Size != c.size || got.Root != logRoot("first", c.size) || got.Position != (verify.Position{Block: blocks[c.size]}) ||
				got.Before.Sequence != c.before || got.After.Sequence != c.after || got.Statement != signed[c.size] {
				t.Errorf("at %d: %+v, %v, %v", c.size, got, ok, err)
			}
		}
		latest := func(department, log string) uint64 {
			t.Helper()
			c, ok, err := x.LatestCheckpoint(department, log)
			if err != nil || !ok || c.Root != logRoot(log, c.Size) || c.Statement == (sm.Hash{}) {
				t.Fatalf("the newest of %s, %s: %+v, %v, %v", department, log, c, ok, err)
			}
			return c.Size
		}
		if a, b, c := latest(d.ID, "first"), latest(d.ID, "second"), latest(other.ID, "first"); a != 12 || b != 5 || c != 99 {
			t.Errorf("the newest are at %d, %d and %d", a, b, c)
		}
		for _, none := range []struct {
			department, log string
			size            uint64
		}{{d.ID, "first", 11}, {d.ID, "second", 10}, {d.ID, "third", 10}, {other.ID, "first", 10}, {"nobody", "first", 10}, {d.ID, "first/10", 10}} {
			if c, ok, err := x.Checkpoint(none.department, none.log, none.size); ok || err != nil {
				t.Errorf("%+v: %+v, %v", none, c, err)
			}
		}
		if c, ok, err := x.LatestCheckpoint(d.ID, "third"); ok || err != nil {
			t.Errorf("the newest of a log that is not there: %+v, %v", c, err)
		}
	}

	t.Run("live", func(t *testing.T) {
		x, err := index.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		stop := follow(t, x, w.as(ledgertest.Authority))
		wait(t, x, w.height())
		check(t, x)
		_ = stop() // why it ended is that it was stopped
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		var e *index.Error
		if _, _, err := x.Checkpoint(d.ID, "first", 10); !errors.As(err, &e) || e.Code != index.CodeClosed {
			t.Errorf("after the end: %v", err)
		}
		if _, _, err := x.LatestCheckpoint(d.ID, "first"); !errors.As(err, &e) || e.Code != index.CodeClosed {
			t.Errorf("after the end: %v", err)
		}
	})
	t.Run("after a restart", func(t *testing.T) { check(t, openIndex(t, dir)) })
}

// Every checkpoint of a log is told, in the order of size, and nothing of another log.
func TestAllCheckpoints(t *testing.T) {
	w := newTown(t)
	d := w.city.Department(t, ledgertest.Marriages)
	sizes := []uint64{0, 1, 9, 10, 300}
	for _, size := range sizes {
		w.checkpoint(d, "log", size)
	}
	w.checkpoint(d, "log-2", 20)
	w.checkpoint(d, "lo", 20)
	w.checkpoint(w.city.Department(t, ledgertest.Properties), "log", 20)
	x := w.index()
	var got []uint64
	for c, err := range x.Checkpoints(d.ID, "log") {
		if err != nil || c.Root != logRoot("log", c.Size) {
			t.Fatalf("%+v, %v", c, err)
		}
		got = append(got, c.Size)
	}
	if !slices.Equal(got, sizes) {
		t.Errorf("got the sizes %v, want %v", got, sizes)
	}
	for _, log := range []string{"l", "log/", ""} {
		for c, err := range x.Checkpoints(d.ID, log) {
			t.Errorf("log %q: %+v, %v", log, c, err)
		}
	}
}
