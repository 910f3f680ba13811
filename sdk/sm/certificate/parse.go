package certificate

import (
	"bytes"
	"encoding/pem"
	"fmt"

	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of what is read.
const (
	MaxChain = 8         // certificates in a chain
	MaxRoots = 64        // certificates that are trusted
	MaxFile  = 256 << 10 // bytes of a file
)

// A Chain is the certificate of a key, and of the authorities above it, as they were read: nothing is
// checked but their form until [Chain.Check]. It is immutable and safe for concurrent use.
type Chain struct {
	certificates []*certificate // the key's own first
}

// Roots are the authorities that a caller trusts. It is immutable and safe for concurrent use.
type Roots struct {
	certificates []*certificate
	pool         *smx509.CertPool
}

// A certificate is one of them, with its key and signature in the forms of package sm.
type certificate struct {
	*smx509.Certificate
	key       *sm.PublicKey
	signature []byte // r || s
}

// ParseChain reads a file of 1 to [MaxChain] certificates, PEM, each but the last followed by that of its
// issuer. Errors are an [Error] with [CodeMalformed] or [CodeUnsupported].
func ParseChain(text []byte) (*Chain, error) {
	all, err := parseFile(text, MaxChain)
	if err != nil {
		return nil, err
	}
	for i := range all[1:] {
		if !bytes.Equal(all[i].RawIssuer, all[i+1].RawSubject) {
			return nil, &Error{Code: CodeMalformed, Text: fmt.Sprintf("certificate %d of the file is not the issuer of the one before; "+
				"the certificate of the key comes first, then the one of each issuer in turn", i+2)}
		}
	}
	return &Chain{all}, nil
}

// ParseRoots reads a file of 1 to [MaxRoots] certificates of authorities, PEM, in any order. They need not
// be self-signed: whatever the file holds is trusted. Errors are an [Error] with [CodeMalformed],
// [CodeUnsupported], or [CodeUsage] where one is no authority's.
func ParseRoots(text []byte) (*Roots, error) {
	all, err := parseFile(text, MaxRoots)
	if err != nil {
		return nil, err
	}
	r := &Roots{all, smx509.NewCertPool()}
	for i, c := range all {
		if !c.issues() {
			return nil, &Error{Code: CodeUsage, Text: fmt.Sprintf("certificate %d of the file is not one of an authority", i+1)}
		}
		r.pool.AddCert(c.Certificate)
	}
	return r, nil
}

var (
	pemBegin = []byte("-----BEGIN CERTIFICATE-----")
	pemEnd   = []byte("-----END CERTIFICATE-----")
)

// parseFile reads PEM blocks "CERTIFICATE", and nothing else but white space between them.
func parseFile(text []byte, most int) ([]*certificate, error) {
	malformed := &Error{Code: CodeMalformed, Text: fmt.Sprintf(`want PEM blocks "CERTIFICATE", 1 to %d, and nothing else`, most)}
	if len(text) > MaxFile {
		return nil, malformed
	}
	var all []*certificate
	for text = bytes.TrimSpace(text); len(text) > 0; text = bytes.TrimSpace(text) {
		end := bytes.Index(text, pemEnd)
		if end < 0 || !bytes.HasPrefix(text, pemBegin) || len(all) == most {
			return nil, malformed
		}
		end += len(pemEnd)
		block, rest := pem.Decode(text[:end])
		if block == nil || len(rest) > 0 || len(block.Headers) > 0 || bytes.Count(text[:end], pemBegin) != 1 {
			return nil, malformed
		}
		text = text[end:]
		c, err := parse(block.Bytes)
		if err != nil {
			err.Text = fmt.Sprintf("certificate %d of the file %s", len(all)+1, err.Text)
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, malformed
	}
	return all, nil
}

// parse reads one certificate, DER. What the engine has against it is not passed on: it repeats what
// the certificate says.
func parse(der []byte) (*certificate, *Error) {
	c, err := smx509.ParseCertificate(der)
	if err != nil || !wellShaped(der) {
		return nil, &Error{Code: CodeMalformed, Text: "is not the DER encoding of a certificate (RFC 5280)"}
	}
	if c.Version != 3 {
		return nil, &Error{Code: CodeUnsupported, Text: "is not of version 3"}
	}
	if c.SignatureAlgorithm != smx509.SM2WithSM3 {
		return nil, &Error{Code: CodeUnsupported, Text: "is not signed with SM2 and SM3 (1.2.156.10197.1.501)"}
	}
	key, err := sm.ParsePublicKey(c.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, &Error{Code: CodeUnsupported, Text: "is not of an SM2 key", Err: err}
	}
	signature, err := sm.SignatureFromDER(c.Signature)
	if err != nil {
		return nil, &Error{Code: CodeMalformed, Text: "has a signature that is none", Err: err}
	}
	return &certificate{c, key, signature}, nil
}

// wellShaped reports whether a certificate that the engine has read ends where it should: the engine
// overlooks what follows the extensions, the signature algorithm and the signature.
func wellShaped(der []byte) bool {
	input := cryptobyte.String(der)
	var certificate, tbs cryptobyte.String
	var signature []byte
	if !input.ReadASN1(&certificate, asn1.SEQUENCE) || !input.Empty() ||
		!certificate.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!certificate.SkipASN1(asn1.SEQUENCE) ||
		!certificate.ReadASN1BitStringAsBytes(&signature) || !certificate.Empty() {
		return false
	}
	for _, tag := range []asn1.Tag{
		asn1.Tag(0).ContextSpecific().Constructed(), // version
		asn1.INTEGER, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE, asn1.SEQUENCE,
		asn1.Tag(1).ContextSpecific(), asn1.Tag(2).ContextSpecific(), // unique identifiers
		asn1.Tag(3).ContextSpecific().Constructed(), // extensions
	} {
		if !tbs.SkipOptionalASN1(tag) {
			return false
		}
	}
	return tbs.Empty()
}
