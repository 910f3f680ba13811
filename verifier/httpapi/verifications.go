package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/internal/jsonappend"
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

// encode does without encoding/json, which would take more of the processor's time than the verdict.
func (v *verificationJSON) encode() []byte {
	b := make([]byte, 0, 6<<10) // room for most
	b = v.Verdict.AppendJSON(append(b, `{"verdict":`...))
	b = jsonappend.Strings(append(b, `,"withheld":`...), v.Withheld)
	b = v.Receipt.AppendJSON(append(b, `,"receipt":`...))
	if v.Sealed != nil {
		b = jsonappend.Base64(append(b, `,"sealed":`...), v.Sealed)
	}
	return append(b, '}')
}

func (c *call) postVerification() error {
	b, err := c.Body(maxShown)
	if err != nil {
		return err
	}
	q, err := readVerification(b)
	if err != nil {
		return err
	}
	if c.caller.kind == CallerPublic && (q.fields != nil || q.context != agency.Context{}) {
		return rest.Refuse(rest.CodeUnauthenticated, "context and fields are for agencies: call with a token, or leave them out")
	}
	who, err := c.context(q.context)
	if err != nil {
		return err
	}
	c.asks(who.Matter, who.OnBehalf)
	if c.caller.agency != nil {
		if err := c.caller.agency.PermitContext(who); err != nil {
			return err
		}
	}
	i, err := c.find(&q.shown)
	if err == nil {
		err = c.take(i)
	}
	if err != nil {
		return err
	}
	if c.caller.agency != nil {
		if err := c.Gate.Permit(c.R.Context(), c.caller.agency, who, []agency.Ask{{Type: i.typ(), Fields: q.fields}}); err != nil {
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
	if out.Receipt, err = c.record(c.R.Context(), i, v, who, given, whole{}); err != nil {
		return err
	}
	if c.caller.kind == CallerClerk {
		if out.Sealed, err = seal(c.caller.session, i); err != nil {
			return err
		}
	}
	c.outcome = string(v.Outcome)
	c.Send(http.StatusOK, "application/json", out.encode())
	return nil
}
