package attach_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/attach"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/verifier/intake"
)

var made struct {
	sync.Once
	batch *credential.Batch
}

// encoded returns the bytes of a credential; each number stands for another one.
func encoded(t testing.TB, i int) []byte {
	t.Helper()
	made.Do(func() { made.batch = credentialtest.Batch(t, "property", 2) })
	return made.batch.Credential(i).Bytes()
}

// attached attaches a credential and makes sure of what holds for every result.
func attached(t testing.TB, file, content []byte) *attach.Result {
	t.Helper()
	before := bytes.Clone(file)
	r, err := attach.Attach(file, content)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, before) {
		t.Fatal("the file that was given is altered")
	}
	result, err := intake.NewReader(1).Read(t.Context(), intake.Input{File: r.File})
	if err != nil {
		t.Fatalf("the verifier does not read it: %v", err)
	}
	if len(result.Items) != 1 || !bytes.Equal(result.Items[0].Bytes, content) || string(result.Items[0].Source) != string(r.Format) {
		t.Fatalf("the verifier finds %d credentials, or another one", len(result.Items))
	}
	again, err := attach.Attach(r.File, content)
	if err != nil || !bytes.Equal(again.File, r.File) || again.Name != "" || again.Signatures != r.Signatures {
		t.Fatalf("attached again: %+v, %v", again, err)
	}
	return r
}

// run runs another program, which has to succeed without a complaint.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed as an independent reader: install it (%v)", name, err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v %s", name, err, stderr.String())
	}
	return string(out)
}

func written(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused makes sure that a file is refused, with an error that holds nothing of it.
func refused(t *testing.T, file, content []byte, code string) {
	t.Helper()
	r, err := attach.Attach(file, content)
	if attach.Code(err) != code || r != nil {
		t.Fatalf("%v, %v; want %s", r != nil, err, code)
	}
	var e *attach.Error
	if !errors.As(err, &e) || e.Message == "" || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q", err)
	}
}

func TestRefused(t *testing.T) {
	content := encoded(t, 0)
	for name, c := range map[string]struct {
		file, content []byte
		code          string
	}{
		"no file":               {nil, content, attach.CodeUnrecognised},
		"a picture":             {[]byte("\x89PNG\r\n\x1a\n"), content, attach.CodeUnrecognised},
		"another archive":       {zipped(t, zipEntry{name: "word/secret.xml", content: "<w/>"}), content, attach.CodeUnrecognised},
		"too large":             {append([]byte("%PDF-1.7\n"), make([]byte, attach.MaxFile)...), content, attach.CodeTooLarge},
		"too large with it":     {append(make([]byte, 0), filled(attach.MaxFile)...), content, attach.CodeTooLarge},
		"too large OFD with it": {ofdFilled(t, attach.MaxFile), content, attach.CodeTooLarge},
		"no credential":         {page(""), nil, attach.CodeNoCredential},
		"something else":        {page(""), []byte("secret"), attach.CodeNoCredential},
		"a damaged credential":  {page(""), content[:len(content)-1], attach.CodeNoCredential},
		"a bundle":              {page(""), append(bytes.Clone(content), content...), attach.CodeNoCredential},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.file, c.content, c.code) })
	}
	if attach.Code(errors.New("x")) != "" {
		t.Error("a code of an error of another package")
	}
}

// TestPresentation attaches a presentation of two fields.
func TestPresentation(t *testing.T) {
	encoded(t, 0)
	p := credentialtest.Disclose(t, made.batch.Credential(0), credentialtest.TwoFields["property"]...)
	attached(t, page(""), p.Bytes())
	attached(t, ofd(t), p.Bytes())
}

func BenchmarkPDF(b *testing.B) { benchmark(b, goodPDFs()["streams"].pdf) }
func BenchmarkOFD(b *testing.B) { benchmark(b, ofd(b)) }

func benchmark(b *testing.B, file []byte) {
	content := encoded(b, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := attach.Attach(file, content); err != nil {
			b.Fatal(err)
		}
	}
}
