package agency

import (
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/credledger/credledger/sdk/sm"
)

// tokenPrefix lets people and scanners of leaked secrets tell what a token is.
const tokenPrefix = "credledger_"

// maxToken bounds what is taken for a token, in bytes.
const maxToken = 128

// NewToken returns a new bearer token: tokenPrefix and 32 random bytes in base64url (RFC 4648,
// section 5). Only its TokenDigest is kept.
func NewToken() string {
	var secret [32]byte
	rand.Read(secret[:])
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

// TokenDigest returns what a directory has of a token: SM3 of the whole text.
func TokenDigest(token string) sm.Hash { return sm.Sum([]byte(token)) }

// Bounds of a password.
const (
	MinPassword = 12 // characters
	MaxPassword = 72 // bytes: bcrypt takes no more
)

// Costs of bcrypt, in powers of two.
const (
	passwordCost = 12
	minCost      = 10
	maxCost      = 14
)

// HashPassword returns what a directory has of a clerk's password: its bcrypt hash. The error says
// how the password is too short or too long.
func HashPassword(password string) (string, error) {
	switch {
	case !utf8.ValidString(password) || strings.ContainsAny(password, "\x00\r\n"):
		return "", fmt.Errorf("a password is text of one line, in UTF-8")
	case utf8.RuneCountInString(password) < MinPassword:
		return "", fmt.Errorf("a password has at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return "", fmt.Errorf("a password has at most %d bytes", MaxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	return string(hash), err
}

// costOf returns the cost of a hash, and refuses what bcrypt did not make.
func costOf(hash []byte) (int, error) {
	cost, err := bcrypt.Cost(hash)
	if err != nil || len(hash) != 60 || cost < minCost || cost > maxCost {
		return 0, fmt.Errorf("the password of a clerk is not a bcrypt hash as `credledger agency clerk` prints it")
	}
	return cost, nil
}

// Template returns a directory without agencies, with comments that say how one is written.
func Template() []byte { return template }

//go:embed agencies.yaml
var template []byte
