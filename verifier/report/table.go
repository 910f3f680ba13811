package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verify"
)

// A Language is one that a table is written in.
type Language int

// The languages.
const (
	Chinese Language = iota
	English
)

func (l Language) of(t licence.Text) string {
	if l == English {
		return t.En
	}
	return t.Zh
}

func (l Language) pick(zh, en string) string { return l.of(licence.Text{Zh: zh, En: en}) }

// WriteTable writes the report for people, in lines of text in which the columns stand below each other
// in a font of fixed width. Indicators without figures are left out. The error is that of w.
func (r *Report) WriteTable(w io.Writer, language Language) error {
	t := &table{Writer: bufio.NewWriter(w), Report: r, Language: language}
	t.head()
	for i := range r.Indicators {
		if len(r.Indicators[i].Rows) > 0 {
			t.indicator(&r.Indicators[i])
		}
	}
	t.disagreements()
	return t.Flush()
}

// A table is a report that is being written.
type table struct {
	*bufio.Writer
	*Report
	Language
}

func (t *table) printf(zh, en string, args ...any) { fmt.Fprintf(t, t.pick(zh, en), args...) }

// head says what the report is about, and what it was made from.
func (t *table) head() {
	t.printf("电子证照指标 %s(%s 至 %s)\n", "Indicators of electronic licences, %s (%s to %s)\n", t.Period, t.Period.first, t.Period.last)
	scope := t.pick("全部部门", "all departments")
	if t.Department != "" {
		scope = t.of(t.Named(t.Department))
	}
	t.printf("范围:%s\n", "scope: %s\n", scope)
	t.printf("账本:%s,%d 个区块,最新一个 %s", "ledger: %s, %d blocks, the newest %s", t.Ledger.ID, t.Ledger.Height, t.Ledger.Block)
	if t.Ledger.Heartbeat > 0 {
		at := time.Unix(int64(t.Ledger.Heartbeat), 0).In(time.FixedZone("", 8*3600)).Format(time.DateTime)
		t.printf(",时间至 %s", ", its time %s", at)
	}
	t.WriteByte('\n')
	if !t.Ledger.Complete {
		t.printf("注意:所见账本尚未到期末,数字还会增加\n", "note: the ledger has not reached the end of the period; figures will grow\n")
	}
	for i := range t.Logs {
		l := &t.Logs[i]
		t.printf("核验日志:%s/%s,%d 条,根 %s,其中 %d 条已上链\n", "access log: %s/%s, %d entries, root %s, %d of them anchored\n",
			visible(l.Department), visible(l.Name), l.Size, l.Root, l.Anchored)
		if !l.Clean {
			t.printf("注意:该日志未通过审计\n", "note: the audit of this log found something wrong\n")
		}
		if l.Behind > 0 {
			t.printf("注意:账本显示该日志还有 %d 条此处没有的记录\n", "note: the ledger knows of %d more entries of this log than are here\n", l.Behind)
		}
	}
	for _, p := range t.Policies {
		t.printf("政策:第 %d 版,SM3 %s\n", "policy: version %d, SM3 %s\n", p.Version, p.Digest)
	}
	for _, department := range t.SelfReports {
		t.printf("自报:%s\n", "self-report: %s\n", t.of(t.Named(department)))
	}
}

var originNames = map[Origin]licence.Text{
	FromLedger:   {Zh: "据账本", En: "from the ledger"},
	FromLogs:     {Zh: "据核验日志", En: "from the access logs"},
	SelfReported: {Zh: "含自报数字", En: "self-reported in part or in whole"},
}

// Text says an origin in words.
func (o Origin) Text() licence.Text { return originNames[o] }

// indicator writes one indicator.
func (t *table) indicator(d *Indicator) {
	t.printf("\n%s(%s,%s)", "\n%s (%s, %s)", t.of(d.Name), d.Code, t.of(d.Origin.Text()))
	if d.Past != "" {
		t.printf(",以往 %s %%,目标 %s %%", "; in the past %s %%, wanted %s %%", d.Past, d.Target)
	}
	t.WriteByte('\n')
	rows := make([][3]string, len(d.Rows))
	var most [3]int
	for i := range d.Rows {
		row := &d.Rows[i]
		rows[i] = [3]string{t.of(t.Label(&row.Where)), cmp.Or(row.Value(d.Form), "-"), ""}
		if d.Form == Share && row.Denominator > 0 {
			rows[i][1] += " %"
		}
		if d.Form != Count {
			rows[i][2] = fmt.Sprintf("%d/%d", row.Numerator, row.Denominator)
		}
		for k, cell := range rows[i] {
			most[k] = max(most[k], columns(cell))
		}
	}
	for _, row := range rows {
		line := "  " + row[0] + pad(row[0], most[0]) + "  " + pad(row[1], most[1]) + row[1]
		if row[2] != "" {
			line += "  " + pad(row[2], most[2]) + row[2]
		}
		t.WriteString(line + "\n")
	}
}

// disagreements lists the requests about which two logs do not say the same.
func (t *table) disagreements() {
	if len(t.Disagreements) == 0 {
		return
	}
	t.printf("\n双方日志不一致的请求\n", "\nRequests about which two logs do not say the same\n")
	for _, d := range t.Disagreements {
		fmt.Fprintf(t, "  %s  %s -> %s  %s\n", d.Call, t.of(t.Named(d.Agency)), t.of(t.Named(d.Asked)), t.of(causeText(d.Cause)))
	}
}

// Label says in words what a row is about, with nothing in it that is not to be seen.
func (r *Report) Label(w *Where) licence.Text {
	var parts []licence.Text
	part := func(id string, name licence.Text) {
		if id != "" {
			parts = append(parts, name)
		}
	}
	part(w.Department, r.Named(w.Department))
	part(w.Unit, named(r.Names.Units, w.Department+"/"+w.Unit, w.Unit))
	part(w.Type, orElse(w.Type, noType, named(r.Names.Types, w.Type, w.Type)))
	part(w.Matter, orElse(w.Matter, noMatter, named(r.Names.Matters, w.Matter, w.Matter)))
	part(w.Outcome, outcomeText(w.Outcome))
	part(w.Basis, named(basisNames, w.Basis, w.Basis))
	part(w.Cause, causeText(w.Cause))
	if parts == nil {
		return licence.Text{Zh: "合计", En: "all"}
	}
	label := parts[0]
	for _, p := range parts[1:] {
		label.Zh += " · " + p.Zh
		label.En += " · " + p.En
	}
	return label
}

// outcomeText is what an outcome means to people.
func outcomeText(id string) licence.Text {
	if text := verify.Outcome(id).Text(); text != (licence.Text{}) {
		return text
	}
	return licence.Text{Zh: visible(id), En: visible(id)}
}

// causeText is what a cause means to people. Those of refusals are the reasons of answers.
func causeText(id string) licence.Text {
	text, known := causeNames[id]
	if !known {
		text = policy.Text(id)
	}
	return licence.Text{Zh: visible(text.Zh), En: visible(text.En)}
}

// Named is what people call a department.
func (r *Report) Named(department string) licence.Text {
	return named(r.Names.Departments, department, department)
}

// orElse is the word for what an id does not name, or else its name.
func orElse(id string, none, name licence.Text) licence.Text {
	if id == None {
		return none
	}
	return name
}

var (
	basisNames = map[string]licence.Text{BasisGrant: {Zh: "授权用证", En: "grant"}}
	causeNames = map[string]licence.Text{
		causeAnchor:        {Zh: "存证", En: "anchor"},
		causeChange:        {Zh: "状态变更", En: "change of status"},
		causeMatterUnknown: {Zh: "事项不在目录", En: "matter not in the catalogue"},
		causeWithoutNumber: {Zh: "没有办件号", En: "no case number"},
		CauseNotByAsked:    {Zh: "被请求部门日志中没有", En: "not in the log of the department asked"},
		CauseNotByAsking:   {Zh: "请求部门日志中没有", En: "not in the log of the department that asked"},
		CauseNotReceived:   {Zh: "一方已答复,另一方记为逾期未答", En: "answered by the one, not answered in time for the other"},
		CauseContradict:    {Zh: "双方所记答复不同", En: "two different answers"},
	}
	noType   = licence.Text{Zh: "(未能读出类型)", En: "(what was shown could not be read)"}
	noMatter = licence.Text{Zh: "(未注明事项)", En: "(no matter was named)"}
)

// named is what people call an id; the id itself if that is not known.
func named(names map[string]licence.Text, key, id string) licence.Text {
	name, known := names[key]
	if !known {
		name = licence.Text{Zh: id, En: id}
	}
	return licence.Text{Zh: visible(name.Zh), En: visible(name.En)}
}

// visible replaces what is not to be seen, and could make a text look like another.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// columns returns how many columns of a terminal a text takes: two for a wide character.
func columns(s string) (n int) {
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n++
		}
		n++
	}
	return n
}

// pad returns what a text lacks to so many columns.
func pad(s string, most int) string { return strings.Repeat(" ", most-columns(s)) }
