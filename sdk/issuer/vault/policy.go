package vault

import (
	"context"
	"database/sql"

	"github.com/credledger/credledger/sdk/sqldb"
)

// A Policy is one version of what the authority has published about the release of licences.
type Policy struct {
	Version uint32
	Signed  []byte // the signed statement
}

// maxPolicy is the greatest length of a signed policy in bytes.
const maxPolicy = 512 << 10

// AddPolicy keeps a version of the policy. Error: CodeArgument; sqldb.CodeUnique if the version is there.
func (t *Tx) AddPolicy(p Policy) error {
	if p.Version == 0 || len(p.Signed) == 0 || len(p.Signed) > maxPolicy {
		return errorf(CodeArgument, nil, "a policy has a version from 1, and a statement of 1 to %d bytes", maxPolicy)
	}
	_, err := t.exec("keep a policy", "INSERT INTO vault_policy (version, signed) VALUES ($1, $2)", int64(p.Version), p.Signed)
	return err
}

// Policies returns the versions of the policy that are greater than one, the smallest first; 0: all.
func (v *Vault) Policies(ctx context.Context, after uint32) ([]Policy, error) {
	var out []Policy
	err := sqldb.Select(ctx, v.db.Read(), "SELECT version, signed FROM vault_policy WHERE version > $1 ORDER BY version", []any{int64(after)}, func(rows *sql.Rows) error {
		var p Policy
		err := rows.Scan(&p.Version, &p.Signed)
		out = append(out, p)
		return sqldb.Wrap("read a policy", err)
	})
	return out, err
}
