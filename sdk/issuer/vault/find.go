package vault

import (
	"context"
	"database/sql"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Holding returns, for each of many licence numbers of a type, which licence holds it: none can be issued
// with that number; 0: the number is free. The numbers are in their canonical form.
func (v *Vault) Holding(ctx context.Context, typ string, numbers []string) ([]ID, error) {
	n := v.numberer(typ)
	names, keys := make([]name, len(numbers)), make([]any, len(numbers))
	for i, text := range numbers {
		names[i] = n.number(text)
		keys[i] = names[i][:]
	}
	holding, err := v.holding(ctx, v.db.Read(), keys)
	if err != nil {
		return nil, err
	}
	out := make([]ID, len(numbers))
	for i := range names {
		out[i] = holding[names[i]]
	}
	return out, nil
}

// holding returns which licences hold numbers.
func (v *Vault) holding(ctx context.Context, q sqldb.Querier, numbers []any) (map[name]ID, error) {
	out := map[name]ID{}
	err := v.db.SelectIn(ctx, q, "SELECT number, id FROM vault_licence WHERE released = 0 AND number IN (?)", numbers, func(rows *sql.Rows) error {
		var number []byte
		var id ID
		if err := rows.Scan(&number, &id); err != nil {
			return sqldb.Wrap("look for licence numbers", err)
		}
		out[name(number)] = id
		return nil
	})
	return out, err
}

// batchesAtOnce is how many batches ByDigests reads at a time: 4,096 licences have 128 KiB of digests.
const batchesAtOnce = 64

// ByDigests returns the ids of licences by their names on the ledger; those that the vault does not have
// are not among them. There is no index of digests: it reads those of all batches once, and is meant for
// many at a time.
func (v *Vault) ByDigests(ctx context.Context, digests []sm.Hash) (map[sm.Hash]ID, error) {
	wanted := make(map[sm.Hash]bool, len(digests))
	for _, d := range digests {
		wanted[d] = true
	}
	out := make(map[sm.Hash]ID, len(wanted))
	for after := int64(0); len(out) < len(wanted); {
		read := 0
		err := sqldb.Select(ctx, v.db.Read(), "SELECT id, first, digests FROM vault_batch WHERE id > $1 ORDER BY id LIMIT $2", []any{after, batchesAtOnce}, func(rows *sql.Rows) error {
			var first ID
			var b []byte
			if err := rows.Scan(&after, &first, &b); err != nil {
				return sqldb.Wrap("read a batch", err)
			}
			read++
			for i := 0; len(b) >= sm.HashSize; i, b = i+1, b[sm.HashSize:] {
				if d := sm.Hash(b[:sm.HashSize]); wanted[d] {
					out[d] = first + ID(i)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if read < batchesAtOnce {
			break
		}
	}
	return out, nil
}
