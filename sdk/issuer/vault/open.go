package vault

import (
	"context"
	"database/sql"

	"github.com/credledger/credledger/sdk/sqldb"
)

// maxOpened is how many licences can be opened at a time: the contents are all held in memory.
const maxOpened = 4096

// OpenLicences returns the contents of licences, in their order. That it was done, by whom and for what, stands
// in the history of each of them before anything is returned.
//
// Errors: CodeUnknown, CodeErased, CodeNoContent, CodeKeys, CodeDamaged.
func (v *Vault) OpenLicences(ctx context.Context, by By, ids ...ID) ([][]byte, error) {
	if len(ids) == 0 || len(ids) > maxOpened {
		return nil, errorf(CodeArgument, nil, "1 to %d licences can be opened at a time", maxOpened)
	}
	if err := v.Write(ctx, by, func(t *Tx) error { return t.recordOpening(ids) }); err != nil {
		return nil, err
	}
	return v.contents(ctx, ids)
}

// recordOpening records that licences are opened, all of which must be in the vault.
func (t *Tx) recordOpening(ids []ID) error {
	known := make(map[ID]bool, len(ids))
	err := t.v.db.SelectIn(t.ctx, t.tx, "SELECT id FROM vault_licence WHERE id IN (?)", idArgs(ids), func(rows *sql.Rows) error {
		var id ID
		err := rows.Scan(&id)
		known[id] = true
		return sqldb.Wrap("read the licences", err)
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !known[id] {
			return errorf(CodeUnknown, nil, "there is no licence %d in the vault", id)
		}
	}
	return t.record(ActionOpened, 0, ids...)
}

func idArgs(ids []ID) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = int64(id)
	}
	return args
}

// OpenBatch returns the contents of all licences of a batch, in the order of the tree. It stands in the
// history once, for the batch. Errors: those of OpenLicences.
func (v *Vault) OpenBatch(ctx context.Context, by By, batch int64) ([][]byte, error) {
	b, err := v.Batch(ctx, batch)
	if err != nil {
		return nil, err
	}
	if err := v.Write(ctx, by, func(t *Tx) error { return t.record(ActionOpened, batch) }); err != nil {
		return nil, err
	}
	ids := make([]ID, b.Size)
	for i := range ids {
		ids[i] = b.First + ID(i)
	}
	return v.contents(ctx, ids)
}

// contents reads and unseals the contents of licences.
func (v *Vault) contents(ctx context.Context, ids []ID) ([][]byte, error) {
	keys, digests, err := v.dataKeys(ctx, ids)
	if err != nil {
		return nil, err
	}
	sealed := make(map[ID][]byte, len(ids))
	err = v.db.SelectIn(ctx, v.db.Read(), "SELECT licence, sealed FROM vault_content WHERE licence IN (?)", idArgs(ids), func(rows *sql.Rows) error {
		var id ID
		var s []byte
		err := rows.Scan(&id, &s)
		sealed[id] = s
		return sqldb.Wrap("read the contents of licences", err)
	})
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(ids))
	for i, id := range ids {
		if out[i], err = unseal(keys[i], sealed[id], v.identity.aad(purposeContent, digests[i]), "the content of a licence"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// dataKeys returns the data keys and the digests of licences.
func (v *Vault) dataKeys(ctx context.Context, ids []ID) (keys, digests [][]byte, err error) {
	type row struct{ digest, wrapped []byte }
	found := make(map[ID]row, len(ids))
	err = v.db.SelectIn(ctx, v.db.Read(), "SELECT l.id, SUBSTR(b.digests, CAST((l.id - b.first) * 32 + 1 AS INTEGER), 32), k.wrapped "+
		"FROM vault_licence l JOIN vault_batch b ON b.id = l.batch LEFT JOIN vault_key k ON k.licence = l.id WHERE l.id IN (?)", idArgs(ids), func(rows *sql.Rows) error {
		var id ID
		var r row
		err := rows.Scan(&id, &r.digest, &r.wrapped)
		found[id] = r
		return sqldb.Wrap("read the keys of licences", err)
	})
	if err != nil {
		return nil, nil, err
	}
	aads, wrapped := make([][]byte, len(ids)), make([][]byte, len(ids))
	digests = make([][]byte, len(ids))
	for i, id := range ids {
		r, ok := found[id]
		switch {
		case !ok:
			return nil, nil, errorf(CodeUnknown, nil, "there is no licence %d in the vault", id)
		case len(r.wrapped) == 0:
			return nil, nil, errorf(CodeNoContent, nil, "what licence %d says was lost; its content can be brought back from a credential", id)
		case erased(r.wrapped):
			return nil, nil, errorf(CodeErased, nil, "licence %d was erased", id)
		}
		aads[i], wrapped[i], digests[i] = v.identity.aad(purposeDataKey, r.digest), r.wrapped, r.digest
	}
	keys, err = v.unwrap(ctx, aads, wrapped)
	return keys, digests, err
}
