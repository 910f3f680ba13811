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

// Check refuses one that is not of its form: CodeArgument.
func (k *ClaimKey) Check() error {
	if k.Caller == "" || len(k.Caller) > maxClaimPart || k.Key == "" || len(k.Key) > maxClaimPart {
		return errorf(CodeArgument, nil, "an idempotency key and its caller have 1 to %d bytes", maxClaimPart)
	}
	return nil
}

func checkAnswer(answer []byte) error {
	if len(answer) == 0 || len(answer) > maxAnswer {
		return errorf(CodeArgument, nil, "the answer kept with an idempotency key has 1 to %d bytes", maxAnswer)
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
	if err := checkAnswer(answer); err != nil {
		return nil, err
	}
	known, err := t.Recalls([]ClaimKey{k})
	if err != nil {
		return nil, err
	}
	switch {
	case known[0].Reused:
		return nil, reused()
	case known[0].Answer != nil:
		return known[0].Answer, nil
	}
	return nil, t.Claims([]ClaimKey{k}, [][]byte{answer}, until)
}

// A Recalled is what is known of an idempotency key.
type Recalled struct {
	Answer []byte // that was given; nil: nothing was asked under the key
	Reused bool   // something else was asked under it
}

// Recalls returns what is known of each of many keys. From the call on nobody else takes one until the
// transaction ends.
func (t *Tx) Recalls(keys []ClaimKey) ([]Recalled, error) {
	if err := t.takeTurn(); err != nil {
		return nil, err
	}
	names := make([]any, len(keys))
	for i := range keys {
		if err := keys[i].Check(); err != nil {
			return nil, err
		}
		names[i] = t.v.claimName(&keys[i])
	}
	type row struct{ request, sealed []byte }
	found := map[string]row{}
	var expired [][]byte
	err := t.v.db.SelectIn(t.ctx, t.tx, "SELECT name, request, sealed, expires FROM vault_claim WHERE name IN (?)", names, func(rows *sql.Rows) error {
		var name []byte
		var r row
		var expires int64
		if err := rows.Scan(&name, &r.request, &r.sealed, &expires); err != nil {
			return sqldb.Wrap("look for idempotency keys", err)
		}
		if expires > t.at {
			found[string(name)] = r
		} else {
			expired = append(expired, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range expired {
		if _, err := t.exec("take an idempotency key", "DELETE FROM vault_claim WHERE name = $1", name); err != nil {
			return nil, err
		}
	}
	out := make([]Recalled, len(keys))
	for i := range keys {
		name := names[i].([]byte)
		r, ok := found[string(name)]
		switch {
		case !ok:
		case subtle.ConstantTimeCompare(r.request, t.v.claimRequest(name, &keys[i])) != 1:
			out[i].Reused = true
		default:
			if out[i].Answer, err = t.v.unsealRecord(purposeClaim, name, r.sealed); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Claims takes many keys, of which Recalls in the same transaction has said that nothing was asked under
// them, each with its answer. Error: CodeClaimReused if a key comes twice.
func (t *Tx) Claims(keys []ClaimKey, answers [][]byte, until time.Time) error {
	names, sealed := make([][]byte, len(keys)), make([][]byte, len(keys))
	for i := range keys {
		if err := keys[i].Check(); err != nil {
			return err
		}
		if err := checkAnswer(answers[i]); err != nil {
			return err
		}
		names[i] = t.v.claimName(&keys[i])
		var err error
		if sealed[i], err = t.v.sealRecord(purposeClaim, names[i], answers[i]); err != nil {
			return err
		}
	}
	err := t.v.db.Insert(t.ctx, t.tx, "vault_claim (name, request, sealed, expires)", 4, len(keys), func(i int, values []any) {
		values[0], values[1], values[2], values[3] = names[i], t.v.claimRequest(names[i], &keys[i]), sealed[i], until.Unix()
	})
	if sqldb.Code(err) == sqldb.CodeUnique {
		return reused()
	}
	return err
}

func reused() error {
	return errorf(CodeClaimReused, nil, "something else was asked under this idempotency key: take another key")
}

// Unclaim forgets an idempotency key: what was asked under it was not done after all. One that nothing was asked
// under is no error.
func (t *Tx) Unclaim(k ClaimKey) error {
	name := t.v.claimName(&k)
	_, err := t.exec("forget an idempotency key", "DELETE FROM vault_claim WHERE name = $1 AND request = $2", name, t.v.claimRequest(name, &k))
	return err
}

// Recall returns the answer that was given under a key to the same request; nil if nothing was asked under
// it. Error: CodeClaimReused if something else was.
func (v *Vault) Recall(ctx context.Context, k ClaimKey) ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	name := v.claimName(&k)
	var request, sealed []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT request, sealed FROM vault_claim WHERE name = $1 AND expires > $2", name, v.seconds()).Scan(&request, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, sqldb.Wrap("look for an idempotency key", err)
	case subtle.ConstantTimeCompare(request, v.claimRequest(name, &k)) != 1:
		return nil, reused()
	}
	return v.unsealRecord(purposeClaim, name, sealed)
}

// Purge deletes idempotency keys that have expired, proposals that were closed or have expired more than thirty
// days ago, and what was released to requests that have expired. It is meant to be called about once an hour.
func (v *Vault) Purge(ctx context.Context) error {
	now := v.seconds()
	return v.Write(ctx, By{Actor: "vault", Purpose: "purge"}, func(t *Tx) error {
		if _, err := t.exec("delete what has ended", "DELETE FROM vault_claim WHERE expires <= $1", now); err != nil {
			return err
		}
		if _, err := t.exec("delete what has ended", "UPDATE vault_answer SET envelope = NULL, kept_until = NULL WHERE kept_until < $1", now); err != nil {
			return err
		}
		_, err := t.exec("delete what has ended", "DELETE FROM vault_proposal WHERE expires <= $1 AND state <> 'approved'", now-closedMemory)
		return err
	})
}

// closedMemory is how long proposals are kept after their end, in seconds.
const closedMemory = 30 * 86400
