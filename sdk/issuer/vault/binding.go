package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/sqldb"
)

// A Binding is a signed statement that the holder of a key is a holder of a licence, as the vault keeps
// it. A licence can have several.
type Binding struct {
	ID        int64
	Licence   ID
	NotBefore time.Time
	NotAfter  time.Time
	RevokedAt *time.Time // nil: it was not revoked
	Statement []byte     // the signed statement
}

// maxBindingStatement is the greatest length of a signed binding in bytes.
const maxBindingStatement = 4096

// Keep prepares a binding to be put into the vault: its statement is sealed under the data key of the
// licence, which takes the master key. Errors: CodeUnknown, CodeErased, CodeNoContent, CodeKeys.
func (v *Vault) Keep(ctx context.Context, b Binding) (*KeptBinding, error) {
	if len(b.Statement) == 0 || len(b.Statement) > maxBindingStatement || b.NotAfter.Before(b.NotBefore) {
		return nil, errorf(CodeArgument, nil, "a binding has a statement of 1 to %d bytes and does not end before it begins", maxBindingStatement)
	}
	keys, _, err := v.dataKeys(ctx, []ID{b.Licence})
	if err != nil {
		return nil, err
	}
	k := &KeptBinding{licence: b.Licence, notBefore: b.NotBefore.Unix(), notAfter: b.NotAfter.Unix()}
	k.sealed, err = seal(keys[0], b.Statement, v.identity.aad(purposeBinding, bindingName(b.Licence, k.notBefore, k.notAfter)))
	return k, err
}

// A KeptBinding is one that can be put into the vault.
type KeptBinding struct {
	licence             ID
	notBefore, notAfter int64
	sealed              []byte
}

func bindingName(id ID, notBefore, notAfter int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(id))
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(notBefore)), uint64(notAfter))
}

// AddBinding puts a binding into the vault and returns its id. Error: CodeErased if the licence was erased
// meanwhile.
func (t *Tx) AddBinding(b *KeptBinding) (int64, error) {
	if err := t.takeTurn(); err != nil {
		return 0, err
	}
	l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE l.id = $1", int64(b.licence))
	if err != nil {
		return 0, err
	}
	if l.ErasedAt != nil {
		return 0, errorf(CodeErased, nil, "licence %d was erased", b.licence)
	}
	id, err := t.insertID("keep a binding", "INSERT INTO vault_binding (licence, not_before, not_after, sealed) VALUES ($1, $2, $3, $4) RETURNING id",
		int64(b.licence), b.notBefore, b.notAfter, b.sealed)
	if err != nil {
		return 0, err
	}
	return id, t.record(ActionBound, 0, b.licence)
}

// RevokeBinding notes that a binding holds no longer. One that was revoked before stays as it was.
// Error: CodeUnknown.
func (t *Tx) RevokeBinding(id int64) error {
	licence, err := boundLicence(t.ctx, t.tx, id)
	if err != nil {
		return err
	}
	n, err := t.exec("revoke a binding", "UPDATE vault_binding SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", t.at, id)
	if err != nil || n == 0 {
		return err
	}
	return t.record(ActionUnbound, 0, licence)
}

// BoundLicence returns of which licence a binding is. Error: CodeUnknown.
func (v *Vault) BoundLicence(ctx context.Context, binding int64) (ID, error) {
	return boundLicence(ctx, v.db.Read(), binding)
}

func boundLicence(ctx context.Context, q sqldb.Querier, binding int64) (id ID, err error) {
	err = q.QueryRowContext(ctx, "SELECT licence FROM vault_binding WHERE id = $1", binding).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errorf(CodeUnknown, nil, "there is no binding %d in the vault", binding)
	}
	return id, sqldb.Wrap("read a binding", err)
}

// Bindings returns the bindings of a licence, oldest first. Errors: CodeUnknown, CodeErased, CodeKeys.
func (v *Vault) Bindings(ctx context.Context, id ID) ([]Binding, error) {
	keys, _, err := v.dataKeys(ctx, []ID{id})
	if err != nil {
		return nil, err
	}
	var out []Binding
	err = sqldb.Select(ctx, v.db.Read(), "SELECT id, not_before, not_after, revoked_at, sealed FROM vault_binding WHERE licence = $1 ORDER BY id",
		[]any{int64(id)}, func(rows *sql.Rows) error {
			b := Binding{Licence: id}
			var notBefore, notAfter int64
			var revokedAt *int64
			var sealed []byte
			if err := rows.Scan(&b.ID, &notBefore, &notAfter, &revokedAt, &sealed); err != nil {
				return sqldb.Wrap("read a binding", err)
			}
			b.NotBefore, b.NotAfter = time.Unix(notBefore, 0).UTC(), time.Unix(notAfter, 0).UTC()
			if revokedAt != nil {
				at := time.Unix(*revokedAt, 0).UTC()
				b.RevokedAt = &at
			}
			var err error
			b.Statement, err = unseal(keys[0], sealed, v.identity.aad(purposeBinding, bindingName(id, notBefore, notAfter)), "a binding")
			out = append(out, b)
			return err
		})
	return out, err
}
