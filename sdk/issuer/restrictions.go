package issuer

import (
	"context"
	"encoding/hex"

	"github.com/credledger/credledger/sdk/licence"
)

// A Restriction is one that lies on a licence.
type Restriction struct {
	ID        RestrictionID
	Code      string       // of its kind, in the licence type; "" if this vault does not know
	Effective licence.Date // first day
}

// ParseRestrictionID is the inverse of String and accepts nothing else. Error: CodeArguments.
func ParseRestrictionID(s string) (RestrictionID, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(RestrictionID{}) || hex.EncodeToString(b) != s {
		return RestrictionID{}, errorf(CodeArguments, nil, "the id of a restriction is 32 lower-case hexadecimal digits")
	}
	return RestrictionID(b), nil
}

// Restrictions returns those that lie on a licence now, in the order of their ids. Errors: CodeNotAnchored; those of the
// ledger and the vault.
func (iss *Issuer) Restrictions(ctx context.Context, l *Subject) ([]Restriction, error) {
	s, err := iss.standing(ctx, l)
	if err != nil || len(s.Restrictions.Open) == 0 {
		return nil, err
	}
	kept, err := iss.vault.Openings(ctx, l.Place.Digest, OpensRestriction)
	if err != nil {
		return nil, err
	}
	out := make([]Restriction, len(s.Restrictions.Open))
	for i, open := range s.Restrictions.Open {
		out[i].Effective = open.Effective
		if out[i].ID, err = ParseRestrictionID(open.ID); err != nil {
			return nil, err
		}
		for _, k := range kept {
			if k.Restriction == out[i].ID {
				out[i].Code = k.Code
			}
		}
	}
	return out, nil
}
