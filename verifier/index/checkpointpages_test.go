package index

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
)

// BenchmarkCheckpoints reads a year's checkpoints of a log that goes to the ledger every minute.
func BenchmarkCheckpoints(b *testing.B) {
	const year = 365 * 24 * 60
	x, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	for i := 0; i < year; {
		var writes []placed
		for range min(256, year-i) {
			root := sm.Sum(strconv.AppendInt(nil, int64(i), 10))
			at := place{Position: ledger.Position{Block: uint64(i)}, txID: root.String()}
			writes = append(writes, placed{key: chaincode.CheckpointStateKey("civil-affairs", "log", uint64(i)*19), value: root[:], at: at, statement: root})
			i++
		}
		if err := x.store.commit(writes, extent{}); err != nil {
			b.Fatal(err)
		}
	}
	if err := x.Flush(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		for _, err := range x.Checkpoints("civil-affairs", "log") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != year {
			b.Fatal(n)
		}
	}
}

// A log with more checkpoints than are read at a time is told whole, and no iterator stays open
// meanwhile: the index can be closed, which ends the list.
func TestCheckpointPages(t *testing.T) {
	for _, n := range []int{0, 1, checkpointPage - 1, checkpointPage, checkpointPage + 1, 2*checkpointPage + 1} {
		x, err := open(vfs.NewMem(), "index")
		if err != nil {
			t.Fatal(err)
		}
		var writes []placed
		var want []uint64
		for i := range n {
			size, root := uint64(i)*300, sm.Sum([]byte{byte(i), byte(i >> 8)})
			want = append(want, size)
			at := place{Position: ledger.Position{Block: uint64(i)}}
			writes = append(writes, placed{key: chaincode.CheckpointStateKey("civil-affairs", "log", size), value: root[:], at: at})
		}
		if err := x.store.commit(writes, extent{}); err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for c, err := range x.Checkpoints("civil-affairs", "log") {
			if err != nil || c.Position.Block != uint64(len(got)) {
				t.Fatalf("number %d: %+v, %v", len(got), c, err)
			}
			got = append(got, c.Size)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d checkpoints %d are told", len(want), len(got))
		}

		told := 0
		var last error
		for _, err := range x.Checkpoints("civil-affairs", "log") {
			if told++; told == 1 {
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
			}
			last = err
		}
		if n > checkpointPage && (told != checkpointPage+1 || !errors.Is(last, errClosed)) {
			t.Errorf("closed after the first of %d: %d were told, and %v", n, told, last)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
