package issuer

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// A batch is one that is in the vault, with what it was made of.
type batch struct {
	*vault.Batch
	drafts []*draft          // in the order of the tree; nil: it was read from the vault
	sealed *credential.Batch // likewise

	refused bool // the ledger has refused it, as it is, when it was first submitted
}

// A posting is what put does in one transaction.
type posting struct {
	by     vault.By
	job    int64      // 0: none
	groups [][]*draft // of each becomes one batch: sealed drafts of one type and version

	// each says of a draft who issues it, if not all are issued by the same; may be nil
	each func(*draft) vault.By

	// also does more in the same transaction, with the batches of the groups: nil for a group of which
	// nothing was left. It can be called several times, and then only the last time counts; may be nil.
	also func(tx *vault.Tx, batches []*batch) error
}

// claimed is how long an idempotency key is remembered.
const claimed = 3 * 24 * time.Hour

// put takes the turn, has each draft take its number, puts those of each group whose numbers were free under
// one signed head, in random order, and stores them: steps 2 to 4 of issuing (docs/ISSUANCE.md). It notes on the
// others that they were taken, or what was answered earlier. The batches are those of the groups, nil where
// nothing was left.
//
// What can be done again at once, or after a look at the ledger, is done again.
func (iss *Issuer) put(ctx context.Context, p *posting) ([]*batch, error) {
	const attempts = 5
	keys, err := iss.signers(ctx, statement.PurposeAnchor, false)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		var batches []*batch
		err := iss.vault.Write(ctx, p.by, func(tx *vault.Tx) (err error) {
			batches, err = iss.post(tx, p, keys[0])
			return err
		})
		if err == nil {
			return batches, iss.step(stepStored)
		}
		switch code := vault.Code(err); {
		case code == sqldb.CodeUnavailable && iss.stored(ctx, batches):
			return batches, nil
		case attempt == attempts:
			return nil, err
		case code == sqldb.CodeBusy:
		case code == vault.CodeKeyRetired:
			err = iss.sealAgain(ctx, p.groups)
		case code == vault.CodeRolledBack, code == vault.CodeUnchecked:
			err = iss.learn(ctx)
		default:
			return nil, err
		}
		if err != nil && vault.Code(err) != sqldb.CodeBusy {
			return nil, err
		}
	}
}

// stored reports whether a transaction of which that was not clear was done: there is a batch of it.
func (iss *Issuer) stored(ctx context.Context, batches []*batch) bool {
	for _, b := range batches {
		if b != nil {
			_, err := iss.vault.BatchOf(ctx, b.Root)
			return err == nil
		}
	}
	return false
}

// sealAgain seals drafts whose keys were wrapped under a master key that was retired since.
func (iss *Issuer) sealAgain(ctx context.Context, groups [][]*draft) error {
	for _, group := range groups {
		if len(group) > 0 {
			if err := iss.seal(ctx, group[0].Record().Type, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// post is the transaction of put.
func (iss *Issuer) post(tx *vault.Tx, p *posting, key sm.Signer) ([]*batch, error) {
	all := slices.Concat(p.groups...)
	if err := recallAll(tx, all); err != nil {
		return nil, err
	}
	if err := takeNumbers(tx, all); err != nil {
		return nil, err
	}
	batches := make([]*batch, len(p.groups))
	for i, group := range p.groups {
		var err error
		if batches[i], err = iss.postGroup(tx, p, group, key); err != nil {
			return batches, err
		}
	}
	if p.also != nil {
		return batches, p.also(tx, batches)
	}
	return batches, nil
}

// recallAll notes on each draft with an idempotency key what was asked under that before, by others or by one that
// comes before it here.
func recallAll(tx *vault.Tx, drafts []*draft) error {
	var claiming []*draft
	var keys []vault.ClaimKey
	first := map[vault.ClaimKey]*vault.ClaimKey{}
	for _, d := range drafts {
		d.taken, d.earlier, d.twin = false, vault.Recalled{}, false
		if d.claim == nil {
			continue
		}
		name := vault.ClaimKey{Caller: d.claim.Caller, Key: d.claim.Key}
		switch known := first[name]; {
		case known == nil:
			first[name] = d.claim
			claiming, keys = append(claiming, d), append(keys, *d.claim)
		case *known == *d.claim:
			d.twin = true
		default:
			d.earlier.Reused = true
		}
	}
	if len(keys) == 0 {
		return nil
	}
	recalled, err := tx.Recalls(keys)
	if err != nil {
		return err
	}
	for i, d := range claiming {
		d.earlier = recalled[i]
	}
	return nil
}

// takeNumbers notes on each draft whether it can have its number: of several with one number the first.
func takeNumbers(tx *vault.Tx, drafts []*draft) error {
	var waiting []*draft
	var sealed []*vault.Sealed
	for _, d := range drafts {
		if !d.asked() {
			waiting, sealed = append(waiting, d), append(sealed, d.sealed)
		}
	}
	free, err := tx.Free(sealed)
	if err != nil {
		return err
	}
	for i, d := range waiting {
		d.taken = !free[i]
	}
	return nil
}

// postGroup puts what is left of a group into the vault, as one batch.
func (iss *Issuer) postGroup(tx *vault.Tx, p *posting, group []*draft, key sm.Signer) (*batch, error) {
	b := new(batch)
	for _, d := range group {
		if !d.asked() && !d.taken {
			b.drafts = append(b.drafts, d)
		}
	}
	if len(b.drafts) == 0 {
		return nil, nil
	}
	iss.shuffle(b.drafts)
	drafts, sealed := make([]*credential.Draft, len(b.drafts)), make([]*vault.Sealed, len(b.drafts))
	for i, d := range b.drafts {
		drafts[i], sealed[i] = d.Draft, d.sealed
	}
	var err error
	b.sealed, err = credential.NewBatch(drafts, statement.Head{Ledger: iss.ledgerID, Unit: iss.unit, SignedAt: iss.clock.next()}, key)
	if err != nil {
		return nil, statementError("sign a batch", err)
	}
	posted := vault.NewBatch{Job: p.job, Head: b.sealed.Statement}
	if p.each != nil {
		for _, d := range b.drafts {
			posted.By = append(posted.By, p.each(d))
		}
	}
	if b.Batch, err = tx.AddBatch(posted, sealed); err != nil {
		return nil, err
	}
	return b, iss.claimAll(tx, b)
}

// claimAll takes the idempotency keys of a batch, with the licences as their answers.
func (iss *Issuer) claimAll(tx *vault.Tx, b *batch) error {
	var keys []vault.ClaimKey
	var answers [][]byte
	for i, d := range b.drafts {
		if d.claim != nil {
			keys, answers = append(keys, *d.claim), append(answers, formatAnswer(b.id(i)))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return tx.Claims(keys, answers, iss.now().Add(claimed))
}

// id returns the id of a licence of the batch.
func (b *batch) id(i int) vault.ID { return b.First + vault.ID(i) }
