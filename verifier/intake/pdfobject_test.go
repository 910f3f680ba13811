package intake

import (
	"reflect"
	"testing"
)

func TestPDFObjects(t *testing.T) {
	for text, want := range map[string]any{
		"/Embedded#46iles":             pdfName("EmbeddedFiles"),
		"/":                            pdfName(""),
		"/A#42#43(x)":                  pdfName("ABC"),
		"17":                           17,
		"-17":                          -17,
		"+17 0":                        17,
		"17 0 R":                       pdfRef{17, 0},
		"17 0 Rx":                      17,
		"17 %x\n 0\rR":                 pdfRef{17, 0},
		"17. ":                         nil,
		"4294967296 0 R":               4294967296,
		"[1 2 R 3 0 R]":                pdfArray{pdfRef{1, 2}, pdfRef{3, 0}},
		"[1 2 3]":                      pdfArray{1, 2, 3},
		"[]":                           pdfArray{},
		"<</A/B/C<</D 1>>>>":           pdfDict{"A": pdfName("B"), "C": pdfDict{"D": 1}},
		"<</A(\\)>>)/B<3E3E>/C true>>": pdfDict{"A": nil, "B": nil, "C": nil},
		"((a)(b)) x":                   nil,
	} {
		values := 100
		p := &pdfParser{b: []byte(text), values: &values}
		if got := p.value(0); p.failed || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, failed %v; want %#v", text, got, p.failed, want)
		}
	}
	for _, text := range []string{
		"", " %", "/A#", "/A#4", "/A#4g", "(", "(\\)", "<", "<41", "[", "[1", "[1 )", "<<", "<</A", "<</A>>", "<<1 2>>", "<</A 1/A 2>>", "<</A#4 1>>",
		">>", "]", "}", "obj", "R", "truefalse",
	} {
		values := 100
		p := &pdfParser{b: []byte(text), values: &values}
		if got := p.value(0); !p.failed {
			t.Errorf("%q: %#v", text, got)
		}
	}
}
