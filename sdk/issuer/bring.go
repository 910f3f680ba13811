package issuer

import (
	"context"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// bring brings a batch that is in the vault to the ledger, as it is stored, and fills in its position: step 5.
// The vault does not know of it yet: see note. If the ledger refuses the batch because of its key, and
// another one signs now, it is signed anew: between two runs keys can be rotated.
func (iss *Issuer) bring(ctx context.Context, b *batch) error {
	err := iss.submit(ctx, b)
	if keyRefused[Code(err)] {
		if err = iss.resign(ctx, b, err); err == nil {
			err = iss.submit(ctx, b)
		}
	}
	if err != nil {
		return err
	}
	return iss.step(stepAnchored)
}

// Bounds of how often a batch is submitted when the ledger cannot be reached, or it is not clear what came
// of it: the same bytes are not anchored twice.
const (
	submitAttempts = 3
	submitPause    = 200 * time.Millisecond
)

// submit submits a batch as it is stored.
func (iss *Issuer) submit(ctx context.Context, b *batch) error {
	b.refused = false
	for attempt := 1; ; attempt++ {
		receipt, err := iss.ledger.Submit(ctx, &chaincode.Transaction{Statements: [][]byte{b.Head}, Digests: b.Digests})
		switch {
		case err == nil && !receipt.Existing:
			b.Position = &receipt.Position
			return nil
		case err == nil, chaincode.Code(err) == chaincode.CodeAnchorConflict:
			return iss.found(ctx, b) // submitted earlier; or signed anew by two at once, and the other was first
		}
		switch ledger.Code(err) {
		case ledger.CodeNotSubmitted, ledger.CodeOutcomeUnknown:
			if attempt < submitAttempts && ctx.Err() == nil {
				pause(ctx, submitPause<<attempt)
				continue
			}
		}
		b.refused = attempt == 1 && chaincode.Code(err) != ""
		return ledgerError("anchor a batch; it is in the vault, and the next comparison with the ledger goes on with it", err)
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// found learns from the ledger where a batch stands, and under which head.
func (iss *Issuer) found(ctx context.Context, b *batch) error {
	if err := iss.learn(ctx); err != nil {
		return err
	}
	kept, err := iss.vault.Batch(ctx, b.ID)
	if err != nil {
		return err
	}
	if kept.Position == nil {
		return errorf(CodeNotAnchored, nil, "the ledger says that it has batch %d, and its blocks do not", b.ID)
	}
	b.Batch = kept
	return b.reseal()
}

// reseal puts the drafts of a batch under the head that it has now.
func (b *batch) reseal() error {
	if b.sealed == nil {
		return nil
	}
	again, err := credential.ParseBatch(b.Head, b.Digests)
	if err != nil {
		return statementError("read a signed head", err)
	}
	for i, d := range b.drafts {
		if err := again.SetDraft(i, d.Draft); err != nil {
			return statementError("put a batch together", err)
		}
	}
	b.sealed = again
	return nil
}

// resign signs the head of a pending batch anew, if another key signs now than the one that the ledger has
// refused. The digests stay the same, and so does everything but time, key and signature. That the first
// head was refused for its key says that it is not on the ledger and cannot come there. The vault gets the new
// head before the ledger does.
func (iss *Issuer) resign(ctx context.Context, b *batch, refusal error) error {
	head, signed, err := statement.ParseAs[*statement.Head](b.Head)
	if err != nil {
		return statementError("read a signed head from the vault", err)
	}
	keys, err := iss.signers(ctx, statement.PurposeAnchor, true)
	if err != nil || signed.KeyID == keys[0].Public().ID() {
		return refusal
	}
	head.SignedAt = max(iss.clock.next(), b.IssuedAt)
	again, err := signAll(head, keys[:1])
	if err != nil {
		return err
	}
	if err := iss.write(ctx, self, func(tx *vault.Tx) error { return tx.ReplaceHead(b.ID, again[0]) }); err != nil {
		return err
	}
	stored := *b.Batch
	stored.Head, stored.IssuedAt = again[0], head.SignedAt
	b.Batch = &stored
	if err := iss.step(stepResigned); err != nil {
		return err
	}
	return b.reseal()
}

// self is who stands in the history for what an issuer does by itself.
var self = vault.By{Actor: "issuer", Purpose: "settle"}

// write does a transaction of the vault, once more where it can be done again at once.
func (iss *Issuer) write(ctx context.Context, by vault.By, do func(*vault.Tx) error) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := iss.vault.Write(ctx, by, do)
		if vault.Code(err) != sqldb.CodeBusy || attempt == attempts {
			return err
		}
	}
}

// note notes that batches are on the ledger, and those of them that are of no job as delivered: who asks for
// their credentials gets them. Step 6.
func note(tx *vault.Tx, batches []*batch) error {
	for _, b := range batches {
		if err := tx.Anchored(b.ID, *b.Position); err != nil {
			return err
		}
		if b.Job == 0 {
			if err := tx.Delivered(b.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
