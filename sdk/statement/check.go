package statement

import (
	"bytes"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/sm"
)

// maxSeconds bounds every time and count, so that sums of them never overflow: the year 36812.
const maxSeconds = 1 << 40

// A problem is what is wrong with one value; empty if nothing.
type problem string

// check returns the first problem as an error.
func check(body Body, problems ...problem) error {
	if p := first(problems); p != "" {
		return errorf(CodeInvalid, "%s statement: %s", body.Kind(), string(p))
	}
	return nil
}

func first(problems []problem) problem {
	for _, p := range problems {
		if p != "" {
			return p
		}
	}
	return ""
}

func that(name string, ok bool, must string) problem {
	if ok {
		return ""
	}
	return problem("the " + name + " " + must)
}

// id checks a name of 1 to 32 characters of a-z, 0-9 and -.
func id(name, s string) problem {
	ok := 1 <= len(s) && len(s) <= 32
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	}
	return that(name, ok, "must have 1 to 32 characters of a-z, 0-9 and -")
}

func digits(name, s string, n int) problem {
	ok := len(s) == n
	for i := 0; ok && i < len(s); i++ {
		ok = '0' <= s[i] && s[i] <= '9'
	}
	return that(name, ok, "must be digits of the right number")
}

func uscc(s string) problem {
	ok := len(s) == 18
	for i := 0; ok && i < len(s); i++ {
		ok = '0' <= s[i] && s[i] <= '9' || 'A' <= s[i] && s[i] <= 'Z'
	}
	return that("unified social credit code", ok, "must have 18 digits and capital letters")
}

// text checks a length in bytes of UTF-8, and that there are no control characters (Unicode Cc).
func text(name, s string, min, max int) problem {
	ok := min <= len(s) && len(s) <= max && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
	return that(name, ok, "is too short, too long or has control characters")
}

func oneOf(name, s string, values ...string) problem {
	for _, v := range values {
		if s == v {
			return ""
		}
	}
	return problem("the " + name + " is not one of those known")
}

func seconds(name string, n uint64) problem {
	return that(name, n < maxSeconds, "is out of range")
}

// sequence bounds a number that counts from 1, so that the next one exists.
func sequence(n uint64) problem {
	return that("sequence", 1 <= n && n < maxSeconds, "must be at least 1, and in range")
}

// version bounds the version of a type's dictionary.
func version(name string, v uint32) problem {
	return that(name, 1 <= v && v <= math.MaxInt32, "must be 1 to 2147483647")
}

// day bounds a date to the years 1000 to 9999.
func day(name string, d int32) problem {
	return that(name, -354285 <= d && d <= 2932896, "must lie in the years 1000 to 9999")
}

func purposes(p Purposes) problem {
	return that("purposes", p != 0 && p&^purposesAll == 0, "must be at least one, and only known ones")
}

func publicKey(xy []byte) problem {
	_, err := sm.NewPublicKey(xy)
	return that("public key", err == nil, "must be a point of sm2p256v1, x || y")
}

func ascending(s []string) bool {
	for i := 1; i < len(s); i++ {
		if s[i-1] >= s[i] {
			return false
		}
	}
	return true
}

func ascendingHashes(h []sm.Hash) bool {
	for i := 1; i < len(h); i++ {
		if bytes.Compare(h[i-1][:], h[i][:]) >= 0 {
			return false
		}
	}
	return true
}

func distinct(units []Unit) bool {
	seen := make(map[string]bool, len(units))
	for _, u := range units {
		if seen[u.ID] {
			return false
		}
		seen[u.ID] = true
	}
	return true
}
