package report_test

import (
	"errors"
	"testing"

	"github.com/credledger/credledger/verifier/report"
)

func TestParsePeriod(t *testing.T) {
	for text, want := range map[string][2]string{
		"2026":    {"2026-01-01", "2026-12-31"},
		"2026-Q1": {"2026-01-01", "2026-03-31"},
		"2026-Q4": {"2026-10-01", "2026-12-31"},
		"2026-11": {"2026-11-01", "2026-11-30"},
		"2026-12": {"2026-12-01", "2026-12-31"},
		"2028-02": {"2028-02-01", "2028-02-29"},
		"2999":    {"2999-01-01", "2999-12-31"},
	} {
		p := period(t, text)
		if p.String() != text || p.First().String() != want[0] || p.Last().String() != want[1] {
			t.Errorf("%s is %s, from %s to %s", text, p, p.First(), p.Last())
		}
		b, err := p.MarshalText()
		var again report.Period
		if err != nil || again.UnmarshalText(b) != nil || again != p {
			t.Errorf("%s is written %s, %v, and read as %v", text, b, err, again)
		}
	}
	for _, text := range []string{"", "26", "1999", "2026-", "2026-0", "2026-00", "2026-13", "2026-Q0", "2026-Q5", "2026-q1", "2026-11-07", "2026-11 ", " 2026", "２０２６", "2026\n", "3000"} {
		var wrong *report.Error
		if p, err := report.ParsePeriod(text); !errors.As(err, &wrong) || wrong.Code != report.CodePeriod || p != (report.Period{}) {
			t.Errorf("%q: %v, %v", text, p, err)
		}
		if err := new(report.Period).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a period", text)
		}
	}
}
