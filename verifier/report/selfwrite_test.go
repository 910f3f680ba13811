package report_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/credledger/credledger/verifier/report"
)

// What is written is read as the same, in both forms, whatever ids look like in YAML.
func TestSelfReportWritten(t *testing.T) {
	for name, s := range map[string]*report.SelfReport{
		"nothing": {Department: "tax", Period: "2026"},
		"everything": {
			Department: "null", Period: "2026-11",
			Unanswered:  []report.AskedBy{{Department: "tax", Matter: "", Count: 1}, {Department: "true", Matter: "1e3", Count: 1e9}},
			OverAsking:  []report.AskedBy{{Department: "0x10", Matter: "on", Count: 3}},
			Recollected: []report.Recollected{{Matter: "2026-11-01", Count: 0}},
			Ratings:     []report.Rated{{Matter: "", Scores: [5]report.Number{1, 2, 3, 4, 5}}, {Matter: "-", Scores: [5]report.Number{}}},
			Objections:  report.Objections{Received: 4, Settled: 3, InTime: 2, Days: 17},
		},
		"read": said(t, "tax.yaml"),
	} {
		var written bytes.Buffer
		if err := s.WriteYAML(&written); err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{written.Bytes(), asJSON} {
			got, err := report.ParseSelfReport(text)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			if again, err := json.Marshal(got); err != nil || !bytes.Equal(again, asJSON) {
				t.Errorf("%s:\n%s\nis read as\n%s", name, text, again)
			}
		}
	}
}
