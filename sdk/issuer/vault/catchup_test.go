package vault

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"catch up", testCatchUp},
		{"catch up with states", testCatchUpStates},
		{"another ledger", testOtherLedger},
		{"a copy put back", testRestored},
		{"a copy put back under a process", testRolledBack},
		{"a loss accepted", testAcceptLoss},
		{"anchored with a stolen key", testStolenKey},
		{"a long ledger", testLongLedger},
	}...)
}

func (p *place) catchUp(t testing.TB, v *Vault) *CatchUpReport {
	t.Helper()
	report, err := v.CatchUp(t.Context(), p.ledger)
	must(t, err)
	head, _ := p.ledger.Head(t.Context())
	seen, err := v.Seen(t.Context())
	must(t, err)
	same(t, "place in the ledger", seen, head)
	same(t, "end of the report", report.To, head)
	return report
}

func testCatchUp(t *testing.T, p *place) {
	v, err := Create(t.Context(), p.address, p.identity(), p.keys(t), p.time)
	must(t, err)
	closeAfter(t, v)
	deposits := p.deposits(2)
	_, err = p.tryAdd(t, v, deposits)
	refused(t, err, CodeUnchecked)
	p.catchUp(t, v)
	b := p.add(t, v, deposits)

	// The batch comes to the ledger, and the process is killed before it can note that.
	at := p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{b.Head}, Digests: b.Digests})
	v = p.open(t)
	report := p.catchUp(t, v)
	if report.Anchored != 1 || report.States != 0 || len(report.Lost) != 0 {
		t.Fatalf("report %+v", report)
	}
	got, err := v.Batch(t.Context(), b.ID)
	must(t, err)
	if got.State != Anchored || *got.Position != at {
		t.Fatalf("batch %+v", got)
	}
	if report = p.catchUp(t, v); report.Anchored != 0 || report.From != report.To {
		t.Fatalf("once more: %+v", report)
	}
}

// What a thief has anchored in the department's name keeps its types from being issued, until the department disowns
// it; and however far ahead he dates it, the department's dates of issue stay what they are.
func testStolenKey(t *testing.T, p *place) {
	v := p.create(t)
	mine := p.add(t, v, p.deposits(1))
	p.anchor(t, v, mine)
	p.catchUp(t, v)
	before, err := v.Newest(t.Context())
	must(t, err)
	var roots []sm.Hash
	for _, at := range []uint64{ledgertest.Time - 10_000_000, ledgertest.Time + 100_000_000} {
		forged := p.city.IssueAt(t, "marriage", 2, at)
		p.ledger.commit(p.issuer.ID, forged.Tx)
		roots = append(roots, forged.Head.Root)
	}
	if report := p.catchUp(t, v); len(report.Lost) != 2 {
		t.Fatalf("report %+v", report)
	}
	_, err = p.tryAdd(t, v, p.deposits(1))
	refused(t, err, CodeContentsLost)
	newest, err := v.Newest(t.Context())
	must(t, err)
	if now := uint64(p.time().Unix()); newest < before || newest > now {
		t.Errorf("the newest date of issue is %d at %d, before it was %d", newest, now, before)
	}
	slices.SortFunc(roots, func(a, b sm.Hash) int { return bytes.Compare(a[:], b[:]) })
	p.ledger.commit(p.issuer.ID, ledgertest.Sign(t, p.city.EndKey(p.issuer.ID, p.issuer.Anchor, statement.KeyCompromise, roots...), p.issuer.Govern))
	report := p.catchUp(t, v)
	lost, err := v.Lost(t.Context())
	must(t, err)
	if len(report.Lost) != 0 || len(lost) != 0 {
		t.Errorf("lost: %+v, %+v", report.Lost, lost)
	}
	p.add(t, v, p.deposits(1))

	// A vault made anew learns both at once.
	again := &place{address: p.address + ".again", city: p.city, issuer: p.issuer, keyFile: p.keyFile, ledger: p.ledger, now: p.now}
	if p.copy == nil || sqldb.IsPostgreSQL(p.address) {
		return
	}
	v, err = Create(t.Context(), again.address, again.identity(), again.keys(t), again.time)
	must(t, err)
	closeAfter(t, v)
	if report := again.catchUp(t, v); len(report.Lost) != 1 || report.Lost[0].Root != mine.Root {
		t.Errorf("of a vault made anew: %+v", report)
	}
}

func testCatchUpStates(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(3)
	b := p.add(t, v, deposits)
	p.anchor(t, v, b)
	opening := &Opening{Key: "reason", Salt: [16]byte{9}, Code: "remarried", Digest: deposits[0].Digest}
	commitment := opening.Commitment()
	write(t, v, func(tx *Tx) error { return tx.KeepOpening(opening) })
	signed, err := statement.Sign(&statement.Status{Ledger: p.city.ID, Issuer: p.issuer.ID, Root: b.Root,
		Licence: &statement.Place{Root: b.Root, Index: 0, Digest: deposits[0].Digest}, Sequence: 1, From: "active", To: "revoked",
		Effective: ledgertest.Day, Reason: commitment, SignedAt: 1}, p.issuer.Status)
	must(t, err)
	p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{signed, signed}}) // two keys may sign one change
	p.status(t, b, 1, Change{licence.Suspended, ledgertest.Day, 1}, licence.Active)
	p.status(t, b, 1, Change{licence.Active, ledgertest.Day, 2}, licence.Suspended)
	write(t, v, func(tx *Tx) error { // the vault knows more than the place up to which it has read the ledger
		return tx.SetState(b.First+1, Change{licence.Active, ledgertest.Day, 2})
	})
	same(t, "states learnt", p.catchUp(t, v).States, 1)
	states := func(want ...licence.State) {
		t.Helper()
		for i, s := range want {
			l, err := v.Licence(t.Context(), b.First+ID(i))
			must(t, err)
			if l.State != s || l.HoldsNumber != alive(s) {
				t.Fatalf("licence %d is %+v; want %s", i, l, s)
			}
		}
	}
	states(licence.Revoked, licence.Active, licence.Active)
	o, err := v.Opening(t.Context(), commitment)
	must(t, err)
	same(t, "settled", o.Settled, true)

	// The whole root, and back: the more restrictive holds.
	p.status(t, b, -1, Change{licence.Revoked, ledgertest.Day + 1, 1}, licence.Active)
	same(t, "states learnt", p.catchUp(t, v).States, 1)
	states(licence.Revoked, licence.Revoked, licence.Revoked)
	if found, err := v.Expiring(t.Context(), "marriage", 0, ledgertest.Day+1000, 0, 9); err != nil || len(found) != 0 {
		t.Fatalf("revoked licences expire: %v, %v", found, err)
	}
	again := p.deposits(1)
	again[0].Number = deposits[2].Number
	p.add(t, v, again)
	p.status(t, b, -1, Change{licence.Active, ledgertest.Day + 2, 2}, licence.Revoked)
	same(t, "states learnt", p.catchUp(t, v).States, 1)
	l, err := v.Licence(t.Context(), b.First+2)
	must(t, err)
	if l.State != licence.Active || l.HoldsNumber {
		t.Fatalf("the licence whose number was given to another: %+v", l)
	}
	l, err = v.Licence(t.Context(), b.First+1)
	must(t, err)
	if l.State != licence.Active || !l.HoldsNumber {
		t.Fatalf("the licence that is active again: %+v", l)
	}
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	same(t, "lines", countActions(history, ActionState), 1) // whose opening was kept here
	same(t, "lines", countActions(history, ActionStateLedger), 2)
}

func testOtherLedger(t *testing.T, p *place) {
	v := p.create(t)
	p.anchor(t, v, p.add(t, v, p.deposits(1)))
	p.catchUp(t, v)
	height := len(p.ledger.blocks)
	shorter := &chain{blocks: p.ledger.blocks[:height-1]}
	_, err := v.CatchUp(t.Context(), shorter)
	refused(t, err, CodeLedgerOther)
	forked := &chain{blocks: p.ledger.blocks[: height-1 : height-1]}
	forked.commit("nobody", &chaincode.Transaction{})
	_, err = v.CatchUp(t.Context(), forked)
	refused(t, err, CodeLedgerOther)
	forked.blocks[height-1].Transactions = nil
	forked.add(ledger.Transaction{})
	_, err = v.CatchUp(t.Context(), forked)
	refused(t, err, CodeLedgerOther)
	_, err = v.CatchUp(t.Context(), brokenLedger{p.ledger, 0})
	refused(t, err, CodeUnavailable)
	p.ledger.add(ledger.Transaction{})
	_, err = v.CatchUp(t.Context(), brokenLedger{p.ledger, 1})
	refused(t, err, CodeUnavailable)
	p.ledger.add(ledger.Transaction{Bytes: []byte("no transaction")})
	_, err = v.CatchUp(t.Context(), p.ledger)
	refused(t, err, CodeLedgerOther)
}

// A brokenLedger fails at the nth call.
type brokenLedger struct {
	*chain
	good int
}

func (b brokenLedger) Head(ctx context.Context) (ledger.Head, error) {
	if b.good == 0 {
		return ledger.Head{}, errors.New("no ledger")
	}
	return b.chain.Head(ctx)
}

func (b brokenLedger) Follow(context.Context, uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) { yield(nil, errors.New("no ledger")) }
}

// testRestored puts an old copy back: nothing that was issued since is issued again, and nothing that was
// revoked since is forgotten.
func testRestored(t *testing.T, p *place) {
	v, err := Create(t.Context(), p.address, p.identity(), p.keys(t), p.time)
	must(t, err)
	p.catchUp(t, v)
	old := p.deposits(2)
	first := p.add(t, v, old)
	p.anchor(t, v, first)
	must(t, v.Close())
	copied := p.copy(t, p.address)

	v = p.open(t)
	p.catchUp(t, v)
	since := p.deposits(3)
	second := p.add(t, v, since)
	p.anchor(t, v, second)
	p.status(t, first, 1, Change{licence.Revoked, ledgertest.Day, 1}, licence.Active)
	p.status(t, second, 0, Change{licence.Suspended, ledgertest.Day, 1}, licence.Active)
	p.status(t, second, 1, Change{licence.Revoked, ledgertest.Day, 1}, licence.Active)
	p.catchUp(t, v)

	p.address = copied
	v = p.open(t)
	_, err = p.tryAdd(t, v, since)
	refused(t, err, CodeUnchecked)
	report := p.catchUp(t, v)
	if report.States != 3 || len(report.Lost) != 1 || report.Lost[0].Root != second.Root || report.Lost[0].Size != 3 || report.Lost[0].Type != "marriage" {
		t.Fatalf("report %+v", report)
	}
	l, err := v.Licence(t.Context(), first.First+1)
	must(t, err)
	same(t, "state", l.State, licence.Revoked)
	again := p.deposits(1)
	again[0].Number = since[2].Number
	_, err = p.tryAdd(t, v, again)
	refused(t, err, CodeContentsLost)
	_, err = v.OpenLicences(t.Context(), clerk, second.First)
	refused(t, err, CodeNoContent)

	// The lost contents come back, from credentials.
	lost, err := v.Lost(t.Context())
	must(t, err)
	same(t, "lost batches", len(lost), 1)
	sealed, err := v.Seal(t.Context(), "marriage", since)
	must(t, err)
	bring := func(index uint32, s *Sealed) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Recover(lost[0].ID, index, s) })
	}
	refused(t, bring(0, sealed[1]), CodeBatch)
	refused(t, bring(3, sealed[0]), CodeBatch)
	must(t, bring(2, sealed[2]))
	refused(t, bring(2, sealed[2]), CodeBatch)
	must(t, bring(0, sealed[0]))
	_, err = p.tryAdd(t, v, again)
	refused(t, err, CodeContentsLost)
	must(t, bring(1, sealed[1]))
	_, err = p.tryAdd(t, v, again)
	refused(t, err, CodeNumberTaken) // and not CodeContentsLost
	p.add(t, v, p.deposits(1))
	contents, err := v.OpenBatch(t.Context(), clerk, lost[0].ID)
	must(t, err)
	for i := range since {
		sameBytes(t, "content", contents[i], since[i].Content)
	}
	for i, want := range []licence.State{licence.Suspended, licence.Revoked, licence.Active} {
		found, err := v.ByNumber(t.Context(), "marriage", since[i].Number)
		must(t, err)
		if len(found) != 1 || found[0].State != want || found[0].HoldsNumber != alive(want) || found[0].Lost {
			t.Fatalf("licence %d is %+v; want %s", i, found[0], want)
		}
	}
	if found, err := v.ByHolder(t.Context(), since[2].Holders[1], []string{"marriage"}, 0, 9); err != nil || len(found) != 1 {
		t.Fatalf("by holder: %v, %v", found, err)
	}
}

// testRolledBack puts an old copy back under a vault that is in use.
func testRolledBack(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	for _, statement := range []string{"DELETE FROM vault_licence", "DELETE FROM vault_batch", "DELETE FROM vault_key", "DELETE FROM vault_content", "DELETE FROM vault_holder", "UPDATE vault_turn SET next = 1"} {
		must(t, v.db.Exec(t.Context(), statement))
	}
	_, err := p.tryAdd(t, v, p.deposits(1))
	refused(t, err, CodeRolledBack)
	_, err = p.tryAdd(t, v, p.deposits(1))
	refused(t, err, CodeUnchecked)
	same(t, "lost batches", len(p.catchUp(t, v).Lost), 1)
	_, err = p.tryAdd(t, v, p.deposits(1))
	refused(t, err, CodeContentsLost)
}

func testAcceptLoss(t *testing.T, p *place) {
	deposits := p.deposits(2)
	var digests []byte
	for _, d := range deposits {
		digests = append(digests, d.Digest[:]...)
	}
	p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{p.sign(t, "marriage", deposits, nil)}, Digests: digests})
	p.ledger.commit("others", &chaincode.Transaction{Statements: [][]byte{p.sign(t, "marriage", deposits, func(h *statement.Head) { h.Issuer = "others" })}, Digests: digests})
	v, err := Create(t.Context(), p.address, p.identity(), p.keys(t), p.time)
	must(t, err)
	closeAfter(t, v)
	report := p.catchUp(t, v) // a vault made anew: what the ledger has is lost
	same(t, "lost batches", len(report.Lost), 1)
	l, err := v.At(t.Context(), report.Lost[0].Root, 1)
	must(t, err)
	if !l.Lost || l.Digest != deposits[1].Digest || l.State != licence.Active {
		t.Fatalf("a lost licence: %+v", l)
	}
	accept := func(batch int64) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AcceptLoss(batch) })
	}
	refused(t, accept(99), CodeUnknown)
	must(t, accept(report.Lost[0].Batch))
	refused(t, accept(report.Lost[0].Batch), CodeUnknown)
	again := p.deposits(1)
	again[0].Number = deposits[0].Number
	p.add(t, v, again)

	// What comes back later has not the number that was given again.
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	write(t, v, func(tx *Tx) error { return tx.Recover(report.Lost[0].Batch, 0, sealed[0]) })
	write(t, v, func(tx *Tx) error { return tx.Erase(l.ID) })
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Recover(report.Lost[0].Batch, 1, sealed[1]) }), CodeErased)
	found, err := v.ByNumber(t.Context(), "marriage", deposits[0].Number)
	must(t, err)
	if len(found) != 2 || found[0].HoldsNumber == found[1].HoldsNumber {
		t.Fatalf("of the two one holds the number: %+v, %+v", found[0], found[1])
	}
}

// testLongLedger reads more than goes into one transaction.
func testLongLedger(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	p.anchor(t, v, b)
	const changes = 2*catchUpItems + 1
	for i := range uint32(changes) {
		to, from := licence.Suspended, licence.Active
		if i%2 == 1 {
			to, from = from, to
		}
		p.status(t, b, 0, Change{to, ledgertest.Day, i + 1}, from)
	}
	for range catchUpBlocks + 1 {
		p.ledger.add(ledger.Transaction{})
	}
	same(t, "states learnt", p.catchUp(t, v).States, changes)
	l, err := v.Licence(t.Context(), b.First)
	must(t, err)
	if l.State != licence.Suspended || l.Sequence != changes {
		t.Fatalf("licence %+v", l)
	}
}

// TestEmbeddedLedger catches up with a real ledger, on which real licences were issued and revoked.
func TestEmbeddedLedger(t *testing.T) {
	p := sqlitePlace(t)
	store, err := embedded.Create(filepath.Join(t.TempDir(), "ledger"), p.city.Genesis)
	must(t, err)
	defer store.Close()
	p.city.Found(t, store.As)
	l := store.As(p.issuer.ID)
	known, unknown := p.city.Issue(t, "marriage", 3), p.city.Issue(t, "marriage", 5)
	v, err := Create(t.Context(), p.address, p.identity(), p.keys(t), p.time)
	must(t, err)
	defer v.Close()
	_, err = v.CatchUp(t.Context(), l)
	must(t, err)
	var deposits []Deposit
	for i := range known.Digests {
		content := known.Licences.Credential(i).Bytes()
		deposits = append(deposits, Deposit{Digest: known.Digests[i], Number: string(rune('a' + i)), Content: content})
	}
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	var b *Batch
	write(t, v, func(tx *Tx) error {
		b, err = tx.AddBatch(NewBatch{Head: known.Statement}, sealed)
		return err
	})
	anchored := ledgertest.Submit(t, l, known.Tx)
	ledgertest.Submit(t, l, unknown.Tx)
	ledgertest.Submit(t, l, ledgertest.Sign(t, known.Change(1, licence.Suspended), p.issuer.Status))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	report, err := v.CatchUp(ctx, l)
	must(t, err)
	if report.Anchored != 1 || report.States != 1 || len(report.Lost) != 1 || report.Lost[0].Root != unknown.Root() || report.Lost[0].Size != 5 {
		t.Fatalf("report %+v", report)
	}
	got, err := v.Batch(t.Context(), b.ID)
	must(t, err)
	same(t, "position", *got.Position, anchored.Position)
	found, err := v.At(t.Context(), known.Root(), 1)
	must(t, err)
	same(t, "state", found.State, licence.Suspended)
	same(t, "digest", found.Digest, sm.Hash(known.Digests[1]))
}

func blockOf(tx []byte) *ledger.Block {
	return &ledger.Block{Number: 1, Transactions: []ledger.Transaction{{ID: "tx", Bytes: tx}}}
}
