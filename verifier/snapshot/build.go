package snapshot

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// A Source is all that is known of a ledger after one block, the same whenever it is asked; an
// index.Export is one.
type Source interface {
	Head() ledger.Head           // of that block
	Genesis() []byte             // the signed statement
	Heartbeat() verify.Heartbeat // the newest
	Departments() []*verify.Department
	Keys() []*verify.Key
	Types() []*licence.Type // all versions
	// Checkpoints visits the newest checkpoint of every access log.
	Checkpoints(yield func(department, log string, c verify.Checkpoint) bool)
	// Anchors visits all anchors in the order of the ledger, with the changes of the status of all
	// licences under each, oldest first.
	Anchors(yield func(a verify.Anchor, changes []verify.Change) bool)
	// Licences visits every licence whose status was ever changed by itself, or on which a
	// restriction is open, with the changes, oldest first, and the restrictions.
	Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool)
	// Withdrawn visits every holder binding that a department withdrew.
	Withdrawn(yield func(department string, binding sm.Hash) bool)
}

// Build makes a snapshot of a source and signs it with a key of the authority for
// statement.PurposeLog. The contents are the same whoever makes them from the same blocks. The error is
// an *Error (CodeSigner, CodeCollision, CodeTooLarge, or CodeInconsistent if a reader would refuse the
// source), or that of the signer.
func Build(source Source, signer sm.Signer) (b []byte, header *statement.Snapshot, err error) {
	raw, random, header, err := describe(source)
	if err != nil {
		return nil, nil, err
	}
	kid := signer.Public().ID()
	if _, err := parse(raw, header, kid); err != nil {
		return nil, nil, err
	}
	signed, err := statement.Sign(header, signer)
	if err != nil {
		return nil, nil, err
	}
	compressed, err := deflate(raw[:len(raw)-random], raw[len(raw)-random:])
	if err != nil {
		return nil, nil, err
	}
	b, err = statement.Marshal(&file{Statement: signed, Contents: compressed})
	return b, header, err
}

// describe returns the contents of a snapshot, how many bytes at their end do not compress, and what is to
// be signed of them.
func describe(source Source) (raw []byte, random int, header *statement.Snapshot, err error) {
	_, genesis, err := statement.ParseAs[*statement.Genesis](source.Genesis())
	if err != nil {
		return nil, 0, nil, &Error{CodeInconsistent, "make a snapshot", err}
	}
	at, newest := source.Head(), source.Heartbeat()
	if at.Height == 0 {
		return nil, 0, nil, errorf(CodeInconsistent, "make a snapshot: there is no block yet")
	}
	header = &statement.Snapshot{Ledger: sm.Sum(genesis.Payload), Height: at.Height - 1, Block: at.Hash, Heartbeat: newest.Time}
	w := &writer{base: dayOf(header), namer: namer{header.Block}}
	if err := w.fill(source); err != nil {
		return nil, 0, nil, err
	}
	raw, err = statement.Marshal(&w.contents)
	if err != nil {
		return nil, 0, nil, &Error{CodeInconsistent, "make a snapshot", err}
	}
	header.Content, header.Length = sm.Sum(raw), uint64(len(raw))
	if header.Length > MaxContents {
		return nil, 0, nil, errorf(CodeTooLarge, "the contents of a snapshot have at most %d bytes, these would have %d", MaxContents, header.Length)
	}
	return raw, w.Random.size(), header, nil
}

// dayOf is the day of the newest heartbeat, to which other days are relative.
func dayOf(header *statement.Snapshot) licence.Date {
	return licence.DateOf(time.Unix(int64(header.Heartbeat), 0))
}

// A writer fills contents.
type writer struct {
	contents
	base  licence.Date
	namer namer
	beats []uint64 // sequence numbers of contents.Heartbeats
}

func (w *writer) fill(source Source) error {
	w.Version, w.Genesis = version, source.Genesis()
	w.heartbeats(source)
	w.registry(source)
	w.checkpoints(source)
	w.anchors(source)
	if err := w.licences(source); err != nil {
		return err
	}
	return w.withdrawn(source)
}

// heartbeats fills in those that are needed.
func (w *writer) heartbeats(source Source) {
	needed := map[uint64]verify.Heartbeat{}
	need := func(beats ...verify.Heartbeat) {
		for _, h := range beats {
			if h.Sequence != 0 {
				needed[h.Sequence] = h
			}
		}
	}
	need(source.Heartbeat())
	source.Checkpoints(func(_, _ string, c verify.Checkpoint) bool {
		need(c.Before, c.After)
		return true
	})
	for a := range source.Anchors {
		need(a.Before, a.After)
	}
	var last verify.Heartbeat
	w.beats = slices.Sorted(maps.Keys(needed))
	for _, sequence := range w.beats {
		h := needed[sequence]
		gap := h.Sequence - last.Sequence
		w.Heartbeats.Sequences.add(gap)
		w.Heartbeats.Times.addSigned(int64(h.Time - last.Time - interval*gap))
		w.Heartbeats.Blocks.add(h.Block - last.Block)
		last = h
	}
}

// interval is the time in seconds between two heartbeats that is easiest to say.
const interval = 60

// before returns the number of heartbeats in contents.Heartbeats that stand before something.
func (w *writer) before(h verify.Heartbeat) uint64 {
	n, found := slices.BinarySearch(w.beats, h.Sequence)
	if found {
		n++
	}
	return uint64(n)
}

// registry fills in what there is little of.
func (w *writer) registry(source Source) {
	for _, d := range source.Departments() {
		w.Departments = append(w.Departments, department{Profile: d.Profile, State: d.State})
	}
	slices.SortFunc(w.Departments, compareDepartments)
	keys := slices.Clone(source.Keys())
	slices.SortFunc(keys, func(x, y *verify.Key) int { return compare(x.Public.ID(), y.Public.ID()) })
	for _, k := range keys {
		w.Keys = append(w.Keys, key{
			Department: k.Department, PublicKey: [64]byte(k.Public.Bytes()), Purposes: k.Purposes,
			NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: string(k.State),
		})
	}
	types := slices.Clone(source.Types())
	slices.SortFunc(types, func(x, y *licence.Type) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), cmp.Compare(x.Version, y.Version))
	})
	for _, t := range types {
		w.Types = append(w.Types, t.Canonical())
	}
}

func (w *writer) checkpoints(source Source) {
	source.Checkpoints(func(department, log string, c verify.Checkpoint) bool {
		w.Checkpoints = append(w.Checkpoints, checkpoint{
			Department: department, Log: log, Size: c.Size, Root: c.Root,
			Block: c.Position.Block, Index: c.Position.Index, Before: w.before(c.Before),
		})
		return true
	})
	slices.SortFunc(w.Checkpoints, compareCheckpoints)
}
