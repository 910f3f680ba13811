package index

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
)

// random returns a source of numbers that is the same in every run.
func random() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func randomHash(r *rand.ChaCha8) (h sm.Hash) {
	_, _ = r.Read(h[:])
	return h
}

// TestArena: what is put in comes out, at the edges of chunks too.
func TestArena(t *testing.T) {
	var a arena
	r := random()
	var refs []ref
	var texts [][]byte
	for total := 0; total < 3*arenaChunk; {
		b := make([]byte, r.Uint64()%3000)
		_, _ = r.Read(b)
		refs, texts = append(refs, a.add(b)), append(texts, b)
		total += len(b)
	}
	for i, b := range texts {
		if refs[i] == 0 || !bytes.Equal(a.at(refs[i])[:len(b)], b) {
			t.Fatalf("string %d of %d bytes, at %d, is not what was put in", i, len(b), refs[i])
		}
	}
	if len(a.chunks) < 3 {
		t.Fatalf("%d chunks", len(a.chunks))
	}
	for _, text := range []string{"", "x", strings.Repeat("y", 255)} {
		if got := a.textAt(a.addText(text)); got != text {
			t.Errorf("text of %d bytes: got %d", len(text), len(got))
		}
	}
	if r := a.addText(strings.Repeat("z", 256)); r != 0 {
		t.Error("a text that is too long was put in")
	}
	a.chunks = make([][]byte, arenaLimit)
	full := make([]byte, arenaChunk)
	for i := range a.chunks {
		a.chunks[i] = full
	}
	if r := a.add([]byte{1}); r != 0 {
		t.Error("something was put into a full arena")
	}
}

// TestTable compares a table with a map, while it grows, with entries of one hash and with others
// replaced.
func TestTable(t *testing.T) {
	type key struct {
		hash  sm.Hash
		owner int
	}
	var keys []key
	table, want := newTable(), map[key]ref{}
	same := func(k key) func(ref) bool { return func(r ref) bool { return keys[r-1] == k } }
	r := random()
	for i := range 50_000 {
		k := key{randomHash(r), i % 3}
		if i%10 == 9 {
			k.hash = keys[r.Uint64()%uint64(i)].hash // of the same hash as another
		}
		keys = append(keys, k)
		table.set(&k.hash, ref(len(keys)), same(k))
		want[k] = ref(len(keys))
	}
	for k, r := range want {
		if got := table.find(&k.hash, same(k)); got != r {
			t.Fatalf("found %d, want %d", got, r)
		}
	}
	used := 0
	for _, s := range table.shards {
		used += s.used
		if s.used*5 > len(s.slots)*4 {
			t.Errorf("a shard of %d slots has %d entries", len(s.slots), s.used)
		}
	}
	if used != len(want) {
		t.Errorf("%d entries, want %d", used, len(want))
	}
	for range 1000 {
		k := key{hash: randomHash(r)}
		if got := table.find(&k.hash, same(k)); got != 0 {
			t.Fatalf("found %d, which was never put in", got)
		}
	}
}

func TestRecords(t *testing.T) {
	var r records[int]
	for i := range 5 * chunkRecords {
		if got := r.add(i); got != ref(i+1) {
			t.Fatalf("record %d has ref %d", i, got)
		}
	}
	*r.at(7) = -1
	for i := range 5 * chunkRecords {
		if want := map[bool]int{true: -1, false: i}[i == 6]; *r.at(ref(i + 1)) != want {
			t.Fatalf("record %d is %d", i, *r.at(ref(i + 1)))
		}
	}
}
