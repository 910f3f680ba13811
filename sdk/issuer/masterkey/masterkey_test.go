package masterkey

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, code string) {
	t.Helper()
	if Code(err) != code {
		t.Fatalf("error %v, code %q; want %s", err, Code(err), code)
	}
}

// newFile makes a key file and opens it.
func newFile(t testing.TB) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.keys")
	must(t, Create(path))
	f, err := Open(path)
	must(t, err)
	return f, path
}

// pairs makes n data keys with what they are bound to.
func pairs(n int) (aads, keys [][]byte) {
	for i := range n {
		aads = append(aads, []byte(fmt.Sprintf("licence %d", i)))
		keys = append(keys, []byte(fmt.Sprintf("key %012d", i)))
	}
	return aads, keys
}

// A keeper is File or Remote.
type keeper interface {
	Wrap(ctx context.Context, aads, keys [][]byte) ([][]byte, error)
	Unwrap(ctx context.Context, aads, wrapped [][]byte) ([][]byte, error)
}

// testKeeper is what every way to the master keys has to do.
func testKeeper(t *testing.T, k keeper) {
	t.Helper()
	aads, keys := pairs(maxItems + 10)
	wrapped, err := k.Wrap(t.Context(), aads, keys)
	must(t, err)
	got, err := k.Unwrap(t.Context(), aads, wrapped)
	must(t, err)
	for i := range keys {
		if !bytes.Equal(got[i], keys[i]) || len(wrapped[i]) != WrappedSize || bytes.Contains(wrapped[i], keys[i]) {
			t.Fatalf("key %d: wrapped %x, unwrapped %x", i, wrapped[i], got[i])
		}
	}
	again, err := k.Wrap(t.Context(), aads[:1], keys[:1])
	must(t, err)
	if bytes.Equal(again[0], wrapped[0]) {
		t.Fatal("a key is wrapped in the same way twice")
	}
	if none, err := k.Wrap(t.Context(), nil, nil); len(none) != 0 || err != nil {
		t.Fatalf("no keys: %v, %v", none, err)
	}
	for i := range wrapped[0] {
		altered := bytes.Clone(wrapped[0])
		altered[i] ^= 1
		code := CodeRefused
		if i < IDSize {
			code = CodeUnknown
		}
		_, err := k.Unwrap(t.Context(), aads[:1], [][]byte{altered})
		refused(t, err, code)
	}
	_, err = k.Unwrap(t.Context(), aads[1:2], wrapped[:1])
	refused(t, err, CodeRefused)
	long := make([]byte, MaxAAD+1)
	for name, c := range map[string]struct{ aads, items [][]byte }{
		"fewer aads":      {aads[:1], keys[:2]},
		"a short item":    {aads[:1], [][]byte{keys[0][:15]}},
		"a long item":     {aads[:1], [][]byte{make([]byte, 100)}},
		"an empty item":   {aads[:1], [][]byte{nil}},
		"aad is too long": {[][]byte{long}, keys[:1]},
	} {
		if _, err := k.Wrap(t.Context(), c.aads, c.items); Code(err) != CodeArgument {
			t.Errorf("wrap, %s: %v", name, err)
		}
		if name == "aad is too long" {
			c.items = wrapped[:1]
		}
		if _, err := k.Unwrap(t.Context(), c.aads, c.items); Code(err) != CodeArgument {
			t.Errorf("unwrap, %s: %v", name, err)
		}
	}
}

func TestFile(t *testing.T) {
	f, path := newFile(t)
	testKeeper(t, f)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v", info.Mode())
	}
	refused(t, Create(path), CodeExists)
	refused(t, Create(filepath.Join(path, "below")), CodeUnavailable)
	_, err = Open(path + "x")
	refused(t, err, CodeMissing)
	must(t, os.Chmod(path, 0o640))
	_, err = Open(path)
	refused(t, err, CodePermissions)
}

// TestGolden holds that what was written once can be read for good.
func TestGolden(t *testing.T) {
	content, err := os.ReadFile("testdata/master.keys")
	must(t, err)
	r, err := parseRing(content)
	must(t, err)
	if len(r) != 2 || r[0].id().String() != "00615e3ce436246e" {
		t.Fatalf("%d keys, the first of which is %s", len(r), r[0].id())
	}
	text, err := os.ReadFile("testdata/wrapped.txt")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		wrapped, err := hex.DecodeString(strings.TrimSpace(line))
		must(t, err)
		got, err := r.unwrap([][]byte{[]byte("licence 7")}, [][]byte{wrapped})
		must(t, err)
		if string(got[0]) != "sixteen letters." {
			t.Fatalf("unwrapped %q", got[0])
		}
	}
}

func TestRotate(t *testing.T) {
	f, path := newFile(t)
	other, err := Open(path)
	must(t, err)
	aads, keys := pairs(1)
	old, err := f.Wrap(t.Context(), aads, keys)
	must(t, err)
	before, err := f.Keys()
	must(t, err)
	fresh, err := Rotate(path)
	must(t, err)
	for _, f := range []*File{f, other} { // which notice by themselves
		ids, err := f.Keys()
		must(t, err)
		if len(ids) != 2 || ids[0] != fresh || ids[1] != before[0] {
			t.Fatalf("keys %v", ids)
		}
		wrapped, err := f.Wrap(t.Context(), aads, keys)
		must(t, err)
		if id, err := WrappedUnder(wrapped[0]); id != fresh || err != nil {
			t.Fatalf("wrapped under %v, %v", id, err)
		}
		_, err = f.Unwrap(t.Context(), aads, old)
		must(t, err)
	}
	refused(t, Forget(path, fresh), CodeInUse)
	refused(t, Forget(path, ID{}), CodeUnknown)
	must(t, Forget(path, before[0]))
	_, err = f.Unwrap(t.Context(), aads, old)
	refused(t, err, CodeUnknown)
	refused(t, Forget(path, before[0]), CodeUnknown)
	for range maxKeys - 1 {
		_, err := Rotate(path)
		must(t, err)
	}
	_, err = Rotate(path)
	refused(t, err, CodeArgument)
	_, err = Rotate(path + "x")
	refused(t, err, CodeMissing)
	left, err := filepath.Glob(path + "*")
	must(t, err)
	if len(left) != 1 {
		t.Fatalf("files %v", left)
	}
}

// TestRewriters has several rotate at once: none of them undoes what another has done.
func TestRewriters(t *testing.T) {
	f, path := newFile(t)
	var mu sync.Mutex
	made := map[ID]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 4 {
				id, err := Rotate(path)
				if Code(err) == CodeInUse {
					continue
				} else if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	ids, err := f.Keys()
	must(t, err)
	for _, id := range ids {
		delete(made, id)
	}
	if len(made) != 0 {
		t.Fatalf("%d keys that were made are not in the file", len(made))
	}
	must(t, os.WriteFile(path+".new", nil, 0o600)) // as one leaves it that was killed
	_, err = Rotate(path)
	refused(t, err, CodeInUse)
}

func TestMalformed(t *testing.T) {
	good := ring{{1}, {2}}.format()
	for name, content := range map[string][]byte{
		"empty":         nil,
		"title only":    []byte(ringTitle),
		"other title":   bytes.Replace(good, []byte("1\n"), []byte("2\n"), 1),
		"no newline":    good[:len(good)-1],
		"empty line":    append(bytes.Clone(good), '\n'),
		"upper case":    bytes.ToUpper(good),
		"other key":     bytes.Replace(good, []byte(" 01"), []byte(" 03"), 1),
		"not hex":       bytes.Replace(good, []byte(" 01"), []byte(" 0g"), 1),
		"a key twice":   ring{{1}, {1}}.format(),
		"too many keys": many(maxKeys + 1).format(),
		"windows":       bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")),
		"text":          []byte("my secret key"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			must(t, os.WriteFile(path, content, 0o600))
			_, err := Open(path)
			refused(t, err, CodeMalformed)
			if bytes.Contains([]byte(err.Error()), []byte("0100000")) {
				t.Fatalf("the error repeats a key: %v", err)
			}
		})
	}
	must(t, func() error { _, err := parseRing(many(maxKeys).format()); return err }())
}

func many(n int) ring {
	r := make(ring, n)
	for i := range r {
		r[i] = key{byte(i), 1}
	}
	return r
}

func TestIDs(t *testing.T) {
	id := ID{0x4f, 0xa7}
	if got, err := ParseID(id.String()); got != id || err != nil {
		t.Fatalf("parsed %v, %v", got, err)
	}
	for _, bad := range []string{"", "4fa7", "4FA7000000000000", "4fa700000000000g", "4fa700000000000000"} {
		_, err := ParseID(bad)
		refused(t, err, CodeArgument)
	}
	_, err := WrappedUnder(make([]byte, WrappedSize-1))
	refused(t, err, CodeArgument)
}

func FuzzRing(f *testing.F) {
	f.Add(ring{{1}}.format())
	f.Add(ring{{1}, {2}}.format())
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := parseRing(content)
		if err != nil {
			refused(t, err, CodeMalformed)
			return
		}
		if !bytes.Equal(r.format(), content) {
			t.Fatal("two contents for one ring")
		}
	})
}
