package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Named returns the licence with a name on the ledger. It looks into an index that does not have the newest batches at
// first: it puts them in if the licence is not found, which takes some twenty seconds for a million licences and is better done
// before somebody waits (IndexDigests). Error: CodeUnknown.
func (v *Vault) Named(ctx context.Context, digest sm.Hash) (*Licence, error) {
	l, err := v.named(ctx, digest)
	if Code(err) != CodeUnknown {
		return l, err
	}
	if _, err := v.IndexDigests(ctx); err != nil {
		return nil, err
	}
	return v.named(ctx, digest) // also if another process has put it in just now
}

// named is Named by the index as it is. What was discarded may still be in it.
func (v *Vault) named(ctx context.Context, digest sm.Hash) (*Licence, error) {
	found, err := licences(ctx, v.db.Read(), selectLicence+"JOIN vault_digest d ON d.licence = l.id WHERE d.prefix = $1", digestPrefix(digest[:]))
	if err != nil {
		return nil, err
	}
	for _, l := range found {
		if l.Digest == digest {
			return l, nil
		}
	}
	return nil, errorf(CodeUnknown, nil, "there is no such licence in the vault")
}

func digestPrefix(digest []byte) int64 { return int64(binary.BigEndian.Uint64(digest)) }

// IndexDigests puts the batches into the index of digests that are not in it, and returns how many it has put in.
func (v *Vault) IndexDigests(ctx context.Context) (batches int, err error) {
	for {
		var behind bool
		err := v.db.Read().QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM vault_batch b, vault_indexed i WHERE b.id > i.batch)").Scan(&behind)
		if err != nil || !behind {
			return batches, sqldb.Wrap("look for batches that are not indexed", err)
		}
		n := 0
		if err := v.db.Write(ctx, func(tx *sql.Tx) (err error) {
			n, err = v.indexSome(ctx, tx)
			return err
		}); err != nil {
			return batches, err
		}
		batches += n
	}
}

// indexedAtOnce is how many licences are put into the index in one transaction, unless one batch has more: others wait for it.
const indexedAtOnce = 1024

// indexSome puts some batches into the index. Their ids are in the order in which they were put in, as whoever puts
// one in has the turn.
func (v *Vault) indexSome(ctx context.Context, tx *sql.Tx) (batches int, err error) {
	var last int64
	if err := tx.QueryRowContext(ctx, "UPDATE vault_indexed SET batch = batch WHERE id = 1 RETURNING batch").Scan(&last); err != nil {
		return 0, sqldb.Wrap("index digests", err)
	}
	to, licences := last, 0
	err = sqldb.Select(ctx, tx, fmt.Sprint("SELECT id, size FROM vault_batch WHERE id > $1 ORDER BY id LIMIT ", indexedAtOnce), []any{last}, func(rows *sql.Rows) error {
		var id int64
		var size int
		if err := rows.Scan(&id, &size); err != nil {
			return sqldb.Wrap("read a batch", err)
		}
		if licences += size; batches == 0 || licences <= indexedAtOnce {
			to, batches = id, batches+1
		}
		return nil
	})
	if err != nil || batches == 0 {
		return 0, err
	}
	var prefixes, ids []int64
	err = sqldb.Select(ctx, tx, "SELECT first, digests FROM vault_batch WHERE id > $1 AND id <= $2", []any{last, to}, func(rows *sql.Rows) error {
		var first int64
		var digests []byte
		if err := rows.Scan(&first, &digests); err != nil {
			return sqldb.Wrap("read a batch", err)
		}
		for ; len(digests) >= sm.HashSize; digests, first = digests[sm.HashSize:], first+1 {
			prefixes, ids = append(prefixes, digestPrefix(digests)), append(ids, first)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := v.db.Insert(ctx, tx, "vault_digest (prefix, licence)", 2, len(ids), func(i int, values []any) { values[0], values[1] = prefixes[i], ids[i] }); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE vault_indexed SET batch = $1 WHERE id = 1", to)
	return batches, sqldb.Wrap("index digests", err)
}
