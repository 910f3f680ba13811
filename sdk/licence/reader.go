package licence

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// Format is the form of an input.
type Format string

// The formats that NewReader tells apart.
const (
	JSON      Format = "json"       // one JSON object, or an array of them
	JSONLines Format = "json-lines" // one JSON object per line
	XML       Format = "xml"        // a root element that holds one element per licence, or is the one licence
	CSV       Format = "csv"        // RFC 4180 with a header line, separated by commas
)

// Raw is one record of an input, told apart from its neighbours but not yet parsed.
type Raw struct {
	Record  int // 1 for the first record of the input
	Line    int // line of the input on which the record begins, from 1
	text    string
	format  Format
	columns *columns // CSV only
}

// Text returns the record as it stands in the input: personal data.
func (r Raw) Text() string { return r.text }

// Reader reads the licences of one input, of any length, in bounded memory. It must not be used from several goroutines; the records that NextRaw
// returns can be parsed in several.
type Reader struct {
	t       *Type
	format  Format
	split   splitter
	columns *columns
	src     *source
	records int
	err     error
}

// splitter tells the records of one format apart.
type splitter interface {
	// next returns the bytes of the next record, good until the following call, and the line on which it begins.
	// The error is io.EOF, an *InputError, or errTooLarge, which is about this record only.
	next() (record []byte, line int, err error)
}

var errTooLarge = errors.New("record too large")

// NewReader reads the beginning of r and tells by it which Format it is; a byte order mark is passed over. The error is an *InputError.
// Reading ends at the end of r or at the first error that is not a *RecordError.
func NewReader(r io.Reader, t *Type) (*Reader, error) {
	if t == nil || t.leaves == nil {
		return nil, &InputError{Code: WrongType, Message: "the licence type does not come from ParseType"}
	}
	src := newSource(r)
	for len(src.buf) < 4 && src.more() {
	}
	if b := src.buf; bytes.HasPrefix(b, []byte{0xfe, 0xff}) || bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.IndexByte(b[:min(4, len(b))], 0) >= 0 {
		return nil, &InputError{Code: NotUTF8, Line: 1, Message: "the input is UTF-16 or binary, not UTF-8 text; convert the file first, for instance with: iconv -f UTF-16 -t UTF-8"}
	}
	if bytes.HasPrefix(src.buf, []byte("\ufeff")) {
		src.use(3)
	}
	if !src.space() {
		if src.err != io.EOF {
			return nil, src.fail("", "")
		}
		return nil, &InputError{Code: EmptyInput, Message: "the input is empty"}
	}
	reader := &Reader{t: t, src: src}
	var err error
	switch src.buf[0] {
	case '[':
		reader.format, reader.split = JSON, &jsonValues{src: src, array: true}
	case '{':
		if reader.format = objectOrLines(src); reader.format == JSON {
			reader.split = &jsonValues{src: src}
		} else {
			reader.split = jsonLines{src}
		}
	case '<':
		reader.format = XML
		reader.split, err = newXMLRecords(src, t)
	default:
		reader.format = CSV
		reader.split, reader.columns, err = newCSVRecords(src, t)
	}
	if err != nil {
		return nil, err
	}
	return reader, nil
}

// Format returns the format of the input.
func (r *Reader) Format() Format { return r.format }

// NextRaw returns the next record, to be parsed by Type.ParseRaw. It returns io.EOF at the end; a *RecordError for a record that is too large, after which
// reading goes on; and an *InputError when it cannot.
func (r *Reader) NextRaw() (Raw, error) {
	if r.err != nil {
		return Raw{}, r.err
	}
	record, line, err := r.split.next()
	if err != nil && err != errTooLarge {
		r.err = err
		return Raw{}, err
	}
	r.records++
	if err == errTooLarge {
		return Raw{}, &RecordError{r.records, line, []Problem{{Code: TooLarge, Message: "the record is larger than 1 MiB"}}}
	}
	raw := Raw{Record: r.records, Line: line, text: string(record), format: r.format, columns: r.columns}
	if r.records == 1 && !utf8.ValidString(raw.text) {
		r.err = notUTF8(line) // a whole file in another encoding, rather than one damaged record
		return Raw{}, r.err
	}
	return raw, nil
}

// Next returns the next licence. It returns io.EOF at the end; a *RecordError for a record that is refused, after which reading goes on; and an
// *InputError when it cannot.
func (r *Reader) Next() (*Document, error) {
	raw, err := r.NextRaw()
	if err != nil {
		return nil, err
	}
	return r.t.ParseRaw(raw)
}
