package vault

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// The states of a batch.
const (
	Pending   = "pending"   // signed and in the vault; perhaps on the ledger
	Anchored  = "anchored"  // known to be on the ledger
	Delivered = "delivered" // and its credentials are where they should be
)

// A Batch is what stands under one signed head.
type Batch struct {
	ID       int64
	Job      int64 // 0: none
	Type     string
	State    string
	Size     int
	First    ID // of the licence with index 0; that with index i has First + i
	IssuedAt uint64
	Root     sm.Hash
	Head     []byte           // the signed head
	Digests  []byte           // of the licences, 32 bytes each, in the order of the tree
	Position *ledger.Position // nil: not known to be on the ledger
}

// Free returns for each of the licences, in their order, whether it can have its number: no licence of the
// type that is active or suspended has it, and none that stands before it here. A number that is held
// by the licence's own predecessor is free.
//
// From the call on nobody else takes a number until the transaction ends.
func (t *Tx) Free(licences []*Sealed) ([]bool, error) {
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	holders, err := t.numberHolders(licences)
	if err != nil {
		return nil, err
	}
	free := make([]bool, len(licences))
	taken := make(map[name]bool, len(licences))
	for i, l := range licences {
		holder, held := holders[l.number]
		free[i] = !taken[l.number] && (!held || holder == l.predecessor)
		taken[l.number] = taken[l.number] || free[i]
	}
	return free, nil
}

// numberHolders returns which licences hold the numbers.
func (t *Tx) numberHolders(licences []*Sealed) (map[name]ID, error) {
	keys := make([]any, len(licences))
	for i, l := range licences {
		keys[i] = l.number[:]
	}
	return t.v.holding(t.ctx, t.tx, keys)
}

// Newest returns the time of the newest signed head: dates of issue should never go back.
func (v *Vault) Newest(ctx context.Context) (uint64, error) {
	var newest int64
	if err := v.db.Read().QueryRowContext(ctx, "SELECT newest FROM vault_turn WHERE id = 1").Scan(&newest); err != nil {
		return 0, sqldb.Wrap("read the vault", err)
	}
	return uint64(newest), nil
}

// A NewBatch is a batch that is to be put into the vault.
type NewBatch struct {
	Job  int64  // 0: none
	Head []byte // signed, over exactly the licences that come with it

	// By says of each of the licences who issues it, if several do; nil: who does the transaction issues them
	// all, which is one line of the history.
	By []By
}

// AddBatch puts a batch with its licences, in the order of the tree, into the vault. It is Pending then. A
// licence takes its number from its predecessor if that holds it; whether numbers are free is for the
// caller to have asked, in the same transaction.
//
// Errors: CodeUnchecked, CodeContentsLost, CodeKeyRetired, CodeBatch, CodeNumberTaken.
func (t *Tx) AddBatch(b NewBatch, licences []*Sealed) (*Batch, error) {
	head, err := t.v.parseHead(b.Head)
	if err != nil {
		return nil, err
	}
	out := &Batch{Job: b.Job, Type: head.Type, State: Pending, Size: len(licences), IssuedAt: head.SignedAt, Root: head.Root, Head: b.Head}
	leaves := make([]sm.Hash, len(licences))
	for i, l := range licences {
		leaves[i] = l.digest
		out.Digests = append(out.Digests, l.digest[:]...)
		if l.typ != head.Type {
			return nil, errorf(CodeBatch, nil, "a licence of another type than the head's is in the batch")
		}
	}
	if b.By != nil && len(b.By) != len(licences) {
		return nil, errorf(CodeBatch, nil, "there are %d licences, and %d who issue them", len(licences), len(b.By))
	}
	if int(head.Size) != len(licences) || head.Root != credential.Root(leaves) {
		return nil, errorf(CodeBatch, nil, "the head is not over these licences in this order")
	}
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	typ, err := t.mayAdd(head.Type)
	if err != nil {
		return nil, err
	}
	if err := t.checkMasterKeys(wrappedKeys(licences)); err != nil {
		return nil, err
	}
	if err := t.passNumbers(licences); err != nil {
		return nil, err
	}
	if err := t.insertBatch(out, typ); err != nil {
		return nil, err
	}
	if err := t.insertLicences(out, typ, licences); err != nil {
		return nil, err
	}
	if err := t.insertContents(licences, func(i int) ID { return out.First + ID(i) }); err != nil {
		return nil, err
	}
	return out, t.recordIssued(out, b.By)
}

// recordIssued writes a line of history for the batch, or if several have issued it, for each of its licences.
func (t *Tx) recordIssued(b *Batch, by []By) error {
	if by == nil {
		return t.record(ActionIssued, b.ID)
	}
	lines := make([]line, len(by))
	for i := range by {
		if err := by[i].Check(); err != nil {
			return err
		}
		lines[i] = line{ActionIssued, b.ID, b.First + ID(i), &by[i]}
	}
	return t.recordLines(lines)
}

// parseHead parses a signed head of this department on this ledger.
func (v *Vault) parseHead(signed []byte) (*statement.Head, error) {
	head, _, err := statement.ParseAs[*statement.Head](signed)
	if err != nil {
		return nil, errorf(CodeBatch, err, "the head is not a signed head")
	}
	if head.Ledger != v.identity.Ledger || head.Issuer != v.identity.Department || head.SignedAt > math.MaxInt64 {
		return nil, errorf(CodeBatch, nil, "the head is another department's, or for another ledger")
	}
	return head, nil
}

// mayAdd returns the number of a type, if batches of it can be added.
func (t *Tx) mayAdd(typ string) (int64, error) {
	t.v.mu.Lock()
	checked := t.v.checked
	t.v.mu.Unlock()
	if !checked {
		return 0, errorf(CodeUnchecked, nil, "the vault was not compared with the ledger yet: let it catch up first")
	}
	id, err := t.typeID(typ)
	if err != nil {
		return 0, err
	}
	var lost int64
	if err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_lost WHERE type = $1", id).Scan(&lost); err != nil {
		return 0, sqldb.Wrap("read the vault", err)
	}
	if lost > 0 {
		return 0, errorf(CodeContentsLost, nil, "the ledger has %d batches of the type %s that this vault has lost: "+
			"bring their contents back, or accept the loss, before more are issued; else numbers could be issued twice", lost, typ)
	}
	return id, nil
}

// typeID returns the number of a type, which it gets now if it has none.
func (t *Tx) typeID(typ string) (id int64, err error) {
	err = t.tx.QueryRowContext(t.ctx, "SELECT id FROM vault_type WHERE name = $1", typ).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, sqldb.Wrap("read the types", err)
	}
	return t.insertID("add a type", "INSERT INTO vault_type (id, name) SELECT COALESCE(MAX(id), 0) + 1, $1 FROM vault_type RETURNING id", typ)
}

// wrappedKeys returns the wrapped data keys of licences.
func wrappedKeys(licences []*Sealed) [][]byte {
	out := make([][]byte, len(licences))
	for i, l := range licences {
		out[i] = l.wrapped
	}
	return out
}

// passNumbers has predecessors give their numbers free to licences that have the same.
func (t *Tx) passNumbers(licences []*Sealed) error {
	for _, l := range licences {
		if l.predecessor == 0 {
			continue
		}
		if _, err := t.exec("pass a number on", "UPDATE vault_licence SET released = id WHERE id = $1 AND number = $2 AND released = 0",
			int64(l.predecessor), l.number[:]); err != nil {
			return err
		}
	}
	return nil
}

// insertBatch gives a batch its ids and inserts it.
func (t *Tx) insertBatch(b *Batch, typ int64) (err error) {
	b.First = t.next
	t.next += ID(b.Size)
	t.seen = max(t.seen, min(int64(b.IssuedAt), t.at)) // somebody with a stolen key may date what he signs ahead
	if _, err := t.exec("take ids", "UPDATE vault_turn SET next = $1, newest = $2 WHERE id = 1", int64(t.next), t.seen); err != nil {
		return err
	}
	var block, index *int64
	if p := b.Position; p != nil {
		b, i := int64(p.Block), int64(p.Index)
		block, index = &b, &i
	}
	b.ID, err = t.insertID("add a batch", "INSERT INTO vault_batch (job, type, state, size, first, issued_at, root, head, digests, block, block_index, root_state, root_sequence) "+
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', 0) RETURNING id",
		b.Job, typ, b.State, b.Size, int64(b.First), int64(b.IssuedAt), b.Root[:], b.Head, b.Digests, block, index)
	if sqldb.Code(err) == sqldb.CodeUnique {
		return errorf(CodeBatch, nil, "the batch is in the vault already")
	}
	return err
}

// insertLicences inserts the licences of a batch; nil: lost ones.
func (t *Tx) insertLicences(b *Batch, typ int64, licences []*Sealed) error {
	const table = "vault_licence (id, batch, type, number, released, state, sequence, predecessor, since, valid_until, ended, ends)"
	err := t.v.db.Insert(t.ctx, t.tx, table, 12, b.Size, func(i int, values []any) {
		var number, since, until any
		var predecessor int64
		if licences != nil {
			l := licences[i]
			number, predecessor, since = l.number[:], int64(l.predecessor), int64(l.since)
			if l.validUntil != nil {
				until = int64(*l.validUntil)
			}
		}
		copy(values, []any{int64(b.First) + int64(i), b.ID, typ, number, int64(0), "active", int64(0), predecessor, since, until, nil, until})
	})
	if sqldb.Code(err) == sqldb.CodeUnique {
		return errorf(CodeNumberTaken, nil, "a licence number of the batch is held by another licence")
	}
	return err
}

// insertContents inserts what licences say, with the keys to it and what they are found by.
func (t *Tx) insertContents(licences []*Sealed, id func(i int) ID) error {
	err := t.v.db.Insert(t.ctx, t.tx, "vault_key (licence, wrapped)", 2, len(licences), func(i int, values []any) {
		values[0], values[1] = int64(id(i)), licences[i].wrapped
	})
	if err != nil {
		return err
	}
	err = t.v.db.Insert(t.ctx, t.tx, "vault_content (licence, sealed)", 2, len(licences), func(i int, values []any) {
		values[0], values[1] = int64(id(i)), licences[i].content
	})
	if err != nil {
		return err
	}
	type pair struct {
		id     ID
		holder *name
	}
	var holders []pair
	for i, l := range licences {
		for k := range l.holders {
			holders = append(holders, pair{id(i), &l.holders[k]})
		}
	}
	return t.v.db.Insert(t.ctx, t.tx, "vault_holder (licence, holder)", 2, len(holders), func(i int, values []any) {
		values[0], values[1] = int64(holders[i].id), holders[i].holder[:]
	})
}

// Anchored notes that a batch is on the ledger, and where. Errors: CodeUnknown.
func (t *Tx) Anchored(batch int64, at ledger.Position) error {
	return t.advance(batch, "UPDATE vault_batch SET state = CASE WHEN state = 'pending' THEN 'anchored' ELSE state END, block = $2, block_index = $3 WHERE id = $1",
		batch, int64(at.Block), int64(at.Index))
}

// Delivered notes that the credentials of a batch, which is on the ledger, are where they should be.
// Errors: CodeUnknown, CodeNotAnchored.
func (t *Tx) Delivered(batch int64) error {
	n, err := t.exec("note a delivery", "UPDATE vault_batch SET state = 'delivered' WHERE id = $1 AND state <> 'pending'", batch)
	if err != nil || n > 0 {
		return err
	}
	if _, err := t.v.batch(t.ctx, t.tx, "b.id = $1", batch); err != nil {
		return err
	}
	return errorf(CodeNotAnchored, nil, "the batch is not on the ledger yet, so there is nothing to deliver")
}

// ReplaceHead gives a batch that is pending another signed head: over the same licences, for the ledger
// has refused the key of the first, which says that it is not on the ledger and cannot come there.
// Errors: CodeUnknown, CodeBatch.
func (t *Tx) ReplaceHead(batch int64, signed []byte) error {
	head, err := t.v.parseHead(signed)
	if err != nil {
		return err
	}
	b, err := t.v.batch(t.ctx, t.tx, "b.id = $1", batch)
	if err != nil {
		return err
	}
	old, err := t.v.parseHead(b.Head)
	if err != nil {
		return err
	}
	same := *old
	same.SignedAt = head.SignedAt
	left, err1 := statement.Encode(&same)
	right, err2 := statement.Encode(head)
	if err1 != nil || err2 != nil || !bytes.Equal(left, right) || b.State != Pending {
		return errorf(CodeBatch, nil, "only the time, key and signature of a pending batch's head can be others")
	}
	if err := t.advance(batch, "UPDATE vault_batch SET head = $2, issued_at = $3 WHERE id = $1 AND state = 'pending'", batch, signed, int64(head.SignedAt)); err != nil {
		return err
	}
	return t.record(ActionResigned, batch)
}

// advance updates one batch.
func (t *Tx) advance(batch int64, statement string, args ...any) error {
	n, err := t.exec("write a batch", statement, args...)
	if err == nil && n == 0 {
		return errorf(CodeUnknown, nil, "there is no batch %d in the vault, or it has come further", batch)
	}
	return err
}

const selectBatch = "SELECT b.id, b.job, t.name, b.state, b.size, b.first, b.issued_at, b.root, b.head, b.digests, b.block, b.block_index " +
	"FROM vault_batch b JOIN vault_type t ON t.id = b.type "

// Batch returns a batch by its id. Error: CodeUnknown.
func (v *Vault) Batch(ctx context.Context, id int64) (*Batch, error) {
	return v.batch(ctx, v.db.Read(), "b.id = $1", id)
}

// BatchOf returns a batch by its root. Error: CodeUnknown.
func (v *Vault) BatchOf(ctx context.Context, root sm.Hash) (*Batch, error) {
	return v.batch(ctx, v.db.Read(), "b.root = $1", root[:])
}

func (v *Vault) batch(ctx context.Context, q sqldb.Querier, where string, args ...any) (*Batch, error) {
	found, err := batches(ctx, q, selectBatch+"WHERE "+where, args...)
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such batch in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Batches returns up to limit batches of a state with ids after one, oldest first, of one job, or of all if
// job is 0.
func (v *Vault) Batches(ctx context.Context, state string, job, after int64, limit int) ([]*Batch, error) {
	if job != 0 {
		return batches(ctx, v.db.Read(), selectBatch+"WHERE b.state = $1 AND b.id > $2 AND b.job = $3 ORDER BY b.id LIMIT $4", state, after, job, limit)
	}
	return batches(ctx, v.db.Read(), selectBatch+"WHERE b.state = $1 AND b.id > $2 ORDER BY b.id LIMIT $3", state, after, limit)
}

func batches(ctx context.Context, q sqldb.Querier, query string, args ...any) ([]*Batch, error) {
	var out []*Batch
	err := sqldb.Select(ctx, q, query, args, func(rows *sql.Rows) error {
		b := new(Batch)
		var root []byte
		var block, index *int64
		if err := rows.Scan(&b.ID, &b.Job, &b.Type, &b.State, &b.Size, &b.First, &b.IssuedAt, &root, &b.Head, &b.Digests, &block, &index); err != nil {
			return sqldb.Wrap("read a batch", err)
		}
		if len(root) != sm.HashSize || len(b.Digests) != b.Size*sm.HashSize {
			return damaged("a batch")
		}
		b.Root = sm.Hash(root)
		if block != nil && index != nil {
			b.Position = &ledger.Position{Block: uint64(*block), Index: uint32(*index)}
		}
		out = append(out, b)
		return nil
	})
	return out, err
}
