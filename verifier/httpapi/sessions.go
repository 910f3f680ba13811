package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// sessionOf is the cookie of a session: no script reads it, no other site sends it, and it goes to the
// API only. Without a token it removes the cookie.
func sessionOf(token string, expires time.Time) *http.Cookie {
	cookie := &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/v1", Expires: expires,
		HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode,
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	return cookie
}

func (c *call) postSession() error {
	if err := c.fromCounter(); err != nil {
		return err
	}
	b, err := c.body(maxTexts)
	if err != nil {
		return err
	}
	var from, name, password string
	if err := readBody(b,
		member{name: "agency", read: id(&from), required: true},
		member{name: "clerk", read: line(&name, maxLine), required: true},
		member{name: "password", read: text(&password, 1, maxPassword), required: true},
	); err != nil {
		return err
	}
	a, clerk, err := c.Gate.SignIn(c.r.Context(), from, name, password, c.caller.address)
	if err != nil {
		return err
	}
	token, expires, err := c.Store.NewSession(c.r.Context(), a.ID, clerk.Name, sessionTTL)
	if err != nil {
		return err
	}
	http.SetCookie(c.w, sessionOf(token, expires))
	return c.answer(http.StatusCreated, struct {
		Agency    string `json:"agency"`
		Clerk     string `json:"clerk"`
		Unit      string `json:"unit"`
		ExpiresAt string `json:"expiresAt"`
	}{a.ID, clerk.Name, clerk.Unit, rfc3339(expires)})
}

func (c *call) deleteSession() error {
	if err := c.Store.EndSession(c.r.Context(), c.caller.session); err != nil {
		return err
	}
	http.SetCookie(c.w, sessionOf("", time.Time{}))
	c.w.WriteHeader(http.StatusNoContent)
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
	return c.answer(http.StatusOK, out)
}
