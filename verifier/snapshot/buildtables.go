package snapshot

import (
	"cmp"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// anchors fills in anchors and what their heads have in common.
func (w *writer) anchors(source Source) {
	type row struct {
		verify.Anchor
		changes []verify.Change
	}
	var rows []row
	numbers := map[head]uint64{}
	for a, changes := range source.Anchors {
		rows = append(rows, row{a, changes})
		numbers[headOf(&a)] = 0
	}
	for h := range numbers {
		w.Heads = append(w.Heads, h)
	}
	slices.SortFunc(w.Heads, compareHeads)
	for i, h := range w.Heads {
		numbers[h] = uint64(i)
	}
	var last verify.Anchor
	out := &w.Anchors
	for i := range rows {
		a := &rows[i].Anchor
		index := uint64(a.Position.Index)
		if i > 0 && a.Position.Block == last.Position.Block {
			index -= uint64(last.Position.Index) + 1
		}
		flags := 2 * uint64(len(rows[i].changes))
		if a.Disowned {
			flags++
		}
		out.Before.add(w.before(a.Before) - w.before(last.Before))
		out.Blocks.add(a.Position.Block - max(last.Position.Block, a.Before.Block))
		out.Indexes.add(index)
		out.Heads.add(numbers[headOf(a)])
		out.Sizes.add(uint64(a.Head.Size))
		out.SignedAt.addSigned(int64(a.Head.SignedAt - a.Before.Time))
		out.Flags.add(flags)
		w.add(&out.Changes, rows[i].changes)
		w.Random.Roots = append(w.Random.Roots, a.Head.Root[:]...)
		w.Random.Signatures = append(w.Random.Signatures, a.Signature[:]...)
		last = *a
	}
}

func headOf(a *verify.Anchor) head {
	return head{Issuer: a.Head.Issuer, Unit: a.Head.Unit, Type: a.Head.Type, TypeVersion: a.Head.TypeVersion, KeyID: a.KeyID}
}

func (w *writer) add(c *changes, list []verify.Change) {
	for i := range list {
		c.States.add(uint64(slices.Index(states[:], list[i].State)))
		w.addDay(&c.Days, list[i].Effective)
	}
}

func (w *writer) addDay(c *column, day licence.Date) { c.addSigned(int64(day) - int64(w.base)) }

// licences fills in the licences that there is something to say about.
func (w *writer) licences(source Source) error {
	type row struct {
		name         uint64
		changes      []verify.Change
		restrictions []verify.Restriction
	}
	var rows []row
	source.Licences(func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool {
		rows = append(rows, row{w.namer.licence(issuer, typ, &digest), changes, restrictions})
		return true
	})
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(x.name, y.name) })
	out := &w.Licences
	var last uint64
	for i := range rows {
		r := &rows[i]
		if i > 0 && r.name == last {
			return errCollision()
		}
		addName(&out.Names, &w.Random.Licences, r.name-last)
		out.Changed.add(uint64(len(r.changes)))
		out.Restricted.add(uint64(len(r.restrictions)))
		w.add(&out.Changes, r.changes)
		for j := range r.restrictions {
			w.addDay(&out.Restrictions, r.restrictions[j].Effective)
		}
		last = r.name
	}
	return nil
}

// withdrawn fills in the holder bindings that were withdrawn.
func (w *writer) withdrawn(source Source) error {
	var names []uint64
	for department, binding := range source.Withdrawn {
		names = append(names, w.namer.binding(department, &binding))
	}
	slices.Sort(names)
	var last uint64
	for i, name := range names {
		if i > 0 && name == last {
			return errCollision()
		}
		addName(&w.Withdrawn, &w.Random.Withdrawn, name-last)
		last = name
	}
	return nil
}

func errCollision() error {
	return errorf(CodeCollision, "two licences have one name in a snapshot of this block, by a rare chance; make one of the next block")
}
