// Package grant is the release of fields of a licence by its issuer to another department, so that nobody
// collects them from the holder again: the holder's grant (授权用证), its withdrawal, the request and the
// answer to it.
//
//	grant       holder, or issuer on the holder's behalf   agency A may have these fields of this licence
//	                                                       for this matter, so many times, until then
//	request     agency                                     for these fields, under that grant or by law
//	answer      issuer                                     released, under what, or refused, and why
//	withdrawal  as a grant                                 no more
//
// Each is a statement (see package statement) under a typ of its own. None goes to the ledger, which
// learns of a grant and of its withdrawal by a Consent over the grant's digest, SM3 of its payload: that
// the grant is salted keeps anybody from finding out by trying what was granted. What is released is a
// presentation (package credential), sealed (package envelope) to the key that the request names, and
// judged as any presentation is: it needs nothing of this package.
//
// The Read functions check what holds for good: form, ledger, and that whoever signed was the one to do
// so. What depends on the moment is asked separately: Grant.MayBeGiven, Request.Current, Held.Covers.
// Package policy decides what becomes of a request. Both parties keep an Evidence file, which anybody
// can check who has the ledger.
//
// The package does no I/O, reads no clock and counts no uses: who answers has to count a use in the
// same transaction that keeps the answer. SPEC, section 22, has the details.
package grant

import (
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Skew is how far two departments' clocks may be apart, in seconds.
const Skew = 120

// A Grant is a grant that was given by whom it says. It is not changed.
type Grant struct {
	*statement.Grant
	Digest  sm.Hash  // SM3 of the payload: its name on the ledger
	Binding *Binding // of the holder's key; nil if the issuer signed
	Signer  KeyState // of the department's key that speaks for it: the grant's, or the binding's
}

// A Binding is the issuer's word that a key is a holder's.
type Binding struct {
	*statement.Binding
	Digest sm.Hash // SM3 of the payload
}

// ReadGrant reads a signed grant. Binding is the signed binding of the holder's key, nil if the issuer
// signed on the holder's behalf. The error is an *[Error], or one of package statement.
func ReadGrant(signed, binding []byte, v View) (*Grant, error) {
	body, s, err := statement.ParseAs[*statement.Grant](signed)
	if err != nil {
		return nil, err
	}
	g := &Grant{Grant: body, Digest: sm.Sum(s.Payload)}
	by := will{body.Issuer, body.Licence, body.Means, body.Evidence, body.SignedAt}
	if g.Binding, g.Signer, err = by.check(s, binding, v); err != nil {
		return nil, err
	}
	return g, nil
}

// MayBeGiven reports why the issuer may not, now, record on the ledger that the grant was given: the
// binding or a key has come to its end, the grant has, or it was withdrawn. Now is in seconds since
// 1970-01-01T00:00:00Z. Once recorded, a grant does not depend on binding and key any more: what ends it
// is its date, its uses and its withdrawal.
func (g *Grant) MayBeGiven(v View, now uint64) error {
	switch {
	case g.Signer == KeyRetired:
		return errorf(CodeKeyRetired, "the issuer's key behind the grant was retired: give a new grant")
	case g.Binding != nil && now+Skew < g.Binding.NotBefore:
		return errorf(CodeBindingNotYetValid, "the holder's key is not bound to the licence yet")
	case g.Binding != nil && now > g.Binding.NotAfter:
		return errorf(CodeBindingExpired, "the binding of the holder's key has expired: have the key bound again")
	case g.Binding != nil && v.Consent(g.Issuer, g.Binding.Digest) == statement.ConsentWithdraw:
		return errorf(CodeBindingWithdrawn, "the binding of the holder's key was withdrawn: have the key bound again")
	case now+Skew < g.SignedAt:
		return errorf(CodeNotYetValid, "the grant is signed in the future: set the clock")
	case now > g.NotAfter:
		return errorf(CodeExpired, "the grant has expired: give a new one")
	case v.Consent(g.Issuer, g.Digest) == statement.ConsentWithdraw:
		return errorf(CodeWithdrawn, "the grant was withdrawn, which is final: give a new one")
	}
	return nil
}

// Beyond returns those of the fields that the grant is not about.
func (g *Grant) Beyond(fields []string) []string {
	var out []string
	for _, f := range fields {
		if _, ok := slices.BinarySearch(g.Fields, f); !ok {
			out = append(out, f)
		}
	}
	return out
}

// A Held grant is one as the department holds it that answers.
type Held struct {
	*Grant
	Given     bool   // the ledger has that it was given
	Withdrawn bool   // the ledger has that it was withdrawn
	Used      uint32 // how many times, by the department's own count
}

// Hold adds to a grant what the ledger says of it, and the department's count of its uses.
func (g *Grant) Hold(v View, used uint32) *Held {
	state := v.Consent(g.Issuer, g.Digest)
	return &Held{Grant: g, Given: state != "", Withdrawn: state == statement.ConsentWithdraw, Used: used}
}

// Covers reports why a request cannot, now, be answered under the grant, whatever its fields (see
// Beyond); nil if it can. Now is in seconds since 1970-01-01T00:00:00Z, by the clock of whoever
// answers, to the second.
func (h *Held) Covers(r *Request, now uint64) error {
	if err := h.about(r); err != nil {
		return err
	}
	switch {
	case h.Withdrawn:
		return errorf(CodeWithdrawn, "the holder has withdrawn the grant")
	case !h.Given:
		return errorf(CodeNotGiven, "the ledger does not have yet that the grant was given: try again in a moment")
	case now < h.NotBefore:
		return errorf(CodeNotYetValid, "the grant does not hold yet")
	case now > h.NotAfter:
		return errorf(CodeExpired, "the grant has expired: ask the holder for a new one")
	case h.Used >= h.Uses:
		return errorf(CodeUsedUp, "the grant was used as many times as it allows: ask the holder for a new one")
	}
	return nil
}

// about reports whether a request is one that the grant is for.
func (g *Grant) about(r *Request) error {
	switch {
	case r.Grant == nil || *r.Grant != g.Digest:
		return errorf(CodeGrantDiffers, "the request does not name this grant")
	case r.Issuer != g.Issuer:
		return errorf(CodeOtherIssuer, "the grant is for the licence of another issuer")
	case r.Agency != g.Agency:
		return errorf(CodeOtherAgency, "the grant is for another agency than the one that asks")
	case r.Licence == nil || *r.Licence != g.Licence || r.Type != g.Type:
		return errorf(CodeOtherLicence, "the grant is for another licence than the one asked for")
	case r.Matter != g.Matter:
		return errorf(CodeOtherMatter, "the grant is for another matter than the one asked for")
	}
	return nil
}

// A Withdrawal is one that came from whom it says. It is not changed.
type Withdrawal struct {
	*statement.Withdrawal
	Signer KeyState // as in a Grant
}

// ReadWithdrawal reads the signed withdrawal of a grant. Binding is as in ReadGrant, and may be another
// one of the same licence: whoever has a new telephone can withdraw what was given with the old one. That a
// binding was withdrawn, or its key retired, keeps nobody from taking a grant back.
func ReadWithdrawal(signed, binding []byte, g *Grant, v View) (*Withdrawal, error) {
	body, s, err := statement.ParseAs[*statement.Withdrawal](signed)
	if err != nil {
		return nil, err
	}
	if body.Grant != g.Digest || body.Issuer != g.Issuer {
		return nil, errorf(CodeGrantDiffers, "the withdrawal is of another grant")
	}
	w := &Withdrawal{Withdrawal: body}
	by := will{body.Issuer, g.Licence, body.Means, body.Evidence, body.SignedAt}
	if _, w.Signer, err = by.check(s, binding, v); err != nil {
		return nil, err
	}
	return w, nil
}
