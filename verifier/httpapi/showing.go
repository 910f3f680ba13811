package httpapi

import (
	"encoding/hex"
	"net/http"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/verify"
)

func (c *call) postChallenge() error {
	b, err := c.Body(maxTexts)
	if err != nil {
		return err
	}
	var named string
	if err := rest.ReadBody(b, rest.Member{Name: "audience", Read: rest.Line(&named, maxAudience, access.MaxText)}); err != nil {
		return err
	}
	audience, err := c.audience(named)
	if err != nil {
		return err
	}
	challenge, err := c.Store.NewChallenge(audience, challengeTTL)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, struct {
		Nonce     string `json:"nonce"`
		Audience  string `json:"audience"`
		ExpiresAt string `json:"expiresAt"`
	}{hex.EncodeToString(challenge.Nonce), challenge.Audience, rest.RFC3339(challenge.Expires)})
}

func (c *call) postReference() error {
	b, err := c.Body(maxCredential)
	if err != nil {
		return err
	}
	var presentation []byte
	if err := rest.ReadBody(b, rest.Member{Name: "presentation", Read: rest.Encoded(&presentation, credential.MaxSize), Required: true}); err != nil {
		return err
	}
	// What is kept agrees with itself, which its owner can tell without us. Whether it is genuine is for
	// the verification to say, which is recorded.
	i := item{Item: intake.Stored(presentation)}
	v, err := c.judge(&i, nil, false)
	if err != nil {
		return err
	}
	if v.Finding(verify.AxisContent).Result != verify.Pass {
		return rest.Refuse(codeRefused, "what is kept is a presentation of this ledger whose contents agree with each other; this is none")
	}
	token, expires, err := c.Store.PutReference(c.R.Context(), presentation, referenceTTL)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, struct {
		URL       string `json:"url"`
		ExpiresAt string `json:"expiresAt"`
	}{intake.ReferenceURL(c.Host, token), rest.RFC3339(expires)})
}
