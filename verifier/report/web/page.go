package web

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/report"
)

// Write writes a report as a page of HTML in one file; a reader who has chosen nothing sees it in the
// language. The same report has the same bytes. The error is that of w.
func Write(w io.Writer, r *report.Report, language report.Language) error {
	return pages.ExecuteTemplate(w, "report", viewOf(r, language))
}

// A frame is what every page has around its contents.
type frame struct{ Lang, Title string }

func newFrame(title licence.Text, language report.Language) frame {
	if language == report.English {
		return frame{"en", title.En}
	}
	return frame{"zh-CN", title.Zh}
}

// What a page shows.
type (
	view struct {
		Frame          frame
		Heading, Scope licence.Text
		Cautions       []licence.Text
		Tiles          []tile
		Indicators     []indicator
		Disagreements  []disagreement
		Sources        []licence.Text
	}
	tile struct {
		Name       licence.Text
		Value      string
		Of         licence.Text
		Origin     report.Origin
		OriginText licence.Text
	}
	indicator struct {
		tile
		Code   string
		Groups []group
	}
	// A group is the rows of an indicator that tell the same apart.
	group struct {
		Caption licence.Text
		Table   licence.Text // what unfolds the table
		Ratio   bool         // numerator and denominator are worth a column
		Folded  bool
		Rows    []row
		Chart   *chart
	}
	// A disagreement is a request about which two logs do not say the same.
	disagreement struct {
		Request              string
		Asked, Agency, Cause licence.Text
	}
	row struct {
		Label                  licence.Text
		Value                  string
		Numerator, Denominator uint64
	}
)

// headlines are the indicators that a page begins with; of those in one list the first that has a
// figure.
var headlines = [][]string{
	{report.Definitive, report.RecordedDefinitive}, {report.FirstCall}, {report.NotRecollected, report.MaterialsMet},
	{report.Releases}, {report.RefusalsToShare}, {report.Issued}, {report.Verifications}, {report.StatusChanges}, {report.Coverage},
}

// fold is how many rows of a group are shown without being asked for.
const fold = 12

func viewOf(r *report.Report, language report.Language) *view {
	v := &view{Heading: heading(r), Scope: scope(r), Cautions: cautions(r), Sources: sources(r)}
	v.Frame = newFrame(v.Heading, language)
	for _, codes := range headlines {
		for _, code := range codes {
			if i := r.Indicator(code); i != nil {
				if t := tileOf(i); t.Value != "" {
					v.Tiles = append(v.Tiles, t)
					break
				}
			}
		}
	}
	for k := range r.Indicators {
		if i := &r.Indicators[k]; len(i.Rows) > 0 {
			v.Indicators = append(v.Indicators, indicator{tileOf(i), i.Code, groupsOf(r, i)})
		}
	}
	for _, d := range r.Disagreements {
		v.Disagreements = append(v.Disagreements, disagreement{d.Call.String(), r.Named(d.Asked), r.Named(d.Agency), r.Label(&report.Where{Cause: d.Cause})})
	}
	return v
}

func heading(r *report.Report) licence.Text {
	return licence.Text{Zh: "电子证照指标 " + r.Period.String(), En: "Indicators of electronic licences, " + r.Period.String()}
}

// scope says of when and of whom a report is.
func scope(r *report.Report) licence.Text {
	of := licence.Text{Zh: "全部部门", En: "all departments"}
	if r.Department != "" {
		of = r.Named(r.Department)
	}
	first, last := r.Period.First(), r.Period.Last()
	return licence.Text{Zh: fmt.Sprintf("%s 至 %s,%s", first, last, of.Zh), En: fmt.Sprintf("%s to %s, %s", first, last, of.En)}
}

// cautions are what a reader has to know before he believes the figures.
func cautions(r *report.Report) (out []licence.Text) {
	if !r.Ledger.Complete {
		out = append(out, licence.Text{Zh: "所见账本尚未到期末,数字还会增加。", En: "The ledger has not reached the end of the period; figures will grow."})
	}
	for i := range r.Logs {
		l := &r.Logs[i]
		name := r.Named(l.Department)
		if !l.Clean {
			out = append(out, licence.Text{
				Zh: fmt.Sprintf("%s的核验日志 %s 未通过审计。", name.Zh, l.Name),
				En: fmt.Sprintf("The audit of the access log %s of %s found something wrong.", l.Name, name.En)})
		}
		if l.Behind > 0 {
			out = append(out, licence.Text{
				Zh: fmt.Sprintf("账本显示%s的核验日志 %s 还有 %d 条此处没有的记录。", name.Zh, l.Name, l.Behind),
				En: fmt.Sprintf("The ledger knows of %d more entries of the access log %s of %s than are here.", l.Behind, l.Name, name.En)})
		}
	}
	if len(r.Disagreements) > 0 {
		out = append(out, licence.Text{
			Zh: "有请求在双方日志中的记录不一致,见文末列表。",
			En: "There are requests about which the logs of the two departments do not say the same: see the list at the end."})
	}
	return out
}

// sources are what a report was made from.
func sources(r *report.Report) []licence.Text {
	same := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	at := licence.Text{}
	if r.Ledger.Heartbeat > 0 {
		t := time.Unix(int64(r.Ledger.Heartbeat), 0).In(time.FixedZone("", 8*3600)).Format(time.DateTime)
		at = licence.Text{Zh: ",时间至 " + t, En: ", its time " + t}
	}
	out := []licence.Text{{
		Zh: same("账本:%s,%d 个区块,最新一个 %s%s", r.Ledger.ID, r.Ledger.Height, r.Ledger.Block, at.Zh),
		En: same("Ledger: %s, %d blocks, the newest %s%s", r.Ledger.ID, r.Ledger.Height, r.Ledger.Block, at.En)}}
	for i := range r.Logs {
		l := &r.Logs[i]
		name := r.Named(l.Department)
		out = append(out, licence.Text{
			Zh: same("核验日志:%s / %s,%d 条,根 %s,其中 %d 条已上链", name.Zh, l.Name, l.Size, l.Root, l.Anchored),
			En: same("Access log: %s / %s, %d entries, root %s, %d of them anchored", name.En, l.Name, l.Size, l.Root, l.Anchored)})
	}
	for _, p := range r.Policies {
		out = append(out, licence.Text{Zh: same("政策:第 %d 版,SM3 %s", p.Version, p.Digest), En: same("Policy: version %d, SM3 %s", p.Version, p.Digest)})
	}
	for _, department := range r.SelfReports {
		name := r.Named(department)
		out = append(out, licence.Text{Zh: "自报:" + name.Zh, En: "Self-report: " + name.En})
	}
	return out
}

// tileOf is the figure of an indicator that takes all together; without a Value if there is none.
func tileOf(i *report.Indicator) tile {
	t := tile{Name: i.Name, Origin: i.Origin, OriginText: i.Origin.Text()}
	if len(i.Rows) > 0 && i.Rows[0].Where == (report.Where{}) { // it comes first
		all := &i.Rows[0]
		t.Value = written(all, i.Form)
		if i.Form != report.Count {
			t.Of = licence.Text{Zh: fmt.Sprintf("%d / %d", all.Numerator, all.Denominator), En: fmt.Sprintf("%d / %d", all.Numerator, all.Denominator)}
		}
	}
	if i.Past != "" {
		t.Of = joined(t.Of, licence.Text{Zh: fmt.Sprintf("以往 %s %%,目标 %s %%", i.Past, i.Target), En: fmt.Sprintf("in the past %s %%, wanted %s %%", i.Past, i.Target)})
	}
	return t
}

func joined(a, b licence.Text) licence.Text {
	if a == (licence.Text{}) {
		return b
	}
	return licence.Text{Zh: a.Zh + ";" + b.Zh, En: a.En + "; " + b.En}
}

// written is a figure as people read it.
func written(r *report.Row, form report.Form) string {
	value := r.Value(form)
	switch {
	case value == "":
		return "–"
	case form == report.Share:
		return value + " %"
	case form == report.Count:
		return thousands(value)
	}
	return value
}

// thousands puts a narrow space between every three digits.
func thousands(digits string) string {
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(d)
	}
	return b.String()
}

var dimensionNames = map[string]licence.Text{
	"department": {Zh: "部门", En: "department"},
	"unit":       {Zh: "单位", En: "unit"},
	"type":       {Zh: "证照类型", En: "licence type"},
	"matter":     {Zh: "事项", En: "matter"},
	"outcome":    {Zh: "结论", En: "outcome"},
	"basis":      {Zh: "依据", En: "basis"},
	"cause":      {Zh: "原因", En: "cause"},
}

// by names what a group tells apart.
func by(dimensions []string) licence.Text {
	var zh, en []string
	for _, d := range dimensions {
		name, known := dimensionNames[d]
		if !known {
			name = licence.Text{Zh: d, En: d}
		}
		zh, en = append(zh, name.Zh), append(en, name.En)
	}
	return licence.Text{Zh: "按" + strings.Join(zh, "、"), En: "by " + strings.Join(en, " and ")}
}

// groupsOf parts the rows of an indicator, which are in order, by what they tell apart; that of all
// together is in no group.
func groupsOf(r *report.Report, i *report.Indicator) (groups []group) {
	var last []string
	for k := range i.Rows {
		from := &i.Rows[k]
		dimensions := from.Where.Dimensions()
		if dimensions == nil {
			continue
		}
		if len(groups) == 0 || !slices.Equal(dimensions, last) {
			what := by(dimensions)
			caption := licence.Text{Zh: i.Name.Zh + ":" + what.Zh, En: i.Name.En + ": " + what.En}
			groups, last = append(groups, group{
				Caption: caption, Table: licence.Text{Zh: "表格:" + what.Zh, En: "Table " + what.En}, Ratio: i.Form != report.Count,
			}), dimensions
		}
		g := &groups[len(groups)-1]
		g.Rows = append(g.Rows, row{r.Label(&from.Where), written(from, i.Form), from.Numerator, from.Denominator})
		if len(dimensions) == 1 {
			g.Chart = g.Chart.with(from, i)
		}
	}
	for k := range groups {
		g := &groups[k]
		if !g.Chart.draw(i, g) {
			g.Chart = nil
		}
		g.Folded = len(g.Rows) > fold || k > 0 || g.Chart != nil
	}
	return groups
}
