package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

// verificationJSON is the answer of POST /v1/verifications.
type verificationJSON struct {
	Verdict  *verify.Verdict
	Withheld []string
	Receipt  *receipt.File
	Sealed   []byte // nil: left out
}

// encode does without json.Marshal, which would go through verdict and receipt once more after they are encoded:
// a quarter of the work of a verification.
func (v *verificationJSON) encode() ([]byte, error) {
	verdict, err := v.Verdict.MarshalJSON()
	if err != nil {
		return nil, err
	}
	file, err := v.Receipt.MarshalJSON()
	if err != nil {
		return nil, err
	}
	withheld, err := json.Marshal(v.Withheld)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(verdict)+len(file)+len(withheld)+len(v.Sealed)*4/3+64)
	out = append(append(out, `{"verdict":`...), verdict...)
	out = append(append(out, `,"withheld":`...), withheld...)
	out = append(append(out, `,"receipt":`...), file...)
	if v.Sealed != nil {
		out = append(base64.StdEncoding.AppendEncode(append(out, `,"sealed":"`...), v.Sealed), '"')
	}
	return append(out, '}'), nil
}

func (c *call) postVerification() error {
	b, err := c.body(maxShown)
	if err != nil {
		return err
	}
	q, err := readVerification(b)
	if err != nil {
		return err
	}
	if c.caller.kind == CallerPublic && (q.fields != nil || q.context != agency.Context{}) {
		return refuse(codeUnauthenticated, "context and fields are for agencies: call with a token, or leave them out")
	}
	who, err := c.context(q.context)
	if err != nil {
		return err
	}
	i, err := c.find(&q.shown)
	if err == nil {
		err = c.take(i)
	}
	if err != nil {
		return err
	}
	if c.caller.agency != nil {
		if err := c.Gate.Permit(c.r.Context(), c.caller.agency, who, []agency.Ask{{Type: i.typ(), Fields: q.fields}}); err != nil {
			return err
		}
	}
	if err := c.redeem(i, &q.shown); err != nil {
		return err
	}
	v, err := c.judge(i, q.asOf, q.holderRequired)
	if err != nil {
		return err
	}
	var out verificationJSON
	given, withheld := c.withhold(v, q.fields)
	out.Verdict, out.Withheld = v, withheld
	if out.Receipt, err = c.record(c.r.Context(), i, v, who, given); err != nil {
		return err
	}
	if c.caller.kind == CallerClerk {
		if out.Sealed, err = seal(c.caller.session, i); err != nil {
			return err
		}
	}
	c.seen.Outcome = string(v.Outcome)
	if b, err = out.encode(); err != nil {
		return err
	}
	c.send(http.StatusOK, "application/json", b)
	return nil
}
