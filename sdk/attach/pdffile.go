package attach

// A pdfFile is a PDF (ISO 32000) whose objects are found by its cross-references. A file whose
// cross-references are wrong is not repaired. After the first error nothing more is read.
type pdfFile struct {
	b        []byte
	begin    int            // of the newest cross-references
	stream   bool           // these are in a stream, not in a table
	sections []pdfSection   // the newest first
	streams  map[int][]byte // contents of object streams, by their number
	err      error

	// What may still be spent.
	work   int // bytes read and rows looked at
	values int // values read
	room   int // bytes inflated
	depth  int // objects that are being read while another is
}

// Bounds of the work on one PDF: half of what package intake spends, so that it reads every result.
const (
	maxPDFWork     = 16 << 20
	maxPDFValues   = 250_000
	maxPDFInflated = 16 << 20
	maxPDFNesting  = 8
	maxPDFNodes    = 5_000 // of the tree of attachments, and of that of form fields
)

// maxAttachments is how many attachments a file may have, with the credential.
const maxAttachments = 1_000

// openPDF reads the cross-references of a PDF and returns its newest trailer too.
func openPDF(b []byte) (*pdfFile, pdfDict) {
	f := &pdfFile{b: b, streams: map[int][]byte{}, work: maxPDFWork, values: maxPDFValues, room: maxPDFInflated}
	return f, f.readSections()
}

// dict returns the dictionary that a value is or refers to, nil if it is none.
func (f *pdfFile) dict(v any) pdfDict {
	d, _ := f.resolve(v).value.(pdfDict)
	return d
}

// array returns the array that a value is or refers to, nil if it is none.
func (f *pdfFile) array(v any) pdfArray {
	a, _ := f.resolve(v).value.(pdfArray)
	return a
}

// resolve follows a reference. Of a value that is none, and of a stream, the text is nil.
func (f *pdfFile) resolve(v any) pdfItem {
	ref, ok := v.(pdfRef)
	if !ok || f.err != nil {
		return pdfItem{value: v}
	}
	if f.depth++; f.depth > maxPDFNesting {
		f.damaged()
		return pdfItem{}
	}
	defer func() { f.depth-- }()
	switch kind, where := f.place(ref.number); kind {
	case pdfAtOffset:
		return f.objectAt(where, ref.number)
	case pdfInStream:
		return f.objectIn(where, ref.number)
	}
	return pdfItem{}
}

// objectAt reads the object at an offset, which has to have a number unless that is negative.
func (f *pdfFile) objectAt(offset, number int) pdfItem {
	if f.err != nil || offset >= len(f.b) {
		f.damaged()
		return pdfItem{}
	}
	p := f.parser(f.b, offset)
	if n := p.natural(); number >= 0 && n != number {
		p.fail()
	}
	p.natural()
	p.keyword("obj")
	item := p.item(0)
	f.spend(p.at - offset)
	if dict, ok := item.value.(pdfDict); ok && string(p.word()) == "stream" {
		item = pdfItem{value: f.streamOf(p, dict)}
	}
	if p.failed {
		f.damaged()
	}
	if f.err != nil {
		return pdfItem{}
	}
	return item
}

// streamOf reads the bytes of a stream (ISO 32000-1, 7.3.8).
func (f *pdfFile) streamOf(p *pdfParser, dict pdfDict) *pdfStream {
	if p.at < len(p.b) && p.b[p.at] == '\r' {
		p.at++
	}
	if p.at == len(p.b) || p.b[p.at] != '\n' {
		p.fail()
		return nil
	}
	begin := p.at + 1
	length, ok := f.resolve(dict.get("Length")).value.(int)
	if !ok || length < 0 || length > len(p.b)-begin {
		p.fail()
		return nil
	}
	p.at = begin + length
	p.keyword("endstream")
	return &pdfStream{dict: dict, raw: p.b[begin:][:length]}
}

// objectIn reads an object out of an object stream (ISO 32000-1, 7.5.7), which begins with numbers and
// offsets.
func (f *pdfFile) objectIn(stream, number int) pdfItem {
	contents, ok := f.streams[stream]
	first, count := 0, 0
	if kind, where := f.place(stream); kind == pdfAtOffset {
		s, isStream := f.objectAt(where, stream).value.(*pdfStream)
		if !isStream || s.dict.get("Type") != pdfName("ObjStm") {
			f.damaged()
			return pdfItem{}
		}
		if !ok {
			contents = f.contents(s)
			f.streams[stream] = contents
		}
		first, _ = f.resolve(s.dict.get("First")).value.(int)
		count, _ = f.resolve(s.dict.get("N")).value.(int)
	}
	if first <= 0 || first > len(contents) || f.err != nil {
		f.damaged()
		return pdfItem{}
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
	return pdfItem{}
}

func (f *pdfFile) parser(b []byte, at int) *pdfParser {
	return &pdfParser{b: b, at: at, values: &f.values}
}

// spend accounts for work.
func (f *pdfFile) spend(n int) {
	if f.work -= n; f.work < 0 {
		f.complex()
	}
}

// fail keeps the first error.
func (f *pdfFile) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *pdfFile) damaged() {
	if f.values < 0 {
		f.complex()
	}
	f.fail(errDamaged(FormatPDF))
}

func (f *pdfFile) complex() { f.fail(errTooComplex(FormatPDF)) }
