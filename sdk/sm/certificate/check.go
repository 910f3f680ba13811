package certificate

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/credledger/credledger/sdk/sm"
)

// Check checks the whole chain at a time: that the first key is for signing and no authority's; that
// every other certificate is of an authority that may issue; that each is signed with the key of the
// next, and the last is one of the roots or signed with the key of one; that all are valid then; and the
// constraints of RFC 5280, section 6.1, on length, names and policies. Errors are an [Error] with
// [CodeUsage], [CodeDates], [CodeUntrusted] or [CodeUnsupported].
func (c *Chain) Check(roots *Roots, at time.Time) error {
	own := c.certificates[0]
	const signing = smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment
	switch {
	case own.IsCA || own.KeyUsage&smx509.KeyUsageCertSign != 0:
		return &Error{Code: CodeUsage, Text: "the first certificate is one of an authority; a department's key issues no certificates"}
	case own.KeyUsage&signing == 0:
		return &Error{Code: CodeUsage, Text: "the first certificate does not say that its key is for signing (key usage digitalSignature or nonRepudiation)"}
	}
	pool := smx509.NewCertPool()
	for i, above := range c.certificates[1:] {
		if !above.issues() {
			return &Error{Code: CodeUsage, Text: fmt.Sprintf("certificate %d of the chain is not one of an authority that may issue certificates", i+2)}
		}
		pool.AddCert(above.Certificate)
	}
	for i, one := range c.certificates {
		if !one.validAt(at) {
			return &Error{Code: CodeDates, Text: fmt.Sprintf("certificate %d of the chain is valid from %s to %s", i+1,
				one.NotBefore.UTC().Format(time.RFC3339), one.NotAfter.UTC().Format(time.RFC3339))}
		}
		if i > 0 && !c.certificates[i-1].signedBy(one) {
			return &Error{Code: CodeUntrusted, Text: fmt.Sprintf("certificate %d of the chain is not signed with the key of the next", i)}
		}
	}
	if err := roots.vouch(c.certificates[len(c.certificates)-1], at); err != nil {
		return err
	}
	_, err := own.Verify(smx509.VerifyOptions{
		Roots: roots.pool, Intermediates: pool, CurrentTime: at,
		KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny},
	})
	return constrained(err)
}

// vouch checks that the last certificate of a chain is one of the roots, or signed with the key of one.
func (r *Roots) vouch(last *certificate, at time.Time) error {
	dates := false
	for _, root := range r.certificates {
		switch {
		case !bytes.Equal(root.Raw, last.Raw) && !last.signedBy(root):
		case !root.validAt(at):
			dates = true
		default:
			return nil
		}
	}
	if dates {
		return &Error{Code: CodeDates, Text: "the trusted authority's own certificate is not valid at this time"}
	}
	return &Error{Code: CodeUntrusted, Text: "the chain does not end at an authority that is trusted; a chain without one in the middle cannot be followed"}
}

// constrained says what the engine has against a chain whose signatures and dates are good.
func constrained(err error) error {
	var unknown smx509.UnhandledCriticalExtension
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return &Error{Code: CodeUnsupported, Text: "a certificate of the chain has a critical extension that is not known here"}
	}
	return &Error{Code: CodeUsage, Text: "a certificate of the chain breaks what an authority above it allows (length of the chain, names, policies)"}
}

// issues reports whether a certificate is of an authority and does not say that it issues none.
func (c *certificate) issues() bool {
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&smx509.KeyUsageCertSign != 0)
}

func (c *certificate) validAt(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

// signedBy reports whether the issuer's key signed a certificate, by the judgement of both libraries.
func (c *certificate) signedBy(issuer *certificate) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
		issuer.key.Verify(c.RawTBSCertificate, c.signature) &&
		issuer.key.VerifySecondOpinion(c.RawTBSCertificate, c.signature)
}

// Key returns the certified key.
func (c *Chain) Key() *sm.PublicKey { return c.certificates[0].key }

// NotAfter returns when the certificate of the key ends.
func (c *Chain) NotAfter() time.Time { return c.certificates[0].NotAfter }

// Fingerprint returns SM3 of the DER encoding of the certificate of the key.
func (c *Chain) Fingerprint() sm.Hash { return sm.Sum(c.certificates[0].Raw) }

// Subject returns whose key it is, in the form of RFC 4514: to be shown to people, never compared.
func (c *Chain) Subject() string { return c.certificates[0].Subject.String() }

// Issuer returns the authority that issued the certificate of the key, in the form of RFC 4514.
func (c *Chain) Issuer() string { return c.certificates[0].Issuer.String() }
