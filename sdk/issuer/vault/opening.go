package vault

import (
	"context"
	"database/sql"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// An Opening is what a salted commitment on the ledger says, for those who are entitled to know.
type Opening struct {
	Key         string // that the code is committed under: of a reason, a restriction, a release; 1 to 40 bytes
	Salt        credential.Salt
	Code        string // 1 to 200 bytes
	Digest      sm.Hash
	Restriction [16]byte // its id; zero: none
	Settled     bool     // it is known that the ledger holds the commitment
	By          By       // who kept it, who therefore has done what the ledger holds
}

// maxCode is the greatest length of a code in bytes.
const maxCode = 200

// Commitment returns what stands on the ledger.
func (o *Opening) Commitment() sm.Hash {
	return credential.Commit(&o.Salt, o.Key, licence.TextValue(o.Code))
}

// KeepOpening keeps what opens a commitment, before the ledger gets that. Settled and By are not looked at.
func (t *Tx) KeepOpening(o *Opening) error {
	if o.Key == "" || len(o.Key) > maxKind || o.Code == "" || len(o.Code) > maxCode {
		return errorf(CodeArgument, nil, "an opening has a key of 1 to %d bytes and a code of 1 to %d", maxKind, maxCode)
	}
	commitment := o.Commitment()
	plain := dcbor.AppendText(dcbor.AppendArray(nil, 5), o.Key)
	plain = dcbor.AppendText(dcbor.AppendBytes(plain, o.Salt[:]), o.Code)
	plain = appendBy(dcbor.AppendBytes(plain, o.Restriction[:]), &t.by)
	sealed, err := t.v.sealRecord(purposeOpening, commitment[:], plain)
	if err != nil {
		return err
	}
	_, err = t.exec("keep an opening", "INSERT INTO vault_opening (commitment, digest, sealed, settled, made_at) VALUES ($1, $2, $3, $4, $5)",
		commitment[:], o.Digest[:], sealed, false, t.at)
	return err
}

// SettleOpening notes that the ledger holds a commitment. One that the vault does not open is no error.
func (t *Tx) SettleOpening(commitment sm.Hash) error {
	_, err := t.exec("settle an opening", "UPDATE vault_opening SET settled = $1 WHERE commitment = $2", true, commitment[:])
	return err
}

// settleOpening notes that the ledger holds a commitment. It reports whether that was known, and who kept its opening; nil if
// the vault has none.
func (t *Tx) settleOpening(commitment sm.Hash) (known bool, by *By, err error) {
	o, err := t.v.opening(t.ctx, t.tx, commitment)
	switch {
	case Code(err) == CodeUnknown:
		return false, nil, nil
	case err != nil:
		return false, nil, err
	case o.Settled:
		return true, &o.By, nil
	}
	return false, &o.By, t.SettleOpening(commitment)
}

// Opening returns what a commitment says. Error: CodeUnknown.
func (v *Vault) Opening(ctx context.Context, commitment sm.Hash) (*Opening, error) {
	return v.opening(ctx, v.db.Read(), commitment)
}

func (v *Vault) opening(ctx context.Context, q sqldb.Querier, commitment sm.Hash) (*Opening, error) {
	found, err := v.openings(ctx, q, "WHERE commitment = $1", commitment[:])
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "the vault has nothing that opens this commitment")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Openings returns what the commitments about a licence say that were kept under a key, oldest first.
func (v *Vault) Openings(ctx context.Context, digest sm.Hash, key string) ([]*Opening, error) {
	found, err := v.openings(ctx, v.db.Read(), "WHERE digest = $1 ORDER BY made_at, commitment", digest[:])
	return slices.DeleteFunc(found, func(o *Opening) bool { return o.Key != key }), err
}

func (v *Vault) openings(ctx context.Context, q sqldb.Querier, where string, arg any) ([]*Opening, error) {
	var out []*Opening
	err := sqldb.Select(ctx, q, "SELECT commitment, digest, sealed, settled FROM vault_opening "+where, []any{arg}, func(rows *sql.Rows) error {
		o := new(Opening)
		var commitment, digest, sealed []byte
		if err := rows.Scan(&commitment, &digest, &sealed, &o.Settled); err != nil {
			return sqldb.Wrap("read an opening", err)
		}
		plain, err := v.unsealRecord(purposeOpening, commitment, sealed)
		if err != nil {
			return err
		}
		r := dcbor.NewReader(plain)
		r.ArrayOf(5)
		o.Key = string(r.Text(maxKind))
		r.Fixed(o.Salt[:])
		o.Code = string(r.Text(maxCode))
		r.Fixed(o.Restriction[:])
		o.By = readBy(&r)
		if !r.OK() || len(r.Rest()) != 0 || len(digest) != sm.HashSize {
			return damaged("an opening")
		}
		o.Digest = sm.Hash(digest)
		out = append(out, o)
		return nil
	})
	return out, err
}
