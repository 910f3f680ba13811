package matter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verifiertest"
)

func readMatter(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("catalog", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseRefuses(t *testing.T) {
	good := readMatter(t, "second-hand-home-transfer")
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "version: 1\n", "version: 1\ncolour: red\n", "colour"},
		{"key twice", "version: 1\n", "version: 1\nversion: 1\n", "already"},
		{"second document", "id: second", "id: a\n---\nid: second", ""},
		{"id in capitals", "id: second-hand-home-transfer", "id: Transfer", "id: must"},
		{"id too long", "id: second-hand-home-transfer", "id: " + strings.Repeat("a", 33), "id: must"},
		{"version 0", "version: 1", "version: 0", "version: must"},
		{"no day", "from: 2026-01-01", `from: ""`, "from: must"},
		{"no such day", "from: 2026-01-01", "from: 2026-02-30", "from: must"},
		{"code in lower case", "code: 000715DEM001", "code: 000715dem001", "code: must"},
		{"no English name", "en: Transfer of a second-hand home", `en: ""`, "name"},
		{"name of two lines", "en: Transfer of a second-hand home", `en: "a\nb"`, "name"},
		{"name too long", "en: Transfer of a second-hand home", "en: " + strings.Repeat("a", 1001), "name"},
		{"basis in one language", "en: Civil Code of the People's Republic of China, articles 209, 301 and 1062", `en: ""`, "basis"},
		{"review in one language", "en: Compare the identity documents of sellers and buyers with the persons present", `en: ""`, "review"},
		{"department twice", "{id: tax, name: {zh: 税务部门", "{id: housing, name: {zh: 税务部门", "departments: ids"},
		{"department without a name", "en: Tax authority", `en: ""`, "departments: tax"},
		{"role twice", "role: agent", "role: title", "requirements: roles"},
		{"role without a name", "en: The estate agent's business licence", `en: ""`, "requirements: agent"},
		{"negative min", "min: 0", "min: -1", "min and max"},
		{"max below min", "max: 16", "max: 0", "min and max"},
		{"max beyond all bounds", "max: 16", "max: 65", "min and max"},
		{"type in two places", "type: business", "type: property", "each type stands in one place"},
		{"field twice", "[unifiedSocialCreditCode, name, scope]", "[name, name]", "fields"},
		{"no field", "[unifiedSocialCreditCode, name, scope]", "[]", "fields"},
		{"field that is no key", "[unifiedSocialCreditCode, name, scope]", `["a.b"]`, "fields"},
		{"shown by some", "show: all", "show: some", "show"},
		{"all of nobody", "        holders: rightHolders\n", "", "holders"},
		{"holders without all", "show: all", "show: one", "holders"},
		{"holders not shown", "holders: rightHolders", "holders: notes", "holders"},
		{"rule twice", "id: no-record-recent", "id: no-record-found", "rules: ids"},
		{"rule of two forms", "    equals: {", "    within: {field: no-record.issueDate, days: 1}\n    equals: {", "a rule is one of"},
		{"rule of no form", `    equals: {field: no-record.recordsFound, value: "0"}` + "\n", "", "a rule is one of"},
		{"every without in", "    in: [marriage.spouse1Id, marriage.spouse2Id, divorce.formerSpouse1Id, divorce.formerSpouse2Id, no-record.subjectId]\n", "", "every and in"},
		{"rule without words", "en: The search for marriage records found none", `en: ""`, "rules: no-record-found"},
		{"rule on a field that is not required", "field: no-record.recordsFound", "field: no-record.finding", "not among the fields"},
		{"rule on a type that is not used", "field: no-record.recordsFound", "field: household.recordsFound", "not among the fields"},
		{"rule on no field", "field: no-record.recordsFound", "field: recordsFound", "TYPE.KEY"},
		{"rule of negative days", "days: 30", "days: -1", "days must"},
		{"rule of a million days", "days: 30", "days: 1000000", "days must"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatalf("%q is not in the file", c.old)
			}
			if _, err := matter.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, text := range []string{"", "a", "[]", "id: \xff", strings.Repeat("#", matter.MaxFile+1)} {
		if _, err := matter.Parse([]byte(text)); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

// TestCheck: what a matter asks for and the dictionary does not have is found when they are put
// together, not when a citizen stands at the counter.
func TestCheck(t *testing.T) {
	city := verifiertest.New(t)
	for _, c := range []struct{ old, new, typ, want string }{
		{"coOwnership, ", "colour, ", "property", "no field colour"},
		{"holders: rightHolders", "holders: coOwnership", "property", "not a list of holders"},
		{"field: no-record.issueDate", "field: no-record.subjectName", "no-record", "is not a date"},
		{"bound: no-record.searchedUntil", "bound: no-record.recordsFound", "no-record", "is not a date"},
		{"colour", "", "household", ""},
	} {
		text := strings.Replace(readMatter(t, "second-hand-home-transfer"), c.old, c.new, 1)
		m, err := matter.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if c.typ == "household" {
			typ := *city.Type(t, "property")
			typ.ID = c.typ
			if err := m.Check(&typ); err != nil {
				t.Errorf("of a type that it does not use: %v", err)
			}
			continue
		}
		if err := m.Check(city.Type(t, c.typ)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"second-hand-home-transfer", "company-opening"} {
		f.Add([]byte(readMatter(f, name)))
	}
	f.Add([]byte("id: a\nversion: 1\nfrom: 2026-01-01\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		m, err := matter.Parse(b)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if err != nil {
			return
		}
		r := matter.Evaluate(m, nil, 20764, 20764)
		if len(r.Requirements) != len(m.Requirements) || len(r.Rules) != len(m.Rules) || r.Text.Zh == "" {
			t.Errorf("%+v", r)
		}
	})
}
