package licence_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

// filler repeats a byte for a length without holding it.
type filler struct {
	c byte
	n int
}

func (f *filler) Read(p []byte) (int, error) {
	if f.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.n)
	p[0] = f.c
	for done := 1; done < n; done *= 2 {
		copy(p[done:n], p[:done])
	}
	f.n -= n
	return n, nil
}

func TestHugeRecordsAreRefusedInBoundedMemory(t *testing.T) {
	typ := note(t)
	for i, c := range []struct {
		name, before string
		fill         byte
		after, want  string
	}{
		{"JSON Lines", one + `{"number":"`, 'x', "\"}\n" + two, one + "2@2 too-large()\n" + two},
		{"JSON Lines, the last cut off", one + `{"number":"`, 'x', "", one + "2@2 too-large()\n"},
		{"one JSON object", `{"number":"`, 'x', "\"}", "1@1 too-large()\n"},
		{"JSON object over lines", "{\n\"number\":\"", 'x', "\"}", "1@1 too-large()\n"},
		{"JSON array", `[` + one + `,{"number":"`, 'x', "\"}," + two + "]", one + "2@2 too-large()\n" + two},
		{"nested JSON", one + `{"x":`, '[', "\n" + two, one + "2@2 too-large()\n" + two},
		{"JSON Lines, white space before the object", one, ' ', two, one + "2@2 too-large()\n"},
		{"XML text", "<a><b><number>1</number></b>\n<b><number>", 'x', "</number></b><b><number>2</number></b></a>", one + "2@2 too-large()\n" + two},
		{"XML CDATA", "<a><b><number>1</number></b>\n<b><number><![CDATA[", ']', "]]></number></b><b><number>2</number></b></a>", one + "2@2 too-large()\n" + two},
		{"XML attribute", "<a><b><number>1</number></b>\n<b><number x='", '>', "'/></b><b><number>2</number></b></a>", one + "2@2 too-large()\n" + two},
		{"XML comment between records", "<a><b><number>1</number></b><!--", ' ', "--><b><number>2</number></b></a>", one + two},
		{"XML comment before the root", "<!--", ' ', "--><a/>", "!too-large@1\n"},
		{"XML tag of the root", "<a x='", ' ', "'/>", "!too-large@1\n"},
		{"XML single record", "<a><number>1", ' ', "</number></a>", "1@1 too-large()\n"},
		{"XML white space in front", "<a>", ' ', "<b><number>2</number></b></a>", "!too-large@1\n"},
		{"CSV quoted", "number,bz\n1,\n2,\"", ',', "\"\n2,\n", `{"number":"1"}` + "\n2@3 too-large()\n" + two},
		{"CSV line", "number,bz\n1,\n2,", ',', "\n2,\n", `{"number":"1"}` + "\n2@3 too-large()\n" + two},
		{"CSV header", "number,", 'x', "\n2,\n", "!too-large@1\n"},
		{"CSV blank lines", "number\n1\n", '\n', "2\n", one + two},
	} {
		huge := 12 << 20
		if i == 0 {
			huge = 100 << 20
		}
		allocated := allocated(func() {
			r := io.MultiReader(strings.NewReader(c.before), &filler{c.fill, huge}, strings.NewReader(c.after))
			if got := outcome(t, typ, r); got != c.want {
				t.Errorf("%s: got\n%.300swant\n%s", c.name, got, c.want)
			}
		})
		if allocated > 8<<20 {
			t.Errorf("%s: %d MiB allocated for a record of %d MiB", c.name, allocated>>20, huge>>20)
		}
	}
}

// allocated returns how much memory was asked for while f ran.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A long input is read in memory that does not grow with it.
func TestLongInputsAreReadInBoundedMemory(t *testing.T) {
	typ := types(t)["property"]
	for _, format := range []licence.Format{licence.JSONLines, licence.JSON, licence.XML, licence.CSV} {
		r, err := licence.NewReader(endless(t, "property", format), typ)
		if err != nil {
			t.Fatal(err)
		}
		held := func(n int) uint64 {
			for range n {
				if _, err := r.NextRaw(); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		if early, late := held(1000), held(20000); late > early+1<<20 {
			t.Errorf("%s: %d KiB held after 1,000 records, %d KiB after 21,000", format, early>>10, late>>10)
		}
		runtime.KeepAlive(r)
	}
}

func TestLimitsOfValues(t *testing.T) {
	typ := note(t)
	names := strings.Repeat("x;", licence.MaxItems-1) + "x"
	for _, c := range []struct{ input, want string }{
		{`{"number":"1","holders":"` + names + `;x"}`, "1@1 bad-value(holders)\n"},
		{`{"number":"1","holders":["` + strings.ReplaceAll(names, ";", `","`) + `","x"]}`, "1@1 bad-value(holders)\n"},
		{"<a><number>1</number>" + strings.Repeat("<holders>x</holders>", licence.MaxItems+5) + "</a>", "1@1 bad-value(holders)\n"},
		{`{"number":"` + strings.Repeat("x", licence.MaxString+1) + `"}`, "1@1 bad-value(number)\n"},
		{`{"number":"1","bz":"` + strings.Repeat("x", licence.MaxText+1) + `"}`, "1@1 bad-value(remarks)\n"},
	} {
		if got := outcome(t, typ, strings.NewReader(c.input)); got != c.want {
			t.Errorf("%.60s: %.200s", c.input, got)
		}
	}
	d := read(t, typ, []byte(`{"number":"1","holders":"`+names+`"}`))[0]
	if n := d.Value("holders").Len(); n != licence.MaxItems {
		t.Errorf("%d items", n)
	}
	many := `{"number":"1"` + strings.Repeat(`,"x":1`, 1000) + "}"
	if got := outcome(t, typ, strings.NewReader(many)); strings.Count(got, "unknown-field") != 20 {
		t.Errorf("problems are not bounded: %.300s", got)
	}
}

// Tricks that make naive readers quadratic.
func TestReaderIsLinear(t *testing.T) {
	typ := note(t)
	for name, input := range map[string]string{
		"doubled quotation marks": "number,bz\n1,\"" + strings.Repeat(`""`, 500000) + "\"\n",
		"CDATA sections":          "<a><b><number>1</number><bz>" + strings.Repeat("<![CDATA[x]]>", 75000) + "</bz></b></a>",
		"comments":                "<a><b><number>1</number><bz>" + strings.Repeat("x<!---->", 120000) + "</bz></b></a>",
		"entities":                "<a><b><number>1</number><bz>" + strings.Repeat("&lt;", 250000) + "</bz></b></a>",
		"escapes":                 `{"number":"1","bz":"` + strings.Repeat(`\"`, 500000) + `"}`,
		"attributes":              "<a><b " + strings.Repeat("x='' ", 200000) + "><number>1</number></b></a>",
		"combining marks":         `{"number":"1","bz":"a` + strings.Repeat("\u0301\u0323", 250000) + `"}`,
	} {
		if n := allocated(func() { outcome(t, typ, strings.NewReader(input)) }); n > 64<<20 {
			t.Errorf("%s: %d MiB allocated for 1 MiB", name, n>>20)
		}
	}
}
