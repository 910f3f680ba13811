package index_test

import (
	"os"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
)

// What was flushed is there after a crash: in a copy of the directory, made while the index is open.
func TestFlush(t *testing.T) {
	w, dir := newTown(t), t.TempDir()
	x := openIndex(t, dir)
	follow(t, x, w.as(ledgertest.Authority))
	wait(t, x, w.height())
	for _, flushed := range []bool{false, true} {
		if flushed {
			if err := x.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		crashed := t.TempDir()
		if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		again := openIndex(t, crashed)
		if got := again.Head(); (got == x.Head()) != flushed {
			t.Errorf("flushed %v: after a crash the index is at %v, before it was at %v", flushed, got, x.Head())
		}
	}
}
