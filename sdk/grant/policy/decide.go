package policy

import (
	"slices"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/statement"
)

// An Outcome is what has to become of a request. A refusal of what must be answered, and silence until it
// was due, is a refusal to share (拒不共享).
type Outcome string

// The outcomes.
const (
	MustAnswer Outcome = "must-answer" // all the fields asked for: nothing else, and no silence
	NeedsGrant Outcome = "needs-grant" // it can be asked again under a grant
	MayNot     Outcome = "may-not"     // no grant helps
)

// Codes of decisions; they are part of the interface and never change. NeedsGrant may also have the code
// of what is wrong with the grant, one of package grant that begins with "grant-".
const (
	CodeBasis         = "basis"           // MustAnswer: by law alone
	CodeGrant         = "grant"           // MustAnswer: under the grant alone
	CodeBasisAndGrant = "basis-and-grant" // MustAnswer: some fields by law, the others under the grant
	CodeNoBasis       = "no-basis"        // NeedsGrant: fields that no basis covers, and no grant is named
	CodeExcluded      = "excluded"        // MayNot: fields on the negative list
	CodeNotInForce    = "policy-not-in-force"
)

// A Decision is what Decide finds. The lists are in ascending order, each field once; together they are the
// fields asked for.
type Decision struct {
	Outcome Outcome
	Code    string

	Fields   []string // that may be given: with MustAnswer, all that were asked for
	Lacking  []string // that neither the law gives nor a grant
	Excluded []string // that are on the negative list

	Bases []string // ids of the legal bases of Fields, ascending
	// Grant says that some of Fields rest on the grant: with MustAnswer, it has to be used.
	Grant bool
	// Due is when the answer is due, refusals too, in seconds since 1970-01-01T00:00:00Z: the shortest
	// time of all that it rests on, counted from now.
	Due uint64
}

// Decide says what has to become of a request. The grant is the one that the request names, as the department
// holds it that answers; nil if the request names none, or the department does not have it. Now is when the
// request came in, in seconds since 1970-01-01T00:00:00Z.
//
// Each field is looked at by itself: the negative list comes first, then the law, then the grant. So a
// grant that has expired is no obstacle to what the law gives, and is not used up by it.
func Decide(r *grant.Request, held *grant.Held, p *Policy, now uint64) Decision {
	today := dayOf(now)
	d := Decision{Due: now + uint64(p.AnswerWithin)}
	if today < p.from {
		d.Outcome, d.Code, d.Lacking = MayNot, CodeNotInForce, slices.Clone(r.Fields)
		return d
	}
	var bases []*Basis
	for i := range p.Bases {
		if b := &p.Bases[i]; b.about(r.Request, today) {
			bases = append(bases, b)
		}
	}
	fault := grantFault(r, held, now)
	within, byGrant := 0, []string(nil)
	for _, field := range r.Fields {
		b := covering(bases, field)
		switch {
		case slices.ContainsFunc(p.Negative, func(x Exclusion) bool { return x.about(r.Request, field, today) }):
			d.Excluded = append(d.Excluded, field)
		case b != nil:
			d.Fields = append(d.Fields, field)
			d.Bases = append(d.Bases, b.ID)
			within = shorter(within, b.answerWithin(p))
		case fault == "" && len(held.Beyond([]string{field})) == 0:
			d.Fields = append(d.Fields, field)
			byGrant = append(byGrant, field)
			within = shorter(within, p.AnswerWithin)
		default:
			d.Lacking = append(d.Lacking, field)
		}
	}
	slices.Sort(d.Bases)
	d.Bases, d.Grant = slices.Compact(d.Bases), len(byGrant) > 0
	d.Outcome, d.Code = d.outcome(fault)
	if d.Outcome == MustAnswer {
		d.Due = now + uint64(within)
	}
	return d
}

func (d *Decision) outcome(fault string) (Outcome, string) {
	switch {
	case len(d.Excluded) > 0:
		return MayNot, CodeExcluded
	case len(d.Lacking) > 0 && fault == "":
		return NeedsGrant, grant.CodeBeyond
	case len(d.Lacking) > 0:
		return NeedsGrant, fault
	case !d.Grant:
		return MustAnswer, CodeBasis
	case len(d.Bases) == 0:
		return MustAnswer, CodeGrant
	}
	return MustAnswer, CodeBasisAndGrant
}

// grantFault returns why no field can be given under the grant; "" if fields can.
func grantFault(r *grant.Request, held *grant.Held, now uint64) string {
	switch {
	case r.Grant == nil:
		return CodeNoBasis
	case held == nil:
		return grant.CodeGrantMissing
	}
	return grant.Code(held.Covers(r, now))
}

// covering returns the first basis that gives a field; nil if none does.
func covering(bases []*Basis, field string) *Basis {
	for _, b := range bases {
		if slices.Contains(b.Fields, field) {
			return b
		}
	}
	return nil
}

func (b *Basis) answerWithin(p *Policy) int {
	if b.AnswerWithin > 0 {
		return b.AnswerWithin
	}
	return p.AnswerWithin
}

func shorter(a, b int) int {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// Answer fills in what an answer says of the decision: outcome, reason, bases, fields and, if it is used,
// the grant. With a release, the caller adds the number of the use and the presentation.
func (d *Decision) Answer(r *grant.Request, p *Published, signedAt uint64) *statement.Answer {
	a := &statement.Answer{
		Ledger: r.Ledger, Issuer: r.Issuer, Request: r.Digest, Outcome: statement.AnswerRefused, Reason: d.Code,
		Policy: p.Digest, SignedAt: signedAt,
	}
	if d.Outcome != MustAnswer {
		return a
	}
	a.Outcome, a.Basis, a.Fields = statement.AnswerReleased, d.Bases, d.Fields
	if d.Grant {
		a.Grant = r.Grant
	}
	return a
}
