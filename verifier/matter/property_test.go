package matter_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/matter"
)

// TestAnyCase: of any items, in any order, the outcome is the same, it is not better than any part
// of the case allows, every item has exactly one place, and it can be told as JSON.
func TestAnyCase(t *testing.T) {
	s := newSale(t)
	mortgaged, revoked, second := s.title(nil), s.marriage(nil), s.title(nil)
	mortgaged.Restrict()
	revoked.SetStatus(licence.Revoked)
	for _, l := range []struct{ typ, key, value string }{
		{"divorce", "formerSpouse1Id", heID}, {"no-record", "subjectId", heID}, {"no-record", "subjectId", sheID}, {"no-record", "recordsFound", "2"},
	} {
		s.print(s.city.IssueDocument(l.typ, 0, map[string]any{l.key: l.value}))
	}
	s.print(s.title(nil))
	s.print(mortgaged)
	s.print(revoked)
	s.print(s.marriage(nil))
	s.prove(second, s.matter.Fields("property")...)
	s.prove(second, "rightHolders")
	s.items = append(s.items, matter.Item{}, matter.Item{Verdict: s.verdict(s.title(nil), "rightHolders")})
	pool := s.items
	severity := []matter.Outcome{matter.Invalid, matter.NotCurrent, matter.Inconsistent, matter.Incomplete, matter.Undetermined, matter.Restricted, matter.Valid, matter.NotPresented}
	rank := func(o matter.Outcome) int { return slices.Index(severity, o) }

	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), 0, len(pool), rapid.ID[int]).Draw(t, "items")
		items := make([]matter.Item, len(chosen))
		for i, x := range chosen {
			items[i] = pool[x]
			items[i].IdentityChecked = rapid.Bool().Draw(t, "identity checked")
		}
		r := matter.Evaluate(s.matter, items, 20764, 20764)

		places := slices.Clone(r.Unused)
		for _, q := range r.Requirements {
			for _, l := range q.Licences {
				places = append(places, l.Items...)
				if rank(q.Outcome) > rank(l.Outcome) {
					t.Errorf("requirement %s is %s with a licence that is %s", q.Role, q.Outcome, l.Outcome)
				}
			}
			if q.Outcome != matter.NotPresented && rank(r.Outcome) > rank(q.Outcome) {
				t.Errorf("the case is %s with a requirement that is %s", r.Outcome, q.Outcome)
			}
		}
		slices.Sort(places)
		for i, at := range places {
			if at != i || len(places) != len(items) {
				t.Fatalf("places %v of %d items", places, len(items))
			}
		}
		for _, rule := range r.Rules {
			if rule.Result == matter.Fail && rank(r.Outcome) > rank(matter.Inconsistent) || rule.Result == matter.Unknown && rank(r.Outcome) > rank(matter.Undetermined) {
				t.Errorf("the case is %s with rule %s %s", r.Outcome, rule.ID, rule.Result)
			}
		}
		if (len(r.Missing) > 0) && rank(r.Outcome) > rank(matter.Incomplete) {
			t.Errorf("the case is %s with %d things missing", r.Outcome, len(r.Missing))
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}

		order := rapid.Permutation(items).Draw(t, "order")
		other := matter.Evaluate(s.matter, order, 20764, 20764)
		if other.Outcome != r.Outcome || !reflect.DeepEqual(other.Rules, r.Rules) || len(other.Missing) != len(r.Missing) {
			t.Errorf("in another order it is %s instead of %s", other.Outcome, r.Outcome)
		}
	})
}
