package report

import (
	"bufio"
	"fmt"
	"io"
)

// WriteYAML writes a self-report for its department to look through and to complete: ParseSelfReport reads
// the same. The error is that of w.
func (s *SelfReport) WriteYAML(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "department: %q\nperiod: %q\n", s.Department, s.Period)
	asked := func(list, comment string, rows []AskedBy) {
		fmt.Fprintf(out, "\n# %s\n%s:%s\n", comment, list, none(len(rows)))
		for _, r := range rows {
			fmt.Fprintf(out, "  - {department: %q, matter: %q, count: %d}\n", r.Department, r.Matter, r.Count)
		}
	}
	asked("unanswered", "Of its verifiers: requests of agencies that got no answer, by who asked.", s.Unanswered)
	asked("overAsking", "Of its verifiers: requests refused because they asked for too much, by who asked.", s.OverAsking)
	fmt.Fprintf(out, "\n# Materials that it collected though a verdict had met them. No process counts these.\nrecollected:%s\n", none(len(s.Recollected)))
	for _, r := range s.Recollected {
		fmt.Fprintf(out, "  - {matter: %q, count: %d}\n", r.Matter, r.Count)
	}
	fmt.Fprintf(out, "\n# Ratings of its service, from very poor to very good.\nratings:%s\n", none(len(s.Ratings)))
	for _, r := range s.Ratings {
		fmt.Fprintf(out, "  - {matter: %q, scores: [%d, %d, %d, %d, %d]}\n", r.Matter, r.Scores[0], r.Scores[1], r.Scores[2], r.Scores[3], r.Scores[4])
	}
	o := &s.Objections
	fmt.Fprintf(out, "\n# Objections; days from each that was settled to its settlement, added up.\nobjections: {received: %d, settled: %d, inTime: %d, days: %d}\n",
		o.Received, o.Settled, o.InTime, o.Days)
	return out.Flush()
}

// none is how a list without rows ends its line.
func none(rows int) string {
	if rows == 0 {
		return " []"
	}
	return ""
}
