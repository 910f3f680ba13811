package intake

// A pdfFile is a PDF (ISO 32000) of which the attachments are read and nothing else. Objects are found
// by its cross-references, and a file whose cross-references are wrong is not repaired. After the first
// error nothing more is read.
type pdfFile struct {
	b        []byte
	sections []pdfSection   // the newest first
	streams  map[int][]byte // contents of object streams, by their number
	err      error

	// What may still be spent.
	work   int // bytes read and rows looked at
	values int // values read
	room   int // bytes inflated
	depth  int // objects that are being read while another is
}

// Bounds of the work on one PDF.
const (
	maxPDFWork        = 32 << 20
	maxPDFValues      = 500_000
	maxPDFNesting     = 8
	maxPDFNodes       = 10_000 // of the tree of attachments
	maxPDFAttachments = 1_000
)

// attachedToPDF returns the files that are attached to a PDF and may be credentials: those of the name
// tree EmbeddedFiles, and the associated files of the document (ISO 32000-2, 7.11.4 and 14.13).
func attachedToPDF(b []byte) ([][]byte, error) {
	f := &pdfFile{b: b, streams: map[int][]byte{}, work: maxPDFWork, values: maxPDFValues, room: maxInflated}
	trailer := f.readSections()
	root := f.dict(trailer["Root"])
	specifications := f.embedded(f.dict(root["Names"])["EmbeddedFiles"])
	associated, _ := f.resolve(root["AF"]).(pdfArray)
	specifications = append(specifications, associated...)
	var out [][]byte
	seen := map[pdfRef]bool{}
	for _, s := range specifications {
		ref, ok := f.file(s)
		if !ok || seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxPDFAttachments {
			f.complex()
		}
		if content, ok := f.attachment(ref); ok {
			out = append(out, content)
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return out, nil
}

// embedded returns the file specifications in a name tree (ISO 32000-1, 7.9.6).
func (f *pdfFile) embedded(root any) []any {
	var out []any
	seen := map[pdfRef]bool{}
	for nodes := []any{root}; len(nodes) > 0 && f.err == nil; {
		node := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		if ref, ok := node.(pdfRef); ok {
			if seen[ref] {
				f.damaged()
			}
			seen[ref] = true
		}
		dict := f.dict(node)
		names, _ := f.resolve(dict["Names"]).(pdfArray)
		for i := 1; i < len(names); i += 2 {
			out = append(out, names[i])
		}
		kids, _ := f.resolve(dict["Kids"]).(pdfArray)
		if nodes = append(nodes, kids...); len(seen)+len(nodes)+len(out) > maxPDFNodes {
			f.complex()
		}
	}
	return out
}

// file returns the stream that a file specification names (ISO 32000-1, 7.11.3).
func (f *pdfFile) file(specification any) (pdfRef, bool) {
	embedded := f.dict(f.dict(specification)["EF"])
	for _, key := range []pdfName{"F", "UF"} {
		if ref, ok := embedded[key].(pdfRef); ok {
			return ref, true
		}
	}
	return pdfRef{}, false
}

// dict returns the dictionary that a value is or refers to, nil if it is none.
func (f *pdfFile) dict(v any) pdfDict {
	d, _ := f.resolve(v).(pdfDict)
	return d
}

// resolve follows a reference.
func (f *pdfFile) resolve(v any) any {
	ref, ok := v.(pdfRef)
	if !ok || f.err != nil {
		return v
	}
	if f.depth++; f.depth > maxPDFNesting {
		f.damaged()
		return nil
	}
	defer func() { f.depth-- }()
	switch kind, where := f.place(ref.number); kind {
	case pdfAtOffset:
		return f.objectAt(where, ref.number)
	case pdfInStream:
		return f.objectIn(where, ref.number)
	}
	return nil
}

// objectAt reads the object at an offset, which has to have a number unless that is negative.
func (f *pdfFile) objectAt(offset, number int) any {
	if f.err != nil || offset >= len(f.b) {
		f.damaged()
		return nil
	}
	p := f.parser(f.b, offset)
	if n := p.natural(); number >= 0 && n != number {
		p.fail()
	}
	p.natural()
	p.keyword("obj")
	v := p.value(0)
	f.spend(p.at - offset)
	if dict, ok := v.(pdfDict); ok && string(p.word()) == "stream" {
		v = f.stream(p, dict)
	}
	if p.failed {
		f.damaged()
	}
	if f.err != nil {
		return nil
	}
	return v
}

// stream reads the bytes of a stream (ISO 32000-1, 7.3.8).
func (f *pdfFile) stream(p *pdfParser, dict pdfDict) *pdfStream {
	if p.at < len(p.b) && p.b[p.at] == '\r' {
		p.at++
	}
	if p.at == len(p.b) || p.b[p.at] != '\n' {
		p.fail()
		return nil
	}
	begin := p.at + 1
	length, ok := f.resolve(dict["Length"]).(int)
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
func (f *pdfFile) objectIn(stream, number int) any {
	contents, ok := f.streams[stream]
	first, count := 0, 0
	if kind, where := f.place(stream); kind == pdfAtOffset {
		s, isStream := f.objectAt(where, stream).(*pdfStream)
		if !isStream || s.dict["Type"] != pdfName("ObjStm") {
			f.damaged()
			return nil
		}
		if !ok {
			contents = f.contents(s)
			f.streams[stream] = contents
		}
		first, _ = f.resolve(s.dict["First"]).(int)
		count, _ = f.resolve(s.dict["N"]).(int)
	}
	if first <= 0 || first > len(contents) || f.err != nil {
		f.damaged()
		return nil
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
			v := p.value(0)
			f.spend(p.at - first - offset)
			if !p.failed {
				return v
			}
			break
		}
	}
	f.damaged()
	return nil
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
	f.fail(errorf(CodeDamagedFile, "the PDF is damaged, or breaks its standard: save it again, or give its credential with it"))
}

func (f *pdfFile) complex() {
	f.fail(errorf(CodeBomb, "the PDF takes too much work to read: save it again, or give its credential with it"))
}
