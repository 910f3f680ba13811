package notify

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/webhook"
)

// tellAtOnce is how many licences or jobs are told of in one transaction.
const tellAtOnce = 256

// TellDone tells of jobs that are done and were not told of before. It is meant to be called about once a minute.
func (n *Notifier) TellDone(ctx context.Context) error {
	if len(n.Subscribers()) == 0 {
		return nil
	}
	return n.repeat(ctx, n.done)
}

// TellExpiring tells of licences that will soon have expired and were not told of before. It looks at all of these,
// and is meant to be called about once an hour.
func (n *Notifier) TellExpiring(ctx context.Context) error {
	if len(n.Subscribers()) == 0 || n.Expiring == 0 {
		return nil
	}
	today := licence.DateOf(n.Now())
	for _, typ := range n.Types() {
		err := n.repeat(ctx, func(tx *vault.Tx) (int, error) { return n.expiring(tx, typ, today) })
		if err != nil {
			return err
		}
	}
	return nil
}

// repeat does a transaction until there is no more to do in it.
func (n *Notifier) repeat(ctx context.Context, do func(tx *vault.Tx) (int, error)) error {
	for {
		var told int
		err := n.Vault.Write(ctx, by, func(tx *vault.Tx) (err error) {
			told, err = do(tx)
			return err
		})
		if told > 0 && err == nil {
			n.hurry()
		}
		if err != nil || told < tellAtOnce {
			return err
		}
		if !pause(ctx, breath) {
			return ctx.Err()
		}
	}
}

// breath is left between two transactions of many, for those who issue.
const breath = 20 * time.Millisecond

func (n *Notifier) done(tx *vault.Tx) (int, error) {
	jobs, err := tx.NewlyDone(tellAtOnce)
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		err := n.enqueue(tx, &webhook.Event{Type: webhook.JobDone, Job: &webhook.Job{
			ID: j.ID, Kind: j.Kind, Type: j.Type, Records: j.Records, Accepted: j.Accepted, Rejected: j.Rejected}})
		if err != nil {
			return 0, err
		}
	}
	return len(jobs), nil
}

func (n *Notifier) expiring(tx *vault.Tx, typ string, today licence.Date) (int, error) {
	found, err := tx.NewlyExpiring(typ, today, today+licence.Date(n.Expiring), tellAtOnce)
	if err != nil {
		return 0, err
	}
	for _, l := range found {
		if l.ValidUntil == nil {
			continue // it is the ledger that ends it
		}
		err := n.enqueue(tx, &webhook.Event{Type: webhook.LicenceExpiring, Licence: about(l), Expiring: &webhook.Expiring{ValidUntil: l.ValidUntil.String()}})
		if err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
