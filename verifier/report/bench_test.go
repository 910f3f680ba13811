package report_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// BenchmarkTally is what a tally takes for one entry, of a year of four million cases of two hundred departments.
func BenchmarkTally(b *testing.B) {
	s := &report.Scope{Period: period(b, "2026"), Matters: builtin(b)}
	t := report.NewTally(s)
	y := newYear(b)
	entries := make([]*access.Entry, 1000)
	for i := range entries {
		e, err := access.ParseEntry(y.at(uint64(i)))
		if err != nil {
			b.Fatal(err)
		}
		entries[i] = e
	}
	for i := 0; b.Loop(); i++ {
		if err := t.Add(entries[i%len(entries)]); err != nil {
			b.Fatal(err)
		}
	}
}

// A year makes encoded entries, from four that it writes agency, case and time into.
type year struct {
	begin     uint64
	templates [4][]byte
	places    [4][3]int // where these are
}

const (
	someAgency = "department-000"
	someCase   = "2026-0000000000"
)

func newYear(t testing.TB) *year {
	t.Helper()
	y := &year{begin: uint64(int64(period(t, "2026").First())*day - 8*3600)}
	m := builtin(t).Matter(transfer, licence.Date(20758))
	for i := range y.templates {
		typ, outcome := [2]string{"property", "marriage"}[i%2], [2]verify.Outcome{verify.Valid, verify.Undetermined}[i/2]
		e := entry(t, y.begin, someAgency, transfer, someCase, typ, outcome)
		e.Fields, e.Height, e.Heartbeat = m.Fields(typ), 120000, november
		e.Call, e.Overall = access.Call{1}, "valid"
		e.Reasons = []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"}
		b, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		y.templates[i] = b
		y.places[i] = [3]int{bytes.Index(b, []byte(someAgency)), bytes.Index(b, []byte(someCase)), bytes.Index(b, binary.BigEndian.AppendUint32(nil, uint32(y.begin)))}
	}
	return y
}

// at returns the i-th entry, until it is called again: of each case the first licence, the second, and
// every other time the first once more, all at one time, but far from each other.
func (y *year) at(i uint64) []byte {
	shuffled := i * 7_368_787 % 10_000_000
	number := shuffled / 5 * 2
	which := shuffled % 5
	if which >= 3 {
		number++
	}
	kind := which % 3 % 2
	if shuffled%50 == 2 {
		kind += 2 // what is shown once more is not decisive
	}
	b, at := y.templates[kind], y.places[kind]
	copy(b[at[0]:], fmt.Appendf(nil, "department-%03d", number%200))
	copy(b[at[1]:], fmt.Appendf(nil, "2026-%010d", number))
	binary.BigEndian.PutUint32(b[at[2]:], uint32(y.begin+number*7%(365*day)))
	return b
}
