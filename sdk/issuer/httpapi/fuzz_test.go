package httpapi

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// Whatever is sent as an application is refused as a problem, or is one.
func FuzzReadApplication(f *testing.F) {
	for _, s := range []string{
		`{"type":"marriage","fields":{"a":"b","c":["d"],"e":null,"f":1.5}}`, `{"type":"a","fields":{},"validFrom":"2026-01-01","predecessor":7,"purpose":"x"}`,
		`{"type":"a","fields":[]}`, `{"type":"a","fields":{"a":{"b":{}}}}`, `{"fields":{}}`, `{"type":"a","fields":{},"recipient":"AAAA"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readApplication(b, true)
		if err != nil {
			if code := rest.ProblemCode(err); kinds[code].Status != 400 {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		if q.Type == "" || q.Record[0] != '{' || q.Record[len(q.Record)-1] != '}' || q.Predecessor < 0 {
			t.Fatalf("%+v", q)
		}
	})
}

// What is read back is what was stored, or nothing is.
func FuzzUpload(f *testing.F) {
	f.Add([]byte("a"), 3, byte(1))
	f.Add(bytes.Repeat([]byte("abc"), chunkSize), 70_000, byte(0))
	f.Add([]byte{}, 0, byte(255))
	f.Fuzz(func(t *testing.T, b []byte, at int, flip byte) {
		a := &API{Config: Config{Spool: t.TempDir()}}
		u, sum, err := a.store(bytes.NewReader(b))
		if err != nil || u.Bytes != int64(len(b)) || sum != sm.Sum(b) {
			t.Fatalf("%+v, %v", u, err)
		}
		sealed, err := os.ReadFile(a.path(u))
		if err != nil || len(b) > 16 && bytes.Contains(sealed, b[:16]) {
			t.Fatalf("it can be read in the spool: %v", err)
		}
		if at = max(at, 0); at < len(sealed) {
			sealed[at] ^= flip
		} else {
			flip = 0
		}
		if err := os.WriteFile(filepath.Join(a.Spool, u.Name+uploadExtension), sealed, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := a.openUpload(u)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		got, err := io.ReadAll(in)
		if (err == nil) != (flip == 0) || err == nil && !bytes.Equal(got, b) || !bytes.HasPrefix(b, got) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}
