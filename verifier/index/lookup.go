package index

import (
	"bytes"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// What follows answers questions about the ledger itself, for those who have no presentation to
// verify.

// Departments returns every department on the ledger, by id.
func (x *Index) Departments() []*verify.Department {
	r := x.memory.registry.Load()
	out := make([]*verify.Department, 0, len(r.departments))
	for _, d := range r.departments {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *verify.Department) int { return strings.Compare(a.Profile.ID, b.Profile.ID) })
	return out
}

// Keys returns every key that was ever enrolled, by department and then by id.
func (x *Index) Keys() []KeyRecord {
	r := x.memory.registry.Load()
	out := make([]KeyRecord, 0, len(r.keys))
	for id, k := range r.keys {
		out = append(out, KeyRecord{ID: id, Key: k})
	}
	slices.SortFunc(out, func(a, b KeyRecord) int {
		if c := strings.Compare(a.Key.Department, b.Key.Department); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return out
}

// A KeyRecord is a key with its id.
type KeyRecord struct {
	ID  sm.Hash
	Key *verify.Key
}

// Types returns the newest version of every licence type, by id.
func (x *Index) Types() []*licence.Type {
	r := x.memory.registry.Load()
	out := make([]*licence.Type, 0, len(r.types))
	for _, versions := range r.types {
		out = append(out, versions[len(versions)-1])
	}
	slices.SortFunc(out, func(a, b *licence.Type) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// An Exception is what the ledger holds about one licence beside the anchor of its batch.
type Exception struct {
	Type         string
	Changes      []verify.Change      // of its status, in the ledger's order
	Restrictions []verify.Restriction // those that are open
}

// Exceptions returns what the ledger holds about the licence with a digest, by type: a digest that
// was anchored under several types has a status for each. Most licences have no exception, and are
// not told from digests that nobody issued. What befell a whole batch is told with its anchor, see
// Licence.
func (x *Index) Exceptions(issuer string, digest sm.Hash) []Exception {
	types := x.Types()
	m := x.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	number, known := m.names.numbers[issuer]
	if !known {
		return nil
	}
	var out []Exception
	for _, t := range types {
		typ, known := m.names.numbers[t.ID]
		if !known {
			continue
		}
		s := subject{issuer: number, typ: typ, hash: digest}
		e := Exception{
			Type: t.ID, Changes: m.changes(&s, m.changeTable.find(&digest, m.same(&s))), Restrictions: m.openRestrictions(&s),
		}
		if len(e.Changes) > 0 || len(e.Restrictions) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// Anchors returns how many anchors the index holds, each of which spares the verification of a
// signature whenever a licence of its batch is shown.
func (x *Index) Anchors() int {
	x.memory.mu.RLock()
	defer x.memory.mu.RUnlock()
	return int(x.memory.anchors.n)
}
