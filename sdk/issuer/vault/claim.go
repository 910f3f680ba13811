package vault

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A ClaimKey is an idempotency key: of what a caller has asked under it, one is done.
type ClaimKey struct {
	Caller  string  // 1 to 200 bytes: keys of different callers have nothing to do with each other
	Key     string  // as the caller chose it, 1 to 200 bytes
	Request sm.Hash // of what was asked
}

// Bounds of claims in bytes.
const (
	maxClaimPart = 200
	maxAnswer    = 64 << 10
)

func (k *ClaimKey) check() error {
	if k.Caller == "" || len(k.Caller) > maxClaimPart || k.Key == "" || len(k.Key) > maxClaimPart {
		return errorf(CodeArgument, nil, "an idempotency key and its caller have 1 to %d bytes", maxClaimPart)
	}
	return nil
}

// claimName is what a key is kept under, and claimRequest what was asked under it.
func (v *Vault) claimName(k *ClaimKey) []byte {
	return mac(v.secrets.claims[:], []byte(k.Caller), []byte(k.Key))
}

func (v *Vault) claimRequest(name []byte, k *ClaimKey) []byte {
	return mac(v.secrets.claims[:], name, k.Request[:])
}

// Claim takes an idempotency key, with the answer that is given to who asks the same again (up to 64
// KiB), until a time. If the same was asked under it before, nothing changes: earlier is the answer that
// was given then, and what this transaction was to do must not be done again.
//
// Error: CodeClaimReused if something else was asked under it.
func (t *Tx) Claim(k ClaimKey, answer []byte, until time.Time) (earlier []byte, err error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	if len(answer) == 0 || len(answer) > maxAnswer {
		return nil, errorf(CodeArgument, nil, "the answer kept with an idempotency key has 1 to %d bytes", maxAnswer)
	}
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	earlier, err = t.v.recall(t.ctx, t.tx, &k, t.at)
	if err != nil || earlier != nil {
		return earlier, err
	}
	name := t.v.claimName(&k)
	if _, err := t.exec("take an idempotency key", "DELETE FROM vault_claim WHERE name = $1", name); err != nil { // one that has expired
		return nil, err
	}
	sealed, err := t.v.sealRecord(purposeClaim, name, answer)
	if err != nil {
		return nil, err
	}
	_, err = t.exec("take an idempotency key", "INSERT INTO vault_claim (name, request, sealed, expires) VALUES ($1, $2, $3, $4)",
		name, t.v.claimRequest(name, &k), sealed, until.Unix())
	return nil, err
}

// Answer puts another answer in the place of the one that a key was taken with. Error: CodeUnknown.
func (t *Tx) Answer(k ClaimKey, answer []byte) error {
	if len(answer) == 0 || len(answer) > maxAnswer {
		return errorf(CodeArgument, nil, "the answer kept with an idempotency key has 1 to %d bytes", maxAnswer)
	}
	name := t.v.claimName(&k)
	sealed, err := t.v.sealRecord(purposeClaim, name, answer)
	if err != nil {
		return err
	}
	n, err := t.exec("keep an answer", "UPDATE vault_claim SET sealed = $1 WHERE name = $2 AND request = $3", sealed, name, t.v.claimRequest(name, &k))
	if err == nil && n == 0 {
		return errorf(CodeUnknown, nil, "nothing was asked under this idempotency key")
	}
	return err
}

// Recall returns the answer that was given under a key to the same request; nil if nothing was asked under
// it. Error: CodeClaimReused if something else was.
func (v *Vault) Recall(ctx context.Context, k ClaimKey) ([]byte, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	return v.recall(ctx, v.db.Read(), &k, v.seconds())
}

func (v *Vault) recall(ctx context.Context, q sqldb.Querier, k *ClaimKey, now int64) ([]byte, error) {
	name := v.claimName(k)
	var request, sealed []byte
	err := q.QueryRowContext(ctx, "SELECT request, sealed FROM vault_claim WHERE name = $1 AND expires > $2", name, now).Scan(&request, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, sqldb.Wrap("look for an idempotency key", err)
	case subtle.ConstantTimeCompare(request, v.claimRequest(name, k)) != 1:
		return nil, errorf(CodeClaimReused, nil, "something else was asked under this idempotency key: take another key")
	}
	return v.unsealRecord(purposeClaim, name, sealed)
}

// Purge deletes idempotency keys that have expired, and proposals that were closed or have expired more
// than thirty days ago. It is meant to be called about once an hour.
func (v *Vault) Purge(ctx context.Context) error {
	now := v.seconds()
	return v.Write(ctx, By{Actor: "vault", Purpose: "purge"}, func(t *Tx) error {
		if _, err := t.exec("delete what has ended", "DELETE FROM vault_claim WHERE expires <= $1", now); err != nil {
			return err
		}
		_, err := t.exec("delete what has ended", "DELETE FROM vault_proposal WHERE expires <= $1 AND state <> 'approved'", now-closedMemory)
		return err
	})
}

// closedMemory is how long proposals are kept after their end, in seconds.
const closedMemory = 30 * 86400
