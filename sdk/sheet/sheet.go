// Package sheet writes tables that spreadsheet programs open as what they are: CSV (RFC 4180) in UTF-8 with
// a byte order mark, by which such programs tell that it is, and without a cell that they take for a formula.
//
// It reads nothing, and knows nothing of what is in the cells.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// A Writer writes a table, a row at a time.
type Writer struct{ csv *csv.Writer }

// New begins a table. What goes wrong with w, the first row tells.
func New(w io.Writer) *Writer {
	_, _ = io.WriteString(w, "\ufeff")
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return &Writer{out}
}

// Row writes a row; all rows of a table have the same number of cells. The cells are made inert: see Inert.
// The error is w's.
func (t *Writer) Row(cells ...string) error {
	row := make([]string, len(cells))
	for i, s := range cells {
		row[i] = Inert(s)
	}
	if err := t.csv.Write(row); err != nil {
		return err
	}
	t.csv.Flush()
	return t.csv.Error()
}

// Inert returns a cell that no program takes for a formula: neither as it stands, nor without white space
// in front, nor with full-width characters taken for their narrow ones. One that could be taken for it gets
// an apostrophe in front.
func Inert(s string) string {
	first := strings.TrimLeft(s, " \t\r\n\u00a0\u3000\ufeff")
	if first != s && strings.ContainsAny(s[:len(s)-len(first)], "\t\r\n") || first != "" && strings.ContainsRune("=+-@|%＝＋－＠｜％", []rune(first)[0]) {
		return "'" + s
	}
	return s
}
