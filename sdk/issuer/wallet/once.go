package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// Once is an idempotency key: of what a person asks under it, one thing is done, however often it is asked for.
type Once struct {
	Key     string  // as whoever calls has chosen it, 1 to 200 bytes; other people's have nothing to do with it
	Request sm.Hash // of what is asked for
}

// onceFor is how long a key is remembered.
const onceFor = 24 * time.Hour

// errEarlier undoes a transaction: what it was to do was done before.
var errEarlier = errors.New("done earlier, under the same idempotency key")

// claim is what the vault knows a key by, for one kind of thing; nil if there is none. What a helper asks for somebody is another
// thing than what they ask for themselves.
func (o *Once) claim(c *Caller, kind string) *vault.ClaimKey {
	if o == nil {
		return nil
	}
	what := []byte(kind + "\n")
	if c.Delegation != nil {
		what = append(what, c.Delegation.ID[:]...)
	}
	return &vault.ClaimKey{Caller: "wallet: " + c.Number, Key: o.Key, Request: sm.Sum(append(what, o.Request[:]...))}
}

// recall returns the id of what was kept under a claim; ok is false if nothing was, or if there is no claim.
func (w *Wallet) recall(ctx context.Context, claim *vault.ClaimKey) (id vault.ItemID, ok bool, err error) {
	if claim == nil {
		return id, false, nil
	}
	answer, err := w.Vault.Recall(ctx, *claim)
	if err != nil || answer == nil {
		return id, false, err
	}
	id, err = keptID(answer)
	return id, err == nil, err
}

// keepOnce has something kept, which tells its id; under a claim under which something is kept, it returns that one's id, and
// ok is true.
func (w *Wallet) keepOnce(ctx context.Context, by vault.By, claim *vault.ClaimKey, keep func(*vault.Tx) (vault.ItemID, error)) (id vault.ItemID, ok bool, err error) {
	var earlier []byte
	err = w.write(ctx, by, func(tx *vault.Tx) error {
		id, err := keep(tx)
		if err != nil || claim == nil {
			return err
		}
		if earlier, err = tx.Claim(*claim, id[:], w.Now().Add(onceFor)); earlier != nil {
			return errEarlier
		}
		return err
	})
	if earlier == nil {
		return id, false, err
	}
	id, err = keptID(earlier)
	return id, err == nil, err
}

// keptID reads the answer to an idempotency key.
func keptID(answer []byte) (id vault.ItemID, err error) {
	if len(answer) != len(id) {
		return id, errorf(CodeArguments, nil, "what the vault keeps with the idempotency key was not written by a wallet")
	}
	return vault.ItemID(answer), nil
}
