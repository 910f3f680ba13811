package staff

import (
	"errors"
	"time"
)

// Codes of refusals; they never change.
const (
	CodeUnauthenticated = "unauthenticated" // no token or certificate of a system; no session, or none any more
	CodeAddress         = "address-refused" // the call comes from elsewhere than the caller's addresses
	CodeRateLimited     = "rate-limited"    // calls come faster than agreed; see RetryAfter
	CodeSignIn          = "sign-in-failed"  // name or password is wrong
	CodeSignInLimited   = "sign-in-limited" // too many attempts; see RetryAfter
)

// A Refusal is why a call is not answered.
type Refusal struct {
	Code       string
	Message    string        // for whoever wrote the calling program: what to do
	RetryAfter time.Duration // with CodeRateLimited and CodeSignInLimited
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, message string) *Refusal { return &Refusal{Code: code, Message: message} }

// Code returns the code of the *Refusal in err's chain, "" if there is none.
func Code(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}
