package intake

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

func pdfcpu() *model.Configuration {
	api.DisableConfigDir()
	return model.NewDefaultConfiguration()
}

// seenByPDFCPU returns what pdfcpu, as an independent reader, finds attached to a PDF.
func seenByPDFCPU(t *testing.T, pdf []byte) [][]byte {
	t.Helper()
	found, err := api.ExtractAttachmentsRaw(bytes.NewReader(pdf), "", nil, pdfcpu())
	if err != nil {
		t.Fatalf("pdfcpu does not read it: %v", err)
	}
	var out [][]byte
	for _, a := range found {
		var b bytes.Buffer
		if _, err := b.ReadFrom(a); err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Bytes())
	}
	return out
}

// hybridFree is the document whose table says, as it should (ISO 32000-1, 7.5.8.4), that what is hidden
// in a stream is free; pdfcpu believes the table.
const hybridFree = "hybrid, with the hidden free"

// goodPDFs are documents in all the ways of writing one, with the attachment that each has.
func goodPDFs(attachment, other []byte) map[string][]byte {
	out := map[string][]byte{"plain": plainPDF(attachment)}

	w := newPDF()
	w.body(pdfCatalog)
	w.object(4, pdfFileSpec)
	w.object(6, fmt.Sprint(len(deflated(attachment))))
	w.stream(5, "/Type /EmbeddedFile /Filter [ /FlateDecode ] /Length 6 0 R /Params << /CheckSum <00> /Size 1 >>", deflated(attachment))
	out["compressed, with its length elsewhere"] = w.table("/Root 1 0 R /ID [<00> (a\\)b(c))] /Info << /Title (x) /Trapped true /N -1.5 >>")

	for predictor := range 6 {
		if predictor > 0 {
			predictor += 9
		}
		w = newPDF()
		w.objectStream(7, map[int]string{1: pdfCatalog, 2: pdfPages, 3: pdfPage, 4: pdfFileSpec})
		w.stream(5, "/Type /EmbeddedFile", attachment)
		out[fmt.Sprintf("streams of predictor %d", predictor)] = w.crossStream(8, "/Root 1 0 R", predictor)
	}

	for name, free := range map[string]bool{"hybrid": false, hybridFree: true} {
		w = newPDF()
		w.body(pdfCatalog)
		w.stream(5, "/Type /EmbeddedFile", attachment)
		if free {
			w.offsets[4] = -1
		}
		visible := w.offsets
		w.offsets = map[int]int{}
		w.objectStream(7, map[int]string{4: pdfFileSpec})
		rows, index := w.crossRows()
		hidden := w.Len()
		w.stream(8, fmt.Sprintf("/Type /XRef /Size 100 /W [1 3 1] /Index [%s]", index), rows)
		w.offsets = visible
		out[name] = w.table(fmt.Sprintf("/Root 1 0 R /XRefStm %d", hidden))
	}

	w = newPDF()
	w.body(strings.Replace(pdfCatalog, "/Names", "/None", 1))
	w.table("/Root 1 0 R")
	before := w.begin
	w.object(1, pdfCatalog)
	w.object(4, pdfFileSpec)
	w.stream(5, "/Type /EmbeddedFile", other)
	w.table(fmt.Sprintf("/Root 1 0 R /Prev %d", before))
	before = w.begin
	w.stream(5, "/Type /EmbeddedFile", attachment)
	out["revised twice"] = w.crossStream(9, fmt.Sprintf("/Root 1 0 R /Prev %d", before), 0)

	w = newPDF()
	w.body("<< /Type /Catalog /Pages 2 0 R /N#61mes 10 0 R >>")
	w.object(10, "<< /EmbeddedFiles 11 0 R >>")
	w.object(11, "<< /Kids [12 0 R 13 0 R] >>")
	w.object(12, "<< /Limits [(a) (a)] /Names [(a) << /Type /Filespec /F (a) /EF << /F 14 0 R >> >>] >>")
	w.object(13, "<< /Limits [(b) (b)] /Names [(b) 4 0 R] >>")
	w.object(4, pdfFileSpec)
	w.stream(5, "/Type /EmbeddedFile", attachment)
	w.stream(14, "/Type /EmbeddedFile", []byte("an invoice"))
	out["among others in a tree"] = w.table("/Root 1 0 R")
	return out
}

func TestPDF(t *testing.T) {
	p := shown(t, 2)
	attachment := p[0].Bytes()
	for name, pdf := range goodPDFs(attachment, p[1].Bytes()) {
		t.Run(name, func(t *testing.T) {
			result, err := NewReader(1).Read(t.Context(), Input{File: pdf})
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, attachment) || result.Items[0].Source != SourcePDF {
				t.Fatalf("%d presentations, or another one", len(result.Items))
			}
			if name == hybridFree {
				return
			}
			seen := false
			for _, b := range seenByPDFCPU(t, pdf) {
				seen = seen || bytes.Equal(b, attachment)
			}
			if !seen {
				t.Error("pdfcpu does not find it")
			}
		})
	}

	w := newPDF()
	w.body("<< /Type /Catalog /Pages 2 0 R /AF [4 0 R] >>")
	w.object(4, strings.Replace(pdfFileSpec, "/EF << /F", "/AFRelationship /Data /EF << /UF", 1))
	w.stream(5, "/Type /EmbeddedFile", attachment)
	result, err := NewReader(1).Read(t.Context(), Input{File: w.table("/Root 1 0 R")})
	if err != nil || len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, attachment) {
		t.Errorf("associated file: %+v, %v", result, err)
	}
}

// TestPDFByPDFCPU reads what another program has written.
func TestPDFByPDFCPU(t *testing.T) {
	p := shown(t, 2)
	var files []string
	for i, q := range p {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("licence-%d.cred", i))
		if err := os.WriteFile(file, q.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	w := newPDF()
	w.body(strings.Replace(pdfCatalog, "/Names", "/None", 1))
	pages := w.table("/Root 1 0 R")
	for name, set := range map[string]func(*model.Configuration){
		"streams":           func(*model.Configuration) {},
		"no object streams": func(c *model.Configuration) { c.WriteObjectStream = false },
		"tables":            func(c *model.Configuration) { c.WriteObjectStream, c.WriteXRefStream = false, false },
	} {
		conf := pdfcpu()
		set(conf)
		var pdf bytes.Buffer
		if err := api.AddAttachments(bytes.NewReader(pages), &pdf, files, false, conf); err != nil {
			t.Fatal(err)
		}
		result, err := NewReader(1).Read(t.Context(), Input{File: pdf.Bytes()})
		if err != nil || len(result.Items) != 2 {
			t.Fatalf("%s: %+v, %v", name, result, err)
		}
		found := bundle(result.Items[0].Parsed, result.Items[1].Parsed)
		if !bytes.Equal(found, bundle(p...)) && !bytes.Equal(found, bundle(p[1], p[0])) {
			t.Errorf("%s: others were found", name)
		}
		var locked bytes.Buffer
		conf = model.NewAESConfiguration("user", "owner", 256)
		set(conf)
		if err := api.Encrypt(bytes.NewReader(pdf.Bytes()), &locked, conf); err != nil {
			t.Fatal(err)
		}
		if _, err := NewReader(1).Read(t.Context(), Input{File: locked.Bytes()}); Code(err) != CodeEncryptedFile {
			t.Errorf("%s, encrypted: %v", name, err)
		}
	}
}

// badPDFs are documents that have to be refused, with their codes.
func badPDFs(attachment []byte) map[string]struct {
	pdf  []byte
	code string
} {
	type bad = struct {
		pdf  []byte
		code string
	}
	plain := plainPDF(attachment)
	replace := func(old, new string) []byte {
		out := bytes.Replace(plain, []byte(old), []byte(new), 1)
		if len(old) != len(new) && !strings.Contains(old, "trailer") {
			panic("the offsets have to stay")
		}
		return out
	}
	catalog := func(catalog string, objects ...string) []byte {
		w := newPDF()
		w.body(catalog)
		for i, o := range objects {
			w.object(4+i, o)
		}
		return w.table("/Root 1 0 R")
	}
	attached := func(dict string, data []byte) []byte {
		w := newPDF()
		w.body(pdfCatalog)
		w.object(4, pdfFileSpec)
		w.stream(5, dict, data)
		return w.table("/Root 1 0 R")
	}
	inStream := func(dict string, data []byte) []byte {
		w := newPDF()
		w.stream(7, dict, data)
		w.inside[1] = [2]int{7, 0}
		return w.crossStream(8, "/Root 1 0 R", 0)
	}
	names := func(n int, name string) string { return strings.Repeat(name+" 4 0 R ", n) }
	zeros := deflated(make([]byte, maxInflated+1))
	w := newPDF()
	w.body(pdfCatalog)
	w.object(4, pdfFileSpec)
	w.stream(5, "", attachment)
	w.table("/Root 1 0 R")
	w.offsets[5] = -1
	detached := w.table(fmt.Sprintf("/Root 1 0 R /Prev %d", w.begin))
	many := newPDF()
	many.body("<< /Names << /EmbeddedFiles << /Names [" + func() (s string) {
		for i := range maxPDFAttachments + 1 {
			s += fmt.Sprintf("() << /EF << /F %d 0 R >> >> ", 10+i)
		}
		return s
	}() + "] >> >> >>")
	long := newPDF()
	long.object(1, "<< /Names << /EmbeddedFiles << /Names ["+names(pdfBounds.Nodes-1, "()")+"] >> >> >>")
	header := strings.Repeat(fmt.Sprintf("%s5 0 ", strings.Repeat(" ", 1000)), 2000) + "4 0 "
	long.stream(7, fmt.Sprintf("/Type /ObjStm /N 2001 /First %d /Filter /FlateDecode", len(header)), deflated([]byte(header+"<< >>")))
	long.inside[4] = [2]int{7, 2000}
	return map[string]bad{
		"only the header":              {[]byte("%PDF-1.7\n"), CodeDamagedFile},
		"no place":                     {replace("startxref", "startxxxx"), CodeDamagedFile},
		"place beyond the end":         {append(bytes.Clone(plain), "startxref\n999999\n%%EOF"...), CodeDamagedFile},
		"place of something else":      {append(bytes.Clone(plain), "startxref\n20\n%%EOF"...), CodeDamagedFile},
		"place of an object":           {append(bytes.Clone(plain), fmt.Sprintf("startxref\n%d\n%%%%EOF", bytes.Index(plain, []byte("5 0 obj")))...), CodeDamagedFile},
		"a loop of revisions":          {replace("trailer\n<< ", fmt.Sprintf("trailer\n<< /Prev %d ", bytes.LastIndex(plain, []byte("xref\n0")))), CodeDamagedFile},
		"encrypted":                    {replace("trailer\n<< ", "trailer\n<< /Encrypt 3 0 R "), CodeEncryptedFile},
		"no catalog":                   {replace("trailer\n<< /Size 100 /Root 1", "trailer\n<< /Size 100 /Root 9"), CodeNoCredential},
		"catalog of another number":    {replace("1 0 obj\n<< /Type /Catalog", "9 0 obj\n<< /Type /Catalog"), CodeDamagedFile},
		"no object":                    {replace("4 0 obj", "4 0 obi"), CodeDamagedFile},
		"a key twice":                  {replace("/Pages 2 0 R", "/Names 2 0 R"), CodeDamagedFile},
		"length too small":             {attached("/Length 3", attachment), CodeDamagedFile},
		"length too large":             {attached("/Length 99999999", attachment), CodeDamagedFile},
		"negative length":              {attached("/Length -1", attachment), CodeDamagedFile},
		"length that is the stream":    {attached("/Length 5 0 R", attachment), CodeDamagedFile},
		"nothing attached":             {catalog("<< /Type /Catalog /Pages 2 0 R >>"), CodeNoCredential},
		"detached again":               {detached, CodeNoCredential},
		"attached something else":      {plainPDF([]byte("an invoice")), CodeNoCredential},
		"attached nothing":             {plainPDF(nil), CodeNoCredential},
		"encoded otherwise":            {attached("/Filter [/ASCIIHexDecode /FlateDecode]", attachment), CodeNoCredential},
		"compressed and damaged":       {attached("/Filter /FlateDecode", deflated(attachment)[:100]), CodeDamagedFile},
		"a loop of names":              {catalog("<< /Names << /EmbeddedFiles 4 0 R >> >>", "<< /Kids [5 0 R] >>", "<< /Kids [4 0 R] >>"), CodeDamagedFile},
		"a list that is its own":       {catalog("<< /Names << /EmbeddedFiles << /Names 4 0 R >> >> >>", "4 0 R"), CodeNoCredential},
		"deep":                         {catalog(strings.Repeat("[", 100_000)), CodeDamagedFile},
		"deep dictionaries":            {catalog(strings.Repeat("<</A", 100_000)), CodeDamagedFile},
		"open string":                  {catalog("<< /A (((( >>"), CodeDamagedFile},
		"many values":                  {catalog("<< /A [" + strings.Repeat("0 ", pdfBounds.Values) + "] >>"), CodeBomb},
		"many names":                   {catalog("<< /Names << /EmbeddedFiles << /Names ["+names(pdfBounds.Nodes+1, "()")+"] >> >> >>", "null"), CodeBomb},
		"many kids":                    {catalog("<< /Names << /EmbeddedFiles << /Kids [" + strings.Repeat("<< >> ", pdfBounds.Nodes+1) + "] >> >> >>"), CodeBomb},
		"many attachments":             {many.table("/Root 1 0 R"), CodeBomb},
		"a bomb for an attachment":     {attached("/Filter /FlateDecode", deflated(append(bytes.Clone(start), make([]byte, maxInflated)...))), CodeBomb},
		"a bomb that is no credential": {attached("/Filter /FlateDecode", zeros), CodeNoCredential},
		"a bomb for an object":         {inStream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", zeros), CodeBomb},
		"many looks into a stream":     {long.crossStream(8, "/Root 1 0 R", 0), CodeBomb},
		"objects without a first":      {inStream("/Type /ObjStm /N 1 /Filter /FlateDecode", deflated([]byte("1 0 << >>"))), CodeDamagedFile},
		"objects of other numbers":     {inStream("/Type /ObjStm /N 1 /First 4", []byte("2 0 << >>")), CodeDamagedFile},
		"objects beyond the end":       {inStream("/Type /ObjStm /N 1 /First 5", []byte("1 99 << >>")), CodeDamagedFile},
		"objects in no stream":         {inStream("/Type /Other /N 1 /First 4", []byte("1 0 << >>")), CodeDamagedFile},
		"a bomb for the references":    {bombReferences(zeros), CodeBomb},
		"rows of no width":             {crossReferences("/W [0 0 0] /Size 1"), CodeDamagedFile},
		"rows of great width":          {crossReferences("/W [1 9999999 1] /Size 1"), CodeDamagedFile},
		"rows without widths":          {crossReferences("/Size 1"), CodeDamagedFile},
		"more rows than there are":     {crossReferences("/W [1 3 1] /Size 2147483647"), CodeDamagedFile},
		"negative rows":                {crossReferences("/W [1 3 1] /Index [-5 1]"), CodeDamagedFile},
		"another predictor":            {crossReferences("/W [1 3 1] /Size 1 /DecodeParms << /Predictor 2 >>"), CodeDamagedFile},
		"columns beyond the end":       {crossReferences("/W [1 3 1] /Size 1 /DecodeParms << /Predictor 12 /Columns 2000000000 >>"), CodeDamagedFile},
	}
}

func bombReferences(zeros []byte) []byte {
	w := newPDF()
	w.stream(1, "/Type /XRef /W [1 3 1] /Size 1 /Filter /FlateDecode", zeros)
	return w.end(w.offsets[1], "")
}

func crossReferences(dict string) []byte {
	w := newPDF()
	w.stream(1, "/Type /XRef /Root 1 0 R "+dict, []byte{1, 0, 0, 0, 0})
	return w.end(w.offsets[1], "")
}

func TestBadPDF(t *testing.T) {
	for name, c := range badPDFs(shown(t, 1)[0].Bytes()) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result, err := NewReader(1).Read(t.Context(), Input{File: c.pdf})
			if Code(err) != c.code {
				t.Fatalf("%+v, %v; want %s", result, err, c.code)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDamagedPDF cuts and alters documents everywhere: nothing but an error or a presentation may come of it.
func TestDamagedPDF(t *testing.T) {
	p := shown(t, 1)[0].Bytes()
	for name, pdf := range goodPDFs(p, p) {
		for i := 5; i < len(pdf); i += 7 {
			altered := bytes.Clone(pdf)
			altered[i] ^= byte(1 << (i % 8))
			for _, b := range [][]byte{pdf[:i], altered} {
				if files, err := attachedToPDF(b); err != nil && Code(err) == "" || err != nil && files != nil {
					t.Fatalf("%s, byte %d: %v", name, i, err)
				}
			}
		}
	}
}

func FuzzPDF(f *testing.F) {
	p := shown(f, 1)[0].Bytes()
	for _, pdf := range goodPDFs(p, p) {
		f.Add(pdf)
	}
	for _, c := range badPDFs(p) {
		if len(c.pdf) < 8<<10 {
			f.Add(c.pdf)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := attachedToPDF(b)
		if err != nil && Code(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
		for _, file := range files {
			if !bytes.HasPrefix(file, start) || len(file) > MaxCredential {
				t.Fatal("a file that cannot be a credential")
			}
		}
	})
}

func BenchmarkPDF(b *testing.B) {
	pdf := goodPDFs(shown(b, 1)[0].Bytes(), nil)["streams of predictor 12"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := attachedToPDF(pdf); err != nil {
			b.Fatal(err)
		}
	}
}
