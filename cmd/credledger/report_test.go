package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	indicators "github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/store"

	"github.com/credledger/credledger/sdk/sm"
)

// report runs report --json and returns what it says.
func (p *process) report(want int, args ...string) *indicators.Report {
	p.t.Helper()
	out, _ := p.run(want, append([]string{"report", "--json"}, args...)...)
	r, err := indicators.Parse([]byte(out))
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// figure wants what an indicator says of all together.
func figure(t *testing.T, r *indicators.Report, code, want string) {
	t.Helper()
	got := ""
	for _, row := range r.Indicator(code).Rows {
		if row.Where == (indicators.Where{}) {
			got = fmt.Sprintf("%d/%d", row.Numerator, row.Denominator)
		}
	}
	if got != want {
		t.Errorf("%s is %q, want %q", code, got, want)
	}
}

// thisYear is the year of the ledger's and the logs' times, in UTC+8.
func thisYear() string { return time.Now().In(beijing).Format("2006") }

// A report has what was issued and what was verified, whoever makes it: from the home, from an export,
// with what the department says of itself; and says so when a log was altered, or is not whole.
func TestReport(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.run(exitDone, "issue", "--department", "civil-affairs", "--type", "marriage", "--out", "credentials", p.marriages("couples.json", 1, 3))
	l := p.openAccessLog()
	year := []string{"--year", thisYear()}
	p.record(l, 4)
	if _, err := l.Append(t.Context(), &accesslog.Draft{
		Entry:  access.Entry{Time: uint64(time.Now().Unix()), Agency: "housing-bureau", Outcome: "undetermined", Day: 20764},
		Issuer: "civil-affairs", Digest: sm.Sum([]byte("digest")), Presentation: sm.Sum([]byte("shown")),
	}); err != nil {
		t.Fatal(err)
	}
	p.anchor(l)
	first := p.report(exitDone, year...)
	figure(t, first, indicators.Issued, "3/0")
	figure(t, first, indicators.Verifications, "5/0")
	figure(t, first, indicators.RecordedDefinitive, "4/5")
	if first.Logs[0].Size != 5 || first.Logs[0].Anchored != 5 || !first.Logs[0].Clean {
		t.Errorf("the log is %+v", first.Logs[0])
	}
	if other := p.report(exitDone, "--year", thisYear(), "--department", "civil-affairs"); other.Department != "civil-affairs" {
		t.Errorf("the report is on %q", other.Department)
	} else {
		figure(t, other, indicators.Verifications, "")
	}

	// An auditor with an export computes the same; with one that is older, he is told.
	p.run(exitDone, "access-log", "export", "log.jsonl")
	second := p.report(exitDone, append(year, "--log", "log.jsonl")...)
	figure(t, second, indicators.RecordedDefinitive, "4/5")
	p.record(l, 2)
	p.anchor(l)
	closeLog(t, l)
	behind := p.report(exitUndetermined, append(year, "--log", "log.jsonl")...)
	if behind.Logs[0].Behind != 2 || !behind.Logs[0].Clean {
		t.Errorf("the log that is not whole is %+v", behind.Logs[0])
	}

	// What the verifier left unanswered comes from its store, by way of the department's own word.
	counted, err := store.Open(t.Context(), filepath.Join(p.home, "verifier", "store.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		counted.Count(store.Unanswered, "housing-bureau", "")
	}
	counted.Count(store.OverAsking, "tax", "second-hand-home-transfer")
	if err := counted.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ := p.run(exitDone, append([]string{"report", "self", "--department", "data-bureau"}, year...)...)
	said := p.write("self.yaml", []byte(out))
	whole := p.report(exitDone, append(year, "--self-report", said)...)
	figure(t, whole, indicators.Definitive, "6/10")
	figure(t, whole, indicators.OverAsking, "1/0")
	out, _ = p.run(exitDone, append([]string{"report", "self", "--department", "data-bureau", "--json"}, year...)...)
	var answer indicators.SelfReport
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Unanswered) != 1 || answer.Unanswered[0].Count != 3 {
		t.Errorf("in JSON: %s %v", out, err)
	}

	// A log that was altered is used all the same, and marked.
	segment := filepath.Join(accessLogDir(p.home), "0000000000.entries")
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 1
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := p.report(exitFailed, year...); r.Logs[0].Clean {
		t.Errorf("the altered log is %+v", r.Logs[0])
	}
	out, _ = p.run(exitFailed, append([]string{"report", "--lang", "zh", "--html", "page.html"}, year...)...)
	page, err := os.ReadFile(filepath.Join(p.dir, "page.html"))
	if err != nil || !strings.Contains(out, "未通过审计") || !strings.Contains(string(page), "未通过审计") {
		t.Errorf("the report does not say that the log was altered: %v\n%s", err, out)
	}
}
