package intake

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
	offsets map[int]int    // of the objects of this revision; a negative one is free
	inside  map[int][2]int // object stream that an object is in, and its place there
	begin   int            // of the newest cross-references
}

func newPDF() *pdfWriter {
	w := &pdfWriter{offsets: map[int]int{}, inside: map[int][2]int{}}
	w.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return w
}

func (w *pdfWriter) object(n int, body string) {
	w.offsets[n] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
}

// stream writes a stream; the dictionary is without brackets and, unless it has one, without a length.
func (w *pdfWriter) stream(n int, dict string, data []byte) {
	if !strings.Contains(dict, "/Length") {
		dict += fmt.Sprintf(" /Length %d", len(data))
	}
	w.object(n, fmt.Sprintf("<< %s >>\nstream\r\n%s\nendstream", dict, data))
}

// objectStream writes objects into a stream.
func (w *pdfWriter) objectStream(n int, objects map[int]string) {
	var header, body strings.Builder
	for i, k := range slices.Sorted(maps.Keys(objects)) {
		fmt.Fprintf(&header, "%d %d ", k, body.Len())
		body.WriteString(objects[k] + "\n")
		w.inside[k] = [2]int{n, i}
	}
	w.stream(n, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(objects), header.Len()), deflated([]byte(header.String()+body.String())))
}

// table ends a revision with a cross-reference table.
func (w *pdfWriter) table(trailer string) []byte {
	begin := w.Len()
	w.WriteString("xref\n0 1\n0000000000 65535 f\r\n")
	for _, n := range slices.Sorted(maps.Keys(w.offsets)) {
		if w.offsets[n] < 0 {
			fmt.Fprintf(w, "%d 1\n0000000000 65535 f\r\n", n)
			continue
		}
		fmt.Fprintf(w, "%d 1\n%010d 00000 n\r\n", n, w.offsets[n])
	}
	return w.end(begin, fmt.Sprintf("trailer\n<< /Size 100 %s >>\n", trailer))
}

func (w *pdfWriter) end(begin int, trailer string) []byte {
	fmt.Fprintf(w, "%sstartxref\n%d\n%%%%EOF\n", trailer, begin)
	w.offsets, w.inside, w.begin = map[int]int{}, map[int][2]int{}, begin
	return w.Bytes()
}

// crossRows returns rows of a cross-reference stream of 1, 3 and 1 bytes, with an index: the kinds are 1 for
// an offset and 2 for a place in an object stream.
func (w *pdfWriter) crossRows() (rows []byte, index string) {
	places := map[int][]byte{}
	for n, offset := range w.offsets {
		places[n] = []byte{1, byte(offset >> 16), byte(offset >> 8), byte(offset), 0}
	}
	for n, at := range w.inside {
		places[n] = []byte{2, 0, 0, byte(at[0]), byte(at[1])}
	}
	for _, n := range slices.Sorted(maps.Keys(places)) {
		rows = append(rows, places[n]...)
		index += fmt.Sprintf("%d 1 ", n)
	}
	return rows, index
}

// crossStream ends a revision with a cross-reference stream, object n.
func (w *pdfWriter) crossStream(n int, trailer string, predictor int) []byte {
	begin := w.Len()
	w.offsets[n] = begin
	rows, index := w.crossRows()
	dict := fmt.Sprintf("/Type /XRef /Size 100 /W [1 3 1] /Index [%s] /Filter /FlateDecode %s", index, trailer)
	if predictor > 0 {
		dict += fmt.Sprintf(" /DecodeParms << /Predictor 15 /Columns 5 >>")
		rows = predicted(rows, 5, byte(predictor-10))
	}
	w.stream(n, dict, deflated(rows))
	return w.end(begin, "")
}

// predicted filters rows as PNG does.
func predicted(b []byte, columns int, filter byte) []byte {
	var out []byte
	above := make([]byte, columns)
	for ; len(b) > 0; b = b[columns:] {
		out = append(out, filter)
		for i := range columns {
			var left, corner byte
			if i > 0 {
				left, corner = b[i-1], above[i-1]
			}
			minus := []byte{0, left, above[i], byte((int(left) + int(above[i])) / 2), paeth(left, above[i], corner)}[filter]
			out = append(out, b[i]-minus)
		}
		copy(above, b[:columns])
	}
	return out
}

// paeth returns which of three neighbours is nearest to left + up - corner (W3C PNG, 9.4).
func paeth(left, up, corner byte) byte {
	nearest, p := left, int(left)+int(up)-int(corner)
	for _, c := range []byte{up, corner} {
		if max(p-int(c), int(c)-p) < max(p-int(nearest), int(nearest)-p) {
			nearest = c
		}
	}
	return nearest
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

const (
	pdfCatalog  = "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(licence.cred) 4 0 R] >> >> >>"
	pdfPages    = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
	pdfPage     = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>"
	pdfFileSpec = "<< /Type /Filespec /F (licence.cred) /UF <FEFF006C> /EF << /F 5 0 R >> >>"
)

// body writes a document of one empty page.
func (w *pdfWriter) body(catalog string) {
	w.object(1, catalog)
	w.object(2, pdfPages)
	w.object(3, pdfPage)
}

// plainPDF is a document with one attachment.
func plainPDF(attachment []byte) []byte {
	w := newPDF()
	w.body(pdfCatalog)
	w.object(4, pdfFileSpec)
	w.stream(5, "/Type /EmbeddedFile", attachment)
	return w.table("/Root 1 0 R")
}
