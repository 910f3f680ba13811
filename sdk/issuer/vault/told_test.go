package vault

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"told", testTold},
		{"told once", testToldOnce},
		{"given up", testGivenUp},
	}...)
}

// How far the ledger was told of goes on only from where it is, whoever tells.
func testTold(t *testing.T, p *place) {
	v := p.create(t)
	other := p.open(t)
	tell := func(v *Vault, from, to ledger.Head, want bool) {
		t.Helper()
		write(t, v, func(tx *Tx) error {
			got, err := tx.Tell(from, to)
			same(t, "told", got, want)
			return err
		})
	}
	at := func(want ledger.Head) {
		t.Helper()
		got, err := other.Told(t.Context())
		must(t, err)
		same(t, "told up to", got, want)
	}
	first, second := ledger.Head{Height: 7, Hash: sm.Hash{1}}, ledger.Head{Height: 300, Hash: sm.Hash{2}}
	at(ledger.Head{})
	tell(v, first, second, false) // nobody has begun
	tell(v, ledger.Head{}, first, true)
	tell(other, ledger.Head{}, second, false)
	at(first)
	tell(other, first, second, true)
	tell(v, first, second, false)
	tell(v, ledger.Head{Height: 300}, first, false)
	at(second)
}

// Each licence that expires, and each job that is done, comes up once, in one transaction or not at all.
func testToldOnce(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(6)
	for i, until := range []licence.Date{100, 110, 111, 99} {
		deposits[i].ValidUntil = &until
	}
	deposits[4].ValidUntil, deposits[5].ValidUntil = nil, deposits[0].ValidUntil
	b := p.add(t, v, deposits)
	expiring := func(from, to licence.Date, limit int, want ...int) {
		t.Helper()
		write(t, v, func(tx *Tx) error {
			found, err := tx.NewlyExpiring(b.Type, from, to, limit)
			var got []int
			for _, l := range found {
				got = append(got, int(l.ID-b.First))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("expiring: %v; want %v", got, want)
			}
			return err
		})
	}
	expiring(100, 110, 9) // the batch is not on the ledger yet
	p.anchor(t, v, b)
	index := func(deposit int) int { // of its place in the batch
		return bytes.Index(b.Digests, deposits[deposit].Digest[:]) / sm.HashSize
	}
	write(t, v, func(tx *Tx) error {
		return tx.SetState(b.First+ID(index(5)), Change{To: licence.Revoked, Effective: 90, Sequence: 1})
	})
	lost := v.Write(t.Context(), clerk, func(tx *Tx) error {
		found, err := tx.NewlyExpiring(b.Type, 100, 110, 9)
		same(t, "licences", len(found), 2)
		must(t, err)
		return errorf(CodeArgument, nil, "the transaction is not done")
	})
	refused(t, lost, CodeArgument)
	both := []int{index(0), index(1)}
	slices.Sort(both)
	expiring(100, 110, 1, both[0])
	expiring(100, 110, 9, both[1])
	expiring(100, 110, 9)
	expiring(100, 111, 9, index(2))
	expiring(0, 200, 9, index(3))
	write(t, v, func(tx *Tx) error {
		none, err := tx.NewlyExpiring("divorce", 0, 200, 9)
		same(t, "licences of another type", len(none), 0)
		return err
	})

	write(t, v, func(tx *Tx) error {
		for i := range 3 {
			if err := tx.AddJob(&Job{Name: sm.Hash{byte(i)}, Kind: "issue", Type: "marriage", Records: int64(i), Accepted: int64(i), Done: i < 2, Detail: []byte("job-secret")}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int64{0, 1, -1} {
		write(t, v, func(tx *Tx) error {
			found, err := tx.NewlyDone(1)
			if want < 0 {
				same(t, "jobs", len(found), 0)
			} else {
				same(t, "jobs", len(found), 1)
				same(t, "records", found[0].Records, want)
				same(t, "kind", found[0].Kind+found[0].Type, "issuemarriage")
			}
			return err
		})
	}
}

// What was given up is not taken, nor counted among what waits, until it is revived.
func testGivenUp(t *testing.T, p *place) {
	v := p.create(t)
	write(t, v, func(tx *Tx) error {
		for range 3 {
			if err := tx.Enqueue("s", []byte("message-secret")); err != nil {
				return err
			}
		}
		return nil
	})
	taken, err := v.TakeDue(t.Context(), "s", time.Minute, 2)
	must(t, err)
	write(t, v, func(tx *Tx) error { return tx.GiveUp(taken[0].ID, taken[1].ID) })
	counts := func(waiting, dead int64) {
		t.Helper()
		n, err := v.Queued(t.Context())
		must(t, err)
		same(t, "waiting", n, waiting)
		n, err = v.GivenUp(t.Context())
		must(t, err)
		same(t, "given up", n, dead)
	}
	counts(1, 2)
	p.pass(1000 * time.Hour)
	left, err := v.TakeDue(t.Context(), "s", time.Minute, 9)
	must(t, err)
	same(t, "taken", len(left), 1)
	write(t, v, func(tx *Tx) error {
		n, err := tx.Revive()
		same(t, "revived", n, 2)
		return err
	})
	counts(3, 0)
	again, err := v.TakeDue(t.Context(), "s", time.Minute, 9)
	must(t, err)
	same(t, "taken again", len(again), 2)
	if again[0].ID != taken[0].ID || p.time().Sub(again[0].Created) > time.Minute {
		t.Fatalf("revived: %+v", again[0])
	}
	write(t, v, func(tx *Tx) error { return tx.Sent(taken[0].ID, taken[1].ID, left[0].ID) })
	counts(0, 0)
}
