package policy_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

func read(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParse(t *testing.T) {
	p := parse(t, read(t))
	if p.Version != 3 || p.From != "2026-11-01" || p.AnswerWithin != 300 || len(p.Bases) != 2 || len(p.Negative) != 2 {
		t.Fatalf("%+v", p)
	}
	if b := p.Bases[1]; b.ID != "tax-collection-act-6" || b.Agency != "tax-bureau" || b.AnswerWithin != 60 || b.Until != "2027-12-31" || len(b.Fields) != 2 || b.Text.Zh == "" {
		t.Errorf("%+v", b)
	}
	if x := p.Negative[1]; x.ID != "minors" || x.Agency != "market-regulation" || len(x.Fields) != 0 {
		t.Errorf("%+v", x)
	}
}

func TestParseRefuses(t *testing.T) {
	good := file(basis("act-1", []string{"a"}, ""), exclusion("list-1", []string{"a"}, ""))
	parse(t, good)
	with := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("%q is not in the file", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	var tooMany strings.Builder
	for i := range statement.MaxBases + 1 {
		tooMany.WriteString(basis(fmt.Sprintf("act-%d", i), []string{"a"}, ""))
	}
	for name, c := range map[string]struct{ text, says string }{
		"empty":                      {"", "empty"},
		"not YAML":                   {"version: [", ""},
		"not UTF-8":                  {"version: \xff", "UTF-8"},
		"too large":                  {good + strings.Repeat(" ", policy.MaxFile), "at most"},
		"two documents":              {good + "---\n" + good, "more than one"},
		"a key that is not known":    {with("version: 1", "version: 1\nnegativ: []"), "negativ"},
		"a key twice":                {with("version: 1", "version: 1\nversion: 1"), ""},
		"a key of a line unknown":    {with("fields: [a]}", "fields: [a], deadline: 5}"), "deadline"},
		"version 0":                  {with("version: 1", "version: 0"), "version"},
		"version 2^31":               {with("version: 1", "version: 2147483648"), ""},
		"no from":                    {with("from: 2026-11-07\n", ""), "from"},
		"a month of 31 days":         {with("from: 2026-11-07", "from: 2026-11-31"), "from"},
		"no answerWithin":            {with("answerWithin: 300\n", ""), "answerWithin"},
		"31 days":                    {with("answerWithin: 300", "answerWithin: 2678400"), "answerWithin"},
		"id in capitals":             {with("id: act-1", "id: Act-1"), "line 1"},
		"no agency":                  {with("agency: natural-resources, ", ""), "agency"},
		"no matter":                  {with("matter: second-hand-home-transfer, ", ""), "matter"},
		"no issuer":                  {with("issuer: civil-affairs, ", ""), "issuer"},
		"no type":                    {with("issuer: civil-affairs, type: marriage", "issuer: civil-affairs"), "type"},
		"no fields":                  {with("fields: [a]", "fields: []"), "fields"},
		"a field twice":              {with("fields: [a]", "fields: [a, a]"), "fields"},
		"a field that is none":       {with("fields: [a]", "fields: [a-b]"), "fields"},
		"no text":                    {with("text: {zh: 法, en: Act}, ", ""), "text"},
		"text in one language":       {with("{zh: 法, en: Act}", "{zh: 法}"), "text"},
		"text of 1001 characters":    {with("zh: 法", "zh: "+strings.Repeat("法", 1001)), "text"},
		"negative answerWithin":      {with("fields: [a]}", "fields: [a], answerWithin: -1}"), "answerWithin"},
		"from that is no date":       {with("fields: [a]}", "fields: [a], from: tomorrow}"), "from"},
		"until that is no date":      {with("fields: [a]}", "fields: [a], until: 2026-13-01}"), "until"},
		"until before from":          {with("fields: [a]}", "fields: [a], from: 2026-11-02, until: 2026-11-01}"), "until"},
		"an id twice":                {file(basis("act-1", []string{"a"}, "")+basis("act-1", []string{"b"}, ""), ""), "line 2"},
		"an id on both lists":        {with("id: list-1", "id: act-1"), "negative: line 1"},
		"17 bases for one request":   {file(tooMany.String(), ""), "line 17"},
		"excluded type missing":      {file("", "  - {id: list-1, text: {zh: 法, en: Act}, fields: [a]}\n"), "type"},
		"excluded agency malformed":  {file("", exclusion("list-1", []string{"a"}, ", agency: A")), "agency"},
		"excluded field twice":       {file("", exclusion("list-1", []string{"a", "a"}, "")), "fields"},
		"excluded without a text":    {file("", "  - {id: list-1, type: marriage}\n"), "text"},
		"excluded until before from": {file("", exclusion("list-1", nil, ", from: 2026-11-02, until: 2026-11-01")), "until"},
		"1025 exclusions":            {file("", strings.Repeat(exclusion("list-1", nil, ""), 1025)), "1024"},
	} {
		_, err := policy.Parse([]byte(c.text))
		var e *policy.Error
		if !errors.As(err, &e) || e.Code != policy.CodeInvalid || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
}

func publish(t testing.TB, version uint32, text, label string) []byte {
	t.Helper()
	return statementtest.Sign(t, &statement.Policy{Ledger: statementtest.Ledger(), Version: version, Definition: []byte(text), SignedAt: now}, label)
}

func TestReadPublished(t *testing.T) {
	v := granttest.NewView()
	signed := publish(t, 3, read(t), statementtest.Authority)
	p, err := policy.Read(signed, statementtest.Authority, v)
	if err != nil || p.Version != 3 || p.Digest != granttest.Digest(t, signed) {
		t.Fatalf("%+v, %v", p, err)
	}
	for name, c := range map[string]struct {
		signed []byte
		code   string
	}{
		"by another department": {publish(t, 3, read(t), statementtest.Issuer), grant.CodeKeyDepartment},
		"by a stranger":         {publish(t, 3, read(t), "stranger"), grant.CodeKeyUnknown},
		"another statement":     {granttest.Grant(t, nil), statement.CodeWrongKind},
		"nothing":               {nil, statement.CodeMalformed},
		"another version":       {publish(t, 4, read(t), statementtest.Authority), policy.CodeInvalid},
		"not a policy":          {publish(t, 3, "version: 3", statementtest.Authority), policy.CodeInvalid},
	} {
		_, err := policy.Read(c.signed, statementtest.Authority, v)
		code := grant.Code(err)
		if e := new(policy.Error); errors.As(err, &e) {
			code = e.Code
		}
		if code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
	v.KeyOf(statementtest.Authority).Purposes = statement.PurposeLog
	if _, err := policy.Read(signed, statementtest.Authority, v); grant.Code(err) != grant.CodeKeyPurpose {
		t.Errorf("with a key for logs: %v", err)
	}
	v.ID = sm.Hash{}
	if _, err := policy.Read(signed, statementtest.Authority, v); grant.Code(err) != grant.CodeOtherLedger {
		t.Errorf("on another ledger: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(read(f)))
	f.Add([]byte(file(basis("act-1", []string{"a"}, ""), exclusion("list-1", []string{"a"}, ""))))
	r := situate(f, []string{"a", "spouse1Name"}, nil).request
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := policy.Parse(b)
		if err != nil {
			if e := new(policy.Error); !errors.As(err, &e) {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		d := policy.Decide(r, nil, p, now)
		if len(d.Fields)+len(d.Lacking)+len(d.Excluded) != 2 || d.Grant || d.Due <= now {
			t.Errorf("%q: %+v", b, d)
		}
	})
}
