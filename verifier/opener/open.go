package opener

import (
	"net/http"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/verify"
)

// Bounds of members, in characters, and of the body in bytes: base64 takes four letters for three bytes, and
// a few texts come beside it.
const (
	maxCode     = 16 << 10
	maxAudience = 200
	maxLine     = 800 // bytes of an audience in UTF-8
	maxTexts    = 32 << 10
	maxBody     = (max(intake.MaxFile+intake.MaxCredential, envelope.MaxSize)+2)/3*4 + maxTexts
)

// A question is the body of POST /v1/openings.
type question struct {
	intake.Input
	sealed         []byte
	audience       string
	nonce          []byte
	asOf           *licence.Date
	holderRequired bool
}

func readQuestion(b []byte) (*question, error) {
	q := new(question)
	err := rest.ReadBody(b,
		rest.Member{Name: "sealed", Read: rest.Encoded(&q.sealed, envelope.MaxSize)},
		rest.Member{Name: "code", Read: rest.Text(&q.Code, 1, maxCode)},
		rest.Member{Name: "credential", Read: rest.Encoded(&q.Credential, intake.MaxCredential)},
		rest.Member{Name: "image", Read: rest.Encoded(&q.Image, intake.MaxImage)},
		rest.Member{Name: "file", Read: rest.Encoded(&q.File, intake.MaxFile)},
		rest.Member{Name: "audience", Read: rest.Line(&q.audience, maxAudience, maxLine)},
		rest.Member{Name: "nonce", Read: rest.Nonce(&q.nonce)},
		rest.Member{Name: "asOf", Read: rest.Day(&q.asOf)},
		rest.Member{Name: "holderRequired", Read: rest.Flag(&q.holderRequired)},
	)
	if err != nil {
		return nil, err
	}
	forms := 0
	for _, given := range []bool{q.sealed != nil, q.Code != "", q.Credential != nil && q.File == nil, q.Image != nil, q.File != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1 || q.sealed != nil && q.Credential != nil:
		return nil, rest.Refuse(rest.CodeMemberInvalid,
			"the body must give exactly one thing: sealed, code, credential, image, or file (with its credential if it does not carry one)")
	case (q.audience == "") != (q.nonce == nil):
		return nil, rest.Refuse(rest.CodeMemberInvalid, "the body must give audience and nonce together, or neither")
	}
	return q, nil
}

// An opening is the answer. The last three members are null if nothing was sealed.
type opening struct {
	Verdict    *verify.Verdict `json:"verdict"`
	Credential []byte          `json:"credential"`
	Recipient  *sm.Hash        `json:"recipient"`
	Type       *string         `json:"type"`
	Contents   []byte          `json:"contents"`
}

func (o *Opener) open(c *rest.Call) error {
	b, err := c.Body(maxBody)
	if err != nil {
		return err
	}
	q, err := readQuestion(b)
	if err != nil {
		return err
	}
	var out opening
	if q.sealed != nil {
		e, err := envelope.Parse(q.sealed)
		if err != nil {
			return err
		}
		if out.Contents, err = e.Open(o.Keys...); err != nil {
			return err
		}
		out.Recipient, out.Type = &e.Recipient, &e.Type
		q.File = out.Contents // of which intake tells what it is
	}
	found, err := o.intake.Read(c.R.Context(), q.Input)
	if err != nil {
		return err
	}
	if found.Reference != "" {
		return rest.Refuse(codeReference, "a reference code is taken, once, at the verifier whose address it is: ask that one")
	}
	shown, err := found.One()
	if err != nil {
		return err
	}
	v := verify.Verify(o.View(), verify.Request{
		Presentation: shown.Bytes, Parsed: shown.Parsed, Now: o.Now(), AsOf: q.asOf,
		Audience: q.audience, Nonce: q.nonce, HolderRequired: q.holderRequired,
	})
	if found.File != nil && v.Finding(verify.AxisContent).Result == verify.Pass {
		if err := intake.Belongs(v.Opened, *found.File); err != nil {
			return err
		}
	}
	out.Verdict, out.Credential = &v, shown.Bytes
	return c.Answer(http.StatusOK, out)
}
