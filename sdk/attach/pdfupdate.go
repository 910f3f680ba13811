package attach

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/credledger/credledger/sdk/sm"
)

// description says in readers what the attachment is.
const description = "证照凭证,供机器核验 / Credential of this licence, for verification by machine"

// pdfVersion is the version of PDF that file specifications as written here came with (ISO 32000-1).
const pdfVersion = "1.7"

// A pdfUpdate writes a new revision of a PDF: its catalog again, and objects with new numbers.
type pdfUpdate struct {
	file    *pdfFile
	trailer pdfDict
	root    pdfRef // the catalog
	catalog pdfDict
	files   pdfFiles
	attachment
	name string

	out     bytes.Buffer
	places  []pdfPlace
	highest int // number of an object
}

// A pdfPlace is where an object is.
type pdfPlace struct {
	ref    pdfRef
	offset int
}

// write returns the file with the update after it.
func (u *pdfUpdate) write() ([]byte, error) {
	first := max(1, u.file.size(u.trailer))
	stream, specification, tree, references := pdfRef{number: first}, pdfRef{number: first + 1}, pdfRef{number: first + 2}, pdfRef{number: first + 3}
	if references.number > maxPDFNumber {
		return nil, errTooComplex(FormatPDF)
	}
	b := u.file.b
	u.out.Grow(len(b) + 2*len(u.content) + 4<<10)
	u.out.Write(b)
	if !isPDFSpace(b[len(b)-1]) {
		u.out.WriteByte('\n')
	}
	u.object(u.root, u.newCatalog(specification, tree))
	u.object(stream, fmt.Sprintf("<< /Type /EmbeddedFile /Subtype /application#2Fcbor /Params << /Size %d /ModDate (D:%s) >> /Length %d >>\nstream\n%s\nendstream",
		len(u.content), u.issued.Format("20060102150405Z"), len(u.content), u.content))
	u.object(specification, fmt.Sprintf("<< /Type /Filespec /F (%s) /UF (%s) /Desc <%X> /AFRelationship /Data /EF << /F %s /UF %s >> >>",
		u.name, u.name, utf16Text(description), stream, stream))
	u.object(tree, u.newTree(specification))
	begin := u.out.Len()
	if u.file.stream {
		u.crossStream(references)
	} else {
		u.crossTable()
	}
	fmt.Fprintf(&u.out, "startxref\n%d\n%%%%EOF\n", begin)
	return u.out.Bytes(), nil
}

// object writes an object, whose offset goes among the cross-references.
func (u *pdfUpdate) object(ref pdfRef, body string) {
	u.place(ref)
	fmt.Fprintf(&u.out, "%d %d obj\n%s\nendobj\n", ref.number, ref.generation, body)
}

func (u *pdfUpdate) place(ref pdfRef) {
	u.places = append(u.places, pdfPlace{ref, u.out.Len()})
	u.highest = max(u.highest, ref.number)
}

// newCatalog returns the catalog with the new attachment. What it referred to for names and associated
// files is written into it, so that nothing else changes.
func (u *pdfUpdate) newCatalog(specification, tree pdfRef) string {
	var names, associated, out strings.Builder
	writeEntries(&names, u.file.dict(u.catalog.get("Names")), "EmbeddedFiles")
	for _, a := range u.files.associated {
		associated.Write(a.text)
		associated.WriteByte(' ')
	}
	out.WriteString("<< ")
	if u.outdated() {
		writeEntries(&out, u.catalog, "Names", "AF", "Version")
		fmt.Fprintf(&out, "/Version /%s ", pdfVersion)
	} else {
		writeEntries(&out, u.catalog, "Names", "AF")
	}
	fmt.Fprintf(&out, "/Names << %s/EmbeddedFiles %s >> /AF [ %s%s ] >>", names.String(), tree, associated.String(), specification)
	return out.String()
}

// outdated reports whether the file says that it is of an older version than pdfVersion: in its header,
// or in the catalog, if that says a later one (ISO 32000-1, 7.5.2).
func (u *pdfUpdate) outdated() bool {
	const header = "%PDF-"
	version := string(u.file.b[len(header):min(len(u.file.b), len(header)+len(pdfVersion))])
	own, _ := u.file.resolve(u.catalog.get("Version")).value.(pdfName)
	return max(version, string(own)) < pdfVersion
}

// newTree returns the name tree with the new attachment, as one node. Names are sorted by their bytes
// (ISO 32000-1, 7.9.6).
func (u *pdfUpdate) newTree(specification pdfRef) string {
	names := append(slices.Clip(u.files.names), pdfNamed{
		name: pdfItem{pdfString(u.name), []byte("(" + u.name + ")")},
		file: pdfItem{specification, []byte(specification.String())},
	})
	slices.SortStableFunc(names, func(a, b pdfNamed) int {
		return strings.Compare(string(a.name.value.(pdfString)), string(b.name.value.(pdfString)))
	})
	var out strings.Builder
	out.WriteString("<< /Names [\n")
	for _, n := range names {
		fmt.Fprintf(&out, "%s %s\n", n.name.text, n.file.text)
	}
	out.WriteString("] >>")
	return out.String()
}

// crossTable writes cross-references as a table, with a trailer (ISO 32000-1, 7.5.4 and 7.5.5).
func (u *pdfUpdate) crossTable() {
	u.out.WriteString("xref\n")
	for _, p := range u.sorted() {
		fmt.Fprintf(&u.out, "%d 1\n%010d %05d n \n", p.ref.number, p.offset, p.ref.generation)
	}
	u.out.WriteString("trailer\n<< ")
	u.writeTrailer(&u.out, "XRefStm")
	u.out.WriteString(">>\n")
}

// crossStream writes cross-references as a stream, which is a trailer too (ISO 32000-1, 7.5.8).
func (u *pdfUpdate) crossStream(ref pdfRef) {
	u.place(ref)
	var rows []byte
	var dict bytes.Buffer
	dict.WriteString("<< /Type /XRef /W [ 1 4 2 ] /Index [ ")
	for _, p := range u.sorted() {
		rows = append(rows, pdfAtOffset)
		rows = binary.BigEndian.AppendUint32(rows, uint32(p.offset))
		rows = binary.BigEndian.AppendUint16(rows, uint16(p.ref.generation))
		fmt.Fprintf(&dict, "%d 1 ", p.ref.number)
	}
	fmt.Fprintf(&dict, "] /Length %d ", len(rows))
	u.writeTrailer(&dict, "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL")
	fmt.Fprintf(&u.out, "%d %d obj\n%s>>\nstream\n%s\nendstream\nendobj\n", ref.number, ref.generation, dict.Bytes(), rows)
}

// sorted returns the places by number.
func (u *pdfUpdate) sorted() []pdfPlace {
	slices.SortFunc(u.places, func(a, b pdfPlace) int { return a.ref.number - b.ref.number })
	return u.places
}

// writeTrailer writes the entries of the trailer: those of the newest one, as they are, and what is new.
func (u *pdfUpdate) writeTrailer(w *bytes.Buffer, except ...pdfName) {
	writeEntries(w, u.trailer, append(except, "Size", "Prev", "ID")...)
	fmt.Fprintf(w, "/Size %d /Prev %d ", u.highest+1, u.file.begin)
	if id := u.file.array(u.trailer.get("ID")); len(id) == 2 {
		fmt.Fprintf(w, "/ID [ %s <%X> ] ", id[0].text, u.newID(id[1].text))
	}
}

// newID returns an identifier of this revision (ISO 32000-1, 14.4), which follows from that of the one
// before and the attachment.
func (u *pdfUpdate) newID(before []byte) []byte {
	h := sm.NewHash()
	h.Write(before)
	h.Write(u.content)
	return h.Sum(nil)[:16]
}

// writeEntries writes entries of a dictionary as they stand in the file.
func writeEntries(w interface{ Write([]byte) (int, error) }, d pdfDict, except ...pdfName) {
	for _, e := range d {
		if !slices.Contains(except, e.name) {
			fmt.Fprintf(w, "%s %s\n", e.key, e.text)
		}
	}
}

func (r pdfRef) String() string { return fmt.Sprintf("%d %d R", r.number, r.generation) }

// utf16Text returns a text string (ISO 32000-1, 7.9.2.2): UTF-16BE after a byte order mark.
func utf16Text(s string) pdfString {
	b := []byte{0xFE, 0xFF}
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	return pdfString(b)
}
