package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/certificate"
	"github.com/credledger/credledger/sdk/statement"
)

// A certification is what keys are checked with before the ledger hears of them: certificates, and the
// authorities to trust.
type certification struct {
	files []string // chains
	roots string
}

func (o *certification) flags(c *call, several bool) {
	const usage = "certificates of the key, a PEM `FILE`: its own first, then those above it"
	if several {
		c.flags.StringArrayVar(&o.files, "certificate", nil, usage+"; once for each department that is new")
	} else {
		c.flags.Func("certificate", usage, func(file string) error {
			o.files = []string{file}
			return nil
		})
	}
	c.flags.StringVar(&o.roots, "ca", "", "certification authorities to trust, a PEM `FILE`")
}

// read reads the certificates, as far as there are any, and checks each chain at a time.
func (o *certification) read(now time.Time) ([]*certificate.Chain, error) {
	if (len(o.files) == 0) != (o.roots == "") {
		return nil, usagef("--certificate and --ca are given together")
	}
	if len(o.files) == 0 {
		return nil, nil
	}
	text, err := readBounded(o.roots, certificate.MaxFile)
	if err != nil {
		return nil, err
	}
	roots, err := certificate.ParseRoots(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.roots, err)
	}
	chains := make([]*certificate.Chain, len(o.files))
	for i, file := range o.files {
		if text, err = readBounded(file, certificate.MaxFile); err != nil {
			return nil, err
		}
		if chains[i], err = certificate.ParseChain(text); err == nil {
			err = chains[i].Check(roots, now)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return chains, nil
}

// one is read for commands of one key; nil if there is no certificate.
func (o *certification) one(now time.Time) (*certificate.Chain, error) {
	chains, err := o.read(now)
	if err != nil || len(chains) == 0 {
		return nil, err
	}
	return chains[0], nil
}

// certifiedHelp is what the help of keys generate and keys rotate says of certificates.
const certifiedHelp = "With --certificate no key is made: the new key is the certified one, which is in the home already, as\n" +
	"keys/ID/NAME.pem. It is enrolled if an authority in ROOTS vouches for it now, and if the certificate names\n" +
	"no other unified social credit code than the department's."

// enrolNext enrols the certified key that is in the home or, without a certificate, makes a key with the
// name and enrols that.
func (h *home) enrolNext(ctx context.Context, o *keyOptions, name string, purposes statement.Purposes, voucher sm.Signer) (string, *sm.PrivateKey, *certificate.Chain, error) {
	chain, err := o.certification.one(h.now())
	if err != nil {
		return "", nil, nil, err
	}
	if chain == nil {
		key, err := h.enrolNew(ctx, o.department, name, purposes, voucher)
		return name, key, nil, err
	}
	name, key, err := h.certifiedKey(o, chain)
	if err != nil {
		return "", nil, nil, err
	}
	d, err := h.department(ctx, o.department)
	if err == nil {
		err = checkCertified(chain, &d.Department, key.Public())
	}
	if err != nil {
		return "", nil, nil, err
	}
	l, err := h.as(ctx, o.department)
	if err == nil {
		err = govern.Enrol(ctx, l, h.id, o.department, purposes, h.now(), key, voucher)
	}
	return name, key, chain, err
}

// certifiedKey finds the certified key among those of the department in the home: the one that was
// named, if one was.
func (h *home) certifiedKey(o *keyOptions, chain *certificate.Chain) (string, *sm.PrivateKey, error) {
	names, keys, err := h.keys(o.department)
	if err != nil {
		return "", nil, err
	}
	for i, key := range keys {
		if chain.Key().Equal(key.Public()) && (o.name == "" || o.name == names[i]) {
			return names[i], key, nil
		}
	}
	what := "no key of " + o.department
	if o.name != "" {
		what = "as " + o.name + " of " + o.department + " not the key"
	}
	return "", nil, failf("certificate-other-key", "the home has %s that the certificate is of, %s", what, chain.Key().ID())
}

// checkCertified checks that a certificate is of a department's key, and that it does not name another
// organisation.
func checkCertified(chain *certificate.Chain, d *licence.Department, key *sm.PublicKey) error {
	if !chain.Key().Equal(key) {
		return failf("certificate-other-key", "the certificate is of the key %s, not of %s", chain.Key().ID(), key.ID())
	}
	if codes := socialCodes(chain); len(codes) > 0 && !slices.Contains(codes, d.USCC) {
		return failf("certificate-other-department", "the certificate names another unified social credit code than %s, that of %s", d.USCC, d.ID)
	}
	return nil
}

// socialCodes are the unified social credit codes that a certificate names.
func socialCodes(chain *certificate.Chain) []string {
	return slices.DeleteFunc(chain.Codes(), func(code string) bool { return !licence.IsUSCC(code) })
}

// A certificateAnswer is what an answer says of the certificate that a key was checked with.
type certificateAnswer struct {
	Fingerprint sm.Hash `json:"fingerprint"` // SM3 of its DER encoding
	Subject     string  `json:"subject"`
	Issuer      string  `json:"issuer"`
	NotAfter    instant `json:"notAfter"`
	NamesUSCC   bool    `json:"namesUSCC"` // the department's unified social credit code is in it
}

// newCertificateAnswer is nil without a certificate. The chain has been checked.
func newCertificateAnswer(chain *certificate.Chain) *certificateAnswer {
	if chain == nil {
		return nil
	}
	return &certificateAnswer{
		Fingerprint: chain.Fingerprint(), Subject: chain.Subject(), Issuer: chain.Issuer(),
		NotAfter: instant(chain.NotAfter().Unix()), NamesUSCC: len(socialCodes(chain)) > 0,
	}
}

func (a *certificateAnswer) print(c *call, w io.Writer) {
	if a == nil {
		return
	}
	code := c.pick("证书未载统一社会信用代码,请核对主体名称", "it names no unified social credit code: compare the subject's name")
	if a.NamesUSCC {
		code = c.pick("统一社会信用代码一致", "its unified social credit code is the department's")
	}
	fmt.Fprintf(w, c.pick("  证书 %s\n  主体 %s\n  颁发者 %s\n  %s\n", "  certificate %s\n  subject %s\n  issuer %s\n  %s\n"),
		a.Fingerprint, printable(a.Subject), printable(a.Issuer), code)
}
