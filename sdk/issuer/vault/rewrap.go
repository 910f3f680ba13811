package vault

import (
	"context"
	"database/sql"
	"encoding/hex"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// String returns 16 lower-case hexadecimal digits.
func (id MasterID) String() string { return hex.EncodeToString(id[:]) }

// rewrapChunk is how many data keys are rewrapped in one transaction.
const rewrapChunk = 1000

// Rewrap wraps every data key, and the vault's secret, under the master key of the present that is wrapped under
// an older one. The vault can be used meanwhile. It returns how many it has rewrapped, also with an error;
// done again, it goes on.
//
// To replace a master key: make a new one that wraps; Rewrap; RetireMasterKey, which refuses while
// something is still wrapped under the old one; then destroy the old one. After that no copy of the
// database of before can be read, so what was erased is gone from those too.
func (v *Vault) Rewrap(ctx context.Context, by By) (rewrapped int64, err error) {
	current, err := v.currentMaster(ctx)
	if err != nil {
		return 0, err
	}
	n, err := v.rewrapSecret(ctx, by, current)
	if err != nil {
		return 0, err
	}
	rewrapped += n
	for after := ID(0); ; {
		keys, err := v.keysAfter(ctx, after)
		if err != nil || len(keys) == 0 {
			return rewrapped, err
		}
		after = keys[len(keys)-1].id
		old := keys[:0]
		for _, k := range keys {
			if !erased(k.wrapped) && MasterID(k.wrapped[:masterIDSize]) != current {
				old = append(old, k)
			}
		}
		n, err := v.rewrapSome(ctx, by, old)
		rewrapped += n
		if err != nil {
			return rewrapped, err
		}
	}
}

// currentMaster returns the master key that wraps at present.
func (v *Vault) currentMaster(ctx context.Context) (MasterID, error) {
	wrapped, err := v.wrap(ctx, [][]byte{nil}, [][]byte{make([]byte, dataKeySize)})
	if err != nil {
		return MasterID{}, err
	}
	return MasterID(wrapped[0][:masterIDSize]), nil
}

// A keptKey is a row of vault_key.
type keptKey struct {
	id      ID
	digest  []byte
	wrapped []byte
}

func (v *Vault) keysAfter(ctx context.Context, after ID) (keys []keptKey, err error) {
	err = sqldb.Select(ctx, v.db.Read(), "SELECT k.licence, SUBSTR(b.digests, CAST((l.id - b.first) * 32 + 1 AS INTEGER), 32), k.wrapped "+
		"FROM vault_key k JOIN vault_licence l ON l.id = k.licence JOIN vault_batch b ON b.id = l.batch WHERE k.licence > $1 ORDER BY k.licence LIMIT $2",
		[]any{int64(after), rewrapChunk}, func(rows *sql.Rows) error {
			var k keptKey
			err := rows.Scan(&k.id, &k.digest, &k.wrapped)
			if err == nil && (len(k.wrapped) < minWrapped || len(k.digest) != sm.HashSize) {
				return damaged("a data key")
			}
			keys = append(keys, k)
			return sqldb.Wrap("read the data keys", err)
		})
	return keys, err
}

// rewrapSome rewraps data keys, unless they were erased meanwhile.
func (v *Vault) rewrapSome(ctx context.Context, by By, old []keptKey) (n int64, err error) {
	if len(old) == 0 {
		return 0, nil
	}
	aads, wrapped := make([][]byte, len(old)), make([][]byte, len(old))
	for i, k := range old {
		aads[i], wrapped[i] = v.identity.aad(purposeDataKey, k.digest), k.wrapped
	}
	keys, err := v.unwrap(ctx, aads, wrapped)
	if err != nil {
		return 0, err
	}
	if wrapped, err = v.wrap(ctx, aads, keys); err != nil {
		return 0, err
	}
	err = v.Write(ctx, by, func(t *Tx) error {
		if err := t.takeTurn(); err != nil {
			return err
		}
		if err := t.checkMasterKeys(wrapped); err != nil {
			return err
		}
		n = 0
		for i, k := range old {
			done, err := t.exec("rewrap a data key", "UPDATE vault_key SET wrapped = $1 WHERE licence = $2 AND wrapped = $3", wrapped[i], int64(k.id), k.wrapped)
			if err != nil {
				return err
			}
			n += done
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// rewrapSecret rewraps the vault's secret.
func (v *Vault) rewrapSecret(ctx context.Context, by By, current MasterID) (n int64, err error) {
	var old []byte
	if err := v.db.Read().QueryRowContext(ctx, "SELECT value FROM vault_meta WHERE name = $1", metaSecret).Scan(&old); err != nil {
		return 0, sqldb.Wrap("read the vault's secret", err)
	}
	if len(old) < minWrapped {
		return 0, damaged("the secret")
	}
	if MasterID(old[:masterIDSize]) == current {
		return 0, nil
	}
	aads := [][]byte{v.identity.aad(purposeSecret, nil)}
	secret, err := v.unwrap(ctx, aads, [][]byte{old})
	if err != nil {
		return 0, err
	}
	wrapped, err := v.wrap(ctx, aads, secret)
	if err != nil {
		return 0, err
	}
	err = v.Write(ctx, by, func(t *Tx) error {
		if err := t.takeTurn(); err != nil {
			return err
		}
		if err := t.checkMasterKeys(wrapped); err != nil {
			return err
		}
		n, err = t.exec("rewrap the vault's secret", "UPDATE vault_meta SET value = $1 WHERE name = $2 AND value = $3", wrapped[0], metaSecret, old)
		if err != nil || n == 0 {
			return err
		}
		return t.record(ActionRewrapped, 0)
	})
	return n, err
}

// checkMasterKeys refuses keys that were wrapped under a master key which is retired.
func (t *Tx) checkMasterKeys(wrapped [][]byte) error {
	seen := map[MasterID]bool{}
	for _, w := range wrapped {
		id := MasterID(w[:masterIDSize])
		if seen[id] {
			continue
		}
		seen[id] = true
		var retired int
		if err := t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM vault_retired WHERE id = $1", id[:]).Scan(&retired); err != nil {
			return sqldb.Wrap("read the master keys", err)
		}
		if retired > 0 {
			return errorf(CodeKeyRetired, nil, "a data key was wrapped under the master key %s, which was retired meanwhile: seal again", id)
		}
	}
	return nil
}

// MasterKeys returns under which master keys something is wrapped, and how many data keys each; the vault's
// own secret counts as one.
func (v *Vault) MasterKeys(ctx context.Context) (map[MasterID]int64, error) {
	return masterKeys(ctx, v.db.Read())
}

func masterKeys(ctx context.Context, q sqldb.Querier) (map[MasterID]int64, error) {
	out := map[MasterID]int64{}
	for _, query := range []string{
		"SELECT SUBSTR(wrapped, 1, 8), COUNT(*) FROM vault_key GROUP BY 1",
		"SELECT SUBSTR(value, 1, 8), COUNT(*) FROM vault_meta WHERE name = 'secret' GROUP BY 1",
	} {
		err := sqldb.Select(ctx, q, query, nil, func(rows *sql.Rows) error {
			var id []byte
			var n int64
			if err := rows.Scan(&id, &n); err != nil {
				return sqldb.Wrap("count the data keys", err)
			}
			if len(id) != masterIDSize {
				return damaged("a data key")
			}
			if !erased(id) {
				out[MasterID(id)] += n
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RetireMasterKey makes sure that nothing is wrapped under a master key, nor ever will be: from then on it can be
// destroyed. Errors: CodeKeyInUse: rewrap first.
func (v *Vault) RetireMasterKey(ctx context.Context, by By, id MasterID) error {
	return v.Write(ctx, by, func(t *Tx) error {
		if err := t.takeTurn(); err != nil {
			return err
		}
		inUse, err := masterKeys(ctx, t.tx)
		if err != nil {
			return err
		}
		if n := inUse[id]; n > 0 {
			return errorf(CodeKeyInUse, nil, "%d data keys are wrapped under the master key %s: rewrap them first", n, id)
		}
		if _, err := t.exec("retire a master key", "DELETE FROM vault_retired WHERE id = $1", id[:]); err != nil {
			return err
		}
		if _, err = t.exec("retire a master key", "INSERT INTO vault_retired (id, retired_at) VALUES ($1, $2)", id[:], t.at); err != nil {
			return err
		}
		return t.record(ActionKeyRetired, 0)
	})
}
