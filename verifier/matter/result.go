package matter

import (
	"fmt"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verify"
)

// An Outcome sums up a case, or one part of it.
type Outcome string

// The outcomes of a case, the most severe first: what speaks against a licence; then what the
// applicant can mend; then what time or a person settles.
const (
	Invalid      Outcome = "invalid"      // something shown did not pass
	NotCurrent   Outcome = "not-current"  // a licence is genuine, and not in force
	Inconsistent Outcome = "inconsistent" // a rule between the fields is broken
	Incomplete   Outcome = "incomplete"   // something is missing, see Result.Missing
	Undetermined Outcome = "undetermined" // says nothing against anything
	Restricted   Outcome = "restricted"   // complete, but a restriction lies on a licence
	Valid        Outcome = "valid"

	NotPresented Outcome = "not-presented" // of a requirement alone: nothing was shown, and nothing has to be
)

// severity has every outcome, the most severe first.
var severity = []Outcome{Invalid, NotCurrent, Inconsistent, Incomplete, Undetermined, Restricted, Valid, NotPresented}

// worse returns the more severe of two outcomes.
func worse(a, b Outcome) Outcome {
	for _, o := range severity {
		if a == o || b == o {
			return o
		}
	}
	return Undetermined
}

// outcomes has what each verdict means for a case.
var outcomes = map[verify.Outcome]Outcome{
	verify.Invalid: Invalid, verify.NotCurrent: NotCurrent, verify.Undetermined: Undetermined,
	verify.Restricted: Restricted, verify.Valid: Valid,
}

// Text is the outcome of a case in words.
func (o Outcome) Text() licence.Text {
	switch o {
	case Invalid:
		return licence.Text{Zh: "有材料核验不通过,请勿据此办理", En: "Something shown did not pass: do not proceed on it"}
	case NotCurrent:
		return licence.Text{Zh: "有证照真实,但当前已失效", En: "A licence is genuine, but not in force"}
	case Inconsistent:
		return licence.Text{Zh: "证照内容之间不一致,请核实", En: "The licences do not agree with each other: look into it"}
	case Incomplete:
		return licence.Text{Zh: "材料不齐,请按提示补充", En: "Something is missing: ask for it"}
	case Restricted:
		return licence.Text{Zh: "材料齐全,核验通过,但有限制,请核实", En: "Complete, genuine and in force, but restricted: look into it"}
	case Valid:
		return licence.Text{Zh: "材料齐全,核验通过,现行有效", En: "Complete, genuine and in force"}
	case NotPresented:
		return licence.Text{Zh: "未提供(不是必需)", En: "Not shown (not required)"}
	}
	return licence.Text{Zh: "暂时无法核验,不代表证照有问题", En: "Could not be verified now; that says nothing against the licences"}
}

// dayTexts are for another day than today; %s is the day.
var dayTexts = map[Outcome]licence.Text{
	NotCurrent: {Zh: "有证照真实,但%s当日无效", En: "A licence is genuine, but not in force on %s"},
	Restricted: {Zh: "材料齐全,%s当日有效,但有限制,请核实", En: "Complete, genuine, and in force on %s, but restricted: look into it"},
	Valid:      {Zh: "材料齐全,核验通过,%s当日有效", En: "Complete, genuine, and in force on %s"},
}

// TextOn is Text of a case that was judged as of a day.
func (o Outcome) TextOn(day, today licence.Date) licence.Text {
	t, ok := dayTexts[o]
	if !ok || day == today {
		return o.Text()
	}
	return licence.Text{Zh: fmt.Sprintf(t.Zh, day), En: fmt.Sprintf(t.En, day)}
}

// A Result is the answer to a case. Its JSON form is part of the interface. It holds no value of a
// field.
type Result struct {
	Matter       string              `json:"matter"`
	Version      int                 `json:"version"`
	Day          string              `json:"day"` // ISO 8601
	Outcome      Outcome             `json:"outcome"`
	Text         licence.Text        `json:"text"`
	Requirements []RequirementResult `json:"requirements"`
	Rules        []RuleResult        `json:"rules"`
	Missing      []Missing           `json:"missing"`
	Unused       []int               `json:"unused"`      // indices of items that the matter has no place for
	Departments  []Department        `json:"departments"` // all those that the case serves
}

// A RequirementResult says what was shown for one requirement.
type RequirementResult struct {
	Role     string          `json:"role"`
	Name     licence.Text    `json:"name"`
	Outcome  Outcome         `json:"outcome"` // never Inconsistent
	Licences []LicenceResult `json:"licences"`
}

// A LicenceResult is one licence, which several of its holders may have shown.
type LicenceResult struct {
	Type            string  `json:"type"`
	Items           []int   `json:"items"` // indices of the items that show it
	Outcome         Outcome `json:"outcome"`
	HoldersNeeded   int     `json:"holdersNeeded"`   // how many holders have to show it
	HoldersProven   int     `json:"holdersProven"`   // how many proved that they do
	IdentityChecked bool    `json:"identityChecked"` // the clerk's word stands in for the proofs
}

// A RuleResult says what became of a rule.
type RuleResult struct {
	ID     string       `json:"id"`
	Text   licence.Text `json:"text"`
	Result Judgement    `json:"result"`
}

// A Judgement is the result of a rule.
type Judgement string

// The results of a rule.
const (
	Pass          Judgement = "pass"
	Fail          Judgement = "fail"
	Unknown       Judgement = "unknown"        // a licence or a field that it compares could not be had
	NotApplicable Judgement = "not-applicable" // no licence that it is about was shown
)

// A Missing thing is what the applicant is to be asked for.
type Missing struct {
	Code   string       `json:"code"` // one of those below
	Role   string       `json:"role"`
	Items  []int        `json:"items"`  // that lack it; empty for MissingLicence
	Fields []Field      `json:"fields"` // for MissingFields
	Text   licence.Text `json:"text"`
}

// Codes of Missing; they never change.
const (
	MissingLicence = "licence-missing" // nothing, or too few, was shown for the requirement
	MissingFields  = "fields-missing"  // fields that the matter requires are not disclosed
	MissingHolders = "holders-missing" // holders who have to show the licence did not
	TooMany        = "licence-surplus" // more licences were shown than there is place for: which one counts?
)

// A Field is one that is not disclosed.
type Field struct {
	Key   string       `json:"key"`
	Label licence.Text `json:"label"`
}
