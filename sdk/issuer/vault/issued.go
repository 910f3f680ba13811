package vault

import (
	"context"
	"database/sql"

	"github.com/credledger/credledger/sdk/sqldb"
)

// Issued returns up to limit licences of some types whose heads were signed from one time on and before
// another, with ids below one, newest first; 0: from the newest.
func (v *Vault) Issued(ctx context.Context, types []string, from, until uint64, before ID, limit int) ([]*Licence, error) {
	var low, high *int64 // ids: so that nothing else is looked through
	if err := v.db.Read().QueryRowContext(ctx, "SELECT MIN(first), MAX(first + size) FROM vault_batch WHERE issued_at >= $1 AND issued_at < $2",
		from, until).Scan(&low, &high); err != nil {
		return nil, sqldb.Wrap("look for batches", err)
	}
	if low == nil || len(types) == 0 {
		return nil, nil
	}
	if before > 0 {
		*high = min(*high, int64(before))
	}
	where, args := oneOf("t.name", types, []any{*low, *high, from, until, limit})
	return licences(ctx, v.db.Read(), selectLicence+"WHERE l.id >= $1 AND l.id < $2 AND b.issued_at >= $3 AND b.issued_at < $4 AND "+where+
		" ORDER BY l.id DESC LIMIT $5", args...)
}

// CountIssued returns how many licences have heads that were signed from one time on and before another,
// by type.
func (v *Vault) CountIssued(ctx context.Context, from, until uint64) (map[string]int64, error) {
	out := map[string]int64{}
	err := sqldb.Select(ctx, v.db.Read(), "SELECT t.name, CAST(SUM(b.size) AS BIGINT) FROM vault_batch b JOIN vault_type t ON t.id = b.type "+
		"WHERE b.issued_at >= $1 AND b.issued_at < $2 GROUP BY t.name", []any{from, until}, func(rows *sql.Rows) error {
		var typ string
		var n int64
		if err := rows.Scan(&typ, &n); err != nil {
			return sqldb.Wrap("count licences", err)
		}
		out[typ] = n
		return nil
	})
	return out, err
}
