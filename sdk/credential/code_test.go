package credential_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
)

// letters is the alphabet as SPEC has it.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"

// toLetters writes bytes in the alphabet, by big-number arithmetic on each group.
func toLetters(b []byte) string {
	var out strings.Builder
	for group := range slices.Chunk(b, 2) {
		n, digits := 0, len(group)+1
		for _, c := range group {
			n = n<<8 | int(c)
		}
		text := make([]byte, digits)
		for i := digits - 1; i >= 0; i-- {
			text[i] = letters[n%43]
			n /= 43
		}
		out.Write(text)
	}
	return out.String()
}

func zlibOf(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sampleCode(t testing.TB) (string, []byte) {
	t.Helper()
	p := credentialtest.Disclose(t, credentialtest.Batch(t, "marriage", 3).Credential(1), credentialtest.TwoFields["marriage"]...)
	text, err := credential.EncodeCode(credentialtest.Host, p)
	if err != nil {
		t.Fatal(err)
	}
	return text, p.Bytes()
}

func TestEncodeCode(t *testing.T) {
	for _, s := range samples(t) {
		text, err := credential.EncodeCode("check.example.cn:8443", s.Presentation)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		body, ok := strings.CutPrefix(text, "HTTPS://CHECK.EXAMPLE.CN:8443/#")
		if !ok || strings.Trim(body, letters) != "" {
			t.Errorf("%s: the code is %s", s.name, text)
		}
		if want := toLetters(zlibOf(t, s.Bytes())); body != want {
			t.Errorf("%s: the letters are not those of the compressed bytes", s.name)
		}
		p, err := credential.DecodeCode(text)
		if err != nil || !bytes.Equal(p.Bytes(), s.Bytes()) {
			t.Errorf("%s: decoding gives something else: %v", s.name, err)
		}
		b, err := credential.Inflate(text)
		if err != nil || !bytes.Equal(b, s.Bytes()) {
			t.Errorf("%s: Inflate gives something else: %v", s.name, err)
		}
		if again, err := credential.EncodeCode("check.example.cn:8443", p); err != nil || again != text {
			t.Errorf("%s: encoding again gives another code: %v", s.name, err)
		}
	}
}

// Three letters stand for a number up to 43^3, two for one up to 43^2: those that are no two bytes,
// or no byte, mean nothing, wherever they stand.
func TestLettersAreUnique(t *testing.T) {
	text, _ := sampleCode(t)
	head, body, _ := strings.Cut(text, "#")
	group := func(n int) string {
		return string([]byte{letters[n/1849], letters[n/43%43], letters[n%43]})
	}
	for _, n := range []int{1 << 16, 1<<16 + 1, 43*43*43 - 1} {
		for _, at := range []int{0, 30, len(body) / 3 * 3} {
			at = min(at, len(body)/3*3-3)
			if _, err := credential.DecodeCode(head + "#" + body[:at] + group(n) + body[at+3:]); code(err) != credential.CodeBadCode {
				t.Errorf("group %d at %d: %v", n, at, err)
			}
		}
	}
	for _, n := range []int{256, 43*43 - 1} {
		last := string([]byte{letters[n/43], letters[n%43]})
		if _, err := credential.DecodeCode(head + "#" + body[:len(body)/3*3] + last); code(err) != credential.CodeBadCode {
			t.Errorf("last group %d: %v", n, err)
		}
	}
}

// What a scanner, a phone or an input method makes of a code around its letters does not matter.
func TestDecodeCodeForgives(t *testing.T) {
	text, want := sampleCode(t)
	_, body, _ := strings.Cut(text, "#")
	wide := func(s string) string {
		return strings.Map(func(r rune) rune { return r - '!' + '！' }, s)
	}
	for name, variant := range map[string]string{
		"as it is":                       text,
		"lower case":                     strings.ToLower(text),
		"mixed case":                     text[:400] + strings.ToLower(text[400:]),
		"full width":                     wide(text),
		"full width, lower case":         wide(strings.ToLower(text)),
		"full width here and there":      text[:300] + wide(text[300:500]) + text[500:],
		"white space around":             "\r\n\t " + text + " \r\n",
		"ideographic space around":       "\u3000" + text + "\u3000",
		"another host":                   "https://elsewhere.example/path?query#" + body,
		"another scheme":                 "http://x/#" + body,
		"no host":                        "#" + body,
		"letters only":                   body,
		"a full-width hash":              "HTTPS://X/＃" + body,
		"a Chinese host":                 "https://核验.中国/#" + body,
		"a host that is not valid UTF-8": "\xff\xfe#" + body,
	} {
		p, err := credential.DecodeCode(variant)
		if err != nil || !bytes.Equal(p.Bytes(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeCodeRefuses(t *testing.T) {
	text, presentation := sampleCode(t)
	head, body, _ := strings.Cut(text, "#")
	head += "#"
	packed := zlibOf(t, presentation)
	changed := func(at int, with ...byte) string {
		b := bytes.Clone(packed)
		copy(b[at:], with)
		return toLetters(b)
	}
	dictionary := func() string { // zlib with FDICT: made with a preset dictionary, which is named
		var out bytes.Buffer
		w, err := zlib.NewWriterLevelDict(&out, zlib.BestCompression, []byte("结婚证"))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(presentation)
		w.Close()
		return toLetters(out.Bytes())
	}
	type refused struct{ name, text, want string }
	list := []refused{
		{"empty", "", credential.CodeBadCode},
		{"a space", " ", credential.CodeBadCode},
		{"no letters", head, credential.CodeBadCode},
		{"one letter", head + "A", credential.CodeBadCode},
		{"another web address", "https://example.com/", credential.CodeBadCode},
		{"two hashes", head + "#" + body, credential.CodeBadCode},
		{"space inside", head + body[:90] + " " + body[90:], credential.CodeBadCode},
		{"line break inside", head + body[:90] + "\n" + body[90:], credential.CodeBadCode},
		{"percent sign", head + body[:90] + "%" + body[91:], credential.CodeBadCode},
		{"percent encoded", head + strings.ReplaceAll(body, "$", "%24") + "%24", credential.CodeBadCode},
		{"full-width space", head + body[:90] + "\u3000" + body[90:], credential.CodeBadCode},
		{"full-width percent sign", head + body[:90] + "％" + body[91:], credential.CodeBadCode},
		{"Chinese letter", head + body[:90] + "证" + body[91:], credential.CodeBadCode},
		{"letter that folds to S", head + body[:90] + "ſ" + body[91:], credential.CodeBadCode},
		{"not UTF-8", head + body[:90] + "\xff" + body[91:], credential.CodeBadCode},
		{"NUL", head + body[:90] + "\x00" + body[91:], credential.CodeBadCode},
		{"letters after it", head + body + "AAA", credential.CodeBadCode},
		{"the code twice", head + body + body, credential.CodeBadCode},
		{"stream followed by a byte", head + toLetters(append(bytes.Clone(packed), 0)), credential.CodeBadCode},
		{"stream followed by a stream", head + toLetters(append(bytes.Clone(packed), packed...)), credential.CodeBadCode},
		{"presentation followed by a byte", head + toLetters(zlibOf(t, append(bytes.Clone(presentation), 0))), credential.CodeMalformed},
		{"not compressed", head + toLetters(presentation), credential.CodeBadCode},
		{"compressed twice", head + toLetters(zlibOf(t, packed)), credential.CodeMalformed},
		{"compression method 7", head + changed(0, 0x77, 0x9d), credential.CodeBadCode},
		{"header checksum", head + changed(1, packed[1]^1), credential.CodeBadCode},
		{"FDICT", head + dictionary(), credential.CodeBadCode},
		{"block type 3", head + changed(2, packed[2]|6), credential.CodeBadCode},
		{"Adler-32", head + changed(len(packed)-1, packed[len(packed)-1]^1), credential.CodeBadCode},
		{"no Adler-32", head + toLetters(packed[:len(packed)-4]), credential.CodeBadCode},
		{"nothing, compressed", head + toLetters(zlibOf(t, nil)), credential.CodeMalformed},
		{"64 KiB of zeros", head + toLetters(zlibOf(t, make([]byte, credential.MaxSize))), credential.CodeMalformed},
		{"64 KiB of zeros and one", head + toLetters(zlibOf(t, make([]byte, credential.MaxSize+1))), credential.CodeTooLarge},
		{"5 MB of zeros", head + toLetters(zlibOf(t, make([]byte, 5_000_000))), credential.CodeTooLarge},
		{"too many letters", head + strings.Repeat("0", credential.MaxCode+1), credential.CodeBadCode},
		{"100 MB", head + strings.Repeat("0", 100_000_000), credential.CodeBadCode},
	}
	for n := range len(body) {
		list = append(list, refused{"truncated", head + body[:n], credential.CodeBadCode})
	}
	for _, c := range list {
		if p, err := credential.DecodeCode(c.text); code(err) != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.name, p, err, c.want)
		}
	}
}

// Every letter changed to every other: what still decodes is not accepted, or is the same.
func TestEveryLetter(t *testing.T) {
	c := newChecker(t)
	text, want := sampleCode(t)
	start := strings.Index(text, "#") + 1
	b := []byte(text)
	for i := start; i < len(b); i++ {
		right := b[i]
		for j := range len(letters) {
			b[i] = letters[j]
			p, err := credential.DecodeCode(string(b))
			if err != nil || bytes.Equal(p.Bytes(), want) {
				continue
			}
			if _, ok := c.check(p.Bytes()); ok {
				t.Errorf("letter %d changed to %c gives another valid presentation", i-start, letters[j])
			}
		}
		b[i] = right
	}
}

func TestEncodeCodeRefuses(t *testing.T) {
	p := credentialtest.Batch(t, "marriage", 1).Credential(0)
	for _, host := range []string{"", "a b", "核验.中国", "a/b", "a#", "a?b", "user@host", "a%20", "[::1]", strings.Repeat("a", 254)} {
		if _, err := credential.EncodeCode(host, p); code(err) != credential.CodeBadCode {
			t.Errorf("host %q: %v", host, err)
		}
	}
	if text, err := credential.EncodeCode(strings.Repeat("a", 253), p); err != nil {
		t.Errorf("host of 253 characters: %v", err)
	} else if _, err := credential.DecodeCode(text); err != nil {
		t.Errorf("host of 253 characters: %v", err)
	}
}

// What EncodeCode makes, DecodeCode reads, up to the last letter.
func TestCodeSizeLimit(t *testing.T) {
	document := credentialtest.Documents(t, "marriage")[0]
	random := rand.New(rand.NewPCG(1, 2))
	made, refused := 0, 0
	for files := 100; files < 180; files++ {
		digests := make([][32]byte, files)
		for i := range digests {
			for j := range 4 {
				binary.BigEndian.PutUint64(digests[i][8*j:], random.Uint64())
			}
		}
		document.SetDocuments(digests...)
		draft := credentialtest.Draft(t, document, "size")
		p := credentialtest.Sign(t, []*credential.Draft{draft}, credentialtest.Department(t, "marriage")).Credential(0)
		text, err := credential.EncodeCode(credentialtest.Host, p)
		if code(err) == credential.CodeTooLarge {
			refused++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		made++
		if q, err := credential.DecodeCode(text); err != nil || !bytes.Equal(q.Bytes(), p.Bytes()) {
			t.Errorf("%d files, %d letters: %v", files, len(text), err)
		}
	}
	if made == 0 || refused == 0 {
		t.Errorf("%d codes made, %d refused: the limit was not reached", made, refused)
	}
}

func FuzzDecodeCode(f *testing.F) {
	text, _ := sampleCode(f)
	f.Add(text)
	f.Add(strings.ToLower(text))
	f.Add("HTTPS://X/#")
	f.Add("＃７８９")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := credential.DecodeCode(text)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		again, err := credential.EncodeCode(credentialtest.Host, p)
		if err != nil {
			return // a longer code than ours can be packed more tightly
		}
		if q, err := credential.DecodeCode(again); err != nil || !bytes.Equal(q.Bytes(), p.Bytes()) {
			t.Errorf("what was decoded does not encode and decode: %v", err)
		}
	})
}

// Any bytes, compressed and in letters, come back as they were, or do so as a clear error.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("a"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		if _, err := io.Copy(w, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		text := toLetters(packed.Bytes())
		got, err := credential.Inflate("#" + text)
		switch {
		case len(text) > credential.MaxCode || len(b) > credential.MaxSize:
			if err == nil {
				t.Errorf("%d letters, %d bytes: accepted", len(text), len(b))
			}
		case err != nil || !bytes.Equal(got, b):
			t.Errorf("%x comes back as %x, %v", b, got, err)
		}
		if sum := adler32.Checksum(b); sum != binary.BigEndian.Uint32(packed.Bytes()[packed.Len()-4:]) {
			t.Errorf("checksum %x", sum)
		}
	})
}
