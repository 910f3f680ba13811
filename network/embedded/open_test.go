package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/statement"
)

// wantCode checks the code of an error, and that nothing was opened.
func wantCode(t *testing.T, what string, s *Store, err error, code string) {
	t.Helper()
	if s != nil {
		s.Close()
	}
	if got := ledger.Code(err); got != code || s != nil {
		t.Errorf("%s: %v, %v; want the code %s", what, s != nil, err, code)
	}
}

func TestOpenNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	wantCode(t, "an empty directory", s, err, CodeNotALedger)
	s, err = Open(filepath.Join(dir, "absent"))
	wantCode(t, "an absent directory", s, err, CodeNotALedger)
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("opening left %v, %v", names, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("Dear Sir"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(dir)
	wantCode(t, "a directory with something else", s, err, CodeNotALedger)
	s, err = Open(filepath.Join(dir, "letter.txt"))
	wantCode(t, "a file", s, err, CodeStorage)

	db, err := pebble.Open(filepath.Join(dir, "foreign"), &pebble.Options{Logger: logger{newDisk(vfs.Default)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(filepath.Join(dir, "foreign"))
	wantCode(t, "another program's store", s, err, CodeNotALedger)
}

func TestCreate(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	dir := filepath.Join(t.TempDir(), "a", "ledger")
	s, err := Create(dir, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.As("").Head(t.Context())
	if err != nil || head.Height != 1 {
		t.Errorf("head %s, %v; want one block", head, err)
	}
	for block, err := range s.As("").Follow(t.Context(), 0) {
		if err != nil || len(block.Transactions) != 1 || block.Transactions[0].Actor != ledgertest.Authority {
			t.Errorf("block 0: %+v, %v", block, err)
		}
		break
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Create(dir, city.Genesis)
	wantCode(t, "create again", s, err, CodeNotEmpty)
	if s, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	if again, err := s.As("").Head(t.Context()); err != nil || again != head {
		t.Errorf("head %s, %v; want %s", again, err, head)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCreateFromABadGenesis(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	forged := append([]byte(nil), city.Genesis...)
	forged[len(forged)-1] ^= 1
	for _, test := range []struct {
		what    string
		genesis []byte
		code    string
	}{
		{"nothing", nil, statement.CodeMalformed},
		{"another statement", ledgertest.Sign(t, city.Heartbeat(1), city.Authority.Govern).Statements[0], statement.CodeWrongKind},
		{"a forged one", forged, chaincode.CodeSignature},
	} {
		dir := filepath.Join(t.TempDir(), "ledger")
		if _, err := Create(dir, test.genesis); chaincode.Code(err) != test.code {
			t.Errorf("%s: %v, want the code %s", test.what, err, test.code)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the directory was made: %v", test.what, err)
		}
	}
}

func TestOpenTwice(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	dir := filepath.Join(t.TempDir(), "ledger")
	s, err := Create(dir, city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{"the same name": dir, "another name": link} {
		other, err := Open(dir)
		wantCode(t, what, other, err, CodeInUse)
		_, err = Audit(t.Context(), dir, audit.Options{})
		wantCode(t, "audit by "+what, nil, err, CodeInUse)
	}
	if _, err := s.As("").Head(t.Context()); err != nil {
		t.Errorf("the first one was disturbed: %v", err)
	}
	city.Found(t, s.As)
}

func TestOpenWhatWasChanged(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(*testing.T, *aStory, *pebble.DB)
		code   string
	}{
		{"a later format", func(t *testing.T, s *aStory, db *pebble.DB) { set(t, db, []byte(formatKey), []byte{formatVersion + 1}) }, CodeNewerFormat},
		{"no format", func(t *testing.T, s *aStory, db *pebble.DB) { remove(t, db, []byte(formatKey)) }, CodeNotALedger},
		{"a damaged format", func(t *testing.T, s *aStory, db *pebble.DB) { set(t, db, []byte(formatKey), []byte("1")[:0]) }, CodeCorrupt},
		{"no head", func(t *testing.T, s *aStory, db *pebble.DB) { remove(t, db, []byte(headKey)) }, CodeCorrupt},
		{"a damaged head", func(t *testing.T, s *aStory, db *pebble.DB) { set(t, db, []byte(headKey), []byte{0}) }, CodeCorrupt},
		{"a head of no blocks", func(t *testing.T, s *aStory, db *pebble.DB) { set(t, db, []byte(headKey), formatHead(ledger.Head{})) }, CodeCorrupt},
		{"another head", func(t *testing.T, s *aStory, db *pebble.DB) {
			set(t, db, []byte(headKey), formatHead(ledger.Head{Height: s.head.Height}))
		}, CodeCorrupt},
		{"no newest block", func(t *testing.T, s *aStory, db *pebble.DB) { remove(t, db, blockKey(s.head.Height-1)) }, CodeCorrupt},
		{"a damaged newest block", func(t *testing.T, s *aStory, db *pebble.DB) { set(t, db, blockKey(s.head.Height-1), []byte{0x84}) }, CodeCorrupt},
	} {
		s := newStory(t)
		s.tamper(t, func(db *pebble.DB) { test.change(t, s, db) })
		again, err := s.home.open()
		wantCode(t, test.what, again, err, test.code)
		if again, err := s.home.open(); ledger.Code(err) == CodeInUse {
			t.Errorf("%s: the first attempt left the directory locked", test.what)
		} else if err == nil {
			again.Close()
		}
	}
}

func remove(t *testing.T, db *pebble.DB, key []byte) {
	t.Helper()
	if err := db.Delete(key, pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

// TestOpenLaterPebble opens what a later version of the store underneath has written.
func TestOpenLaterPebble(t *testing.T) {
	s := newStory(t)
	s.close(t)
	names, err := s.home.fs.List(s.home.dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.home.fs.Create(s.home.fs.PathJoin(s.home.dir, "marker.format-version.999999.999"), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := s.home.open()
	wantCode(t, "a later version of Pebble", again, err, CodeNewerFormat)
	if after, err := s.home.fs.List(s.home.dir); err != nil || len(after) != len(names)+1 {
		t.Errorf("opening changed the files from %v to %v, %v", names, after, err)
	}
}

// TestFollowACorruptChain reads a block that was changed while nobody looked.
func TestFollowACorruptChain(t *testing.T) {
	s := newStory(t)
	s.tamper(t, func(db *pebble.DB) {
		rewrite(t, db, 5, func(b *ledger.Block) { b.Previous[0] ^= 1 })
		remove(t, db, blockKey(9))
	})
	again, err := s.home.open()
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for from, last := range map[uint64]uint64{0: 4, 5: 5, 6: 8, 9: 8, 10: s.head.Height - 1} {
		var got uint64 = from - 1
		for b, err := range again.As("").Follow(t.Context(), from) {
			if err != nil {
				if ledger.Code(err) != CodeCorrupt {
					t.Errorf("from %d: %v, want %s", from, err, CodeCorrupt)
				}
				break
			}
			if got = b.Number; got == s.head.Height-1 {
				break
			}
		}
		if got != last {
			t.Errorf("from %d: the last block was %d, want %d", from, got, last)
		}
	}
}
