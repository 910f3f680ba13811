package vault

import (
	"context"
	"fmt"
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
		{"many idempotency keys", testManyClaims}, {"batch of several clerks", testBatchOfSeveral}, {"first days", testSince},
		{"signed anew by two", testResignedByTwo}, {"restrictions", testRestrictions}, {"bound licence", testBoundLicence}, {"compared by two at once", testComparedByTwo}, {"change that was not noted", testChangeNotNoted},
	}...)
}

func testManyClaims(t *testing.T, p *place) {
	v := p.create(t)
	keys, answers := make([]ClaimKey, 300), make([][]byte, 300)
	for i := range keys {
		keys[i] = ClaimKey{Caller: "registry", Key: fmt.Sprint("key ", i), Request: sm.Sum([]byte(fmt.Sprint(i)))}
		answers[i] = []byte(fmt.Sprint("licence ", i))
	}
	recalls := func(keys []ClaimKey) (out []Recalled) {
		t.Helper()
		write(t, v, func(tx *Tx) (err error) {
			out, err = tx.Recalls(keys)
			return err
		})
		return out
	}
	write(t, v, func(tx *Tx) error { return tx.Claims(keys[:200], answers[:200], p.time().Add(time.Hour)) })
	asked := append([]ClaimKey{}, keys...)
	asked[7].Request[0] ^= 1
	for i, r := range recalls(asked) {
		switch {
		case i == 7:
			same(t, "reused", r.Reused, true)
		case i < 200:
			same(t, "answer", string(r.Answer), string(answers[i]))
		default:
			same(t, "answer", r.Answer == nil && !r.Reused, true)
		}
	}
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Claims(keys[199:201], answers[:2], p.time()) }), CodeClaimReused)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Claims(keys[200:201], [][]byte{nil}, p.time()) }), CodeArgument)
	same(t, "answer", recalls(keys[200:201])[0].Answer == nil, true) // nothing of it was done

	write(t, v, func(tx *Tx) error { return tx.Unclaim(asked[7]) }) // something else was asked under it
	same(t, "answer", string(recalls(keys[7:8])[0].Answer), "licence 7")
	write(t, v, func(tx *Tx) error { return tx.Unclaim(keys[7]) })
	same(t, "answer", recalls(keys[7:8])[0].Answer == nil, true)

	p.pass(time.Hour) // all have expired, and can be taken for something else
	for _, r := range recalls(asked) {
		same(t, "answer", r.Answer == nil && !r.Reused, true)
	}
	write(t, v, func(tx *Tx) error {
		if _, err := tx.Recalls(asked); err != nil {
			return err
		}
		return tx.Claims(asked, answers, p.time().Add(time.Hour))
	})
	same(t, "answer", string(recalls(asked[7:8])[0].Answer), "licence 7")
}

func testBatchOfSeveral(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(3)
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	head := p.sign(t, "marriage", deposits, nil)
	by := []By{{Actor: "clerk one"}, {Actor: "clerk two", Purpose: "counter"}, {Actor: "clerk one"}}
	for _, wrong := range [][]By{by[:2], {by[0], {}, by[2]}} {
		err := v.Write(t.Context(), clerk, func(tx *Tx) error {
			_, err := tx.AddBatch(NewBatch{Head: head, By: wrong}, sealed)
			return err
		})
		if code := Code(err); code != CodeBatch && code != CodeArgument {
			t.Errorf("%d who issue: %v", len(wrong), err)
		}
	}
	var b *Batch
	write(t, v, func(tx *Tx) (err error) {
		b, err = tx.AddBatch(NewBatch{Head: head, By: by}, sealed)
		return err
	})
	for i := range by {
		history, err := v.History(t.Context(), b.First+ID(i))
		must(t, err)
		if len(history) != 1 || history[0].Action != ActionIssued || history[0].By != by[i] || history[0].Batch != b.ID {
			t.Errorf("the history of licence %d is %+v", i, history)
		}
	}
}

func testSince(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	deposits[0].Since, deposits[1].Since = -5, 20000
	b := p.add(t, v, deposits)
	for i, want := range []licence.Date{-5, 20000} {
		l, err := v.Licence(t.Context(), b.First+ID(i))
		must(t, err)
		same(t, "since", *l.Since, want)
	}
}

// testResignedByTwo has another head of the batch come to the ledger than the one that the vault has got last.
func testResignedByTwo(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	b := p.add(t, v, deposits)
	first := p.sign(t, "marriage", deposits, func(h *statement.Head) { h.SignedAt += 5 })
	second := p.sign(t, "marriage", deposits, func(h *statement.Head) { h.SignedAt += 6 })
	for _, head := range [][]byte{first, second} {
		write(t, v, func(tx *Tx) error { return tx.ReplaceHead(b.ID, head) })
	}
	at := p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{first}, Digests: b.Digests})
	report, err := v.CatchUp(t.Context(), p.ledger)
	must(t, err)
	same(t, "anchored", report.Anchored, 1)
	got, err := v.Batch(t.Context(), b.ID)
	must(t, err)
	sameBytes(t, "head", got.Head, first)
	same(t, "issued at", got.IssuedAt, b.IssuedAt+5)
	same(t, "state", got.State, Anchored)
	same(t, "position", *got.Position, at)
}

// testRestrictions notes restrictions, each once, whether they were laid here or learnt from the ledger.
func testRestrictions(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	for i, action := range []string{statement.RestrictionLay, statement.RestrictionLift} {
		o := &Opening{Key: "k", Code: "seizure", Digest: sm.Hash(b.Digests)}
		o.Salt[0], o.Restriction = byte(i), [16]byte{9}
		write(t, v, func(tx *Tx) error { return tx.KeepOpening(o) })
		body := &statement.Restriction{Ledger: p.city.ID, Issuer: p.issuer.ID, Licence: statement.Place{Root: b.Root, Digest: sm.Hash(b.Digests), Path: b.Digests[sm.HashSize:]},
			Sequence: uint32(i + 1), Action: action, ID: o.Restriction, Ground: o.Commitment(), SignedAt: uint64(p.time().Unix())}
		if i > 0 {
			previous := sm.Sum([]byte("the one before"))
			body.Previous = &previous
		}
		signed, err := statement.Sign(body, p.issuer.Status)
		must(t, err)
		p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{signed}})
		if i == 0 { // noted at once, and then found on the ledger
			write(t, v, func(tx *Tx) error { return tx.SetRestriction(body) })
		}
		_, err = v.CatchUp(t.Context(), p.ledger)
		must(t, err)
		write(t, v, func(tx *Tx) error { return tx.SetRestriction(body) })
		kept, err := v.Opening(t.Context(), o.Commitment())
		must(t, err)
		same(t, "settled", kept.Settled, true)
	}
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	var actions []string
	for _, e := range history {
		actions = append(actions, e.Action+" "+e.Actor)
	}
	same(t, "history", fmt.Sprint(actions), fmt.Sprint([]string{ActionIssued + " " + clerk.Actor, ActionRestricted + " " + clerk.Actor, ActionReleased + " " + clerk.Actor}))
	foreign := &statement.Restriction{Licence: statement.Place{Root: b.Root, Digest: sm.Hash(b.Digests)}, Action: statement.RestrictionLay, Ground: sm.Sum(nil)}
	write(t, v, func(tx *Tx) error { return tx.SetRestriction(foreign) }) // one whose opening was lost
	history, err = v.History(t.Context(), b.First)
	must(t, err)
	same(t, "lines", len(history), 4)
	unknown := &statement.Restriction{Licence: statement.Place{Index: 7}}
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.SetRestriction(unknown) }), CodeUnknown)
}

// testChangeNotNoted has the vault learn from the ledger what a clerk has done through it, and what nobody knows of.
func testChangeNotNoted(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	p.anchor(t, v, b)
	o := &Opening{Key: "reason", Code: "court", Digest: sm.Hash(b.Digests)}
	write(t, v, func(tx *Tx) error { return tx.KeepOpening(o) })
	body := &statement.Status{Ledger: p.city.ID, Issuer: p.issuer.ID, Root: b.Root, Licence: &statement.Place{Root: b.Root, Digest: sm.Hash(b.Digests)},
		Sequence: 1, From: "active", To: "suspended", Reason: o.Commitment(), SignedAt: uint64(p.time().Unix())}
	signed, err := statement.Sign(body, p.issuer.Status)
	must(t, err)
	p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{signed}})
	p.status(t, b, 0, Change{To: licence.Active, Sequence: 2}, licence.Suspended)
	_, err = v.CatchUp(t.Context(), p.ledger)
	must(t, err)
	write(t, v, func(tx *Tx) error { return tx.SetState(b.First, Change{To: licence.Suspended, Sequence: 1}) }) // too late
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	same(t, "lines", len(history), 3)
	same(t, "what the clerk has done", history[1].Action+" "+history[1].Actor, ActionState+" "+clerk.Actor)
	same(t, "what nobody knows of", history[2].Action+" "+history[2].Actor, ActionStateLedger+" vault")
	kept, err := v.Opening(t.Context(), o.Commitment())
	must(t, err)
	same(t, "who kept it", kept.By, clerk)
}

// A lateHead is a ledger that grows while it is asked for its end.
type lateHead struct {
	*chain
	meanwhile func()
}

func (l *lateHead) Head(ctx context.Context) (ledger.Head, error) {
	head, err := l.chain.Head(ctx)
	l.meanwhile()
	return head, err
}

// testComparedByTwo has one process ask for the ledger's end, and another come further before it gets the answer.
func testComparedByTwo(t *testing.T, p *place) {
	one, two := p.create(t), p.open(t)
	slow := &lateHead{p.ledger, func() {
		p.ledger.add(ledger.Transaction{})
		_, err := two.CatchUp(t.Context(), p.ledger)
		must(t, err)
	}}
	for range 3 {
		_, err := one.CatchUp(t.Context(), slow)
		must(t, err)
	}
	seen, err := one.Seen(t.Context())
	must(t, err)
	head, err := p.ledger.Head(t.Context())
	must(t, err)
	same(t, "seen", seen, head)
}

func testBoundLicence(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	kept, err := v.Keep(t.Context(), Binding{Licence: b.First + 1, NotBefore: p.time(), NotAfter: p.time().Add(time.Hour), Statement: []byte("signed")})
	must(t, err)
	var id int64
	write(t, v, func(tx *Tx) (err error) {
		id, err = tx.AddBinding(kept)
		return err
	})
	of, err := v.BoundLicence(t.Context(), id)
	must(t, err)
	same(t, "licence", of, b.First+1)
	_, err = v.BoundLicence(t.Context(), id+1)
	refused(t, err, CodeUnknown)
}
