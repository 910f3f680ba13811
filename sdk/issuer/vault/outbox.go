package vault

import (
	"context"
	"database/sql"
	"time"

	"github.com/credledger/credledger/sdk/sqldb"
)

// A Message is to be sent to a subscriber, until that has it.
type Message struct {
	ID         int64 // never given twice: a subscriber tells by it what it has
	Subscriber string
	Created    time.Time
	Attempts   int // that were begun, with this one
	Body       []byte
}

// maxSubscriber is the greatest length of a subscriber's name in bytes.
const maxSubscriber = 200

// Enqueue keeps a message (up to MaxContent bytes) that is to be sent, in the transaction that it tells of.
func (t *Tx) Enqueue(subscriber string, body []byte) error {
	if subscriber == "" || len(subscriber) > maxSubscriber || len(body) > MaxContent {
		return errorf(CodeArgument, nil, "a message has a subscriber of 1 to %d bytes and up to %d bytes", maxSubscriber, MaxContent)
	}
	sealed, err := t.v.sealRecord(purposeMessage, []byte(subscriber), body)
	if err != nil {
		return err
	}
	_, err = t.exec("keep a message", "INSERT INTO vault_outbox (subscriber, created_at, due, attempts, sealed) VALUES ($1, $2, $2, 0, $3)", subscriber, t.at, sealed)
	return err
}

// Due returns the subscribers that have messages to be sent now, by name.
func (v *Vault) Due(ctx context.Context) (out []string, err error) {
	err = sqldb.Select(ctx, v.db.Read(), "SELECT DISTINCT subscriber FROM vault_outbox WHERE due <= $1 ORDER BY subscriber", []any{v.seconds()}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		out = append(out, name)
		return sqldb.Wrap("look for messages", err)
	})
	return out, err
}

// TakeDue returns up to limit messages that are to be sent to a subscriber now, those first that have waited
// longest. For the time of the lease, of at least a second, nobody else gets them; who does not say by then that a
// message was sent, or is to be tried again, leaves it to be taken once more.
func (v *Vault) TakeDue(ctx context.Context, subscriber string, lease time.Duration, limit int) ([]Message, error) {
	if lease < time.Second {
		return nil, errorf(CodeArgument, nil, "a message is leased for a second at least")
	}
	var out []Message
	err := v.Write(ctx, By{Actor: "vault", Purpose: "send messages"}, func(t *Tx) error {
		if err := t.takeTurn(); err != nil {
			return err
		}
		out = nil
		err := sqldb.Select(ctx, t.tx, "SELECT id, subscriber, created_at, attempts, sealed FROM vault_outbox WHERE subscriber = $1 AND due <= $2 ORDER BY due, id LIMIT $3",
			[]any{subscriber, t.at, limit}, func(rows *sql.Rows) error {
				var m Message
				var created int64
				var sealed []byte
				if err := rows.Scan(&m.ID, &m.Subscriber, &created, &m.Attempts, &sealed); err != nil {
					return sqldb.Wrap("read a message", err)
				}
				var err error
				m.Created = time.Unix(created, 0).UTC()
				m.Attempts++
				m.Body, err = v.unsealRecord(purposeMessage, []byte(m.Subscriber), sealed)
				out = append(out, m)
				return err
			})
		if err != nil {
			return err
		}
		for i := range out {
			if _, err := t.exec("lease a message", "UPDATE vault_outbox SET due = $1, attempts = $2 WHERE id = $3",
				t.at+int64(lease/time.Second), out[i].Attempts, out[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Sent deletes messages that their subscribers have, or that are given up.
func (t *Tx) Sent(ids ...int64) error {
	for _, id := range ids {
		if _, err := t.exec("delete a message", "DELETE FROM vault_outbox WHERE id = $1", id); err != nil {
			return err
		}
	}
	return nil
}

// Retry has a message sent again, not before a time.
func (t *Tx) Retry(id int64, at time.Time) error {
	_, err := t.exec("put a message off", "UPDATE vault_outbox SET due = $1 WHERE id = $2", at.Unix(), id)
	return err
}

// PutOff has no message sent to a subscriber before a time.
func (t *Tx) PutOff(subscriber string, until time.Time) error {
	_, err := t.exec("put messages off", "UPDATE vault_outbox SET due = $1 WHERE subscriber = $2 AND due < $1", until.Unix(), subscriber)
	return err
}

// Queued returns how many messages wait to be sent; those that were given up do not.
func (v *Vault) Queued(ctx context.Context) (n int64, err error) {
	if err := v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM vault_outbox WHERE due < $1", int64(never)).Scan(&n); err != nil {
		return 0, sqldb.Wrap("count the messages", err)
	}
	return n, nil
}
