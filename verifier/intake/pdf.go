package intake

import (
	"errors"

	"github.com/credledger/credledger/sdk/pdf"
)

// pdfBounds are what is spent on one PDF.
var pdfBounds = pdf.Bounds{Work: 32 << 20, Values: 500_000, Inflated: maxInflated, Sections: 4096, Nodes: 10_000}

const maxPDFAttachments = 1_000

// attachedToPDF returns the files that are attached to a PDF and may be credentials.
func attachedToPDF(b []byte) ([][]byte, error) {
	f := pdf.Open(b, pdfBounds)
	names, associated := f.Attached()
	for _, n := range names {
		associated = append(associated, n.File)
	}
	var out [][]byte
	seen := map[pdf.Ref]bool{}
	for _, specification := range associated {
		ref, ok := f.StreamOf(f.Dict(specification.Value))
		if !ok || seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxPDFAttachments {
			f.Fail(pdf.ErrComplex)
		}
		if content, ok := f.Embedded(ref, start, MaxCredential); ok {
			out = append(out, content)
		}
	}
	switch err := f.Err(); {
	case err == nil:
		return out, nil
	case errors.Is(err, pdf.ErrEncrypted):
		return nil, errorf(CodeEncryptedFile, "the PDF is protected by a password: give it without one, or give its credential with it")
	case errors.Is(err, pdf.ErrComplex):
		return nil, errorf(CodeBomb, "the PDF takes too much work to read: save it again, or give its credential with it")
	default:
		return nil, errorf(CodeDamagedFile, "the PDF is damaged, or breaks its standard: save it again, or give its credential with it")
	}
}
