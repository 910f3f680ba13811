package vectors_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/access"
)

// accessLog is one of the authority's verifier.
type accessLog struct {
	entries []*access.Entry
	salt    access.Salt // of all entries, which is for tests only
	digest  sm.Hash     // of the licence that theEntry is about
	shown   sm.Hash     // SM3 of what was shown
}

// theEntry is the index of the entry that receipts are for.
const theEntry = 4

// record verifies what is shown, and records that among other accesses.
func (s *story) record(shown *credential.Presentation, digest sm.Hash) {
	l := &accessLog{salt: access.Salt(hash("salt of an entry")[:16]), digest: digest, shown: sm.Sum(shown.Bytes())}
	s.log = l
	nobody := &access.Entry{Time: now + 1, Call: callOf("nobody"), Outcome: "invalid", Reasons: []string{"presentation-malformed"}, Day: -1,
		Licence: access.LicenceCommitment(l.salt, "", sm.Hash{}), Presentation: access.PresentationCommitment(l.salt, sm.Sum(nil))}
	for range theEntry {
		l.entries = append(l.entries, nobody)
	}
	l.entries = append(l.entries, &access.Entry{
		Time: now + 30, Call: callOf("shared counter"), Agency: "housing-bureau", Clerk: "窗口 3", Unit: "hall-1", Matter: "second-hand-home-transfer", Case: "20261107-0042",
		OnBehalf: "tax-bureau", Type: "marriage",
		Licence: access.LicenceCommitment(l.salt, issuer, digest), Presentation: access.PresentationCommitment(l.salt, l.shown),
		Fields: []string{"spouse1Name", "spouse2Id"}, Outcome: "valid",
		Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
		Day:     20764, Height: 12, Heartbeat: now, Overall: "incomplete",
	}, nobody, nobody)

	s.sign("checkpoint", "The state of a department's access log.", s.checkpoint(len(l.entries)), authority)
}

func callOf(about string) access.Call { return access.Call(hash("call " + about)[:16]) }

// end is an entry of the department that was asked, about what became of a request.
func (s *story) end(request sm.Hash) *access.Entry {
	l := s.log
	return &access.Entry{
		Time: now + 61, Call: access.RequestCall(request), Agency: agency, Matter: "second-hand-home-transfer", Asked: issuer, Type: "marriage",
		Licence: access.LicenceCommitment(l.salt, issuer, l.digest), Presentation: access.PresentationCommitment(l.salt, l.shown),
		Fields: []string{"spouse1Name", "spouse2Id"}, Outcome: access.Released,
		Reasons: append([]string{"basis-and-grant"}, slices.Repeat([]string{"registration-rules-16"}, 16)...), Day: 20764, Height: 12, Heartbeat: now,
	}
}

// checkpoint is one of the first so many entries.
func (s *story) checkpoint(size int) *statement.Checkpoint {
	return &statement.Checkpoint{Ledger: s.ledger, Department: authority, Log: "main", Size: uint64(size), Root: s.root(size), SignedAt: now + 60}
}

// entry is an entry of the log, encoded.
func (s *story) entry(index int) []byte {
	s.Helper()
	return s.encoded(s.log.entries[index])
}

func (s *story) encoded(e *access.Entry) []byte {
	s.Helper()
	b, err := e.Bytes()
	if err != nil {
		s.Fatal(err)
	}
	return b
}

// leaves of the log, which is small enough to make anew each time.
func (s *story) logLeaves() []sm.Hash {
	var out []sm.Hash
	for i := range s.log.entries {
		out = append(out, access.Leaf(s.entry(i)))
	}
	return out
}

// root is that of RFC 9162, section 2.1.1, by its own words.
func (s *story) root(size int) sm.Hash { return treeHash(s.logLeaves()[:size]) }

func treeHash(leaves []sm.Hash) sm.Hash {
	switch n := len(leaves); n {
	case 0:
		return sm.Sum(nil)
	case 1:
		return leaves[0]
	default:
		k := largestBelow(n)
		return sm.Sum(slices.Concat([]byte{1}, bytesOf(treeHash(leaves[:k])), bytesOf(treeHash(leaves[k:]))))
	}
}

// largestBelow is the largest power of two below n.
func largestBelow(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}

func bytesOf(h sm.Hash) []byte { return h[:] }

// treePath is that of RFC 9162, section 2.1.3.1.
func treePath(m int, leaves []sm.Hash) []sm.Hash {
	n := len(leaves)
	if n == 1 {
		return nil
	}
	if k := largestBelow(n); m < k {
		return append(treePath(m, leaves[:k]), treeHash(leaves[k:]))
	} else {
		return append(treePath(m-k, leaves[k:]), treeHash(leaves[:k]))
	}
}

// treeProof is that of RFC 9162, section 2.1.4.1.
func treeProof(m int, leaves []sm.Hash) []sm.Hash {
	if m == 0 || m == len(leaves) {
		return nil
	}
	return subproof(m, leaves, true)
}

func subproof(m int, leaves []sm.Hash, whole bool) []sm.Hash {
	n := len(leaves)
	if m == n {
		if whole {
			return nil
		}
		return []sm.Hash{treeHash(leaves)}
	}
	if k := largestBelow(n); m <= k {
		return append(subproof(m, leaves[:k], whole), treeHash(leaves[k:]))
	} else {
		return append(subproof(m-k, leaves[k:], false), treeHash(leaves[:k]))
	}
}

func hexes(hashes []sm.Hash) []Hex {
	out := []Hex{}
	for _, h := range hashes {
		out = append(out, h[:])
	}
	return out
}

func (s *story) goodLog() map[string]any {
	s.Helper()
	diagnose := func(b []byte) string {
		text, err := cbor.Diagnose(b)
		if err != nil {
			s.Fatal(err)
		}
		return text
	}
	entry := func(about string, b []byte, issuer string, digest, presentation sm.Hash) Entry {
		leaf := sm.SumLeaf(b)
		return Entry{Common: good("entry", about), Entry: b, Diagnostic: diagnose(b), Leaf: leaf[:], Salt: s.log.salt[:],
			Issuer: issuer, Digest: digest[:], Presentation: presentation[:]}
	}
	request := statementtest.Hash("request")
	end := func(about string, digest, presentation sm.Hash, change func(*access.Entry)) Entry {
		e := s.end(request)
		change(e)
		issuer := issuer
		if digest == (sm.Hash{}) {
			issuer = ""
		}
		e.Licence, e.Presentation = access.LicenceCommitment(s.log.salt, issuer, digest), access.PresentationCommitment(s.log.salt, presentation)
		f := entry(about, s.encoded(e), issuer, digest, presentation)
		f.Request = request[:]
		return f
	}
	leaves := s.logLeaves()
	log := Log{Common: good("log", "The log of seven entries that the checkpoint is of."), Leaves: hexes(leaves)}
	for size := range len(leaves) + 1 {
		log.Roots = append(log.Roots, bytesOf(treeHash(leaves[:size])))
		for index := range size {
			log.Inclusion = append(log.Inclusion, Inclusion{uint64(index), uint64(size), hexes(treePath(index, leaves[:size]))})
		}
		for first := range size + 1 {
			log.Consistency = append(log.Consistency, Consistency{uint64(first), uint64(size), hexes(treeProof(first, leaves[:size]))})
		}
	}
	return map[string]any{
		"access-entry.json":            entry("An access by a shared counter.", s.entry(theEntry), issuer, s.log.digest, s.log.shown),
		"access-entry-unreadable.json": entry("An access to what nobody could read.", s.entry(0), "", sm.Hash{}, sm.Sum(nil)),
		"access-entry-released.json":   end("A request that was answered with a release, under a grant and sixteen legal bases.", s.log.digest, s.log.shown, func(*access.Entry) {}),
		"access-entry-refused.json": end("A request that was refused: there is no such licence.", sm.Hash{}, sm.Hash{}, func(e *access.Entry) {
			e.Outcome, e.Reasons = access.Refused, []string{"no-basis"}
		}),
		"access-entry-unanswered.json": end("A request that fell due without an answer.", s.log.digest, sm.Hash{}, func(e *access.Entry) {
			e.Clerk, e.Unit, e.Case, e.Outcome, e.Reasons = "窗口 3", "hall-1", "20261107-0042", access.Unanswered, []string{}
		}),
		"access-log.json": log,
	}
}

// entryItems is theEntry, as a generic reader finds it.
func (s *story) entryItems() []any {
	var out []any
	if err := cbor.Unmarshal(s.entry(theEntry), &out); err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *story) badEntries() map[string]any {
	files := map[string]any{}
	add := func(name, expect, about string, b []byte) {
		files["access-entry-"+name+".json"] = Entry{Common: bad("entry", "parse", expect, about), Entry: b}
	}
	with := func(index int, value any) []byte {
		items := s.entryItems()
		items[index] = value
		return s.array(items...)
	}
	malformed := func(name, about string, b []byte) { add(name, access.CodeMalformed, about, b) }
	invalid := func(name, about string, index int, value any) {
		add(name, access.CodeInvalid, about, with(index, value))
	}
	whole := s.entry(theEntry)

	malformed("empty", "No bytes at all.", []byte{})
	malformed("truncated", "The last byte is missing.", whole[:len(whole)-1])
	malformed("trailing-byte", "A byte follows.", append(slices.Clone(whole), 0))
	malformed("short", "An item is missing.", s.array(s.entryItems()[:19]...))
	malformed("long", "There is an item more.", s.array(append(s.entryItems(), nil)...))
	malformed("version-1", "The version is 1.", with(0, 1))
	malformed("longer-than-needed", "The version takes two bytes.", with(0, encoded{0x18, 2}))
	malformed("call-15-bytes", "The call has 15 bytes.", with(2, make([]byte, 15)))
	malformed("call-text", "The call is a text.", with(2, "0123456789abcdef"))
	malformed("agency-null", "The agency is null.", with(3, nil))
	malformed("agency-bytes", "The agency is a byte string.", with(3, []byte("agency")))
	malformed("asked-null", "The department asked is null.", with(9, nil))
	malformed("licence-31-bytes", "The commitment to the licence has 31 bytes.", with(11, make([]byte, 31)))
	malformed("fields-null", "The fields are null.", with(13, nil))
	malformed("time-negative", "The time is negative.", with(1, -1))
	malformed("clerk-not-utf8", "The clerk is not UTF-8.", with(4, encoded{0x62, 0xc0, 0xaf}))
	invalid("time-2-40", "The time is 2^40.", 1, uint64(1)<<40)
	invalid("agency-201-bytes", "The agency has 201 bytes.", 3, strings.Repeat("a", 201))
	invalid("case-control-character", "The case number has a line end.", 7, "1\n2")
	invalid("type-capitals", "The type is in capitals.", 10, "Marriage")
	invalid("203-fields", "There are 203 fields.", 13, slices.Repeat([]any{"a"}, 203))
	invalid("field-empty", "A field has no name.", 13, []any{""})
	invalid("field-65-bytes", "A field's key has 65 bytes.", 13, []any{strings.Repeat("a", 65)})
	invalid("outcome-empty", "There is no outcome.", 14, "")
	invalid("18-reasons", "There are 18 reasons.", 15, slices.Repeat([]any{"ok"}, 18))
	invalid("reason-empty", "A reason is empty.", 15, []any{""})
	invalid("day-10000", "The day is in the year 10000.", 16, 2932897)
	invalid("height-2-40", "The height is 2^40.", 17, uint64(1)<<40)
	invalid("heartbeat-2-40", "The heartbeat is 2^40.", 18, uint64(1)<<40)
	invalid("overall-capitals", "The overall outcome is in capitals.", 19, "Valid")
	invalid("asked-verdict", "A department was asked, but the outcome is that of a verdict.", 9, issuer)
	invalid("released-by-nobody", "Fields were released, but no department was asked.", 14, access.Released)
	end := func(name, about string, change func(items []any)) {
		var items []any
		if err := cbor.Unmarshal(s.encoded(s.end(statementtest.Hash("request"))), &items); err != nil {
			s.Fatal(err)
		}
		change(items)
		add(name, access.CodeInvalid, about, s.array(items...))
	}
	end("asked-capitals", "The department asked is in capitals.", func(items []any) { items[9] = "Civil-Affairs" })
	end("asked-overall", "A department was asked, but there is an overall outcome.", func(items []any) { items[19] = "valid" })
	return files
}

func (s *story) badProofs() map[string]any {
	files := map[string]any{}
	leaves := s.logLeaves()
	root := func(size int) sm.Hash { return treeHash(leaves[:size]) }
	inclusion := func(name, about string, index, size uint64, path []sm.Hash, root sm.Hash) {
		files["access-inclusion-"+name+".json"] = OneInclusion{bad("inclusion", "inclusion", "refused", about),
			Inclusion{index, size, hexes(path)}, bytesOf(leaves[theEntry]), root[:]}
	}
	path := treePath(theEntry, leaves)
	inclusion("another-index", "The path is that of another index.", 5, 7, path, root(7))
	inclusion("another-size", "The path is that of another size.", theEntry, 6, path, root(7))
	inclusion("another-root", "The root is that of another size.", theEntry, 7, path, root(6))
	inclusion("short", "The last hash is missing.", theEntry, 7, path[:len(path)-1], root(7))
	inclusion("long", "There is a hash more.", theEntry, 7, append(slices.Clone(path), root(7)), root(7))
	inclusion("index-out-of-range", "The index is not below the size.", 7, 7, path, root(7))
	inclusion("size-2-40", "The log has 2^40 entries.", theEntry, 1<<40, path, root(7))

	consistency := func(name, about string, first, second uint64, proof []sm.Hash, root1, root2 sm.Hash) {
		files["access-consistency-"+name+".json"] = OneConsistency{bad("consistency", "consistency", "refused", about),
			Consistency{first, second, hexes(proof)}, root1[:], root2[:]}
	}
	proof := treeProof(3, leaves)
	consistency("another-first-root", "The first root is that of another size.", 3, 7, proof, root(4), root(7))
	consistency("another-second-root", "The second root is that of another size.", 3, 7, proof, root(3), root(6))
	consistency("short", "The last hash is missing.", 3, 7, proof[:len(proof)-1], root(3), root(7))
	consistency("long", "There is a hash more.", 3, 7, append(slices.Clone(proof), root(7)), root(3), root(7))
	consistency("empty", "The proof is empty.", 3, 7, nil, root(3), root(7))
	consistency("backwards", "The log has shrunk.", 7, 3, proof, root(7), root(3))
	consistency("same-size", "Two roots of one size.", 7, 7, nil, root(6), root(7))
	consistency("same-size-with-proof", "A log and itself, with a proof.", 7, 7, []sm.Hash{root(7)}, root(7), root(7))
	consistency("from-nothing", "From a log without entries, whose root is not SM3 of nothing.", 0, 7, nil, sm.Hash{}, root(7))
	return files
}

func (r *runner) checkEntry(f Entry) {
	e, err := access.ParseEntry(f.Entry)
	r.outcome(f.Common, "parse", r.code(err))
	if err != nil {
		return
	}
	again, err := e.Bytes()
	if err != nil {
		r.Error(err)
	}
	r.same("formatted again", again, f.Entry)
	r.same("leaf", bytesOf(access.Leaf(f.Entry)), f.Leaf)
	salt := access.Salt(f.Salt)
	r.same("commitment to the licence", bytesOf(access.LicenceCommitment(salt, f.Issuer, sm.Hash(f.Digest))), e.Licence[:])
	if f.Request != nil {
		call := access.RequestCall(sm.Hash(f.Request))
		r.same("call", call[:], e.Call[:])
	}
	r.same("commitment to what was shown", bytesOf(access.PresentationCommitment(salt, sm.Hash(f.Presentation))), e.Presentation[:])
}

func hashesOf(in []Hex) []sm.Hash {
	out := []sm.Hash{}
	for _, h := range in {
		out = append(out, sm.Hash(h))
	}
	return out
}

// wholeLog is the tree over a log's leaves, as package access asks for its nodes.
type wholeLog []sm.Hash

func (l wholeLog) Node(level uint, index uint64) (sm.Hash, error) {
	from, to := index<<level, (index+1)<<level
	if to > uint64(len(l)) {
		return sm.Hash{}, fmt.Errorf("node %d of level %d is not whole", index, level)
	}
	return treeHash(l[from:to]), nil
}

func (r *runner) tree(nodes access.Nodes, size uint64) *access.Tree {
	t, err := access.NewTree(nodes, size)
	if err != nil {
		r.Fatal(err)
	}
	return t
}

func (r *runner) checkLog(f Log) {
	leaves := wholeLog(hashesOf(f.Leaves))
	roots := hashesOf(f.Roots)
	if len(roots) != len(leaves)+1 {
		r.Fatalf("%d roots of %d leaves", len(roots), len(leaves))
	}
	var grown access.Frontier
	for size, want := range roots {
		if got := r.tree(leaves, uint64(size)).Root(); got != want || grown.Root() != want {
			r.Errorf("root at size %d: %s, %s", size, got, grown.Root())
		}
		if size < len(leaves) {
			grown.Append(leaves[size])
		}
	}
	for _, p := range f.Inclusion {
		path, err := r.tree(leaves, p.Size).Inclusion(p.Index)
		if err != nil || !slices.Equal(path, hashesOf(p.Path)) || !access.VerifyInclusion(leaves[p.Index], p.Index, p.Size, path, roots[p.Size]) {
			r.Errorf("path of %d in %d: %v, %v", p.Index, p.Size, path, err)
		}
	}
	for _, p := range f.Consistency {
		proof, err := r.tree(leaves, p.Second).Consistency(p.First)
		if err != nil || !slices.Equal(proof, hashesOf(p.Proof)) || !access.VerifyConsistency(p.First, p.Second, proof, roots[p.First], roots[p.Second]) {
			r.Errorf("from %d to %d: %v, %v", p.First, p.Second, proof, err)
		}
	}
}

func refusedUnless(ok bool) string {
	if ok {
		return "ok"
	}
	return "refused"
}

func (r *runner) checkBadInclusion(f OneInclusion) {
	r.outcome(f.Common, "inclusion", refusedUnless(access.VerifyInclusion(sm.Hash(f.Leaf), f.Index, f.Size, hashesOf(f.Path), sm.Hash(f.Root))))
}

func (r *runner) checkBadConsistency(f OneConsistency) {
	r.outcome(f.Common, "consistency", refusedUnless(access.VerifyConsistency(f.First, f.Second, hashesOf(f.Proof), sm.Hash(f.FirstRoot), sm.Hash(f.SecondRoot))))
}
