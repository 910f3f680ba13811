package attach

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"

	"github.com/credledger/credledger/sdk/credential"
)

// errFilter says that a stream is encoded in a way that neither the structure of a file nor a
// credential has.
var errFilter = errors.New("another filter than FlateDecode")

// open returns the decoded bytes of a stream before any predictor, which come as they are inflated.
func (f *pdfFile) open(s *pdfStream) (io.Reader, error) {
	filter := f.resolve(s.dict.get("Filter")).value
	if several, ok := filter.(pdfArray); ok {
		switch len(several) {
		case 0:
			filter = nil
		case 1:
			filter = f.resolve(several[0].value).value
		default:
			return nil, errFilter
		}
	}
	switch filter {
	case nil:
		return bytes.NewReader(s.raw), nil
	case pdfName("FlateDecode"):
		return zlib.NewReader(bytes.NewReader(s.raw))
	}
	return nil, errFilter
}

// contents returns the decoded bytes of a stream of the file's structure.
func (f *pdfFile) contents(s *pdfStream) []byte {
	r, err := f.open(s)
	if err != nil {
		f.damaged()
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(f.room)+1))
	if f.room -= len(out); f.room < 0 {
		f.complex()
		return nil
	}
	parameters := f.resolve(s.dict.get("DecodeParms")).value
	if several, ok := parameters.(pdfArray); ok && len(several) == 1 {
		parameters = f.resolve(several[0].value).value
	}
	if dict, ok := parameters.(pdfDict); err == nil && ok {
		if out, ok = unpredict(out, dict); !ok {
			err = errFilter
		}
	}
	if err != nil {
		f.damaged()
		return nil
	}
	return out
}

// credential returns an embedded file if it begins as a credential does.
func (f *pdfFile) credential(ref pdfRef) ([]byte, bool) {
	s, ok := f.resolve(ref).value.(*pdfStream)
	if !ok {
		return nil, false
	}
	r, err := f.open(s)
	if err != nil {
		return nil, false
	}
	begin := make([]byte, len(start))
	if _, err := io.ReadFull(r, begin); err != nil || !bytes.Equal(begin, start) {
		return nil, false
	}
	rest, err := io.ReadAll(io.LimitReader(r, credential.MaxSize+1))
	if f.room -= len(rest); f.room < 0 {
		f.complex()
		return nil, false
	}
	if err != nil {
		f.damaged()
		return nil, false
	}
	return append(begin, rest...), true
}

// unpredict undoes the predictors of PNG (ISO 32000-1, 7.4.4.4; W3C PNG, 9.2), in place.
func unpredict(b []byte, parameters pdfDict) ([]byte, bool) {
	parameter := func(name pdfName, unless int) int {
		if n, ok := parameters.get(name).(int); ok {
			return n
		}
		return unless
	}
	predictor, columns := parameter("Predictor", 1), parameter("Columns", 1)
	if parameter("Colors", 1) != 1 || parameter("BitsPerComponent", 8) != 8 {
		return nil, false // as no structure has it
	}
	if predictor == 1 {
		return b, true
	}
	if predictor < 10 || predictor > 15 || columns < 1 || columns > len(b) || len(b)%(columns+1) != 0 {
		return nil, false
	}
	above := make([]byte, columns)
	out := b[:0]
	for ; len(b) > 0; b = b[columns+1:] {
		row := b[1 : columns+1]
		var left, corner byte
		for i, c := range row {
			up := above[i]
			switch b[0] {
			case 0:
			case 1:
				c += left
			case 2:
				c += up
			case 3:
				c += byte((int(left) + int(up)) / 2)
			case 4:
				c += paeth(left, up, corner)
			default:
				return nil, false
			}
			row[i], left, corner, above[i] = c, c, up, c
		}
		out = append(out, row...)
	}
	return out, true
}

// paeth returns which of three neighbours is nearest to left + up - corner.
func paeth(left, up, corner byte) byte {
	p := int(left) + int(up) - int(corner)
	dl, du, dc := distance(p, left), distance(p, up), distance(p, corner)
	switch {
	case dl <= du && dl <= dc:
		return left
	case du <= dc:
		return up
	}
	return corner
}

func distance(p int, c byte) int { return max(p-int(c), int(c)-p) }
