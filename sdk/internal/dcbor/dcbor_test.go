package dcbor

import (
	"bytes"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

var oracle, _ = cbor.CoreDetEncOptions().EncMode()

func TestAppendAgreesWithLibrary(t *testing.T) {
	for _, n := range []uint64{0, 1, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxUint64} {
		want, _ := oracle.Marshal(n)
		if got := AppendUint(nil, n); !bytes.Equal(got, want) {
			t.Errorf("AppendUint(%d) = %x, want %x", n, got, want)
		}
		r := NewReader(want)
		if got := r.Uint(math.MaxUint64); !r.OK() || got != n || len(r.Rest()) != 0 {
			t.Errorf("Uint(%x) = %d", want, got)
		}
	}
	for _, n := range []int64{0, -1, -24, -25, -256, -257, 1 << 20, math.MinInt64, math.MaxInt64} {
		want, _ := oracle.Marshal(n)
		if got := AppendInt(nil, n); !bytes.Equal(got, want) {
			t.Errorf("AppendInt(%d) = %x, want %x", n, got, want)
		}
		r := NewReader(want)
		if got := r.Int(math.MaxInt64); !r.OK() || got != n {
			t.Errorf("Int(%x) = %d", want, got)
		}
	}
	value := []any{[]byte{1, 2}, "结婚证", nil, []any{}}
	want, _ := oracle.Marshal(value)
	got := AppendArray(nil, 4)
	got = AppendBytes(got, []byte{1, 2})
	got = AppendText(got, "结婚证")
	got = AppendNull(got)
	got = AppendArray(got, 0)
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestReaderRefuses(t *testing.T) {
	uints := func(r *Reader) { r.Uint(1000) }
	text := func(r *Reader) { r.Text(10) }
	for name, c := range map[string]struct {
		in   []byte
		read func(*Reader)
	}{
		"empty":              {nil, uints},
		"long form of 23":    {[]byte{0x18, 23}, uints},
		"long form of 255":   {[]byte{0x19, 0, 255}, uints},
		"long form of 65535": {[]byte{0x1a, 0, 0, 255, 255}, uints},
		"long form of 2^32":  {[]byte{0x1b, 0, 0, 0, 0, 255, 255, 255, 255}, uints},
		"truncated head":     {[]byte{0x19, 1}, uints},
		"reserved":           {[]byte{0x1c}, uints},
		"indefinite":         {[]byte{0x7f, 0x61, 'a', 0xff}, text},
		"above the maximum":  {[]byte{0x19, 0x03, 0xe9}, uints},
		"negative":           {[]byte{0x20}, uints},
		"bytes for text":     {[]byte{0x41, 'a'}, text},
		"bad UTF-8":          {[]byte{0x61, 0xff}, text},
		"truncated text":     {[]byte{0x62, 'a'}, text},
		"longer than asked":  {[]byte{0x43, 1, 2, 3}, func(r *Reader) { r.Fixed(make([]byte, 2)) }},
		"shorter than asked": {[]byte{0x41, 1}, func(r *Reader) { r.Fixed(make([]byte, 2)) }},
		"array of others":    {[]byte{0x81, 0}, func(r *Reader) { r.ArrayOf(2) }},
	} {
		r := NewReader(c.in)
		if c.read(&r); r.OK() {
			t.Errorf("%s: accepted", name)
		}
	}
}

// After the first failure everything fails, and nothing is returned.
func TestReaderFailsForGood(t *testing.T) {
	r := NewReader([]byte{0x41, 7, 0x05, 0xf6, 0x61, 'a'})
	if r.Uint(10); r.OK() {
		t.Fatal("a byte string read as a number")
	}
	fixed := [1]byte{9}
	r.Fixed(fixed[:])
	if r.Uint(10) != 0 || r.Int(10) != 0 || r.Bytes(1) != nil || r.Text(1) != nil || r.Array(1) != 0 || r.Null() || r.TextNext() || r.Rest() != nil || fixed[0] != 9 {
		t.Error("something was read after a failure")
	}
	if r.OK() {
		t.Error("the failure was forgotten")
	}
}

func TestStringsArePartsOfTheInput(t *testing.T) {
	in := []byte{0x42, 1, 2, 0x03}
	r := NewReader(in)
	s := r.Bytes(2)
	if &s[0] != &in[1] || cap(s) != 2 {
		t.Errorf("a copy, or one that can be appended to: capacity %d", cap(s))
	}
	if !bytes.Equal(r.Rest(), in[3:]) {
		t.Errorf("rest %x", r.Rest())
	}
}

// copyItem reads one item of any type and writes it again.
func copyItem(r *Reader, out []byte, depth int) []byte {
	if len(r.b) == 0 || depth > 16 {
		r.Fail()
		return out
	}
	if r.Null() {
		return AppendNull(out)
	}
	switch r.b[0] & 0xe0 {
	case majorUint:
		return AppendUint(out, r.Uint(math.MaxUint64))
	case majorNint:
		return AppendInt(out, r.Int(math.MaxInt64))
	case majorBytes:
		return AppendBytes(out, r.Bytes(math.MaxInt))
	case majorText:
		return AppendText(out, string(r.Text(math.MaxInt)))
	case majorArray:
		n := r.Array(1 << 10)
		out = AppendArray(out, n)
		for i := 0; i < n && r.OK(); i++ {
			out = copyItem(r, out, depth+1)
		}
		return out
	}
	r.Fail()
	return out
}

// What the reader reads, the writer writes, and a full CBOR library encodes, in the same bytes.
func FuzzReader(f *testing.F) {
	for _, b := range []string{"\xf6", "\x18\x18", "\x20", "\x84\x41\x01\x63\xe5\xa9\x9a\xf6\x80", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", "\x5f\x41\x01\xff"} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(in)
		out := copyItem(&r, nil, 0)
		if !r.OK() {
			return
		}
		read := in[:len(in)-len(r.Rest())]
		if !bytes.Equal(out, read) {
			t.Errorf("%x is written as %x", read, out)
		}
		var v any
		if err := cbor.Unmarshal(read, &v); err != nil {
			t.Fatalf("%x: %v", read, err)
		}
		if again, err := oracle.Marshal(v); err != nil || !bytes.Equal(again, read) {
			t.Errorf("%x is encoded by the library as %x, %v", read, again, err)
		}
	})
}
