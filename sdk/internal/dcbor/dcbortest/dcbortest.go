// Package dcbortest makes wrong encodings out of right ones, for the tests of formats that have one
// encoding only.
package dcbortest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/internal/dcbor"
)

// Array joins encoded items to an array.
func Array(items ...[]byte) []byte {
	return append(dcbor.AppendArray(nil, len(items)), bytes.Join(items, nil)...)
}

// Items takes an encoded array apart.
func Items(t testing.TB, b []byte) [][]byte {
	t.Helper()
	var items []cbor.RawMessage
	if err := cbor.Unmarshal(b, &items); err != nil {
		t.Fatal(err)
	}
	out := make([][]byte, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}

// Variants returns, by name, other encodings of an encoded item and other things in its place; of
// an array, the same for each of its items too, at any depth. Most of what it returns is well-formed
// CBOR. The item may not contain maps, tags or floats.
func Variants(t testing.TB, item []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{
		"nothing":      {},
		"undefined":    {0xf7},
		"true":         {0xf5},
		"a float":      {0xf9, 0x3c, 0x00},
		"an empty map": {0xa0},
		"tagged":       append([]byte{0xc1}, item...),
		"simple":       {0xe0},
		"reserved":     {item[0] | 0x1c},
		"a break":      {0xff},
	}
	if item[0]>>5 != 7 {
		out["with a longer head"] = LongerHead(item)
	}
	switch item[0] >> 5 {
	case 0, 1:
		out["a bignum"] = append([]byte{0xc2 | item[0]>>5}, dcbor.AppendBytes(nil, bytes.TrimLeft(item[1:], "\x00"))...)
		out["of the other sign"] = append([]byte{item[0] ^ 0x20}, item[1:]...)
		out["2^64-1"] = []byte{0x1b, 255, 255, 255, 255, 255, 255, 255, 255}
		out["a text"] = []byte{0x61, '1'}
	case 2, 3:
		out["of indefinite length"] = append(append([]byte{item[0]&0xe0 | 0x1f}, item...), 0xff)
		out["a number"] = []byte{0}
		out["bytes for text, text for bytes"] = append([]byte{item[0] ^ 0x20}, item[1:]...)
		out["null"] = []byte{0xf6}
	case 4:
		items := Items(t, item)
		out["of indefinite length"] = append(append([]byte{0x9f}, bytes.Join(items, nil)...), 0xff)
		out["null"] = []byte{0xf6}
		out["a number"] = []byte{0}
		out["an empty string"] = []byte{0x40}
		out["with an item more"] = Array(append(items, []byte{0xf6})...)
		for i := range items {
			for name, variant := range Variants(t, items[i]) {
				changed := bytes.Join([][]byte{bytes.Join(items[:i], nil), variant, bytes.Join(items[i+1:], nil)}, nil)
				out[fmt.Sprintf("%d %s", i, name)] = append(dcbor.AppendArray(nil, len(items)), changed...)
			}
		}
	case 7:
		out["zero for null"] = []byte{0x00}
		out["empty for null"] = []byte{0x40}
	default:
		t.Fatalf("no variants of an item of major type %d", item[0]>>5)
	}
	return out
}

// LongerHead returns an item with its head in the next longer form.
func LongerHead(item []byte) []byte {
	major, info := item[0]&0xe0, item[0]&0x1f
	switch {
	case info < 24:
		return append([]byte{major | 24, info}, item[1:]...)
	case info == 24:
		return append([]byte{major | 25, 0}, item[1:]...)
	case info == 25:
		return append([]byte{major | 26, 0, 0}, item[1:]...)
	default:
		return append([]byte{major | 27, 0, 0, 0, 0}, item[1:]...)
	}
}
