package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/licence"
)

// values returns the fields of a licence, by key.
func values(o *credential.Opened) string {
	var out []string
	for i := range o.Fields {
		out = append(out, o.Type.Leaves()[o.Fields[i].Index]+"="+o.Fields[i].Value.String())
	}
	return strings.Join(out, "\n")
}

func TestIssueEveryTypeAndFormat(t *testing.T) {
	for _, typ := range []string{"business", "marriage", "property"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			var first []string
			for _, ending := range []string{".jsonl", ".xml", ".csv"} {
				d := newDesk(t, typ)
				input := d.file(t, "input"+ending, d.sample(t, ending))
				dir, stream := d.path("credentials"), d.path("bundle")

				report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: typ, Inputs: []string{input}, Dir: dir, Batch: 16}, nil)
				if err != nil {
					t.Fatal(err)
				}
				checkReport(t, report, issuer.Report{Rows: 40, Issued: 40, Batches: 3})
				opened := d.checkIssued(t, directory(t, dir), 40)
				if _, err := os.Stat(filepath.Join(dir, issuer.CredentialFile(40))); err != nil {
					t.Error(err)
				}
				var all []string
				for _, o := range opened {
					all = append(all, values(o))
					if id, ok := o.Value(licence.IdentifierKey); !ok || id.IsNull() {
						t.Errorf("%s: a licence has no identifier", ending)
					}
					if o.Record.IssuedAt != uint64(now.Unix()) {
						t.Errorf("%s: issued at %d", ending, o.Record.IssuedAt)
					}
				}
				if first == nil {
					first = all
				}
				for i := range all {
					if all[i] != first[i] {
						t.Errorf("record %d in %s is not what it is in the first format", i+1, ending)
					}
				}

				// Another vault of the department, so that the numbers are free: the same into a bundle.
				d2 := newDesk(t, typ)
				if _, err := d2.Issue(t.Context(), clerk, issuer.Job{Type: typ, Inputs: []string{input}, Bundle: stream, Batch: 4096}, nil); err != nil {
					t.Fatal(err)
				}
				for i, o := range d2.checkIssued(t, bundle(t, stream), 40) {
					if values(o) != first[i] {
						t.Errorf("credential %d of the bundle from %s is of another record", i+1, ending)
					}
				}
			}
		})
	}
}

func TestIssueOne(t *testing.T) {
	d := newDesk(t, "marriage")
	for i, ending := range []string{"-1.json", "-1.zh.json"} {
		input := d.file(t, "input"+ending, d.sample(t, ending))
		dir := d.path(fmt.Sprint("credentials", i))
		report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: dir}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			d.checkIssued(t, directory(t, dir), 1)
		} else if report.Rejected != 1 { // the same licence
			t.Errorf("the report is %+v, want one rejected", report)
		}
	}
}

func TestOrderInBatchTellsNothing(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.synthetic(t, "input", 1, 500)
	if _, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 500}, nil); err != nil {
		t.Fatal(err)
	}
	inPlace := 0
	for i, c := range bundle(t, d.path("bundle")) {
		if int(c.Index) == i {
			inPlace++
		}
	}
	if inPlace > 20 { // one is expected
		t.Errorf("%d of 500 licences have the index that they have in the input", inPlace)
	}
}

func TestSeveralInputsInOneRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "marriage")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	a := d.file(t, "a.jsonl", bytes.Join(lines[:10], nil))
	b := d.file(t, "b.jsonl", bytes.Join(lines[5:40], nil)) // five of them twice
	var progress []issuer.Progress
	report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{a, b}, Dir: d.path("out"), Batch: 7}, func(p issuer.Progress) {
		progress = append(progress, p)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report, issuer.Report{Rows: 45, Issued: 40, Rejected: 5, Batches: 7,
		Reasons: map[string]int64{issuer.CodeLicenceActive: 5}, Rejects: d.path("out/rejects.jsonl")})
	d.checkIssued(t, directory(t, d.path("out"), "rejects.jsonl"), 40)
	for i, r := range readRejects(t, report.Rejects) {
		if r.Code != issuer.CodeLicenceActive || r.Record != int64(11+i) || r.Input != 2 || r.Line != 1+i || r.Field != "certificateNumber" {
			t.Errorf("rejection %d is %+v", i, r)
		}
	}
	last := progress[len(progress)-1]
	size := int64(len(bytes.Join(lines[:10], nil)) + len(bytes.Join(lines[5:40], nil)))
	if last != (issuer.Progress{Rows: 45, Issued: 40, Rejected: 5, Anchored: 40, Bytes: size}) {
		t.Errorf("the last progress is %+v", last)
	}
}

func readRejects(tb testing.TB, path string) []issuer.Rejection {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var out []issuer.Rejection
	for line := range bytes.Lines(b) {
		var r issuer.Rejection
		if err := json.Unmarshal(line, &r); err != nil {
			tb.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestRejects(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "property")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))[:40]
	good := len(lines)
	broken := func(i int, from, to string) {
		if lines[i] = bytes.Replace(lines[i], []byte(from), []byte(to), 1); !bytes.Contains(lines[i], []byte(to)) {
			t.Fatalf("sample %d has no %s", i+1, from)
		}
		good--
	}
	broken(2, `"area": "`, `"area": "much`)
	broken(5, `"location"`, `"whereabouts"`)
	broken(9, `{`, `{{`)
	broken(11, `{`, `{"ZZYXQQSRQ": "2030-01-01", "ZZYXQJZRQ": "2020-01-01", `)
	lines[20] = append(append([]byte(`{"use": "`), bytes.Repeat([]byte("x"), licence.MaxRecord)...), "\"}\n"...)
	good--
	lines[30] = bytes.Clone(lines[29])
	good--
	input := d.file(t, "input.jsonl", bytes.Join(lines, nil))

	report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "property", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 8}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 40 || report.Issued != int64(good) || report.Rejected != int64(40-good) {
		t.Errorf("the report is %+v, want %d issued", report, good)
	}
	d.checkIssued(t, bundle(t, d.path("bundle")), good)
	type found struct {
		record      int64
		code, field string
	}
	got := map[found]bool{}
	for _, r := range readRejects(t, d.path("bundle.rejects.jsonl")) {
		got[found{r.Record, r.Code, r.Field}] = true
		if r.Line != int(r.Record) || r.Message == "" {
			t.Errorf("a rejection is %+v", r)
		}
	}
	for _, want := range []found{
		{3, licence.BadValue, "area"}, {6, licence.UnknownField, "whereabouts"}, {6, licence.MissingField, "location"},
		{10, licence.Malformed, ""}, {12, licence.BadValue, licence.ValidUntilAlias}, {21, licence.TooLarge, ""},
		{31, issuer.CodeLicenceActive, "certificateNumber"},
	} {
		if !got[want] {
			t.Errorf("there is no rejection %+v among %v", want, got)
		}
	}
}

func TestNothingIsRight(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.file(t, "input.jsonl", []byte("{\"a\": 1}\n{\"b\": 2}\n"))
	report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: d.path("out")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report, issuer.Report{Rows: 2, Rejected: 2, Reasons: map[string]int64{licence.UnknownField: 2}, Rejects: d.path("out/rejects.jsonl")})
}

func TestValidity(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "property")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	with := func(i int, days string) []byte { return bytes.Replace(lines[i], []byte("{"), []byte("{"+days), 1) }
	input := d.file(t, "input.jsonl", bytes.Join([][]byte{
		with(0, `"ZZYXQQSRQ": "2020-01-01", "ZZYXQJZRQ": "2030-12-31", `),
		with(1, ``),
	}, nil))
	day := func(s string) *licence.Date {
		d, err := licence.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return &d
	}
	text := func(d *licence.Date) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	check := func(path string, want ...string) {
		t.Helper()
		for i, c := range bundle(t, path) {
			if got := text(c.Record.ValidFrom) + "/" + text(c.Record.ValidUntil); got != want[i] {
				t.Errorf("licence %d of %s is valid %s, want %s", i+1, path, got, want[i])
			}
		}
	}
	if _, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "property", Inputs: []string{input}, Bundle: d.path("a")}, nil); err != nil {
		t.Fatal(err)
	}
	check(d.path("a"), "2020-01-01/2030-12-31", "/")

	d2 := newDesk(t, "property")
	job := issuer.Job{Type: "property", Inputs: []string{input}, Bundle: d.path("b"), ValidFrom: day("2025-01-01")}
	if _, err := d2.Issue(t.Context(), clerk, job, nil); err != nil {
		t.Fatal(err)
	}
	check(d.path("b"), "2025-01-01/2030-12-31", "2025-01-01/")

	d3 := newDesk(t, "property") // the first record ends before the given first day
	job = issuer.Job{Type: "property", Inputs: []string{input}, Bundle: d.path("c"), ValidFrom: day("2031-01-01")}
	report, err := d3.Issue(t.Context(), clerk, job, nil)
	if err != nil || report.Issued != 1 || report.Rejected != 1 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	check(d.path("c"), "2031-01-01/")
}

func TestInputEndsEarly(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "marriage")
	whole := d.sample(t, ".xml")
	input := d.file(t, "input.xml", whole[:len(whole)*2/3])
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: d.path("out"), Batch: 8}
	report, err := d.Issue(t.Context(), clerk, job, nil)
	hasCode(t, err, licence.Truncated)
	if report.Rows < 20 || report.Rows > 30 || report.Issued != report.Rows || report.Anchored != report.Issued || report.OnLedger != -1 {
		t.Errorf("the report is %+v", report)
	}
	d.checkKnown(t)
	d.file(t, "input.xml", whole) // repaired
	report, err = d.Issue(t.Context(), clerk, job, nil)
	if err != nil || report.Rows != 40 || report.Issued != 40 || !report.Resumed {
		t.Errorf("the report is %+v, %v", report, err)
	}
	d.checkIssued(t, directory(t, job.Dir), 40)
}

func TestClockGoesBack(t *testing.T) {
	d := newDesk(t, "marriage")
	lines := bytes.SplitAfter(d.sample(t, ".jsonl"), []byte("\n"))
	a, b := d.file(t, "a", bytes.Join(lines[:20], nil)), d.file(t, "b", bytes.Join(lines[20:], nil))
	if _, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{a}, Bundle: d.path("a.out")}, nil); err != nil {
		t.Fatal(err)
	}
	back := d.config
	back.Now = func() time.Time { return now.Add(-time.Minute) }
	report, err := d.open(t, back).Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{b}, Bundle: d.path("b.out")}, nil)
	if err != nil || report.ClockBehind != time.Minute {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	for _, c := range bundle(t, d.path("b.out")) {
		if c.Record.IssuedAt != uint64(now.Unix()) || c.Head.SignedAt != uint64(now.Unix()) {
			t.Fatalf("a licence was issued at %d and signed at %d", c.Record.IssuedAt, c.Head.SignedAt)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "marriage")
	input := d.synthetic(t, "input", 1, 5000)
	job := issuer.Job{Type: "marriage", Inputs: []string{input}, Bundle: d.path("bundle"), Batch: 100}
	d.SetGroup(500)
	ctx, cancel := context.WithCancel(t.Context())
	report, err := d.Issue(ctx, clerk, job, func(p issuer.Progress) {
		if p.Rows >= 1000 {
			cancel()
		}
	})
	if err == nil || report.Rows < 1000 || report.Rows == 5000 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	d.checkKnown(t)
	if report, err = d.Issue(t.Context(), clerk, job, nil); err != nil || report.Rows != 5000 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	d.checkIssued(t, bundle(t, job.Bundle), 5000)
}
