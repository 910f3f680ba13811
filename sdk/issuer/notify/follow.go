package notify

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/webhook"
)

// Bounds of what is read of the ledger between two notes of how far that has come.
const (
	noteBlocks = 1024
	retryAfter = 2 * time.Second
)

// errElsewhere says that another process has told of what this one was about to.
var errElsewhere = errors.New("another process tells")

// Follow tells of the ledger's changes until ctx is done. What fails is logged and tried again.
func (n *Notifier) Follow(ctx context.Context) error {
	failing := false
	told := func() { failing = false }
	for {
		if len(n.Subscribers()) > 0 {
			err := n.follow(ctx, told)
			if ctx.Err() == nil && !errors.Is(err, errElsewhere) && !failing {
				n.Log.Warn("subscribers cannot be told of the ledger's changes; this is tried again", "error", err)
				failing = true
			}
		}
		if !pause(ctx, retryAfter) {
			return nil
		}
	}
}

// follow tells of the ledger's changes from where that has come, until something fails. It calls done whenever it has
// told of some.
func (n *Notifier) follow(ctx context.Context, done func()) error {
	told, err := n.told(ctx)
	if err != nil {
		return err
	}
	var events []*webhook.Event
	for block, err := range n.Ledger.Follow(ctx, told.Height-1) {
		if err != nil {
			return err
		}
		if block.Number < told.Height {
			if block.Hash != told.Hash {
				return errors.New("the ledger is another one than subscribers were told of")
			}
			continue
		}
		if events, err = n.read(ctx, events, block); err != nil {
			return err
		}
		read := ledger.Head{Height: block.Number + 1, Hash: block.Hash}
		if len(events) == 0 && read.Height-told.Height < noteBlocks {
			continue
		}
		if err := n.tell(ctx, told, read, events); err != nil {
			return err
		}
		told, events = read, events[:0]
		done()
	}
	return nil
}

// told returns up to where the ledger was told; the first time that is its present end.
func (n *Notifier) told(ctx context.Context) (ledger.Head, error) {
	told, err := n.Vault.Told(ctx)
	if err != nil || told.Height > 0 {
		return told, err
	}
	if told, err = n.Ledger.Head(ctx); err != nil {
		return told, err
	}
	return told, n.tell(ctx, ledger.Head{}, told, nil)
}

// tell keeps the messages about what the ledger has between two places.
func (n *Notifier) tell(ctx context.Context, from, to ledger.Head, events []*webhook.Event) error {
	err := n.Vault.Write(ctx, by, func(tx *vault.Tx) error {
		mine, err := tx.Tell(from, to)
		if err != nil {
			return err
		}
		if !mine {
			return errElsewhere
		}
		for _, e := range events {
			if err := n.enqueue(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(events) > 0 {
		n.hurry()
	}
	return err
}

// read appends what a block says about licences of the department.
func (n *Notifier) read(ctx context.Context, events []*webhook.Event, block *ledger.Block) ([]*webhook.Event, error) {
	department := n.Vault.Identity().Department
	for _, committed := range block.Transactions {
		tx, err := chaincode.ParseTransaction(committed.Bytes)
		if err != nil {
			return nil, err
		}
		for _, signed := range tx.Statements {
			s, err := statement.Parse(signed)
			if err != nil {
				return nil, err
			}
			var e *webhook.Event
			switch body := s.Body.(type) {
			case *statement.Status:
				if body.Issuer == department {
					e, err = n.status(ctx, body, block.Number)
				}
			case *statement.Restriction:
				if body.Issuer == department {
					e, err = n.restriction(ctx, body, block.Number)
				}
			}
			if err != nil {
				return nil, err
			}
			if e != nil {
				events = append(events, e)
			}
		}
	}
	return events, nil
}

func (n *Notifier) status(ctx context.Context, s *statement.Status, block uint64) (*webhook.Event, error) {
	e := &webhook.Event{Type: webhook.LicenceStatus, Status: &webhook.Status{
		From: licence.State(s.From), To: licence.State(s.To), Effective: licence.Date(s.Effective).String(), Sequence: s.Sequence, Block: block}}
	var err error
	if s.Licence != nil {
		e.Licence, err = n.licence(ctx, s.Licence)
		return e, err
	}
	batch, err := n.Vault.BatchOf(ctx, s.Root)
	if err != nil {
		return nil, err
	}
	e.Licence = &webhook.Licence{Type: batch.Type, Root: s.Root}
	return e, nil
}

func (n *Notifier) restriction(ctx context.Context, r *statement.Restriction, block uint64) (*webhook.Event, error) {
	about, err := n.licence(ctx, &r.Licence)
	if err != nil {
		return nil, err
	}
	return &webhook.Event{Type: webhook.LicenceRestriction, Licence: about, Restriction: &webhook.Restriction{
		ID: hex.EncodeToString(r.ID[:]), Lifted: r.Action == statement.RestrictionLift,
		Effective: licence.Date(r.Effective).String(), Sequence: r.Sequence, Block: block}}, nil
}

// licence says which licence is at a place, as the vault knows it.
func (n *Notifier) licence(ctx context.Context, p *statement.Place) (*webhook.Licence, error) {
	l, err := n.Vault.At(ctx, p.Root, p.Index)
	if err != nil {
		return nil, err
	}
	return about(l), nil
}

func about(l *vault.Licence) *webhook.Licence {
	return &webhook.Licence{ID: int64(l.ID), Type: l.Type, Root: l.Root, Index: l.Index, Digest: &l.Digest}
}
