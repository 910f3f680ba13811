package grant

import (
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Request is one that the agency made that it names. It is not changed.
type Request struct {
	*statement.Request
	Digest sm.Hash  // SM3 of the payload: its name
	Signer KeyState // of the agency's key
}

// ReadRequest reads a signed request. The error is an *[Error], or one of package statement.
func ReadRequest(signed []byte, v View) (*Request, error) {
	body, s, err := statement.ParseAs[*statement.Request](signed)
	if err != nil {
		return nil, err
	}
	state, err := SignedBy(s, body.Agency, statement.PurposeConsent, body.SignedAt, v)
	if err != nil {
		return nil, err
	}
	return &Request{Request: body, Digest: sm.Sum(s.Payload), Signer: state}, nil
}

// Current reports why a request is not to be answered now; nil if it is. Now is in seconds since
// 1970-01-01T00:00:00Z. Whoever answers keeps the digest of every request until it has expired, and gives
// the same answer to the same request.
func (r *Request) Current(now uint64) error {
	switch {
	case r.Signer == KeyRetired:
		return errorf(CodeKeyRetired, "the request is signed with a key that was retired: sign a new one")
	case now+Skew < r.SignedAt:
		return errorf(CodeRequestNotYetValid, "the request is signed in the future: set the clock")
	case now > r.NotAfter+Skew:
		return errorf(CodeRequestExpired, "the request has expired: make a new one")
	}
	return nil
}

// SubjectCommitment returns what a request holds that does not know the licence's digest: a commitment
// to the key of a field and the value by which the licence is to be found, in the form of a leaf. Salt, key
// and value travel beside the request, sealed to the issuer.
func SubjectCommitment(salt *credential.Salt, key, value string) sm.Hash {
	return credential.Commit(salt, key, licence.TextValue(value))
}

// EvidenceCommitment returns what a grant or a withdrawal holds that the issuer signed on a holder's
// behalf: a commitment to the issuer's record of who was identified, by whom and how.
func EvidenceCommitment(salt *credential.Salt, record string) sm.Hash {
	return credential.Commit(salt, "identification", licence.TextValue(record))
}

// An Answer is the issuer's, to one request. It is not changed.
type Answer struct {
	*statement.Answer
	Request *Request
}

// ReadAnswer reads the signed answer to a request. The error is an *[Error], or one of package statement.
func ReadAnswer(signed []byte, r *Request, v View) (*Answer, error) {
	body, s, err := statement.ParseAs[*statement.Answer](signed)
	if err != nil {
		return nil, err
	}
	if _, err := SignedBy(s, body.Issuer, statement.PurposeConsent, body.SignedAt, v); err != nil {
		return nil, err
	}
	switch {
	case body.Request != r.Digest || body.Issuer != r.Issuer:
		return nil, errorf(CodeAnswerDiffers, "the answer is to another request")
	case body.Outcome == statement.AnswerReleased && !slices.Equal(body.Fields, r.Fields):
		return nil, errorf(CodeAnswerFields, "the answer releases other fields than those asked for: it is all of them or none")
	case body.Grant != nil && (r.Grant == nil || *body.Grant != *r.Grant):
		return nil, errorf(CodeGrantDiffers, "the answer is under another grant than the one that the request names")
	}
	return &Answer{Answer: body, Request: r}, nil
}

// Released checks that a presentation is the one that was released: of the licence that was asked for, with
// the fields that were, and no others. Whether it is genuine and current is for package verify.
func (a *Answer) Released(o *credential.Opened) error {
	var fields []string
	for _, f := range o.Fields {
		fields = append(fields, o.Type.Leaves()[f.Index])
	}
	slices.Sort(fields)
	r := a.Request
	switch {
	case a.Presentation == nil || sm.Sum(o.Presentation.Bytes()) != *a.Presentation:
		return errorf(CodePresentation, "this is not the presentation that was released")
	case o.Record.Issuer != r.Issuer || o.Record.Type != r.Type || r.Licence != nil && o.Digest != *r.Licence:
		return errorf(CodePresentation, "what was released is of another licence than the one asked for")
	case !slices.Equal(fields, a.Fields):
		return errorf(CodePresentation, "what was released has other fields than the answer says")
	}
	return nil
}
