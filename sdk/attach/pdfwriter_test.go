package attach_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A pdfWriter writes PDFs by hand, the good and the bad.
type pdfWriter struct {
	bytes.Buffer
	offsets map[int]int // of the objects of this revision
	inside  map[int]int // object stream that an object is in
	begin   int         // of the newest cross-references
}

func newPDF() *pdfWriter {
	w := &pdfWriter{offsets: map[int]int{}, inside: map[int]int{}}
	w.WriteString("%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")
	return w
}

func (w *pdfWriter) object(n int, body string) {
	w.offsets[n] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
}

// stream writes a stream; the dictionary is without brackets and length.
func (w *pdfWriter) stream(n int, dict string, data []byte) {
	w.object(n, fmt.Sprintf("<< %s /Length %d >>\nstream\r\n%s\nendstream", dict, len(data), data))
}

// objects writes objects with consecutive numbers into an object stream.
func (w *pdfWriter) objects(n, first int, objects ...string) {
	var header, body strings.Builder
	for i, o := range objects {
		fmt.Fprintf(&header, "%d %d ", first+i, body.Len())
		body.WriteString(o + "\n")
		w.inside[first+i] = n
	}
	w.stream(n, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(objects), header.Len()), deflated([]byte(header.String()+body.String())))
}

// table ends a revision with a cross-reference table.
func (w *pdfWriter) table(trailer string) []byte {
	begin := w.Len()
	w.WriteString("xref\n0 1\n0000000000 65535 f\r\n")
	for _, n := range slices.Sorted(maps.Keys(w.offsets)) {
		fmt.Fprintf(w, "%d 1\n%010d 00000 n\r\n", n, w.offsets[n])
	}
	return w.end(begin, fmt.Sprintf("trailer\n<< /Size 30 %s >>\n", trailer))
}

func (w *pdfWriter) end(begin int, trailer string) []byte {
	fmt.Fprintf(w, "%sstartxref\n%d\n%%%%EOF", trailer, begin)
	w.offsets, w.inside, w.begin = map[int]int{}, map[int]int{}, begin
	return w.Bytes()
}

// cross ends a revision with a cross-reference stream, object n, in which each row is the difference from
// the one above, and returns its offset too.
func (w *pdfWriter) cross(n int, trailer string) ([]byte, int) {
	begin := w.Len()
	w.offsets[n] = begin
	rows := map[int][]byte{0: {0, 0, 0, 0, 0xFF}}
	for n, offset := range w.offsets {
		rows[n] = []byte{1, byte(offset >> 16), byte(offset >> 8), byte(offset), 0}
	}
	members := map[int]byte{}
	for _, n := range slices.Sorted(maps.Keys(w.inside)) {
		rows[n] = []byte{2, 0, 0, byte(w.inside[n]), members[w.inside[n]]}
		members[w.inside[n]]++
	}
	var all []byte
	var index string
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, rows[n]...)
		index += fmt.Sprintf("%d 1 ", n)
	}
	for i := len(all) - 1; i >= 5; i-- {
		all[i] -= all[i-5]
	}
	var filtered []byte
	for row := range slices.Chunk(all, 5) {
		filtered = append(append(filtered, 2), row...)
	}
	w.stream(n, fmt.Sprintf("/Type /XRef /Size 30 /W [1 3 1] /Index [%s] /Filter [/FlateDecode] /DecodeParms [<< /Predictor 12 /Columns 5 >>] %s", index, trailer), deflated(filtered))
	return w.end(begin, ""), begin
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

const (
	pdfCatalog = "<< /Type /Catalog /Pages 2 0 R %s >>"
	pdfPages   = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
	pdfPage    = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>"
	pdfID      = "/ID [<00112233445566778899AABBCCDDEEFF> (a\\)b(c)\\101)]"
)

// body writes a document of one empty page, with what its catalog has beside.
func (w *pdfWriter) body(catalog string) {
	w.object(1, fmt.Sprintf(pdfCatalog, catalog))
	w.object(2, pdfPages)
	w.object(3, pdfPage)
}

// invoice writes a file specification and its embedded file.
func (w *pdfWriter) invoice(n int, name, content string) {
	w.object(n, specification(name, n+1))
	w.stream(n+1, "/Type /EmbeddedFile", []byte(content))
}

func specification(name string, file int) string {
	return fmt.Sprintf("<< /Type /Filespec /F %s /UF %s /EF << /F %d 0 R >> >>", name, name, file)
}

// page is a document of one page in the simplest way, with what its catalog has beside, and more objects
// from number 4 on.
func page(catalog string, objects ...string) []byte {
	w := newPDF()
	w.body(catalog)
	for i, o := range objects {
		w.object(4+i, o)
	}
	return w.table("/Root 1 0 R " + pdfID)
}

// carrying is a document with one embedded file.
func carrying(content []byte) []byte {
	w := newPDF()
	w.body("/Names << /EmbeddedFiles << /Names [(other.cred) 4 0 R] >> >>")
	w.invoice(4, "(other.cred)", string(content))
	return w.table("/Root 1 0 R")
}

// A goodPDF is a document with files attached that have to be there afterwards, by name.
type goodPDF struct {
	pdf   []byte
	files map[string]string
	name  string // of the credential
}

// pdf20 is the document of version 2.0, of which pdfcpu does not read associated files.
const pdf20 = "version 2.0"

// goodPDFs are documents in all the ways of writing one.
func goodPDFs() map[string]goodPDF {
	const name = "licence.cred"
	none := map[string]string{}
	out := map[string]goodPDF{
		"table":                    {page(""), none, name},
		"table with an end":        {append(page(""), '\n'), none, name},
		"names that are empty":     {page("/Names << >> /AF [] /Version /1.4"), none, name},
		pdf20:                      {page("/Version /2.0"), none, name},
		"names of something else":  {page("/N#61mes 4 0 R /Lang (zh-CN)", "<< /Dests 5 0 R /EmbeddedFiles null >>", "<< /Names [(a) [3 0 R /Fit]] >>"), none, name},
		"an unsigned form":         {page("/AcroForm << /SigFlags 1 /Fields [4 0 R] >>", "<< /FT /Sig /T (seal) /V null /Rect [0 0 0 0] /Subtype /Widget /Type /Annot /P 3 0 R >>"), none, name},
		"a filled form":            {page("/AcroForm << /Fields [4 0 R] >>", "<< /FT /Tx /T (name) /V (value) /Kids [] >>"), none, name},
		"metadata of no archive":   {withMetadata(""), none, name},
		"metadata of PDF/A-3":      {withMetadata("<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"), none, name},
		"metadata of PDF/A-4f":     {withMetadata(`<rdf:Description pdfaid:part="4" pdfaid:conformance="F"/>`), none, name},
		"associated with one page": {page("/AF 4 0 R", "[ ]"), none, name},
	}

	w := newPDF()
	w.body("/Names 10 0 R /AF [4 0 R]")
	w.object(10, "<< /EmbeddedFiles 11 0 R /Dests << /Names [] >> >>")
	w.object(11, "<< /Kids [12 0 R 13 0 R] >>")
	w.object(12, "<< /Limits [(a) (b)] /Names [(a) << /Type /Filespec /F (a) /UF (a) /EF << /F 14 0 R >> >> (b) 4 0 R] >>")
	w.object(13, "<< /Limits [<6C> <7A>] /Names [(l\\151cence.\\\ncred) 16 0 R <7A> 6 0 R] >>")
	w.invoice(4, "(b)", "second")
	w.invoice(6, "<7A>", "third")
	w.stream(14, "/Type /EmbeddedFile", []byte("first"))
	w.invoice(16, "(licence.cred)", "not a credential")
	out["a tree of others"] = goodPDF{w.table("/Root 1 0 R /Info << /Title (x) >>"), map[string]string{"a": "first", "b": "second", "z": "third", "licence.cred": "not a credential"}, "licence-2.cred"}

	w = newPDF()
	w.body("/Names << /EmbeddedFiles << /Names [(x) 4 0 R] >> >>")
	w.invoice(4, "<FEFF006C006900630065006E00630065002E0063007200650064>", "not a credential")
	out["a name in UTF-16"] = goodPDF{w.table("/Root 1 0 R"), map[string]string{name: "not a credential"}, "licence-2.cred"}

	w = newPDF()
	w.objects(7, 1, fmt.Sprintf(pdfCatalog, "/Names << /EmbeddedFiles << /Names [(b) 4 0 R] >> >>"), pdfPages, pdfPage, specification("(b)", 5))
	w.stream(5, "/Type /EmbeddedFile", []byte("second"))
	pdf, _ := w.cross(8, "/Root 1 0 R "+pdfID)
	out["streams"] = goodPDF{pdf, map[string]string{"b": "second"}, name}

	w = newPDF()
	w.objects(7, 4, specification("(b)", 5))
	_, hidden := w.cross(8, "")
	w.body("/Names << /EmbeddedFiles << /Names [(b) 4 0 R] >> >>")
	w.stream(5, "/Type /EmbeddedFile", []byte("second"))
	out["hybrid"] = goodPDF{w.table(fmt.Sprintf("/Root 1 0 R /XRefStm %d", hidden)), map[string]string{"b": "second"}, name}

	w = newPDF()
	w.body("")
	w.table("/Root 1 0 R")
	before := w.begin
	w.WriteByte('\n')
	w.object(1, fmt.Sprintf(pdfCatalog, "/Names << /EmbeddedFiles << /Names [(b) 4 0 R] >> >>"))
	w.invoice(4, "(b)", "second")
	out["revised"] = goodPDF{w.table(fmt.Sprintf("/Root 1 0 R /Prev %d", before)), map[string]string{"b": "second"}, name}
	return out
}

// withMetadata is a document with metadata.
func withMetadata(description string) []byte {
	w := newPDF()
	w.body("/Metadata 4 0 R")
	w.stream(4, "/Type /Metadata /Subtype /XML", []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+description+"</rdf:RDF></x:xmpmeta>"))
	return w.table("/Root 1 0 R")
}
