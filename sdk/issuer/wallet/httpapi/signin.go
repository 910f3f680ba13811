package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/identity"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// Where browsers go to sign in, and where the identity platform sends them back to.
const (
	signInPath   = "/v1/sign-in"
	callbackPath = signInPath + "/callback"
)

// CallbackPath is what the identity platform has to have on file as our redirect URI, after the wallet's origin.
const CallbackPath = callbackPath

// codeOther says that somebody else came than who was asked to prove once more who they are.
const codeOther = "sign-in-other"

// An attempt is what a browser keeps while its person is at the platform: a cookie of these paths alone. Unlike
// the session's it must come along when the platform sends the browser back, so it is SameSite=Lax; it is of no use to
// anybody without the code that comes with it, and names the session that it is to take the place of by the digest of its token.
type attempt struct {
	Secrets  string   `json:"s"`
	Fresh    bool     `json:"f,omitempty"`
	Previous *sm.Hash `json:"p,omitempty"`
	To       string   `json:"t,omitempty"` // where on the page they were
	Begun    int64    `json:"b"`
}

const (
	attemptCookie = "credledger-wallet-sign-in"
	attemptTTL    = 10 * time.Minute
	maxCookie     = 2048 // bytes
)

func (a *API) keepAttempt(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: attemptCookie, Value: value, Path: signInPath, MaxAge: maxAge, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
	})
}

// attemptOf returns what the browser has kept; nil if that is not there, or too old.
func (a *API) attemptOf(r *http.Request) (*attempt, identity.Secrets) {
	given := r.CookiesNamed(attemptCookie)
	if len(given) != 1 || len(given[0].Value) > maxCookie {
		return nil, identity.Secrets{}
	}
	b, err := base64.RawURLEncoding.DecodeString(given[0].Value)
	if err != nil {
		return nil, identity.Secrets{}
	}
	kept := new(attempt)
	if json.Unmarshal(b, kept) != nil || a.Now().Sub(time.Unix(kept.Begun, 0)) > attemptTTL || !place.MatchString(kept.To) {
		return nil, identity.Secrets{}
	}
	secrets, ok := identity.ParseSecrets(kept.Secrets)
	if !ok {
		return nil, secrets
	}
	return kept, secrets
}

// place is where on the page somebody was: a path within its fragment.
var place = regexp.MustCompile(`^([a-z]{1,16}(/[0-9a-z-]{1,64}){0,3})?$`)

// browse answers a browser that is on its way, with the address that it goes to next.
func (a *API) browse(w http.ResponseWriter, r *http.Request, on func(http.ResponseWriter, *http.Request) (to string, err error)) {
	began := time.Now()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	seen := Call{Method: r.Method, Route: r.URL.Path, Status: http.StatusSeeOther}
	to, err := "", error(nil)
	if a.rate.Take(rest.Address(r)) > 0 {
		err = rest.Refuse(rest.CodeRateLimited, "too many calls from this address")
	} else {
		to, err = on(w, r)
	}
	if err != nil {
		seen.Problem = problemCode(err)
		if seen.Problem == identity.CodeUnavailable || seen.Problem == rest.CodeInternal {
			seen.Err = err
		}
		to = "/#problem=" + seen.Problem
	}
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	seen.Duration = time.Since(began)
	a.Observe(seen)
}

// problemCode is what the page is told.
func problemCode(err error) string {
	if code := identity.Code(err); code != "" {
		return code
	}
	if p := fromPackages(err); p != nil {
		return p.Code
	}
	if code := rest.ProblemCode(err); code != "" {
		return code
	}
	return rest.CodeInternal
}

// begin sends the browser to the platform.
func (a *API) begin(w http.ResponseWriter, r *http.Request) (string, error) {
	query := r.URL.Query()
	kept := attempt{Begun: a.Now().Unix()}
	if to := query.Get("to"); place.MatchString(to) {
		kept.To = to
	}
	session, err := digest(r)
	if err != nil {
		return "", err
	}
	if session != nil {
		who, err := a.Wallet.Session(r.Context(), *session)
		if err != nil {
			return "", err
		}
		if who != nil {
			kept.Previous, kept.Fresh = session, query.Get("fresh") == "1"
		}
	}
	going, err := a.Provider.Begin(r.Context(), kept.Fresh)
	if err != nil {
		return "", err
	}
	kept.Secrets = going.Secrets.String()
	b, err := json.Marshal(kept)
	if err != nil {
		return "", err
	}
	a.keepAttempt(w, base64.RawURLEncoding.EncodeToString(b), int(attemptTTL/time.Second))
	return going.URL, nil
}

// finish begins the session of who comes back from the platform. Who was asked to prove once more who they are gets a new session in
// the place of the old one; if somebody else comes, nothing changes.
func (a *API) finish(w http.ResponseWriter, r *http.Request) (string, error) {
	kept, secrets := a.attemptOf(r)
	a.keepAttempt(w, "", -1)
	if kept == nil {
		return "", &identity.Error{Code: identity.CodeExpired, Message: "this browser did not begin to sign in, or too long ago"}
	}
	person, err := a.Provider.Finish(r.Context(), secrets, kept.Fresh, r.URL.Query())
	if err != nil {
		return "", err
	}
	if kept.Fresh && kept.Previous != nil {
		before, err := a.Wallet.Session(r.Context(), *kept.Previous)
		if err != nil {
			return "", err
		}
		if before != nil && before.Person != person.Number {
			return "", &identity.Error{Code: codeOther, Message: "somebody else signed in than who was asked to"}
		}
	}
	token, session, err := a.Wallet.SignIn(r.Context(), wallet.Person{Number: person.Number, Name: person.Name, Proven: person.Proven}, kept.Previous)
	if err != nil {
		return "", err
	}
	cookie.Set(w, token, session.Expires.Sub(a.Now()))
	if kept.To == "" {
		return "/", nil
	}
	return "/#/" + kept.To, nil
}
