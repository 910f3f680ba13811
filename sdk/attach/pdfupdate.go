package attach

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/credledger/credledger/sdk/pdf"
	"github.com/credledger/credledger/sdk/sm"
)

// description says in readers what the attachment is.
const description = "证照凭证,供机器核验 / Credential of this licence, for verification by machine"

// pdfVersion is the version of PDF that file specifications as written here came with (ISO 32000-1).
const pdfVersion = "1.7"

// atOffset is the kind of a row of a cross-reference stream that says where an object begins (ISO 32000-1,
// table 18).
const atOffset = 1

// A pdfUpdate writes a new revision of a PDF: its catalog again, and objects with new numbers.
type pdfUpdate struct {
	b       []byte // the file
	file    *pdf.File
	root    pdf.Ref // the catalog
	catalog pdf.Dict
	files   pdfFiles
	attachment
	name string

	out     bytes.Buffer
	places  []pdfPlace
	highest int // number of an object
}

// A pdfPlace is where an object is.
type pdfPlace struct {
	ref    pdf.Ref
	offset int
}

// write returns the file with the update after it.
func (u *pdfUpdate) write() ([]byte, error) {
	first := max(1, u.file.Size())
	stream, specification, tree, references := pdf.Ref{Number: first}, pdf.Ref{Number: first + 1}, pdf.Ref{Number: first + 2}, pdf.Ref{Number: first + 3}
	if references.Number > maxPDFNumber {
		return nil, errTooComplex(FormatPDF)
	}
	u.out.Grow(len(u.b) + 2*len(u.content) + 4<<10)
	u.out.Write(u.b)
	if !pdf.IsSpace(u.b[len(u.b)-1]) {
		u.out.WriteByte('\n')
	}
	u.object(u.root, u.newCatalog(specification, tree))
	u.object(stream, fmt.Sprintf("<< /Type /EmbeddedFile /Subtype /application#2Fcbor /Params << /Size %d /ModDate (D:%s) >> /Length %d >>\nstream\n%s\nendstream",
		len(u.content), u.issued.Format("20060102150405Z"), len(u.content), u.content))
	u.object(specification, fmt.Sprintf("<< /Type /Filespec /F (%s) /UF (%s) /Desc <%X> /AFRelationship /Data /EF << /F %s /UF %s >> >>",
		u.name, u.name, utf16Text(description), stream, stream))
	u.object(tree, u.newTree(specification))
	begin := u.out.Len()
	if _, inStream := u.file.References(); inStream {
		u.crossStream(references)
	} else {
		u.crossTable()
	}
	fmt.Fprintf(&u.out, "startxref\n%d\n%%%%EOF\n", begin)
	return u.out.Bytes(), nil
}

// object writes an object, whose offset goes among the cross-references.
func (u *pdfUpdate) object(ref pdf.Ref, body string) {
	u.place(ref)
	fmt.Fprintf(&u.out, "%d %d obj\n%s\nendobj\n", ref.Number, ref.Generation, body)
}

func (u *pdfUpdate) place(ref pdf.Ref) {
	u.places = append(u.places, pdfPlace{ref, u.out.Len()})
	u.highest = max(u.highest, ref.Number)
}

// newCatalog returns the catalog with the new attachment. What it referred to for names and associated
// files is written into it, so that nothing else changes.
func (u *pdfUpdate) newCatalog(specification, tree pdf.Ref) string {
	var names, associated, out strings.Builder
	writeEntries(&names, u.file.Dict(u.catalog.Get("Names")), "EmbeddedFiles")
	for _, a := range u.files.associated {
		associated.Write(a.Text)
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
	version := string(u.b[len(header):min(len(u.b), len(header)+len(pdfVersion))])
	own, _ := u.file.Resolve(u.catalog.Get("Version")).Value.(pdf.Name)
	return max(version, string(own)) < pdfVersion
}

// newTree returns the name tree with the new attachment, as one node. Names are sorted by their bytes
// (ISO 32000-1, 7.9.6).
func (u *pdfUpdate) newTree(specification pdf.Ref) string {
	names := append(slices.Clip(u.files.names), pdf.Named{
		Name: pdf.Item{Value: pdf.String(u.name), Text: []byte("(" + u.name + ")")},
		File: pdf.Item{Value: specification, Text: []byte(specification.String())},
	})
	slices.SortStableFunc(names, func(a, b pdf.Named) int {
		return strings.Compare(string(a.Name.Value.(pdf.String)), string(b.Name.Value.(pdf.String)))
	})
	var out strings.Builder
	out.WriteString("<< /Names [\n")
	for _, n := range names {
		fmt.Fprintf(&out, "%s %s\n", n.Name.Text, n.File.Text)
	}
	out.WriteString("] >>")
	return out.String()
}

// crossTable writes cross-references as a table, with a trailer (ISO 32000-1, 7.5.4 and 7.5.5).
func (u *pdfUpdate) crossTable() {
	u.out.WriteString("xref\n")
	for _, p := range u.sorted() {
		fmt.Fprintf(&u.out, "%d 1\n%010d %05d n \n", p.ref.Number, p.offset, p.ref.Generation)
	}
	u.out.WriteString("trailer\n<< ")
	u.writeTrailer(&u.out, "XRefStm")
	u.out.WriteString(">>\n")
}

// crossStream writes cross-references as a stream, which is a trailer too (ISO 32000-1, 7.5.8).
func (u *pdfUpdate) crossStream(ref pdf.Ref) {
	u.place(ref)
	var rows []byte
	var dict bytes.Buffer
	dict.WriteString("<< /Type /XRef /W [ 1 4 2 ] /Index [ ")
	for _, p := range u.sorted() {
		rows = append(rows, atOffset)
		rows = binary.BigEndian.AppendUint32(rows, uint32(p.offset))
		rows = binary.BigEndian.AppendUint16(rows, uint16(p.ref.Generation))
		fmt.Fprintf(&dict, "%d 1 ", p.ref.Number)
	}
	fmt.Fprintf(&dict, "] /Length %d ", len(rows))
	u.writeTrailer(&dict, "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL")
	fmt.Fprintf(&u.out, "%d %d obj\n%s>>\nstream\n%s\nendstream\nendobj\n", ref.Number, ref.Generation, dict.Bytes(), rows)
}

// sorted returns the places by number.
func (u *pdfUpdate) sorted() []pdfPlace {
	slices.SortFunc(u.places, func(a, b pdfPlace) int { return a.ref.Number - b.ref.Number })
	return u.places
}

// writeTrailer writes the entries of the trailer: those of the newest one, as they are, and what is new.
func (u *pdfUpdate) writeTrailer(w *bytes.Buffer, except ...pdf.Name) {
	writeEntries(w, u.file.Trailer(), append(except, "Size", "Prev", "ID")...)
	before, _ := u.file.References()
	fmt.Fprintf(w, "/Size %d /Prev %d ", u.highest+1, before)
	if id := u.file.Array(u.file.Trailer().Get("ID")); len(id) == 2 {
		fmt.Fprintf(w, "/ID [ %s <%X> ] ", id[0].Text, u.newID(id[1].Text))
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
func writeEntries(w interface{ Write([]byte) (int, error) }, d pdf.Dict, except ...pdf.Name) {
	for _, e := range d {
		if !slices.Contains(except, e.Name) {
			fmt.Fprintf(w, "%s %s\n", e.Key, e.Text)
		}
	}
}

// utf16Text returns a text string (ISO 32000-1, 7.9.2.2): UTF-16BE after a byte order mark.
func utf16Text(s string) pdf.String {
	b := []byte{0xFE, 0xFF}
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	return pdf.String(b)
}
