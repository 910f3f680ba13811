package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
)

func parsed(text string) (item Item, failed bool) {
	values := 10_000
	p := &parser{b: []byte(text), values: &values}
	item = p.item(0)
	return item, p.failed
}

func TestObjects(t *testing.T) {
	for text, want := range map[string]any{
		"/Embedded#46iles":     Name("EmbeddedFiles"),
		"/":                    Name(""),
		"17":                   17,
		"-17":                  -17,
		"+17 0":                17,
		"17 0 R":               Ref{17, 0},
		"17 0 Rx":              17,
		"17 %x\n 0\rR":         Ref{17, 0},
		"1.5":                  nil,
		"4294967296 0 R":       4294967296,
		"99999999999999999999": nil,
		"true":                 nil,
		"null":                 nil,
		"()":                   String(""),
		"(a(b)c) x":            String("a(b)c"),
		`(\n\r\t\b\f\(\)\\\x)`: String("\n\r\t\b\f()\\x"),
		`(\101\1012\7\08\400)`: String("AA2\x07\x008\x00"),
		"(a\r\nb\rc\nd)":       String("a\nb\nc\nd"),
		"(a\\\r\nb\\\rc\\\nd)": String("abcd"),
		"<>":                   String(""),
		"<41 4\n2 5>":          String("ABP"),
		"<fEfF>":               String("\xFE\xFF"),
		"[]":                   Array{},
		"[1 2 R /a]":           Array{{Ref{1, 2}, []byte("1 2 R")}, {Name("a"), []byte("/a")}},
		"<<>>":                 Dict{},
		"<</A#41/B/C<</D (>>)>>>>": Dict{{"AA", []byte("/A#41"), Item{Name("B"), []byte("/B")}},
			{"C", []byte("/C"), Item{Dict{{"D", []byte("/D"), Item{String(">>"), []byte("(>>)")}}}, []byte("<</D (>>)>>")}}},
	} {
		got, failed := parsed(" %x\n" + text)
		if failed || !reflect.DeepEqual(got.Value, want) {
			t.Errorf("%s: %#v, failed %v; want %#v", text, got.Value, failed, want)
		}
	}
	for _, text := range []string{
		"", " %", "/A#", "/A#4", "/A#4g", "(", "(\\)", "(\\", "(\\1", "<", "<41", "<4g>", "[", "[1", "[1 )", "<<", "<</A", "<</A>>", "<<1 2>>", "<</A 1/A 2>>", "<</A 1/#41 2>>", "<</A#4 1>>",
		">>", "]", "}", "obj", "R", "truefalse",
	} {
		if got, failed := parsed(text); !failed {
			t.Errorf("%q: %#v", text, got)
		}
	}
}

// FuzzObject makes sure that the text of an object is read again as the same object wherever it stands,
// and that of each of its parts.
func FuzzObject(f *testing.F) {
	for _, text := range []string{"<</A[1 0 R(a\\)\\1)<41>]/B%\n1.5/C#20 null>>", "17 0 R", "(\\\r\n\r)", "+1 ", "[1 2 R R]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		item, failed := parsed(text)
		if failed {
			return
		}
		again, failed := parsed("% \n" + string(item.Text) + " >>")
		if failed || !reflect.DeepEqual(again.Value, item.Value) || !bytes.Equal(again.Text, item.Text) {
			t.Fatalf("%q is read as %#v, and then as %#v", text, item, again)
		}
		parts, _ := item.Value.(Array)
		if dict, ok := item.Value.(Dict); ok {
			for _, e := range dict {
				parts = append(parts, e.Item)
			}
		}
		for _, part := range parts {
			again, failed := parsed("\n" + string(part.Text) + "\n")
			if failed || !reflect.DeepEqual(again.Value, part.Value) {
				t.Fatalf("the part %q of %q is read as %#v, and then as %#v", part.Text, text, part.Value, again.Value)
			}
		}
	})
}

// filteredByPNG returns a grey picture, as rows of bytes, and the same as another program filters it.
func filteredByPNG(t *testing.T, picture *image.Gray) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	var data []byte
	for b := file.Bytes()[8:]; len(b) > 12; {
		size := binary.BigEndian.Uint32(b)
		if string(b[4:8]) == "IDAT" {
			data = append(data, b[8:8+size]...)
		}
		b = b[12+size:]
	}
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func predictor(n, columns int) Dict {
	return Dict{{"Predictor", nil, Item{Value: n}}, {"Columns", nil, Item{Value: columns}}}
}

// TestPredictors undoes what Go's encoder of PNG does, with every filter.
func TestPredictors(t *testing.T) {
	const columns, rows = 40, 200
	picture := image.NewGray(image.Rect(0, 0, columns, rows))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		x, y := i%columns, i/columns
		switch y / 40 {
		case 0:
			picture.Pix[i] = byte(random.Uint32())
		case 1:
			picture.Pix[i] = byte(7 * x)
		case 2:
			picture.Pix[i] = byte(11 * x * x * (y % 3))
		case 3:
			picture.Pix[i] = byte(3*x + 5*y + int(random.Uint32()%3))
		default:
			picture.Pix[i] = byte(x*y/3) + byte(random.Uint32()%2)
		}
	}
	filtered := filteredByPNG(t, picture)
	filters := map[byte]bool{}
	for i := 0; i < len(filtered); i += columns + 1 {
		filters[filtered[i]] = true
	}
	if len(filters) != 5 {
		t.Fatalf("only the filters %v are used", filters)
	}
	for n := 10; n <= 15; n++ {
		if got, ok := unpredict(bytes.Clone(filtered), predictor(n, columns)); !ok || !bytes.Equal(got, picture.Pix) {
			t.Errorf("predictor %d: not what it was", n)
		}
	}
	if got, ok := unpredict(filtered, predictor(1, columns)); !ok || !bytes.Equal(got, filtered) {
		t.Error("predictor 1 is none")
	}
	for name, parameters := range map[string]Dict{
		"another predictor": predictor(2, columns),
		"too great":         predictor(16, columns),
		"no columns":        predictor(12, 0),
		"other columns":     predictor(12, columns+1),
		"many columns":      predictor(12, 2_000_000_000),
		"colours":           append(predictor(12, columns), Entry{"Colors", nil, Item{Value: 3}}),
		"bits":              append(predictor(12, columns), Entry{"BitsPerComponent", nil, Item{Value: 1}}),
	} {
		if _, ok := unpredict(bytes.Clone(filtered), parameters); ok {
			t.Errorf("%s is accepted", name)
		}
	}
	filtered[0] = 5
	if _, ok := unpredict(filtered, predictor(12, columns)); ok {
		t.Error("an unknown filter is accepted")
	}
}
