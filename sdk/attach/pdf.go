package attach

import (
	"bytes"
	"errors"
	"regexp"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/pdf"
)

// Bounds of the work on one PDF: half of what package intake spends, so that it reads every result.
var pdfBounds = pdf.Bounds{Work: 16 << 20, Values: 250_000, Inflated: 16 << 20, Sections: 2048, Nodes: 5_000}

const (
	maxAttachments   = 1_000     // of a file, with the credential
	maxPDFNumber     = 8_388_607 // of an object (ISO 32000-1, annex C)
	maxPDFGeneration = 65_535
)

// attachToPDF attaches to a PDF by an incremental update.
func attachToPDF(b []byte, a attachment) (*Result, error) {
	f := pdf.Open(b, pdfBounds)
	root, _ := f.Trailer().Get("Root").(pdf.Ref)
	catalog := f.Dict(root)
	if catalog == nil || root.Generation > maxPDFGeneration {
		f.Fail(pdf.ErrDamaged)
	}
	files := attachedToPDF(f)
	if err := pdfError(f); err != nil {
		return nil, err
	}
	found, err := a.among(files.credentials)
	if err != nil {
		return nil, err
	}
	if found {
		return &Result{File: b}, nil
	}
	signed, archival := signedPDF(f, catalog), archivalPDF(f, catalog)
	switch err := pdfError(f); {
	case err != nil:
		return nil, err
	case signed:
		return nil, errSigned(FormatPDF)
	case archival:
		return nil, errorf(CodeArchival, "the file is a PDF/A of a kind that may not have attachments: make it a PDF/A-3, or hand the credential out beside it")
	case files.count >= maxAttachments:
		return nil, errTooComplex(FormatPDF)
	}
	u := &pdfUpdate{b: b, file: f, root: root, catalog: catalog, files: files, attachment: a}
	u.name = freeName(stem, extension, files.has)
	out, err := u.write()
	if err != nil {
		return nil, err
	}
	if len(out) > MaxFile {
		return nil, errTooLarge()
	}
	if err := readBackPDF(out, a); err != nil {
		return nil, err
	}
	return &Result{File: out, Name: u.name}, nil
}

// readBackPDF makes sure that a credential is in a file, and no other.
func readBackPDF(b []byte, a attachment) error {
	f := pdf.Open(b, pdfBounds)
	files := attachedToPDF(f)
	if err := pdfError(f); err != nil {
		return err
	}
	found, err := a.among(files.credentials)
	if err != nil {
		return err
	}
	if !found {
		return errDamaged(FormatPDF)
	}
	return nil
}

// pdfError returns what is wrong with a PDF, nil if nothing is.
func pdfError(f *pdf.File) error {
	switch err := f.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, pdf.ErrEncrypted):
		return errEncrypted(FormatPDF)
	case errors.Is(err, pdf.ErrComplex):
		return errTooComplex(FormatPDF)
	default:
		return errDamaged(FormatPDF)
	}
}

// pdfFiles are the files attached to a PDF.
type pdfFiles struct {
	names       []pdf.Named // those of the name tree EmbeddedFiles, in its order
	associated  pdf.Array   // file specifications of the document's associated files
	taken       map[pdf.String]bool
	credentials [][]byte
	count       int
}

// has reports whether a file has a name, of letters that are the same in PDFDocEncoding.
func (f pdfFiles) has(name string) bool {
	return f.taken[pdf.String(name)] || f.taken[utf16Text(name)]
}

// attachedToPDF returns the files that are attached to the document.
func attachedToPDF(f *pdf.File) pdfFiles {
	files := pdfFiles{taken: map[pdf.String]bool{}}
	files.names, files.associated = f.Attached()
	specifications := make([]any, 0, len(files.names)+len(files.associated))
	for _, n := range files.names {
		specifications = append(specifications, n.File.Value)
		files.taken[n.Name.Value.(pdf.String)] = true
	}
	for _, a := range files.associated {
		specifications = append(specifications, a.Value)
	}
	seen := map[pdf.Ref]bool{}
	for _, s := range specifications {
		specification := f.Dict(s)
		for _, key := range []pdf.Name{"F", "UF"} {
			if name, ok := f.Resolve(specification.Get(key)).Value.(pdf.String); ok {
				files.taken[name] = true
			}
		}
		ref, ok := f.StreamOf(specification)
		if !ok || seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxAttachments {
			f.Fail(pdf.ErrComplex)
		}
		if content, ok := f.Embedded(ref, start, credential.MaxSize); ok {
			files.credentials = append(files.credentials, content)
		}
	}
	files.count = len(seen)
	return files
}

// signedPDF reports whether the document has a signature: a signature field with a value (ISO 32000-1,
// 12.7.4.5), or permissions that a signature grants (12.8.4).
func signedPDF(f *pdf.File, catalog pdf.Dict) bool {
	signed := len(f.Dict(catalog.Get("Perms"))) > 0
	f.Walk(f.Array(f.Dict(catalog.Get("AcroForm")).Get("Fields")), func(field pdf.Dict, kind any) (pdf.Array, any) {
		if own := f.Resolve(field.Get("FT")).Value; own != nil {
			kind = own // else it is that of the field above (12.7.3.1)
		}
		if kind == pdf.Name("Sig") && f.Resolve(field.Get("V")).Value != nil {
			signed = true
		}
		return f.Array(field.Get("Kids")), kind
	})
	return signed
}

// What the metadata of a PDF/A say about it (ISO 19005-1, 6.7.11; ISO 19005-4, 6.7.3), as XML element or
// attribute.
var (
	archivalPart  = regexp.MustCompile(`pdfaid:part\s*(?:>|=\s*["'])\s*([0-9])`)
	archivalLevel = regexp.MustCompile(`pdfaid:conformance\s*(?:>|=\s*["'])\s*([A-Za-z])`)
)

// maxMetadata is how many bytes of the metadata are looked at.
const maxMetadata = 1 << 20

// archivalPDF reports whether the document is a PDF/A that may not have attachments of any kind: all but
// PDF/A-3 and, of PDF/A-4, those of the levels F and E.
func archivalPDF(f *pdf.File, catalog pdf.Dict) bool {
	metadata, ok := f.Resolve(catalog.Get("Metadata")).Value.(*pdf.Stream)
	if !ok {
		return false
	}
	text := f.Text(metadata, maxMetadata)
	part := archivalPart.FindSubmatch(text)
	if part == nil {
		return false
	}
	switch string(part[1]) {
	case "3":
		return false
	case "4":
		level := archivalLevel.FindSubmatch(text)
		return level == nil || !bytes.ContainsAny(level[1], "EeFf")
	}
	return true
}
