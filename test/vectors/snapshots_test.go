package vectors_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verify"
)

// An atlas is the story's ledger as an index would tell it: two batches, of which one licence was
// replaced, one is restricted, and one batch was revoked.
type atlas struct{ *story }

// beat is one of the ledger's heartbeats, which are a little late.
func beat(n uint64) verify.Heartbeat {
	return verify.Heartbeat{Sequence: n, Time: now + 60*n + n%3, Block: 4 * n}
}

func (atlas) Head() ledger.Head           { return ledger.Head{Height: 51, Hash: statementtest.Hash("block 50")} }
func (a atlas) Genesis() []byte           { return a.statements[0].bytes }
func (atlas) Heartbeat() verify.Heartbeat { return beat(12) }

func (a atlas) Departments() []*verify.Department {
	civil := credentialtest.Department(a, "marriage")
	profile := statement.Profile{ID: civil.ID, USCC: civil.USCC, NameZh: civil.Name.Zh, NameEn: civil.Name.En, Issues: civil.Issues}
	return []*verify.Department{
		{Profile: profile, State: statement.DepartmentSuspended},
		{Profile: statementtest.Genesis().Authority, State: statement.DepartmentActive},
	}
}

func (a atlas) Keys() []*verify.Key {
	until := uint64(now + 1000*24*3600)
	return []*verify.Key{
		{Department: authority, Public: statementtest.Key(authority).Public(), Purposes: statementtest.Genesis().Purposes, State: verify.KeyActive},
		{Department: issuer, Public: statementtest.Key(issuer).Public(), Purposes: statement.PurposeAnchor, NotAfter: &until, State: verify.KeyRetired},
	}
}

func (a atlas) Types() []*licence.Type { return []*licence.Type{credentialtest.Type(a, "marriage")} }

func (atlas) Checkpoints(yield func(department, log string, c verify.Checkpoint) bool) {
	yield(authority, "main", verify.Checkpoint{
		Size: 70000, Root: statementtest.Hash("access log"), Position: verify.Position{Block: 30, Index: 2}, Before: beat(7), After: beat(8),
	})
}

// heads are the heads of the two batches, in the order of the ledger.
func (a atlas) heads() (out []*statement.Statement) {
	for _, name := range []string{"head", "head-alone"} {
		i := slices.IndexFunc(a.statements, func(n namedStatement) bool { return n.name == name })
		s, err := statement.Parse(a.statements[i].bytes)
		if err != nil {
			a.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func (a atlas) Anchors(yield func(verify.Anchor, []verify.Change) bool) {
	for i, s := range a.heads() {
		anchor := verify.Anchor{Head: *s.Body.(*statement.Head), KeyID: s.KeyID, Signature: s.Signature}
		var changes []verify.Change
		if anchor.Position, anchor.After = (verify.Position{Block: 3, Index: 1}), beat(1); i == 1 {
			anchor.Position, anchor.Before, anchor.After, anchor.Disowned = verify.Position{Block: 21}, beat(5), beat(6), true
			changes = []verify.Change{{State: licence.Revoked, Effective: -1}}
		}
		if !yield(anchor, changes) {
			return
		}
	}
}

func (a atlas) Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool) {
	digests := a.batchOfThree.Digests
	_ = yield(issuer, "marriage", digests[2], []verify.Change{{State: licence.Suspended, Effective: 20764}, {State: licence.Superseded, Effective: 20800}}, nil) &&
		yield(issuer, "marriage", digests[0], []verify.Change{{State: licence.Suspended, Effective: 20700}, {State: licence.Active, Effective: 20701}},
			[]verify.Restriction{{Effective: 20764}, {Effective: 12000}})
}

func (a atlas) Withdrawn(yield func(department string, binding sm.Hash) bool) {
	_ = yield(issuer, statementtest.Hash("binding 1")) && yield(issuer, statementtest.Hash("binding 2"))
}

// A snapshotCase is a snapshot and what its reader knows, before something is changed in it.
type snapshotCase struct {
	*story
	items  []any // of the contents
	header statement.Snapshot
	label  string // of the key that signs it
	keys   []string
	ledger sm.Hash
	seen   ledger.Head
	least  uint64
	raw    func([]byte) []byte // changes the contents that were signed
	whole  func([]byte) []byte // changes the file
}

func (s *story) snapshotCase() *snapshotCase {
	b, header, err := snapshot.Build(atlas{s}, signer{s, authority})
	if err != nil {
		s.Fatal(err)
	}
	var parts [][]byte
	if err := cbor.Unmarshal(b, &parts); err != nil {
		s.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		s.Fatal(err)
	}
	defer d.Close()
	contents, err := d.DecodeAll(parts[1], nil)
	if err != nil {
		s.Fatal(err)
	}
	same := func(b []byte) []byte { return b }
	c := &snapshotCase{story: s, header: *header, label: authority, keys: []string{authority}, ledger: s.ledger, raw: same, whole: same}
	if err := cbor.Unmarshal(contents, &c.items); err != nil {
		s.Fatal(err)
	}
	return c
}

// at returns a part of the contents.
func (c *snapshotCase) at(path ...int) any {
	var v any = c.items
	for _, i := range path {
		v = v.([]any)[i]
	}
	return v
}

// set replaces a part of the contents.
func (c *snapshotCase) set(v any, path ...int) {
	last := len(path) - 1
	c.at(path[:last]...).([]any)[path[last]] = v
}

// file is the snapshot as a vector.
func (c *snapshotCase) file(common Common) SnapshotFile {
	contents, err := statement.Marshal(c.items)
	if err != nil {
		c.Fatal(err)
	}
	c.header.Content, c.header.Length = sm.Sum(contents), uint64(len(contents))
	b, err := statement.Marshal([][]byte{c.sign("", "", &c.header, c.label), frame(c.raw(contents))})
	if err != nil {
		c.Fatal(err)
	}
	f := SnapshotFile{Common: common, File: c.whole(b), Ledger: c.ledger[:], Keys: c.keys, MinHeight: c.least}
	if c.seen != (ledger.Head{}) {
		f.Seen = c.seen.String()
	}
	return f
}

// frame puts bytes into one Zstandard frame of blocks that are not compressed: what every version of
// every compressor could have written.
func frame(b []byte) []byte {
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0b10100000} // single segment, four bytes of content size
	out = binary.LittleEndian.AppendUint32(out, uint32(len(b)))
	const most = 64 << 10
	for {
		n := min(len(b), most)
		head := uint32(n) << 3
		if n == len(b) {
			head |= 1 // the last block
		}
		out = append(append(out, byte(head), byte(head>>8), byte(head>>16)), b[:n]...)
		if b = b[n:]; len(b) == 0 {
			return out
		}
	}
}

func (s *story) goodSnapshots() map[string]any {
	c := s.snapshotCase()
	f := c.file(good("snapshot", "All of a ledger up to block 50: two batches; one licence was replaced, one is restricted, one batch is revoked and disowned."))
	roots := [2]sm.Hash{}
	for i, h := range (atlas{s}).heads() {
		roots[i] = h.Body.(*statement.Head).Root
	}
	digests := s.batchOfThree.Digests
	f.Licences = []KnownLicence{
		{Issuer: issuer, Root: roots[0][:], Digest: digests[0][:], Anchored: true, Block: 3, Index: 1, After: 1,
			Changes: []KnownChange{{"suspended", 20700}, {"active", 20701}}, Restrictions: []int32{20764, 12000}},
		{Issuer: issuer, Root: roots[0][:], Digest: digests[1][:], Anchored: true, Block: 3, Index: 1, After: 1},
		{Issuer: issuer, Root: roots[0][:], Digest: digests[2][:], Anchored: true, Block: 3, Index: 1, After: 1,
			Changes: []KnownChange{{"suspended", 20764}, {"superseded", 20800}}},
		{Issuer: issuer, Root: roots[1][:], Digest: roots[1][:], Anchored: true, Disowned: true, Block: 21, Before: 5, After: 6,
			RootChanges: []KnownChange{{"revoked", -1}}},
		{Issuer: issuer, Root: digests[0][:], Digest: digests[0][:]},
		{Issuer: authority, Root: roots[0][:], Digest: digests[0][:]},
	}
	for _, name := range []string{"binding 1", "binding 2", "binding 3"} {
		hash := statementtest.Hash(name)
		f.Withdrawn = append(f.Withdrawn, KnownBinding{issuer, hash[:], name != "binding 3"})
	}
	files := map[string]any{"snapshot.json": f}
	seen := s.snapshotCase()
	seen.seen, seen.least, seen.keys = (atlas{s}).Head(), 50, []string{stranger, authority}
	again := seen.file(good("snapshot", "The reader has seen this very block, asks for it, and trusts several keys."))
	again.Licences, again.Withdrawn = f.Licences[1:2], f.Withdrawn[2:]
	files["snapshot-seen.json"] = again
	return files
}

// The parts of the contents that are changed below.
const (
	departmentsItem = 2 + iota
	keysItem
	typesItem
	checkpointsItem
	headsItem
	heartbeatsItem
	anchorsItem
	licencesItem
	withdrawnItem
	randomItem
)

func (s *story) badSnapshots() map[string]any {
	files := map[string]any{}
	add := func(name, code, about string, change func(c *snapshotCase)) {
		c := s.snapshotCase()
		change(c)
		files["snapshot-"+name+".json"] = c.file(bad("snapshot", "open", code, about))
	}
	add("other-ledger", snapshot.CodeOtherLedger, "It is of another ledger than the reader's.", func(c *snapshotCase) { c.ledger[0] ^= 1 })
	add("stranger", snapshot.CodeUntrusted, "A stranger signed it.", func(c *snapshotCase) { c.label = stranger })
	add("signature", snapshot.CodeUntrusted, "Its signature does not verify.", func(c *snapshotCase) {
		c.whole = func(b []byte) []byte { at := bytes.Index(b, []byte{0x28, 0xb5, 0x2f, 0xfd}); b[at-8] ^= 1; return b }
	})
	add("rolled-back-seen", snapshot.CodeRolledBack, "The reader has seen a newer block.", func(c *snapshotCase) { c.seen.Height = 52 })
	add("rolled-back-asked", snapshot.CodeRolledBack, "The reader asks for a newer block.", func(c *snapshotCase) { c.least = 51 })
	add("forked", snapshot.CodeForked, "The reader has seen another block at the same height.", func(c *snapshotCase) { c.seen = ledger.Head{Height: 51} })
	add("damaged", snapshot.CodeDamaged, "The contents are others than those that were signed.", func(c *snapshotCase) {
		c.raw = func(b []byte) []byte { return append(slices.Clone(b[:len(b)-1]), b[len(b)-1]^1) }
	})
	add("longer", snapshot.CodeDamaged, "The contents are longer than was signed.", func(c *snapshotCase) {
		c.raw = func(b []byte) []byte { return append(slices.Clone(b), 0) }
	})
	add("trailing", snapshot.CodeMalformed, "A byte follows.", func(c *snapshotCase) { c.whole = func(b []byte) []byte { return append(b, 0) } })
	add("version", snapshot.CodeMalformed, "The contents are of another version.", func(c *snapshotCase) { c.set(2, 0) })
	add("item-more", snapshot.CodeMalformed, "The contents have an item more.", func(c *snapshotCase) { c.items = append(c.items, []byte{}) })

	add("signer-retired", snapshot.CodeSigner, "By the contents its key was retired.", func(c *snapshotCase) { c.set("retired", keysItem, c.keyOf(authority), 5) })
	add("signer-department", snapshot.CodeSigner, "By the contents its key is not the authority's.", func(c *snapshotCase) { c.label, c.keys = issuer, []string{issuer} })
	wrong := func(name, about string, change func(c *snapshotCase)) {
		add(name, snapshot.CodeInconsistent, about, change)
	}
	wrong("departments-order", "The departments are out of order.", func(c *snapshotCase) { c.swap(departmentsItem) })
	wrong("keys-order", "The keys are out of order.", func(c *snapshotCase) { c.swap(keysItem) })
	wrong("key-department", "A key is of a department that is not there.", func(c *snapshotCase) { c.set("nobody", keysItem, c.keyOf(issuer), 0) })
	wrong("key-purpose", "A head is signed with a key that is not for anchoring.", func(c *snapshotCase) { c.set(uint64(2), keysItem, c.keyOf(issuer), 2) })
	wrong("genesis", "The genesis is that of another ledger.", func(c *snapshotCase) {
		other := statementtest.Genesis()
		other.Nonce[0] ^= 1
		c.set(c.sign("", "", other, authority), 1)
	})
	wrong("type-missing", "A head is of a type that is not there.", func(c *snapshotCase) { c.set([]any{}, typesItem) })
	wrong("head-unneeded", "No anchor has the head.", func(c *snapshotCase) {
		one := slices.Clone(c.at(headsItem, 0).([]any))
		one[1] = "zzz"
		c.set(append(c.at(headsItem).([]any), one), headsItem)
	})
	wrong("heartbeat-missing", "The heartbeat after an anchor is missing.", func(c *snapshotCase) {
		c.set(c.at(heartbeatsItem, 0).([]byte)[1:], heartbeatsItem, 0)
		c.set(c.at(heartbeatsItem, 1).([]byte)[1:], heartbeatsItem, 1)
		c.set(c.at(heartbeatsItem, 2).([]byte)[1:], heartbeatsItem, 2)
	})
	wrong("heartbeat-time", "The newest heartbeat is not the one that was signed.", func(c *snapshotCase) { c.header.Heartbeat++ })
	wrong("column-short", "A column has too few numbers.", func(c *snapshotCase) { c.set(c.at(anchorsItem, 4).([]byte)[1:], anchorsItem, 4) })
	wrong("column-long", "A column has too many numbers.", func(c *snapshotCase) { c.set(append(c.at(anchorsItem, 4).([]byte), 0), anchorsItem, 4) })
	wrong("column-form", "A number is not in its shortest form.", func(c *snapshotCase) { c.set([]byte{3, 0x81, 0}, anchorsItem, 4) })
	wrong("size", "A batch has no licences.", func(c *snapshotCase) { c.set([]byte{0, 1}, anchorsItem, 4) })
	wrong("anchor-late", "An anchor is behind the heartbeat after it.", func(c *snapshotCase) { c.set([]byte{5, 1}, anchorsItem, 1) })
	wrong("state", "A change is to a state that there is not.", func(c *snapshotCase) { c.set([]byte{4}, anchorsItem, 7, 0) })
	wrong("names-order", "Two licences have one name.", func(c *snapshotCase) {
		lower := c.at(randomItem, 2).([]byte)
		c.set([]byte{c.at(licencesItem, 0).([]byte)[0], 0}, licencesItem, 0)
		c.set(append(lower[:6:6], 0, 0, 0, 0, 0, 0), randomItem, 2)
	})
	wrong("no-exception", "There is nothing to say about a licence.", func(c *snapshotCase) {
		c.set([]byte{0, 0}, licencesItem, 1)
		c.set([]any{[]byte{}, []byte{}}, licencesItem, 3)
	})
	return files
}

// keyOf is the number of the key of a department.
func (c *snapshotCase) keyOf(department string) int {
	return slices.IndexFunc(c.at(keysItem).([]any), func(k any) bool { return k.([]any)[0] == department })
}

// swap changes the first two elements of a list.
func (c *snapshotCase) swap(item int) {
	list := c.at(item).([]any)
	list[0], list[1] = list[1], list[0]
}

func (r *runner) checkSnapshot(f SnapshotFile) {
	trust := snapshot.Trust{Ledger: sm.Hash(f.Ledger)}
	for _, label := range f.Keys {
		trust.Keys = append(trust.Keys, r.key(label))
	}
	if f.Seen != "" {
		var err error
		if trust.Seen, err = ledger.ParseHead(f.Seen); err != nil {
			r.Fatal(err)
		}
	}
	view, err := snapshot.Open(f.File, trust, f.MinHeight)
	r.outcome(f.Common, "open", r.code(err))
	if err != nil {
		return
	}
	for i, want := range f.Licences {
		l := view.Licence(want.Issuer, sm.Hash(want.Root), sm.Hash(want.Digest))
		got := KnownLicence{Issuer: want.Issuer, Root: want.Root, Digest: want.Digest, Anchored: l.Anchored, Disowned: l.Anchor.Disowned,
			Block: l.Anchor.Position.Block, Index: l.Anchor.Position.Index, Before: l.Anchor.Before.Sequence, After: l.Anchor.After.Sequence,
			RootChanges: known(l.RootChanges), Changes: known(l.Changes)}
		for _, restriction := range l.Restrictions {
			got.Restrictions = append(got.Restrictions, int32(restriction.Effective))
		}
		a, err := marshal(got)
		if err != nil {
			r.Fatal(err)
		}
		b, err := marshal(want)
		if err != nil || !bytes.Equal(a, b) {
			r.Errorf("licence %d is %s, want %s; %v", i, a, b, err)
		}
	}
	for _, b := range f.Withdrawn {
		if got := view.Withdrawn(b.Department, sm.Hash(b.Binding)); got != b.Withdrawn {
			r.Errorf("binding %s is withdrawn: %v", hex.EncodeToString(b.Binding), got)
		}
	}
}

func known(changes []verify.Change) (out []KnownChange) {
	for _, c := range changes {
		out = append(out, KnownChange{string(c.State), int32(c.Effective)})
	}
	return out
}
