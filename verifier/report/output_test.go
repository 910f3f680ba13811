package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a report that has something of everything.
func full(t *testing.T) *report.Report {
	t.Helper()
	w := newWorld()
	first := licence.Date(20758)
	w.anchor(october, "civil-affairs", "marriage-registry", "marriage", 300, w.change(october+day, first-3))
	w.anchor(october+day, "natural-resources", "property-registry", "property", 50)
	w.anchor(0, "natural-resources", "property-registry", "property", 1).Position = verify.Position{}
	w.licences = []changed{{"civil-affairs", "marriage", []verify.Change{w.change(october+5*day, first+4), w.change(october+5*day, first+5)}}}
	s := scope(t, "2026-11")
	s.Policies = []*policy.Published{lawOf(t, 1, "2026-11-01")}
	entries := []*access.Entry{
		entry(t, november, "", "", "", "property", verify.Undetermined),
		entry(t, november, "=HYPERLINK(1)", "\u202e-cmd", "1", "", verify.Invalid),
	}
	for i := range 12 {
		number := fmt.Sprint(i)
		entries = append(entries, entry(t, november+uint64(i), "tax", transfer, number, "property", verify.Valid))
		switch i % 4 {
		case 0, 1:
			entries = append(entries, entry(t, november+uint64(i), "tax", transfer, number, "marriage", verify.Valid))
		case 2:
			entries = append(entries, entry(t, november+uint64(i), "tax", transfer, number, "marriage", verify.Undetermined))
		}
	}
	entries = append(entries, entry(t, november, "natural-resources", opening, "", "property", verify.Restricted))
	entries = append(entries, end("1", 60, access.Released, "basis-and-grant", "property-law-5"), end("2", 70, access.Refused, "no-basis"), end("3", 500, access.Unanswered), end("4", 80, access.Released, "grant"))
	releases := logOf("civil-affairs", "releases", 3, tally(t, s,
		end("1", 60, access.Released, "basis-and-grant", "property-law-5"), end("2", 70, access.Refused, "no-basis"), end("3", 505, access.Released, "grant")))
	log := logOf("tax", "verifier-1", uint64(len(entries)), tally(t, s, entries...))
	damaged := logOf("natural-resources", "verifier-1", 0, report.NewTally(s))
	damaged.Clean = false
	return made(t, s, w, []report.Log{log, releases, damaged}, said(t, "tax.yaml"), said(t, "civil-affairs.yaml"))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is written now; if it should be, run the test with -update:\n%s", name, got)
	}
}

func TestGolden(t *testing.T) {
	r := full(t)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	golden(t, "full.json", indented.Bytes())
	for name, write := range map[string]func(*bytes.Buffer) error{
		"full.csv":    func(b *bytes.Buffer) error { return r.WriteCSV(b) },
		"full.zh.txt": func(b *bytes.Buffer) error { return r.WriteTable(b, report.Chinese) },
		"full.en.txt": func(b *bytes.Buffer) error { return r.WriteTable(b, report.English) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// The order of what comes in has no part in what comes out.
func TestSameBytes(t *testing.T) {
	rng := random(2)
	entries := randomEntries(t, 1, 400, november, november+30*day)
	reports := []*report.SelfReport{said(t, "tax.yaml"), said(t, "civil-affairs.yaml")}
	var first []byte
	for range 4 {
		s := scope(t, "2026-11")
		logs := []report.Log{logOf("tax", "b", 100, tally(t, s, entries[:100]...)), logOf("tax", "a", 300, tally(t, s, entries[100:400]...))}
		rng.Shuffle(len(logs), func(i, j int) { logs[i], logs[j] = logs[j], logs[i] })
		b, err := json.Marshal(made(t, s, newWorld(), logs, reports...))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(b, first) {
			t.Fatal("the same inputs in another order give another report")
		}
		rng.Shuffle(400, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		slices.Reverse(reports)
	}
}

// A spreadsheet program finds no formula in any cell, and every cell of a row that CSV has.
func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := full(t).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	if !marked {
		t.Error("there is no byte order mark")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	quoted := 0
	for _, record := range records {
		for _, cell := range record {
			if cell != "" && strings.ContainsRune("=+-@|%", rune(cell[0])) {
				t.Errorf("%q begins as a formula does", cell)
			}
			if strings.HasPrefix(cell, "'=") {
				quoted++
			}
		}
	}
	if quoted == 0 {
		t.Error("the agency that has a formula for a name is missing")
	}
}

// Values are rounded half up, and exact however great they are.
func TestValue(t *testing.T) {
	for _, c := range []struct {
		form                   report.Form
		numerator, denominator uint64
		want                   string
	}{
		{report.Count, 0, 0, "0"},
		{report.Count, 1<<64 - 1, 0, "18446744073709551615"},
		{report.Share, 0, 0, ""},
		{report.Share, 0, 3, "0.00"},
		{report.Share, 1, 3, "33.33"},
		{report.Share, 2, 3, "66.67"},
		{report.Share, 1, 20000, "0.01"},
		{report.Share, 1, 20001, "0.00"},
		{report.Share, 19999, 20000, "100.00"},
		{report.Share, 1<<64 - 1, 1<<64 - 1, "100.00"},
		{report.Mean, 1, 200, "0.01"},
		{report.Mean, 17, 3, "5.67"},
		{report.Mean, 5, 0, ""},
	} {
		r := &report.Row{Numerator: c.numerator, Denominator: c.denominator}
		if got := r.Value(c.form); got != c.want {
			t.Errorf("%s of %d/%d is %q, want %q", c.form, c.numerator, c.denominator, got, c.want)
		}
	}
}

// Every error of a writer is told.
func TestWriterFails(t *testing.T) {
	r := full(t)
	for name, write := range map[string]func(*failing) error{
		"csv":   func(w *failing) error { return r.WriteCSV(w) },
		"table": func(w *failing) error { return r.WriteTable(w, report.Chinese) },
	} {
		for _, room := range []int{0, 100} {
			if err := write(&failing{room}); !errors.Is(err, errNoRoom) {
				t.Errorf("%s with room for %d bytes: %v", name, room, err)
			}
		}
	}
}

var errNoRoom = errors.New("no room")

// failing fails after some bytes.
type failing struct{ room int }

func (w *failing) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, errNoRoom
	}
	return len(b), nil
}

// Everything that a report has is defined where INDICATORS says it.
func TestIndicatorsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/INDICATORS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Definitions() {
		if !bytes.Contains(b, []byte("| `"+d.Code+"` |")) {
			t.Errorf("docs/INDICATORS.md does not define %s", d.Code)
		}
		if d.Name.Zh == "" || d.Name.En == "" || d.Form == "" || d.Origin == "" {
			t.Errorf("the definition of %s is not whole: %+v", d.Code, d)
		}
	}
}
