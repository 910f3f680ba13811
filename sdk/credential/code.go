package credential

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"sync"
)

// A self-contained code is the text of a QR symbol that needs no network to be read:
//
//	HTTPS://HOST/#LETTERS
//
// LETTERS is a presentation, compressed (zlib, RFC 1950) and written in the 43 characters that are
// both in the QR alphanumeric set (ISO/IEC 18004, table 5) and legal in the fragment of a URL. Two
// bytes, taken as a big-endian number, are three letters, the most significant first; a last single
// byte is two letters. The part before the # is there for a phone's camera, which opens the check
// page of that host; a reader of codes ignores it.

// alphabet is the QR alphanumeric set less space and percent sign, in its order.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"

// Bounds of a self-contained code.
const (
	// MaxCode is the greatest number of letters in a code; a QR symbol holds fewer.
	MaxCode = 8192
	maxHost = 253
)

// letterValues maps a byte to its value in the alphabet, lower case being taken for upper, or noLetter.
var letterValues = func() (table [256]byte) {
	for i := range table {
		table[i] = noLetter
	}
	for i, c := range []byte(alphabet) {
		table[c] = byte(i)
		if 'A' <= c && c <= 'Z' {
			table[c+'a'-'A'] = byte(i)
		}
	}
	return table
}()

const noLetter = 0xff

// EncodeCode returns the self-contained code of a presentation. The host (and port) is the one
// whose check page a phone should open: letters, digits, '.', '-' and ':'. A presentation that
// takes more than MaxCode letters is CodeTooLarge.
func EncodeCode(host string, p *Presentation) (string, error) {
	host = strings.ToUpper(host)
	if len(host) == 0 || len(host) > maxHost || strings.Trim(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") != "" {
		return "", errorf(CodeBadCode, "the host of a code has letters, digits, '.', '-' and ':' only")
	}
	packed, err := deflate(p.Bytes())
	if err != nil {
		return "", err
	}
	letters := len(packed)/2*3 + len(packed)%2*2
	if letters > MaxCode {
		return "", errorf(CodeTooLarge, "the presentation takes %d letters, a code has at most %d: disclose fewer fields", letters, MaxCode)
	}
	const scheme, fragment = "HTTPS://", "/#"
	out := make([]byte, 0, len(scheme)+len(host)+len(fragment)+letters)
	out = append(append(append(out, scheme...), host...), fragment...)
	return string(appendLetters(out, packed)), nil
}

// appendLetters appends b in the alphabet.
func appendLetters(out, b []byte) []byte {
	for ; len(b) >= 2; b = b[2:] {
		n := int(b[0])<<8 | int(b[1])
		out = append(out, alphabet[n/(43*43)], alphabet[n/43%43], alphabet[n%43])
	}
	if len(b) == 1 {
		out = append(out, alphabet[b[0]/43], alphabet[b[0]%43])
	}
	return out
}

// DecodeCode returns the presentation in a self-contained code. What surrounds it is forgiven:
// white space at either end, another or no host, lower case, and full-width characters (from a
// scanner that types through a Chinese input method).
func DecodeCode(text string) (*Presentation, error) {
	b, err := Inflate(text)
	if err != nil {
		return nil, err
	}
	return Parse(b)
}

// Inflate returns the bytes that are compressed in a self-contained code, which DecodeCode parses.
func Inflate(text string) ([]byte, error) {
	packed, err := fromLetters(afterHost(strings.TrimSpace(text)))
	if err != nil {
		return nil, err
	}
	return inflate(packed)
}

// afterHost returns what follows the first #, which may be full-width; all of it if there is none.
func afterHost(text string) string {
	for _, hash := range []string{"#", "＃"} {
		if _, after, found := strings.Cut(text, hash); found {
			return after
		}
	}
	return text
}

// fromLetters is the inverse of appendLetters, but for case and width.
func fromLetters(s string) ([]byte, error) {
	if strings.IndexByte(s, fullWidth) >= 0 {
		s = strings.Map(narrow, s)
	}
	if len(s) > MaxCode {
		return nil, errorf(CodeBadCode, "not a code: longer than %d letters", MaxCode)
	}
	out := make([]byte, 0, len(s)/3*2+1)
	for ; len(s) >= 3; s = s[3:] {
		a, b, c := letterValues[s[0]], letterValues[s[1]], letterValues[s[2]]
		if a|b|c == noLetter {
			return nil, errNoLetter()
		}
		n := (int(a)*43+int(b))*43 + int(c)
		if n > 0xffff {
			return nil, errMistyped()
		}
		out = append(out, byte(n>>8), byte(n))
	}
	if len(s) != 2 {
		if len(s) == 1 || len(out) == 0 {
			return nil, errMistyped()
		}
		return out, nil
	}
	a, b := letterValues[s[0]], letterValues[s[1]]
	if a|b == noLetter {
		return nil, errNoLetter()
	}
	n := int(a)*43 + int(b)
	if n > 0xff {
		return nil, errMistyped()
	}
	return append(out, byte(n)), nil
}

// fullWidth is the byte that all full-width forms (Unicode U+FF01 to U+FF5E) begin with in UTF-8.
const fullWidth = 0xef

// narrow returns the usual form of a full-width one.
func narrow(c rune) rune {
	if '！' <= c && c <= '～' {
		return c - '！' + '!'
	}
	return c
}

func errNoLetter() error {
	return errorf(CodeBadCode, "not a code: it has a character that codes do not have; scan it again")
}

func errMistyped() error {
	return errorf(CodeBadCode, "not a code: truncated, mistyped or followed by other data; scan it again")
}

// deflaters and inflaters are kept because they are large: 800 and 40 KiB.
var deflaters, inflaters sync.Pool

func deflate(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, _ := deflaters.Get().(*zlib.Writer)
	if w == nil {
		var err error
		if w, err = zlib.NewWriterLevel(&out, zlib.BestCompression); err != nil {
			return nil, err
		}
	} else {
		w.Reset(&out)
	}
	defer deflaters.Put(w)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func inflate(packed []byte) ([]byte, error) {
	source := bytes.NewReader(packed)
	r, _ := inflaters.Get().(io.ReadCloser)
	var err error
	if r == nil {
		r, err = zlib.NewReader(source)
	} else {
		err = r.(zlib.Resetter).Reset(source, nil)
	}
	if err != nil {
		return nil, errMistyped()
	}
	defer inflaters.Put(r)
	out := make([]byte, 0, 2048)
	for {
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case len(out) > MaxSize:
			return nil, errorf(CodeTooLarge, "the code inflates to more than %d bytes", MaxSize)
		case errors.Is(err, io.EOF) && source.Len() == 0:
			return out, nil
		case err != nil:
			return nil, errMistyped()
		case len(out) == cap(out):
			out = append(out, 0)[:len(out)]
		}
	}
}
