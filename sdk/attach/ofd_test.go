package attach_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/attach"
)

// A zipEntry is a file of an archive.
type zipEntry struct {
	name    string
	content string
	header  func(*zip.FileHeader)
}

func zipped(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.header != nil {
			e.header(h)
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetComment("an OFD"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	ofdRoot = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.1" DocType="OFD"><ofd:DocBody>
<ofd:DocInfo><ofd:DocID>44f68ac5</ofd:DocID></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>%s</ofd:DocBody></ofd:OFD>`
	ofdDocument = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData><ofd:MaxUnitID>1</ofd:MaxUnitID></ofd:CommonData>
<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages>%s</ofd:Document>
`
	ofdAttachments = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:Attachments xmlns:ofd="http://www.ofdspec.org/2016">%s</ofd:Attachments>`
	ofdSignatures = `<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"><ofd:MaxSignId>1</ofd:MaxSignId><ofd:Signature ID="1" Type="Seal" BaseLoc="%s"/></ofd:Signatures>`
	ofdSignature  = `<ofd:Signature xmlns:ofd="http://www.ofdspec.org/2016"><ofd:SignedInfo><ofd:Provider ProviderName="x"/>
<ofd:References CheckMethod="1.2.156.10197.1.401">%s</ofd:References></ofd:SignedInfo><ofd:SignedValue>/Doc_0/Signs/Sign_0/SignedValue.dat</ofd:SignedValue></ofd:Signature>`

	ofdFile          = "OFD.xml"
	ofdDocumentFile  = "Doc_0/Document.xml"
	ofdContentFile   = "Doc_0/Pages/Page_0/Content.xml"
	ofdListFile      = "Doc_0/Attachs/Attachments.xml"
	ofdPictureFile   = "Doc_0/Res/图片 1.png"
	ofdSignatureList = "<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>"
)

// ofd is a document of one page, of which some files are others, or are added.
func ofd(t testing.TB, changes ...zipEntry) []byte {
	t.Helper()
	entries := []zipEntry{
		{name: ofdFile, content: fmt.Sprintf(ofdRoot, "")},
		{name: "Doc_0/"},
		{name: ofdDocumentFile, content: fmt.Sprintf(ofdDocument, "")},
		{name: ofdContentFile, content: "<ofd:Page/>"},
		{name: ofdPictureFile, content: strings.Repeat("picture", 100), header: func(h *zip.FileHeader) { h.Method, h.Comment = zip.Store, "a picture" }},
	}
next:
	for _, c := range changes {
		for i := range entries {
			if entries[i].name == c.name {
				entries[i] = c
				continue next
			}
		}
		entries = append(entries, c)
	}
	return zipped(t, entries...)
}

func document(rest string) zipEntry {
	return zipEntry{name: ofdDocumentFile, content: fmt.Sprintf(ofdDocument, rest)}
}

// listed is a document with a list of attachments.
func listed(t testing.TB, list string, changes ...zipEntry) []byte {
	return ofd(t, append(changes, document("<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"), zipEntry{name: ofdListFile, content: list})...)
}

func entry(id, location string) string {
	return fmt.Sprintf(`<ofd:Attachment ID="%s" Name="x"><ofd:FileLoc> %s </ofd:FileLoc></ofd:Attachment>`, id, location)
}

// signature returns the files of a signature that covers files.
func signature(files ...string) []zipEntry {
	var references strings.Builder
	for _, f := range files {
		fmt.Fprintf(&references, `<ofd:Reference FileRef="%s"><ofd:CheckValue>AA==</ofd:CheckValue></ofd:Reference>`, f)
	}
	return []zipEntry{{name: "Doc_0/Signs/Signatures.xml", content: fmt.Sprintf(ofdSignatures, "Sign_0/Signature.xml")},
		{name: "Doc_0/Signs/Sign_0/Signature.xml", content: fmt.Sprintf(ofdSignature, references.String())}}
}

// signed is a document with a signature that covers files.
func signed(t testing.TB, files []string, changes ...zipEntry) []byte {
	changes = append(changes, zipEntry{name: ofdFile, content: fmt.Sprintf(ofdRoot, ofdSignatureList)})
	return ofd(t, append(changes, signature(files...)...)...)
}

// raw returns the files of an archive as they are compressed, with the rest of what it says of each.
func raw(t testing.TB, b []byte) (files map[string]string, comment string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range r.File {
		c, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = fmt.Sprintf("%+v %x", f.FileHeader, content)
	}
	return files, r.Comment
}

func TestOFD(t *testing.T) {
	content := encoded(t, 0)
	list := zipEntry{name: ofdListFile, content: fmt.Sprintf(ofdAttachments, entry("licence", "licence.cred")+entry("2", "/Doc_0/Attachs/LICENCE-2.cred"))}
	linked := document("<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>")
	others := []zipEntry{{name: "Doc_0/Attachs/licence.cred", content: "not a credential"}, {name: "Doc_0/Attachs/LICENCE-2.cred", content: "nor this"}}
	pages := []string{"/Doc_0/Pages/Page_0/Content.xml", "/" + ofdPictureFile, "/OFD.xml"}
	const name = "Doc_0/Attachs/licence.cred"
	for title, c := range map[string]struct {
		ofd        []byte
		name       string            // of the credential
		changed    map[string]string // files with what is in them afterwards
		signatures int
	}{
		"no list": {ofd(t), name, map[string]string{
			ofdDocumentFile: fmt.Sprintf(ofdDocument, "<ofd:Attachments>/Doc_0/Attachs/Attachments.xml</ofd:Attachments>"), ofdListFile: "", name: string(content)}, 0},
		"before extensions": {ofd(t, document("<ofd:CustomTags>c</ofd:CustomTags><ofd:Extensions>e</ofd:Extensions>")), name, map[string]string{
			ofdDocumentFile: fmt.Sprintf(ofdDocument, "<ofd:CustomTags>c</ofd:CustomTags><ofd:Attachments>/Doc_0/Attachs/Attachments.xml</ofd:Attachments><ofd:Extensions>e</ofd:Extensions>"), ofdListFile: "", name: string(content)}, 0},
		"without a prefix": {ofd(t, zipEntry{name: ofdDocumentFile, content: "\ufeff<Document xmlns='http://www.ofdspec.org/2016' >\n<CommonData/><!-- </Document> --></Document >"}), name, map[string]string{
			ofdDocumentFile: "\ufeff<Document xmlns='http://www.ofdspec.org/2016' >\n<CommonData/><!-- </Document> --><Attachments>/Doc_0/Attachs/Attachments.xml</Attachments></Document >", ofdListFile: "", name: string(content)}, 0},
		"with others": {ofd(t, append(others, list, linked)...), "Doc_0/Attachs/licence-3.cred", map[string]string{ofdListFile: fmt.Sprintf(ofdAttachments, entry("licence", "licence.cred")+entry("2", "/Doc_0/Attachs/LICENCE-2.cred")+
			fmt.Sprintf(`<ofd:Attachment ID="licence-2" Name="licence-3.cred" Format="cred" Size="%.3f"><ofd:FileLoc>/Doc_0/Attachs/licence-3.cred</ofd:FileLoc></ofd:Attachment>`, float64(len(content))/1024)), "Doc_0/Attachs/licence-3.cred": string(content)}, 0},
		"an empty list":            {listed(t, fmt.Sprintf(ofdAttachments, "")), name, map[string]string{ofdListFile: "", name: string(content)}, 0},
		"a list without end":       {listed(t, `<a:Attachments xmlns:a="http://www.ofdspec.org/2016" />`), name, map[string]string{ofdListFile: "", name: string(content)}, 0},
		"a list that nobody names": {ofd(t, list), name, map[string]string{ofdDocumentFile: "", "Doc_0/Attachs/Attachments-2.xml": "", name: string(content)}, 0},
		"signed pages":             {signed(t, pages), name, map[string]string{ofdDocumentFile: "", ofdListFile: "", name: string(content)}, 1},
		"a signed document with an unsigned list": {signed(t, append(pages, "/"+ofdDocumentFile), linked, list, others[0], others[1]), "Doc_0/Attachs/licence-3.cred", map[string]string{ofdListFile: "",
			"Doc_0/Attachs/licence-3.cred": string(content)}, 1},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			r := attached(t, c.ofd, content)
			if r.Format != attach.FormatOFD || "Doc_0/Attachs/"+r.Name != c.name || r.Signatures != c.signatures {
				t.Errorf("%s %s, %d signatures", r.Format, r.Name, r.Signatures)
			}
			before, comment := raw(t, c.ofd)
			after, still := raw(t, r.File)
			if comment != still {
				t.Error("the comment is another")
			}
			for name, was := range before {
				if _, changed := c.changed[name]; after[name] != was && !changed {
					t.Errorf("%s is not what it was:\n%.300s\n%.300s", name, was, after[name])
				}
			}
			for name := range after {
				if _, changed := c.changed[name]; !changed && before[name] == "" {
					t.Errorf("%s was added", name)
				}
			}
			path := written(t, r.File)
			run(t, "unzip", "-tqq", path)
			for name, want := range c.changed {
				if got := run(t, "unzip", "-p", path, name); want != "" && got != want {
					t.Errorf("%s: %s", name, got)
				} else if got == "" {
					t.Errorf("%s is empty", name)
				}
			}
			refused(t, r.File, encoded(t, 1), attach.CodeOther)
		})
	}
}

// TestOFDThatHasIt gives what another program has attached: to the second document, under another name, and signed.
func TestOFDThatHasIt(t *testing.T) {
	content := encoded(t, 0)
	b := ofd(t, append(signature("/OFD.xml", "/Doc_1/Document.xml"),
		zipEntry{name: ofdFile, content: fmt.Sprintf(ofdRoot, ofdSignatureList+"</ofd:DocBody><ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot>")},
		zipEntry{name: "Doc_1/Document.xml", content: "<Document><Attachments>list</Attachments></Document>"},
		zipEntry{name: "Doc_1/list", content: "<Attachments>" + entry("1", "x.cred") + "</Attachments>"},
		zipEntry{name: "Doc_1/x.cred", content: string(content)})...)
	if r := attached(t, b, content); !bytes.Equal(r.File, b) || r.Name != "" || r.Signatures != 1 {
		t.Errorf("it is attached again: %q, %d signatures", r.Name, r.Signatures)
	}
	refused(t, b, encoded(t, 1), attach.CodeOther)
}

// badOFDs are packages that are refused, with their codes.
func badOFDs(t testing.TB, content []byte) map[string]struct {
	ofd  []byte
	code string
} {
	type bad = struct {
		ofd  []byte
		code string
	}
	added := func(name string) []byte { return ofd(t, zipEntry{name: name, content: "secret"}) }
	located := func(location string) []byte {
		return listed(t, fmt.Sprintf(ofdAttachments, entry("1", location)), zipEntry{name: "secret", content: string(content)})
	}
	var crowd []zipEntry
	for i := range 4_000 {
		crowd = append(crowd, zipEntry{name: fmt.Sprint("f", i)})
	}
	full := strings.Repeat(entry("1", "x"), 1_000)
	const entities = `<!DOCTYPE x [<!ENTITY a "licence.cred"><!ENTITY b SYSTEM "file:///etc/passwd">]>`
	return map[string]bad{
		"only the beginning":      {[]byte("PK\x03\x04"), attach.CodeDamaged},
		"cut":                     {ofd(t)[:400], attach.CodeDamaged},
		"no document":             {ofd(t, zipEntry{name: ofdFile, content: "<OFD/>"}), attach.CodeDamaged},
		"a document elsewhere":    {ofd(t, zipEntry{name: ofdFile, content: "<OFD><DocBody><DocRoot>none.xml</DocRoot></DocBody></OFD>"}), attach.CodeDamaged},
		"an empty document":       {ofd(t, zipEntry{name: ofdDocumentFile, content: "<Document/>"}), attach.CodeDamaged},
		"another root":            {ofd(t, zipEntry{name: ofdDocumentFile, content: "<Other></Other>"}), attach.CodeDamaged},
		"no list":                 {ofd(t, document("<ofd:Attachments>none.xml</ofd:Attachments>")), attach.CodeDamaged},
		"another list":            {listed(t, "<Other/>"), attach.CodeDamaged},
		"no attachment there":     {located("none"), attach.CodeDamaged},
		"a place outside":         {located("../../../secret"), attach.CodeDamaged},
		"a place that is empty":   {located(""), attach.CodeDamaged},
		"a name outside":          {added("../secret"), attach.CodeDamaged},
		"an absolute name":        {added("/secret"), attach.CodeDamaged},
		"a name with backslashes": {added("Doc_0\\secret"), attach.CodeDamaged},
		"a name twice":            {zipped(t, zipEntry{name: ofdFile, content: "<OFD/>"}, zipEntry{name: ofdFile, content: "<OFD/>"}), attach.CodeDamaged},
		"locked":                  {ofd(t, zipEntry{"x", "x", func(h *zip.FileHeader) { h.Flags |= 1 }}), attach.CodeEncrypted},
		"entities":                {listed(t, entities+fmt.Sprintf(ofdAttachments, entry("1", "&a;"))), attach.CodeDamaged},
		"another character set":   {listed(t, `<?xml version="1.0" encoding="GB18030"?><Attachments/>`), attach.CodeDamaged},
		"no XML":                  {listed(t, "<Attachments>"), attach.CodeDamaged},
		"deep":                    {listed(t, strings.Repeat("<a>", 33)), attach.CodeTooComplex},
		"a large structure":       {listed(t, strings.Repeat(" ", 1<<20+1)), attach.CodeTooComplex},
		"no room in the list":     {listed(t, fmt.Sprintf(ofdAttachments, full), zipEntry{name: "Doc_0/Attachs/x"}), attach.CodeTooComplex},
		"many files":              {ofd(t, crowd...), attach.CodeTooComplex},
		"shared bytes":            {overlapping(t), attach.CodeDamaged},
		"another credential":      {listed(t, fmt.Sprintf(ofdAttachments, entry("1", "x")), zipEntry{name: "Doc_0/Attachs/x", content: string(content)}), attach.CodeOther},
		"a bomb as a credential":  {listed(t, fmt.Sprintf(ofdAttachments, entry("1", "x")), zipEntry{name: "Doc_0/Attachs/x", content: string(content) + strings.Repeat("\x00", 32<<20)}), attach.CodeOther},
		"signed":                  {signed(t, []string{"/Doc_0/Document.xml"}), attach.CodeSigned},
		"signed, in other words":  {signed(t, []string{"../../../doc_0/./document.xml"}), attach.CodeSigned},
		"signed, from the root":   {signed(t, []string{"Doc_0/Document.xml"}), attach.CodeSigned},
		"a signed list": {signed(t, []string{"/" + ofdListFile}, document("<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"),
			zipEntry{name: ofdListFile, content: fmt.Sprintf(ofdAttachments, "")}), attach.CodeSigned},
		"signed without references": {signed(t, nil), attach.CodeSigned},
		"no signatures there":       {ofd(t, zipEntry{name: ofdFile, content: fmt.Sprintf(ofdRoot, ofdSignatureList)}), attach.CodeDamaged},
		"a signature without place": {ofd(t, zipEntry{name: ofdFile, content: fmt.Sprintf(ofdRoot, ofdSignatureList)}, zipEntry{name: "Doc_0/Signs/Signatures.xml", content: "<Signatures><Signature/></Signatures>"}), attach.CodeDamaged},
	}
}

// overlapping is an archive in whose directory many names stand for the same bytes.
func overlapping(t testing.TB) []byte {
	content := make([]byte, 64<<10)
	random := rand.NewChaCha8([32]byte{})
	random.Read(content)
	var entries []zipEntry
	for i := range 5 {
		entries = append(entries, zipEntry{name: fmt.Sprint("f", i)})
	}
	b := ofd(t, append(entries, zipEntry{name: "large", content: string(content)})...)
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	place := bytes.LastIndex(b, []byte("PK\x01\x02")) // the directory's entry of the last file
	if r.File[len(r.File)-1].Name != "large" {
		t.Fatal("it is not the last file")
	}
	for at := bytes.Index(b, []byte("PK\x01\x02")); at < place; at += 4 + bytes.Index(b[at+4:], []byte("PK\x01\x02")) {
		if bytes.HasPrefix(b[at+46:], []byte("f")) {
			copy(b[at+16:at+28], b[place+16:place+28]) // CRC and sizes
			copy(b[at+42:at+46], b[place+42:place+46]) // offset of its header
		}
	}
	return b
}

// ofdFilled is a package of nearly a size.
func ofdFilled(t testing.TB, size int) []byte {
	content := make([]byte, size-2_500)
	random := rand.NewChaCha8([32]byte{})
	random.Read(content)
	return ofd(t, zipEntry{"Doc_0/Res/large", string(content), func(h *zip.FileHeader) { h.Method = zip.Store }})
}

func TestBadOFD(t *testing.T) {
	for name, c := range badOFDs(t, encoded(t, 1)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			refused(t, c.ofd, encoded(t, 0), c.code)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestDamagedOFD cuts and alters packages everywhere.
func TestDamagedOFD(t *testing.T) {
	content := encoded(t, 0)
	for _, b := range [][]byte{ofd(t), signed(t, []string{"/OFD.xml"})} {
		for i := 0; i < len(b); i += 5 {
			altered := bytes.Clone(b)
			altered[i] ^= byte(1 << (i % 8))
			judge(t, b[:i], content)
			judge(t, altered, content)
		}
	}
}

func FuzzOFD(f *testing.F) {
	content := encoded(f, 0)
	f.Add(ofd(f))
	for _, c := range badOFDs(f, content) {
		if len(c.ofd) < 8<<10 {
			f.Add(c.ofd)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { judge(t, b, content) })
}

// FuzzXML alters the structure of a package, which rarely survives what is done to an archive.
func FuzzXML(f *testing.F) {
	content := encoded(f, 0)
	f.Add(fmt.Sprintf(ofdRoot, ""), fmt.Sprintf(ofdDocument, ""), fmt.Sprintf(ofdAttachments, entry("1", "x")))
	f.Add(fmt.Sprintf(ofdRoot, ofdSignatureList), fmt.Sprintf(ofdDocument, "<a:Attachments>Attachs/Attachments.xml</a:Attachments>"), "<Attachments/>")
	f.Fuzz(func(t *testing.T, root, doc, list string) {
		judge(t, ofd(t, zipEntry{name: ofdFile, content: root}, zipEntry{name: ofdDocumentFile, content: doc}, zipEntry{name: ofdListFile, content: list},
			zipEntry{name: "Doc_0/Attachs/x", content: "an invoice"}), content)
	})
}
