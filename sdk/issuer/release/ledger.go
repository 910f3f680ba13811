package release

import (
	"context"
	"errors"
	"slices"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// give brings a grant to the ledger that is in the vault, and notes that it is there. One that the ledger refuses by its
// rules is forgotten.
func (d *Desk) give(ctx context.Context, digest sm.Hash) error {
	kept, err := d.c.Vault.Grant(ctx, digest)
	if err != nil || kept.State != vault.GrantKept {
		return err
	}
	if d.c.View.Consent(d.c.Department, digest) != statement.ConsentGive {
		err := d.consent(ctx, digest, statement.ConsentGive)
		if code := chaincode.Code(err); code != "" {
			return errors.Join(err, d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.DropGrant(digest) }))
		} else if err != nil {
			return err
		}
	}
	return d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.GrantGiven(digest) })
}

// takeBack brings the withdrawal of a grant to the ledger that is in the vault, and notes that it is there.
func (d *Desk) takeBack(ctx context.Context, digest sm.Hash) error {
	if d.c.View.Consent(d.c.Department, digest) != statement.ConsentWithdraw {
		if err := d.consent(ctx, digest, statement.ConsentWithdraw); err != nil {
			return err
		}
	}
	return d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.WithdrawalSettled(digest) })
}

// consent has the ledger know that a grant was given, or withdrawn. It is signed once more if the ledger refuses the key.
func (d *Desk) consent(ctx context.Context, digest sm.Hash, action string) error {
	body := &statement.Consent{Ledger: d.c.View.Ledger(), Department: d.c.Department, Digest: digest, Action: action, SignedAt: d.seconds()}
	var refused sm.Hash
	for again := true; ; again = false {
		key, err := d.signer(ctx, refused)
		if err != nil {
			return err
		}
		signed, err := statement.Sign(body, key)
		if err != nil {
			return err
		}
		_, err = d.c.Ledger.Submit(ctx, &chaincode.Transaction{Statements: [][]byte{signed}})
		if again && keyRefused[chaincode.Code(err)] {
			refused = key.Public().ID()
			continue
		}
		if err != nil {
			return err
		}
		return d.step(stepSubmitted)
	}
}

// keyRefused are the answers of the ledger to a statement that is right but for its key.
var keyRefused = map[string]bool{
	chaincode.CodeKeyUnknown: true, chaincode.CodeKeyPurpose: true, chaincode.CodeKeyExpired: true,
	chaincode.CodeKeyRetired: true, chaincode.CodeKeyCompromised: true,
}

// unreached reports whether an error is that the ledger could not be reached, or did not say what became of something.
func unreached(err error) bool { return ledger.Code(err) != "" }

// signer returns a key of the department for consent that is in order as far as the view of the ledger has it, and is not
// the one that the ledger has just refused (zero: none was).
func (d *Desk) signer(ctx context.Context, refused sm.Hash) (sm.Signer, error) {
	for _, again := range []bool{refused != sm.Hash{}, true} {
		keys, err := d.c.Signers(ctx, statement.PurposeConsent, again)
		if err != nil {
			return nil, errorf(CodeSignerMissing, err, "get the department's key for consent")
		}
		if i := slices.IndexFunc(keys, func(s sm.Signer) bool { return s.Public().ID() != refused && d.inOrder(s.Public().ID()) }); i >= 0 {
			return keys[i], nil
		}
	}
	return nil, errorf(CodeSignerMissing, nil, "this needs a key of %s for consent that is on the ledger, and was not retired", d.c.Department)
}

// inOrder reports whether a key signs new things for the department, as far as the view of the ledger has it.
func (d *Desk) inOrder(kid sm.Hash) bool {
	k, now := d.c.View.Key(kid), d.seconds()
	return k != nil && k.Department == d.c.Department && k.Purposes.Has(statement.PurposeConsent) && k.State == grant.KeyActive &&
		(k.NotBefore == nil || now >= *k.NotBefore) && (k.NotAfter == nil || now <= *k.NotAfter)
}

// sign signs a statement with the department's key for consent.
func (d *Desk) sign(ctx context.Context, body statement.Body) ([]byte, error) {
	key, err := d.signer(ctx, sm.Hash{})
	if err != nil {
		return nil, err
	}
	return statement.Sign(body, key)
}

// write does a transaction of the vault, again if others were in its way.
func (d *Desk) write(ctx context.Context, by vault.By, do func(*vault.Tx) error) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := d.c.Vault.Write(ctx, by, do)
		if sqldb.Code(err) != sqldb.CodeBusy || attempt == attempts {
			return err
		}
	}
}
