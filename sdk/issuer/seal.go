package issuer

import (
	"cmp"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/statement"
)

// newShuffle returns a source of random orders. ChaCha8 with a random key is a cryptographic one.
func newShuffle(random io.Reader) (*rand.Rand, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, errorf(CodeStorage, err, "draw a random order")
	}
	return rand.New(rand.NewChaCha8(seed)), nil
}

// sealChunk takes the numbers of the records of a chunk, makes a batch of those whose numbers were
// free, in random order, and writes it to the stream; the other records go to the rejects file. It is
// step 1 and the first half of step 2.
func (r *run) sealChunk(reg *registrar, c *chunk) error {
	order := make([]*item, 0, len(c.items))
	clear(r.numbers)
	for i := range c.items {
		switch it := &c.items[i]; {
		case it.problems != nil:
		case r.numbers[it.draft.number]: // the first of them gets it, whatever the random order
			it.problems = r.taken()
		default:
			r.numbers[it.draft.number] = true
			order = append(order, it)
		}
	}
	r.shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	accepted := order[:0]
	for _, it := range order {
		if r.predecessor != 0 {
			if err := reg.pass(r.predecessor, it.draft.number); err != nil {
				return err
			}
		}
		free, err := reg.take(r.nextLicence+int64(len(accepted)), it.draft.number)
		if err != nil {
			return err
		}
		if free {
			accepted = append(accepted, it)
		} else {
			it.problems = r.taken()
		}
	}
	for i := range c.items {
		if err := r.reject(&c.items[i]); err != nil {
			return err
		}
	}
	if len(accepted) == 0 {
		return nil
	}
	var err error
	c.batch, err = r.sealBatch(accepted, c.issuedAt)
	return err
}

// sealBatch puts licences under one signed head, in the order given, and appends their credentials to
// the stream, in the order of the inputs.
func (r *run) sealBatch(licences []*item, signedAt uint64) (*batchRow, error) {
	drafts := make([]*credential.Draft, len(licences))
	for i, it := range licences {
		drafts[i] = it.draft.Draft
	}
	sealed, err := credential.NewBatch(drafts, statement.Head{Ledger: r.iss.ledgerID, Unit: r.iss.unit, SignedAt: signedAt}, r.iss.anchor)
	if err != nil {
		return nil, statementError("sign a batch", err)
	}
	b := &batchRow{
		id: r.nextBatch, state: batchPending, size: len(licences), first: r.nextLicence, issuedAt: signedAt,
		offset: r.stream.length, root: sealed.Head.Root, head: sealed.Statement, digests: sealed.DigestBytes(),
	}
	for _, i := range inputOrder(licences) {
		r.buf = r.appendStreamed(r.buf[:0], licences[i].record, sealed.Credential(i))
		if err := r.stream.write(r.buf); err != nil {
			return nil, err
		}
	}
	b.length = r.stream.length - b.offset
	r.nextBatch++
	r.nextLicence += int64(b.size)
	return b, nil
}

// inputOrder returns the indices of licences in the order of the inputs.
func inputOrder(licences []*item) []int {
	order := make([]int, len(licences))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(licences[i].record, licences[j].record) })
	return order
}
