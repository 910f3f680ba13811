package vault

import (
	"context"
	"database/sql"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Erase erases licences for good: the wrapped data key of each is overwritten, and what it says, what
// it is found by, its bindings, the openings of commitments about it, proposals and objections about it, who was identified for its
// grants, and what was released of it are deleted. What stays is the digest with its place, the state, the HMAC of
// the number, the history, and the statements about its release. A licence that was erased before, or lost, is no
// error.
//
// What is deleted can stay in free pages, logs and copies: see Scrub.
//
// Errors: CodeUnknown; CodeNotAnchored for a licence whose batch is still on its way to the ledger.
func (t *Tx) Erase(ids ...ID) error {
	if err := t.takeTurn(); err != nil {
		return err
	}
	for _, id := range ids {
		l, err := oneLicence(t.ctx, t.tx, selectLicence+"WHERE l.id = $1", int64(id))
		if err != nil {
			return err
		}
		if l.BatchState == Pending {
			return errorf(CodeNotAnchored, nil, "licence %d is on its way to the ledger, and cannot be erased before it is there", id)
		}
		if l.ErasedAt != nil {
			continue
		}
		if err := t.erase(l); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) erase(l *Licence) error {
	id := int64(l.ID)
	var wrapped []byte
	err := sqldb.Select(t.ctx, t.tx, "SELECT wrapped FROM vault_key WHERE licence = $1", []any{id}, func(rows *sql.Rows) error {
		return sqldb.Wrap("read a key", rows.Scan(&wrapped))
	})
	if err != nil {
		return err
	}
	for _, s := range []struct {
		statement string
		args      []any
	}{
		{"UPDATE vault_key SET wrapped = $1 WHERE licence = $2", []any{make([]byte, len(wrapped)), id}},
		{"DELETE FROM vault_content WHERE licence = $1", []any{id}},
		{"DELETE FROM vault_holder WHERE licence = $1", []any{id}},
		{"DELETE FROM vault_binding WHERE licence = $1", []any{id}},
		{"DELETE FROM vault_opening WHERE digest = $1", []any{l.Digest[:]}},
		{"DELETE FROM vault_proposal WHERE licence = $1", []any{id}},
		{"DELETE FROM vault_objection WHERE licence = $1", []any{id}},
		{"DELETE FROM vault_identification WHERE licence = $1", []any{id}},
		{"UPDATE vault_answer SET envelope = NULL, kept_until = NULL WHERE licence = $1", []any{id}},
		{"UPDATE vault_licence SET erased_at = $1, ends = NULL WHERE id = $2", []any{t.at, id}},
	} {
		if _, err := t.exec("erase a licence", s.statement, s.args...); err != nil {
			return err
		}
	}
	return t.record(ActionErased, 0, l.ID)
}

// sweepChunk is how many licences a sweep erases in one transaction, so that nobody waits long.
const sweepChunk = 200

// Sweep erases what was kept long enough: licences that ended (were revoked or superseded, from whatever day on, or
// whose last day of validity was) more than the given number of days before today, for each type that has such
// a period; a licence without end is kept, and so is every licence of another type. Then it scrubs.
//
// It returns how many it has erased, also with an error; done again, it goes on.
func (v *Vault) Sweep(ctx context.Context, by By, retention map[string]int, today licence.Date) (erased int64, err error) {
	for typ, days := range retention {
		if days < 0 {
			return erased, errorf(CodeArgument, nil, "the type %s is kept for a number of days, from 0", typ)
		}
		for {
			ids, err := v.ended(ctx, typ, today-licence.Date(days), sweepChunk)
			if err != nil {
				return erased, err
			}
			if len(ids) == 0 {
				break
			}
			if err := v.Write(ctx, by, func(t *Tx) error { return t.Erase(ids...) }); err != nil {
				return erased, err
			}
			erased += int64(len(ids))
		}
	}
	if erased == 0 {
		return 0, nil
	}
	return erased, v.Scrub(ctx)
}

// ended returns licences of a type that ended before a day and can be erased.
func (v *Vault) ended(ctx context.Context, typ string, before licence.Date, limit int) (ids []ID, err error) {
	err = sqldb.Select(ctx, v.db.Read(), "SELECT l.id FROM vault_licence l JOIN vault_batch b ON b.id = l.batch "+
		"WHERE l.type = (SELECT id FROM vault_type WHERE name = $1) AND l.ends < $2 AND b.state <> 'pending' ORDER BY l.ends, l.id LIMIT $3",
		[]any{typ, int64(before), limit}, func(rows *sql.Rows) error {
			var id ID
			err := rows.Scan(&id)
			ids = append(ids, id)
			return sqldb.Wrap("look for what is to be erased", err)
		})
	return ids, err
}

// scrubTime is how long Scrub waits for those who read.
const scrubTime = time.Minute

// Scrub removes what was overwritten or deleted from the database's own files.
//
// In SQLite everything deleted is overwritten with zeros at once, and an overwritten key stays in its
// place, but the log beside the file still has the pages of before: Scrub copies the log into the file
// and empties it. In PostgreSQL an overwritten row stays in the table's file until it is vacuumed, and its
// bytes until the page is used again: Scrub rewrites the table of the keys (VACUUM FULL), which nobody can
// use for the seconds that this takes. The write-ahead log of PostgreSQL, its archives, and all backups hold
// the keys as they were, wrapped: they end with the master key, see RetireMasterKey.
func (v *Vault) Scrub(ctx context.Context) error {
	if !v.db.SQLite() {
		return v.db.Exec(ctx, "VACUUM FULL vault_key")
	}
	ctx, cancel := context.WithTimeout(ctx, scrubTime)
	defer cancel()
	return v.db.EmptyLog(ctx)
}
