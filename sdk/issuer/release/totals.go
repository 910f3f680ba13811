package release

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

// A Total is how many requests of one kind were answered.
type Total struct {
	Agency, Matter, Type string
	Outcome              string   // statement.AnswerReleased or AnswerRefused
	Reason               string   // code of the decision
	Bases                []string // ids of the legal bases that were released under
	Answers              int64
}

// Totals returns how many answers were given from one time on and before another, ordered by agency, matter, type, outcome,
// reason and bases. The access log has the same, and shows it to others.
func (d *Desk) Totals(ctx context.Context, from, until time.Time) ([]Total, error) {
	counted := map[string]*Total{}
	err := d.c.Vault.AnswersBetween(ctx, from, until, func(kept *vault.Answer) error {
		a, err := readAnswer(kept)
		if err != nil {
			return err
		}
		t := &Total{Agency: a.Request.Agency, Matter: a.Request.Matter, Type: a.Request.Type, Outcome: a.Answer.Outcome, Reason: a.Answer.Reason, Bases: a.Answer.Basis}
		if known := counted[t.key()]; known != nil {
			t = known
		}
		t.Answers++
		counted[t.key()] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Total, 0, len(counted))
	for _, t := range counted {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int { return cmp.Compare(a.key(), b.key()) })
	return out, nil
}

// key is what a total is counted by: ids and codes have no control characters.
func (t *Total) key() string {
	return strings.Join(append([]string{t.Agency, t.Matter, t.Type, t.Outcome, t.Reason}, t.Bases...), "\n")
}
