package certificate

import (
	encasn1 "encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Where authorities write the code of an organisation.
var (
	subjectCodes = []encasn1.ObjectIdentifier{
		{2, 5, 4, 97}, // organizationIdentifier (X.520)
		{2, 5, 4, 5},  // serialNumber
		{2, 5, 4, 11}, // organizationalUnitName
	}
	extensionCodes = []encasn1.ObjectIdentifier{
		{1, 2, 156, 10260, 4, 1, 4}, // organizationCode (GM/T 0015-2012)
		{1, 2, 156, 10260, 4, 4},    // unified social credit code (GM/T 0015-2023)
	}
)

// codeLength is that of a unified social credit code (GB 32100), in characters.
const codeLength = 18

// Codes returns what may be unified social credit codes of the subject: every run of exactly 18 digits
// and ASCII capitals in organizationIdentifier, serialNumber and organizationalUnitName of its name, and
// in the extensions of GM/T 0015 that hold the code of an organisation. Other runs of that length, such
// as serial numbers, are among them: the caller looks at the check character. Each is there once.
func (c *Chain) Codes() []string {
	own := c.certificates[0]
	var codes []string
	for _, name := range own.Subject.Names {
		if text, ok := name.Value.(string); ok && slices.ContainsFunc(subjectCodes, name.Type.Equal) {
			codes = append(codes, runs(text)...)
		}
	}
	for _, e := range own.Extensions {
		if slices.ContainsFunc(extensionCodes, e.Id.Equal) {
			codes = append(codes, runs(extensionText(e.Value))...)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// extensionText is the text of an extension: a string of ASN.1, as the standard has it, or bare, as some
// authorities write it.
func extensionText(value []byte) string {
	for _, tag := range []asn1.Tag{asn1.PrintableString, asn1.UTF8String, asn1.IA5String} {
		input := cryptobyte.String(value)
		var text cryptobyte.String
		if input.ReadASN1(&text, tag) && input.Empty() {
			return string(text)
		}
	}
	return string(value)
}

// runs returns the runs of digits and capitals in a text that are as long as a code.
func runs(text string) []string {
	var found []string
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) }) {
		if len(run) == codeLength {
			found = append(found, run)
		}
	}
	return found
}
