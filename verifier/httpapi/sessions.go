package httpapi

import (
	"maps"
	"net/http"
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/access"
)

func (c *call) postSession() error {
	if err := cookie.FromPage(c.R); err != nil {
		return err
	}
	b, err := c.Body(maxTexts)
	if err != nil {
		return err
	}
	var from, name, password string
	if err := rest.ReadBody(b,
		rest.Member{Name: "agency", Read: rest.ID(&from), Required: true},
		rest.Member{Name: "clerk", Read: rest.Line(&name, maxLine, access.MaxText), Required: true},
		rest.Member{Name: "password", Read: rest.Text(&password, 1, maxPassword), Required: true},
	); err != nil {
		return err
	}
	a, clerk, err := c.Gate.SignIn(c.R.Context(), from, name, password, c.caller.address)
	if err != nil {
		return err
	}
	token, expires, err := c.Store.NewSession(c.R.Context(), a.ID, clerk.Name, sessionTTL)
	if err != nil {
		return err
	}
	cookie.Set(c.W, token, sessionTTL)
	return c.Answer(http.StatusCreated, struct {
		Agency    string `json:"agency"`
		Clerk     string `json:"clerk"`
		Unit      string `json:"unit"`
		ExpiresAt string `json:"expiresAt"`
	}{a.ID, clerk.Name, clerk.Unit, rest.RFC3339(expires)})
}

func (c *call) deleteSession() error {
	if err := c.Store.EndSession(c.R.Context(), c.caller.session); err != nil {
		return err
	}
	cookie.Remove(c.W)
	c.NoContent()
	return nil
}

// callerJSON is the answer of GET /v1/me.
type (
	callerJSON struct {
		Kind      string        `json:"kind"`
		Agency    *agencyJSON   `json:"agency"`
		Clerk     *clerkJSON    `json:"clerk"`
		Audiences []string      `json:"audiences"`
		Types     []allowedJSON `json:"types"`
		Matters   []string      `json:"matters"`
		OnBehalf  []string      `json:"onBehalf"`
		Verifier  verifierJSON  `json:"verifier"`
		View      viewJSON      `json:"view"`
	}
	agencyJSON struct {
		ID   string       `json:"id"`
		Name licence.Text `json:"name"`
	}
	clerkJSON struct {
		Name string `json:"name"`
		Unit string `json:"unit"`
	}
	allowedJSON struct {
		Type   string   `json:"type"`
		Fields []string `json:"fields"`
	}
	verifierJSON struct {
		Department string       `json:"department"`
		Name       licence.Text `json:"name"`
	}
)

func (c *call) getMe() error {
	out := callerJSON{Kind: c.caller.kind, Audiences: c.audiences(), View: c.view()}
	out.Verifier.Department = c.AccessLog.Identity().Department
	if d := c.API.View.Department(out.Verifier.Department); d != nil {
		out.Verifier.Name = licence.Text{Zh: d.Profile.NameZh, En: d.Profile.NameEn}
	}
	if a := c.caller.agency; a != nil {
		out.Agency = &agencyJSON{a.ID, a.Name}
		out.Matters = append([]string{}, a.Matters...)
		out.OnBehalf = append([]string{}, a.OnBehalf...)
		out.Types = []allowedJSON{}
		for _, typ := range slices.Sorted(maps.Keys(a.Types)) {
			out.Types = append(out.Types, allowedJSON{typ, append([]string{}, a.Types[typ]...)})
		}
	}
	if clerk := c.caller.clerk; clerk != nil {
		out.Clerk = &clerkJSON{clerk.Name, clerk.Unit}
	}
	return c.Answer(http.StatusOK, out)
}
