package embedded

import (
	"bytes"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/sdk/ledger/audit"
)

// compare goes through the stored and the replayed state side by side. Beside blocks and meta, which
// are checked elsewhere, every key of the one must be a key of the other, with the same value.
func (a *auditor) compare() error {
	blocks, meta := []byte(blockSpace), []byte(metaSpace)
	for _, keys := range []pebble.IterOptions{
		{UpperBound: blocks},
		{LowerBound: after(blocks), UpperBound: meta}, // the history
		{LowerBound: after(meta)},                     // the state
	} {
		if err := a.compareKeys(keys); err != nil {
			return err
		}
	}
	return scan(a.stored, meta, after(meta), func(key, _ []byte) (bool, error) {
		if k := string(key); k != formatKey && k != headKey {
			return true, a.differs(key, nil, "is stored, but does not belong there")
		}
		return true, nil
	})
}

// compareKeys compares one range of keys.
func (a *auditor) compareKeys(keys pebble.IterOptions) (err error) {
	stored, err := a.stored.NewIter(&keys)
	if err != nil {
		return a.unreadable(audit.Nowhere(), storageError("read the state", err))
	}
	defer stored.Close()
	replayed, err := a.Scratch.NewIter(&keys)
	if err != nil {
		return storageError("read the replayed state", err)
	}
	defer replayed.Close()

	s, r := stored.First(), replayed.First()
	for (s || r) && stored.Error() == nil {
		if err := a.Context.Err(); err != nil {
			return err
		}
		order := 0
		switch {
		case !r:
			order = -1
		case !s:
			order = 1
		default:
			order = bytes.Compare(stored.Key(), replayed.Key())
		}
		switch {
		case order < 0:
			err = a.differs(stored.Key(), stored.Value(), "is stored, but no transaction wrote it")
			s = stored.Next()
		case order > 0:
			err = a.differs(replayed.Key(), replayed.Value(), "was written by this transaction, but is not stored")
			r = replayed.Next()
		default:
			a.Report.Keys++
			if !bytes.Equal(stored.Value(), replayed.Value()) {
				err = a.differs(replayed.Key(), replayed.Value(), "is not stored as this transaction wrote it")
			}
			s, r = stored.Next(), replayed.Next()
		}
		if err != nil {
			return err
		}
	}
	if err := replayed.Error(); err != nil {
		return storageError("read the replayed state", err)
	}
	if err := stored.Error(); err != nil {
		return a.unreadable(audit.Nowhere(), storageError("read the state", err))
	}
	return nil
}

// differs notes a difference, at the transaction that wrote the value, if that can be seen.
func (a *auditor) differs(key, value []byte, how string) error {
	f := audit.Nowhere()
	name, what := string(key), "the value"
	if state, ok := strings.CutPrefix(name, stateSpace); ok {
		name = state
		if len(value) >= positionSize {
			f = audit.InTransaction(position(value))
		}
	} else if past, ok := strings.CutPrefix(name, historySpace); ok {
		name, what = past, "a former value"
		if state, at, ok := strings.Cut(past, "\x00"); ok && len(at) == positionSize {
			name, f = state, audit.InTransaction(position([]byte(at)))
		}
	}
	f.StateKey = strings.ToValidUTF8(name, "?")
	return a.Find(f.Because(FindingState, "%s %s", what, how))
}
