package store

import (
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/credledger/credledger/sdk/sm"
)

// tokenSize is the length of a token in bytes: nobody guesses 160 random bits.
const tokenSize = 20

// TokenLetters is the number of letters of a token, A to Z and 2 to 7 (RFC 4648, section 6); a token
// is read in either case.
const TokenLetters = 32

type token [tokenSize]byte

func newToken() (t token, err error) {
	if _, err = rand.Read(t[:]); err != nil {
		return t, errorf(CodeUnavailable, err, "draw a token")
	}
	return t, nil
}

func (t *token) String() string { return base32.StdEncoding.EncodeToString(t[:]) }

// parseToken reads a token. Another text is not one, and so nothing that the store knows.
func parseToken(text string) (t token, ok bool) {
	if len(text) != TokenLetters {
		return t, false
	}
	b, err := base32.StdEncoding.DecodeString(strings.ToUpper(text))
	if err != nil || len(b) != tokenSize {
		return t, false
	}
	return token(b), true
}

// id is what the store keeps of a token. Tokens are looked up by it, so the time that this takes says
// nothing about tokens.
func (t *token) id() sm.Hash { return sm.Sum(t[:]) }

// key is what a presentation is sealed with. A token seals once, so the nonce can be zero.
func (t *token) key() []byte {
	mac := sm.HMAC(t[:], []byte("credledger reference"))
	return mac[:sm.SealKeySize]
}
