package verify

import (
	"fmt"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// What people are told. An invalid licence is never called fake, and an undetermined one is not
// blamed.
var (
	outcomeTexts = map[Outcome]licence.Text{
		Valid:        {Zh: "核验通过,现行有效", En: "Verified: genuine and in force"},
		Restricted:   {Zh: "核验通过,现行有效,但有限制", En: "Verified: genuine and in force, but restricted"},
		NotCurrent:   {Zh: "证照真实,当前已失效", En: "Genuine, but not in force"},
		Invalid:      {Zh: "核验不通过,请勿据此办理", En: "Verification failed: do not rely on it"},
		Undetermined: {Zh: "暂时无法核验,不代表证照有问题", En: "Cannot be verified at present: this says nothing against the licence"},
	}
	dayTexts = map[Outcome]licence.Text{ // %s is the day
		Valid:      {Zh: "核验通过,%s当日有效", En: "Verified: genuine, and in force on %s"},
		Restricted: {Zh: "核验通过,%s当日有效,但有限制", En: "Verified: genuine, and in force on %s, but restricted"},
		NotCurrent: {Zh: "证照真实,%s当日无效", En: "Genuine, but not in force on %s"},
	}
	notShownByHolder = licence.Text{Zh: "未证明本人出示,请核对身份证", En: "Not proven to be shown by its holder: check the identity card"}
)

// Text says what an outcome means to people, without the word for why of NotCurrent; empty if there
// is no such outcome.
func (o Outcome) Text() licence.Text { return outcomeTexts[o] }

// TextOn is Text of a verification at a time that asked for a day. Of another day than that of the verification it does
// not say that the licence is, or is not, in force now.
func (o Outcome) TextOn(day licence.Date, at time.Time) licence.Text {
	t, ok := dayTexts[o]
	if !ok || day == licence.DateOf(at) {
		return o.Text()
	}
	return licence.Text{Zh: fmt.Sprintf(t.Zh, day), En: fmt.Sprintf(t.En, day)}
}

// Text sums the verdict up for people; for NotCurrent with the word for why.
func (v *Verdict) Text() licence.Text {
	t := v.Outcome.TextOn(v.Day, v.Now)
	if v.Outcome == NotCurrent {
		why := v.why()
		t.Zh += "(" + why.Zh + ")"
		t.En += " (" + why.En + ")"
	}
	return t
}

// Note is what is to be said beside Text: that a genuine licence was not proven to be shown by its
// holder. Empty if there is nothing to say.
func (v *Verdict) Note() licence.Text {
	switch {
	case v.Outcome == Invalid, v.Outcome == Undetermined, v.findings[AxisHolder].Result == Pass:
		return licence.Text{}
	}
	return notShownByHolder
}

// why is the word for why a licence is not in force. The ledger holds only a commitment to the
// reason, so it is the type's own word where the type knows one reason only, else a general one.
func (v *Verdict) why() licence.Text {
	reason := v.findings[AxisStatus].Reason
	if v.Change == nil || Reason(v.Change.State) != reason {
		return reason.Text()
	}
	var only *licence.Reason
	for i := range v.Opened.Type.Transitions {
		t := &v.Opened.Type.Transitions[i]
		if t.To != v.Change.State {
			continue
		}
		for j := range t.Reasons {
			if only != nil && t.Reasons[j].Code != only.Code {
				return reason.Text()
			}
			only = &t.Reasons[j]
		}
	}
	if only == nil {
		return reason.Text()
	}
	return only.Label
}

// A DisclosedField is one that the presentation shows.
type DisclosedField struct {
	Key            string
	Label          licence.Text
	Classification string // see package licence
	Value          licence.Value
	Masked         string // for a screen that others can see
}

// Fields returns what the presentation discloses, in the order of the dictionary, without what was
// withheld; none of a presentation whose content does not pass.
func (v *Verdict) Fields() []DisclosedField {
	if v.Opened == nil {
		return nil
	}
	t := v.Opened.Type
	out := make([]DisclosedField, 0, len(v.Opened.Fields))
	for i := range v.Opened.Fields {
		f := &v.Opened.Fields[i]
		key := t.Leaves()[f.Index]
		switch {
		case v.keep != nil && !v.keep(key):
		case f.Index < len(t.Fields):
			entry := &t.Fields[f.Index]
			out = append(out, DisclosedField{key, entry.Label, entry.Classification, f.Value, entry.Masked(f.Value)})
		default:
			out = append(out, DisclosedField{key, t.Label(key), licence.Internal, f.Value, f.Value.String()})
		}
	}
	return out
}

// Withhold makes Fields and the JSON form leave out the fields that keep refuses, given their keys,
// and returns the keys of those: for a caller who may see less than was shown. The presentation still
// has them.
func (v *Verdict) Withhold(keep func(key string) bool) (withheld []string) {
	if v.Opened == nil {
		return nil
	}
	leaves := v.Opened.Type.Leaves()
	for i := range v.Opened.Fields {
		if key := leaves[v.Opened.Fields[i].Index]; !keep(key) {
			withheld = append(withheld, key)
		}
	}
	v.keep = keep
	return withheld
}
