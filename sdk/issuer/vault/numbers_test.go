package vault

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"numbers", testNumbers},
		{"taken numbers", testTakenNumbers},
		{"finding many", testFindMany},
		{"states", testStates},
		{"expiring", testExpiring},
		{"replicas", testReplicas},
	}...)
}

func testFindMany(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(5)
	first, second := p.add(t, v, deposits[:3]), p.add(t, v, deposits[3:])
	write(t, v, func(tx *Tx) error {
		return tx.SetState(first.First+1, Change{To: licence.Revoked, Effective: ledgertest.Day, Sequence: 1})
	})
	ids := []ID{first.First, first.First + 1, first.First + 2, second.First, second.First + 1}

	numbers := []string{"J110101-2026-999999"}
	digests := []sm.Hash{sm.Sum([]byte("unknown"))}
	for i := range deposits {
		numbers, digests = append(numbers, deposits[i].Number), append(digests, deposits[i].Digest)
	}
	numbers = append(numbers, deposits[0].Number) // twice
	held, err := v.Holding(t.Context(), "marriage", numbers)
	must(t, err)
	if want := []ID{0, ids[0], 0, ids[2], ids[3], ids[4], ids[0]}; !slices.Equal(held, want) {
		t.Errorf("the numbers are held by %v, want %v", held, want)
	}
	if held, err = v.Holding(t.Context(), "property", numbers); err != nil || slices.ContainsFunc(held, func(id ID) bool { return id != 0 }) {
		t.Errorf("numbers of another type are held by %v, %v", held, err)
	}
	found, err := v.ByDigests(t.Context(), digests)
	must(t, err)
	if len(found) != len(ids) {
		t.Errorf("%d digests were found, want %d", len(found), len(ids))
	}
	for i, id := range ids {
		if found[digests[i+1]] != id {
			t.Errorf("digest %d is of licence %d, want %d", i, found[digests[i+1]], id)
		}
	}
	if found, err = v.ByDigests(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("of no digests, %v were found, %v", found, err)
	}
}

func testNumbers(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(3)
	b := p.add(t, v, deposits)
	free := func(deposits []Deposit) (out []bool) {
		t.Helper()
		sealed, err := v.Seal(t.Context(), "marriage", deposits)
		must(t, err)
		write(t, v, func(tx *Tx) error { out, err = tx.Free(sealed); return err })
		return out
	}
	again := p.deposits(3)
	again[0].Number, again[2].Number = deposits[1].Number, again[1].Number
	if got := free(again); !slices.Equal(got, []bool{false, true, false}) {
		t.Fatalf("free: %v", got)
	}
	_, err := p.tryAdd(t, v, again)
	refused(t, err, CodeNumberTaken)

	// A successor takes its predecessor's number, and nobody else's.
	successor := p.deposits(1)
	successor[0].Number, successor[0].Predecessor = deposits[0].Number, b.First
	if got := free(successor); !got[0] {
		t.Fatal("a successor cannot have its predecessor's number")
	}
	second := p.add(t, v, successor)
	found, err := v.ByNumber(t.Context(), "marriage", deposits[0].Number)
	must(t, err)
	if len(found) != 2 || found[0].ID != second.First || !found[0].HoldsNumber || found[0].Predecessor != b.First || found[1].HoldsNumber {
		t.Fatalf("after the succession: %+v, %+v", found[0], found[1])
	}
	if got := free(successor); got[0] {
		t.Fatal("a number that was passed on is free once more")
	}
	successor = p.deposits(1)
	successor[0].Number, successor[0].Predecessor = deposits[1].Number, b.First
	_, err = p.tryAdd(t, v, successor)
	refused(t, err, CodeNumberTaken)

	// A licence that has ended gives its number free, and takes it again if it can.
	set := func(id ID, to licence.State, sequence uint32) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error {
			return tx.SetState(id, Change{To: to, Effective: ledgertest.Day, Sequence: sequence})
		})
	}
	id := b.First + 2
	again = p.deposits(1)
	again[0].Number = deposits[2].Number
	must(t, set(id, licence.Suspended, 1))
	if free(again)[0] {
		t.Fatal("a suspended licence has lost its number")
	}
	must(t, set(id, licence.Revoked, 2))
	if !free(again)[0] {
		t.Fatal("a revoked licence keeps its number")
	}
	must(t, set(id, licence.Active, 3))
	if free(again)[0] {
		t.Fatal("a licence that is active again has not its number")
	}
	must(t, set(id, licence.Revoked, 4))
	p.add(t, v, again)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.TakeNumber(id) }), CodeNumberTaken)
	refused(t, set(id, licence.Active, 5), CodeNumberTaken)
	l, err := v.Licence(t.Context(), id)
	must(t, err)
	same(t, "state", l.State, licence.Revoked)
	same(t, "sequence", l.Sequence, 4)
	write(t, v, func(tx *Tx) error { return tx.TakeNumber(b.First + 1) })
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.TakeNumber(99) }), CodeUnknown)
}

// testTakenNumbers is about licences that are to come back: nobody else gets their numbers while the ledger is asked,
// and if nothing comes of it they are free again.
func testTakenNumbers(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(2)
	b := p.add(t, v, deposits)
	one, two := b.First, b.First+1
	again := p.deposits(2)
	again[0].Number, again[1].Number = deposits[0].Number, deposits[1].Number
	sealed, err := v.Seal(t.Context(), "marriage", again)
	must(t, err)
	free := func(want ...bool) {
		t.Helper()
		write(t, v, func(tx *Tx) error {
			got, err := tx.Free(sealed)
			if !slices.Equal(got, want) {
				t.Errorf("free: %v, want %v", got, want)
			}
			return err
		})
	}
	write(t, v, func(tx *Tx) error {
		return errors.Join(tx.SetState(one, Change{licence.Revoked, ledgertest.Day, 1}), tx.SetState(two, Change{licence.Revoked, ledgertest.Day, 1}))
	})
	take := func(tx *Tx) error { return errors.Join(tx.TakeNumber(one), tx.TakeNumber(two), tx.TakeNumber(one)) }
	free(true, true)
	write(t, v, take)
	free(false, false)
	write(t, v, func(tx *Tx) error { return tx.LeaveNumbers(one) })
	free(true, false)
	write(t, v, take)
	write(t, v, func(tx *Tx) error { return tx.SetState(two, Change{licence.Active, ledgertest.Day, 2}) })
	write(t, v, func(tx *Tx) error { return tx.LeaveNumbers() })
	free(true, false)
	write(t, v, func(tx *Tx) error { return tx.LeaveNumbers(two) }) // it is active
	free(true, false)
}

func testStates(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	for _, c := range []struct {
		change Change
		want   licence.State
		lines  int
	}{
		{Change{licence.Suspended, ledgertest.Day, 1}, licence.Suspended, 1},
		{Change{licence.Suspended, ledgertest.Day, 1}, licence.Suspended, 1},
		{Change{licence.Active, ledgertest.Day + 1, 2}, licence.Active, 2},
		{Change{licence.Suspended, ledgertest.Day, 1}, licence.Active, 2}, // known, and long past
		{Change{licence.Superseded, ledgertest.Day + 2, 3}, licence.Superseded, 3},
		{Change{licence.Revoked, ledgertest.Day + 3, 7}, licence.Revoked, 4},
	} {
		write(t, v, func(tx *Tx) error { return tx.SetState(b.First, c.change) })
		l, err := v.Licence(t.Context(), b.First)
		must(t, err)
		same(t, "state", l.State, c.want)
		same(t, "lines", count(t, v, "vault_history", "action = $1 AND licence = $2", ActionState, int64(b.First)), c.lines)
	}
	for _, bad := range []Change{{"expired", 0, 9}, {"", 0, 9}, {licence.Active, 0, 0}} {
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.SetState(b.First, bad) }), CodeArgument)
	}
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.SetState(2, Change{licence.Active, 0, 1}) }), CodeUnknown)
}

func testExpiring(t *testing.T, p *place) {
	v := p.create(t)
	deposits := p.deposits(4)
	for i, days := range []int32{10, 20, 30} {
		until := licence.Date(ledgertest.Day + days)
		deposits[i].ValidUntil = &until
	}
	deposits[3].ValidUntil = nil
	b := p.add(t, v, deposits)
	expiring := func(from, to licence.Date, after ID) (ids []ID) {
		t.Helper()
		found, err := v.Expiring(t.Context(), "marriage", ledgertest.Day+from, ledgertest.Day+to, after, 10)
		must(t, err)
		for _, l := range found {
			ids = append(ids, l.ID)
		}
		return ids
	}
	if got := expiring(10, 20, 0); !slices.Equal(got, []ID{b.First, b.First + 1}) {
		t.Fatalf("expiring: %v", got)
	}
	if got := expiring(10, 20, b.First); !slices.Equal(got, []ID{b.First + 1}) {
		t.Fatalf("expiring: %v", got)
	}
	write(t, v, func(tx *Tx) error { return tx.SetState(b.First, Change{licence.Revoked, ledgertest.Day + 10, 1}) })
	if got := expiring(0, 40, 0); !slices.Equal(got, []ID{b.First + 1, b.First + 2}) {
		t.Fatalf("expiring: %v", got)
	}
	if found, err := v.Expiring(t.Context(), "unknown", 0, ledgertest.Day+40, 0, 10); err != nil || len(found) > 0 {
		t.Fatalf("of another type: %v, %v", found, err)
	}
}

// testReplicas has processes issue the same numbers at the same time.
func testReplicas(t *testing.T, p *place) {
	const replicas, batches, size = 3, 6, 8
	vaults := []*Vault{p.create(t)}
	for len(vaults) < replicas {
		v := p.open(t)
		_, err := v.CatchUp(t.Context(), p.ledger)
		must(t, err)
		vaults = append(vaults, v)
	}
	sets := make([][][]Deposit, replicas)
	for r := range sets {
		p.licences = 0 // the same numbers as the others
		for range batches {
			set := p.deposits(size)
			for i := range set {
				set[i].Digest = sm.Sum([]byte(fmt.Sprint(r, set[i].Number)))
			}
			sets[r] = append(sets[r], set)
		}
	}
	issued := make([]int, replicas)
	inParallel(replicas, func(r int) {
		for k := range batches {
			set := sets[r][(k+r)%batches]
			sealed, err := vaults[r].Seal(t.Context(), "marriage", set)
			if err == nil {
				err = vaults[r].Write(t.Context(), clerk, func(tx *Tx) error {
					free, err := tx.Free(sealed)
					if err != nil {
						return err
					}
					var accepted []*Sealed
					var deposits []Deposit
					for i, ok := range free {
						if ok {
							accepted, deposits = append(accepted, sealed[i]), append(deposits, set[i])
						}
					}
					if len(accepted) == 0 {
						return nil
					}
					_, err = tx.AddBatch(NewBatch{Head: p.sign(t, "marriage", deposits, nil)}, accepted)
					issued[r] += len(accepted)
					return err
				})
			}
			if err != nil {
				t.Errorf("replica %d: %v", r, err)
			}
		}
	})
	total := 0
	for _, n := range issued {
		total += n
	}
	same(t, "licences issued", total, batches*size)
	same(t, "licences", count(t, vaults[0], "vault_licence", "released = 0"), batches*size)
}
