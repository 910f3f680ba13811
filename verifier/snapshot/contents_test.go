package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// sample returns the contents of the golden snapshot, and what was signed of them.
func sample(tb testing.TB) (raw []byte, header *statement.Snapshot, signer sm.Hash) {
	tb.Helper()
	b, err := os.ReadFile("testdata/sample.snapshot")
	if err != nil {
		tb.Fatal(err)
	}
	f, header, s, err := split(b)
	if err != nil {
		tb.Fatal(err)
	}
	if raw, err = inflate(f.Contents, header); err != nil {
		tb.Fatal(err)
	}
	return raw, header, s.KeyID
}

// read is parse of contents that are signed as they are.
func read(raw []byte, header statement.Snapshot, signer sm.Hash) (*View, error) {
	header.Content, header.Length = sm.Sum(raw), uint64(len(raw))
	return parse(raw, &header, signer)
}

func codeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// numbers makes a column.
func numbers(list ...uint64) (c column) {
	for _, n := range list {
		c.add(n)
	}
	return c
}

func folded(list ...int64) (c column) {
	for _, n := range list {
		c.addSigned(n)
	}
	return c
}

// all is the inverse of numbers.
func (c column) all() (list []uint64) {
	for ok := true; len(c) > 0 && ok; {
		list = append(list, c.take(1<<64-1, &ok))
	}
	return list
}

// edit changes the numbers of a column.
func (c *column) edit(change func(list []uint64)) {
	list := c.all()
	change(list)
	*c = numbers(list...)
}

// raise adds to number i of a column; from the end if i is negative.
func (c *column) raise(i int, by uint64) {
	c.edit(func(list []uint64) { list[(i+len(list))%len(list)] += by })
}

// setName changes how much more a name is than the one before.
func setName(upper *column, lower []byte, i int, gap uint64) {
	upper.edit(func(list []uint64) { list[i] = gap >> (8 * lowerSize) })
	copy(lower[i*lowerSize:], binary.BigEndian.AppendUint64(nil, gap)[8-lowerSize:])
}

func swap[T any](list []T) { list[0], list[1] = list[1], list[0] }

// TestOneEncoding: contents that say the same in other bytes are not contents.
func TestOneEncoding(t *testing.T) {
	raw, header, signer := sample(t)
	var items []cbor.RawMessage
	if err := cbor.Unmarshal(raw, &items); err != nil {
		t.Fatal(err)
	}
	again := func(items []cbor.RawMessage) []byte {
		b, err := cbor.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(again(items), raw) {
		t.Fatal("the items are not the contents")
	}
	with := func(i int, item []byte) []byte {
		changed := slices.Clone(items)
		changed[i] = item
		return again(changed)
	}
	for name, b := range map[string][]byte{
		"bytes after them":   append(slices.Clone(raw), 0),
		"cut":                raw[:len(raw)-1],
		"one item less":      again(items[:len(items)-1]),
		"one item more":      again(append(slices.Clone(items), cbor.RawMessage{0x40})),
		"a long form":        with(0, []byte{0x18, 1}),
		"indefinite length":  with(1, append(append([]byte{0x5f}, items[1]...), 0xff)),
		"null":               with(10, []byte{0xf6}),
		"null for a list":    with(4, []byte{0xf6}),
		"a tag":              with(1, append([]byte{0xd9, 0xd9, 0xf7}, items[1]...)),
		"text for bytes":     with(1, append([]byte{items[1][0] | 0x20}, items[1][1:]...)),
		"a negative version": with(0, []byte{0x20}),
		"another item":       []byte{0xf6},
		"nothing":            {},
	} {
		if _, err := read(b, *header, signer); codeOf(err) != CodeMalformed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSigner: who signs must be the authority by the contents, with a key in force.
func TestSigner(t *testing.T) {
	raw, header, signer := sample(t)
	var c contents
	if err := decMode.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.Keys, func(k key) bool { return k.Department == ledgertest.Authority && k.Purposes.Has(statement.PurposeLog) })
	early, late := header.Heartbeat-1, header.Heartbeat
	for name, change := range map[string]func(*key){
		"retired":     func(k *key) { k.State = "retired" },
		"compromised": func(k *key) { k.State = "compromised" },
		"ended":       func(k *key) { k.NotAfter = &early },
		"of another":  func(k *key) { k.Department = ledgertest.Marriages },
		"for another": func(k *key) { k.Purposes = statement.PurposeGovern },
		"":            func(k *key) { k.NotAfter = &late },
	} {
		changed := c
		changed.Keys = slices.Clone(c.Keys)
		change(&changed.Keys[i])
		b, err := statement.Marshal(&changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(b, *header, signer); (codeOf(err) == CodeSigner) != (name != "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestNames: the names of licences and bindings are those of the specification.
func TestNames(t *testing.T) {
	block, digest := sm.Sum([]byte("block")), sm.Sum([]byte("digest"))
	n := namer{block}
	for _, id := range []string{"a", "civil-affairs", "a-department-of-23-letter", "a-department-of-24-letters", "a-department-with-32-characters-"} {
		for got, array := range map[uint64][]any{
			n.licence(id, "marriage", &digest):      {block, id, "marriage", digest},
			n.licence("civil-affairs", id, &digest): {block, "civil-affairs", id, digest},
			n.binding(id, &digest):                  {block, id, digest},
		} {
			b, err := statement.Marshal(array)
			if err != nil {
				t.Fatal(err)
			}
			hash := sm.Sum(b)
			if want := binary.BigEndian.Uint64(hash[:8]); got != want {
				t.Errorf("%v: %x, want %x", array[1:], got, want)
			}
		}
	}
}

// FuzzContents: whatever the authority signs, a reader does not panic, and what it takes it would write
// the same way.
func FuzzContents(f *testing.F) {
	raw, header, signer := sample(f)
	f.Add(raw, []byte(nil), uint16(0))
	for i := range 12 {
		f.Add(raw, []byte{byte(i), 0xff}, uint16(len(raw)*i/12))
	}
	f.Fuzz(func(t *testing.T, b, patch []byte, at uint16) {
		b = bytes.Clone(b)
		if int(at) < len(b) {
			copy(b[at:], patch)
		}
		view, err := read(b, *header, signer)
		if err != nil {
			if codeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		for i := range view.anchors {
			l := view.Licence(view.heads[view.anchors[i].head].Issuer, view.anchors[i].root, view.anchors[i].root)
			if !l.Anchored || l.Height != header.Height {
				t.Fatalf("anchor %d is not found: %+v", i, l)
			}
		}
		for range view.names {
			view.Withdrawn("civil-affairs", header.Block)
		}
	})
}
