// Package vault keeps what an issuing department has issued: each licence with its content, state and
// history, the signed batches on their way to the ledger, the grants of holders and what was released under
// them, and what an issuing service must not forget (jobs, idempotency keys, proposals, messages to be sent).
//
//	keys, err := masterkey.Open("master.keys")
//	v, err := vault.Open(ctx, "vault.db", keys, time.Now)
//	report, err := v.CatchUp(ctx, ledger)
//	sealed, err := v.Seal(ctx, "marriage", deposits)
//	err = v.Write(ctx, vault.By{Actor: "wangfang", Purpose: "counter 3"}, func(tx *vault.Tx) error {
//		free, err := tx.Free(sealed) ...
//		batch, err := tx.AddBatch(vault.NewBatch{Head: signed}, sealed)
//	})
//
// It is a SQLite file or a PostgreSQL database; package sqldb says which SQL both have in common, and the
// migrations directory has the tables.
//
// # What is sealed
//
// Each licence has a data key of 128 random bits, which seals its content by SM4-GCM, and which is wrapped
// under a master key that never is in the database (KeyWrapper). Everything sealed is bound to the ledger,
// the department, its purpose and its own name (for a licence its digest), so that rows cannot be put in each
// other's place. Licence numbers and holders' ids are looked up by HMAC-SM3. The names of those who did
// something, and for what, and what jobs, proposals and messages say, are sealed too, under keys that are
// derived from a secret of the vault, wrapped like a data key.
//
// To erase a licence is to overwrite its wrapped key and to delete what that sealed. Digest, place in the
// batch and the HMAC of the number stay: the anchor remains valid for who holds the credential, and
// the number is not issued twice.
//
// # What it sees to
//
// Everything is done in transactions (Write), which are durable when they return. A batch is in the vault
// before the ledger can know it, and AddBatch refuses to add any until CatchUp has compared the vault with
// the ledger: a copy that was put back, and does not know what was issued since, learns the states from
// the ledger and says which batches it has lost; their type is not issued until their contents are
// brought back or the loss is accepted.
//
// The package does not know what a content looks like, signs nothing, submits nothing, sends nothing, never
// logs, and no error of it holds a value of a licence.
package vault

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Identity says whose vault it is, and for which ledger.
type Identity struct {
	Ledger     sm.Hash // id
	Department string  // id
}

// A Vault is safe for concurrent use, and several processes may have it open.
type Vault struct {
	db       *sqldb.DB
	keys     KeyWrapper
	now      func() time.Time
	identity Identity
	secrets  secrets

	mu      sync.Mutex
	checked bool // the vault was compared with the ledger
	next    ID   // the greatest that was seen: it never goes back
}

// options of the database. The index over licence numbers and holders is written at random places: with
// a long log a page is copied once for many of them.
var options = sqldb.Options{Zero: true, CachePages: 8192, LogPages: 16384}

// tables is what the names of all tables begin with.
const tables = "vault"

// Names in the table vault_meta.
const (
	metaLedger     = "ledger"
	metaDepartment = "department"
	metaSecret     = "secret"
	metaSeen       = "seen"
)

// Create makes the vault of a department for a ledger, and opens it. The address is that of package sqldb:
// a SQLite file is made and must not exist; in a PostgreSQL database there must not be a vault.
// A vault is never made by the way: one that was lost must be noticed.
//
// Errors: CodeExists, CodeKeys, and those of package sqldb.
func Create(ctx context.Context, address string, id Identity, keys KeyWrapper, now func() time.Time) (*Vault, error) {
	if id.Department == "" || len(id.Department) > maxDepartment {
		return nil, errorf(CodeArgument, nil, "a vault is one department's: its id has 1 to %d letters", maxDepartment)
	}
	o := options
	o.Create = true
	db, err := sqldb.Open(ctx, address, o)
	if sqldb.Code(err) == sqldb.CodeExists {
		return nil, errorf(CodeExists, nil, "%s exists already", address)
	} else if err != nil {
		return nil, err
	}
	v := &Vault{db: db, keys: keys, now: now, identity: id}
	if err := v.begin(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return v, nil
}

// begin makes the tables, and writes whose vault it is.
func (v *Vault) begin(ctx context.Context) error {
	secret := make([]byte, dataKeySize)
	if _, err := rand.Read(secret); err != nil {
		return errorf(CodeUnavailable, err, "draw the vault's secret")
	}
	wrapped, err := v.wrap(ctx, [][]byte{v.identity.aad(purposeSecret, nil)}, [][]byte{secret})
	if err != nil {
		return err
	}
	if err := v.migrate(ctx); err != nil {
		return err
	}
	v.secrets = derive(secret)
	return v.db.Write(ctx, func(tx *sql.Tx) error {
		for _, m := range []struct {
			name  string
			value []byte
		}{
			{metaLedger, v.identity.Ledger[:]}, {metaDepartment, []byte(v.identity.Department)}, {metaSecret, wrapped[0]},
		} {
			_, err := tx.ExecContext(ctx, "INSERT INTO vault_meta (name, value) VALUES ($1, $2)", m.name, m.value)
			if err = sqldb.Wrap("make the vault", err); sqldb.Code(err) == sqldb.CodeUnique {
				return errorf(CodeExists, nil, "there is a vault in this database")
			} else if err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *Vault) migrate(ctx context.Context) error {
	steps, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return errorf(CodeUnavailable, err, "read the migrations")
	}
	_, err = v.db.Migrate(ctx, tables, steps, v.now())
	return err
}

// Open opens a vault that Create made, and brings its tables up to date.
//
// Errors: CodeMissing, CodeKeys (the master keys are others than those of the vault), CodeDamaged, and those
// of package sqldb.
func Open(ctx context.Context, address string, keys KeyWrapper, now func() time.Time) (*Vault, error) {
	db, err := sqldb.Open(ctx, address, options)
	if sqldb.Code(err) == sqldb.CodeMissing {
		return nil, errorf(CodeMissing, nil, "there is no vault %s; if it was lost, restore a copy and let it catch up with the ledger", address)
	} else if err != nil {
		return nil, err
	}
	v := &Vault{db: db, keys: keys, now: now}
	if err := v.load(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return v, nil
}

// load reads whose vault it is, before it changes anything: it may be another database.
func (v *Vault) load(ctx context.Context) error {
	made, err := v.db.Migrated(ctx, tables)
	if err != nil {
		return err
	}
	if !made {
		return errorf(CodeMissing, nil, "there is no vault in this database")
	}
	if err := v.migrate(ctx); err != nil {
		return err
	}
	meta := map[string][]byte{}
	err = sqldb.Select(ctx, v.db.Read(), "SELECT name, value FROM vault_meta", nil, func(rows *sql.Rows) error {
		var name string
		var value []byte
		if err := rows.Scan(&name, &value); err != nil {
			return sqldb.Wrap("open the vault", err)
		}
		meta[name] = value
		return nil
	})
	if err != nil {
		return err
	}
	if len(meta[metaLedger]) != sm.HashSize || len(meta[metaDepartment]) == 0 || len(meta[metaSecret]) == 0 {
		return errorf(CodeDamaged, nil, "the vault does not hold what it begins with: if making it was interrupted, remove it and make it again; else restore a copy")
	}
	v.identity = Identity{Ledger: sm.Hash(meta[metaLedger]), Department: string(meta[metaDepartment])}
	secret, err := v.unwrap(ctx, [][]byte{v.identity.aad(purposeSecret, nil)}, [][]byte{meta[metaSecret]})
	if err != nil {
		return err
	}
	v.secrets = derive(secret[0])
	return nil
}

// Identity returns whose vault it is.
func (v *Vault) Identity() Identity { return v.identity }

// Ping reports whether the database answers.
func (v *Vault) Ping(ctx context.Context) error { return v.db.Ping(ctx) }

// Close closes the vault. What is under way may fail.
func (v *Vault) Close() error { return v.db.Close() }

// seconds returns the present time as the tables have it.
func (v *Vault) seconds() int64 { return v.now().Unix() }
