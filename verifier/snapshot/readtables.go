package snapshot

import (
	"math"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func (r *reader) readHeads() error {
	list := r.contents.Heads
	for i := range list {
		h := &list[i]
		s := statement.Head{Ledger: r.ledger, Issuer: h.Issuer, Unit: h.Unit, Type: h.Type, TypeVersion: h.TypeVersion, Size: 1}
		k := r.keys[h.KeyID]
		switch {
		case s.Validate() != nil:
			return inconsistent("head %d: %v", i, s.Validate())
		case k == nil || k.Department != h.Issuer || !k.Purposes.Has(statement.PurposeAnchor):
			return inconsistent("the key %s is none with which %s anchors", h.KeyID, h.Issuer)
		case uint64(h.TypeVersion) > uint64(len(r.types[h.Type])):
			return inconsistent("version %d of the licence type %s is not there", h.TypeVersion, h.Type)
		}
	}
	if !ascending(list, compareHeads) {
		return inconsistent("the heads are out of order")
	}
	r.heads = list
	return nil
}

func (r *reader) readAnchors() error {
	c, random := &r.contents.Anchors, &r.contents.Random
	n := len(random.Roots) / sm.HashSize
	if len(random.Roots) != n*sm.HashSize || len(random.Signatures) != n*sm.SignatureSize {
		return inconsistent("the roots and signatures are not as many")
	}
	used := make([]bool, len(r.heads))
	r.anchors = make([]anchor, 0, n)
	var last anchor
	for i := range n {
		a, err := r.readAnchor(i, &last)
		if err != nil {
			return err
		}
		used[a.head] = true
		r.anchors, last = append(r.anchors, a), a
	}
	if len(c.Blocks)+len(c.Indexes)+len(c.Heads)+len(c.Sizes)+len(c.SignedAt)+len(c.Before)+len(c.Flags)+len(c.Changes.States)+len(c.Changes.Days) > 0 {
		return inconsistent("there is more about anchors than there are anchors")
	}
	if slices.Contains(used, false) {
		return inconsistent("there is a head that no anchor refers to")
	}
	r.byRoot = make([]uint32, n)
	for i := range r.byRoot {
		r.byRoot[i] = uint32(i)
	}
	slices.SortFunc(r.byRoot, r.compareAnchors)
	if !ascending(r.byRoot, r.compareAnchors) {
		return inconsistent("a root was anchored twice")
	}
	return nil
}

// readAnchor reads the anchor after the last one.
func (r *reader) readAnchor(i int, last *anchor) (a anchor, err error) {
	c := &r.contents.Anchors
	ok := true
	before := c.Before.takeSum(uint64(last.before), uint64(len(r.beats)), &ok)
	a.before = uint32(before)
	beat, _ := r.around(a.before)
	a.block = c.Blocks.takeSum(max(last.block, beat.Block), r.header.Height, &ok)
	if i > 0 && a.block == last.block {
		a.index = uint32(c.Indexes.takeSum(uint64(last.index)+1, math.MaxUint32, &ok))
	} else {
		a.index = uint32(c.Indexes.take(math.MaxUint32, &ok))
	}
	if len(r.heads) == 0 {
		return a, inconsistent("anchor %d has no head", i)
	}
	a.head = uint32(c.Heads.take(uint64(len(r.heads)-1), &ok))
	a.size = uint32(c.Sizes.take(statement.MaxBatch, &ok))
	signedAt := int64(beat.Time) + c.SignedAt.takeSigned(&ok)
	a.signedAt = uint64(signedAt)
	flags := c.Flags.take(2*uint64(len(c.Changes.States))+1, &ok)
	a.disowned = flags&1 != 0
	if ok {
		r.batchChanges = r.readChanges(r.batchChanges, &c.Changes, flags/2, &ok)
	}
	a.changes = uint32(len(r.batchChanges))
	a.root = sm.Hash(r.contents.Random.Roots[i*sm.HashSize:])
	a.signature = [sm.SignatureSize]byte(r.contents.Random.Signatures[i*sm.SignatureSize:])
	if !ok || a.size == 0 || signedAt < 0 || signedAt > maxCount {
		return a, inconsistent("what is said about anchor %d is not in bounds", i)
	}
	return a, r.place(a.block, before)
}

// readChanges appends the next n changes to a list.
func (r *reader) readChanges(list []change, c *changes, n uint64, ok *bool) []change {
	for ; n > 0 && *ok; n-- {
		state := uint8(c.States.take(uint64(len(states)-1), ok))
		list = append(list, change{r.readDay(&c.Days, ok), state})
	}
	return list
}

// Days on the ledger lie in the years 1000 to 9999.
const (
	firstDay = -354285
	lastDay  = 2932896
)

func (r *reader) readDay(c *column, ok *bool) licence.Date {
	day := c.takeSigned(ok)
	if day < firstDay-int64(r.base) || day > lastDay-int64(r.base) {
		*ok = false
		return 0
	}
	return r.base + licence.Date(day)
}

func (r *reader) readLicences() error {
	c := &r.contents.Licences
	var ok bool
	r.names, ok = takeNames(c.Names, r.contents.Random.Licences)
	r.ends = make([]ends, len(r.names))
	for i := range r.ends {
		changed := c.Changed.take(uint64(len(c.Changes.States)), &ok)
		restricted := c.Restricted.take(uint64(len(c.Restrictions)), &ok)
		if ok = ok && changed+restricted > 0; !ok {
			break
		}
		r.licenceChanges = r.readChanges(r.licenceChanges, &c.Changes, changed, &ok)
		for ; restricted > 0 && ok; restricted-- {
			r.restrictions = append(r.restrictions, r.readDay(&c.Restrictions, &ok))
		}
		r.ends[i] = ends{uint32(len(r.licenceChanges)), uint32(len(r.restrictions))}
	}
	if !ok || len(c.Changed)+len(c.Restricted)+len(c.Changes.States)+len(c.Changes.Days)+len(c.Restrictions) > 0 {
		return inconsistent("what is said about licences is not in bounds or not in order")
	}
	return nil
}

func (r *reader) readWithdrawn() error {
	var ok bool
	if r.bindings, ok = takeNames(r.contents.Withdrawn, r.contents.Random.Withdrawn); !ok {
		return inconsistent("the withdrawn bindings are not in order")
	}
	return nil
}
