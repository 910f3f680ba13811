package vectors_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"

func letters(b []byte) string {
	var out strings.Builder
	for group := range slices.Chunk(b, 2) {
		if len(group) == 1 {
			out.Write([]byte{alphabet[group[0]/43], alphabet[group[0]%43]})
			continue
		}
		n := int(group[0])<<8 | int(group[1])
		out.Write([]byte{alphabet[n/43/43], alphabet[n/43%43], alphabet[n%43]})
	}
	return out.String()
}

func (s *story) deflated(b, dictionary []byte) []byte {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevelDict(&out, zlib.BestCompression, dictionary)
	if err != nil {
		s.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(b)); err != nil {
		s.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	return out.Bytes()
}

// badCodes returns the files of codes that must be refused.
func (s *story) badCodes() map[string]any {
	p := s.disclose(s.whole, "spouse1Name", "spouse2Id").Bytes()
	packed := s.deflated(p, nil)
	const head = "HTTPS://" + credentialtest.Host + "/#"
	body := letters(packed)
	whole := len(packed) / 2 * 3 // letters of the whole groups of three
	changed := func(at int, with byte) string {
		b := bytes.Clone(packed)
		b[at] = with
		return letters(b)
	}
	files := map[string]any{}
	for name, c := range map[string]struct{ about, text, expect string }{
		"empty":                      {"No characters at all.", "", credential.CodeBadCode},
		"no-letters":                 {"Nothing follows the host.", head, credential.CodeBadCode},
		"truncated":                  {"The last letter is missing.", head + body[:len(body)-1], credential.CodeBadCode},
		"letters-after":              {"Three letters follow.", head + letters(append(slices.Clone(packed), 0, 0)), credential.CodeBadCode},
		"two-hashes":                 {"There are two number signs.", head + "#" + body, credential.CodeBadCode},
		"space-inside":               {"There is a space among the letters.", head + body[:60] + " " + body[60:], credential.CodeBadCode},
		"percent-sign":               {"A letter is a percent sign.", head + body[:60] + "%" + body[61:], credential.CodeBadCode},
		"chinese-letter":             {"A letter is a Chinese character.", head + body[:60] + "证" + body[61:], credential.CodeBadCode},
		"group-65536":                {"Three letters stand for 65536.", head + body[:60] + group(65536) + body[63:], credential.CodeBadCode},
		"last-group-256":             {"The last two letters stand for 256.", head + body[:whole-3*(1-len(packed)%2)] + group(256)[1:], credential.CodeBadCode},
		"not-compressed":             {"The letters are those of the presentation itself.", head + letters(p), credential.CodeBadCode},
		"compression-method":         {"The compression method is 7.", head + changed(0, 0x77), credential.CodeBadCode},
		"header-checksum":            {"The check bits of the compressed data's header are wrong.", head + changed(1, packed[1]^1), credential.CodeBadCode},
		"preset-dictionary":          {"The compressed data calls for a dictionary.", head + letters(s.deflated(p, []byte("marriage"))), credential.CodeBadCode},
		"checksum":                   {"The Adler-32 checksum is wrong.", head + changed(len(packed)-1, packed[len(packed)-1]^1), credential.CodeBadCode},
		"no-checksum":                {"The Adler-32 checksum is missing.", head + letters(packed[:len(packed)-4]), credential.CodeBadCode},
		"two-streams":                {"The compressed data is there twice.", head + letters(slices.Concat(packed, packed)), credential.CodeBadCode},
		"bomb":                       {"Five million zeros, compressed.", head + letters(s.deflated(make([]byte, 5_000_000), nil)), credential.CodeTooLarge},
		"too-many-letters":           {"There are 8193 letters.", head + strings.Repeat("0", credential.MaxCode+1), credential.CodeBadCode},
		"nothing-inside":             {"No bytes, compressed.", head + letters(s.deflated(nil, nil)), credential.CodeMalformed},
		"presentation-trailing-byte": {"A byte follows the presentation inside.", head + letters(s.deflated(append(slices.Clone(p), 0), nil)), credential.CodeMalformed},
	} {
		files["code-"+name+".json"] = Code{Common: bad("code", "decode", c.expect, c.about), Code: c.text}
	}
	return files
}

// group writes a number in three letters.
func group(n int) string {
	return string([]byte{alphabet[n/43/43], alphabet[n/43%43], alphabet[n%43]})
}
