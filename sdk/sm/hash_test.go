package sm

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	tjfoc "github.com/tjfoc/gmsm/sm3"
)

func TestSumVectors(t *testing.T) {
	file := load[struct {
		Vectors []struct {
			Source  string
			Message hexBytes
			Repeat  int
			Digest  hexBytes
		}
	}](t, "sm3.json")
	for _, v := range file.Vectors {
		msg := bytes.Repeat(v.Message, v.Repeat)
		want := Hash(v.Digest)
		if got := Sum(msg); got != want {
			t.Errorf("%s: Sum of %d bytes is %s, want %s", v.Source, len(msg), got, want)
		}
		h := NewHash()
		for part := range chunks(msg, 61) {
			h.Write(part)
		}
		if got := Hash(h.Sum(nil)); got != want {
			t.Errorf("%s: NewHash of %d bytes is %s, want %s", v.Source, len(msg), got, want)
		}
	}
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && yield(b[:min(n, len(b))]) {
			b = b[min(n, len(b)):]
		}
	}
}

func TestHMACVectors(t *testing.T) {
	file := load[struct {
		Source  string
		Vectors []struct{ Key, Message, MAC hexBytes }
	}](t, "hmac_sm3.json")
	for i, v := range file.Vectors {
		if got := HMAC(v.Key, v.Message); got != Hash(v.MAC) {
			t.Errorf("vector %d: %s, want %x", i, got, v.MAC)
		}
	}
}

// Every length around the boundaries of blocks, by this package and by the other
// library.
func TestSumLengths(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, 6*64)
	for n := range data {
		random.Read(data[:n])
		if got, want := Sum(data[:n]), Hash(tjfoc.Sm3Sum(data[:n])); got != want {
			t.Fatalf("Sum of %d bytes: %s, want %s", n, got, want)
		}
		leaf := append([]byte{0x00}, data[:n]...)
		if got, want := SumLeaf(data[:n]), Hash(tjfoc.Sm3Sum(leaf)); got != want {
			t.Fatalf("SumLeaf of %d bytes: %s, want %s", n, got, want)
		}
	}
}

func TestSumNode(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	var l, r Hash
	for range 1000 {
		random.Read(l[:])
		random.Read(r[:])
		want := Sum(bytes.Join([][]byte{{0x01}, l[:], r[:]}, nil))
		if got := SumNode(&l, &r); got != want {
			t.Fatalf("SumNode(%s, %s) = %s, want %s", l, r, got, want)
		}
	}
}

func TestHashText(t *testing.T) {
	const text = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
	h, err := ParseHash(text)
	if err != nil || h != Sum([]byte("abc")) || h.String() != text {
		t.Fatalf("ParseHash(%q) = %s, %v", text, h, err)
	}
	out, err := json.Marshal(map[Hash]Hash{h: h})
	if want := `{"` + text + `":"` + text + `"}`; err != nil || string(out) != want {
		t.Fatalf("JSON %s, %v", out, err)
	}
	var back map[Hash]Hash
	if err := json.Unmarshal(out, &back); err != nil || back[h] != h {
		t.Fatalf("JSON back: %v, %v", back, err)
	}
	for _, bad := range []string{
		"", text[:63], text[:62], text + "0", text + "00", " " + text[1:], text[:63] + "\n",
		strings.ToUpper(text), "0x" + text[2:], text[:63] + "g", text[:63] + "/", text[:63] + ":", text[:63] + "`", text[:62] + "é",
	} {
		_, err := ParseHash(bad)
		wantCode(t, err, CodeBadHash)
		kept := h
		wantCode(t, kept.UnmarshalText([]byte(bad)), CodeBadHash)
		if kept != h {
			t.Errorf("UnmarshalText(%q) changed the hash", bad)
		}
	}
}
