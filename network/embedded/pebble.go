package embedded

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// Memory: at most cacheSize for blocks of tables, and memTables times memTableSize for what is not
// in tables yet; the first memtables are small, so that a small ledger takes little.
const (
	cacheSize    = 32 << 20
	memTableSize = 16 << 20
	memTables    = 4
	maxOpenFiles = 256
)

// openDB opens Pebble on a disk, after locking the directory.
func (h *home) openDB(d *disk, adjust func(*pebble.Options)) (*pebble.DB, error) {
	o := &pebble.Options{
		FS: d,
		// A format that lets Pebble tell a torn end of its log from damage in the middle.
		FormatMajorVersion:          pebble.FormatWALSyncChunks,
		CacheSize:                   cacheSize,
		MemTableSize:                h.memTableSize,
		MemTableStopWritesThreshold: memTables,
		MaxOpenFiles:                maxOpenFiles,
		Logger:                      logger{d},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { d.blow("write in the background", err) },
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				d.blow("read the ledger", corrupt("the stored bytes are damaged; restore a copy, and audit it", info.Details))
			},
		},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most look-ups are for what is not there
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	adjust(o)
	db, err := openPebble(h.dir, o, d)
	if reason := d.failure(); reason != nil {
		err = reason
	}
	if err != nil {
		if db != nil {
			closeDB(db)
		}
		d.unlock()
		return nil, storageError("open the ledger", err)
	}
	return db, nil
}

// openPebble is pebble.Open that does not outlast a blown fuse by more than a moment: if what is in
// the log cannot be flushed, Pebble waits for ever, and is left behind.
func openPebble(dir string, o *pebble.Options, d *disk) (*pebble.DB, error) {
	type result struct {
		db  *pebble.DB
		err error
	}
	done := make(chan result, 1)
	go func() {
		db, err := pebble.Open(dir, o)
		done <- result{db, err}
	}()
	var giveUp <-chan time.Time
	for blown := d.blown; ; blown = nil {
		select {
		case r := <-done:
			return r.db, r.err
		case <-blown:
			giveUp = time.After(closeGrace)
		case <-giveUp:
			return nil, d.failure()
		}
	}
}

// A logger turns what Pebble holds to be the end of the process into the end of writing.
type logger struct{ disk *disk }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}

func (l logger) Fatalf(format string, args ...any) {
	l.disk.blow("write the ledger", fmt.Errorf(format, args...))
}

// closeDB closes Pebble after an error that says more than one in closing.
func closeDB(db *pebble.DB) { _ = db.Close() }
