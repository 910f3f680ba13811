package matter

import (
	"fmt"
	"strings"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// MaxItems is the greatest number of items of a case.
const MaxItems = 64

// An Item is one presentation that was shown for a case.
type Item struct {
	// Verdict is the verdict on it, of a request that required no holder's proof: the matter says
	// which holders have to show it.
	Verdict *verify.Verdict

	// IdentityChecked is the clerk's word that the identity documents of all those who have to show
	// the licence were compared with it; it stands in for their proofs, so that a print will do.
	IdentityChecked bool
}

// A shown licence is one that one or several items show.
type shown struct {
	*LicenceResult
	verdicts []*verify.Verdict
}

// Evaluate judges what was shown for a case as of a day; today is the day on which that is done.
//
// Items of one licence are taken together, so that each of its holders can show it. Whatever is
// invalid makes the case invalid, even if the matter has no place for it; so does a holder's proof
// that fails where one is needed. Other items that the matter has no place for are of no account.
func Evaluate(m *Matter, items []Item, day, today licence.Date) Result {
	r := Result{
		Matter: m.ID, Version: m.Version, Day: day.String(), Outcome: Valid,
		Requirements: make([]RequirementResult, len(m.Requirements)), Rules: make([]RuleResult, len(m.Rules)),
		Missing: []Missing{}, Unused: []int{}, Departments: m.Departments,
	}
	byRequirement := r.group(m, items)
	for i := range m.Requirements {
		r.require(&m.Requirements[i], byRequirement[i], &r.Requirements[i])
		if o := r.Requirements[i].Outcome; o != NotPresented {
			r.Outcome = worse(r.Outcome, o)
		}
	}
	facts := newFacts(byRequirement, day)
	for i := range m.Rules {
		rule := &m.Rules[i]
		judgement := facts.judge(rule)
		r.Rules[i] = RuleResult{rule.ID, rule.Text, judgement}
		switch judgement {
		case Fail:
			r.Outcome = worse(r.Outcome, Inconsistent)
		case Unknown:
			r.Outcome = worse(r.Outcome, Undetermined)
		}
	}
	r.Text = r.Outcome.TextOn(day, today)
	return r
}

// group puts the items of one licence together, by requirement.
func (r *Result) group(m *Matter, items []Item) [][]shown {
	type name struct {
		issuer string
		digest sm.Hash
	}
	groups := make([][]shown, len(m.Requirements))
	seen := map[name]int{} // index in its group
	for i := range items {
		v := items[i].Verdict
		if v == nil || v.Presentation == nil {
			r.leave(i, v)
			continue
		}
		requirement, alternative := m.alternative(v.Presentation.Record.Type)
		if alternative == nil {
			r.leave(i, v)
			continue
		}
		group := &groups[requirement]
		at := len(*group)
		if v.Opened != nil {
			key := name{v.Opened.Record.Issuer, v.Opened.Digest}
			if known, ok := seen[key]; ok {
				at = known
			} else {
				seen[key] = at
			}
		}
		if at == len(*group) {
			*group = append(*group, shown{LicenceResult: &LicenceResult{Type: alternative.Type, Outcome: Valid}})
		}
		s := &(*group)[at]
		s.Items = append(s.Items, i)
		s.verdicts = append(s.verdicts, v)
		s.IdentityChecked = s.IdentityChecked || items[i].IdentityChecked
	}
	for i := range groups {
		for j := range groups[i] {
			s := &groups[i][j]
			_, alternative := m.alternative(s.Type)
			s.judge(alternative)
		}
	}
	return groups
}

// leave notes an item that the matter has no place for.
func (r *Result) leave(i int, v *verify.Verdict) {
	r.Unused = append(r.Unused, i)
	if v != nil && v.Outcome == verify.Invalid {
		r.Outcome = Invalid
	}
}

// judge sums up the verdicts on one licence, and counts the holders who showed it.
func (s *shown) judge(a *Alternative) {
	holders := map[[64]byte]bool{}
	for _, v := range s.verdicts {
		outcome, known := outcomes[v.Outcome]
		if !known {
			outcome = Undetermined
		}
		switch proof := v.Finding(verify.AxisHolder).Result; {
		case proof == verify.Fail && a.Show != ShowNone:
			outcome = Invalid
		case proof == verify.Pass:
			holders[v.Presentation.Holder.Key] = true
		}
		s.Outcome = worse(s.Outcome, outcome)
	}
	s.HoldersProven = len(holders)
	switch a.Show {
	case ShowOne:
		s.HoldersNeeded = 1
	case ShowAll:
		value, _ := s.value(a.Holders)
		s.HoldersNeeded = max(value.Len(), 1)
	}
}

// value returns the value of a field; disclosed is false if no item discloses it.
func (s *shown) value(key string) (value licence.Value, disclosed bool) {
	for _, v := range s.verdicts {
		if v.Opened == nil {
			continue
		}
		if value, disclosed = v.Opened.Value(key); disclosed {
			return value, true
		}
	}
	return licence.Null, false
}

// genuine reports whether what the licence says can be believed.
func (s *shown) genuine() bool {
	return s.verdicts[0].Opened != nil && (s.Outcome == Valid || s.Outcome == Restricted || s.Outcome == NotCurrent)
}

// require says whether a requirement is met, and what is missing.
func (r *Result) require(want *Requirement, group []shown, out *RequirementResult) {
	out.Role, out.Name, out.Outcome = want.Role, want.Name, Valid
	out.Licences = make([]LicenceResult, len(group))
	lacks := func(missing Missing) {
		missing.Role = want.Role
		if missing.Items == nil {
			missing.Items = []int{}
		}
		if missing.Fields == nil {
			missing.Fields = []Field{}
		}
		r.Missing = append(r.Missing, missing)
		out.Outcome = worse(out.Outcome, Incomplete)
	}
	for i := range group {
		s := &group[i]
		out.Licences[i] = *s.LicenceResult
		out.Outcome = worse(out.Outcome, s.Outcome)
		if s.genuine() {
			s.lacks(want.alternative(s.Type), lacks)
		}
	}
	switch n := len(group); {
	case n == 0 && want.Min == 0:
		out.Outcome = NotPresented
	case n < want.Min:
		lacks(Missing{Code: MissingLicence, Text: tooFew(want, n)})
	case n > want.Max:
		var items []int
		for i := range group {
			items = append(items, group[i].Items...)
		}
		lacks(Missing{Code: TooMany, Items: items, Text: licence.Text{
			Zh: fmt.Sprintf("%s只需%d份,请去掉不用的", want.Name.Zh, want.Max),
			En: fmt.Sprintf("%s: leave out what is not meant; there is place for %d", want.Name.En, want.Max),
		}})
	}
}

func (want *Requirement) alternative(typ string) *Alternative {
	for i := range want.Alternatives {
		if a := &want.Alternatives[i]; a.Type == typ {
			return a
		}
	}
	return nil
}

func tooFew(want *Requirement, n int) licence.Text {
	if n == 0 && want.Min == 1 {
		return licence.Text{Zh: "缺少" + want.Name.Zh, En: "Missing: " + want.Name.En}
	}
	return licence.Text{
		Zh: fmt.Sprintf("%s需要%d份,已有%d份", want.Name.Zh, want.Min, n),
		En: fmt.Sprintf("%s: %d needed, %d shown", want.Name.En, want.Min, n),
	}
}

// lacks tells what a licence lacks: fields, holders.
func (s *shown) lacks(a *Alternative, tell func(Missing)) {
	var fields []Field
	var zh, en []string
	for _, key := range a.Fields {
		if _, disclosed := s.value(key); disclosed {
			continue
		}
		label := s.verdicts[0].Opened.Type.Label(key)
		fields = append(fields, Field{key, label})
		zh, en = append(zh, label.Zh), append(en, label.En)
	}
	name := s.verdicts[0].Opened.Type.Name
	if len(fields) > 0 {
		tell(Missing{Code: MissingFields, Items: s.Items, Fields: fields, Text: licence.Text{
			Zh: name.Zh + "还须出示:" + strings.Join(zh, "、"),
			En: name.En + " must also show: " + strings.Join(en, ", "),
		}})
	}
	if s.HoldersProven >= s.HoldersNeeded || s.IdentityChecked {
		return
	}
	text := licence.Text{
		Zh: name.Zh + "须由持证主体本人出示,或者核对其身份证件",
		En: name.En + ": its holder has to show it, or check the holder's identity document",
	}
	if s.HoldersNeeded > 1 {
		text.Zh = fmt.Sprintf("%s须由全部持证主体(%d人)出示,已有%d人;或者核对其身份证件", name.Zh, s.HoldersNeeded, s.HoldersProven)
		text.En = fmt.Sprintf("%s: all %d holders have to show it, %d did; or check their identity documents", name.En, s.HoldersNeeded, s.HoldersProven)
	}
	tell(Missing{Code: MissingHolders, Items: s.Items, Text: text})
}
