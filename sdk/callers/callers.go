// Package callers has what services need to know who calls: bearer tokens and client certificates,
// networks, rates, passwords, and signing in.
//
//	token := callers.NewToken()                  // for the caller, once; its TokenDigest goes on file
//	var found callers.Secrets[*Agency]
//	err := found.Add([]sm.Hash{digest}, nil, a)
//	a, ok := found.Find(callers.Credentials{Token: token})
//
// A token is 256 random bits, so it cannot be guessed, and how long it takes to look one up tells
// nothing, because the place looked at depends on a key that the process drew. What a wrong password
// costs is the same whether there is such a name or not.
//
// Who the callers are and what they may do is for the packages that have their files: verifier/agency
// and sdk/issuer/staff. This package keeps no token and no password, reads no file, has no clock, and
// no error of it holds a secret.
package callers

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/sm"
)

// MaxList is the greatest number of tokens, of certificates and of networks of one caller.
const MaxList = 1000

// MaxLine is the greatest number of characters of a name, a unit, and the like.
const MaxLine = 64

// Line reports whether s is a text of one line, of 1 to limit characters, without white space at its
// ends and without characters that are not seen.
func Line(s string, limit int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// CheckPerson returns what is wrong with the name or the unit of a person who signs in, nil if nothing is.
func CheckPerson(name, unit string) error {
	if !Line(name, MaxLine) || !Line(unit, MaxLine) {
		return fmt.Errorf("name and unit must be texts of one line, of at most %d characters, without white space at the ends", MaxLine)
	}
	return nil
}

// ParseDigests parses SM3 digests of tokens or certificates, 64 lower-case hexadecimal digits each.
// Errors begin with the name of the list.
func ParseDigests(list string, texts []string) ([]sm.Hash, error) {
	if len(texts) > MaxList {
		return nil, fmt.Errorf("%s: must be at most %d", list, MaxList)
	}
	out := make([]sm.Hash, len(texts))
	for i, text := range texts {
		var err error
		if out[i], err = sm.ParseHash(text); err != nil {
			return nil, fmt.Errorf("%s: number %d must be an SM3 digest, 64 lower-case hexadecimal digits in quotes", list, i+1)
		}
	}
	return out, nil
}

// Networks are where calls come from; none: anywhere.
type Networks []netip.Prefix

// ParseNetworks parses addresses and networks (10.20.0.0/16, 2001:db8::/32).
func ParseNetworks(texts []string) (Networks, error) {
	if len(texts) > MaxList {
		return nil, fmt.Errorf("addresses: must be at most %d", MaxList)
	}
	out := make(Networks, len(texts))
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if address, e := netip.ParseAddr(text); e == nil && address.Zone() == "" {
			p, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("addresses: %q must be an address or a network, as in 10.20.0.0/16", text)
		}
		out[i] = p
	}
	return out, nil
}

// Allow reports whether a call may come from an address.
func (n Networks) Allow(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return len(n) == 0 || slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(address) })
}

// Credentials are what a caller shows.
type Credentials struct {
	Token       string     // of the header Authorization: Bearer; "" if there is none
	Certificate []byte     // the client's certificate, in DER, whose key the connection has proven; nil if there is none
	Address     netip.Addr // that the call comes from
}

// Secrets finds callers by what they show. The zero value is empty. It can be used from several
// goroutines once nothing is added any more.
type Secrets[T any] struct {
	key           [32]byte // random; see place
	byToken       map[sm.Hash]T
	byCertificate map[sm.Hash]T
}

// Add adds the digests of a caller's tokens and certificates. The error says which kind is there twice.
func (s *Secrets[T]) Add(tokens, certificates []sm.Hash, caller T) error {
	if s.byToken == nil {
		s.key, s.byToken, s.byCertificate = randomKey(), map[sm.Hash]T{}, map[sm.Hash]T{}
	}
	for _, digest := range tokens {
		place := s.place(digest)
		if _, there := s.byToken[place]; there {
			return errors.New("a token is there twice; each has tokens of its own")
		}
		s.byToken[place] = caller
	}
	for _, digest := range certificates {
		if _, there := s.byCertificate[digest]; there {
			return errors.New("a certificate is there twice; each has certificates of its own")
		}
		s.byCertificate[digest] = caller
	}
	return nil
}

// Find returns who has the token or, if none is shown, the certificate.
func (s *Secrets[T]) Find(c Credentials) (caller T, ok bool) {
	switch {
	case len(c.Token) > maxToken:
	case c.Token != "":
		caller, ok = s.byToken[s.place(TokenDigest(c.Token))]
	case c.Certificate != nil:
		caller, ok = s.byCertificate[sm.Sum(c.Certificate)]
	}
	return caller, ok
}

// place is where a token is looked up. It depends on a key that nobody knows, so that the time it
// takes to find out that there is none tells nothing about the tokens that there are.
func (s *Secrets[T]) place(digest sm.Hash) sm.Hash {
	var b [64]byte
	copy(b[:], s.key[:])
	copy(b[32:], digest[:])
	return sm.Sum(b[:])
}
