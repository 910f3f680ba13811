package vault

// Discard takes a batch out of the vault that is pending, with all that it says: its licences are not issued, and
// their numbers are free again; those that were passed on by predecessors are taken back by these. It is for a
// batch that was never submitted, or that the ledger has refused and will not be given again. Should the
// ledger have it all the same, CatchUp finds it as a lost one.
//
// Errors: CodeUnknown; CodeBatch if the batch is on the ledger.
func (t *Tx) Discard(batch int64) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	b, err := t.v.batch(t.ctx, t.tx, "b.id = $1", batch)
	if err != nil {
		return err
	}
	if b.State != Pending {
		return errorf(CodeBatch, nil, "batch %d is on the ledger, and cannot be undone; revoke its licences", batch)
	}
	predecessors, err := t.predecessors(b)
	if err != nil {
		return err
	}
	first, end := int64(b.First), int64(b.First)+int64(b.Size)
	for _, table := range []string{"vault_key", "vault_content", "vault_holder", "vault_binding", "vault_proposal"} {
		if _, err := t.exec("discard a batch", "DELETE FROM "+table+" WHERE licence >= $1 AND licence < $2", first, end); err != nil {
			return err
		}
	}
	if _, err := t.exec("discard a batch", "DELETE FROM vault_licence WHERE id >= $1 AND id < $2", first, end); err != nil {
		return err
	}
	if _, err := t.exec("discard a batch", "DELETE FROM vault_batch WHERE id = $1", batch); err != nil {
		return err
	}
	for i := range predecessors {
		if err := t.settle(&predecessors[i], false); err != nil {
			return err
		}
	}
	return t.record(ActionDiscarded, batch)
}

// predecessors returns the standing of the licences that have passed their numbers on to those of a batch.
func (t *Tx) predecessors(b *Batch) ([]standing, error) {
	found, err := t.standings("l.released = l.id AND l.id IN (SELECT s.predecessor FROM vault_licence s WHERE s.number = l.number AND s.id >= $1 AND s.id < $2)",
		int64(b.First), int64(b.First)+int64(b.Size))
	if Code(err) == CodeUnknown {
		return nil, nil
	}
	return found, err
}
