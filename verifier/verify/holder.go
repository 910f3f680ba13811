package verify

import (
	"bytes"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
)

func unix(s uint64) time.Time { return time.Unix(int64(s), 0) }

// holder finds out whether a holder of the licence made this presentation for this verifier.
func (c *check) holder(view View) {
	h := c.Presentation.Holder
	if h == nil {
		c.set(AxisHolder, Unknown, ReasonStatic)
		return
	}
	reason, newer := c.binding(view, h)
	if newer {
		c.set(AxisHolder, Unknown, reason)
		return
	}
	if reason == "" {
		reason = c.proof(h)
	}
	if reason != "" {
		c.set(AxisHolder, Fail, reason)
		return
	}
	switch {
	case len(c.request.Nonce) == 0:
		c.set(AxisHolder, Unknown, ReasonNonceNotOurs)
	case c.request.Audience == "" && h.Audience != "":
		c.set(AxisHolder, Unknown, ReasonAudienceNotOurs)
	default:
		c.set(AxisHolder, Pass, ReasonHolderProven)
	}
}

// binding returns why the issuer does not, now, vouch for the holder's key; "" if it does. It
// reports whether that is because the view is too old to tell.
func (c *check) binding(view View, h *credential.Holder) (reason Reason, newer bool) {
	s, ok := c.Opened.BindingStatement()
	if !ok {
		return ReasonBindingMalformed, false
	}
	key := view.Key(h.BindingKeyID)
	if key == nil && c.newerThanView(h.BindingNotBefore) {
		return ReasonNewerThanView, true
	}
	issuer := c.Opened.Signed.Issuer
	fault := key.fault(issuer, s, ok)
	if fault == "" {
		fault = key.ended(h.BindingNotBefore)
	}
	now := c.Now.Unix()
	switch {
	case fault != "":
		return bindingReasons[fault], false
	case now < int64(h.BindingNotBefore)-seconds(Skew):
		return ReasonBindingNotYetValid, false
	case now > int64(h.BindingNotAfter)+seconds(Skew):
		return ReasonBindingExpired, false
	case view.Withdrawn(issuer, sm.Sum(s.Payload)):
		return ReasonBindingWithdrawn, false
	}
	return "", false
}

// proof returns why the holder's proof is not one for this verifier, now; "" if it is, as far as
// the verifier said who it is and what to sign.
func (c *check) proof(h *credential.Holder) Reason {
	s, ok := c.Opened.ProofStatement()
	if !ok {
		return ReasonProofMalformed
	}
	key, err := sm.NewPublicKey(h.Key[:])
	if err != nil {
		return ReasonProofMalformed
	}
	now, r := c.Now.Unix(), c.request
	switch {
	case !s.Verify(key):
		return ReasonProofSignatureInvalid
	case r.Audience != "" && r.Audience != h.Audience:
		return ReasonAudienceMismatch
	case len(r.Nonce) != 0 && !bytes.Equal(r.Nonce, h.Nonce):
		return ReasonNonceMismatch
	case now < int64(h.ProofIssuedAt)-seconds(Skew):
		return ReasonProofNotYetValid
	case now > int64(h.ProofNotAfter)+seconds(Skew):
		return ReasonProofExpired
	}
	return ""
}
