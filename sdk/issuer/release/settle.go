package release

import (
	"context"
	"errors"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/verifier/accesslog"
)

// settleAtOnce is how many grants or answers are looked at together.
const settleAtOnce = 100

// Settle brings to its end what was interrupted: answers that the access log does not have, grants and withdrawals that the
// ledger does not have. It is called when a process begins, and every few seconds; it does nothing when there is nothing to
// do. What does not work does not keep the rest from it.
func (d *Desk) Settle(ctx context.Context) error {
	err := errors.Join(d.noteLogged(ctx), d.settleAnswers(ctx), d.witness(ctx), d.settleGrants(ctx))
	_, indexing := d.c.Vault.IndexDigests(ctx)
	return errors.Join(err, indexing)
}

// settleAnswers has the access log record the answers that it may not have, until that fails itself.
func (d *Desk) settleAnswers(ctx context.Context) error {
	var failed error
	for after := int64(0); ; {
		page, err := d.c.Vault.UnloggedAnswers(ctx, after, settleAtOnce)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, kept := range page {
			after = kept.ID
			err := d.settleAnswer(ctx, kept)
			failed = errors.Join(failed, err)
			if err != nil && (accesslog.Code(err) != "" || ctx.Err() != nil) {
				return failed
			}
		}
		if len(page) < settleAtOnce {
			return errors.Join(failed, d.noteLogged(ctx))
		}
	}
}

func (d *Desk) settleAnswer(ctx context.Context, kept *vault.Answer) error {
	end, err := d.flights.begin(ctx, kept.Request) // somebody may be recording it now
	if err != nil {
		return err
	}
	defer end()
	if kept, err = d.kept(ctx, kept.Request); err != nil {
		return err
	}
	a, err := readAnswer(kept)
	if err != nil {
		return err
	}
	return d.log(ctx, a, kept.Logged)
}

// settleGrants brings grants and withdrawals to the ledger, until that cannot be reached.
func (d *Desk) settleGrants(ctx context.Context) error {
	unsettled, err := d.c.Vault.UnsettledGrants(ctx, settleAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, kept := range unsettled {
		err := d.settleGrant(ctx, kept)
		failed = errors.Join(failed, err)
		if err != nil && unreached(err) || ctx.Err() != nil {
			break
		}
	}
	return failed
}

func (d *Desk) settleGrant(ctx context.Context, kept *vault.Grant) error {
	if kept.State == vault.GrantWithdrawn {
		return d.takeBack(ctx, kept.Digest)
	}
	g, err := grant.ReadGrant(kept.Signed, kept.Binding, d.c.View)
	if err != nil {
		return err
	}
	if d.c.View.Consent(d.c.Department, g.Digest) == "" {
		if err := g.MayBeGiven(d.c.View, d.seconds()); err != nil {
			return err
		}
	}
	return d.give(ctx, g.Digest)
}
