package issuer

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// A RestrictionID is the random name of a restriction on the ledger.
type RestrictionID [16]byte

// String returns 32 lower-case hexadecimal digits.
func (id RestrictionID) String() string { return hex.EncodeToString(id[:]) }

// A RestrictionResult is what came of Restrict or Release.
type RestrictionResult struct {
	ID RestrictionID
	// Earlier: an earlier call, which was interrupted before it could say so, had laid or lifted this
	// restriction. This call did nothing else; made again it would lay or lift another one.
	Earlier bool
}

// Restrict lays a restriction of a kind that the type has (a seizure, a mortgage) on a licence; its
// status stays what it is. effective is the first day, nil for today. The ledger gets a commitment to
// the kind, which the register can open.
//
// The register first keeps the restriction's id and what opens its commitment, then the ledger
// changes, then the register notes that it did. So a call that failed or was killed can be made
// again, and lays no second restriction.
func (iss *Issuer) Restrict(ctx context.Context, o *credential.Opened, code string, effective *licence.Date) (RestrictionResult, error) {
	s, err := iss.restrictable(ctx, o, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	begun, err := iss.unsettled(ctx, o, OpensRestriction, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	if len(begun) == 0 {
		opening, err := iss.opening(OpensRestriction, code, o.Digest)
		if err == nil {
			err = iss.read(opening.Restriction[:])
		}
		if err == nil {
			err = iss.register.keep(ctx, []*Opening{opening}, iss.seconds())
		}
		if err != nil {
			return RestrictionResult{}, err
		}
		begun = []*Opening{opening}
	}
	if s.restricted(begun[0].Restriction) {
		return RestrictionResult{begun[0].Restriction, true}, iss.register.settled(ctx, begun[:1])
	}
	return iss.submitRestriction(ctx, o, s, statement.RestrictionLay, begun[0], effective)
}

// Release lifts a restriction of a kind from a licence. id names it; it can be nil if one of the kind
// lies on the licence, and CodeAmbiguous lists them if there are several. effective is the first day
// without it, nil for today. Like Restrict it can be made again.
func (iss *Issuer) Release(ctx context.Context, o *credential.Opened, code string, id *RestrictionID, effective *licence.Date) (RestrictionResult, error) {
	s, err := iss.restrictable(ctx, o, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	begun, err := iss.unsettled(ctx, o, OpensRelease, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	which, notOpen := iss.openRestriction(ctx, o, s, code, id)
	if notOpen != nil && Code(notOpen) != CodeRestrictionState {
		return RestrictionResult{}, notOpen
	}
	for _, b := range begun {
		switch {
		case notOpen == nil && b.Restriction == which:
			return iss.submitRestriction(ctx, o, s, statement.RestrictionLift, b, effective)
		case notOpen != nil && (id == nil || *id == b.Restriction):
			return RestrictionResult{b.Restriction, true}, iss.register.settled(ctx, []*Opening{b})
		}
	}
	if notOpen != nil {
		return RestrictionResult{}, notOpen
	}
	opening, err := iss.opening(OpensRelease, code, o.Digest)
	if err != nil {
		return RestrictionResult{}, err
	}
	opening.Restriction = which
	if err := iss.register.keep(ctx, []*Opening{opening}, iss.seconds()); err != nil {
		return RestrictionResult{}, err
	}
	return iss.submitRestriction(ctx, o, s, statement.RestrictionLift, opening, effective)
}

// unsettled returns what earlier calls had begun, and of which it is not known whether the ledger
// has it.
func (iss *Issuer) unsettled(ctx context.Context, o *credential.Opened, key, code string) ([]*Opening, error) {
	kept, err := iss.register.openingsOf(ctx, o.Digest, key, code)
	var out []*Opening
	for _, k := range kept {
		if !k.settled {
			out = append(out, k.Opening)
		}
	}
	return out, err
}

// restrictable makes sure that the type of a licence has a kind of restriction, and returns the
// licence's standing.
func (iss *Issuer) restrictable(ctx context.Context, o *credential.Opened, code string) (*standing, error) {
	if len(iss.status) == 0 {
		return nil, errorf(CodeSignerMissing, nil, "a restriction needs a key of the department for status")
	}
	if err := iss.ours(o); err != nil {
		return nil, err
	}
	t, err := iss.typ(o.Type.ID)
	if err != nil {
		return nil, err
	}
	if _, ok := t.Restriction(code); !ok {
		var codes []string
		for _, r := range t.Restrictions {
			codes = append(codes, r.Code)
		}
		return nil, errorf(CodeRestriction, nil, "the type %s has no such restriction; it has: %s", t.ID, strings.Join(codes, ", "))
	}
	return iss.standing(ctx, o)
}

// restricted reports whether a restriction lies on the licence.
func (s *standing) restricted(id RestrictionID) bool {
	for _, open := range s.Restrictions.Open {
		if open.ID == id.String() {
			return true
		}
	}
	return false
}

// openRestriction returns the restriction of a kind that lies on a licence.
func (iss *Issuer) openRestriction(ctx context.Context, o *credential.Opened, s *standing, code string, id *RestrictionID) (RestrictionID, error) {
	laid, err := iss.register.openingsOf(ctx, o.Digest, OpensRestriction, code)
	if err != nil {
		return RestrictionID{}, err
	}
	var found []string
	var which RestrictionID
	for _, l := range laid {
		if s.restricted(l.Restriction) && (id == nil || *id == l.Restriction) {
			which = l.Restriction
			found = append(found, l.Restriction.String())
		}
	}
	switch len(found) {
	case 0:
		return which, errorf(CodeRestrictionState, nil, "no such restriction lies on the licence")
	case 1:
		return which, nil
	}
	return which, errorf(CodeAmbiguous, nil, "several restrictions of this kind lie on the licence; name one of %s", strings.Join(found, ", "))
}

// submitRestriction signs, submits, and notes in the register that it was done.
func (iss *Issuer) submitRestriction(ctx context.Context, o *credential.Opened, s *standing, action string, opening *Opening, effective *licence.Date) (RestrictionResult, error) {
	day := licence.DateOf(iss.now())
	if effective != nil {
		day = *effective
	}
	signed, err := signAll(&statement.Restriction{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Licence: o.Place(),
		Sequence: s.Restrictions.Sequence + 1, Action: action, ID: opening.Restriction,
		Ground: opening.Commitment(), Effective: int32(day), Previous: s.Restrictions.Last, SignedAt: iss.seconds(),
	}, iss.status[:1])
	if err != nil {
		return RestrictionResult{}, err
	}
	if _, err := iss.ledger.Submit(ctx, &chaincode.Transaction{Statements: signed}); err != nil {
		return RestrictionResult{}, ledgerError(action+" the licence", err)
	}
	return RestrictionResult{ID: opening.Restriction}, iss.register.settled(ctx, []*Opening{opening})
}
