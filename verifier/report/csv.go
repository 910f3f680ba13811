package report

import (
	"io"
	"strconv"

	"github.com/credledger/credledger/sdk/sheet"
)

// WriteCSV writes the figures of the report, one to a row, as a table of package sheet. A column of a Where
// that is empty takes all together; a count has no denominator. The error is that of w.
func (r *Report) WriteCSV(w io.Writer) error {
	out := sheet.New(w)
	head := []string{"period", "scope", "indicator", "name_zh", "name_en", "origin"}
	for _, d := range dimensions {
		head = append(head, d.name)
	}
	if err := out.Row(append(head, "numerator", "denominator", "value")...); err != nil {
		return err
	}
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
			if err := out.Row(cells...); err != nil {
				return err
			}
		}
	}
	return nil
}
