package embedded

import (
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

// content returns every key and value of a store that is closed.
func content(t *testing.T, h *home) map[string]string {
	t.Helper()
	all := map[string]string{}
	db, err := h.openDB(newDisk(h.fs), func(o *pebble.Options) { o.ReadOnly = true })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = scan(db, nil, nil, func(key, value []byte) (bool, error) {
		all[string(key)] = string(value)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read returns the bytes of a file.
func read(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDamagedFiles flips single bits in the files of a ledger. Opening it or the audit reports that,
// or the bit was one that means nothing; neither panics.
func TestDamagedFiles(t *testing.T) {
	s := newStory(t)
	s.tamper(t, func(db *pebble.DB) {
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
	})
	want := content(t, s.home)
	names, err := s.home.fs.List(s.home.dir)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	reported, harmless := map[string]int{}, map[string]int{}
	for _, name := range names {
		sort := strings.TrimPrefix(filepath.Ext(name), ".")
		if strings.HasPrefix(name, "MANIFEST") {
			sort = "MANIFEST"
		}
		whole := read(t, s.home.fs, s.home.fs.PathJoin(s.home.dir, name))
		flips := map[string]int{"sst": 15, "log": 2, "MANIFEST": 5}[sort]
		if len(whole) == 0 || flips == 0 {
			continue
		}
		for range flips {
			damaged := append([]byte(nil), whole...)
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
			h := newMemHome(t, vfs.NewMem())
			if _, err := vfs.Clone(s.home.fs, h.fs, s.home.dir, h.dir); err != nil {
				t.Fatal(err)
			}
			f, err := h.fs.Create(h.fs.PathJoin(h.dir, name), vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(damaged); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := h.audit(t.Context(), audit.Options{Expect: &s.head})
			switch {
			case err != nil && ledger.Code(err) == "":
				t.Errorf("%s: the error has no code: %v", name, err)
			case err != nil || !r.Clean():
				reported[sort]++
			default:
				harmless[sort]++
				got := content(t, h)
				if len(got) != len(want) {
					t.Errorf("%s: %d keys, want %d, and the audit says nothing", name, len(got), len(want))
				}
				for key, value := range want {
					if got[key] != value {
						t.Errorf("%s: key %q was changed, and the audit says nothing", name, key)
					}
				}
			}
			if again, err := h.open(); err == nil {
				again.Close()
			} else if ledger.Code(err) == "" {
				t.Errorf("%s: open: the error has no code: %v", name, err)
			}
		}
	}
	t.Logf("reported %v, harmless %v", reported, harmless)
	if reported["sst"] < 10 {
		t.Errorf("of the flips in tables %d were reported, and %d meant nothing", reported["sst"], harmless["sst"])
	}
}
