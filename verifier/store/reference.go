package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of references.
const (
	// MaxReferenceTTL is how long a reference may hold at most.
	MaxReferenceTTL = time.Minute

	// MaxReferenceBytes bounds the presentations that wait to be taken, in bytes, at once and in all
	// replicas. A flood of them fills the store no further.
	MaxReferenceBytes = 256 << 20

	// referenceMemory is for how long a reference that has ended is told from one that never was.
	referenceMemory = time.Minute

	recount = time.Second // how old a replica's count of the bytes in the store may be
)

const purgeReferences = "DELETE FROM verifier_reference WHERE id IN (SELECT id FROM verifier_reference WHERE expires <= $1 LIMIT $2)"

// PutReference keeps a presentation for whoever comes with the token that it returns, once, within a
// time of up to MaxReferenceTTL. The store has no copy that can be read without the token.
//
// Errors: CodeArgument, CodeReferencesFull, CodeUnavailable.
func (s *Store) PutReference(ctx context.Context, presentation []byte, ttl time.Duration) (text string, expires time.Time, err error) {
	if len(presentation) == 0 || len(presentation) > credential.MaxSize || ttl < time.Second || ttl > MaxReferenceTTL {
		return "", time.Time{}, errorf(CodeArgument, nil, "a reference is to a presentation of 1 to %d bytes and holds for 1s to %v", credential.MaxSize, MaxReferenceTTL)
	}
	t, err := newToken()
	if err != nil {
		return "", time.Time{}, err
	}
	id := t.id()
	sealed, err := sm.Seal(t.key(), make([]byte, sm.SealNonceSize), presentation, id[:])
	if err != nil {
		return "", time.Time{}, errorf(CodeArgument, err, "seal a presentation")
	}
	if err := s.makeRoom(ctx, int64(len(sealed))); err != nil {
		return "", time.Time{}, err
	}
	expires = s.now().Add(ttl).Truncate(time.Second).UTC()
	_, err = s.exec(ctx, "keep a presentation",
		"INSERT INTO verifier_reference (id, sealed, size, expires, taken) VALUES ($1, $2, $3, $4, FALSE)",
		id[:], sealed, len(sealed), expires.Unix())
	if err != nil {
		return "", time.Time{}, err
	}
	return t.String(), expires, nil
}

// TakeReference returns the presentation behind a token: to one of all calls for it, in all replicas.
// The store then forgets the presentation.
//
// Errors: CodeReferenceUnknown, CodeReferenceUsed, CodeReferenceExpired; CodeUnavailable, after which
// the token may be used up or not.
func (s *Store) TakeReference(ctx context.Context, text string) ([]byte, error) {
	t, ok := parseToken(text)
	if !ok {
		return nil, errReferenceUnknown()
	}
	id := t.id()
	var sealed []byte
	err := s.inTransaction(ctx, "take a presentation", func(tx *sql.Tx) error {
		err := tx.QueryRow("UPDATE verifier_reference SET taken = TRUE WHERE id = $1 AND NOT taken AND expires > $2 RETURNING sealed",
			id[:], s.now().Unix()).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return whyNot(tx, id)
		} else if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE verifier_reference SET sealed = $1, size = 0 WHERE id = $2", []byte{}, id[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	presentation, err := sm.Open(t.key(), make([]byte, sm.SealNonceSize), sealed, id[:])
	if err != nil {
		return nil, errorf(CodeDamaged, nil, "what the store keeps for this token is damaged: have the code shown again")
	}
	return presentation, nil
}

// whyNot says why a reference cannot be taken.
func whyNot(tx *sql.Tx, id sm.Hash) error {
	var taken bool
	err := tx.QueryRow("SELECT taken FROM verifier_reference WHERE id = $1", id[:]).Scan(&taken)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errReferenceUnknown()
	case err != nil:
		return err
	case taken:
		return errorf(CodeReferenceUsed, nil, "the code was used before, and holds once: have it shown again")
	}
	return errorf(CodeReferenceExpired, nil, "the code has expired: have it shown again")
}

func errReferenceUnknown() error {
	return errorf(CodeReferenceUnknown, nil, "this verifier knows no such code, or no longer: have it shown again")
}

// room is how many bytes the presentations in the store have, as one replica knows it: what it
// counted, and what it has put there since.
type room struct {
	mu      sync.Mutex
	bytes   int64
	counted time.Time
}

// makeRoom accounts for bytes that are about to be kept.
func (s *Store) makeRoom(ctx context.Context, size int64) error {
	r := &s.references
	r.mu.Lock()
	defer r.mu.Unlock()
	full := r.bytes+size > MaxReferenceBytes
	if age := s.now().Sub(r.counted); age < 0 || age >= recount {
		if full {
			if err := s.purge(ctx, purgeReferences, s.now().Unix()); err != nil {
				return err
			}
		}
		if err := s.countReferences(ctx); err != nil {
			return err
		}
		r.counted = s.now()
		full = r.bytes+size > MaxReferenceBytes
	}
	if full {
		return errorf(CodeReferencesFull, nil, "too many presentations wait to be looked at: try again in a minute, or show the self-contained code")
	}
	r.bytes += size
	return nil
}

func (s *Store) countReferences(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.db.Read().QueryRowContext(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM verifier_reference").Scan(&s.references.bytes)
	if err != nil {
		return s.failed("count the presentations in the store", err)
	}
	return nil
}
