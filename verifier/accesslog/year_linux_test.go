package accesslog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verify"
)

// BenchmarkYear makes the data bureau's report of a year from a log of ten million entries on disk, as
// `credledger report` does: every leaf, the root at each of the 525,600 checkpoints of that year, and
// their signatures are computed anew, and the entries, of four million cases of two hundred departments and half a
// million requests, tallied. Run it once (-benchtime 1x); peak-MB is the most that the process ever had
// in memory meanwhile. It needs 5 GB of disk.
func BenchmarkYear(b *testing.B) { benchmarkYear(b, 10_000_000) }

// BenchmarkMonth is BenchmarkYear with a tenth of the entries.
func BenchmarkMonth(b *testing.B) { benchmarkYear(b, 1_000_000) }

func benchmarkYear(b *testing.B, entries uint64) {
	view := &yearView{key: &verify.Key{Department: testID.Department, Public: testKey.Public(), Purposes: statement.PurposeLog}}
	dir := writeYear(b, view, entries)
	files, err := OpenFiles(dir)
	if err != nil {
		b.Fatal(err)
	}
	matters, err := matter.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	period, err := report.ParsePeriod("2026")
	if err != nil {
		b.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(40)) // as the command does: there is little to scan in the tally
	runtime.GC()
	resetPeak(b)
	before := processorTime(b)
	for b.Loop() {
		scope := &report.Scope{Period: period, Matters: matters}
		tally := report.NewTally(scope)
		audit, err := Audit(files, view, AuditOptions{Entry: tally.Add})
		if err != nil || !audit.Clean() || audit.Head.Size != entries {
			b.Fatal(audit, err)
		}
		r, err := report.New(scope, view, []report.Log{{Tally: tally, Ledger: testID.Ledger, Department: testID.Department, Name: testID.Log, Size: entries}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if row := r.Indicator(report.Verifications).Rows[0]; row.Numerator != entries/20*19 {
			b.Fatal(row)
		}
	}
	b.ReportMetric((processorTime(b)-before)/float64(b.N), "processor-s")
	b.ReportMetric(peak(b), "peak-MB")
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// resetPeak has the system forget how much memory the process once had.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// processorTime is how many seconds processors have worked for the process.
func processorTime(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// peak is the most memory that the process had since, in 10^6 bytes.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes * 1024 / 1e6
}

// A yearView is a ledger with the checkpoints of a log, and without licences.
type yearView struct {
	key         *verify.Key
	checkpoints []anchored
}

func (v *yearView) Checkpoints(string, string) iter.Seq2[verify.Checkpoint, error] {
	return func(yield func(verify.Checkpoint, error) bool) {
		for _, c := range v.checkpoints {
			if !yield(verify.Checkpoint{Size: c.Size, Root: c.Root, Statement: c.statement}, nil) {
				return
			}
		}
	}
}

func (v *yearView) Key(sm.Hash) *verify.Key                           { return v.key }
func (v *yearView) Ledger() sm.Hash                                   { return testID.Ledger }
func (v *yearView) Head() ledger.Head                                 { return ledger.Head{Height: 1} }
func (v *yearView) Heartbeat() verify.Heartbeat                       { return verify.Heartbeat{Sequence: 1, Time: 1 << 31} }
func (v *yearView) Departments() []*verify.Department                 { return nil }
func (v *yearView) Types() []*licence.Type                            { return nil }
func (v *yearView) Anchors(func(verify.Anchor, []verify.Change) bool) {}
func (v *yearView) Bracket(verify.Position) (before, after verify.Heartbeat) {
	return verify.Heartbeat{}, verify.Heartbeat{}
}
func (v *yearView) Licences(func(string, string, sm.Hash, []verify.Change, []verify.Restriction) bool) {
}

// writeYear writes the files of a log, in groups of up to 16 entries, with as many checkpoints as it has
// minutes, or entries by nineteen.
func writeYear(b *testing.B, on *yearView, entries uint64) string {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	dir := filepath.Join(b.TempDir(), "log")
	must(create(dir, testID, segmentHeight))
	checkpoints, err := openCheckpoints(dir, lazy{})
	must(err)
	defer checkpoints.close()
	v := &view{dir: dir}
	y := newYear(b)
	random := rand.New(rand.NewPCG(1, 2))
	var frontier access.Frontier
	var segment *segment
	var f *os.File
	var out *bufio.Writer
	var group []byte
	for i := uint64(0); i < entries; {
		if i%(1<<segmentHeight) == 0 {
			segment = newSegment(i>>segmentHeight, segmentHeight)
			f, err = os.Create(v.path(segment.number, entriesFile))
			must(err)
			out = bufio.NewWriterSize(f, 1<<20)
		}
		n := min(1+random.Uint64N(16), entries-i, 1<<segmentHeight-i%(1<<segmentHeight))
		group = beginGroup(group)
		for k := range n {
			entry := y.at(i + k)
			leaf := access.Leaf(entry)
			r := record{salt: access.Salt{byte(i)}, tag: tag(leaf[:16]), entry: entry}
			segment.add(segment.end+int64(len(group)), r.tag, leaf)
			frontier.Append(leaf)
			group = r.append(group)
		}
		endGroup(group, i, int(n))
		_, err := out.Write(group)
		must(err)
		segment.end += int64(len(group))
		if minutes := (i + n) / 19; minutes > i/19 || i+n == entries {
			head := Head{frontier.Size(), frontier.Root()}
			signed, err := access.SignCheckpoint(&statement.Checkpoint{
				Ledger: testID.Ledger, Department: testID.Department, Log: testID.Log, Size: head.Size, Root: head.Root, SignedAt: y.begin,
			}, testKey)
			must(err)
			must(checkpoints.add(signed))
			on.checkpoints = append(on.checkpoints, anchored{head, sm.Sum(signed.Signed.Bytes())})
		}
		i += n
		if i%(1<<segmentHeight) == 0 || i == entries {
			must(out.Flush())
			must(f.Close())
		}
		if i%(1<<segmentHeight) == 0 {
			must(os.WriteFile(v.path(segment.number, indexFile), segment.index(), 0o600))
		}
	}
	return dir
}

// A year makes encoded entries, from templates that it writes agency, case and time into.
type year struct {
	begin     uint64
	templates [5][]byte
	places    [5][4]int // where these are
}

const (
	someAgency = "department-000"
	someCase   = "2026-0000000000"
)

func newYear(b *testing.B) *year {
	b.Helper()
	y := &year{begin: 1767196800} // 2026-01-01T00:00:00+08:00
	for i := range y.templates {
		e := draft(0, 1).Entry
		e.Time, e.Agency, e.Case, e.Call, e.Overall = y.begin, someAgency, someCase, access.Call{0xca, 0x11, 0xca, 0x11, 0xca, 0x11, 0xca, 0x11}, "valid"
		e.Type = [2]string{"property", "marriage"}[i%2]
		switch i / 2 {
		case 1:
			e.Outcome = string(verify.Undetermined)
		case 2:
			e.Overall, e.Asked, e.Outcome, e.Reasons = "", "civil-affairs", "released", []string{"by-law", "tax-law-6"}
		}
		encoded, err := e.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		y.templates[i] = encoded
		y.places[i] = [4]int{
			bytes.Index(encoded, []byte(someAgency)), bytes.Index(encoded, []byte(someCase)),
			bytes.Index(encoded, binary.BigEndian.AppendUint32(nil, uint32(y.begin))), bytes.Index(encoded, e.Call[:]),
		}
	}
	return y
}

// at returns the i-th entry, until it is called again: verifications of two licences of a case, some of
// them twice, in no order; each twentieth is of a request.
func (y *year) at(i uint64) []byte {
	kind := i % 2
	switch {
	case i%20 == 7:
		kind = 4
	case i%50 == 2:
		kind += 2
	}
	number := i * 7_368_787 % 4_000_000
	b, at := y.templates[kind], y.places[kind]
	copy(b[at[0]:], fmt.Appendf(nil, "department-%03d", number%200))
	copy(b[at[1]:], fmt.Appendf(nil, "2026-%010d", number))
	binary.BigEndian.PutUint32(b[at[2]:], uint32(y.begin+number*7%(365*86400)))
	binary.BigEndian.PutUint64(b[at[3]+8:], i)
	return b
}
