package issuer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/licence"
)

// The columns of a list of status changes.
const (
	listNumber    = "number"    // licence number, or
	listDigest    = "digest"    // digest of the licence
	listTo        = "to"        // the new state
	listReason    = "reason"    // code of the reason
	listEffective = "effective" // first day of the new state
	listSuccessor = "successor" // number or digest of the licence that takes its place
)

var listColumns = []string{listNumber, listDigest, listTo, listReason, listEffective, listSuccessor}

// maxListLine is the greatest length of a line of a list in bytes.
const maxListLine = 4096

// A listRow is one line of a list, by column; what is empty is not in it.
type listRow map[string]string

// listRows is the format of lists of status changes: CSV with a header line, or JSON Lines; one change a line. Values are
// text.
func listRows(r io.Reader) (func() (item, string, error), error) {
	l := &listReader{r: bufio.NewReaderSize(r, maxListLine+2)} // with the line's end
	for {
		line, err := l.line()
		switch {
		case errors.Is(err, io.EOF):
			return nil, &licence.InputError{Code: licence.EmptyInput, Message: "the list is empty"}
		case err != nil:
			return nil, l.failed(err)
		case !utf8.ValidString(line) || strings.Contains(line, "\x00"):
			return nil, &licence.InputError{Code: licence.NotUTF8, Line: l.number, Message: "the list is not UTF-8 text; convert the file first, for instance with: iconv -f GB18030 -t UTF-8"}
		}
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		switch {
		case line == "":
			continue
		case line[0] == '{':
			l.pending = &line
			return l.next, nil
		}
		return l.next, l.readHeader(line)
	}
}

// A listReader reads the lines of one list.
type listReader struct {
	r       *bufio.Reader
	number  int      // of the last line
	header  []string // of CSV; nil: JSON Lines
	pending *string  // a line that was read and not parsed
}

var errLineTooLong = errors.New("line too long")

// line returns the next line, without its end.
func (l *listReader) line() (string, error) {
	if l.pending != nil {
		line := *l.pending
		l.pending = nil
		return line, nil
	}
	b, err := l.r.ReadSlice('\n')
	if len(b) > 0 {
		l.number++
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.r.ReadSlice('\n')
		}
		if err == nil || errors.Is(err, io.EOF) {
			return "", errLineTooLong
		}
		return "", err
	}
	if errors.Is(err, io.EOF) && len(b) > 0 {
		err = nil // the last line has no end
	}
	return string(bytes.TrimRight(b, "\r\n")), err
}

// failed is why no more lines can be read.
func (l *listReader) failed(err error) error {
	if errors.Is(err, errLineTooLong) {
		return &licence.InputError{Code: licence.TooLarge, Line: l.number, Message: "the first line is longer than 4,096 bytes: this is no list"}
	}
	return &licence.InputError{Code: licence.ReadFailed, Line: l.number, Message: "the list could not be read", Err: err}
}

// readHeader reads the header line of CSV.
func (l *listReader) readHeader(line string) error {
	wrong := func(code, column, message string) error {
		return &licence.InputError{Code: code, Line: l.number, Field: column, Message: message}
	}
	columns, err := splitLine(line)
	if err != nil {
		return wrong(licence.Malformed, "", "the first line is neither JSON nor the header of CSV")
	}
	for i, c := range columns {
		columns[i] = strings.ToLower(strings.TrimSpace(c))
		switch {
		case !slices.Contains(listColumns, columns[i]):
			return wrong(licence.UnknownField, "", "a list of status changes has the columns "+strings.Join(listColumns, ", ")+"; this one has others")
		case slices.Contains(columns[:i], columns[i]):
			return wrong(licence.DuplicateField, columns[i], "the column "+columns[i]+" is there twice")
		}
	}
	if !slices.Contains(columns, listNumber) && !slices.Contains(columns, listDigest) {
		return wrong(licence.MissingField, listNumber, "the list has neither the column number nor digest")
	}
	l.header = columns
	return nil
}

// splitLine splits one line of CSV.
func splitLine(line string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(line))
	r.FieldsPerRecord = -1
	return r.Read()
}

// next returns the next change; see format.
func (l *listReader) next() (item, string, error) {
	for {
		line, err := l.line()
		switch {
		case errors.Is(err, errLineTooLong):
			return item{}, "", l.refused(licence.TooLarge, "", "the line is longer than 4,096 bytes")
		case errors.Is(err, io.EOF):
			return item{}, "", err
		case err != nil:
			return item{}, "", l.failed(err)
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		it := item{line: l.number}
		if !utf8.ValidString(line) {
			it.problems = problem(licence.NotUTF8, "", "the line is not UTF-8 text")
		} else if l.header == nil {
			it.row, it.problems = jsonRow(line)
		} else {
			it.row, it.problems = l.csvRow(line)
		}
		return it, line, nil
	}
}

// refused is a line that is not looked at.
func (l *listReader) refused(code, column, message string) error {
	return &licence.RecordError{Line: l.number, Problems: problem(code, column, "%s", message)}
}

// csvRow reads a line of CSV.
func (l *listReader) csvRow(line string) (listRow, []licence.Problem) {
	fields, err := splitLine(line)
	if err != nil || len(fields) != len(l.header) {
		return nil, problem(licence.Malformed, "", "the line is not CSV with %d fields", len(l.header))
	}
	row := listRow{}
	for i, f := range fields {
		row.set(l.header[i], f)
	}
	return row, nil
}

// jsonRow reads a line of JSON.
func jsonRow(line string) (listRow, []licence.Problem) {
	malformed := problem(licence.Malformed, "", "the line is not one JSON object of texts")
	d := json.NewDecoder(strings.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, malformed
	}
	row := listRow{}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, malformed
		}
		column, _ := key.(string)
		value, err := d.Token()
		text, isText := value.(string)
		switch {
		case err != nil || !isText && value != nil:
			return nil, malformed
		case !slices.Contains(listColumns, column):
			return nil, problem(licence.UnknownField, "", "a change has the fields %s; this one has others", strings.Join(listColumns, ", "))
		case seen[column]:
			return nil, problem(licence.DuplicateField, column, "the field %s is there twice", column)
		}
		seen[column] = true
		row.set(column, text)
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return nil, malformed
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed
	}
	return row, nil
}

func (r listRow) set(column, text string) {
	if text = strings.TrimSpace(text); text != "" {
		r[column] = text
	}
}
