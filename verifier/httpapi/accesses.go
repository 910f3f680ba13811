package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// Bounds of a page of a list.
const (
	maxPage   = 1000
	usualPage = 100
)

// accessListJSON is a page of the accesses to one licence.
type (
	accessListJSON struct {
		Accesses []accessJSON `json:"accesses"`
		Next     *uint64      `json:"next"`
	}
	accessJSON struct {
		Index      uint64        `json:"index"`
		Leaf       sm.Hash       `json:"leaf"`
		Time       string        `json:"time"`
		Call       string        `json:"call"`
		Agency     *string       `json:"agency"`
		AgencyName *licence.Text `json:"agencyName"`
		Clerk      *string       `json:"clerk,omitempty"`
		Unit       *string       `json:"unit"`
		Matter     *string       `json:"matter"`
		Case       *string       `json:"case"`
		OnBehalf   *string       `json:"onBehalf"`
		Asked      *string       `json:"asked"`
		Fields     []string      `json:"fields"`
		Outcome    string        `json:"outcome"`
	}
)

// postAccesses tells a holder who verified the licence.
func (c *call) postAccesses() error {
	b, err := c.Body(maxCredential)
	if err != nil {
		return err
	}
	var s shown
	var before uint64
	limit := uint64(usualPage)
	if err := rest.ReadBody(b,
		rest.Member{Name: "credential", Read: rest.Encoded(&s.Credential, credential.MaxSize), Required: true},
		rest.Member{Name: "audience", Read: rest.Line(&s.audience, maxAudience, access.MaxText)},
		rest.Member{Name: "nonce", Read: rest.Nonce(&s.nonce), Required: true},
		rest.Member{Name: "before", Read: rest.Number(&before, 0, access.MaxEntries)},
		rest.Member{Name: "limit", Read: rest.Number(&limit, 1, maxPage)},
	); err != nil {
		return err
	}
	i, err := c.find(&s)
	if err != nil {
		return err
	}
	if err := c.redeem(i, &s); err != nil {
		return err
	}
	v, err := c.judge(i, nil, true)
	if err != nil {
		return err
	}
	for _, axis := range []verify.Axis{verify.AxisContent, verify.AxisIssuer, verify.AxisAnchor, verify.AxisHolder} {
		if f := v.Finding(axis); f.Result != verify.Pass {
			return rest.Refuse(codeHolderNotProven, "who is not proven to be a holder is not told; "+axis.String()+": "+string(f.Reason))
		}
	}
	return c.listAccesses(v.Opened.Record.Issuer, v.Opened.Digest, before, limit, false)
}

// getAccesses tells the issuer who verified a licence.
func (c *call) getAccesses() error {
	issuer, err := c.IDParameter("issuer")
	if err != nil {
		return err
	}
	digest, err := c.HashParameter("digest")
	if err != nil {
		return err
	}
	before, limit, err := c.pageParameters("before")
	if err != nil {
		return err
	}
	if c.caller.agency.ID != issuer {
		return rest.Refuse(codeIssuerOnly, "only the issuing department, an agency with its id, is told who verified a licence")
	}
	return c.listAccesses(issuer, digest, before, limit, true)
}

// listAccesses answers with a page; the clerks are told to the issuer only.
func (c *call) listAccesses(issuer string, digest sm.Hash, before, limit uint64, clerks bool) error {
	found, err := c.AccessLog.Accesses(issuer, digest, before, int(limit))
	if err != nil {
		return err
	}
	out := accessListJSON{Accesses: make([]accessJSON, len(found))}
	for k := range found {
		e, err := access.ParseEntry(found[k].Entry)
		if err != nil {
			return err
		}
		a := accessJSON{
			Index: found[k].Index, Leaf: access.Leaf(found[k].Entry), Time: rest.UTC(e.Time), Call: e.Call.String(),
			Agency: rest.OrNull(e.Agency), Unit: rest.OrNull(e.Unit), Matter: rest.OrNull(e.Matter), Case: rest.OrNull(e.Case),
			OnBehalf: rest.OrNull(e.OnBehalf), Asked: rest.OrNull(e.Asked), Fields: append([]string{}, e.Fields...), Outcome: e.Outcome,
		}
		if known := c.Gate.Directory().Agency(e.Agency); known != nil {
			a.AgencyName = &known.Name
		}
		if clerks {
			a.Clerk = &e.Clerk
		}
		out.Accesses[k] = a
	}
	if n := len(found); n == int(limit) && found[n-1].Index > 0 {
		out.Next = &found[n-1].Index
	}
	return c.Answer(http.StatusOK, out)
}
