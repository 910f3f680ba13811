package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
)

var errFilter = errors.New("the stream has another filter than FlateDecode")

// open returns the decoded bytes of a stream before any predictor, which come as they are inflated.
// FlateDecode is the only filter that it knows (7.4.4).
func (f *File) open(s *Stream) (io.Reader, error) {
	filter := f.Resolve(s.Dict.Get("Filter")).Value
	if several, ok := filter.(Array); ok {
		switch len(several) {
		case 0:
			filter = nil
		case 1:
			filter = f.Resolve(several[0].Value).Value
		default:
			return nil, errFilter
		}
	}
	switch filter {
	case nil:
		return bytes.NewReader(s.raw), nil
	case Name("FlateDecode"):
		return zlib.NewReader(bytes.NewReader(s.raw))
	}
	return nil, errFilter
}

// contents returns the decoded bytes of a stream of the file's structure.
func (f *File) contents(s *Stream) []byte {
	r, err := f.open(s)
	if err != nil {
		f.damaged()
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(f.bounds.Inflated)+1))
	if f.bounds.Inflated -= len(out); f.bounds.Inflated < 0 {
		f.Fail(ErrComplex)
		return nil
	}
	parameters := f.Resolve(s.Dict.Get("DecodeParms")).Value
	if several, ok := parameters.(Array); ok && len(several) == 1 {
		parameters = f.Resolve(several[0].Value).Value
	}
	if dict, ok := parameters.(Dict); err == nil && ok {
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

// Text returns at most max of the decoded bytes of a stream, as far as they can be read; nil if it has a
// filter that is not known.
func (f *File) Text(s *Stream, max int) []byte {
	r, err := f.open(s)
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(r, int64(min(f.bounds.Inflated, max)))) // what can be read of it
	f.bounds.Inflated -= len(out)
	return out
}

// Embedded returns the contents of an embedded file (7.11.4), if they begin with certain bytes. If there
// are more than max, the file is ErrComplex.
func (f *File) Embedded(ref Ref, begin []byte, max int) (content []byte, ok bool) {
	s, ok := f.Resolve(ref).Value.(*Stream)
	if !ok {
		return nil, false
	}
	r, err := f.open(s)
	if err != nil {
		return nil, false
	}
	content = make([]byte, len(begin))
	if _, err := io.ReadFull(r, content); err != nil || !bytes.Equal(content, begin) {
		return nil, false
	}
	rest, err := io.ReadAll(io.LimitReader(r, int64(min(f.bounds.Inflated, max))+1))
	if f.bounds.Inflated -= len(rest); f.bounds.Inflated < 0 || len(rest) > max-len(begin) {
		f.Fail(ErrComplex)
		return nil, false
	}
	if err != nil {
		f.damaged()
		return nil, false
	}
	return append(content, rest...), true
}

// unpredict undoes the predictors of PNG (ISO 32000-1, 7.4.4.4; W3C PNG, 9.2), in place.
func unpredict(b []byte, parameters Dict) ([]byte, bool) {
	parameter := func(name Name, unless int) int {
		if n, ok := parameters.Get(name).(int); ok {
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
