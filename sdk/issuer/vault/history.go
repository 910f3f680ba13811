package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sqldb"
)

// The actions in the history.
const (
	ActionIssued       = "issued"        // of a batch: it was put into the vault
	ActionResigned     = "resigned"      // of a batch: it got another signed head
	ActionDiscarded    = "discarded"     // of a batch: it was undone before it was anchored
	ActionOpened       = "opened"        // of a licence or a batch: somebody got the contents
	ActionState        = "state"         // of a licence: its state was changed
	ActionStateLedger  = "state-ledger"  // of a licence or a batch: its state was learnt from the ledger
	ActionRestricted   = "restricted"    // of a licence: a restriction was laid on it
	ActionReleased     = "released"      // of a licence: a restriction was lifted from it
	ActionBound        = "bound"         // of a licence: a holder's key was bound to it
	ActionUnbound      = "unbound"       // of a licence: a binding was revoked
	ActionProposed     = "proposed"      // of a licence, or none
	ActionApproved     = "approved"      // likewise
	ActionRefused      = "refused"       // likewise
	ActionDone         = "done"          // likewise: what was approved is done
	ActionErased       = "erased"        // of a licence
	ActionLost         = "lost"          // of a batch: the ledger has it, and the vault had not
	ActionRecovered    = "recovered"     // of a licence: its content was brought back
	ActionLossAccepted = "loss-accepted" // of a batch
	ActionDisowned     = "disowned"      // of a lost batch: the department says that it did not sign it
	ActionRewrapped    = "rewrapped"     // of none: data keys are wrapped under another master key
	ActionKeyRetired   = "key-retired"   // of none: a master key was retired

	ActionGranted        = "granted"         // of a licence: a grant was kept
	ActionGrantWithdrawn = "grant-withdrawn" // of a licence: one of its grants was withdrawn
	ActionGrantsEnded    = "grants-ended"    // of none: an old copy was put back, and the uses of grants are not known any more
)

// An Event is one line of the history. The history is never changed, and outlives what it is about.
type Event struct {
	ID      int64
	At      time.Time
	Action  string // one of the actions above
	Licence ID     // 0: none, or all of the batch
	Batch   int64  // 0: none; beside a licence: its batch, issued with it
	By
}

// record writes a line of history for each of the licences; for none, one about the batch.
func (t *Tx) record(action string, batch int64, licences ...ID) error {
	if len(licences) == 0 {
		licences = []ID{0}
	}
	lines := make([]line, len(licences))
	for i, id := range licences {
		lines[i] = line{action, batch, id, &t.by}
	}
	return t.recordLines(lines)
}

// A line of the history as it is to be written.
type line struct {
	action  string
	batch   int64
	licence ID
	by      *By
}

func (t *Tx) recordLines(lines []line) error {
	sealed := make([][]byte, len(lines))
	for i, l := range lines {
		var err error
		if sealed[i], err = t.v.sealRecord(purposeHistory, historyName(t.at, l.action, l.licence, l.batch), appendBy(nil, l.by)); err != nil {
			return err
		}
	}
	return t.v.db.Insert(t.ctx, t.tx, "vault_history (at, action, licence, batch, sealed)", 5, len(lines), func(i int, values []any) {
		l := &lines[i]
		values[0], values[1], values[2], values[3], values[4] = t.at, l.action, int64(l.licence), l.batch, sealed[i]
	})
}

// historyName is what the sealed part of a line is bound to.
func historyName(at int64, action string, licence ID, batch int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(at))
	b = binary.BigEndian.AppendUint64(b, uint64(licence))
	b = binary.BigEndian.AppendUint64(b, uint64(batch))
	return append(b, action...)
}

const selectEvents = "SELECT id, at, action, licence, batch, sealed FROM vault_history "

// History returns what was done with a licence, oldest first: what is about the licence itself, and what is
// about its whole batch. CodeUnknown if there is no such licence.
func (v *Vault) History(ctx context.Context, id ID) ([]Event, error) {
	l, err := v.Licence(ctx, id)
	if err != nil {
		return nil, err
	}
	return v.events(ctx, selectEvents+"WHERE licence = $1 OR (batch = $2 AND licence = 0) ORDER BY id", int64(id), l.Batch)
}

// Events returns up to limit lines of the history that come after one, oldest first; 0: from the beginning.
func (v *Vault) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	return v.events(ctx, selectEvents+"WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
}

func (v *Vault) events(ctx context.Context, query string, args ...any) ([]Event, error) {
	var out []Event
	err := sqldb.Select(ctx, v.db.Read(), query, args, func(rows *sql.Rows) error {
		var e Event
		var at int64
		var sealed []byte
		if err := rows.Scan(&e.ID, &at, &e.Action, &e.Licence, &e.Batch, &sealed); err != nil {
			return sqldb.Wrap("read the history", err)
		}
		plain, err := v.unsealRecord(purposeHistory, historyName(at, e.Action, e.Licence, e.Batch), sealed)
		if err != nil {
			return err
		}
		r := dcbor.NewReader(plain)
		if e.By = readBy(&r); !r.OK() || len(r.Rest()) != 0 {
			return damaged("a line of the history")
		}
		e.At = time.Unix(at, 0).UTC()
		out = append(out, e)
		return nil
	})
	return out, err
}

// appendBy appends who, and for what.
func appendBy(b []byte, by *By) []byte {
	return dcbor.AppendText(dcbor.AppendText(dcbor.AppendArray(b, 2), by.Actor), by.Purpose)
}

// readBy reads what appendBy has written.
func readBy(r *dcbor.Reader) By {
	r.ArrayOf(2)
	return By{Actor: string(r.Text(maxActor)), Purpose: string(r.Text(maxPurpose))}
}
