package httpapi

import (
	"github.com/credledger/credledger/sdk/licence"
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
	maxPassword = agency.MaxPassword
	maxOnBehalf = 16
)

// shown is one licence of a request: exactly one of its forms, and the challenge that it answers.
type shown struct {
	intake.Input
	sealed   []byte // see seal
	audience string
	nonce    []byte
}

func (s *shown) members() []member {
	return []member{
		{name: "code", read: text(&s.Code, 1, maxCode)},
		{name: "credential", read: encoded(&s.Credential, intake.MaxCredential)},
		{name: "image", read: encoded(&s.Image, intake.MaxImage)},
		{name: "file", read: encoded(&s.File, intake.MaxFile)},
		{name: "audience", read: line(&s.audience, maxAudience)},
		{name: "nonce", read: nonce(&s.nonce)},
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
	err := readBody(b, append(q.shown.members(),
		member{name: "asOf", read: day(&q.asOf)},
		member{name: "holderRequired", read: flag(&q.holderRequired)},
		member{name: "fields", read: fieldKeys(&q.fields, access.MaxFields)},
		member{name: "context", read: func(r *reader) error {
			return r.object([]member{
				{name: "clerk", read: line(&q.context.Clerk, maxLine)},
				{name: "unit", read: line(&q.context.Unit, maxLine)},
				{name: "matter", read: line(&q.context.Matter, maxLine)},
				{name: "case", read: line(&q.context.Case, maxLine)},
				{name: "onBehalf", read: line(&q.context.OnBehalf, maxLine)},
			})
		}},
	)...)
	if err != nil {
		return nil, err
	}
	if wrong := q.check(); wrong != "" {
		return nil, refuse(codeMemberInvalid, "the body "+wrong)
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
	return q, readBody(b,
		member{name: "case", read: line(&q.number, maxLine), required: true},
		member{name: "licences", required: true, read: func(r *reader) error {
			err := r.list(matter.MaxItems, q.licence)
			if err == nil && len(q.licences) == 0 {
				err = r.invalid("must not be empty")
			}
			return err
		}},
		member{name: "asOf", read: day(&q.asOf)},
		member{name: "context", read: func(r *reader) error {
			return r.object([]member{
				{name: "clerk", read: line(&q.clerk, maxLine)},
				{name: "unit", read: line(&q.unit, maxLine)},
			})
		}},
		member{name: "onBehalf", read: func(r *reader) error {
			return r.list(maxOnBehalf, func(r *reader) error {
				q.onBehalf = append(q.onBehalf, "")
				return id(&q.onBehalf[len(q.onBehalf)-1])(r)
			})
		}},
	)
}

func (q *matterVerification) licence(r *reader) error {
	q.licences = append(q.licences, matterLicence{})
	l := &q.licences[len(q.licences)-1]
	err := r.object(append(l.shown.members(),
		member{name: "sealed", read: encoded(&l.sealed, maxSealed)},
		member{name: "identityChecked", read: flag(&l.identityChecked)},
	))
	if err != nil {
		return err
	}
	if wrong := l.check(); wrong != "" {
		return r.invalid(wrong)
	}
	return nil
}
