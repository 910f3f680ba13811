package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/report"
)

// A report that is read is written as it was, in every form.
func TestParse(t *testing.T) {
	made := full(t)
	b, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, " ", "\t"); err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{b, indented.Bytes(), append([]byte("\n"), b...)} {
		r, err := report.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, language := range []report.Language{report.Chinese, report.English} {
			if got, want := table(t, r, language), table(t, made, language); got != want {
				t.Errorf("the table is\n%s\nwant\n%s", got, want)
			}
		}
		var got, want bytes.Buffer
		if err := errors.Join(r.WriteCSV(&got), made.WriteCSV(&want)); err != nil || got.String() != want.String() {
			t.Errorf("the CSV is another one: %v", err)
		}
	}
}

func table(t *testing.T, r *report.Report, language report.Language) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteTable(&b, language); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is not exactly a report is refused.
func TestParseRefuses(t *testing.T) {
	good, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another version":        {`"report": 1`, `"report": 2`},
		"an unknown member":      {`"report": 1`, `"report": 1, "x": 1`},
		"a member twice":         {`"report": 1`, `"report": 1, "report": 1`},
		"a member in capitals":   {`"report": 1`, `"Report": 1`},
		"another first day":      {`"first": "2026-11-01"`, `"first": "2026-11-02"`},
		"no period":              {`"period": "2026-11"`, `"period": "2026-13"`},
		"another value":          {`"value": "66.67"`, `"value": "66.68"`},
		"a fraction":             {`"numerator": 2`, `"numerator": 2.0`},
		"an unknown origin":      {`"origin": "ledger"`, `"origin": "hearsay"`},
		"an unknown form":        {`"form": "count"`, `"form": "sum"`},
		"a time that is not UTC": {`"heartbeat": "2026-12-31T14:00:00Z"`, `"heartbeat": "2026-12-31T22:00:00+08:00"`},
		"a time before 1970":     {`"heartbeat": "2026-12-31T14:00:00Z"`, `"heartbeat": "1960-12-31T14:00:00Z"`},
		"something behind it":    {"\n}\n", "\n}\n{}"},
		"nothing":                {string(good), ""},
		"null":                   {string(good), "null"},
	} {
		changed := strings.Replace(string(good), change[0], change[1], 1)
		if changed == string(good) {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := report.Parse([]byte(changed)); code(err) != report.CodeReport {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := report.Parse(make([]byte, report.MaxReport+1)); code(err) != report.CodeReport {
		t.Errorf("too long: %v", err)
	}
}

// What is read is written as the same bytes, white space aside.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/full.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := report.Parse(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, b); err != nil || !bytes.Equal(again, compact.Bytes()) {
			t.Errorf("%s is written as %s: %v", b, again, err)
		}
		if err := r.WriteTable(new(bytes.Buffer), report.English); err != nil {
			t.Error(err)
		}
	})
}
