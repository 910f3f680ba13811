package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// A Ledger is what CatchUp needs of one: see package ledger.
type Ledger interface {
	Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error]
	Head(ctx context.Context) (ledger.Head, error)
}

// A CatchUpReport is what the ledger had that the vault did not know.
type CatchUpReport struct {
	From, To ledger.Head // from where to where the ledger was read; From is zero the first time
	Anchored int         // batches that waited for it and are on the ledger
	States   int         // changes of states
	Lost     []LostBatch // batches that the vault has lost, or that somebody else has signed with a key of the department
}

// A LostBatch is one that the ledger has and the vault had not: a copy was put back that is older.
type LostBatch struct {
	Batch int64
	Type  string
	Size  int
	Root  sm.Hash
}

// catchUpBy is who stands in the history for what was learnt from the ledger.
var catchUpBy = By{Actor: "vault", Purpose: "catch up with the ledger"}

// Bounds of what CatchUp does in one transaction.
const (
	catchUpItems  = 256
	catchUpBlocks = 8192
)

// CatchUp compares the vault with the ledger, from where it has last done so up to the ledger's present end, and
// brings it up to date: batches that are on the ledger are Anchored, states are those of the ledger. A
// batch of this department that the vault does not know was lost: it is put in with its digests and without
// contents, and no more licences of the type are issued until these are brought back (Recover) or the
// loss is accepted (AcceptLoss).
//
// A process calls it before it issues, and whenever it likes.
//
// Errors: CodeLedgerOther if the ledger ends before the vault's place in it, or has another block there; then it
// is the ledger that was put back, or another one. CodeUnavailable.
func (v *Vault) CatchUp(ctx context.Context, l Ledger) (*CatchUpReport, error) {
	seen, err := v.Seen(ctx) // first: another process may come further meanwhile, and the ledger with it
	if err != nil {
		return nil, err
	}
	head, err := l.Head(ctx)
	if err != nil {
		return nil, errorf(CodeUnavailable, err, "ask the ledger for its end")
	}
	report := &CatchUpReport{From: seen, To: head}
	if head.Height < seen.Height || head.Height == seen.Height && head.Hash != seen.Hash {
		return nil, otherLedger(seen, head.Height)
	}
	if head.Height > seen.Height {
		if err := v.catchUp(ctx, l, seen, head.Height, report); err != nil {
			return nil, err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.checked = true
	return report, nil
}

func otherLedger(seen ledger.Head, height uint64) error {
	return errorf(CodeLedgerOther, nil, "the vault has seen the ledger up to %v, and this one (of %d blocks) does not have that: "+
		"it is another ledger, or one that was put back; nothing can be issued on it", seen, height)
}

// Seen returns up to where the vault has last compared itself with the ledger; zero: never.
func (v *Vault) Seen(ctx context.Context) (ledger.Head, error) {
	var b []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT value FROM vault_meta WHERE name = $1", metaSeen).Scan(&b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ledger.Head{}, nil
	case err != nil:
		return ledger.Head{}, sqldb.Wrap("read the vault", err)
	case len(b) != 8+sm.HashSize:
		return ledger.Head{}, damaged("the place in the ledger")
	}
	return ledger.Head{Height: binary.BigEndian.Uint64(b), Hash: sm.Hash(b[8:])}, nil
}

// catchUp reads the blocks after seen.
func (v *Vault) catchUp(ctx context.Context, l Ledger, seen ledger.Head, height uint64, report *CatchUpReport) error {
	from := seen.Height
	if from > 0 {
		from-- // to see whether it is the block that was seen
	}
	var items []ledgerItem
	read := seen // up to where the blocks were read
	flush := func() error {
		err := v.learn(ctx, read, items, report)
		items = items[:0]
		seen = read
		return err
	}
	for block, err := range l.Follow(ctx, from) {
		if err != nil {
			return errorf(CodeUnavailable, err, "read the ledger")
		}
		if block.Number < seen.Height {
			if block.Hash != seen.Hash {
				return otherLedger(seen, height)
			}
			continue
		}
		if items, err = v.appendItems(items, block); err != nil {
			return err
		}
		read = ledger.Head{Height: block.Number + 1, Hash: block.Hash}
		if len(items) >= catchUpItems || read.Height-seen.Height >= catchUpBlocks {
			if err := flush(); err != nil {
				return err
			}
		}
		if read.Height >= height {
			break
		}
	}
	report.To = read
	if read == seen {
		return nil
	}
	return flush()
}

// A ledgerItem is what this department has put on the ledger: one of the bodies.
type ledgerItem struct {
	at          ledger.Position
	head        *statement.Head
	signed      []byte // the head as it is on the ledger
	digests     []byte // under it
	status      *statement.Status
	restriction *statement.Restriction
	disowned    []sm.Hash // roots that were anchored with a stolen key
}

// appendItems appends what a block has of this department.
func (v *Vault) appendItems(items []ledgerItem, block *ledger.Block) ([]ledgerItem, error) {
	for _, committed := range block.Transactions {
		tx, err := chaincode.ParseTransaction(committed.Bytes)
		if err != nil {
			return nil, errorf(CodeLedgerOther, err, "block %d of the ledger has a transaction that is none", block.Number)
		}
		for _, signed := range tx.Statements {
			s, err := statement.Parse(signed)
			if err != nil {
				return nil, errorf(CodeLedgerOther, err, "block %d of the ledger has a statement that is none", block.Number)
			}
			item := ledgerItem{at: ledger.Position{Block: block.Number, Index: committed.Index}}
			switch body := s.Body.(type) {
			case *statement.Head:
				item.head, item.signed, item.digests = body, signed, tx.Digests
				if body.Issuer != v.identity.Department {
					continue
				}
			case *statement.Status:
				item.status = body
				if body.Issuer != v.identity.Department {
					continue
				}
			case *statement.Restriction:
				item.restriction = body
				if body.Issuer != v.identity.Department {
					continue
				}
			case *statement.Key:
				item.disowned = body.Disowned
				if body.Department != v.identity.Department || len(body.Disowned) == 0 {
					continue
				}
			default:
				continue
			}
			items = append(items, item)
		}
	}
	return items, nil
}

// learn brings the vault up to date with what the ledger has, up to a place in it.
func (v *Vault) learn(ctx context.Context, read ledger.Head, items []ledgerItem, report *CatchUpReport) error {
	var anchored, states int
	var lost []LostBatch
	disowned := map[sm.Hash]bool{}
	err := v.Write(ctx, catchUpBy, func(t *Tx) error {
		if err := t.takeTurn(); err != nil {
			return err
		}
		for i := range items {
			item := &items[i]
			switch {
			case item.head != nil:
				known, missing, err := t.learnHead(item)
				if err != nil {
					return err
				}
				if known {
					anchored++
				}
				if missing != nil {
					lost = append(lost, *missing)
				}
			case item.status != nil:
				changed, err := t.learnStatus(item.status)
				if err != nil {
					return err
				}
				if changed {
					states++
				}
			case item.disowned != nil:
				for _, root := range item.disowned {
					if err := t.learnDisowned(root); err != nil {
						return err
					}
					disowned[root] = true
				}
			default:
				if err := t.SetRestriction(item.restriction); err != nil {
					return err
				}
			}
		}
		return t.setSeen(read)
	})
	if err == nil {
		report.Anchored += anchored
		report.States += states
		report.Lost = slices.DeleteFunc(append(report.Lost, lost...), func(b LostBatch) bool { return disowned[b.Root] })
	}
	return err
}

// learnDisowned notes that a batch was not this department's, but of somebody with a key of it: the vault has
// lost nothing.
func (t *Tx) learnDisowned(root sm.Hash) error {
	b, err := t.v.batch(t.ctx, t.tx, "b.root = $1", root[:])
	if Code(err) == CodeUnknown {
		return nil
	} else if err != nil {
		return err
	}
	n, err := t.exec("note that a batch was disowned", "DELETE FROM vault_lost WHERE batch = $1", b.ID)
	if err != nil || n == 0 {
		return err
	}
	return t.record(ActionDisowned, b.ID)
}

// setSeen notes up to where the ledger was read; another process may have come further.
func (t *Tx) setSeen(read ledger.Head) error {
	value := append(binary.BigEndian.AppendUint64(nil, read.Height), read.Hash[:]...)
	n, err := t.exec("note the place in the ledger", "UPDATE vault_meta SET value = $1 WHERE name = $2 AND value < $1", value, metaSeen)
	if err != nil || n > 0 {
		return err
	}
	var rows int
	if err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_meta WHERE name = $1", metaSeen).Scan(&rows); err != nil || rows > 0 {
		return sqldb.Wrap("note the place in the ledger", err)
	}
	_, err = t.exec("note the place in the ledger", "INSERT INTO vault_meta (name, value) VALUES ($1, $2)", metaSeen, value)
	return err
}

// learnHead notes that a batch is on the ledger: waited is true if the vault did not know that, lost is
// not nil if the vault did not have the batch.
func (t *Tx) learnHead(item *ledgerItem) (waited bool, lost *LostBatch, err error) {
	head := item.head
	b, err := t.v.batch(t.ctx, t.tx, "b.root = $1", head.Root[:])
	if err == nil {
		if b.State != Pending && b.Position != nil {
			return false, nil, nil
		}
		if !bytes.Equal(b.Head, item.signed) { // signed anew by two at once: the ledger has taken one of the heads
			if _, err := t.exec("take the ledger's head", "UPDATE vault_batch SET head = $1, issued_at = $2 WHERE id = $3", item.signed, int64(head.SignedAt), b.ID); err != nil {
				return false, nil, err
			}
		}
		return b.State == Pending, nil, t.Anchored(b.ID, item.at)
	}
	if Code(err) != CodeUnknown {
		return false, nil, err
	}
	if len(item.digests) != int(head.Size)*sm.HashSize || rootOf(item.digests) != head.Root {
		return false, nil, errorf(CodeLedgerOther, nil, "the ledger has a head over other digests than those that came with it")
	}
	typ, err := t.typeID(head.Type)
	if err != nil {
		return false, nil, err
	}
	b = &Batch{Type: head.Type, State: Anchored, Size: int(head.Size), IssuedAt: head.SignedAt, Root: head.Root,
		Head: item.signed, Digests: item.digests, Position: &item.at}
	if err := t.insertBatch(b, typ); err != nil {
		return false, nil, err
	}
	if err := t.insertLicences(b, typ, nil); err != nil {
		return false, nil, err
	}
	if _, err := t.exec("note a loss", "INSERT INTO vault_lost (batch, type) VALUES ($1, $2)", b.ID, typ); err != nil {
		return false, nil, err
	}
	return false, &LostBatch{Batch: b.ID, Type: b.Type, Size: b.Size, Root: b.Root}, t.record(ActionLost, b.ID)
}

// rootOf returns the root over digests that stand one after the other.
func rootOf(digests []byte) sm.Hash {
	leaves := make([]sm.Hash, len(digests)/sm.HashSize)
	for i := range leaves {
		leaves[i] = sm.Hash(digests[i*sm.HashSize:])
	}
	return credential.Root(leaves)
}

// learnStatus notes a change of a state, and that the ledger holds the commitment to its reason.
func (t *Tx) learnStatus(s *statement.Status) (changed bool, err error) {
	_, by, err := t.settleOpening(s.Reason)
	if err != nil {
		return false, err
	}
	change := Change{To: licence.State(s.To), Effective: licence.Date(s.Effective), Sequence: s.Sequence}
	var id ID
	var batch int64
	if s.Licence == nil {
		batch, changed, err = t.setRoot(s.Root, change)
	} else {
		l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE b.root = $1 AND l.id = b.first + $2 AND b.size > $2", s.Root[:], int64(s.Licence.Index))
		if err != nil {
			return false, err
		}
		if l.Digest != s.Licence.Digest {
			return false, errorf(CodeLedgerOther, nil, "the ledger changes a state at a place where the vault has another licence")
		}
		id = l.ID
		changed, err = t.setOwn(id, change, false)
		if err != nil {
			return false, err
		}
	}
	switch {
	case err != nil || !changed:
		return false, err
	case by != nil: // done through this vault, and not noted
		return true, t.recordLines([]line{{ActionState, batch, id, by}})
	}
	return true, t.recordLines([]line{{ActionStateLedger, batch, id, &t.by}})
}
