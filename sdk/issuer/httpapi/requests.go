package httpapi

import (
	"encoding/base64"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of bodies in bytes, and of members in characters.
const (
	maxTexts       = 16 << 10
	maxApplication = 96 << 10 // so that a draft fits into the vault, and what is committed to into a credential
	maxPurpose     = 100
	maxNumber      = 256
	maxCode        = 64
	maxKey         = 91 // bytes of a SubjectPublicKeyInfo
)

func purpose(to *string) rest.Value { return rest.Line(to, maxPurpose, 4*maxPurpose) }

// licenceID reads the id of a licence.
func licenceID(to *vault.ID) rest.Value {
	return func(r *rest.Reader) error {
		n, err := r.Integer(1, maxID)
		*to = vault.ID(n)
		return err
	}
}

// publicKey reads an SM2 public key: its SubjectPublicKeyInfo in base64.
func publicKey(to **sm.PublicKey) rest.Value {
	return func(r *rest.Reader) error {
		var spki []byte
		if err := rest.Encoded(&spki, maxKey)(r); err != nil {
			return err
		}
		key, err := sm.ParsePublicKey(spki)
		if err != nil {
			return r.Invalid("must be the SubjectPublicKeyInfo of an SM2 key, 91 bytes")
		}
		*to = key
		return nil
	}
}

// code reads the code of a reason or a restriction.
func code(to *string) rest.Value { return rest.Line(to, maxCode, maxCode) }

func state(to *licence.State) rest.Value {
	return func(r *rest.Reader) error {
		b, err := r.String()
		if err == nil && !licence.State(b).Valid() {
			err = r.Invalid("must be active, suspended, superseded or revoked")
		}
		*to = licence.State(b)
		return err
	}
}

func restrictionID(to **issuer.RestrictionID) rest.Value {
	return func(r *rest.Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		id, err := issuer.ParseRestrictionID(string(b))
		if err != nil {
			return r.Invalid("must be 32 lower-case hexadecimal digits")
		}
		*to = &id
		return nil
	}
}

// An application is a licence that somebody wants issued.
type application struct {
	issuer.Application
	purpose   string
	recipient *sm.PublicKey
}

// readApplication reads the body of POST /v1/licences, or without recipient of previews and drafts.
func readApplication(b []byte, sealed bool) (*application, error) {
	q := new(application)
	members := []rest.Member{
		{Name: "type", Read: rest.ID(&q.Type), Required: true},
		{Name: "fields", Required: true, Read: func(r *rest.Reader) error {
			if err := rest.Raw(&q.Record)(r); err != nil {
				return err
			}
			if q.Record[0] != '{' {
				return r.Invalid("must be an object")
			}
			return nil
		}},
		{Name: "validFrom", Read: rest.Day(&q.ValidFrom)},
		{Name: "validUntil", Read: rest.Day(&q.ValidUntil)},
		{Name: "predecessor", Read: licenceID(&q.Predecessor)},
		{Name: "purpose", Read: purpose(&q.purpose)},
	}
	if sealed {
		members = append(members, rest.Member{Name: "recipient", Read: publicKey(&q.recipient)})
	}
	return q, rest.ReadBody(b, members...)
}

// purposeOf reads the body of a call that has a purpose, and perhaps other members.
func (c *call) purposeOf(limit int64, others ...rest.Member) (string, error) {
	b, err := c.Body(limit)
	if err != nil {
		return "", err
	}
	var why string
	return why, rest.ReadBody(b, append(others, rest.Member{Name: "purpose", Read: purpose(&why), Required: true})...)
}

// changeOf is purposeOf for a change, whose purpose may be left out: it has a reason.
func (c *call) changeOf(others ...rest.Member) (string, error) {
	b, err := c.Body(maxTexts)
	if err != nil {
		return "", err
	}
	var why string
	return why, rest.ReadBody(b, append(others, rest.Member{Name: "purpose", Read: purpose(&why)})...)
}

// encodedLength returns how long n bytes are in base64.
func encodedLength(n int) int64 { return int64(base64.StdEncoding.EncodedLen(n)) }
