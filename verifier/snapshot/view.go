package snapshot

import (
	"cmp"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// A View is a ledger as of the newest block of a snapshot. It is safe for concurrent use.
type View struct {
	ledger      sm.Hash
	head        ledger.Head
	namer       namer
	departments map[string]*verify.Department
	keys        map[sm.Hash]*verify.Key
	types       map[string][]*licence.Type // version 1 first
	checkpoints map[logName]verify.Checkpoint
	heads       []head
	beats       []verify.Heartbeat // in ascending order

	anchors      []anchor // in the order of the ledger
	byRoot       []uint32 // numbers in anchors, in the order of compareAnchors
	batchChanges []change

	names          []uint64 // of licences, ascending
	ends           []ends   // of each of these
	licenceChanges []change
	restrictions   []licence.Date

	bindings []uint64 // names of those withdrawn, ascending
}

type logName struct{ department, log string }

type anchor struct {
	root      sm.Hash
	signature [sm.SignatureSize]byte
	signedAt  uint64
	block     uint64
	before    uint32 // number of beats before it
	index     uint32
	head      uint32 // number in heads
	size      uint32
	changes   uint32 // where its changes end in batchChanges; they begin where those of the one before end
	disowned  bool
}

type change struct {
	day   licence.Date
	state uint8 // number in states
}

// ends is where what is about a licence ends in licenceChanges and restrictions; it begins where what
// is about the one before ends.
type ends struct{ changes, restrictions uint32 }

var _ verify.View = (*View)(nil)

// Head returns the block that the snapshot is as of.
func (v *View) Head() ledger.Head { return v.head }

// Heartbeat returns the newest heartbeat.
func (v *View) Heartbeat() verify.Heartbeat {
	newest, _ := v.around(uint32(len(v.beats)))
	return newest
}

// Ledger implements verify.View.
func (v *View) Ledger() sm.Hash { return v.ledger }

// Type implements verify.View.
func (v *View) Type(id string, version uint32) (named, newest *licence.Type) {
	versions := v.types[id]
	if version == 0 || uint64(version) > uint64(len(versions)) {
		return nil, nil
	}
	return versions[version-1], versions[len(versions)-1]
}

// Department implements verify.View.
func (v *View) Department(id string) *verify.Department { return v.departments[id] }

// Key implements verify.View.
func (v *View) Key(kid sm.Hash) *verify.Key { return v.keys[kid] }

// Checkpoint returns the checkpoint of an access log of a department at a size: ok is false for any but
// the newest of each log, which are all that a snapshot has. The error is nil.
func (v *View) Checkpoint(department, log string, size uint64) (c verify.Checkpoint, ok bool, err error) {
	if c, ok = v.checkpoints[logName{department, log}]; !ok || c.Size != size {
		return verify.Checkpoint{}, false, nil
	}
	return c, true, nil
}

// LatestCheckpoint returns the newest checkpoint of an access log of a department; ok is false if there
// is none. The error is nil.
func (v *View) LatestCheckpoint(department, log string) (c verify.Checkpoint, ok bool, err error) {
	c, ok = v.checkpoints[logName{department, log}]
	return c, ok, nil
}

// Licence implements verify.View. The signature of the head is not checked. Of the anchor the id of the
// transaction is missing; of changes all but state and day; of restrictions all but the day.
func (v *View) Licence(issuer string, root, digest sm.Hash) verify.Licence {
	l := verify.Licence{Height: v.head.Height - 1, Heartbeat: v.Heartbeat()}
	at, found := slices.BinarySearchFunc(v.byRoot, root, func(i uint32, root sm.Hash) int {
		a := &v.anchors[i]
		return cmp.Or(compare(a.root, root), strings.Compare(v.heads[a.head].Issuer, issuer))
	})
	if !found {
		return l
	}
	i := v.byRoot[at]
	l.Anchored = true
	l.Anchor = v.describe(&v.anchors[i])
	begin := uint32(0)
	if i > 0 {
		begin = v.anchors[i-1].changes
	}
	l.RootChanges = list(v.batchChanges[begin:v.anchors[i].changes])
	l.Changes, l.Restrictions = v.exceptions(issuer, l.Anchor.Head.Type, &digest)
	return l
}

func (v *View) describe(a *anchor) verify.Anchor {
	h := &v.heads[a.head]
	before, after := v.around(a.before)
	return verify.Anchor{
		Head: statement.Head{
			Ledger: v.ledger, Issuer: h.Issuer, Unit: h.Unit, Type: h.Type,
			TypeVersion: h.TypeVersion, Root: a.root, Size: a.size, SignedAt: a.signedAt,
		},
		KeyID: h.KeyID, Signature: a.signature, Disowned: a.disowned,
		Position: verify.Position{Block: a.block, Index: a.index},
		Before:   before, After: after,
	}
}

// exceptions returns what befell a licence by itself.
func (v *View) exceptions(issuer, typ string, digest *sm.Hash) ([]verify.Change, []verify.Restriction) {
	i, found := slices.BinarySearch(v.names, v.namer.licence(issuer, typ, digest))
	if !found {
		return nil, nil
	}
	var begin ends
	if i > 0 {
		begin = v.ends[i-1]
	}
	end := v.ends[i]
	var restrictions []verify.Restriction
	for _, day := range v.restrictions[begin.restrictions:end.restrictions] {
		restrictions = append(restrictions, verify.Restriction{Effective: day})
	}
	return list(v.licenceChanges[begin.changes:end.changes]), restrictions
}

func list(changes []change) []verify.Change {
	var out []verify.Change
	for _, c := range changes {
		out = append(out, verify.Change{State: states[c.state], Effective: c.day})
	}
	return out
}

// around returns the last of the first heartbeats, that many, and the one after it; none where there is
// none.
func (v *View) around(number uint32) (before, after verify.Heartbeat) {
	if number > 0 {
		before = v.beats[number-1]
	}
	if int(number) < len(v.beats) {
		after = v.beats[number]
	}
	return before, after
}

// compareAnchors orders anchors, by their numbers, by root and issuer.
func (v *View) compareAnchors(x, y uint32) int {
	a, b := &v.anchors[x], &v.anchors[y]
	return cmp.Or(compare(a.root, b.root), strings.Compare(v.heads[a.head].Issuer, v.heads[b.head].Issuer))
}

// Withdrawn implements verify.View.
func (v *View) Withdrawn(department string, binding sm.Hash) bool {
	if v.departments[department] == nil {
		return false
	}
	_, found := slices.BinarySearch(v.bindings, v.namer.binding(department, &binding))
	return found
}
