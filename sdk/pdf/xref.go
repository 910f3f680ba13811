package pdf

import "bytes"

// A section says where objects with consecutive numbers are (ISO 32000-1, 7.5.4 and 7.5.8).
type section struct {
	first, count int
	rows         []byte
	width        [3]int // of the fields of a row of a cross-reference stream; of a table, whose rows are text, zero
}

const (
	tableRow = 20   // bytes
	maxTail  = 2048 // bytes at the end among which the place of the cross-references is looked for
)

// The kinds of places that an object has, as in a cross-reference stream.
const (
	free = iota
	atOffset
	inStream
)

// place returns where the newest revision of an object is: its offset, or the number of the object
// stream that it is in.
func (f *File) place(number int) (kind, where int) {
	f.spend(len(f.sections))
	for i := range f.sections {
		s := &f.sections[i]
		if row := number - s.first; 0 <= row && row < s.count {
			return s.row(row)
		}
	}
	return free, 0
}

// row reads a row; one that is not understood stands for no object.
func (s *section) row(i int) (kind, where int) {
	if s.width == [3]int{} {
		row := s.rows[i*tableRow:][:tableRow]
		offset, ok := natural(row[:10])
		if !ok || row[17] != 'n' {
			return free, 0
		}
		return atOffset, offset
	}
	row := s.rows[i*(s.width[0]+s.width[1]+s.width[2]):]
	kind = atOffset
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

// Size returns the first number above all those of the file's objects.
func (f *File) Size() int {
	size, _ := f.trailer.Get("Size").(int)
	for i := range f.sections {
		size = max(size, f.sections[i].first+f.sections[i].count)
	}
	return size
}

// readSections reads the cross-references of all revisions, the newest first, and returns the newest
// trailer.
func (f *File) readSections() Dict {
	tail := f.b[max(0, len(f.b)-maxTail):]
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
	var newest Dict
	seen := map[int]bool{}
	for next, more := f.begin, true; more && f.err == nil; {
		if seen[next] || next >= len(f.b) {
			f.damaged()
			return nil
		}
		seen[next] = true
		trailer, isStream := f.readSection(next)
		if len(seen) == 1 {
			newest, f.inStream = trailer, isStream
		}
		if trailer.Item("Encrypt").Text != nil {
			f.Fail(ErrEncrypted)
		}
		next, more = trailer.Get("Prev").(int)
		more = more && next >= 0
	}
	return newest
}

// readSection reads the cross-references of one revision and returns its trailer, and whether they are
// in a stream.
func (f *File) readSection(at int) (trailer Dict, isStream bool) {
	p := f.parser(f.b, at)
	p.space()
	if p.at < len(p.b) && p.b[p.at] != 'x' {
		return f.readCrossStream(at), true
	}
	var table []section
	for p.keyword("xref"); !p.failed; {
		before := p.at
		if string(p.word()) == "trailer" {
			break
		}
		p.at = before
		s := section{first: p.natural(), count: p.natural()}
		p.space()
		if p.failed || s.count > (len(p.b)-p.at)/tableRow {
			p.fail()
			break
		}
		s.rows = p.b[p.at:][:s.count*tableRow]
		p.at += len(s.rows)
		table = append(table, s)
		f.spend(1 + s.count)
		if len(table) > f.bounds.Sections || f.err != nil {
			p.fail()
		}
	}
	trailer, ok := p.item(0).Value.(Dict)
	if p.failed || !ok {
		f.damaged()
		return nil, false
	}
	// A file that old programs can read too says in a stream where the objects are that they do not see.
	if hidden, ok := trailer.Get("XRefStm").(int); ok && 0 <= hidden && hidden < len(f.b) {
		f.readCrossStream(hidden)
	}
	f.addSections(table)
	return trailer, false
}

// readCrossStream reads a cross-reference stream and returns its dictionary.
func (f *File) readCrossStream(at int) Dict {
	s, ok := f.objectAt(at, -1).Value.(*Stream)
	if !ok || s.Dict.Get("Type") != Name("XRef") {
		f.damaged()
		return nil
	}
	widths, _ := s.Dict.Get("W").(Array)
	part, row := section{}, 0
	if len(widths) != len(part.width) {
		f.damaged()
		return nil
	}
	for i, w := range widths {
		n, ok := w.Value.(int)
		if !ok || n < 0 || n > 4 {
			f.damaged()
			return nil
		}
		part.width[i] = n
		row += n
	}
	index, ok := s.Dict.Get("Index").(Array)
	if !ok {
		index = Array{{Value: 0}, s.Dict.Item("Size")}
	}
	rows := f.contents(s)
	if part.width[1] == 0 || len(index)%2 != 0 {
		f.damaged()
		return nil
	}
	var sections []section
	for ; len(index) > 0; index = index[2:] {
		first, ok1 := index[0].Value.(int)
		count, ok2 := index[1].Value.(int)
		if !ok1 || !ok2 || first < 0 || count < 0 || count > len(rows)/row {
			f.damaged()
			return nil
		}
		part.first, part.count, part.rows = first, count, rows[:count*row]
		rows = rows[count*row:]
		sections = append(sections, part)
	}
	f.addSections(sections)
	return s.Dict
}

func (f *File) addSections(s []section) {
	if f.sections = append(f.sections, s...); len(f.sections) > f.bounds.Sections {
		f.Fail(ErrComplex)
	}
}
