package matter_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

var update = flag.Bool("update", false, "write the golden files")

const caseDay = "2026-11-07"

var nonce = []byte("drawn for this case")

// A sale is a case of the transfer of a home, as a test builds it.
type sale struct {
	*testing.T
	city   *verifiertest.City
	matter *matter.Matter
	items  []matter.Item
}

func newSale(t *testing.T) *sale {
	t.Helper()
	catalog, err := matter.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return &sale{T: t, city: verifiertest.New(t), matter: catalog.Matter("second-hand-home-transfer", day(t, caseDay))}
}

// The people of the sale; their numbers are made up.
const (
	he, heID   = "许娟", "990101196802291232"
	she, sheID = "何芳", "990101197011094042"
	other      = "990101196811176439"
)

// title issues the certificate of a home that he and she own.
func (s *sale) title(changes map[string]any) *verifiertest.Licence {
	s.Helper()
	members := map[string]any{"rightHolders": []string{he, she}, "rightHolderIds": []string{heID, sheID}, "registrationDate": "2018-02-20"}
	for k, v := range changes {
		members[k] = v
	}
	return s.city.IssueDocument("property", 0, members)
}

// marriage issues their marriage certificate.
func (s *sale) marriage(changes map[string]any) *verifiertest.Licence {
	s.Helper()
	members := map[string]any{
		"spouse1Name": he, "spouse1Id": heID, "spouse1BirthDate": "1968-02-29",
		"spouse2Name": she, "spouse2Id": sheID, "spouse2BirthDate": "1970-11-09",
	}
	for k, v := range changes {
		members[k] = v
	}
	return s.city.IssueDocument("marriage", 0, members)
}

// print shows a licence on paper, with the fields that the matter asks for; the clerk has checked
// who shows it.
func (s *sale) print(l *verifiertest.Licence) {
	s.Helper()
	s.items = append(s.items, matter.Item{Verdict: s.verdict(l, s.matter.Fields(l.Type.ID)...), IdentityChecked: true})
}

func (s *sale) verdict(l *verifiertest.Licence, keys ...string) *verify.Verdict {
	v := s.city.Verify(l.Show(keys...))
	return &v
}

// prove has a holder of a licence show it.
func (s *sale) prove(l *verifiertest.Licence, keys ...string) {
	s.Helper()
	v := s.city.Verify(l.Prove("counter", nonce, keys...), func(r *verify.Request) { r.Audience, r.Nonce = "counter", nonce })
	s.items = append(s.items, matter.Item{Verdict: &v})
}

func (s *sale) result() matter.Result {
	return matter.Evaluate(s.matter, s.items, day(s.T, caseDay), day(s.T, caseDay))
}

// want checks outcome, the codes of what is missing, and the results of rules that are named.
func (s *sale) want(outcome matter.Outcome, missing []string, rules map[string]matter.Judgement) matter.Result {
	s.Helper()
	r := s.result()
	if r.Outcome != outcome || r.Text != outcome.Text() {
		s.Errorf("outcome %s (%s), want %s", r.Outcome, r.Text.En, outcome)
	}
	var codes []string
	for _, m := range r.Missing {
		codes = append(codes, m.Role+" "+m.Code)
		if m.Text.Zh == "" || m.Text.En == "" {
			s.Errorf("%s says nothing", m.Code)
		}
	}
	if len(codes) != len(missing) {
		s.Fatalf("missing %v, want %v", codes, missing)
	}
	for i := range codes {
		if codes[i] != missing[i] {
			s.Errorf("missing %v, want %v", codes, missing)
		}
	}
	for _, rule := range r.Rules {
		if want, named := rules[rule.ID]; named && rule.Result != want {
			s.Errorf("rule %s: %s, want %s", rule.ID, rule.Result, want)
		}
	}
	return r
}

// golden compares the JSON form of a result with a file.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s is not as in %s; it is\n%s", name, path, b.Bytes())
	}
}

func covered(j matter.Judgement) map[string]matter.Judgement {
	return map[string]matter.Judgement{"right-holders-covered": j}
}

const (
	title   = "title "
	marital = "marital-status "
)

func TestSale(t *testing.T) {
	for _, c := range []struct {
		name    string
		build   func(*sale)
		outcome matter.Outcome
		missing []string
		rules   map[string]matter.Judgement
	}{
		{"married couple", func(s *sale) { s.print(s.title(nil)); s.print(s.marriage(nil)) }, matter.Valid, nil,
			map[string]matter.Judgement{"right-holders-covered": matter.Pass, "no-record-recent": matter.NotApplicable, "no-record-covers-purchase": matter.NotApplicable}},
		{"the other order", func(s *sale) { s.print(s.marriage(nil)); s.print(s.title(nil)) }, matter.Valid, nil, covered(matter.Pass)},
		{"with an agent", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.marriage(nil))
			s.print(s.city.IssueDocument("business", 0, nil))
		}, matter.Valid, nil, covered(matter.Pass)},
		{"divorced, one owner", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("divorce", 0, map[string]any{"formerSpouse1Id": heID, "formerSpouse2Id": other}))
		}, matter.Valid, nil, covered(matter.Pass)},
		{"two single owners", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": sheID}))
		}, matter.Valid, nil, map[string]matter.Judgement{"right-holders-covered": matter.Pass, "no-record-found": matter.Pass, "no-record-recent": matter.Pass, "no-record-covers-purchase": matter.Pass}},
		{"one married, one single", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.marriage(map[string]any{"spouse2Id": other, "spouse2BirthDate": "1968-11-17"}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": sheID}))
		}, matter.Valid, nil, covered(matter.Pass)},

		{"somebody else's marriage", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.marriage(map[string]any{"spouse1Id": other, "spouse1BirthDate": "1968-11-17"}))
		}, matter.Inconsistent, nil, covered(matter.Fail)},
		{"of two owners one is not covered", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID}))
		}, matter.Inconsistent, nil, covered(matter.Fail)},
		{"records were found", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "recordsFound": "1"}))
		}, matter.Inconsistent, nil, map[string]matter.Judgement{"no-record-found": matter.Fail, "right-holders-covered": matter.Pass}},
		{"statement of thirty days", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "issueDate": "2026-10-08"}))
		}, matter.Valid, nil, map[string]matter.Judgement{"no-record-recent": matter.Pass}},
		{"statement of thirty-one days", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "issueDate": "2026-10-07"}))
		}, matter.Inconsistent, nil, map[string]matter.Judgement{"no-record-recent": matter.Fail}},
		{"statement of tomorrow", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "issueDate": "2026-11-08"}))
		}, matter.Inconsistent, nil, map[string]matter.Judgement{"no-record-recent": matter.Fail}},
		{"statement that ends before the purchase", func(s *sale) {
			s.print(s.title(map[string]any{"rightHolders": []string{he}, "rightHolderIds": []string{heID}}))
			s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "searchedUntil": "2018-02-19"}))
		}, matter.Inconsistent, nil, map[string]matter.Judgement{"no-record-covers-purchase": matter.Fail}},

		{"nothing at all", func(*sale) {}, matter.Incomplete, []string{title + matter.MissingLicence, marital + matter.MissingLicence}, covered(matter.NotApplicable)},
		{"no title", func(s *sale) { s.print(s.marriage(nil)) }, matter.Incomplete, []string{title + matter.MissingLicence}, covered(matter.NotApplicable)},
		{"no marital status", func(s *sale) { s.print(s.title(nil)) }, matter.Incomplete, []string{marital + matter.MissingLicence}, covered(matter.Unknown)},
		{"two titles", func(s *sale) { s.print(s.title(nil)); s.print(s.title(nil)); s.print(s.marriage(nil)) },
			matter.Incomplete, []string{title + matter.TooMany}, covered(matter.Pass)},
		{"a field is not shown", func(s *sale) {
			l := s.title(nil)
			s.items = append(s.items, matter.Item{Verdict: s.verdict(l, "certificateNumber", "rightHolders", "coOwnership", "location", "unitNumber", "use", "area", "registrationDate"), IdentityChecked: true})
			s.print(s.marriage(nil))
		}, matter.Incomplete, []string{title + matter.MissingFields}, covered(matter.Unknown)},

		{"a forgery", func(s *sale) {
			l := s.title(nil)
			s.city.Compromise(l.Batch.Issuer, l)
			s.print(l)
			s.print(s.marriage(nil))
		}, matter.Invalid, nil, covered(matter.Unknown)},
		{"a forgery that nobody asked for", func(s *sale) {
			s.print(s.title(nil))
			s.print(s.marriage(nil))
			v := verify.Verify(s.city.Index, verify.Request{Presentation: []byte("rubbish"), Now: s.city.Clock.Now()})
			s.items = append(s.items, matter.Item{Verdict: &v})
		}, matter.Invalid, nil, covered(matter.Pass)},
		{"a revoked marriage certificate", func(s *sale) {
			s.print(s.title(nil))
			l := s.marriage(nil)
			l.SetStatus(licence.Revoked)
			s.print(l)
		}, matter.NotCurrent, nil, covered(matter.Pass)},
		{"an old view", func(s *sale) {
			titled, married := s.title(nil), s.marriage(nil)
			s.city.Clock.Advance(2 * 3600e9) // the title's type allows an hour
			s.print(titled)
			s.print(married)
		}, matter.Undetermined, nil, covered(matter.Unknown)},
		{"an old view, and nothing else", func(s *sale) {
			titled := s.title(nil)
			s.city.Clock.Advance(2 * 3600e9)
			s.print(titled)
		}, matter.Incomplete, []string{marital + matter.MissingLicence}, nil},
		{"a mortgaged home", func(s *sale) {
			l := s.title(nil)
			l.Restrict()
			s.print(l)
			s.print(s.marriage(nil))
		}, matter.Restricted, nil, covered(matter.Pass)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSale(t)
			c.build(s)
			s.want(c.outcome, c.missing, c.rules)
		})
	}
}

// TestHolders: all right holders show the title, each by a key of their own, or the clerk's word
// stands in for them.
func TestHolders(t *testing.T) {
	s := newSale(t)
	l := s.title(nil)
	keys := s.matter.Fields("property")
	s.items = []matter.Item{{Verdict: s.verdict(l, keys...)}}
	s.print(s.marriage(nil))
	r := s.want(matter.Incomplete, []string{title + matter.MissingHolders}, covered(matter.Pass))
	if got := r.Requirements[0].Licences[0]; got.HoldersNeeded != 2 || got.HoldersProven != 0 || got.IdentityChecked {
		t.Errorf("%+v", got)
	}
	if r.Missing[0].Text.Zh != "不动产权证书须由全部持证主体(2人)出示,已有0人;或者核对其身份证件" {
		t.Errorf("it says %s", r.Missing[0].Text.Zh)
	}

	s.prove(l, keys...)
	s.prove(l, "rightHolders") // the same holder again is no second one
	r = s.want(matter.Incomplete, []string{title + matter.MissingHolders}, covered(matter.Pass))
	if got := r.Requirements[0].Licences[0]; got.HoldersProven != 1 || len(got.Items) != 3 {
		t.Errorf("%+v", got)
	}

	second := *l
	second.Rebind("the other holder")
	s.prove(&second, "rightHolders")
	r = s.want(matter.Valid, nil, covered(matter.Pass))
	if got := r.Requirements[0].Licences[0]; got.HoldersProven != 2 || len(got.Items) != 4 {
		t.Errorf("%+v", got)
	}

	// A proof that fails is worse than none, whatever the clerk has checked.
	v := s.city.Verify(l.Prove("counter", []byte("of another day"), keys...), func(r *verify.Request) { r.Audience, r.Nonce = "counter", nonce })
	s.items = append(s.items, matter.Item{Verdict: &v, IdentityChecked: true})
	s.want(matter.Invalid, nil, nil)
}

// TestProofNotAskedFor: where no holder has to show a licence, a proof that fails is of no account.
func TestProofNotAskedFor(t *testing.T) {
	s := newSale(t)
	s.print(s.title(nil))
	v := s.city.Verify(s.marriage(nil).Prove("tax", nonce, s.matter.Fields("marriage")...), func(r *verify.Request) { r.Audience, r.Nonce = "counter", nonce })
	if v.Finding(verify.AxisHolder).Result != verify.Fail {
		t.Fatal("the proof does not fail")
	}
	s.items = append(s.items, matter.Item{Verdict: &v})
	s.want(matter.Valid, nil, nil)
}

// TestFieldsOfSeveralItems: what is not in one presentation of a licence may be in another.
func TestFieldsOfSeveralItems(t *testing.T) {
	s := newSale(t)
	l := s.title(nil)
	keys := s.matter.Fields("property")
	s.items = []matter.Item{{Verdict: s.verdict(l, keys[:4]...), IdentityChecked: true}, {Verdict: s.verdict(l, keys[4:]...)}}
	s.print(s.marriage(nil))
	s.want(matter.Valid, nil, covered(matter.Pass))
}

func TestUnused(t *testing.T) {
	s := newSale(t)
	s.print(s.title(nil))
	revoked := s.city.IssueDocument("business", 3, nil)
	s.items = append(s.items, matter.Item{}) // no verdict at all
	s.print(s.marriage(nil))
	m := *s.matter
	m.Requirements = m.Requirements[:2] // without the agent
	s.matter = &m
	revoked.SetStatus(licence.Revoked)
	s.items = append(s.items, matter.Item{Verdict: s.verdict(revoked, "name")})
	r := s.want(matter.Valid, nil, nil)
	if len(r.Unused) != 2 || r.Unused[0] != 1 || r.Unused[1] != 3 {
		t.Errorf("unused %v", r.Unused)
	}
}

// TestResultJSON pins the JSON form, and that no value of a field is in it.
func TestResultJSON(t *testing.T) {
	s := newSale(t)
	s.items = []matter.Item{{Verdict: s.verdict(s.title(nil), "rightHolders", "registrationDate")}}
	s.print(s.city.IssueDocument("no-record", 0, map[string]any{"subjectId": heID, "searchedUntil": "2018-02-19"}))
	r := s.result()
	golden(t, "result", r)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{he, she, heID, sheID, "2018-02-20"} {
		if bytes.Contains(b, []byte(value)) {
			t.Errorf("the result has the value %s", value)
		}
	}
	golden(t, "matter", s.matter)
}

func TestCompanyOpening(t *testing.T) {
	s := newSale(t)
	catalog, err := matter.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s.matter = catalog.Matter("company-opening", day(t, caseDay))
	s.want(matter.Incomplete, []string{"premises " + matter.MissingLicence}, nil)
	s.items = []matter.Item{{Verdict: s.verdict(s.title(nil), s.matter.Fields("property")...)}} // no holder has to show it
	r := s.want(matter.Valid, nil, nil)
	if r.Requirements[1].Outcome != matter.NotPresented || len(r.Departments) != 4 {
		t.Errorf("%+v, %+v", r.Requirements[1], r.Departments)
	}
	for i := range 3 {
		s.print(s.city.IssueDocument("business", i, nil))
	}
	r = s.want(matter.Valid, nil, nil)
	if len(r.Requirements[1].Licences) != 3 {
		t.Errorf("%+v", r.Requirements[1])
	}
	s.items[3].IdentityChecked = false
	s.want(matter.Incomplete, []string{"investor " + matter.MissingHolders}, nil)
}

// TestWordsOfAnotherDay: a case that is judged as of another day is not said to be in order now.
func TestWordsOfAnotherDay(t *testing.T) {
	s := newSale(t)
	s.print(s.title(nil))
	s.print(s.marriage(nil))
	asOf := day(t, caseDay)
	if r := matter.Evaluate(s.matter, s.items, asOf, asOf+30); r.Outcome != matter.Valid || r.Text.Zh != "材料齐全,核验通过,2026-11-07当日有效" || r.Text.En != "Complete, genuine, and in force on 2026-11-07" {
		t.Errorf("%s: %+v", r.Outcome, r.Text)
	}
	if r := matter.Evaluate(s.matter, s.items[:1], asOf, asOf+30); r.Text != matter.Incomplete.Text() {
		t.Errorf("%s: %+v", r.Outcome, r.Text)
	}
}
