package request

import (
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// answerJSON is a request, and what became of it, as openapi.yaml of package httpapi describes it.
type answerJSON struct {
	Request  sm.Hash            `json:"request"`
	State    store.RequestState `json:"state"`
	Text     licence.Text       `json:"text"`
	Issuer   string             `json:"issuer"`
	Type     string             `json:"type"`
	Licence  *sm.Hash           `json:"licence"`
	Matter   string             `json:"matter"`
	Case     *string            `json:"case"`
	Clerk    *string            `json:"clerk"`
	Unit     *string            `json:"unit"`
	Fields   []string           `json:"fields"`
	Grant    *sm.Hash           `json:"grant"`
	ByLaw    bool               `json:"byLaw"`
	Refusal  bool               `json:"refusalToShare"`
	Made     string             `json:"made"`
	Due      string             `json:"due"`
	Ended    *string            `json:"ended"`
	Attempts int                `json:"attempts"`
	Problem  *string            `json:"problem"`
	Answer   *signedJSON        `json:"answer"`

	Verdict      *verify.Verdict `json:"verdict,omitempty"`
	Receipt      *receipt.File   `json:"receipt,omitempty"`
	Presentation []byte          `json:"presentation,omitempty"`
}

// signedJSON is what the issuer signed.
type signedJSON struct {
	Reason       string       `json:"reason"`
	Text         licence.Text `json:"text"`
	Policy       sm.Hash      `json:"policy"`
	Bases        []string     `json:"bases"`
	Grant        *sm.Hash     `json:"grant"`
	Use          uint32       `json:"use"`
	Presentation *sm.Hash     `json:"presentation"`
	SignedAt     string       `json:"signedAt"`
}

// MarshalJSON implements json.Marshaler: for people and programs that read no CBOR.
func (a *Answer) MarshalJSON() ([]byte, error) {
	k, r := a.Kept, a.Request
	out := &answerJSON{
		Request: k.Digest, State: k.State, Text: k.State.Text(), Issuer: r.Issuer, Type: r.Type, Licence: r.Licence, Matter: r.Matter, Case: orNull(r.Case),
		Clerk: orNull(k.Clerk), Unit: orNull(k.Unit), Fields: r.Fields, Grant: r.Grant, ByLaw: k.ByLaw, Refusal: a.RefusalToShare(),
		Made: utc(k.Made), Due: utc(k.Due), Attempts: k.Attempts, Problem: orNull(k.Problem),
		Answer: signedOf(a.Answer), Verdict: a.Verdict, Receipt: a.Receipt, Presentation: a.Presentation,
	}
	if !k.Ended.IsZero() {
		ended := utc(k.Ended)
		out.Ended = &ended
	}
	return json.Marshal(out)
}

func signedOf(a *statement.Answer) *signedJSON {
	if a == nil {
		return nil
	}
	return &signedJSON{
		a.Reason, policy.Text(a.Reason), a.Policy, append([]string{}, a.Basis...), a.Grant, a.Use, a.Presentation, utc(time.Unix(int64(a.SignedAt), 0)),
	}
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
