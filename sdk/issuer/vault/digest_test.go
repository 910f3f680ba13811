package vault

import (
	"testing"

	"github.com/credledger/credledger/sdk/sm"
)

// testNamed finds licences by their digests: of batches that are indexed, of newer ones, of those that two processes index at
// the same time, and none of a batch that was discarded.
func testNamed(t *testing.T, p *place) {
	vaults := []*Vault{p.create(t), p.open(t)}
	v := vaults[0]
	find := func(v *Vault, d Deposit, want ID) {
		t.Helper()
		l, err := v.Named(t.Context(), d.Digest)
		must(t, err)
		same(t, "licence", l.ID, want)
	}
	none := func(digest sm.Hash) {
		t.Helper()
		_, err := v.Named(t.Context(), digest)
		refused(t, err, CodeUnknown)
	}
	none(sm.Sum(nil))
	first := p.deposits(3)
	b := p.add(t, v, first)
	for i, d := range first {
		find(v, d, b.First+ID(i))
	}
	gone := p.deposits(1)
	discarded := p.add(t, v, gone)
	find(v, gone[0], discarded.First)
	write(t, v, func(tx *Tx) error { return tx.Discard(discarded.ID) })
	none(gone[0].Digest)

	var deposits [][]Deposit
	var batches []*Batch
	for i := range 70 {
		n := 2
		if i%30 == 29 {
			n = indexedAtOnce + 1 - i%2 // as many as are put in at once, and more
		}
		deposits = append(deposits, p.deposits(n))
		batches = append(batches, p.add(t, v, deposits[len(deposits)-1]))
	}
	inParallel(4, func(i int) {
		k := i * (len(batches) - 1) / 3
		find(vaults[i%2], deposits[k][1], batches[k].First+1)
	})
	if n, err := v.IndexDigests(t.Context()); n != 0 || err != nil {
		t.Errorf("%d batches are indexed once more, %v", n, err)
	}
	want := 3 + 1
	for _, b := range batches {
		want += b.Size
	}
	same(t, "rows", count(t, v, "vault_digest", "1 = 1"), want)
	near := first[0].Digest // the same first bytes
	near[31] ^= 1
	none(near)
}
