package licence_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
)

// cycle reads the same records over and over: an input without end.
type cycle struct {
	head, body []byte
	at         int
}

func (c *cycle) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	n := copy(p, c.body[c.at:])
	c.at = (c.at + n) % len(c.body)
	return n, nil
}

// endless makes such an input of the samples of a type.
func endless(t testing.TB, id string, format licence.Format) io.Reader {
	switch format {
	case licence.JSONLines:
		return &cycle{body: sample(t, id+".jsonl")}
	case licence.CSV:
		b := sample(t, id+".csv")
		cut := bytes.IndexByte(b, '\n') + 1
		return &cycle{head: b[:cut], body: b[cut:]}
	case licence.XML:
		b := sample(t, id+".xml")
		first, last := bytes.Index(b, []byte("  <licence>")), bytes.LastIndex(b, []byte("</licences>"))
		return &cycle{head: b[:first], body: b[first:last]}
	}
	b := bytes.ReplaceAll(bytes.TrimSpace(sample(t, id+".jsonl")), []byte("\n"), []byte(",\n"))
	return &cycle{head: []byte("["), body: append(b, ',')}
}

// BenchmarkRead measures reading, checking and canonicalising, on one core.
func BenchmarkRead(b *testing.B) {
	for id, typ := range types(b) {
		if id == "divorce" || id == "no-record" {
			continue
		}
		for _, format := range []licence.Format{licence.JSONLines, licence.JSON, licence.CSV, licence.XML} {
			b.Run(id+"/"+string(format), func(b *testing.B) {
				r, err := licence.NewReader(endless(b, id, format), typ)
				if err != nil || r.Format() != format {
					b.Fatal(r.Format(), err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := r.Next(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}

// BenchmarkNextRaw measures what cannot be shared between goroutines: telling the records apart.
func BenchmarkNextRaw(b *testing.B) {
	typ := types(b)["property"]
	for _, format := range []licence.Format{licence.JSONLines, licence.JSON, licence.CSV, licence.XML} {
		b.Run(string(format), func(b *testing.B) {
			r, err := licence.NewReader(endless(b, "property", format), typ)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.NextRaw(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkParseRaw(b *testing.B) {
	typ := types(b)["property"]
	for _, format := range []licence.Format{licence.JSONLines, licence.CSV, licence.XML} {
		b.Run(string(format), func(b *testing.B) {
			r, err := licence.NewReader(endless(b, "property", format), typ)
			if err != nil {
				b.Fatal(err)
			}
			raws := make([]licence.Raw, 40)
			for i := range raws {
				if raws[i], err = r.NextRaw(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := typ.ParseRaw(raws[i%40]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	docs := read(b, types(b)["property"], sample(b, "property.jsonl"))
	var buf []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buf = docs[i%40].AppendCanonical(buf[:0])
	}
}

func BenchmarkIdentifier(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		serial, _ := licence.SerialFromNumber("示(2018)示范市不动产权第0000001号")
		id, err := licence.NewIdentifier("11100000MB03271699001", "11990100MB0000002X", serial, 1)
		if err != nil || id.String() == "" {
			b.Fatal(err)
		}
	}
}
