package httpapi

import (
	"encoding/csv"
	"io"
	"strings"
)

// A sheet is written as CSV (RFC 4180), in UTF-8 with a byte order mark, by which spreadsheet programs tell that it is.
// Such programs take a cell for a formula that begins in one of some ways, whatever it is quoted with: it gets an
// apostrophe in front.
type sheet struct{ *csv.Writer }

func newSheet(w io.Writer) *sheet {
	_, _ = io.WriteString(w, "\ufeff") // row tells of errors
	return &sheet{csv.NewWriter(w)}
}

// row writes a row.
func (t *sheet) row(cells ...string) error {
	for i, s := range cells {
		cells[i] = inert(s)
	}
	if err := t.Write(cells); err != nil {
		return err
	}
	t.Flush()
	return t.Error()
}

// inert returns a cell that no program takes for a formula: neither as it stands, nor without white space in front,
// nor with full-width characters taken for their narrow ones.
func inert(s string) string {
	first := strings.TrimLeft(s, " \t\r\n\u00a0\u3000\ufeff")
	if first != s && strings.ContainsAny(s[:len(s)-len(first)], "\t\r\n") || first != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(first)[0]) {
		return "'" + s
	}
	return s
}
