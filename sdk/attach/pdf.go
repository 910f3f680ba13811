package attach

import (
	"bytes"
	"io"
	"regexp"
)

// attachToPDF attaches to a PDF by an incremental update.
func attachToPDF(b []byte, a attachment) (*Result, error) {
	f, trailer := openPDF(b)
	root, _ := trailer.get("Root").(pdfRef)
	catalog := f.dict(root)
	if catalog == nil || root.generation > maxPDFGeneration {
		f.damaged()
	}
	files := f.attached(catalog)
	if f.err != nil {
		return nil, f.err
	}
	found, err := a.among(files.credentials)
	if err != nil {
		return nil, err
	}
	if found {
		return &Result{File: b}, nil
	}
	signed, archival := f.signed(catalog), f.archival(catalog)
	switch {
	case f.err != nil:
		return nil, f.err
	case signed:
		return nil, errSigned(FormatPDF)
	case archival:
		return nil, errorf(CodeArchival, "the file is a PDF/A of a kind that may not have attachments: make it a PDF/A-3, or hand the credential out beside it")
	case files.count >= maxAttachments:
		return nil, errTooComplex(FormatPDF)
	}
	u := &pdfUpdate{file: f, trailer: trailer, root: root, catalog: catalog, files: files, attachment: a}
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
	f, trailer := openPDF(b)
	files := f.attached(f.dict(trailer.get("Root")))
	if f.err != nil {
		return f.err
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

// pdfFiles are the files attached to a PDF.
type pdfFiles struct {
	names       []pdfNamed // those of the name tree EmbeddedFiles, in its order
	associated  pdfArray   // file specifications of the document's associated files
	taken       map[pdfString]bool
	credentials [][]byte
	count       int
}

// A pdfNamed is an entry of a name tree.
type pdfNamed struct {
	name, file pdfItem // the name is a pdfString
}

// has reports whether a file has a name, of letters that are the same in PDFDocEncoding.
func (f pdfFiles) has(name string) bool {
	return f.taken[pdfString(name)] || f.taken[utf16Text(name)]
}

// attached returns the files of the name tree EmbeddedFiles and the associated files of the document
// (ISO 32000-2, 7.11.4 and 14.13).
func (f *pdfFile) attached(catalog pdfDict) pdfFiles {
	files := pdfFiles{names: f.embedded(f.dict(catalog.get("Names")).get("EmbeddedFiles")), taken: map[pdfString]bool{}}
	if files.associated = f.array(catalog.get("AF")); files.associated == nil && f.resolve(catalog.get("AF")).value != nil {
		f.damaged()
	}
	specifications := make([]any, 0, len(files.names)+len(files.associated))
	for _, n := range files.names {
		specifications = append(specifications, n.file.value)
		files.taken[n.name.value.(pdfString)] = true
	}
	for _, a := range files.associated {
		specifications = append(specifications, a.value)
	}
	seen := map[pdfRef]bool{}
	for _, s := range specifications {
		specification := f.dict(s)
		for _, key := range []pdfName{"F", "UF"} {
			if name, ok := f.resolve(specification.get(key)).value.(pdfString); ok {
				files.taken[name] = true
			}
		}
		ref, ok := f.streamRef(specification)
		if !ok || seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxAttachments {
			f.complex()
		}
		if content, ok := f.credential(ref); ok {
			files.credentials = append(files.credentials, content)
		}
	}
	files.count = len(seen)
	return files
}

// streamRef returns the stream that a file specification names (ISO 32000-1, 7.11.3).
func (f *pdfFile) streamRef(specification pdfDict) (pdfRef, bool) {
	embedded := f.dict(specification.get("EF"))
	for _, key := range []pdfName{"F", "UF"} {
		if ref, ok := embedded.get(key).(pdfRef); ok {
			return ref, true
		}
	}
	return pdfRef{}, false
}

// embedded returns the entries of a name tree, in its order (ISO 32000-1, 7.9.6).
func (f *pdfFile) embedded(root any) []pdfNamed {
	var out []pdfNamed
	f.walk(pdfArray{{value: root}}, func(node pdfDict, _ any) pdfArray {
		names := f.array(node.get("Names"))
		for ; len(names) > 1; names = names[2:] {
			name := names[0]
			if _, isRef := name.value.(pdfRef); isRef {
				name = f.resolve(name.value)
			}
			if _, ok := name.value.(pdfString); !ok {
				f.damaged()
				return nil
			}
			out = append(out, pdfNamed{name, names[1]})
		}
		if len(out) > maxPDFNodes {
			f.complex()
		}
		return f.array(node.get("Kids"))
	})
	return out
}

// walk visits the dictionaries of a tree in order; visit returns the kids of a node, to which it hands
// down its FT (ISO 32000-1, 12.7.3.1), as form fields do.
func (f *pdfFile) walk(roots pdfArray, visit func(node pdfDict, inherited any) (kids pdfArray)) {
	type place struct{ node, inherited any }
	var todo []place
	push := func(kids pdfArray, inherited any) {
		for i := range kids {
			todo = append(todo, place{kids[len(kids)-1-i].value, inherited})
		}
	}
	push(roots, nil)
	seen, visited := map[pdfRef]bool{}, 0
	for len(todo) > 0 && f.err == nil {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if ref, ok := next.node.(pdfRef); ok {
			if seen[ref] {
				f.damaged()
			}
			seen[ref] = true
		}
		node := f.dict(next.node)
		if own := f.resolve(node.get("FT")).value; own != nil {
			next.inherited = own
		}
		push(visit(node, next.inherited), next.inherited)
		if visited++; visited+len(todo) > maxPDFNodes {
			f.complex()
		}
	}
}

// signed reports whether the document has a signature: a signature field with a value (ISO 32000-1,
// 12.7.4.5), or permissions that a signature grants (12.8.4).
func (f *pdfFile) signed(catalog pdfDict) bool {
	signed := len(f.dict(catalog.get("Perms"))) > 0
	f.walk(f.array(f.dict(catalog.get("AcroForm")).get("Fields")), func(field pdfDict, kind any) pdfArray {
		if kind == pdfName("Sig") && f.resolve(field.get("V")).value != nil {
			signed = true
		}
		return f.array(field.get("Kids"))
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

// archival reports whether the document is a PDF/A that may not have attachments of any kind: all but
// PDF/A-3 and, of PDF/A-4, those of the levels F and E.
func (f *pdfFile) archival(catalog pdfDict) bool {
	metadata, ok := f.resolve(catalog.get("Metadata")).value.(*pdfStream)
	if !ok {
		return false
	}
	r, err := f.open(metadata)
	if err != nil {
		return false
	}
	text, _ := io.ReadAll(io.LimitReader(r, int64(min(f.room, maxMetadata)))) // what can be read of it
	f.room -= len(text)
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
