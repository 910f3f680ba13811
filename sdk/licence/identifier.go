package licence

import (
	"fmt"
	"strings"
)

// IdentifierRoot is the OID below which the identifiers of electronic licences live (GB/T 36904).
const IdentifierRoot = "1.2.156.3005.2"

// Identifier is the identifier of one licence (GB/T 36904):
//
//	1.2.156.3005.2.TYPE.ISSUER.SERIAL.VERSION.CHECK
//
// TYPE is the code of the licence type (the definer's unified social credit code and three digits), ISSUER the issuer's unified social credit code,
// SERIAL 1 to 64 digits and capital letters, VERSION three digits from 001, and CHECK the check character of ISO 7064 MOD 37,36 over the
// four before it. Identifiers come from NewIdentifier and ParseIdentifier and are compared with ==. There is one text of each.
type Identifier struct {
	typeCode, issuer, serial string
	version                  int
}

// Codes of the errors of identifiers, and of the one warning.
const (
	IdentifierForm       = "identifier-form"        // not five parts below IdentifierRoot
	IdentifierType       = "identifier-type"        // TYPE is not a type code
	IdentifierIssuer     = "identifier-issuer"      // ISSUER is neither a unified social credit code nor a division code
	IdentifierSerial     = "identifier-serial"      // SERIAL has other characters, or too many or none
	IdentifierVersion    = "identifier-version"     // VERSION is not from 001 to 999
	CheckCharacter       = "check-character"        // CHECK does not fit
	LegacyCheckCharacter = "legacy-check-character" // CHECK is what a known defective routine makes
	IssuerIsDivision     = "issuer-is-division"     // a warning: ISSUER is a six-digit division code
)

const maxSerial = 64

// IdentifierError says why an identifier was refused, without quoting it.
type IdentifierError struct {
	Code    string
	Message string
}

func (e *IdentifierError) Error() string { return "licence identifier: " + e.Message }

// NewIdentifier makes the identifier of version 1 to 999 of the licence with the given serial. The error is an *IdentifierError.
func NewIdentifier(typeCode, issuer, serial string, version int) (Identifier, error) {
	switch {
	case len(typeCode) != 21 || wrongUSCC(typeCode[:18]) != "" || !digits(typeCode[18:]):
		return Identifier{}, &IdentifierError{IdentifierType, "the type code must be a unified social credit code followed by three digits"}
	case !division(issuer) && wrongUSCC(issuer) != "":
		return Identifier{}, &IdentifierError{IdentifierIssuer, "the issuer must be a unified social credit code"}
	case serial == "" || len(serial) > maxSerial || !every(serial, func(_ int, c byte) bool { return identifierValue(c) >= 0 }):
		return Identifier{}, &IdentifierError{IdentifierSerial, "the serial must be 1 to 64 digits and capital letters"}
	case version < 1 || version > 999:
		return Identifier{}, &IdentifierError{IdentifierVersion, "the version must be from 1 to 999"}
	}
	return Identifier{typeCode, issuer, serial, version}, nil
}

// ParseIdentifier parses an identifier exactly: no white space, no lower case, no other form. The error is an *IdentifierError; its code is
// LegacyCheckCharacter if the check character is the one that a known defective routine makes for the identifier, which otherwise is right.
func ParseIdentifier(s string) (Identifier, error) {
	rest, ok := strings.CutPrefix(s, IdentifierRoot+".")
	parts := strings.SplitN(rest, ".", 6)
	if !ok || len(parts) != 5 || len(parts[4]) != 1 {
		return Identifier{}, &IdentifierError{IdentifierForm, "must be " + IdentifierRoot + ".TYPE.ISSUER.SERIAL.VERSION.CHECK"}
	}
	version := 0
	if v := parts[3]; len(v) == 3 && digits(v) {
		version = int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[2]-'0')
	}
	id, err := NewIdentifier(parts[0], parts[1], parts[2], version)
	if err != nil {
		return Identifier{}, err
	}
	body := rest[:len(rest)-2]
	switch parts[4][0] {
	case mod37(body):
		return id, nil
	case legacyMod37(body):
		return Identifier{}, &IdentifierError{LegacyCheckCharacter, fmt.Sprintf(
			"legacy check character: it was computed by a routine that values letters one too high; ISO 7064 MOD 37,36 asks for %c", mod37(body))}
	}
	return Identifier{}, &IdentifierError{CheckCharacter, "the check character (ISO 7064 MOD 37,36) does not fit; one of the characters was mistyped"}
}

// TypeCode, Issuer, Serial and Version return the parts of the identifier.
func (id Identifier) TypeCode() string { return id.typeCode }
func (id Identifier) Issuer() string   { return id.issuer }
func (id Identifier) Serial() string   { return id.serial }
func (id Identifier) Version() int     { return id.version }

// Warnings returns the codes of what is accepted but not as the standard has it: IssuerIsDivision, or nothing.
func (id Identifier) Warnings() []string {
	if division(id.issuer) {
		return []string{IssuerIsDivision}
	}
	return nil
}

// String returns the identifier with its check character.
func (id Identifier) String() string {
	v := id.version
	b := make([]byte, 0, 128)
	for _, part := range []string{IdentifierRoot, id.typeCode, id.issuer, id.serial} {
		b = append(append(b, part...), '.')
	}
	b = append(b, '0'+byte(v/100), '0'+byte(v/10%10), '0'+byte(v%10), '.')
	check := mod37(b[len(IdentifierRoot)+1:])
	return string(append(b, check))
}

func division(s string) bool { return len(s) == 6 && digits(s) }

// identifierValue is the value of a digit or capital letter, 0 to 35; -1 for anything else.
func identifierValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	}
	return -1
}

const identifierAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// mod37 computes the check character of ISO 7064 MOD 37,36 over the digits and capital letters of an identifier below the root, passing over the dots.
func mod37[T string | []byte](s T) byte {
	p := 36
	for i := range len(s) {
		v := identifierValue(s[i])
		if v < 0 {
			continue
		}
		if p += v; p > 36 {
			p -= 36
		}
		p = p * 2 % 37
	}
	return identifierAlphabet[(37-p)%36]
}

// legacyMod37 computes what the defective routine in circulation computes: it values letters from 11 (A) to 36 (Z), reduces a sum by 37 where a letter
// makes it greater than 37, and takes the last remainder one too low.
func legacyMod37(s string) byte {
	p := 36
	for i := range len(s) {
		v := identifierValue(s[i])
		if v < 0 {
			continue
		}
		if p += v; v > 9 {
			if p++; p > 37 {
				p -= 37
			}
		}
		if p > 36 {
			p -= 36
		}
		p = p * 2 % 37
	}
	return identifierAlphabet[36-p]
}

// SerialFromNumber derives the serial of an identifier from a licence number: its digits and ASCII letters, these in upper case, in their order
// (示(2018)示范市不动产权第0000001号 gives 20180000001). It reports false if there is no digit or more than 64 characters are left. Numbers that differ only
// in what is left out give the same serial: an issuer with such numbers must assign serials itself.
func SerialFromNumber(number string) (serial string, ok bool) {
	b := make([]byte, 0, len(number))
	for i := range len(number) {
		c := number[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if v := identifierValue(c); v >= 0 {
			b = append(b, c)
			ok = ok || v < 10
		}
	}
	return string(b), ok && len(b) <= maxSerial
}
