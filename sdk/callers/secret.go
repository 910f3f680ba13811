package callers

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
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
	secret := randomKey()
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

// TokenDigest returns what is on file of a token: SM3 of the whole text.
func TokenDigest(token string) sm.Hash { return sm.Sum([]byte(token)) }

func randomKey() (key [32]byte) {
	rand.Read(key[:])
	return key
}

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

// HashPassword returns what is on file of a password: its bcrypt hash. The error says how the password
// is too short or too long.
func HashPassword(password string) (string, error) {
	switch {
	case !utf8.ValidString(password) || strings.ContainsAny(password, "\x00\r\n"):
		return "", errors.New("a password is text of one line, in UTF-8")
	case utf8.RuneCountInString(password) < MinPassword:
		return "", fmt.Errorf("a password has at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return "", fmt.Errorf("a password has at most %d bytes", MaxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	return string(hash), err
}

// A Password is the bcrypt hash of one.
type Password []byte

// cost returns what it costs to try a password, and refuses what HashPassword did not make.
func (p Password) cost() (int, error) {
	cost, err := bcrypt.Cost(p)
	if err != nil || len(p) != 60 || cost < minCost || cost > maxCost {
		return 0, errors.New("the password is not a bcrypt hash as credledger prints it")
	}
	return cost, nil
}

// A Cost is what it costs to try a password of one file. All must cost the same, or how long a wrong one
// takes would tell whether there is such a name. The zero value is that of a file without passwords.
type Cost int

// Add takes one more password into account. The error says what is wrong with it.
func (c *Cost) Add(p Password) error {
	cost, err := p.cost()
	if err != nil {
		return err
	}
	if *c != 0 && *c != Cost(cost) {
		return errors.New("the passwords differ in cost; make all of them anew")
	}
	*c = Cost(cost)
	return nil
}

// decoy returns a hash that is nobody's password: it takes as long to compare with.
func (c Cost) decoy() Password {
	if c == 0 {
		c = passwordCost
	}
	return fmt.Appendf(nil, "$2a$%02d$%s", c, strings.Repeat(".", 53))
}
