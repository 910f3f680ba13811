package embedded

import (
	"context"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// A draft is the state with the changes of a block that is being formed.
type draft struct {
	base  pebble.Reader
	batch *pebble.Batch // gets the changes
	known map[string]*entry
}

// An entry is what a draft knows of a key.
type entry struct {
	version
	exists  bool
	changed bool // by this block
}

func newDraft(base pebble.Reader, batch *pebble.Batch) *draft {
	return &draft{base: base, batch: batch, known: map[string]*entry{}}
}

func (d *draft) load(key string) (*entry, error) {
	if e := d.known[key]; e != nil {
		return e, nil
	}
	stored, err := get(d.base, stateKey(key))
	if err != nil {
		return nil, err
	}
	e := &entry{exists: stored != nil}
	if e.exists {
		if e.version, err = parseVersion(key, stored); err != nil {
			return nil, err
		}
	}
	d.known[key] = e
	return e, nil
}

// Get implements chaincode.State.
func (d *draft) Get(key string) ([]byte, error) {
	e, err := d.load(key)
	if err != nil || !e.exists {
		return nil, err
	}
	return e.value, nil
}

// write makes the changes of the transaction at a position. What a key held before moves into its
// history.
func (d *draft) write(p ledger.Position, writes []chaincode.Write) error {
	for _, w := range writes {
		e, err := d.load(w.Key)
		if err != nil {
			return err
		}
		if e.exists {
			if err := d.batch.Set(historyKey(w.Key, e.position), e.value, nil); err != nil {
				return err
			}
		}
		*e = entry{version: version{p, w.Value}, exists: true, changed: true}
	}
	return nil
}

// finish completes the batch: every changed key with its last value.
func (d *draft) finish() error {
	for key, e := range d.known {
		if !e.changed {
			continue
		}
		if err := d.batch.Set(stateKey(key), e.bytes(), nil); err != nil {
			return err
		}
	}
	return nil
}

// A reader answers queries from one state of the store.
type reader struct {
	ctx  context.Context
	from pebble.Reader
}

// Get implements chaincode.State.
func (r *reader) Get(key string) ([]byte, error) {
	stored, err := get(r.from, stateKey(key))
	if err != nil || stored == nil {
		return nil, err
	}
	v, err := parseVersion(key, stored)
	return v.value, err
}

// Scan implements chaincode.Reader.
func (r *reader) Scan(prefix, from string, visit func(key string, value []byte) (bool, error)) error {
	lower := stateKey(prefix)
	if from >= prefix {
		lower = append(stateKey(from), 0)
	}
	return scan(r.from, lower, after(stateKey(prefix)), func(k, stored []byte) (bool, error) {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		key := strings.TrimPrefix(string(k), stateSpace)
		v, err := parseVersion(key, append([]byte(nil), stored...))
		if err != nil {
			return false, err
		}
		return visit(key, v.value)
	})
}

// History implements chaincode.Reader.
func (r *reader) History(key string) ([]chaincode.Version, error) {
	var versions []chaincode.Version
	prefix := historyKeys(key)
	err := scan(r.from, prefix, after(prefix), func(k, value []byte) (bool, error) {
		if len(k) != len(prefix)+positionSize {
			return false, corrupt("the history of state "+key+" is not stored as it should be", nil)
		}
		versions = append(versions, chaincode.Version{
			TxID:  txID(position(k[len(prefix):])),
			Value: append([]byte(nil), value...),
		})
		return true, r.ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	stored, err := get(r.from, stateKey(key))
	if err != nil || stored == nil {
		return versions, err
	}
	v, err := parseVersion(key, stored)
	if err != nil {
		return nil, err
	}
	return append(versions, chaincode.Version{TxID: txID(v.position), Value: v.value}), nil
}
