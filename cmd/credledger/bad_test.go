package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// maxMemory bounds what a command may take in memory for a bad input of any size, in KiB.
const maxMemory = 256 << 10

// runBounded is run for a command that must not take more than maxMemory.
func (p *process) runBounded(want int, args ...string) (stdout, stderr string) {
	p.t.Helper()
	var out, problems bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if got := exitCode(p.t, cmd.Run()); got != want {
		p.t.Errorf("credledger %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	if used := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; used > maxMemory {
		p.t.Errorf("credledger %s took %d MiB", strings.Join(args, " "), used>>10)
	}
	commandtest.NoPersonalData(p.t, problems.String())
	return out.String(), problems.String()
}

// write writes a file into the working directory.
func (p *process) write(name string, content []byte) string {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return name
}

// fill writes a file that goes on with one byte up to a size.
func (p *process) fill(name, begin string, with byte, size int) string {
	p.t.Helper()
	f, err := os.Create(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(begin); err != nil {
		p.t.Fatal(err)
	}
	part := bytes.Repeat([]byte{with}, 1<<20)
	for size -= len(begin); size > 0; size -= len(part) {
		if _, err := f.Write(part[:min(size, len(part))]); err != nil {
			p.t.Fatal(err)
		}
	}
	return name
}

// marriage is a record of a marriage certificate.
const marriage = `{"ZZBH":"J990101-2024-990001","djrq":"2024-05-20","djjg":"示范市民政局婚姻登记处","nfxm":"司马一","nfsfzh":"990101196802291232",` +
	`"nfcsrq":"1968-02-29","nfgj":"中国","vfxm":"阿依古丽·静","vfsfzh":"990101197011094042","vfcsrq":"1970-11-09","vfgj":"中国"}`

const hundredMB = 100 << 20

// Nothing is issued from these, and nothing breaks.
func TestBadIssue(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	sampleDir := commandtest.Samples(t)
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(sampleDir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	xml := read("marriage.xml")
	laughs := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><licences><licence><ZZBH>&b;</ZZBH></licence></licences>`
	utf16 := []byte{0xff, 0xfe}
	for _, c := range marriage {
		utf16 = binary.LittleEndian.AppendUint16(utf16, uint16(c))
	}
	for _, c := range []struct {
		name    string
		content []byte
		code    string // of the error; "": all records are rejected
	}{
		{"empty", nil, "empty-input"},
		{"blank", []byte(" \r\n\n"), "empty-input"},
		{"truncated in an array of JSON", []byte("[" + marriage[:200]), "truncated"},
		{"truncated in JSON", []byte(marriage[:200]), ""},
		{"truncated in XML", xml[:500], "truncated"},
		{"truncated in the header of CSV", read("marriage.csv")[:28], "missing-field"},
		{"CSV without a header", []byte("J990101-2024-990001,2024-05-20,司马一\n"), "malformed"},
		{"deeply nested JSON", []byte(`{"ZZBH":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + "}"), ""},
		{"deeply nested JSON that does not end", bytes.Repeat([]byte("["), 10<<20), "malformed"},
		{"deeply nested XML", []byte("<licences><licence>" + strings.Repeat("<a>", 300_000)), "truncated"},
		{"not UTF-8", []byte("{\"ZZBH\":\"\xbd\xe1\xbb\xe9\"}"), "not-utf8"},
		{"UTF-16", utf16, "not-utf8"},
		{"NUL bytes", make([]byte, 1000), "not-utf8"},
		{"an entity bomb", []byte(laughs), "malformed"},
		{"a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "not-utf8"},
		{"wrong type, in JSON", read("business-1.json"), ""},
		{"wrong type, in XML", read("property.xml"), "wrong-type"},
		{"wrong type, in CSV", read("business.csv"), "unknown-field"},
		{"a record of 2 MB", []byte(`{"ZZBH":"` + strings.Repeat("1", 2<<20) + `"}`), ""},
		{"a field given twice", []byte(strings.Replace(marriage, "{", `{"ZZBH":"1",`, 1)), ""},
		{"a number in place of a text", []byte(strings.Replace(marriage, `"中国"`, "1e999", 1)), ""},
		{"a text", []byte("This is no licence.\nNor is this.\n"), "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.t = t
			p.issueNothing(c.code, p.write("input", c.content))
		})
	}
	p.issueNothing("not-utf8", p.fill("zeros", "", 0, hundredMB))
	p.issueNothing("", p.fill("ones", `{"ZZBH":"`, '1', hundredMB))
	p.issueNothing("file", "no-such-file")
	p.issueNothing("not-a-file", ".")

	// All of that left nothing behind: the same licence is issued from a good file.
	p.write("good.json", []byte(marriage))
	p.run(exitDone, "issue", "--department", "civil-affairs", "--type", "marriage", "--out", "good", "good.json")
	p.run(exitDone, "verify", "good/licence-0000001.cred")
	p.run(exitDone, "audit")
}

// issueNothing issues from a file from which nothing can be issued: with an error of a code, or all
// records are rejected if that is "".
func (p *process) issueNothing(code, file string) {
	p.t.Helper()
	dir := p.t.TempDir()
	out, problems := p.runBounded(exitFailed, "issue", "--json", "--department", "civil-affairs", "--type", "marriage", "--out", dir, file)
	values, err := commandtest.Values(out + problems)
	if err != nil {
		p.t.Fatalf("%v in %s%s", err, out, problems)
	}
	got := ""
	for _, v := range values {
		got = max(got, commandtest.At(v, "error.code"))
		if issued := commandtest.At(v, "issued"); issued != "" && issued != "0" {
			p.t.Errorf("%s were issued", issued)
		}
	}
	if got != code {
		p.t.Errorf("the error code is %q, want %q\n%s%s", got, code, out, problems)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.cred")); len(files) > 0 {
		p.t.Errorf("there are credentials: %v", files)
	}
	if err := commandtest.NoPersonalRejects(dir); err != nil {
		p.t.Error(err)
	}
}

// codeOf is a self-contained code that holds bytes.
func codeOf(t *testing.T, packed []byte) []byte {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"
	if len(packed)%2 != 0 {
		packed = append(packed, 0)
	}
	text := []byte("HTTPS://A/#")
	for pair := range slices.Chunk(packed, 2) {
		n := int(pair[0])<<8 | int(pair[1])
		text = append(text, alphabet[n/(43*43)], alphabet[n/43%43], alphabet[n%43])
	}
	return text
}

// zlibOf compresses zeros.
func zlibOf(t *testing.T, size int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pngOf is a PNG of one shade that says it has so many pixels on a side, and has as many as fit.
func pngOf(side uint32, packed []byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		body := append([]byte(name), data...)
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, side)
	header = binary.BigEndian.AppendUint32(header, side)
	chunk("IHDR", append(header, 8, 0, 0, 0, 0))
	chunk("IDAT", packed)
	chunk("IEND", nil)
	return out
}

// None of these is a licence, and no command takes it for one.
func TestBadPresentation(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.write("good.json", []byte(marriage))
	p.run(exitDone, "issue", "--department", "civil-affairs", "--type", "marriage", "--out", "good", "good.json")
	cred, err := os.ReadFile(filepath.Join(p.dir, "good", "licence-0000001.cred"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		content []byte
		invalid bool   // the verdict is invalid; else there is none
		code    string // of the error
	}{
		{"empty", nil, false, "empty-input"},
		{"truncated", cred[:len(cred)-1], true, "presentation-malformed"},
		{"one byte", cred[:1], true, "presentation-malformed"},
		{"deeply nested CBOR", bytes.Repeat([]byte{0x81}, 1<<20), true, "presentation-malformed"},
		{"an array of 2^64-1 in CBOR", []byte{0x9b, 255, 255, 255, 255, 255, 255, 255, 255}, true, "presentation-malformed"},
		{"a code that inflates to 5 MB", codeOf(t, zlibOf(t, 5<<20)), true, "presentation-too-large"},
		{"a code of 5 MB", codeOf(t, make([]byte, 5<<20)), true, "code-malformed"},
		{"not UTF-8", []byte("HTTPS://A/#\xff\xfe\xff"), true, "code-malformed"},
		{"a licence in JSON", []byte(marriage), true, "code-malformed"},
		{"a PNG that is cut off", pngOf(100, nil)[:30], false, "not-an-image"},
		{"a PNG of nothing", pngOf(100, zlibOf(t, 101*100)), false, "no-code-found"},
		{"a PNG that says it is large", pngOf(1<<30, nil), false, "not-an-image"},
		{"a PNG bomb", pngOf(30_000, zlibOf(t, 30_001*3000)), false, "image-too-large"},
		{"a JPEG that is cut off", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), false, "not-an-image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.t = t
			file := p.write("input", c.content)
			out, problems := p.runBounded(exitFailed, "verify", "--json", file)
			p.wantError("show", c.code, file)
			switch values, err := commandtest.Values(out + problems); {
			case err != nil || len(values) != 1:
				t.Errorf("verify: %v in %s%s", err, out, problems)
			case c.invalid && (commandtest.At(values[0], "outcome") != "invalid" || commandtest.At(values[0], "axes.content.result") != "fail"):
				t.Errorf("verify: want invalid for its content\n%s%s", out, problems)
			case !c.invalid && commandtest.At(values[0], "error.code") != c.code:
				t.Errorf("verify: want the code %s\n%s%s", c.code, out, problems)
			}
			p.wantError("present", c.code, "--all", file)
			p.wantError("status set", c.code, "--department", "civil-affairs", "--to", "revoked", "--reason", "error", file)
			p.wantError("status history", c.code, file)
			p.wantError("restrict", c.code, "--department", "civil-affairs", "--kind", "seizure", file)
			p.wantError("issue", c.code, "--department", "civil-affairs", "--type", "marriage", "--out", "out", "--predecessor", file, "good.json")
		})
	}
	p.wantError("show", "code-malformed", p.fill("zeros", "", 0, hundredMB))
	p.wantError("show", "code-malformed", p.fill("letters", "", 'A', hundredMB))
	p.wantError("show", "image-too-large", p.fill("png", "\x89PNG\r\n\x1a\n", 0, hundredMB))
	p.wantError("show", "presentation-malformed", p.fill("cbor", "", 0x88, hundredMB))
	for _, file := range []string{"zeros", "letters"} {
		p.wantError("bind", "too-large", "--holder-key", file, "good/licence-0000001.cred")
		p.wantError("present", "too-large", "--all", "--audience", "a", "--nonce", "00", "--holder-key", file, "good/licence-0000001.cred")
		p.wantError("init", "too-large", "--home", "other", "--departments", file)
	}
	p.run(exitDone, "verify", "good/licence-0000001.cred")
	p.run(exitDone, "audit")
}

// wantError runs a command that must fail with an error of a code.
func (p *process) wantError(command, code string, args ...string) {
	p.t.Helper()
	_, problems := p.runBounded(exitFailed, append(append(strings.Fields(command), "--json"), args...)...)
	if values, err := commandtest.Values(problems); err != nil || len(values) != 1 || commandtest.At(values[0], "error.code") != code {
		p.t.Errorf("%s: want an error with the code %s\n%s", command, code, problems)
	}
}
