package verify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/verifier/verify"
)

// BenchmarkVerify verifies a presentation of two fields of a marriage certificate from a batch of
// 256: with the signature of its head to be checked (head-new), with a head that was checked before
// (head-known), and that from the text of a self-contained code (from-code). The metric bare/op says
// how many of these fit into one SM2 verification of a message of nine bytes.
func BenchmarkVerify(b *testing.B) {
	c := newCity(b, 256)
	p := c.two(b, 100)
	encoded := p.Bytes()
	code, err := credential.EncodeCode("CHECK.EXAMPLE.GOV.CN", p)
	if err != nil {
		b.Fatal(err)
	}
	known := *c.view
	unchecked := *c.view
	unchecked.licence.Anchor.Checked = false

	for _, bench := range []struct {
		name   string
		verify func() verify.Verdict
	}{
		{"head-new", func() verify.Verdict {
			return verify.Verify(&unchecked, verify.Request{Presentation: encoded, Now: noon})
		}},
		{"head-known", func() verify.Verdict {
			return verify.Verify(&known, verify.Request{Presentation: encoded, Now: noon})
		}},
		{"from-code", func() verify.Verdict {
			p, err := credential.DecodeCode(code)
			if err != nil {
				b.Fatal(err)
			}
			return verify.Verify(&known, verify.Request{Parsed: p, Now: noon})
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := bench.verify(); v.Outcome != verify.Valid {
					b.Fatal(v.Reasons())
				}
			}
			b.StopTimer()
			b.ReportMetric(ratio(b, c, bench.verify), "bare/op")
		})
	}
	b.Run("json", func(b *testing.B) { // of what head-known came to
		v := verify.Verify(&known, verify.Request{Presentation: encoded, Now: noon})
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			out = v.AppendJSON(out[:0])
		}
	})
	b.Run("parse-and-open", func(b *testing.B) { // the part of package credential in head-known
		b.ReportAllocs()
		for b.Loop() {
			p, err := credential.Parse(encoded)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Open(c.typ); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// ratio returns the time of one bare verification divided by that of a verdict: the median over
// rounds in which both are timed side by side, because other work on the machine slows both.
func ratio(b *testing.B, c *city, verdict func() verify.Verdict) float64 {
	b.Helper()
	msg := []byte("a message")
	sig, err := c.key.Sign(msg)
	if err != nil {
		b.Fatal(err)
	}
	key := c.key.Public()
	const rounds, each = 101, 5
	ratios := make([]float64, rounds)
	for i := range ratios {
		start := time.Now()
		for range each {
			if !key.Verify(msg, sig) {
				b.Fatal("refused")
			}
		}
		between := time.Now()
		for range each {
			verdict()
		}
		ratios[i] = float64(between.Sub(start)) / float64(time.Since(between))
	}
	slices.Sort(ratios)
	return ratios[rounds/2]
}
