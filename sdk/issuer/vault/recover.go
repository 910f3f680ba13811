package vault

import (
	"context"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Lost returns the batches that keep their types from being issued: the ledger has them, and the vault has
// lost what their licences say.
func (v *Vault) Lost(ctx context.Context) ([]*Batch, error) {
	return batches(ctx, v.db.Read(), selectBatch+"JOIN vault_lost lost ON lost.batch = b.id ORDER BY b.id")
}

// Recover brings back what a licence says that the vault has lost: sealed anew from its credential, whose
// digest shows that it is the one. It takes its number, unless it has ended or another licence has
// the number by now. When all licences of a batch are back, the batch does not keep its type from being
// issued any more.
//
// Errors: CodeUnknown; CodeBatch if the licence was not lost, or is not the one at this place; CodeErased;
// CodeKeyRetired.
func (t *Tx) Recover(batch int64, index uint32, licence *Sealed) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	b, err := t.v.batch(t.ctx, t.tx, "b.id = $1", batch)
	if err != nil {
		return err
	}
	if int64(index) >= int64(b.Size) || licence.typ != b.Type || licence.digest != sm.Hash(b.Digests[int(index)*sm.HashSize:]) {
		return errorf(CodeBatch, nil, "the licence is not the one at place %d of the batch", index)
	}
	id := b.First + ID(index)
	rows, err := t.standings("l.id = $1", int64(id))
	if err != nil {
		return err
	}
	switch s := &rows[0]; {
	case s.erased != nil:
		return errorf(CodeErased, nil, "licence %d was erased", id)
	case s.number != nil:
		return errorf(CodeBatch, nil, "licence %d was not lost", id)
	default:
		return t.recover(b, s, licence)
	}
}

func (t *Tx) recover(b *Batch, s *standing, licence *Sealed) error {
	if err := t.checkMasterKeys([][]byte{licence.wrapped}); err != nil {
		return err
	}
	s.number, s.released = licence.number[:], int64(s.id) // until settle has looked whether it can have it
	if licence.validUntil != nil {
		until := int64(*licence.validUntil)
		s.until = &until
	}
	if _, err := t.exec("bring a licence back", "UPDATE vault_licence SET number = $1, released = $2, predecessor = $3, since = $4, valid_until = $5 WHERE id = $6",
		s.number, s.released, int64(licence.predecessor), int64(licence.since), s.until, int64(s.id)); err != nil {
		return err
	}
	if err := t.settle(s, false); err != nil {
		return err
	}
	if err := t.insertContents([]*Sealed{licence}, func(int) ID { return s.id }); err != nil {
		return err
	}
	if err := t.record(ActionRecovered, 0, s.id); err != nil {
		return err
	}
	var missing int
	if err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_licence WHERE id >= $1 AND id < $2 AND number IS NULL AND erased_at IS NULL",
		int64(b.First), int64(b.First)+int64(b.Size)).Scan(&missing); err != nil {
		return sqldb.Wrap("read the batch", err)
	}
	if missing > 0 {
		return nil
	}
	_, err := t.exec("bring a batch back", "DELETE FROM vault_lost WHERE batch = $1", b.ID)
	return err
}

// AcceptLoss has the type of a lost batch issued again although contents, and with them numbers, are not
// known: somebody answers for it that these numbers are not given again. Error: CodeUnknown.
func (t *Tx) AcceptLoss(batch int64) error {
	n, err := t.exec("accept a loss", "DELETE FROM vault_lost WHERE batch = $1", batch)
	if err != nil {
		return err
	}
	if n == 0 {
		return errorf(CodeUnknown, nil, "batch %d is not a lost one", batch)
	}
	return t.record(ActionLossAccepted, batch)
}
