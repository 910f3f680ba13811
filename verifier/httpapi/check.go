package httpapi

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/intake"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// A verification goes through these steps, in this order:
//
//	context  may this caller ask so at all? (agencies)
//	find     what was shown becomes one presentation, or the reference to one
//	take     which is taken from there, once
//	permit   may this caller ask for this, and how often?
//	redeem   the challenge that it answers is used up
//	judge    the verdict
//	record   in the access log, durably, and signed; without it nothing is answered
//	answer   without what the caller may not see, and with the receipt

// An item is a presentation with what belongs to it.
type item struct {
	intake.Item
	reference string   // token of the reference that the presentation has yet to be taken from; then there is no Item
	file      *sm.Hash // SM3 of the file that came with it
	audience  string   // of the challenge that it answers, once that is redeemed
	nonce     []byte   // nil if it answers none
}

// find finds the presentation in what was shown, or the reference to it.
func (c *call) find(s *shown) (*item, error) {
	if s.sealed != nil {
		return unseal(c.caller.session, s.sealed)
	}
	found, err := c.Intake.Read(c.R.Context(), s.Input)
	if err != nil {
		return nil, err
	}
	i := &item{reference: found.Reference, file: found.File}
	if i.reference == "" {
		i.Item, err = found.One()
	}
	return i, err
}

// take takes the presentation from behind its reference, if it is behind one.
func (c *call) take(i *item) error {
	if i.reference == "" {
		return nil
	}
	b, err := c.Store.TakeReference(c.R.Context(), i.reference)
	if err == nil {
		i.Item = intake.Stored(b)
	}
	return err
}

// typ returns the type that the presentation claims, "" if it cannot be read.
func (i *item) typ() string {
	if i.Parsed == nil {
		return ""
	}
	return i.Parsed.Record.Type
}

// redeem uses the challenge up that is named, or that the holder proof of a reference names: a wallet
// answers a challenge before anybody knows who will take the reference. A challenge that is named
// has to be good; one that only the proof names may be nobody's, which the verdict then says.
func (c *call) redeem(i *item, s *shown) error {
	switch {
	case s.nonce != nil:
		audience, err := c.audience(s.audience)
		if err == nil {
			err = c.Store.RedeemChallenge(c.R.Context(), s.nonce, audience)
		}
		if err != nil {
			return err
		}
		i.nonce, i.audience = s.nonce, audience
	case i.reference != "" && i.Parsed != nil && i.Parsed.Holder != nil:
		h := i.Parsed.Holder
		if !slices.Contains(c.audiences(), h.Audience) {
			return nil
		}
		err := c.Store.RedeemChallenge(c.R.Context(), h.Nonce, h.Audience)
		switch store.Code(err) {
		case "":
			i.nonce, i.audience = h.Nonce, h.Audience
		case store.CodeChallengeUnknown, store.CodeChallengeUsed, store.CodeChallengeExpired:
		default:
			return err
		}
	}
	return nil
}

// judge gives the verdict. A file that came with a credential has to be one of the licence's.
func (c *call) judge(i *item, asOf *licence.Date, holderRequired bool) (*verify.Verdict, error) {
	v := verify.Verify(c.View, verify.Request{
		Presentation: i.Bytes, Parsed: i.Parsed, Now: c.Now(), AsOf: asOf,
		Audience: i.audience, Nonce: i.nonce, HolderRequired: holderRequired,
	})
	if i.file != nil && v.Finding(verify.AxisContent).Result == verify.Pass {
		if err := intake.Belongs(v.Opened, *i.file); err != nil {
			return nil, err
		}
	}
	return &v, nil
}

// withhold leaves out of the verdict what an agency may not see or did not ask for; the public sees
// what is disclosed. It returns the keys of what is given out, and of what is not.
func (c *call) withhold(v *verify.Verdict, asked []string) (given, withheld []string) {
	if v.Opened == nil || v.Outcome == verify.Invalid { // then nothing is told anyway
		return nil, []string{}
	}
	typ, may := v.Opened.Record.Type, c.caller.agency
	withheld = v.Withhold(func(key string) bool {
		return may == nil || may.May(typ, key) && (asked == nil || slices.Contains(asked, key))
	})
	leaves := v.Opened.Type.Leaves()
	for i := range v.Opened.Fields {
		if key := leaves[v.Opened.Fields[i].Index]; !slices.Contains(withheld, key) {
			given = append(given, key)
		}
	}
	return given, append([]string{}, withheld...)
}

// A whole is what the entries of one case have in common. That of a verification by itself is zero.
type whole struct {
	call    access.Call
	overall matter.Outcome
}

// record puts the verification into the access log, and returns the receipt for it.
func (c *call) record(ctx context.Context, i *item, v *verify.Verdict, who agency.Context, given []string, of whole) (*receipt.File, error) {
	known := v.Known
	if v.Opened == nil {
		known = c.View.Licence("", sm.Hash{}, sm.Hash{}) // of nobody: it says where the view stands
	}
	d := accesslog.Draft{
		Entry: access.Entry{
			Time: uint64(v.Now.Unix()), Call: of.call, Clerk: who.Clerk, Unit: who.Unit, Matter: who.Matter, Case: who.Case, OnBehalf: who.OnBehalf,
			Fields: given, Outcome: string(v.Outcome), Reasons: v.Reasons(), Day: int32(v.Day),
			Height: known.Height, Heartbeat: known.Heartbeat.Time, Overall: string(of.overall),
		},
		Presentation: sm.Sum(i.Bytes),
	}
	if c.caller.agency != nil {
		d.Entry.Agency = c.caller.agency.ID
	}
	if v.Opened != nil {
		d.Entry.Type, d.Issuer, d.Digest = v.Opened.Record.Type, v.Opened.Record.Issuer, v.Opened.Digest
	}
	p, err := c.AccessLog.Append(ctx, &d)
	if err != nil {
		return nil, &rest.Problem{Code: codeLogUnavailable, Detail: "the verification cannot be recorded, so it is not answered; try again soon",
			RetryAfter: 2 * time.Second, Cause: err}
	}
	return &receipt.File{Entry: p.Entry, Encoded: p.Encoded, Salt: p.Salt, Presentation: d.Presentation, Proof: p.Proof}, nil
}

// context completes what an agency says about who asks and what for: of a clerk, the session knows.
func (c *call) context(said agency.Context) (agency.Context, error) {
	if c.caller.kind != CallerClerk {
		return said, nil
	}
	if said.Clerk != "" || said.Unit != "" {
		p := rest.Refuse(rest.CodeMemberInvalid, "clerk and unit are those who signed in; leave them out")
		p.Member = "/context"
		return said, p
	}
	said.Clerk, said.Unit = c.caller.clerk.Name, c.caller.clerk.Unit
	return said, nil
}
