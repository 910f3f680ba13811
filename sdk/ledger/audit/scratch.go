package audit

import (
	"fmt"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/credledger/credledger/sdk/ledger"
)

// CodeScratch is the code of the *ledger.Error of an audit that could not write down what it has to
// remember.
const CodeScratch = "audit-storage"

// Memory: at most scratchCache for blocks of tables, and a few times scratchTable for what is not in
// tables yet.
const (
	scratchCache = 32 << 20
	scratchTable = 16 << 20
)

// A scratch is a store in a temporary directory (os.TempDir).
type scratch struct {
	db  *pebble.DB
	dir string

	mu     sync.Mutex
	broken error
}

func openScratch() (*scratch, error) {
	dir, err := os.MkdirTemp("", "credledger-audit-")
	if err != nil {
		return nil, scratchError(err)
	}
	s := &scratch{dir: dir}
	o := &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest,
		CacheSize:          scratchCache,
		MemTableSize:       scratchTable,
		DisableWAL:         true,
		Logger:             s,
		EventListener:      &pebble.EventListener{BackgroundError: s.fail},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most look-ups are for what is not there
	}
	if s.db, err = pebble.Open(dir, o); err != nil {
		_ = os.RemoveAll(dir) // err says more
		return nil, scratchError(err)
	}
	return s, nil
}

// close closes the store, whose content nobody needs any more, and removes it.
func (s *scratch) close() {
	_ = s.db.Close()
	_ = os.RemoveAll(s.dir)
}

func (s *scratch) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = err
	}
}

// failure returns why the store could not write, nil if it could.
func (s *scratch) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		return nil
	}
	return scratchError(s.broken)
}

// Infof, Errorf and Fatalf implement pebble.Logger: what Pebble takes for the end of the process is
// the end of the audit.
func (*scratch) Infof(string, ...any)  {}
func (*scratch) Errorf(string, ...any) {}

func (s *scratch) Fatalf(format string, args ...any) { s.fail(fmt.Errorf(format, args...)) }

func scratchError(err error) *ledger.Error {
	return &ledger.Error{
		Code:    CodeScratch,
		Message: "the audit could not write to the directory for temporary files; make room there, or name another with TMPDIR",
		Err:     err,
	}
}
