package vault

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A Session is that somebody has signed in at the wallet. It is named by the digest of its token, which the vault
// never sees and does not keep either: in the table it is an HMAC of it.
type Session struct {
	Person  string // id, in its canonical form
	Name    string // "" if it is not known, up to 256 bytes
	Begun   time.Time
	Proven  time.Time // when the person has proven who they are
	Seen    time.Time // about when it was used last
	Expires time.Time
}

// sessionName is what a session is kept under.
func (v *Vault) sessionName(digest sm.Hash) []byte {
	return mac(v.secrets.claims[:], []byte("session"), digest[:])
}

// BeginSession begins a session from now until a time; Begun and Seen are filled in.
func (t *Tx) BeginSession(digest sm.Hash, s *Session) error {
	person, err := t.v.person(s.Person)
	if err != nil {
		return err
	}
	if len(s.Name) > maxName || s.Expires.Unix() <= t.at {
		return errorf(CodeArgument, nil, "a session has an end that is to come, and a name of up to %d bytes", maxName)
	}
	name := t.v.sessionName(digest)
	sealed, err := t.v.sealRecord(purposeSession, name, dcbor.AppendText(dcbor.AppendText(dcbor.AppendArray(nil, 2), s.Person), s.Name))
	if err != nil {
		return err
	}
	s.Begun, s.Seen = time.Unix(t.at, 0).UTC(), time.Unix(t.at, 0).UTC()
	_, err = t.exec("begin a session", "INSERT INTO vault_session (name, person, begun, proven, seen, expires, sealed) VALUES ($1, $2, $3, $4, $3, $5, $6)",
		name, person, t.at, s.Proven.Unix(), s.Expires.Unix(), sealed)
	return err
}

// Session returns a session; nil if there is none, or it has expired.
func (v *Vault) Session(ctx context.Context, digest sm.Hash) (*Session, error) {
	name := v.sessionName(digest)
	var begun, proven, seen, expires int64
	var sealed []byte
	err := v.db.Read().QueryRowContext(ctx, "SELECT begun, proven, seen, expires, sealed FROM vault_session WHERE name = $1 AND expires > $2", name, v.seconds()).
		Scan(&begun, &proven, &seen, &expires, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, sqldb.Wrap("look for a session", err)
	}
	plain, err := v.unsealRecord(purposeSession, name, sealed)
	if err != nil {
		return nil, err
	}
	r := dcbor.NewReader(plain)
	r.ArrayOf(2)
	s := &Session{
		Person: string(r.Text(maxName)), Name: string(r.Text(maxName)),
		Begun: time.Unix(begun, 0).UTC(), Proven: time.Unix(proven, 0).UTC(), Seen: time.Unix(seen, 0).UTC(), Expires: time.Unix(expires, 0).UTC(),
	}
	if !r.OK() || len(r.Rest()) != 0 {
		return nil, damaged("a session")
	}
	return s, nil
}

// SeeSession notes that a session is used now. One that is over is no error.
func (t *Tx) SeeSession(digest sm.Hash) error {
	_, err := t.exec("note a session", "UPDATE vault_session SET seen = $1 WHERE name = $2", t.at, t.v.sessionName(digest))
	return err
}

// EndSession ends a session. One that is over is no error.
func (t *Tx) EndSession(digest sm.Hash) error {
	_, err := t.exec("end a session", "DELETE FROM vault_session WHERE name = $1", t.v.sessionName(digest))
	return err
}

// EndSessions ends all sessions of a person.
func (t *Tx) EndSessions(person string) error {
	p, err := t.v.person(person)
	if err != nil {
		return err
	}
	_, err = t.exec("end sessions", "DELETE FROM vault_session WHERE person = $1", p)
	return err
}
