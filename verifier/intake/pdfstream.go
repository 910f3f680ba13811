package intake

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
)

// errFilter says that a stream is encoded in a way that neither the structure of a file nor a
// credential has.
var errFilter = errors.New("another filter than FlateDecode")

// open returns the decoded bytes of a stream before any predictor, which come as they are inflated.
func (f *pdfFile) open(s *pdfStream) (io.Reader, error) {
	filter := f.resolve(s.dict["Filter"])
	if several, ok := filter.(pdfArray); ok {
		switch len(several) {
		case 0:
			filter = nil
		case 1:
			filter = f.resolve(several[0])
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
	parameters := f.resolve(s.dict["DecodeParms"])
	if several, ok := parameters.(pdfArray); ok && len(several) == 1 {
		parameters = f.resolve(several[0])
	}
	if dict, ok := parameters.(pdfDict); err == nil && ok {
		out, ok = unpredict(out, dict)
		if !ok {
			err = errFilter
		}
	}
	if err != nil {
		f.damaged()
		return nil
	}
	return out
}

// attachment returns an attached file if it begins as a credential does.
func (f *pdfFile) attachment(ref pdfRef) ([]byte, bool) {
	s, ok := f.resolve(ref).(*pdfStream)
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
	rest, err := io.ReadAll(io.LimitReader(r, int64(min(f.room, MaxCredential))+1))
	if f.room -= len(rest); f.room < 0 || len(rest) > MaxCredential-len(start) {
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
	predictor, columns, depth := 1, 1, 1
	for key, at := range map[pdfName]*int{"Predictor": &predictor, "Columns": &columns} {
		if n, ok := parameters[key].(int); ok {
			*at = n
		}
	}
	if n, ok := parameters["Colors"].(int); ok && n != depth {
		return nil, false // as no structure has it
	}
	if n, ok := parameters["BitsPerComponent"].(int); ok && n != 8 {
		return nil, false
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
	dl, du, dc := abs(p-int(left)), abs(p-int(up)), abs(p-int(corner))
	switch {
	case dl <= du && dl <= dc:
		return left
	case du <= dc:
		return up
	}
	return corner
}

func abs(n int) int { return max(n, -n) }
