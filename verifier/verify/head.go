package verify

import (
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/statement"
)

// is reports whether the anchored head is the one of the presentation, every value of it: the type
// too, which the signature covers though the root does not.
func (a *Anchor) is(o *credential.Opened) bool {
	h := &o.Presentation.Head
	return a.Signature == h.Signature && a.KeyID == h.KeyID && a.Head == o.Signed
}

// newerThanView reports whether something dated so may be on the ledger though the view does not
// have it: the view has no time at all, or one that is older or little newer. What is dated further ahead than clocks
// are wrong does not count as new, so that nobody can put off being found out for ever.
func (c *check) newerThanView(dated uint64) bool {
	newest := &c.Known.Heartbeat
	latest := max(c.Now.Unix(), int64(newest.Time)) + seconds(maxAhead)
	return newest.Sequence == 0 || int64(dated)+seconds(settling) > int64(newest.Time) && int64(dated) <= latest
}

// anchor finds out whether the head is on the ledger.
func (c *check) anchor() {
	switch {
	case c.Known.Anchored && c.Known.Anchor.is(c.Opened):
		c.set(AxisAnchor, Pass, ReasonAnchored)
	case c.Known.Anchored:
		c.set(AxisAnchor, Fail, ReasonAnchorDiffers)
	case c.newerThanView(c.Opened.Signed.SignedAt):
		c.set(AxisAnchor, Unknown, ReasonNewerThanView)
	default:
		c.set(AxisAnchor, Fail, ReasonNotAnchored)
	}
}

// issuer finds out whether the issuer signed the head. What became of the key since is of no
// account for a head that is on the ledger: the rules let it in when the key was good, and what
// the issuer disowned is marked.
func (c *check) issuer(view View) {
	anchored := c.Known.Anchored && c.Known.Anchor.is(c.Opened)
	if anchored && c.Known.Anchor.Disowned {
		c.set(AxisIssuer, Fail, ReasonAnchorDisowned)
		return
	}
	if anchored && c.Known.Anchor.Checked {
		c.set(AxisIssuer, Pass, ReasonSignatureValid)
		return
	}
	head := &c.Opened.Signed
	key := view.Key(c.Opened.Presentation.Head.KeyID)
	if key == nil && c.newerThanView(head.SignedAt) {
		c.set(AxisIssuer, Unknown, ReasonNewerThanView)
		return
	}
	s, ok := c.Opened.HeadStatement()
	fault := key.fault(head.Issuer, s, ok)
	if fault == "" && !anchored {
		fault = key.ended(head.SignedAt)
	}
	if fault != "" {
		c.set(AxisIssuer, Fail, fault)
		return
	}
	c.set(AxisIssuer, Pass, ReasonSignatureValid)
}

// fault returns why a statement is not one that the issuer signed with this key for anchoring; ""
// if it is. The statement counts only if ok.
func (k *Key) fault(issuer string, s *statement.Statement, ok bool) Reason {
	switch {
	case k == nil:
		return ReasonKeyUnknown
	case k.Department != issuer:
		return ReasonKeyDepartment
	case !k.Purposes.Has(statement.PurposeAnchor):
		return ReasonKeyPurpose
	case !ok || !s.Verify(k.Public):
		return ReasonSignatureInvalid
	}
	return ""
}

// ended returns why the key is not, or no longer, good for something that is dated so; "" if it is.
func (k *Key) ended(dated uint64) Reason {
	switch {
	case k.State == KeyCompromised:
		return ReasonKeyCompromised
	case k.State != KeyActive:
		return ReasonKeyRetired
	case k.NotBefore != nil && dated < *k.NotBefore:
		return ReasonKeyNotYetValid
	case k.NotAfter != nil && dated > *k.NotAfter:
		return ReasonKeyExpired
	}
	return ""
}

// bindingReasons are the reasons of Key for a holder binding.
var bindingReasons = map[Reason]Reason{
	ReasonKeyUnknown:       ReasonBindingKeyUnknown,
	ReasonKeyDepartment:    ReasonBindingKeyDepartment,
	ReasonKeyPurpose:       ReasonBindingKeyPurpose,
	ReasonSignatureInvalid: ReasonBindingSignatureInvalid,
	ReasonKeyCompromised:   ReasonBindingKeyCompromised,
	ReasonKeyRetired:       ReasonBindingKeyRetired,
	ReasonKeyNotYetValid:   ReasonBindingKeyNotYetValid,
	ReasonKeyExpired:       ReasonBindingKeyExpired,
}
