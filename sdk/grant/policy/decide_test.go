package policy_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

const now = granttest.Time // 2026-11-07, 08:00 in UTC+8

const head = "version: 1\nfrom: 2026-11-07\nanswerWithin: 300\n"

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// basis returns a line of the bases for the request of package granttest.
func basis(id string, fields []string, more string) string {
	return fmt.Sprintf("  - {id: %s, text: {zh: 法, en: Act}, agency: natural-resources, matter: second-hand-home-transfer, issuer: civil-affairs, type: marriage, fields: [%s]%s}\n",
		id, strings.Join(fields, ", "), more)
}

// exclusion returns a line of the negative list.
func exclusion(id string, fields []string, more string) string {
	return fmt.Sprintf("  - {id: %s, text: {zh: 法, en: Act}, type: marriage, fields: [%s]%s}\n", id, strings.Join(fields, ", "), more)
}

func file(bases, negative string) string {
	out := head
	if bases != "" {
		out += "bases:\n" + bases
	}
	if negative != "" {
		out += "negative:\n" + negative
	}
	return out
}

// situation is a request and the grant for it.
type situation struct {
	request *grant.Request
	held    *grant.Held
}

// situate makes a request for fields that names a grant for others; with none of these it names none.
func situate(t testing.TB, asked, granted []string) situation {
	t.Helper()
	v := granttest.NewView()
	var named *sm.Hash
	var g *grant.Grant
	if len(granted) > 0 {
		signed := granttest.Grant(t, func(g *statement.Grant) { g.Fields = granted })
		var err error
		if g, err = grant.ReadGrant(signed, granttest.Binding(t, nil), v); err != nil {
			t.Fatal(err)
		}
		v.Record(g.Digest, statement.ConsentGive)
		named = &g.Digest
	}
	r, err := grant.ReadRequest(granttest.Request(t, func(r *statement.Request) { r.Fields, r.Grant = asked, named }), v)
	if err != nil {
		t.Fatal(err)
	}
	s := situation{request: r}
	if g != nil {
		s.held = g.Hold(v, 0)
	}
	return s
}

// faults is what can be wrong with a grant, by the code that it has.
var faults = map[string]func(*situation){
	"": func(*situation) {},
	policy.CodeNoBasis: func(s *situation) {
		body := *s.request.Request
		body.Grant = nil
		s.request = &grant.Request{Request: &body, Digest: s.request.Digest}
	},
	grant.CodeGrantMissing: func(s *situation) { s.held = nil },
	grant.CodeNotGiven:     func(s *situation) { s.held.Given = false },
	grant.CodeWithdrawn:    func(s *situation) { s.held.Withdrawn = true },
	grant.CodeUsedUp:       func(s *situation) { s.held.Used = s.held.Uses },
	grant.CodeExpired:      func(s *situation) { s.change(func(g *statement.Grant) { g.NotAfter = now - 1 }) },
	grant.CodeNotYetValid:  func(s *situation) { s.change(func(g *statement.Grant) { g.NotBefore = now + 1 }) },
	grant.CodeGrantDiffers: func(s *situation) { s.held.Digest[0] ^= 1 },
	grant.CodeOtherAgency:  func(s *situation) { s.change(func(g *statement.Grant) { g.Agency = "market-regulation" }) },
	grant.CodeOtherIssuer:  func(s *situation) { s.change(func(g *statement.Grant) { g.Issuer = "market-regulation" }) },
	grant.CodeOtherLicence: func(s *situation) { s.change(func(g *statement.Grant) { g.Licence[0] ^= 1 }) },
	grant.CodeOtherMatter:  func(s *situation) { s.change(func(g *statement.Grant) { g.Matter = "loan" }) },
}

// change changes what the grant says, without another digest.
func (s *situation) change(f func(*statement.Grant)) {
	body, copied := *s.held.Grant.Grant, *s.held.Grant
	digest := *s.request.Grant
	f(&body)
	copied.Grant, copied.Digest = &body, digest
	s.held.Grant = &copied
}

// Three fields, each of which the law gives or not, the negative list has or not and the grant names or not,
// with everything that can be wrong with the grant: the decision follows from a table of four lines.
func TestDecideAllCombinations(t *testing.T) {
	fields := []string{"a", "b", "c"}
	situations := map[string]situation{} // by what is granted
	combinations := 0
	for bits := range 1 << 9 {
		var lawful, negative, granted []string
		for i, f := range fields {
			if bits>>(3*i)&1 != 0 {
				lawful = append(lawful, f)
			}
			if bits>>(3*i)&2 != 0 {
				negative = append(negative, f)
			}
			if bits>>(3*i)&4 != 0 {
				granted = append(granted, f)
			}
		}
		bases, list := "", ""
		if len(lawful) > 0 {
			bases = basis("act-1", lawful, "")
		}
		if len(negative) > 0 {
			list = exclusion("list-1", negative, "")
		}
		p := parse(t, file(bases, list))
		if len(granted) == 0 {
			granted = []string{"z"}
		}
		fresh, made := situations[strings.Join(granted, "")]
		if !made {
			fresh = situate(t, fields, granted)
			situations[strings.Join(granted, "")] = fresh
		}
		for fault, spoil := range faults {
			given, held := *fresh.held.Grant, *fresh.held
			held.Grant = &given
			s := situation{fresh.request, &held}
			spoil(&s)
			got := policy.Decide(s.request, s.held, p, now)
			if want := expected(fields, lawful, negative, granted, fault); !reflect.DeepEqual(got, want) {
				t.Fatalf("law %v, list %v, grant %v (%s):\n got %+v\nwant %+v", lawful, negative, granted, fault, got, want)
			}
			combinations++
		}
	}
	if combinations != 512*len(faults) {
		t.Errorf("%d combinations", combinations)
	}
}

func expected(fields, lawful, negative, granted []string, fault string) policy.Decision {
	in := func(list []string, f string) bool { return strings.Contains(strings.Join(list, ""), f) }
	d := policy.Decision{Due: now + 300}
	byLaw, byGrant := 0, 0
	for _, f := range fields {
		switch {
		case in(negative, f):
			d.Excluded = append(d.Excluded, f)
		case in(lawful, f):
			d.Fields = append(d.Fields, f)
			byLaw++
		case in(granted, f) && fault == "":
			d.Fields = append(d.Fields, f)
			byGrant++
		default:
			d.Lacking = append(d.Lacking, f)
		}
	}
	if byLaw > 0 {
		d.Bases = []string{"act-1"}
	}
	d.Grant = byGrant > 0
	switch {
	case len(d.Excluded) > 0:
		d.Outcome, d.Code = policy.MayNot, "excluded"
	case len(d.Lacking) > 0 && fault == "":
		d.Outcome, d.Code = policy.NeedsGrant, "grant-fields"
	case len(d.Lacking) > 0:
		d.Outcome, d.Code = policy.NeedsGrant, fault
	default:
		d.Outcome = policy.MustAnswer
		d.Code = map[bool]string{true: "basis-and-grant", false: "grant"}[byLaw > 0]
		if byGrant == 0 {
			d.Code = "basis"
		}
	}
	return d
}

// Who asks whom for what, and when: what a line of the policy is about, and what not.
func TestDecideLines(t *testing.T) {
	asked := []string{"spouse1Name"}
	line := func(more string) string { return file(basis("act-1", asked, more), "") }
	replaced := func(from, to string) string { return strings.Replace(line(""), from, to, 1) }
	listed := func(more string) string {
		return file(basis("act-1", asked, ""), fmt.Sprintf("  - {id: list-1, text: {zh: 法, en: Act}, type: marriage%s}\n", more))
	}
	for _, c := range []struct {
		name, code, policy string
	}{
		{"the law", policy.CodeBasis, line("")},
		{"another agency", policy.CodeNoBasis, replaced("agency: natural-resources", "agency: market-regulation")},
		{"another matter", policy.CodeNoBasis, replaced("matter: second-hand-home-transfer", "matter: loan")},
		{"another issuer", policy.CodeNoBasis, replaced("issuer: civil-affairs", "issuer: market-regulation")},
		{"another type", policy.CodeNoBasis, replaced("type: marriage", "type: divorce")},
		{"no bases", policy.CodeNoBasis, head},
		{"from today", policy.CodeBasis, line(", from: 2026-11-07")},
		{"until today", policy.CodeBasis, line(", until: 2026-11-07")},
		{"from tomorrow", policy.CodeNoBasis, line(", from: 2026-11-08")},
		{"until yesterday", policy.CodeNoBasis, line(", until: 2026-11-06")},
		{"a version from tomorrow", policy.CodeNotInForce, strings.Replace(line(""), "from: 2026-11-07", "from: 2026-11-08", 1)},
		{"the whole type listed", policy.CodeExcluded, listed("")},
		{"listed for this agency and matter", policy.CodeExcluded, listed(", agency: natural-resources, matter: second-hand-home-transfer")},
		{"listed for another agency", policy.CodeBasis, listed(", agency: market-regulation")},
		{"listed for another matter", policy.CodeBasis, listed(", matter: loan")},
		{"another field listed", policy.CodeBasis, listed(", fields: [spouse2Name]")},
		{"listed until yesterday", policy.CodeBasis, listed(", until: 2026-11-06")},
		{"listed from today", policy.CodeExcluded, listed(", from: 2026-11-07")},
		{"another type listed", policy.CodeBasis, strings.Replace(listed(""), "type: marriage}", "type: divorce}", 1)},
	} {
		d := policy.Decide(situate(t, asked, nil).request, nil, parse(t, c.policy), now)
		if d.Code != c.code {
			t.Errorf("%s: %s, want %s", c.name, d.Code, c.code)
		}
	}
}

// The day changes at midnight in UTC+8.
func TestDecideDayInBeijing(t *testing.T) {
	p := parse(t, file(basis("act-1", []string{"a"}, ", until: 2026-11-07"), ""))
	r := situate(t, []string{"a"}, nil).request
	const midnight = now + 16*3600 // 2026-11-08T00:00:00+08:00
	if d := policy.Decide(r, nil, p, midnight-1); d.Outcome != policy.MustAnswer {
		t.Errorf("before midnight: %+v", d)
	}
	if d := policy.Decide(r, nil, p, midnight); d.Outcome != policy.NeedsGrant {
		t.Errorf("at midnight: %+v", d)
	}
}

func TestDecideDue(t *testing.T) {
	p := parse(t, file(basis("slow", []string{"a"}, ", answerWithin: 3600")+basis("quick", []string{"b"}, ", answerWithin: 60")+basis("usual", []string{"c"}, ""), ""))
	for _, c := range []struct {
		asked, granted []string
		due            uint64
		bases          []string
	}{
		{[]string{"a"}, nil, 3600, []string{"slow"}},
		{[]string{"b"}, nil, 60, []string{"quick"}},
		{[]string{"c"}, nil, 300, []string{"usual"}},
		{[]string{"a", "b", "c"}, nil, 60, []string{"quick", "slow", "usual"}},
		{[]string{"a", "d"}, []string{"d"}, 300, []string{"slow"}},
		{[]string{"d"}, []string{"d"}, 300, nil},
		{[]string{"b", "d"}, nil, 300, []string{"quick"}}, // a refusal
	} {
		s := situate(t, c.asked, c.granted)
		d := policy.Decide(s.request, s.held, p, now)
		if d.Due != now+c.due || !reflect.DeepEqual(d.Bases, c.bases) {
			t.Errorf("%v: due after %d s by %v, want %d by %v", c.asked, d.Due-now, d.Bases, c.due, c.bases)
		}
	}
}

// What Decide finds makes an answer that can be signed and that ReadAnswer takes.
func TestDecisionAnswer(t *testing.T) {
	p := &policy.Published{Policy: parse(t, file(basis("act-1", []string{"a"}, ""), exclusion("list-1", []string{"x"}, ""))), Digest: sm.Hash{7}}
	v := granttest.NewView()
	for _, c := range []struct {
		asked, granted []string
		outcome        string
		grant          bool
	}{
		{[]string{"a"}, nil, statement.AnswerReleased, false},
		{[]string{"a"}, []string{"a"}, statement.AnswerReleased, false}, // what the law gives uses no grant up
		{[]string{"a", "b"}, []string{"b"}, statement.AnswerReleased, true},
		{[]string{"b"}, []string{"b"}, statement.AnswerReleased, true},
		{[]string{"b"}, nil, statement.AnswerRefused, false},
		{[]string{"x"}, []string{"x"}, statement.AnswerRefused, false},
	} {
		s := situate(t, c.asked, c.granted)
		d := policy.Decide(s.request, s.held, p.Policy, now)
		a := d.Answer(s.request, p, now)
		if a.Outcome != c.outcome || (a.Grant != nil) != c.grant || d.Grant && a.Grant == nil {
			t.Errorf("%v: %+v", c.asked, a)
		}
		if a.Outcome == statement.AnswerReleased {
			a.Presentation = &sm.Hash{1}
		}
		if a.Grant != nil {
			a.Use = 1
		}
		read, err := grant.ReadAnswer(statementtest.Sign(t, a, statementtest.Issuer), s.request, v)
		if err != nil || read.Policy != p.Digest || read.Reason != d.Code {
			t.Errorf("%v: %v", c.asked, err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	var bases strings.Builder
	for i := range policy.MaxLines {
		bases.WriteString(strings.Replace(basis(fmt.Sprintf("act-%d", i), []string{"spouse1Name", "spouse2Id"}, ""), "matter: second-hand-home-transfer", fmt.Sprintf("matter: matter-%d", i), 1))
	}
	p := parse(b, file(bases.String(), ""))
	s := situate(b, []string{"spouse1Name", "spouse2Id"}, []string{"spouse1Name", "spouse2Id"})
	b.ReportAllocs()
	for b.Loop() {
		if d := policy.Decide(s.request, s.held, p, now); d.Outcome != policy.MustAnswer {
			b.Fatal(d)
		}
	}
}
