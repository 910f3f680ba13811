package attach_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"github.com/credledger/credledger/sdk/attach"
	"github.com/credledger/credledger/verifier/intake"
)

func pdfcpu() *model.Configuration {
	api.DisableConfigDir()
	return model.NewDefaultConfiguration()
}

// seenByPDFCPU returns the attachments of a valid PDF, by name.
func seenByPDFCPU(t *testing.T, pdf []byte) map[string]string {
	t.Helper()
	if err := api.Validate(bytes.NewReader(pdf), pdfcpu()); err != nil {
		t.Fatalf("pdfcpu: not valid: %v", err)
	}
	found, err := api.ExtractAttachmentsRaw(bytes.NewReader(pdf), "", nil, pdfcpu())
	if err != nil {
		t.Fatalf("pdfcpu: %v", err)
	}
	out := map[string]string{}
	for _, a := range found {
		var b bytes.Buffer
		if _, err := b.ReadFrom(a); err != nil {
			t.Fatal(err)
		}
		out[a.FileName] = b.String()
	}
	return out
}

// seenByPoppler returns the attachments of a PDF, by name.
func seenByPoppler(t *testing.T, path string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	run(t, "pdfdetach", "-saveall", "-o", dir, path)
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPDF(t *testing.T) {
	content := encoded(t, 0)
	for name, c := range goodPDFs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := attached(t, c.pdf, content)
			if r.Format != attach.FormatPDF || r.Name != c.name || r.Signatures != 0 {
				t.Errorf("%s %s, %d signatures", r.Format, r.Name, r.Signatures)
			}
			if !bytes.HasPrefix(r.File, c.pdf) {
				t.Error("the file as it was is not what the result begins with")
			}
			if again, err := attach.Attach(c.pdf, content); err != nil || !bytes.Equal(again.File, r.File) {
				t.Errorf("it is another file the second time: %v", err)
			}
			want := maps.Clone(c.files)
			want[c.name] = string(content)
			path := written(t, r.File)
			if name != pdf20 {
				if seen := seenByPDFCPU(t, r.File); !maps.Equal(seen, want) {
					t.Errorf("pdfcpu finds %d files", len(seen))
				}
			}
			if seen := seenByPoppler(t, path); !maps.Equal(seen, want) {
				t.Errorf("poppler finds %d files", len(seen))
			}
			if info := run(t, "pdfinfo", path); !strings.Contains(info, "Pages:           1\n") || !strings.Contains(info, "PDF version:     1.7") && name != pdf20 {
				t.Errorf("pdfinfo: %s", info)
			}
			refused(t, r.File, encoded(t, 1), attach.CodeOther)
		})
	}
}

// TestPDFRevision makes sure of what readers do not tell.
func TestPDFRevision(t *testing.T) {
	content := encoded(t, 0)
	begin := func(pdf []byte) (update []byte) { return attached(t, pdf, content).File[len(pdf):] }
	update := begin(goodPDFs()["a tree of others"].pdf)
	for _, want := range []string{
		"/AFRelationship /Data", "/Subtype /application#2Fcbor", "/ModDate (D:20", "/Info << /Title (x) >>", "/Dests << /Names [] >>", "/AF [ 4 0 R 31 0 R ]", "/Version /1.7",
		"(a) << /Type /Filespec /F (a) /UF (a) /EF << /F 14 0 R >> >>\n(b) 4 0 R\n(licence-2.cred) 31 0 R\n(l\\151cence.\\\ncred) 16 0 R\n<7A> 6 0 R\n",
	} {
		if !bytes.Contains(update, []byte(want)) {
			t.Errorf("the update has no %s", want)
		}
	}
	if bytes.Contains(update, []byte("/ID")) || bytes.Contains(update, []byte("/Kids")) {
		t.Error("the update has what it should not")
	}
	first, second := begin(page("")), begin(page("/Lang (zh-CN)"))
	const id = "/ID [ <00112233445566778899AABBCCDDEEFF> <"
	if !bytes.Contains(first, []byte(id)) || !bytes.Contains(second, []byte(id)) {
		t.Error("the identifier does not stay")
	}
	if update := begin(page("/Version /2.0")); bytes.Contains(update, []byte("/1.7")) {
		t.Error("the version went back")
	}
	if update := begin(goodPDFs()["hybrid"].pdf); bytes.Contains(update, []byte("XRefStm")) || !bytes.Contains(update, []byte("\nxref\n")) {
		t.Error("the update of a table is no table")
	}
	if update := begin(goodPDFs()["streams"].pdf); bytes.Contains(update, []byte("\nxref\n")) || !bytes.Contains(update, []byte("/Type /XRef")) {
		t.Error("the update of a stream is no stream")
	}
}

// TestPDFOfOthers attaches to what other programs have written.
func TestPDFOfOthers(t *testing.T) {
	content := encoded(t, 0)
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pdfcpu/pdfcpu").Output()
	if err != nil {
		t.Fatalf("where pdfcpu is: %v", err)
	}
	other := func(t *testing.T, name string) []byte {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pkg", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, name := range []string{"empty.pdf", "go.pdf", "grid_example.pdf", "annotTest.pdf", "T4.pdf", "Acroforms2.pdf", "bookletTest.pdf"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf := other(t, "testdata/"+name)
			path := written(t, attached(t, pdf, content).File)
			if seen := seenByPoppler(t, path); seen[attach.FileName] != string(content) {
				t.Errorf("poppler finds %d files", len(seen))
			}
			if before, after := run(t, "pdftotext", written(t, pdf), "-"), run(t, "pdftotext", path, "-"); before != after {
				t.Error("the pages have another text")
			}
		})
	}
	for _, name := range []string{"ETSI.CAdES.detached/testPAdES_BB.pdf", "adbe.pkcs7.detached/sample2.pdf", "adbe.pkcs7.detached/usageRights.pdf"} {
		t.Run(name, func(t *testing.T) { refused(t, other(t, "samples/signatures/"+name), content, attach.CodeSigned) })
	}
	for name, set := range map[string]func(*model.Configuration){
		"streams": func(*model.Configuration) {},
		"tables":  func(c *model.Configuration) { c.WriteObjectStream, c.WriteXRefStream = false, false },
	} {
		t.Run(name, func(t *testing.T) {
			conf := pdfcpu()
			set(conf)
			var pdf, locked bytes.Buffer
			if err := api.AddAttachments(bytes.NewReader(page("")), &pdf, []string{written(t, []byte("an invoice"))}, false, conf); err != nil {
				t.Fatal(err)
			}
			if seen := seenByPDFCPU(t, attached(t, pdf.Bytes(), content).File); len(seen) != 2 || seen["file"] != "an invoice" {
				t.Errorf("pdfcpu finds %d files", len(seen))
			}
			conf = model.NewAESConfiguration("user", "owner", 256)
			set(conf)
			if err := api.Encrypt(bytes.NewReader(pdf.Bytes()), &locked, conf); err != nil {
				t.Fatal(err)
			}
			refused(t, locked.Bytes(), content, attach.CodeEncrypted)
		})
	}
}

// TestPDFThatHasIt gives what another program has attached: compressed, and under another name.
func TestPDFThatHasIt(t *testing.T) {
	content := encoded(t, 0)
	var pdf bytes.Buffer
	if err := api.AddAttachments(bytes.NewReader(page("")), &pdf, []string{written(t, content)}, false, pdfcpu()); err != nil {
		t.Fatal(err)
	}
	if r := attached(t, pdf.Bytes(), content); !bytes.Equal(r.File, pdf.Bytes()) || r.Name != "" {
		t.Errorf("it is attached again: %q", r.Name)
	}
	refused(t, pdf.Bytes(), encoded(t, 1), attach.CodeOther)

	w := newPDF()
	w.body("/AcroForm << /Fields [<< /FT /Sig /T (seal) /V << /Type /Sig >> >>] >> /AF [4 0 R]")
	w.invoice(4, "(x)", string(content))
	if b := w.table("/Root 1 0 R"); !bytes.Equal(attached(t, b, content).File, b) {
		t.Error("a file that was signed with it is altered")
	}
}

// badPDFs are documents that are refused, with their codes.
func badPDFs(content []byte) map[string]struct {
	pdf  []byte
	code string
} {
	type bad = struct {
		pdf  []byte
		code string
	}
	plain := page("")
	replace := func(old, new string) []byte { return bytes.Replace(plain, []byte(old), []byte(new), 1) }
	inStream := func(dict string, data []byte) []byte {
		w := newPDF()
		w.stream(7, dict, data)
		w.inside[1] = 7
		pdf, _ := w.cross(8, "/Root 1 0 R")
		return pdf
	}
	const signature = "<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 1 2 3] /Contents <00> >>"
	large := func(root, size string) []byte {
		w := newPDF()
		w.body("")
		pdf := w.table("/Root " + root)
		return bytes.Replace(pdf, []byte("/Size 30"), []byte("/Size "+size), 1)
	}
	attachments := func(n int) []byte {
		var names strings.Builder
		for i := range n {
			fmt.Fprintf(&names, "(%04d) << /EF << /F %d 0 R >> >> ", i, 100+i)
		}
		return page("/Names << /EmbeddedFiles << /Names [" + names.String() + "] >> >>")
	}
	zeros := deflated(make([]byte, 17<<20))
	return map[string]bad{
		"only the header":               {[]byte("%PDF-1.7\n"), attach.CodeDamaged},
		"no place":                      {replace("startxref", "startxxxx"), attach.CodeDamaged},
		"a place beyond the end":        {append(bytes.Clone(plain), "\nstartxref\n999999\n%%EOF"...), attach.CodeDamaged},
		"a place of something else":     {append(bytes.Clone(plain), "\nstartxref\n20\n%%EOF"...), attach.CodeDamaged},
		"a loop of revisions":           {replace("/Size 30", fmt.Sprintf("/Size 30 /Prev %d", bytes.LastIndex(plain, []byte("xref\n0")))), attach.CodeDamaged},
		"no root":                       {replace("/Root 1", "/Boot 1"), attach.CodeDamaged},
		"a root that is none":           {replace("/Root 1 0 R", "/Root 99 0 R"), attach.CodeDamaged},
		"a root of great generation":    {large("1 99999 R", "30"), attach.CodeDamaged},
		"great numbers":                 {large("1 0 R", "8388606"), attach.CodeTooComplex},
		"a key twice":                   {page("/Lang (a) /Lang (b)"), attach.CodeDamaged},
		"associated with no array":      {page("/AF << >>"), attach.CodeDamaged},
		"names that are no strings":     {page("/Names << /EmbeddedFiles << /Names [/a 3 0 R] >> >>"), attach.CodeDamaged},
		"a loop of names":               {page("/Names << /EmbeddedFiles 4 0 R >>", "<< /Kids [5 0 R] >>", "<< /Kids [4 0 R] >>"), attach.CodeDamaged},
		"a loop of fields":              {page("/AcroForm << /Fields [4 0 R] >>", "<< /Kids [4 0 R] >>"), attach.CodeDamaged},
		"deep":                          {page("/A " + strings.Repeat("[", 100_000)), attach.CodeDamaged},
		"an open string":                {page("/A ((("), attach.CodeDamaged},
		"many values":                   {page("/A [" + strings.Repeat("0 ", 250_000) + "]"), attach.CodeTooComplex},
		"many fields":                   {page("/AcroForm << /Fields [" + strings.Repeat("null ", 5_001) + "] >>"), attach.CodeTooComplex},
		"many attachments":              {attachments(1_001), attach.CodeTooComplex},
		"no room for one more":          {attachments(1_000), attach.CodeTooComplex},
		"another filter":                {inStream("/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /ASCIIHexDecode]", nil), attach.CodeDamaged},
		"no stream of objects":          {inStream("/Type /Other /N 1 /First 4", []byte("1 0 << >>")), attach.CodeDamaged},
		"a bomb for an object":          {inStream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", zeros), attach.CodeTooComplex},
		"objects of other numbers":      {inStream("/Type /ObjStm /N 1 /First 4", []byte("2 0 << >>")), attach.CodeDamaged},
		"encrypted":                     {replace("/Size 30", "/Size 30 /Encrypt 3 0 R"), attach.CodeEncrypted},
		"a signed field":                {page("/AcroForm << /SigFlags 3 /Fields [4 0 R] >>", "<< /FT /Sig /T (seal) /V 5 0 R >>", signature), attach.CodeSigned},
		"a signed field among others":   {page("/AcroForm 4 0 R", "<< /Fields [<< /FT /Tx /T (a) >> 5 0 R] >>", "<< /T (b) /FT /Sig /Kids [<< /T (c) /V "+signature+" >>] >>"), attach.CodeSigned},
		"a certified document":          {page("/Perms << /DocMDP 4 0 R >>", signature), attach.CodeSigned},
		"PDF/A-1":                       {withMetadata("<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"), attach.CodeArchival},
		"PDF/A-2":                       {withMetadata(`<rdf:Description pdfaid:part = '2' pdfaid:conformance='U'/>`), attach.CodeArchival},
		"PDF/A-4":                       {withMetadata("<pdfaid:part>4</pdfaid:part>"), attach.CodeArchival},
		"another credential":            {carrying(content), attach.CodeOther},
		"a damaged credential":          {carrying(content[:len(content)-1]), attach.CodeOther},
		"more than a credential can be": {carrying(append(bytes.Clone(content), make([]byte, 128<<10)...)), attach.CodeTooComplex},
	}
}

func TestBadPDF(t *testing.T) {
	for name, c := range badPDFs(encoded(t, 1)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			refused(t, c.pdf, encoded(t, 0), c.code)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// filled is a document of a size.
func filled(size int) []byte {
	w := newPDF()
	w.body("")
	const rest = 600
	w.stream(4, "", bytes.Repeat([]byte("x"), size-w.Len()-rest))
	pdf := w.table("/Root 1 0 R")
	return append(pdf, bytes.Repeat([]byte("\n"), size-len(pdf))...)
}

// judge makes sure that a file from outside is refused with a code, or gives what the verifier reads.
func judge(t *testing.T, file, content []byte) {
	t.Helper()
	r, err := attach.Attach(file, content)
	if err != nil {
		if attach.Code(err) == "" || r != nil {
			t.Fatalf("an error without a code: %v", err)
		}
		return
	}
	result, err := intake.NewReader(1).Read(t.Context(), intake.Input{File: r.File})
	if err != nil || len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, content) {
		t.Fatalf("the verifier reads something else: %+v, %v", result, err)
	}
}

// TestDamagedPDF cuts and alters documents everywhere.
func TestDamagedPDF(t *testing.T) {
	content := encoded(t, 0)
	for name, c := range goodPDFs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := 5; i < len(c.pdf); i += 5 {
				altered := bytes.Clone(c.pdf)
				altered[i] ^= byte(1 << (i % 8))
				judge(t, c.pdf[:i], content)
				judge(t, altered, content)
			}
		})
	}
}

func FuzzPDF(f *testing.F) {
	for _, c := range goodPDFs() {
		f.Add(c.pdf)
	}
	for _, c := range badPDFs(encoded(f, 1)) {
		if len(c.pdf) < 8<<10 {
			f.Add(c.pdf)
		}
	}
	content := encoded(f, 0)
	f.Add(carrying(content))
	f.Fuzz(func(t *testing.T, b []byte) { judge(t, b, content) })
}
