package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Session is a clerk who is signed in.
type Session struct {
	Agency  string
	Clerk   string
	Expires time.Time // in whole seconds
}

// Bounds of sessions.
const (
	// MaxSessionTTL is how long a session may hold at most.
	MaxSessionTTL = 12 * time.Hour

	// MaxSessions is how many sessions a clerk has at a time: one more ends the one that would expire first.
	MaxSessions = 8
)

// NewSession signs a clerk in, who has proved to be one, for a time of up to MaxSessionTTL. The store
// has no copy of the token that it returns.
//
// Errors: CodeArgument, CodeUnavailable.
func (s *Store) NewSession(ctx context.Context, agency, clerk string, ttl time.Duration) (text string, expires time.Time, err error) {
	if agency == "" || clerk == "" || ttl < time.Second || ttl > MaxSessionTTL {
		return "", time.Time{}, errorf(CodeArgument, nil, "a session has an agency and a clerk and holds for 1s to %v", MaxSessionTTL)
	}
	t, err := newToken()
	if err != nil {
		return "", time.Time{}, err
	}
	id := t.id()
	expires = s.now().Add(ttl).Truncate(time.Second).UTC()
	err = s.inTransaction(ctx, "sign a clerk in", func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM verifier_session WHERE agency = $1 AND clerk = $2 AND id NOT IN "+
			"(SELECT id FROM verifier_session WHERE agency = $1 AND clerk = $2 ORDER BY expires DESC LIMIT $3)",
			agency, clerk, MaxSessions-1)
		if err == nil {
			_, err = tx.Exec("INSERT INTO verifier_session (id, agency, clerk, expires) VALUES ($1, $2, $3, $4)",
				id[:], agency, clerk, expires.Unix())
		}
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return t.String(), expires, nil
}

// Session returns the session of a token. Whether the clerk may still sign in is for the caller to
// know. Errors: CodeSessionUnknown, CodeSessionExpired, CodeUnavailable.
func (s *Store) Session(ctx context.Context, text string) (Session, error) {
	t, ok := parseToken(text)
	if !ok {
		return Session{}, errSessionUnknown()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id, session, expires := t.id(), Session{}, int64(0)
	err := s.db.Read().QueryRowContext(ctx, "SELECT agency, clerk, expires FROM verifier_session WHERE id = $1", id[:]).
		Scan(&session.Agency, &session.Clerk, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Session{}, errSessionUnknown()
	case err != nil:
		return Session{}, s.failed("look for a session", err)
	case s.now().Unix() >= expires:
		return Session{}, errorf(CodeSessionExpired, nil, "the session has ended: sign in again")
	}
	session.Expires = time.Unix(expires, 0).UTC()
	return session, nil
}

// EndSession signs out, in all replicas. A token that nobody is signed in with is no error. Error:
// CodeUnavailable.
func (s *Store) EndSession(ctx context.Context, text string) error {
	t, ok := parseToken(text)
	if !ok {
		return nil
	}
	id := t.id()
	_, err := s.exec(ctx, "sign a clerk out", "DELETE FROM verifier_session WHERE id = $1", id[:])
	return err
}

func errSessionUnknown() error {
	return errorf(CodeSessionUnknown, nil, "nobody is signed in with this token: sign in")
}
