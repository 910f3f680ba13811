package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// A Challenge is what a holder is to answer, once, by a proof for this audience with this nonce.
type Challenge struct {
	Nonce    []byte // NonceSize bytes, never given before
	Audience string
	Expires  time.Time // in whole seconds; then it is too late
}

// Bounds of challenges.
const (
	// NonceSize is the length of a nonce in bytes.
	NonceSize = expirySize + randomSize + macSize

	// MaxChallengeTTL is how long a challenge may hold at most.
	MaxChallengeTTL = 10 * time.Minute

	// MaxAudience is the length of an audience in bytes, as in a holder proof.
	MaxAudience = 200

	expirySize = 8
	randomSize = 16
	macSize    = 16
)

// NewChallenge makes a challenge that holds for a time, up to MaxChallengeTTL.
//
// Its nonce is the second in which it expires (8 bytes, big-endian), 16 random bytes, and the first 16
// bytes of the HMAC-SM3 over both and the audience, under a key that all replicas have. So nothing is
// written before a challenge is answered: whoever asks for challenges without end fills no table.
//
// Error: CodeArgument.
func (s *Store) NewChallenge(audience string, ttl time.Duration) (Challenge, error) {
	if audience == "" || len(audience) > MaxAudience || ttl < time.Second || ttl > MaxChallengeTTL {
		return Challenge{}, errorf(CodeArgument, nil, "a challenge has an audience of 1 to %d bytes and holds for 1s to %v", MaxAudience, MaxChallengeTTL)
	}
	expires := s.now().Add(ttl).Truncate(time.Second).UTC()
	nonce := make([]byte, expirySize+randomSize, NonceSize)
	binary.BigEndian.PutUint64(nonce, uint64(expires.Unix()))
	if _, err := rand.Read(nonce[expirySize:]); err != nil {
		return Challenge{}, errorf(CodeUnavailable, err, "draw a nonce")
	}
	return Challenge{Nonce: append(nonce, s.challengeMAC(nonce, audience)...), Audience: audience, Expires: expires}, nil
}

// challengeMAC returns the last part of a nonce. What comes before the audience has one length.
func (s *Store) challengeMAC(front []byte, audience string) []byte {
	mac := sm.HMAC(s.challengeKey, append(append(make([]byte, 0, len(front)+len(audience)), front...), audience...))
	return mac[:macSize]
}

// RedeemChallenge uses a challenge up: of all calls for it, in all replicas, one returns nil. Calls
// under load share transactions.
//
// Errors: CodeChallengeUnknown, also for one that was given to another audience; CodeChallengeExpired;
// CodeChallengeUsed; CodeUnavailable, after which the challenge may be used up or not: give the holder
// another one.
func (s *Store) RedeemChallenge(ctx context.Context, nonce []byte, audience string) error {
	if len(nonce) != NonceSize || len(audience) > MaxAudience {
		return errChallengeUnknown()
	}
	front, mac := nonce[:expirySize+randomSize], nonce[expirySize+randomSize:]
	if subtle.ConstantTimeCompare(mac, s.challengeMAC(front, audience)) != 1 {
		return errChallengeUnknown()
	}
	expires := int64(binary.BigEndian.Uint64(front))
	if s.now().Unix() >= expires {
		return errorf(CodeChallengeExpired, nil, "the challenge has expired: ask for another one, and have it answered in time")
	}
	r := &redemption{challenge: [randomSize]byte(front[expirySize:]), expires: expires, answer: make(chan error, 1)}
	s.redemptions.add(r)
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
		return s.failed("redeem a challenge", context.Cause(ctx))
	}
}

func errChallengeUnknown() error {
	return errorf(CodeChallengeUnknown, nil, "this verifier did not give this audience a challenge with this nonce: ask for one")
}

// A redemption is one call of RedeemChallenge.
type redemption struct {
	challenge [randomSize]byte
	expires   int64
	answer    chan error
}

// redeem answers redemptions, in one statement.
func (s *Store) redeem(calls []*redemption) {
	first, err := s.insertRedeemed(calls)
	for _, r := range calls {
		switch {
		case err != nil:
			r.answer <- err
		case first[r.challenge]:
			delete(first, r.challenge) // the next call for it in this group comes too late
			r.answer <- nil
		default:
			r.answer <- errorf(CodeChallengeUsed, nil, "the challenge was answered before: ask for another one")
		}
	}
}

// insertRedeemed registers challenges as answered and returns those that were not before. It goes
// through them in their order, as other replicas do, so that no two wait for each other.
func (s *Store) insertRedeemed(calls []*redemption) (map[[randomSize]byte]bool, error) {
	calls = slices.SortedFunc(slices.Values(calls), func(a, b *redemption) int {
		return bytes.Compare(a.challenge[:], b.challenge[:])
	})
	var statement strings.Builder
	statement.WriteString("INSERT INTO verifier_redeemed (challenge, expires) VALUES ")
	args := make([]any, 0, 2*len(calls))
	for i, r := range calls {
		if i > 0 {
			statement.WriteString(", ")
		}
		args = append(args, r.challenge[:], r.expires)
		statement.WriteString("($" + strconv.Itoa(len(args)-1) + ", $" + strconv.Itoa(len(args)) + ")")
	}
	statement.WriteString(" ON CONFLICT (challenge) DO NOTHING RETURNING challenge")
	first := make(map[[randomSize]byte]bool, len(calls))
	err := s.single(context.Background(), "redeem challenges", func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, statement.String(), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var challenge []byte
			if err := rows.Scan(&challenge); err != nil {
				return err
			}
			if len(challenge) != randomSize {
				return errorf(CodeDamaged, nil, "the store gives back other bytes than were written; restore a copy, or begin with an empty store")
			}
			first[[randomSize]byte(challenge)] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return first, nil
}
