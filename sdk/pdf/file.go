// Package pdf reads the structure of a PDF file (ISO 32000), as far as its attachments need it: objects,
// cross-references, streams, name trees.
//
// The file comes from outside. So it is read within Bounds, a file that breaks the standard is not
// repaired, and nothing is read after the first error. A value keeps its text as it stands in the file, so
// that whoever writes a revision can put it back unchanged.
//
// The package draws nothing, decrypts nothing, writes nothing, and does no I/O.
package pdf

import "errors"

// The errors of a File.
var (
	ErrDamaged   = errors.New("the PDF is damaged, or breaks its standard")
	ErrComplex   = errors.New("the PDF takes too much work to read")
	ErrEncrypted = errors.New("the PDF is protected by a password")
)

// Bounds are what may be spent on one file.
type Bounds struct {
	Work     int // bytes read and rows of cross-references looked at
	Values   int // values read
	Inflated int // bytes
	Sections int // of the cross-references of all revisions
	Nodes    int // of one tree
}

const (
	maxNesting = 8  // of objects that are read while another is
	maxDepth   = 32 // of arrays and dictionaries
)

// A File is a PDF whose objects are found by its cross-references. It is not for several goroutines.
type File struct {
	b        []byte
	trailer  Dict
	begin    int            // of the newest cross-references
	inStream bool           // these are in a stream, not in a table
	sections []section      // the newest first
	streams  map[int][]byte // contents of object streams, by their number
	bounds   Bounds         // what is left of them
	depth    int            // objects that are being read while another is
	err      error
}

// Open reads the cross-references of a PDF.
func Open(b []byte, bounds Bounds) *File {
	f := &File{b: b, streams: map[int][]byte{}, bounds: bounds}
	f.trailer = f.readSections()
	return f
}

// Err returns ErrDamaged, ErrComplex or ErrEncrypted, whichever came first; what was read after that is
// nothing.
func (f *File) Err() error { return f.err }

// Trailer returns the newest trailer (7.5.5).
func (f *File) Trailer() Dict { return f.trailer }

// References says where the newest cross-references begin, and whether they are in a stream.
func (f *File) References() (begin int, inStream bool) { return f.begin, f.inStream }

// Dict returns the dictionary that a value is or refers to, nil if it is none.
func (f *File) Dict(v any) Dict {
	d, _ := f.Resolve(v).Value.(Dict)
	return d
}

// Array returns the array that a value is or refers to, nil if it is none.
func (f *File) Array(v any) Array {
	a, _ := f.Resolve(v).Value.(Array)
	return a
}

// Resolve follows a reference. Of a value that is none, and of a stream, the text is nil.
func (f *File) Resolve(v any) Item {
	ref, ok := v.(Ref)
	if !ok || f.err != nil {
		return Item{Value: v}
	}
	if f.depth++; f.depth > maxNesting {
		f.damaged()
		return Item{}
	}
	defer func() { f.depth-- }()
	switch kind, where := f.place(ref.Number); kind {
	case atOffset:
		return f.objectAt(where, ref.Number)
	case inStream:
		return f.objectIn(where, ref.Number)
	}
	return Item{}
}

// objectAt reads the object at an offset, which has to have a number unless that is negative.
func (f *File) objectAt(offset, number int) Item {
	if f.err != nil || offset >= len(f.b) {
		f.damaged()
		return Item{}
	}
	p := f.parser(f.b, offset)
	if n := p.natural(); number >= 0 && n != number {
		p.fail()
	}
	p.natural()
	p.keyword("obj")
	item := p.item(0)
	f.spend(p.at - offset)
	if dict, ok := item.Value.(Dict); ok && string(p.word()) == "stream" {
		item = Item{Value: f.streamOf(p, dict)}
	}
	if p.failed {
		f.damaged()
	}
	if f.err != nil {
		return Item{}
	}
	return item
}

// streamOf reads the bytes of a stream (ISO 32000-1, 7.3.8).
func (f *File) streamOf(p *parser, dict Dict) *Stream {
	if p.at < len(p.b) && p.b[p.at] == '\r' {
		p.at++
	}
	if p.at == len(p.b) || p.b[p.at] != '\n' {
		p.fail()
		return nil
	}
	begin := p.at + 1
	length, ok := f.Resolve(dict.Get("Length")).Value.(int)
	if !ok || length < 0 || length > len(p.b)-begin {
		p.fail()
		return nil
	}
	p.at = begin + length
	p.keyword("endstream")
	return &Stream{Dict: dict, raw: p.b[begin:][:length]}
}

// objectIn reads an object out of an object stream (ISO 32000-1, 7.5.7), which begins with numbers and
// offsets.
func (f *File) objectIn(stream, number int) Item {
	contents, ok := f.streams[stream]
	first, count := 0, 0
	if kind, where := f.place(stream); kind == atOffset {
		s, isStream := f.objectAt(where, stream).Value.(*Stream)
		if !isStream || s.Dict.Get("Type") != Name("ObjStm") {
			f.damaged()
			return Item{}
		}
		if !ok {
			contents = f.contents(s)
			f.streams[stream] = contents
		}
		first, _ = f.Resolve(s.Dict.Get("First")).Value.(int)
		count, _ = f.Resolve(s.Dict.Get("N")).Value.(int)
	}
	if first <= 0 || first > len(contents) || f.err != nil {
		f.damaged()
		return Item{}
	}
	header := f.parser(contents[:first], 0)
	defer func() { f.spend(header.at) }()
	for range count {
		n, offset := header.natural(), header.natural()
		if header.failed {
			break
		}
		if n == number && offset < len(contents)-first {
			p := f.parser(contents, first+offset)
			item := p.item(0)
			f.spend(p.at - first - offset)
			if !p.failed {
				return item
			}
			break
		}
	}
	f.damaged()
	return Item{}
}

func (f *File) parser(b []byte, at int) *parser {
	return &parser{b: b, at: at, values: &f.bounds.Values}
}

// spend accounts for work.
func (f *File) spend(n int) {
	if f.bounds.Work -= n; f.bounds.Work < 0 {
		f.Fail(ErrComplex)
	}
}

// Fail keeps the first error. Whoever finds the file at fault in what it returned says so by ErrDamaged or
// ErrComplex.
func (f *File) Fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// damaged says that the file is, unless it is only that no more values may be read.
func (f *File) damaged() {
	if f.bounds.Values < 0 {
		f.Fail(ErrComplex)
	}
	f.Fail(ErrDamaged)
}
