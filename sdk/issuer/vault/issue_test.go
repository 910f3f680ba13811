package vault

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"deposit and open", testDeposit},
		{"batches", testBatches},
		{"batches that do not fit", testBadBatches},
		{"heads signed anew", testReplaceHead},
		{"discard", testDiscard},
		{"large batches", testLargeBatches},
	}...)
}

func testDeposit(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(3)
	deposits[1].ValidUntil = nil
	deposits[2].Holders = []string{holderOf(2), "x", "x"}
	b := p.add(t, v, deposits)
	same(t, "first", b.First, 1)
	same(t, "size", b.Size, 3)
	for i, d := range deposits {
		l, err := v.Licence(t.Context(), b.First+ID(i))
		must(t, err)
		same(t, "digest", l.Digest, d.Digest)
		same(t, "root", l.Root, b.Root)
		same(t, "index", l.Index, uint32(i))
		same(t, "type", l.Type, "marriage")
		same(t, "state", l.State, licence.Active)
		same(t, "batch state", l.BatchState, Pending)
		same(t, "issued at", l.IssuedAt, uint64(p.time().Unix()))
		if !l.HoldsNumber || l.Lost || l.ErasedAt != nil || (l.ValidUntil == nil) != (i == 1) || i != 1 && *l.ValidUntil != *d.ValidUntil {
			t.Fatalf("licence %+v", l)
		}
		at, err := v.At(t.Context(), b.Root, uint32(i))
		must(t, err)
		same(t, "id at its place", at.ID, l.ID)
		found, err := v.ByNumber(t.Context(), "marriage", d.Number)
		must(t, err)
		if len(found) != 1 || found[0].ID != l.ID {
			t.Fatalf("by number: %v", found)
		}
	}
	here := []string{"marriage"}
	for _, c := range []struct {
		holder string
		types  []string
		before ID
		limit  int
		want   []ID
	}{
		{holderOf(2), here, 0, 10, []ID{3, 1}}, {holderOf(2), here, 3, 10, []ID{1}}, {holderOf(2), here, 0, 1, []ID{3}}, {"x", here, 0, 10, []ID{3}}, {"nobody", here, 0, 10, nil}, {"", here, 0, 10, nil},
		{holderOf(2), nil, 0, 10, nil}, {holderOf(2), []string{"other", "marriage"}, 0, 10, []ID{3, 1}}, {holderOf(2), []string{"other"}, 0, 10, nil}, {holderOf(2), []string{"' OR 1=1 --"}, 0, 10, nil},
	} {
		found, err := v.ByHolder(t.Context(), c.holder, c.types, c.before, c.limit)
		must(t, err)
		var ids []ID
		for _, l := range found {
			ids = append(ids, l.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Fatalf("licences of a holder: %v, want %v", ids, c.want)
		}
	}
	for _, c := range []struct{ typ, number string }{{"business-licence", deposits[0].Number}, {"marriage", "J110101-2026-00000"}, {"marriage", ""}} {
		if found, err := v.ByNumber(t.Context(), c.typ, c.number); err != nil || len(found) != 0 {
			t.Fatalf("%+v: %v, %v", c, found, err)
		}
	}
	p.pass(time.Minute)
	contents, err := v.OpenLicences(t.Context(), By{Actor: "another", Purpose: "case 7"}, 3, 1)
	must(t, err)
	sameBytes(t, "content", contents[0], deposits[2].Content)
	sameBytes(t, "content", contents[1], deposits[0].Content)
	contents, err = v.OpenBatch(t.Context(), clerk, b.ID)
	must(t, err)
	sameBytes(t, "content", contents[1], deposits[1].Content)

	history, err := v.History(t.Context(), 3)
	must(t, err)
	same(t, "lines", len(history), 3)
	for i, want := range []Event{{Action: ActionIssued, Batch: b.ID, By: clerk}, {Action: ActionOpened, Licence: 3, By: By{"another", "case 7"}}, {Action: ActionOpened, Batch: b.ID, By: clerk}} {
		want.ID, want.At = history[i].ID, p.time().UTC()
		if i == 0 {
			want.At = want.At.Add(-time.Minute)
		}
		same(t, fmt.Sprintf("line %d", i), history[i], want)
	}
	all, err := v.Events(t.Context(), history[0].ID, 2)
	must(t, err)
	same(t, "lines", len(all), 2)

	for _, ids := range [][]ID{{4}, {0}, {-1}, {1, 4}} {
		_, err := v.OpenLicences(t.Context(), clerk, ids...)
		refused(t, err, CodeUnknown)
	}
	same(t, "openings that failed", count(t, v, "vault_history", "action = $1", ActionOpened), 3)
	_, err = v.OpenLicences(t.Context(), By{}, 1)
	refused(t, err, CodeArgument)
	_, err = v.OpenLicences(t.Context(), clerk)
	refused(t, err, CodeArgument)
	_, err = v.OpenBatch(t.Context(), clerk, 99)
	refused(t, err, CodeUnknown)
	_, err = v.At(t.Context(), b.Root, 3)
	refused(t, err, CodeUnknown)
	_, err = v.History(t.Context(), 4)
	refused(t, err, CodeUnknown)
}

func testBatches(t *testing.T, p *place) {
	v := p.create(t)
	first, second := p.add(t, v, p.deposits(2)), p.add(t, v, p.deposits(1))
	same(t, "first of the second batch", second.First, 3)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Delivered(first.ID) }), CodeNotAnchored)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Delivered(99) }), CodeUnknown)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Anchored(99, ledger.Position{}) }), CodeUnknown)
	position := ledger.Position{Block: 7, Index: 2}
	write(t, v, func(tx *Tx) error { return tx.Anchored(first.ID, position) })
	write(t, v, func(tx *Tx) error { return tx.Delivered(first.ID) })
	write(t, v, func(tx *Tx) error { return tx.Anchored(first.ID, position) }) // once more
	got, err := v.Batch(t.Context(), first.ID)
	must(t, err)
	if got.State != Delivered || got.Position == nil || *got.Position != position || got.Type != "marriage" {
		t.Fatalf("batch %+v", got)
	}
	sameBytes(t, "head", got.Head, first.Head)
	sameBytes(t, "digests", got.Digests, first.Digests)
	got, err = v.BatchOf(t.Context(), second.Root)
	must(t, err)
	same(t, "id", got.ID, second.ID)
	_, err = v.BatchOf(t.Context(), sm.Hash{})
	refused(t, err, CodeUnknown)
	for _, c := range []struct {
		state      string
		job, after int64
		want       int
	}{{Pending, 0, 0, 1}, {Pending, 0, second.ID, 0}, {Pending, 5, 0, 0}, {Delivered, 0, 0, 1}, {Anchored, 0, 0, 0}} {
		found, err := v.Batches(t.Context(), c.state, c.job, c.after, 10)
		must(t, err)
		same(t, fmt.Sprintf("batches %+v", c), len(found), c.want)
	}
	newest, err := v.Newest(t.Context())
	must(t, err)
	same(t, "newest", newest, uint64(p.time().Unix()))
}

func testBadBatches(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	other, err := v.Seal(t.Context(), "business-licence", deposits)
	must(t, err)
	good := p.sign(t, "marriage", deposits, nil)
	for name, c := range map[string]struct {
		head     []byte
		licences []*Sealed
		code     string
	}{
		"no head":            {nil, sealed, CodeBatch},
		"half a head":        {good[:40], sealed, CodeBatch},
		"another kind":       {p.bindingStatement(t), sealed, CodeBatch},
		"another ledger":     {p.sign(t, "marriage", deposits, func(h *statement.Head) { h.Ledger[0] ^= 1 }), sealed, CodeBatch},
		"another department": {p.sign(t, "marriage", deposits, func(h *statement.Head) { h.Issuer = "somebody-else" }), sealed, CodeBatch},
		"another root":       {p.sign(t, "marriage", deposits, func(h *statement.Head) { h.Root[0] ^= 1 }), sealed, CodeBatch},
		"another size":       {p.sign(t, "marriage", deposits, func(h *statement.Head) { h.Size = 3 }), sealed, CodeBatch},
		"another order":      {good, []*Sealed{sealed[1], sealed[0]}, CodeBatch},
		"one missing":        {good, sealed[:1], CodeBatch},
		"none":               {good, nil, CodeBatch},
		"another type":       {good, other, CodeBatch},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error {
				_, err := tx.AddBatch(NewBatch{Head: c.head}, c.licences)
				return err
			}), c.code)
		})
	}
	p.add(t, v, deposits)
	_, err = p.tryAdd(t, v, deposits)
	refused(t, err, CodeBatch) // the same once more
	same(t, "batches", count(t, v, "vault_batch", "1 = 1"), 1)

	long := func(n int) string { return string(make([]byte, n)) }
	for name, d := range map[string]Deposit{
		"no number":       {Content: []byte("c")},
		"number too long": {Number: long(257), Content: []byte("c")},
		"no content":      {Number: "n"},
		"large content":   {Number: "n", Content: make([]byte, MaxContent+1)},
		"empty holder":    {Number: "n", Holders: []string{""}, Content: []byte("c")},
		"long holder":     {Number: "n", Holders: []string{long(257)}, Content: []byte("c")},
		"many holders":    {Number: "n", Holders: make([]string, MaxHolders+1), Content: []byte("c")},
		"predecessor":     {Number: "n", Predecessor: -1, Content: []byte("c")},
	} {
		_, err := v.Seal(t.Context(), "marriage", []Deposit{d})
		if Code(err) != CodeArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = v.Seal(t.Context(), "", deposits)
	refused(t, err, CodeArgument)
	if none, err := v.Seal(t.Context(), "marriage", nil); len(none) != 0 || err != nil {
		t.Fatalf("nothing sealed: %v, %v", none, err)
	}
}

// bindingStatement is a signed statement of another kind than a head.
func (p *place) bindingStatement(t *testing.T) []byte {
	t.Helper()
	signed, err := statement.Sign(&statement.Binding{Ledger: p.city.ID, Issuer: p.issuer.ID, HolderKey: [64]byte(p.issuer.Log.Public().Bytes()), NotBefore: 1, NotAfter: 2}, p.issuer.Anchor)
	must(t, err)
	return signed
}

func testReplaceHead(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	b := p.add(t, v, deposits)
	replace := func(head []byte) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.ReplaceHead(b.ID, head) })
	}
	p.pass(time.Hour)
	anew := p.sign(t, "marriage", deposits, nil)
	must(t, replace(anew))
	got, err := v.Batch(t.Context(), b.ID)
	must(t, err)
	sameBytes(t, "head", got.Head, anew)
	same(t, "issued at", got.IssuedAt, uint64(p.time().Unix()))
	for name, change := range map[string]func(*statement.Head){
		"root":    func(h *statement.Head) { h.Root[0] ^= 1 },
		"size":    func(h *statement.Head) { h.Size++ },
		"type":    func(h *statement.Head) { h.Type = "business-licence" },
		"version": func(h *statement.Head) { h.TypeVersion++ },
		"unit":    func(h *statement.Head) { h.Unit = "other" },
		"ledger":  func(h *statement.Head) { h.Ledger[0] ^= 1 },
	} {
		if err := replace(p.sign(t, "marriage", deposits, change)); Code(err) != CodeBatch {
			t.Errorf("another %s: %v", name, err)
		}
	}
	p.anchor(t, v, b)
	refused(t, replace(anew), CodeBatch)
}

func testDiscard(t *testing.T, p *place) {
	v := p.create(t)
	first := p.deposits(2)
	b := p.add(t, v, first)
	p.anchor(t, v, b)
	before := dump(t, v)
	successors := p.deposits(3)
	successors[0].Number, successors[0].Predecessor = first[0].Number, b.First
	undone := p.add(t, v, successors)
	discard := func(id int64) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Discard(id) })
	}
	must(t, discard(undone.ID))
	refused(t, discard(undone.ID), CodeUnknown)
	refused(t, discard(b.ID), CodeBatch)
	for _, table := range []string{"vault_licence", "vault_key", "vault_content"} {
		same(t, "rows of "+table, count(t, v, table, "1 = 1"), 2)
	}
	for _, d := range first {
		found, err := v.ByNumber(t.Context(), "marriage", d.Number)
		must(t, err)
		if len(found) != 1 || !found[0].HoldsNumber {
			t.Fatalf("after it was undone: %+v", found)
		}
	}
	if bytes.Contains(before, []byte(ActionDiscarded)) || !bytes.Contains(dump(t, v), []byte(ActionDiscarded)) {
		t.Fatal("the history does not tell")
	}
	again := p.add(t, v, successors)
	if again.First <= undone.First {
		t.Fatalf("ids are given twice: %d after %d", again.First, undone.First)
	}
	p.anchor(t, v, again)

	// The ledger has it all the same.
	late := p.deposits(1)
	other := p.add(t, v, late)
	must(t, discard(other.ID))
	p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{other.Head}, Digests: other.Digests})
	if lost := p.catchUp(t, v).Lost; len(lost) != 1 || lost[0].Root != other.Root {
		t.Fatalf("lost: %v", lost)
	}
}

// testLargeBatches adds batches of the sizes at which statements for many rows begin and end.
func testLargeBatches(t *testing.T, p *place) {
	v := p.create(t)
	for _, n := range []int{1, 63, 64, 65, 300, 1000} {
		deposits := p.deposits(n)
		sealed, err := v.Seal(t.Context(), "marriage", deposits)
		must(t, err)
		var b *Batch
		write(t, v, func(tx *Tx) error {
			free, err := tx.Free(sealed)
			if err != nil {
				return err
			}
			if slices.Contains(free, false) {
				t.Fatalf("of %d new numbers one is not free", n)
			}
			b, err = tx.AddBatch(NewBatch{Head: p.sign(t, "marriage", deposits, nil)}, sealed)
			return err
		})
		contents, err := v.OpenBatch(t.Context(), clerk, b.ID)
		must(t, err)
		for i := range deposits {
			sameBytes(t, "content", contents[i], deposits[i].Content)
		}
		write(t, v, func(tx *Tx) error {
			free, err := tx.Free(sealed)
			if slices.Contains(free, true) {
				t.Fatalf("of %d numbers that are held one is free", n)
			}
			return err
		})
	}
}
