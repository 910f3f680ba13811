package intake

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/qr/phototest"
	"github.com/credledger/credledger/sdk/sm"
)

const token = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// shown returns n presentations of two fields.
func shown(t testing.TB, n int) []*credential.Presentation {
	t.Helper()
	batch := credentialtest.Batch(t, "property", n)
	out := make([]*credential.Presentation, n)
	for i := range out {
		out[i] = credentialtest.Disclose(t, batch.Credential(i), credentialtest.TwoFields["property"]...)
	}
	return out
}

func code(t testing.TB, p *credential.Presentation) string {
	t.Helper()
	text, err := credential.EncodeCode(credentialtest.Host, p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func symbol(t testing.TB, text string) *qr.Symbol {
	t.Helper()
	s, err := qr.Encode(text, qr.DefaultLevel(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func drawn(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := symbol(t, text).PNG(&out, 3); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// wide returns a text in full-width forms.
func wide(text string) string {
	return strings.Map(func(c rune) rune {
		if '!' <= c && c <= '~' {
			return c - '!' + '！'
		}
		return c
	}, text)
}

func wrapped(text string) string {
	var out strings.Builder
	for part := range slices.Chunk([]byte(text), 76) {
		out.WriteString(string(part) + "\r\n")
	}
	return out.String()
}

func bundle(p ...*credential.Presentation) []byte {
	var out []byte
	for _, q := range p {
		out = q.AppendTo(out)
	}
	return out
}

func TestRead(t *testing.T) {
	p := shown(t, 3)
	encoded, text := p[0].Bytes(), code(t, p[0])
	letters := text[strings.IndexByte(text, '#')+1:]
	photo := phototest.Photo(symbol(t, text))
	pdf, ofd := plainPDF(encoded), plainOFD(t, encoded)
	for _, c := range []struct {
		name string
		in   Input
		from Source
		want []*credential.Presentation
	}{
		{"code", Input{Code: text}, SourceCode, p[:1]},
		{"code in lower case", Input{Code: strings.ToLower(text)}, SourceCode, p[:1]},
		{"code in full width", Input{Code: wide(text)}, SourceCode, p[:1]},
		{"code of another host", Input{Code: "http://elsewhere.example:8443/check?mode=elder#" + letters}, SourceCode, p[:1]},
		{"code of a host that looks like a reference", Input{Code: "https://host/r/" + token + "#" + letters}, SourceCode, p[:1]},
		{"code without its host", Input{Code: " \n" + letters + "\r\n"}, SourceCode, p[:1]},
		{"code with a credential in base64", Input{Code: base64.StdEncoding.EncodeToString(encoded)}, SourceCode, p[:1]},
		{"credential", Input{Credential: encoded}, SourceCredential, p[:1]},
		{"credential in base64", Input{Credential: []byte(base64.StdEncoding.EncodeToString(encoded))}, SourceCredential, p[:1]},
		{"credential in base64url", Input{Credential: []byte(base64.RawURLEncoding.EncodeToString(encoded))}, SourceCredential, p[:1]},
		{"credential in base64 in lines", Input{Credential: []byte("\r\n" + wrapped(base64.StdEncoding.EncodeToString(encoded)))}, SourceCredential, p[:1]},
		{"credential that is a code", Input{Credential: []byte(text)}, SourceCredential, p[:1]},
		{"bundle", Input{Credential: bundle(p...)}, SourceCredential, p},
		{"bundle in base64", Input{Credential: []byte(base64.StdEncoding.EncodeToString(bundle(p...)))}, SourceCredential, p},
		{"PNG", Input{Image: drawn(t, text)}, SourceImage, p[:1]},
		{"photograph", Input{Image: photo}, SourceImage, p[:1]},
		{"file that is a picture", Input{File: photo}, SourceImage, p[:1]},
		{"file that is a credential", Input{File: encoded}, SourceCredential, p[:1]},
		{"file that is a bundle", Input{File: bundle(p...)}, SourceCredential, p},
		{"file that is a code", Input{File: []byte(text + "\n")}, SourceCredential, p[:1]},
		{"PDF", Input{File: pdf}, SourcePDF, p[:1]},
		{"OFD", Input{File: ofd}, SourceOFD, p[:1]},
		{"file with its credential", Input{File: []byte("the pages of a licence"), Credential: encoded}, SourceCredential, p[:1]},
		{"PDF with its credential", Input{File: plainPDF(p[1].Bytes()), Credential: encoded}, SourceCredential, p[:1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, err := NewReader(1).Read(t.Context(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Items) != len(c.want) || result.Reference != "" {
				t.Fatalf("%d presentations, reference %q; want %d", len(result.Items), result.Reference, len(c.want))
			}
			for i, item := range result.Items {
				if !bytes.Equal(item.Bytes, c.want[i].Bytes()) || item.Parsed == nil || !bytes.Equal(item.Parsed.Bytes(), item.Bytes) {
					t.Errorf("presentation %d is another", i)
				}
				if item.Source != c.from {
					t.Errorf("source %s; want %s", item.Source, c.from)
				}
			}
			both := len(c.in.File) > 0 && len(c.in.Credential) > 0
			if both != (result.File != nil) || both && *result.File != sm.Sum(c.in.File) {
				t.Errorf("digest of the file %v", result.File)
			}
			if _, err := result.One(); (len(c.want) == 1) != (err == nil) || err != nil && Code(err) != CodeSeveralCredentials {
				t.Errorf("one of %d: %v", len(c.want), err)
			}
		})
	}
}

func TestReference(t *testing.T) {
	url := ReferenceURL("verify.licences.example.gov.cn:8443", strings.ToLower(token))
	if want := "HTTPS://VERIFY.LICENCES.EXAMPLE.GOV.CN:8443/R/" + token; url != want || len(url) > 120 {
		t.Fatalf("URL %s; want %s", url, want)
	}
	for _, text := range []string{
		url, strings.ToLower(url), wide(url), "　" + wide(url) + "\r\n",
		"https:、、verify。example、r、" + token, "http://[::1]:8080/r/" + token, "https://h/R/" + token + "/",
		"https://h/r/" + token + "?mode=elder", "https://例子.中国/r/" + token,
	} {
		for name, in := range map[string]Input{"code": {Code: text}, "file": {File: []byte(text)}} {
			result, err := NewReader(1).Read(t.Context(), in)
			if err != nil || result.Reference != token || len(result.Items) != 0 {
				t.Errorf("%s %q: %+v, %v", name, text, result, err)
			}
		}
	}
	result, err := NewReader(1).Read(t.Context(), Input{Image: drawn(t, url)})
	if err != nil || result.Reference != token {
		t.Errorf("picture: %+v, %v", result, err)
	}
	for _, text := range []string{
		"https://h/r/" + token[1:], "https://h/r/" + token + "A", "https://h/r/" + strings.Replace(token, "A", "1", 1), "/r/" + token, token,
		"ftp://h/r/" + token, "https:///r/" + token, "https://h/x/r/" + token, "https://h/r/" + token + "/../x", "https://u@h/r/" + token,
		"https://h/r/" + token + "?" + strings.Repeat("x", maxReference), "https://h/r/" + token + " https://h/r/" + token,
	} {
		if got := referenceToken(text); got != "" {
			t.Errorf("%q is taken for a reference", text)
		}
	}
	p := shown(t, 1)[0]
	if item := Stored(p.Bytes()); item.Parsed == nil || item.Source != SourceReference {
		t.Errorf("stored: %+v", item)
	}
}

// TestHandedOn gives altered presentations: they are for the verdict to judge.
func TestHandedOn(t *testing.T) {
	encoded := shown(t, 1)[0].Bytes()
	altered := bytes.Clone(encoded)
	altered[3] ^= 0xff
	packed := code(t, shown(t, 1)[0])
	for name, in := range map[string]Input{
		"altered":              {Credential: altered},
		"altered, in base64":   {Code: base64.StdEncoding.EncodeToString(altered)},
		"cut":                  {Credential: encoded[:len(encoded)-1]},
		"altered, in a PDF":    {File: plainPDF(altered)},
		"altered, in an OFD":   {File: plainOFD(t, altered)},
		"another thing":        {Credential: []byte("\x88\x01")},
		"as long as one reads": {Credential: append(bytes.Clone(start), make([]byte, MaxCredential-2)...)},
	} {
		result, err := NewReader(1).Read(t.Context(), in)
		if err != nil || len(result.Items) != 1 || result.Items[0].Parsed != nil || len(result.Items[0].Bytes) == 0 {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	if _, err := NewReader(1).Read(t.Context(), Input{Code: packed[:len(packed)-3]}); Code(err) != credential.CodeBadCode {
		t.Errorf("a code that was cut: %v", err)
	}
}

func TestRefused(t *testing.T) {
	p := shown(t, 1)[0]
	encoded := p.Bytes()
	many := bytes.Repeat(encoded, MaxItems+1)
	for _, c := range []struct {
		name string
		in   Input
		code string
	}{
		{"nothing", Input{}, CodeArgument},
		{"two things", Input{Code: "x", Credential: encoded}, CodeArgument},
		{"a picture with a credential", Input{Image: drawn(t, "x"), Credential: encoded}, CodeArgument},
		{"three things", Input{Code: "x", File: encoded, Credential: encoded}, CodeArgument},
		{"long code", Input{Code: strings.Repeat("A", MaxCode+1)}, CodeTooLarge},
		{"large credential", Input{Credential: make([]byte, MaxCredential+1)}, CodeTooLarge},
		{"large file", Input{File: make([]byte, MaxFile+1)}, CodeTooLarge},
		{"large file with its credential", Input{File: make([]byte, MaxFile+1), Credential: encoded}, CodeTooLarge},
		{"another large file", Input{File: make([]byte, MaxCredential+1)}, CodeUnrecognised},
		{"large picture", Input{Image: append(bytes.Clone(jpegStart), make([]byte, MaxImage)...)}, CodeTooLarge},
		{"prose", Input{Code: "张三 13800000000"}, credential.CodeBadCode},
		{"base64 of something else", Input{Code: "iAAAAAAA"}, credential.CodeBadCode},
		{"a web page", Input{File: []byte("<html>")}, credential.CodeBadCode},
		{"a GIF", Input{Image: []byte("GIF89a\x01\x00\x01\x00")}, qr.CodeNotAnImage},
		{"a picture of something else", Input{Image: drawn(t, "张三 13800000000")}, credential.CodeBadCode},
		{"a bundle with something after it", Input{Credential: append(bytes.Clone(encoded), "x"...)}, CodeDamagedBundle},
		{"a large bundle", Input{Credential: many}, CodeTooMany},
		{"a large bundle in a PDF", Input{File: plainPDF(many)}, CodeTooMany},
		{"a bundle in a PDF with something after it", Input{File: plainPDF(append(bytes.Clone(encoded), "x"...))}, CodeDamagedBundle},
		{"a file with prose for its credential", Input{File: []byte("x"), Credential: []byte("张三")}, credential.CodeBadCode},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, err := NewReader(1).Read(t.Context(), c.in)
			if Code(err) != c.code {
				t.Fatalf("%+v, %v; want %s", result, err, c.code)
			}
			if strings.Contains(err.Error(), "张三") || strings.Contains(err.Error(), "138") {
				t.Fatalf("the error repeats what it was given: %v", err)
			}
		})
	}
	if code := Code(errors.New("else")); code != "" {
		t.Errorf("code %q of another error", code)
	}
}

func TestBelongs(t *testing.T) {
	file, second := []byte("the pages of a licence"), []byte("its annex")
	document := credentialtest.Documents(t, "property")[0]
	document.SetDocuments(sm.Sum(second), sm.Sum(file))
	batch := credentialtest.Sign(t, []*credential.Draft{credentialtest.Draft(t, document, "belongs")}, credentialtest.Department(t, "property"))
	show := func(keys ...string) *credential.Opened {
		return credentialtest.Open(t, credentialtest.Disclose(t, batch.Credential(0), keys...))
	}
	with, without := show(licence.DocumentsKey), show("rightHolders")
	none := credentialtest.Open(t, credentialtest.Disclose(t, credentialtest.Batch(t, "property", 1).Credential(0), licence.DocumentsKey))
	for name, c := range map[string]struct {
		shown *credential.Opened
		file  []byte
		code  string
	}{
		"its file":              {with, file, ""},
		"its annex":             {with, second, ""},
		"a changed file":        {with, append(bytes.Clone(file), ' '), CodeNotOfLicence},
		"digests not shown":     {without, file, CodeNotDisclosed},
		"a licence of no files": {none, file, CodeNotOfLicence},
	} {
		if err := Belongs(c.shown, sm.Sum(c.file)); Code(err) != c.code {
			t.Errorf("%s: %v; want %q", name, err, c.code)
		}
	}
	if value, _ := with.Value(licence.DocumentsKey); !slices.Contains(value.Strings(), hex.EncodeToString(func() []byte { s := sm.Sum(file); return s[:] }())) {
		t.Error("the digests are not lower-case hexadecimal")
	}
}

func TestBusy(t *testing.T) {
	r := NewReader(1)
	leave, err := r.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	picture := drawn(t, ReferenceURL("h", token))
	for _, in := range []Input{{Image: picture}, {File: plainPDF([]byte("x"))}} {
		if _, err := r.Read(ctx, in); Code(err) != CodeBusy || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
	if _, err := r.Read(ctx, Input{Code: "https://h/r/" + token}); err != nil {
		t.Errorf("a text has to wait: %v", err)
	}
	leave()
	if result, err := r.Read(t.Context(), Input{Image: picture}); err != nil || result.Reference != token {
		t.Errorf("afterwards: %+v, %v", result, err)
	}
}

// TestQueue: some wait for a place, and get one in the end; who comes when enough do is told so at once.
func TestQueue(t *testing.T) {
	r := NewReader(1)
	leave, err := r.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan error)
	for range queued {
		go func() {
			leave, err := r.enter(t.Context())
			if err == nil {
				leave()
			}
			entered <- err
		}()
	}
	for len(r.waiting) < queued {
		runtime.Gosched()
	}
	picture := drawn(t, ReferenceURL("h", token))
	if _, err := r.Read(t.Context(), Input{Image: picture}); Code(err) != CodeBusy {
		t.Errorf("one too many: %v", err)
	}
	leave()
	for range queued {
		if err := <-entered; err != nil {
			t.Error(err)
		}
	}
	if result, err := r.Read(t.Context(), Input{Image: picture}); err != nil || result.Reference != token {
		t.Errorf("afterwards: %+v, %v", result, err)
	}
}

// TestWritesNothing reads files in an empty directory, which stays empty.
func TestWritesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", dir)
	encoded := shown(t, 1)[0].Bytes()
	for _, file := range [][]byte{plainPDF(encoded), plainOFD(t, encoded), drawn(t, "https://h/r/"+token)} {
		if _, err := NewReader(1).Read(t.Context(), Input{File: file}); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func FuzzCode(f *testing.F) {
	p := shown(f, 1)[0]
	f.Add(code(f, p))
	f.Add(base64.StdEncoding.EncodeToString(p.Bytes()))
	f.Add("https://h/r/" + token)
	f.Fuzz(func(t *testing.T, text string) { check(t, Input{Code: text}) })
}

func FuzzFile(f *testing.F) {
	p := shown(f, 2)
	f.Add(bundle(p...))
	f.Add(plainPDF(p[0].Bytes()))
	f.Add(plainOFD(f, p[0].Bytes()))
	f.Add(drawn(f, "https://h/r/"+token))
	f.Fuzz(func(t *testing.T, b []byte) { check(t, Input{File: b}) })
}

// check reads something and checks what every answer has.
func check(t *testing.T, in Input) {
	result, err := NewReader(1).Read(t.Context(), in)
	switch {
	case err != nil && Code(err) == "" && len(in.Code)+len(in.File) > 0:
		t.Fatalf("an error without a code: %v", err)
	case err != nil:
		return
	case (len(result.Items) == 0) == (result.Reference == ""):
		t.Fatalf("neither or both: %+v", result)
	}
	for _, item := range result.Items {
		if item.Parsed != nil && !bytes.Equal(item.Parsed.Bytes(), item.Bytes) {
			t.Fatal("bytes that are not the one encoding")
		}
	}
}
