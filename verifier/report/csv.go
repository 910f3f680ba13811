package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes the figures of the report, one to a row, as CSV (RFC 4180, in UTF-8 with a byte order
// mark, which tells spreadsheet programs that it is). No cell is one that such programs take for a
// formula: it has an apostrophe in front. A column of a Where that is empty takes all together; a count
// has no denominator. The error is that of w.
func (r *Report) WriteCSV(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := []string{"period", "scope", "indicator", "name_zh", "name_en", "origin"}
	for _, d := range dimensions {
		head = append(head, d.name)
	}
	_ = out.Write(append(head, "numerator", "denominator", "value")) // Error tells
	for i := range r.Indicators {
		indicator := &r.Indicators[i]
		for k := range indicator.Rows {
			row := &indicator.Rows[k]
			cells := []string{r.Period.text, r.Department, indicator.Code, indicator.Name.Zh, indicator.Name.En, string(indicator.Origin)}
			for _, d := range dimensions {
				cells = append(cells, d.of(&row.Where))
			}
			denominator := ""
			if indicator.Form != Count {
				denominator = strconv.FormatUint(row.Denominator, 10)
			}
			cells = append(cells, strconv.FormatUint(row.Numerator, 10), denominator, row.Value(indicator.Form))
			for n := range cells {
				cells[n] = inert(cells[n])
			}
			_ = out.Write(cells)
		}
	}
	out.Flush()
	return out.Error()
}

// inert returns a cell that no program takes for a formula: not as it stands, not with white space left
// out in front, and not with full-width characters taken for narrow ones.
func inert(s string) string {
	visible := strings.TrimLeft(s, " \u00a0\u3000\ufeff")
	if visible != "" && strings.ContainsRune("=+-@|%＝＋－＠｜％", []rune(visible)[0]) {
		return "'" + s
	}
	return s
}
