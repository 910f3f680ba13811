package verify

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// A row is one line of testdata/outcomes.txt: content, issuer, anchor, req, holder, status,
// freshness, restrictions, outcome.
type row [9]string

func readRows(t *testing.T) []row {
	t.Helper()
	f, err := os.Open("testdata/outcomes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []row
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != len(row{}) {
			t.Fatalf("%q does not have %d columns", lines.Text(), len(row{}))
		}
		rows = append(rows, row(words))
	}
	return rows
}

// fits reports whether the values of a combination, in the order of the columns, are those of the row.
func (r row) fits(values [8]string) bool {
	for i, v := range values {
		if r[i] != "-" && r[i] != v {
			return false
		}
	}
	return true
}

// TestOutcomeOfAllCombinations compares every combination of results with the table in testdata.
func TestOutcomeOfAllCombinations(t *testing.T) {
	rows := readRows(t)
	used := make([]bool, len(rows))
	letters := map[Result]string{Pass: "P", Fail: "F", Unknown: "U"}
	combinations := 0
	for n := range 3 * 3 * 3 * 3 * 3 * 3 * 3 * 2 {
		var f findings
		rest := n
		for a := range f {
			f[a].Result = Result(rest % 3)
			rest /= 3
		}
		required := rest == 1
		req := map[bool]string{true: "y", false: "n"}[required]
		values := [8]string{
			letters[f[AxisContent].Result], letters[f[AxisIssuer].Result], letters[f[AxisAnchor].Result], req,
			letters[f[AxisHolder].Result], letters[f[AxisStatus].Result], letters[f[AxisFreshness].Result],
			letters[f[AxisRestrictions].Result],
		}
		want := ""
		for i, r := range rows {
			if r.fits(values) {
				want, used[i] = r[8], true
				break
			}
		}
		if got := f.outcome(required); string(got) != want {
			t.Errorf("%v: got %s, want %s", values, got, want)
		}
		combinations++
	}
	if combinations != 4374 {
		t.Errorf("%d combinations, want 3^7 * 2", combinations)
	}
	for i, u := range used {
		if !u {
			t.Errorf("no combination comes to row %v", rows[i])
		}
	}
}

// TestOutcomeIsMonotonic: a worse result on any one axis never makes the outcome better. Unknown is
// worse than pass, and better than fail.
func TestOutcomeIsMonotonic(t *testing.T) {
	rank := map[Outcome]int{Valid: 0, Restricted: 1, NotCurrent: 2, Undetermined: 2, Invalid: 3}
	worse := map[Result]Result{Pass: Unknown, Unknown: Fail}
	for n := range 3 * 3 * 3 * 3 * 3 * 3 * 3 * 2 {
		var f findings
		rest := n
		for a := range f {
			f[a].Result = Result(rest % 3)
			rest /= 3
		}
		required := rest == 1
		before := f.outcome(required)
		for a := range f {
			if f[a].Result == Fail || Axis(a) == AxisRestrictions && f[a].Result == Unknown {
				continue // that a restriction is known lets more be said than that none is
			}
			g := f
			g[a].Result = worse[f[a].Result]
			if after := g.outcome(required); rank[after] < rank[before] {
				t.Fatalf("%v required %v: %s, but with %s made worse %s", f, required, before, Axis(a), after)
			}
		}
	}
}

// TestZeroVerdictIsNotGood: what was never filled in says nothing good.
func TestZeroVerdictIsNotGood(t *testing.T) {
	var f findings
	if got := f.outcome(false); got != Undetermined {
		t.Errorf("the outcome of no findings is %s", got)
	}
}

// TestEveryReasonHasTexts: no reason of the interface lacks its words, and no two share them.
func TestEveryReasonHasTexts(t *testing.T) {
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := strings.Count(string(source), " Reason = ")
	if declared != len(reasonTexts) {
		t.Errorf("%d reasons are declared and %d have texts", declared, len(reasonTexts))
	}
	zh, en := map[string]Reason{}, map[string]Reason{}
	for r, text := range reasonTexts {
		if text.Zh == "" || text.En == "" {
			t.Errorf("%s lacks a text", r)
		}
		if other, taken := zh[text.Zh]; taken {
			t.Errorf("%s and %s have one Chinese text", r, other)
		}
		if other, taken := en[text.En]; taken {
			t.Errorf("%s and %s have one English text", r, other)
		}
		zh[text.Zh], en[text.En] = r, r
		if len(r) > 64 {
			t.Errorf("%s is too long for a receipt", r)
		}
	}
}
