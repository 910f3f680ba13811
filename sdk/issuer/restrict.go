package issuer

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/credledger/credledger/sdk/issuer/vault"
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
// the kind, which the vault can open.
//
// The vault first keeps the restriction's id and what opens its commitment, then the ledger changes,
// then the vault notes that it did. So a call that failed or was killed can be made again, and lays no
// second restriction.
func (iss *Issuer) Restrict(ctx context.Context, by vault.By, l *Subject, code string, effective *licence.Date) (RestrictionResult, error) {
	s, err := iss.restrictable(ctx, l, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	kept, err := iss.openings(ctx, l, OpensRestriction, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	for _, o := range kept {
		switch {
		case o.Settled:
		case s.restricted(o.Restriction):
			return RestrictionResult{o.Restriction, true}, iss.learn(ctx)
		default:
			return iss.submitRestriction(ctx, by, l, s, statement.RestrictionLay, o, effective)
		}
	}
	opening, err := iss.opening(OpensRestriction, code, l)
	if err == nil {
		err = iss.read(opening.Restriction[:])
	}
	if err == nil {
		err = iss.write(ctx, by, func(tx *vault.Tx) error { return tx.KeepOpening(opening) })
	}
	if err != nil {
		return RestrictionResult{}, err
	}
	return iss.submitRestriction(ctx, by, l, s, statement.RestrictionLay, opening, effective)
}

// Release lifts a restriction of a kind from a licence. id names it; it can be nil if one of the kind
// lies on the licence, and CodeAmbiguous lists them if there are several. effective is the first day
// without it, nil for today. Like Restrict it can be made again.
func (iss *Issuer) Release(ctx context.Context, by vault.By, l *Subject, code string, id *RestrictionID, effective *licence.Date) (RestrictionResult, error) {
	s, err := iss.restrictable(ctx, l, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	which, notOpen := iss.openRestriction(ctx, l, s, code, id)
	if notOpen != nil && Code(notOpen) != CodeRestrictionState {
		return RestrictionResult{}, notOpen
	}
	begun, err := iss.openings(ctx, l, OpensRelease, code)
	if err != nil {
		return RestrictionResult{}, err
	}
	for _, b := range begun {
		switch {
		case b.Settled:
		case notOpen == nil && b.Restriction == which:
			return iss.submitRestriction(ctx, by, l, s, statement.RestrictionLift, b, effective)
		case notOpen != nil && (id == nil || *id == b.Restriction):
			return RestrictionResult{b.Restriction, true}, iss.learn(ctx)
		}
	}
	if notOpen != nil {
		return RestrictionResult{}, notOpen
	}
	opening, err := iss.opening(OpensRelease, code, l)
	if err != nil {
		return RestrictionResult{}, err
	}
	opening.Restriction = which
	if err := iss.write(ctx, by, func(tx *vault.Tx) error { return tx.KeepOpening(opening) }); err != nil {
		return RestrictionResult{}, err
	}
	return iss.submitRestriction(ctx, by, l, s, statement.RestrictionLift, opening, effective)
}

// openings returns what the vault has kept about a licence under a key and code, oldest first.
func (iss *Issuer) openings(ctx context.Context, l *Subject, key, code string) ([]*vault.Opening, error) {
	kept, err := iss.vault.Openings(ctx, l.Place.Digest, key)
	var out []*vault.Opening
	for _, o := range kept {
		if o.Code == code {
			out = append(out, o)
		}
	}
	return out, err
}

// restrictable makes sure that the type of a licence has a kind of restriction, and returns the
// licence's standing.
func (iss *Issuer) restrictable(ctx context.Context, l *Subject, code string) (*standing, error) {
	t, err := iss.typ(l.Type)
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
	return iss.standing(ctx, l)
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
func (iss *Issuer) openRestriction(ctx context.Context, l *Subject, s *standing, code string, id *RestrictionID) (RestrictionID, error) {
	laid, err := iss.openings(ctx, l, OpensRestriction, code)
	if err != nil {
		return RestrictionID{}, err
	}
	var found []string
	var which RestrictionID
	for _, o := range laid {
		if s.restricted(o.Restriction) && (id == nil || *id == o.Restriction) {
			which = o.Restriction
			found = append(found, which.String())
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

// submitRestriction signs, submits, and has the vault note that it was done.
func (iss *Issuer) submitRestriction(ctx context.Context, by vault.By, l *Subject, s *standing, action string, opening *vault.Opening, effective *licence.Date) (RestrictionResult, error) {
	day := licence.DateOf(iss.now())
	if effective != nil {
		day = *effective
	}
	body := &statement.Restriction{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Licence: l.Place,
		Sequence: s.Restrictions.Sequence + 1, Action: action, ID: opening.Restriction,
		Ground: opening.Commitment(), Effective: int32(day), Previous: s.Restrictions.Last, SignedAt: iss.seconds(),
	}
	if err := iss.submitSigned(ctx, action+" the licence", statement.PurposeStatus, body); err != nil {
		return RestrictionResult{}, err
	}
	return RestrictionResult{ID: opening.Restriction}, iss.write(ctx, by, func(tx *vault.Tx) error {
		if l.ID == 0 {
			return tx.SettleOpening(opening.Commitment())
		}
		return tx.SetRestriction(body)
	})
}
