package intake

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
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
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	ofdRoot = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.1" DocType="OFD"><ofd:DocBody>
<ofd:DocInfo><ofd:DocID>44f68ac5</ofd:DocID></ofd:DocInfo><ofd:DocRoot>%s</ofd:DocRoot></ofd:DocBody></ofd:OFD>`
	ofdDocument = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData><ofd:MaxUnitID>1</ofd:MaxUnitID></ofd:CommonData>
<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages><ofd:Attachments>%s</ofd:Attachments></ofd:Document>`
	ofdAttachments = `<?xml version="1.0" encoding="UTF-8"?>
<ofd:Attachments xmlns:ofd="http://www.ofdspec.org/2016">
<ofd:Attachment ID="1" Name="invoice" Format="xml"><ofd:FileLoc>invoice.xml</ofd:FileLoc></ofd:Attachment>
<ofd:Attachment ID="2" Name="credential" Format="cred"><ofd:FileLoc> %s </ofd:FileLoc></ofd:Attachment></ofd:Attachments>`
)

// ofdEntries are the files of a document with two attachments.
func ofdEntries(attachment []byte) []zipEntry {
	return []zipEntry{
		{name: "OFD.xml", content: fmt.Sprintf(ofdRoot, "Doc_0/Document.xml")},
		{name: "Doc_0/"},
		{name: "Doc_0/Document.xml", content: fmt.Sprintf(ofdDocument, "Attachs/Attachments.xml")},
		{name: "Doc_0/Pages/Page_0/Content.xml", content: "<ofd:Page/>"},
		{name: "Doc_0/Attachs/Attachments.xml", content: fmt.Sprintf(ofdAttachments, "licence.cred")},
		{name: "Doc_0/Attachs/invoice.xml", content: "<invoice/>"},
		{name: "Doc_0/Attachs/licence.cred", content: string(attachment)},
	}
}

func plainOFD(t testing.TB, attachment []byte) []byte {
	t.Helper()
	return zipped(t, ofdEntries(attachment)...)
}

// ofdWith is a document of which some files are others, or are added.
func ofdWith(t testing.TB, attachment []byte, changes ...zipEntry) []byte {
	t.Helper()
	entries := ofdEntries(attachment)
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

func TestOFD(t *testing.T) {
	p := shown(t, 2)
	attachment := p[0].Bytes()
	list := "Doc_0/Attachs/Attachments.xml"
	for name, ofd := range map[string][]byte{
		"plain":                   plainOFD(t, attachment),
		"places from the root":    ofdWith(t, attachment, zipEntry{name: "OFD.xml", content: fmt.Sprintf(ofdRoot, "/Doc_0/Document.xml")}, zipEntry{name: list, content: fmt.Sprintf(ofdAttachments, "/Doc_0/Attachs/licence.cred")}),
		"a place beside":          ofdWith(t, attachment, zipEntry{name: list, content: fmt.Sprintf(ofdAttachments, "../Res/licence.cred")}, zipEntry{name: "Doc_0/Res/licence.cred", content: string(attachment)}),
		"stored":                  ofdWith(t, nil, zipEntry{"Doc_0/Attachs/licence.cred", string(attachment), func(h *zip.FileHeader) { h.Method = zip.Store }}),
		"named twice":             ofdWith(t, attachment, zipEntry{name: list, content: strings.Replace(fmt.Sprintf(ofdAttachments, "licence.cred"), "invoice.xml", "./licence.cred", 1)}),
		"in another namespace":    ofdWith(t, attachment, zipEntry{name: list, content: "<Attachments><Attachment><FileLoc><![CDATA[licence.cred]]></FileLoc></Attachment></Attachments>"}),
		"with a byte order mark":  ofdWith(t, attachment, zipEntry{name: list, content: "\ufeff" + fmt.Sprintf(ofdAttachments, "licence.cred")}),
		"with a bomb in no place": ofdWith(t, attachment, zipEntry{name: "Doc_0/Res/picture", content: strings.Repeat("\x00", maxInflated+1)}),
		"with a bomb attached":    ofdWith(t, attachment, zipEntry{name: "Doc_0/Attachs/invoice.xml", content: strings.Repeat("\x00", maxInflated+1)}),
	} {
		result, err := NewReader(1).Read(t.Context(), Input{File: ofd})
		if err != nil || len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, attachment) || result.Items[0].Source != SourceOFD {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	two := ofdWith(t, attachment, zipEntry{name: "Doc_0/Attachs/invoice.xml", content: string(p[1].Bytes())})
	if result, err := NewReader(1).Read(t.Context(), Input{File: two}); err != nil || len(result.Items) != 2 {
		t.Errorf("two credentials: %+v, %v", result, err)
	}
}

func TestBadOFD(t *testing.T) {
	attachment := shown(t, 1)[0].Bytes()
	const list, document = "Doc_0/Attachs/Attachments.xml", "Doc_0/Document.xml"
	located := func(location string) []byte {
		return ofdWith(t, attachment, zipEntry{name: list, content: fmt.Sprintf(ofdAttachments, location)}, zipEntry{name: "secret", content: string(attachment)})
	}
	added := func(name string) []byte { return ofdWith(t, attachment, zipEntry{name: name, content: "x"}) }
	locked := func(h *zip.FileHeader) { h.Flags |= 1 }
	entities := `<!DOCTYPE x [<!ENTITY a "licence.cred"><!ENTITY b SYSTEM "file:///etc/passwd">]>`
	var crowd []zipEntry
	for i := range maxOFDEntries {
		crowd = append(crowd, zipEntry{name: fmt.Sprint("f", i)})
	}
	var bodies, documents strings.Builder
	var lists []zipEntry
	for i := range 300 {
		fmt.Fprintf(&bodies, "<DocBody><DocRoot>d%d</DocRoot></DocBody>", i)
		lists = append(lists, zipEntry{name: fmt.Sprint("d", i), content: "<Document><Attachments>list</Attachments></Document>"})
		fmt.Fprintf(&documents, "<Attachment><FileLoc>d%d</FileLoc></Attachment>", i)
	}
	lists = append(lists, zipEntry{name: "OFD.xml", content: "<OFD>" + bodies.String() + "</OFD>"}, zipEntry{name: "list", content: "<Attachments>" + documents.String() + "</Attachments>"})
	for name, c := range map[string]struct {
		ofd  []byte
		code string
	}{
		"only the beginning":     {[]byte("PK\x03\x04"), CodeDamagedFile},
		"cut":                    {plainOFD(t, attachment)[:400], CodeDamagedFile},
		"another archive":        {zipped(t, zipEntry{name: "word/document.xml", content: "<w/>"}), CodeUnrecognised},
		"no document":            {ofdWith(t, attachment, zipEntry{name: "OFD.xml", content: fmt.Sprintf(ofdRoot, "Doc_9/Document.xml")}), CodeDamagedFile},
		"no list":                {ofdWith(t, attachment, zipEntry{name: document, content: fmt.Sprintf(ofdDocument, "none.xml")}), CodeDamagedFile},
		"no attachment there":    {located("none.cred"), CodeDamagedFile},
		"nothing attached":       {ofdWith(t, attachment, zipEntry{name: document, content: "<Document/>"}), CodeNoCredential},
		"something else":         {plainOFD(t, []byte("an invoice")), CodeNoCredential},
		"place outside":          {located("../../../secret"), CodeDamagedFile},
		"place far outside":      {located("../../../../etc/passwd"), CodeDamagedFile},
		"absolute place outside": {located("/../secret"), CodeDamagedFile},
		"place that is empty":    {located(""), CodeDamagedFile},
		"place with a NUL":       {located("&#0;"), CodeDamagedFile},
		"name outside":           {added("../secret"), CodeDamagedFile},
		"absolute name":          {added("/secret"), CodeDamagedFile},
		"name with backslashes":  {added("Doc_0\\..\\..\\secret"), CodeDamagedFile},
		"empty name":             {added(""), CodeDamagedFile},
		"a name twice":           {zipped(t, append(ofdEntries(attachment), zipEntry{name: "OFD.xml", content: "<OFD/>"})...), CodeDamagedFile},
		"locked":                 {ofdWith(t, attachment, zipEntry{"Doc_0/Attachs/licence.cred", string(attachment), locked}), CodeEncryptedFile},
		"entities":               {ofdWith(t, attachment, zipEntry{name: list, content: entities + fmt.Sprintf(ofdAttachments, "&a;")}), CodeDamagedFile},
		"undeclared entity":      {located("&b;"), CodeDamagedFile},
		"another character set":  {ofdWith(t, attachment, zipEntry{name: list, content: `<?xml version="1.0" encoding="GB18030"?><Attachments/>`}), CodeDamagedFile},
		"no XML":                 {ofdWith(t, attachment, zipEntry{name: list, content: "<Attachments>"}), CodeDamagedFile},
		"deep":                   {ofdWith(t, attachment, zipEntry{name: list, content: strings.Repeat("<a>", maxOFDDepth+1)}), CodeBomb},
		"large structure":        {ofdWith(t, attachment, zipEntry{name: list, content: strings.Repeat(" ", maxOFDXML+1)}), CodeBomb},
		"a bomb as a credential": {ofdWith(t, append(bytes.Clone(start), make([]byte, maxInflated)...)), CodeBomb},
		"many files":             {ofdWith(t, attachment, crowd...), CodeBomb},
		"many places":            {ofdWith(t, attachment, zipEntry{name: list, content: "<Attachments>" + strings.Repeat("<Attachment><FileLoc>x</FileLoc></Attachment>", maxOFDFound+1) + "</Attachments>"}), CodeBomb},
		"many times many files":  {ofdWith(t, attachment, lists...), CodeBomb},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result, err := NewReader(1).Read(t.Context(), Input{File: c.ofd})
			if Code(err) != c.code {
				t.Fatalf("%+v, %v; want %s", result, err, c.code)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func FuzzOFD(f *testing.F) {
	f.Add(plainOFD(f, shown(f, 1)[0].Bytes()))
	f.Add(zipped(f, zipEntry{name: "OFD.xml", content: "<OFD/>"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := attachedToOFD(b); err != nil && Code(err) == "" {
			t.Fatalf("an error without a code: %v", err)
		}
	})
}

// FuzzXML reads the structure of a package, which rarely survives what is done to an archive.
func FuzzXML(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(ofdAttachments, "licence.cred")))
	f.Add([]byte("<!DOCTYPE x><Attachments/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		texts, err := xmlTexts(b, []string{"Attachments", "Attachment", "FileLoc"})
		if err != nil && (Code(err) == "" || texts != nil) || len(texts) > maxOFDFound {
			t.Fatalf("%q, %v", texts, err)
		}
	})
}
