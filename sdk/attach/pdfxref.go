package attach

import "bytes"

// A pdfSection says where objects with consecutive numbers are (ISO 32000-1, 7.5.4 and 7.5.8).
type pdfSection struct {
	first, count int
	rows         []byte
	width        [3]int // of the fields of a row of a cross-reference stream; of a table, whose rows are text, zero
}

const (
	pdfTableRow      = 20        // bytes
	maxPDFSections   = 2048      // of all revisions
	maxPDFTail       = 2048      // bytes at the end among which the place of the cross-references is looked for
	maxPDFNumber     = 8_388_607 // of an object (ISO 32000-1, annex C)
	maxPDFGeneration = 65_535
)

// The kinds of places that an object has, as in a cross-reference stream.
const (
	pdfFree = iota
	pdfAtOffset
	pdfInStream
)

// place returns where the newest revision of an object is: its offset, or the number of the object
// stream that it is in.
func (f *pdfFile) place(number int) (kind, where int) {
	f.spend(len(f.sections))
	for i := range f.sections {
		s := &f.sections[i]
		if row := number - s.first; 0 <= row && row < s.count {
			return s.row(row)
		}
	}
	return pdfFree, 0
}

// row reads a row; one that is not understood stands for no object.
func (s *pdfSection) row(i int) (kind, where int) {
	if s.width == [3]int{} {
		row := s.rows[i*pdfTableRow:][:pdfTableRow]
		offset, ok := pdfNatural(row[:10])
		if !ok || row[17] != 'n' {
			return pdfFree, 0
		}
		return pdfAtOffset, offset
	}
	row := s.rows[i*(s.width[0]+s.width[1]+s.width[2]):]
	kind = pdfAtOffset
	if s.width[0] > 0 {
		kind = bigEndian(row[:s.width[0]])
	}
	return kind, bigEndian(row[s.width[0]:][:s.width[1]])
}

func bigEndian(b []byte) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}

// size returns the first number above all those of the file's objects.
func (f *pdfFile) size(trailer pdfDict) int {
	size, _ := trailer.get("Size").(int)
	for i := range f.sections {
		size = max(size, f.sections[i].first+f.sections[i].count)
	}
	return size
}

// readSections reads the cross-references of all revisions, the newest first, and returns the newest
// trailer.
func (f *pdfFile) readSections() pdfDict {
	tail := f.b[max(0, len(f.b)-maxPDFTail):]
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		f.damaged()
		return nil
	}
	p := f.parser(tail, i)
	p.keyword("startxref")
	if f.begin = p.natural(); p.failed {
		f.damaged()
		return nil
	}
	var newest pdfDict
	seen := map[int]bool{}
	for next, more := f.begin, true; more && f.err == nil; {
		if seen[next] || next >= len(f.b) {
			f.damaged()
			return nil
		}
		seen[next] = true
		trailer, isStream := f.readSection(next)
		if len(seen) == 1 {
			newest, f.stream = trailer, isStream
		}
		if trailer.item("Encrypt").text != nil {
			f.fail(errEncrypted(FormatPDF))
		}
		next, more = trailer.get("Prev").(int)
		more = more && next >= 0
	}
	return newest
}

// readSection reads the cross-references of one revision and returns its trailer, and whether they are
// in a stream.
func (f *pdfFile) readSection(at int) (trailer pdfDict, isStream bool) {
	p := f.parser(f.b, at)
	p.space()
	if p.at < len(p.b) && p.b[p.at] != 'x' {
		return f.readCrossStream(at), true
	}
	var table []pdfSection
	for p.keyword("xref"); !p.failed; {
		before := p.at
		if string(p.word()) == "trailer" {
			break
		}
		p.at = before
		s := pdfSection{first: p.natural(), count: p.natural()}
		p.space()
		if p.failed || s.count > (len(p.b)-p.at)/pdfTableRow {
			p.fail()
			break
		}
		s.rows = p.b[p.at:][:s.count*pdfTableRow]
		p.at += len(s.rows)
		table = append(table, s)
		f.spend(1 + s.count)
		if len(table) > maxPDFSections || f.err != nil {
			p.fail()
		}
	}
	trailer, ok := p.item(0).value.(pdfDict)
	if p.failed || !ok {
		f.damaged()
		return nil, false
	}
	// A file that old programs can read too says in a stream where the objects are that they do not see.
	if hidden, ok := trailer.get("XRefStm").(int); ok && 0 <= hidden && hidden < len(f.b) {
		f.readCrossStream(hidden)
	}
	f.addSections(table)
	return trailer, false
}

// readCrossStream reads a cross-reference stream and returns its dictionary.
func (f *pdfFile) readCrossStream(at int) pdfDict {
	s, ok := f.objectAt(at, -1).value.(*pdfStream)
	if !ok || s.dict.get("Type") != pdfName("XRef") {
		f.damaged()
		return nil
	}
	widths, _ := s.dict.get("W").(pdfArray)
	section, row := pdfSection{}, 0
	if len(widths) != len(section.width) {
		f.damaged()
		return nil
	}
	for i, w := range widths {
		n, ok := w.value.(int)
		if !ok || n < 0 || n > 4 {
			f.damaged()
			return nil
		}
		section.width[i] = n
		row += n
	}
	index, ok := s.dict.get("Index").(pdfArray)
	if !ok {
		index = pdfArray{{value: 0}, s.dict.item("Size")}
	}
	rows := f.contents(s)
	if section.width[1] == 0 || len(index)%2 != 0 {
		f.damaged()
		return nil
	}
	var sections []pdfSection
	for ; len(index) > 0; index = index[2:] {
		first, ok1 := index[0].value.(int)
		count, ok2 := index[1].value.(int)
		if !ok1 || !ok2 || first < 0 || count < 0 || count > len(rows)/row {
			f.damaged()
			return nil
		}
		section.first, section.count, section.rows = first, count, rows[:count*row]
		rows = rows[count*row:]
		sections = append(sections, section)
	}
	f.addSections(sections)
	return s.dict
}

func (f *pdfFile) addSections(s []pdfSection) {
	if f.sections = append(f.sections, s...); len(f.sections) > maxPDFSections {
		f.complex()
	}
}
