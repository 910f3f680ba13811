package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/statement"
)

// A home is where a ledger lives.
type home struct {
	fs           vfs.FS
	dir          string
	memTableSize uint64 // bytes
}

// Create makes a ledger in a directory, which must be empty or absent, and opens it. The genesis is
// the signed statement that begins the ledger. If it breaks a rule the error is a *chaincode.Error
// and nothing was made; else it is a *ledger.Error: CodeNotEmpty, CodeInUse or CodeStorage.
func Create(dir string, genesis []byte) (*Store, error) {
	first, err := newBeginning(genesis)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, storageError("make the ledger's directory", err)
	}
	h, err := homeIn(dir)
	if err != nil {
		return nil, err
	}
	return h.create(first)
}

// makeDir makes a directory that a crash does not take away again.
func makeDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	var parents []string // of what is missing, innermost first
	for p := dir; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(p))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, p := range parents {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		err = f.Sync()
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Open opens a ledger that Create made. The error is a *ledger.Error: CodeNotALedger, CodeInUse,
// CodeNewerFormat, CodeCorrupt or CodeStorage.
func Open(dir string) (*Store, error) {
	h, err := homeIn(dir)
	if err != nil {
		return nil, err
	}
	return h.open()
}

// homeIn returns the home in a directory of the operating system, under the one name of it: locks
// within a process rely on that.
func homeIn(dir string) (*home, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notALedger()
	} else if err != nil {
		return nil, storageError("find the ledger's directory", err)
	}
	return &home{fs: vfs.Default, dir: dir, memTableSize: memTableSize}, nil
}

func notALedger() *ledger.Error {
	return fail(CodeNotALedger, "the directory holds no ledger; name the right one, or create a ledger first", nil)
}

// A beginning is the first transaction of a ledger, and what it writes.
type beginning struct {
	block  *ledger.Block
	writes []chaincode.Write
}

func newBeginning(genesis []byte) (*beginning, error) {
	g, _, err := statement.ParseAs[*statement.Genesis](genesis)
	if err != nil {
		return nil, chaincodeError(err)
	}
	tx := &chaincode.Transaction{Statements: [][]byte{genesis}}
	writes, err := chaincode.Apply(nothing{}, (*statement.Statement).Verify, g.Authority.ID, tx)
	if err != nil {
		return nil, err
	}
	first := ledger.Transaction{Actor: g.Authority.ID, Bytes: tx.Bytes()}
	return &beginning{&ledger.Block{Transactions: []ledger.Transaction{first}}, writes}, nil
}

// chaincodeError gives an error about the genesis the type that the rules give theirs.
func chaincodeError(err error) error {
	var e *statement.Error
	if errors.As(err, &e) {
		return &chaincode.Error{Code: e.Code, Message: e.Message}
	}
	return err
}

// nothing is the state before the genesis.
type nothing struct{}

func (nothing) Get(string) ([]byte, error) { return nil, nil }

func (h *home) create(first *beginning) (*Store, error) {
	names, err := h.fs.List(h.dir)
	if err != nil {
		return nil, storageError("read the ledger's directory", err)
	}
	if len(names) > 0 {
		return nil, fail(CodeNotEmpty, "a ledger is created in an empty directory, and this one is not; "+
			"if creating one was interrupted here, remove it first", nil)
	}

	disk := newDisk(h.fs)
	db, err := h.openDB(disk, func(o *pebble.Options) { o.ErrorIfExists = true })
	if err != nil {
		return nil, err
	}
	s := &Store{disk: disk, db: db}
	// One batch, synced: the directory holds a ledger if and only if this was written.
	batch := db.NewBatch()
	d := newDraft(db, batch)
	err = d.write(ledger.Position{}, first.writes)
	if err == nil {
		err = batch.Set([]byte(formatKey), []byte{formatVersion}, nil)
	}
	var head ledger.Head
	if err == nil {
		head, err = s.commit(d, first.block)
	}
	if err != nil {
		_ = s.shut() // err says more
		return nil, storageError("begin the ledger", err)
	}
	return s.start(head), nil
}

func (h *home) open() (*Store, error) {
	disk := newDisk(h.fs)
	db, err := h.openExisting(disk, func(*pebble.Options) {})
	if err != nil {
		return nil, err
	}
	s := &Store{disk: disk, db: db}
	head, err := readHead(db)
	if err == nil {
		err = checkHead(db, head)
	}
	if err != nil {
		s.shut()
		return nil, err
	}
	return s.start(head), nil
}

// openExisting opens the store underneath if it holds a ledger that this version can read.
func (h *home) openExisting(disk *disk, adjust func(*pebble.Options)) (*pebble.DB, error) {
	names, err := h.fs.List(h.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(names) == 0 {
		return nil, notALedger()
	} else if err != nil {
		return nil, storageError("read the ledger's directory", err)
	}
	if err := checkPebbleFormat(names); err != nil {
		return nil, err
	}
	db, err := h.openDB(disk, func(o *pebble.Options) {
		o.ErrorIfNotExists = true
		adjust(o)
	})
	if err != nil {
		return nil, err
	}
	format, err := get(db, []byte(formatKey))
	switch {
	case err != nil:
	case format == nil:
		err = notALedger()
	case len(format) != 1 || format[0] == 0:
		err = corrupt("the version of the format is not stored as it should be", nil)
	case format[0] > formatVersion:
		err = newerFormat()
	}
	if err != nil {
		closeDB(db)
		return nil, err
	}
	return db, nil
}

// checkPebbleFormat looks for a later version in the name of Pebble's format marker,
// marker.format-version.ITERATION.VERSION, for which Pebble itself has no error of its own type.
func checkPebbleFormat(names []string) error {
	found := false
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, "marker.format-version.")
		if !ok {
			continue
		}
		found = true
		_, version, _ := strings.Cut(rest, ".")
		if n, err := strconv.ParseUint(version, 10, 64); err == nil && n > uint64(pebble.FormatNewest) {
			return newerFormat()
		}
	}
	if !found {
		return notALedger()
	}
	return nil
}

func newerFormat() *ledger.Error {
	return fail(CodeNewerFormat, "the ledger was written by a later version of this software; use that one", nil)
}

// readHead returns the head that was stored with the newest block.
func readHead(r pebble.Reader) (ledger.Head, error) {
	b, err := get(r, []byte(headKey))
	if err != nil {
		return ledger.Head{}, err
	}
	return parseHead(b)
}

// checkHead compares the newest block with the head stored beside it.
func checkHead(r pebble.Reader, head ledger.Head) error {
	block, found, err := readBlock(r, head.Height-1)
	if err != nil {
		return err
	}
	if !found || block.Hash != head.Hash {
		return corrupt("the newest block is not the one that was written; restore a copy, and audit it", nil)
	}
	return nil
}
