package licence

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// columns says which slot of the type each column of a CSV input fills.
type columns struct {
	t     *Type
	slots []int
}

// csvRecords splits CSV (RFC 4180): a record ends at a line end outside quotation marks.
type csvRecords struct{ src *source }

func newCSVRecords(src *source, t *Type) (splitter, *columns, error) {
	c := csvRecords{src}
	header, line, err := c.next()
	switch {
	case err == errTooLarge:
		return nil, nil, &InputError{Code: TooLarge, Line: line, Message: "the first line is larger than 1 MiB; is this a text file with one record per line?"}
	case err != nil:
		return nil, nil, err
	case !utf8.Valid(header):
		return nil, nil, notUTF8(line)
	}
	cols, err := t.columns(string(header), line)
	return c, cols, err
}

// next uses one record, with its line end. Blank lines are passed over.
func (c csvRecords) next() ([]byte, int, error) {
	for {
		if !c.blankLines() {
			return nil, 0, c.src.ended()
		}
		line := c.src.line
		n, tooLarge, err := c.record()
		if err != nil {
			return nil, 0, err
		}
		record := bytes.TrimRight(c.src.buf[:n], "\r\n")
		c.src.use(n)
		if tooLarge || n > MaxRecord {
			return nil, line, errTooLarge
		}
		return record, line, nil
	}
}

// blankLines uses line ends. False: the input ends here.
func (c csvRecords) blankLines() bool {
	for {
		for len(c.src.buf) > 0 && (c.src.buf[0] == '\n' || c.src.buf[0] == '\r') {
			c.src.use(1)
		}
		if len(c.src.buf) > 0 {
			return true
		}
		if !c.src.more() {
			return false
		}
	}
}

// record returns how long the record at the beginning of the window is, with its line end. If it is too large, what is left of it in the window.
func (c csvRecords) record() (n int, tooLarge bool, err error) {
	line := c.src.line
	const (
		start  = iota // of a cell
		bare          // in a cell without quotation marks
		quoted        // in a cell with quotation marks
		quote         // after a quotation mark in such a cell: its end, or the first of two
	)
	state := start
	for i := 0; ; i++ {
		if i == len(c.src.buf) {
			if i > MaxRecord {
				c.src.use(i)
				i, tooLarge = 0, true
			}
			if !c.src.more() {
				if c.src.err != io.EOF {
					return 0, false, c.src.ended()
				}
				if state == quoted {
					c.src.line = line
					return 0, false, c.src.fail(Truncated, "the input ends inside the quotation marks that were opened in the record that begins here")
				}
				return i, tooLarge, nil
			}
		}
		switch b := c.src.buf[i]; {
		case state == quoted:
			if b == '"' {
				state = quote
			}
		case b == '\n':
			return i + 1, tooLarge, nil
		case b == ',':
			state = start
		case b == '"' && (state == start || state == quote):
			state = quoted
		default:
			state = bare
		}
	}
}

// columns reads the header line.
func (t *Type) columns(header string, line int) (*columns, error) {
	fail := func(code, field, format string, args ...any) error {
		return &InputError{Code: code, Line: line, Field: field, Message: fmt.Sprintf(format, args...)}
	}
	cells := &csvCells{s: header}
	c := &columns{t: t}
	var names []string
	known := false
	for {
		name, ok, wrong := cells.next()
		if wrong != "" {
			return nil, fail(Malformed, "", "malformed CSV: %s", wrong)
		}
		if !ok {
			break
		}
		slot, found := t.slot(name)
		if !found {
			slot = -1
		}
		known = known || found
		names = append(names, name)
		c.slots = append(c.slots, slot)
	}
	if !known {
		return nil, fail(Malformed, "", "the first line must name the fields of the type %s, separated by commas; none of its names is known", t.ID)
	}
	seen := map[int]bool{}
	for i, slot := range c.slots {
		if slot < 0 {
			if strings.TrimSpace(names[i]) == "" {
				return nil, fail(UnknownField, "", "column %d has no name", i+1)
			}
			name := fieldName(names[i])
			return nil, fail(UnknownField, name, "column %d: the type %s has no field %s", i+1, t.ID, name)
		}
		if seen[slot] {
			return nil, fail(DuplicateField, t.slotName(slot), "column %d: another column is the field %s too", i+1, t.slotName(slot))
		}
		seen[slot] = true
	}
	for i, f := range t.Fields {
		if f.Required && !seen[i] {
			return nil, fail(MissingField, f.Key, "there is no column for the required field %s (%s)", f.Key, f.Label.Zh)
		}
	}
	return c, nil
}

// csvCells reads the cells of one record.
type csvCells struct {
	s    string
	done bool
}

// next returns the next cell; not ok after the last.
func (c *csvCells) next() (cell string, ok bool, wrong string) {
	if c.done {
		return "", false, ""
	}
	if c.s == "" || c.s[0] != '"' {
		end := strings.IndexByte(c.s, ',')
		if end < 0 {
			cell, c.s, c.done = c.s, "", true
		} else {
			cell, c.s = c.s[:end], c.s[end+1:]
		}
		if strings.IndexByte(cell, '"') >= 0 {
			return "", false, `a cell that holds quotation marks must be enclosed in them, and they doubled ("")`
		}
		return cell, true, ""
	}
	rest := c.s[1:]
	var text joined
	for {
		end := strings.IndexByte(rest, '"')
		if end < 0 {
			return "", false, "a quotation mark is missing at the end of a cell"
		}
		text.add(rest[:end])
		rest = rest[end+1:]
		switch {
		case rest == "":
			c.s, c.done = "", true
			return text.string(), true, ""
		case rest[0] == ',':
			c.s = rest[1:]
			return text.string(), true, ""
		case rest[0] != '"':
			return "", false, "there is text between a cell's closing quotation mark and the next comma"
		}
		text.add(`"`)
		rest = rest[1:]
	}
}
