package httpapi

import (
	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
)

// Bounds of members, in characters, unless they are those of the packages that read them.
const (
	maxCode     = 16 << 10
	maxLine     = 64
	maxAudience = 200
	maxPassword = callers.MaxPassword
	maxOnBehalf = 16
)

// shown is one licence of a request: exactly one of its forms, and the challenge that it answers.
type shown struct {
	intake.Input
	sealed   []byte // see seal
	audience string
	nonce    []byte
}

func (s *shown) members() []rest.Member {
	return []rest.Member{
		{Name: "code", Read: rest.Text(&s.Code, 1, maxCode)},
		{Name: "credential", Read: rest.Encoded(&s.Credential, intake.MaxCredential)},
		{Name: "image", Read: rest.Encoded(&s.Image, intake.MaxImage)},
		{Name: "file", Read: rest.Encoded(&s.File, intake.MaxFile)},
		{Name: "audience", Read: rest.Line(&s.audience, maxAudience, access.MaxText)},
		{Name: "nonce", Read: rest.Nonce(&s.nonce)},
	}
}

// check says what is wrong with what is not exactly one licence, "" if nothing is.
func (s *shown) check() string {
	forms := 0
	for _, given := range []bool{s.Code != "", s.Credential != nil && s.File == nil, s.Image != nil, s.File != nil, s.sealed != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1:
		return "must give a licence in exactly one form: code, credential, image, or file (with its credential if it does not carry one)"
	case s.audience != "" && s.nonce == nil, s.sealed != nil && s.nonce != nil:
		return "must give an audience with the nonce of its challenge, and neither with what is sealed"
	}
	return ""
}

// A verification is the body of POST /v1/verifications.
type verification struct {
	shown
	asOf           *licence.Date
	holderRequired bool
	fields         []string // nil: all that are disclosed and permitted
	context        agency.Context
}

func readVerification(b []byte) (*verification, error) {
	q := new(verification)
	err := rest.ReadBody(b, append(q.shown.members(),
		rest.Member{Name: "asOf", Read: rest.Day(&q.asOf)},
		rest.Member{Name: "holderRequired", Read: rest.Flag(&q.holderRequired)},
		rest.Member{Name: "fields", Read: rest.FieldKeys(&q.fields, access.MaxFields)},
		rest.Member{Name: "context", Read: func(r *rest.Reader) error {
			return r.Object([]rest.Member{
				{Name: "clerk", Read: rest.Line(&q.context.Clerk, maxLine, access.MaxText)},
				{Name: "unit", Read: rest.Line(&q.context.Unit, maxLine, access.MaxText)},
				{Name: "matter", Read: rest.Line(&q.context.Matter, maxLine, access.MaxText)},
				{Name: "case", Read: rest.Line(&q.context.Case, maxLine, access.MaxText)},
				{Name: "onBehalf", Read: rest.Line(&q.context.OnBehalf, maxLine, access.MaxText)},
			})
		}},
	)...)
	if err != nil {
		return nil, err
	}
	if wrong := q.check(); wrong != "" {
		return nil, rest.Refuse(rest.CodeMemberInvalid, "the body "+wrong)
	}
	return q, nil
}

// A matterVerification is the body of POST /v1/matters/{matter}/verifications.
type matterVerification struct {
	number   string // of the case
	licences []matterLicence
	asOf     *licence.Date
	clerk    string
	unit     string
	onBehalf []string // nil: all that the agency may act for
}

type matterLicence struct {
	shown
	identityChecked bool
}

func readMatterVerification(b []byte) (*matterVerification, error) {
	q := new(matterVerification)
	return q, rest.ReadBody(b,
		rest.Member{Name: "case", Read: rest.Line(&q.number, maxLine, access.MaxText), Required: true},
		rest.Member{Name: "licences", Required: true, Read: func(r *rest.Reader) error {
			err := r.List(matter.MaxItems, q.licence)
			if err == nil && len(q.licences) == 0 {
				err = r.Invalid("must not be empty")
			}
			return err
		}},
		rest.Member{Name: "asOf", Read: rest.Day(&q.asOf)},
		rest.Member{Name: "context", Read: func(r *rest.Reader) error {
			return r.Object([]rest.Member{
				{Name: "clerk", Read: rest.Line(&q.clerk, maxLine, access.MaxText)},
				{Name: "unit", Read: rest.Line(&q.unit, maxLine, access.MaxText)},
			})
		}},
		rest.Member{Name: "onBehalf", Read: func(r *rest.Reader) error {
			return r.List(maxOnBehalf, func(r *rest.Reader) error {
				q.onBehalf = append(q.onBehalf, "")
				return rest.ID(&q.onBehalf[len(q.onBehalf)-1])(r)
			})
		}},
	)
}

func (q *matterVerification) licence(r *rest.Reader) error {
	q.licences = append(q.licences, matterLicence{})
	l := &q.licences[len(q.licences)-1]
	err := r.Object(append(l.shown.members(),
		rest.Member{Name: "sealed", Read: rest.Encoded(&l.sealed, maxSealed)},
		rest.Member{Name: "identityChecked", Read: rest.Flag(&l.identityChecked)},
	))
	if err != nil {
		return err
	}
	if wrong := l.check(); wrong != "" {
		return r.Invalid(wrong)
	}
	return nil
}
