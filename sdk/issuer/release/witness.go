package release

import (
	"context"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
)

// The access log is a witness outside of the vault: whatever has left has an entry there, under a name that is made of the
// request's. If the vault has no answer of which the log has an entry, the vault is an old copy.

// compare compares the vault with the access log, from where that was done last, and ends the grants of an old copy.
func (d *Desk) compare(ctx context.Context) error {
	log, size := d.c.Log.Identity().Log, d.c.Log.Size()
	seen, err := d.c.Vault.Witness(ctx, log)
	if err != nil {
		return err
	}
	if size < seen {
		return errorf(accesslog.CodeRolledBack, nil, "the access log %s had %d entries and has %d: an old copy of it was put back; go on with a new log under another name", log, seen, size)
	}
	known, err := d.answered(ctx, seen, size)
	if err != nil {
		return err
	}
	if err := d.write(ctx, keeper, func(tx *vault.Tx) error {
		if !known {
			if _, err := tx.EndGrants(); err != nil {
				return err
			}
		}
		return tx.SetWitness(log, size)
	}); err != nil {
		return err
	}
	restored, err := d.c.Vault.Restored(ctx)
	if !restored.IsZero() {
		d.restored = uint64(restored.Unix())
	}
	return err
}

// answered reports whether the vault has the answers of which the log has entries, from one on and before another.
func (d *Desk) answered(ctx context.Context, from, until uint64) (bool, error) {
	for from < until {
		page, err := d.c.Log.Entries(from, accesslog.MostEntries)
		if err != nil {
			return false, err
		}
		if len(page) == 0 {
			return true, nil
		}
		for _, b := range page {
			e, err := access.ParseEntry(b)
			if err != nil {
				return false, err
			}
			if e.Asked != d.c.Department {
				continue
			}
			if known, err := d.c.Vault.AnsweredFrom(ctx, e.Call[:]); err != nil || !known {
				return false, err
			}
		}
		from += uint64(len(page))
	}
	return true, nil
}

// witness notes up to where the log is known: all that it has now was in the vault before.
func (d *Desk) witness(ctx context.Context) error {
	log, size := d.c.Log.Identity().Log, d.c.Log.Size()
	seen, err := d.c.Vault.Witness(ctx, log)
	if err != nil || seen == size {
		return err
	}
	return d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.SetWitness(log, size) })
}
