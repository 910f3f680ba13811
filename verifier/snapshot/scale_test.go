package snapshot_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// A nation is a source with so many licences, made up: hashes and signatures are random, as real ones
// look, and everything else is spread so evenly that it compresses worse than what really happens. A
// heartbeat comes every minute for ten years; anchors, of a batch of 1,024 each from one of 300 offices,
// come at any time of these, and so do the first days of what is withdrawn.
type nation struct {
	*index.Export // departments, keys and types
	ledger        sm.Hash
	city          *verifiertest.City
	marriages     *ledgertest.Department
	anchors       int
	withdrawn     int
	rand          *rand.ChaCha8
}

const (
	batch    = 1024
	minutes  = 10 * 365 * 24 * 60
	perBeat  = 4 // blocks in a minute
	newest   = minutes * perBeat
	begun    = ledgertest.Time - minutes*60
	ages     = 3650 // days
	offices  = 300
	forWhich = "marriage"
)

func newNation(tb testing.TB, licences int) *nation {
	tb.Helper()
	city := verifiertest.New(tb)
	export, err := city.Index.Export()
	if err != nil {
		tb.Fatal(err)
	}
	anchors := (licences + batch - 1) / batch
	return &nation{Export: export, ledger: city.ID, city: city, marriages: city.Department(tb, ledgertest.Marriages), anchors: anchors, withdrawn: licences / 100, rand: rand.NewChaCha8([32]byte{})}
}

func (n *nation) hash() (h sm.Hash) {
	_, _ = n.rand.Read(h[:])
	return h
}

// below returns a random number.
func (n *nation) below(limit uint64) uint64 { return n.rand.Uint64() % limit }

// beat is heartbeat number i, which is some seconds late.
func beat(i uint64) verify.Heartbeat {
	if i == 0 || i > minutes {
		return verify.Heartbeat{}
	}
	late := i * 2654435761 % 20
	return verify.Heartbeat{Sequence: i, Time: begun + 60*i + late, Block: i*perBeat + late%perBeat}
}

func (n *nation) Head() ledger.Head {
	return ledger.Head{Height: newest + 2*perBeat, Hash: sm.Sum(nil)}
}
func (n *nation) Heartbeat() verify.Heartbeat { return beat(minutes) }

func (n *nation) Anchors(yield func(verify.Anchor, []verify.Change) bool) {
	key := n.marriages.Anchor.Public().ID()
	n.rand.Seed([32]byte{1}) // the same each time
	blocks := make([]uint64, n.anchors)
	for i := range blocks {
		blocks[i] = perBeat + n.below(newest-perBeat)
	}
	slices.Sort(blocks)
	var last verify.Position
	for _, block := range blocks {
		at := verify.Position{Block: block, Index: uint32(n.below(200))}
		if block == last.Block {
			at.Index = last.Index + 1
		}
		last = at
		before := block / perBeat
		for before > 0 && beat(before).Block > block {
			before--
		}
		a := verify.Anchor{
			Head: statement.Head{
				Ledger: n.ledger, Issuer: ledgertest.Marriages, Unit: fmt.Sprintf("office-%03d", n.below(offices)), Type: forWhich, TypeVersion: 1,
				Root: n.hash(), Size: batch, SignedAt: beat(max(before, 1)).Time + n.below(60),
			},
			KeyID: key, Position: at, Before: beat(before), After: beat(before + 1),
		}
		_, _ = n.rand.Read(a.Signature[:])
		if !yield(a, nil) {
			return
		}
	}
}

func (n *nation) Licences(yield func(issuer, typ string, digest sm.Hash, changes []verify.Change, restrictions []verify.Restriction) bool) {
	for range n.withdrawn {
		change := verify.Change{State: licence.Revoked, Effective: licence.Date(ledgertest.Day - int32(n.below(ages)))}
		if n.below(4) == 0 {
			change.State = licence.Suspended
		}
		if !yield(ledgertest.Marriages, forWhich, n.hash(), []verify.Change{change}, nil) {
			return
		}
	}
}

// size makes a snapshot of so many licences and returns its length.
func size(tb testing.TB, licences int) []byte {
	tb.Helper()
	n := newNation(tb, licences)
	b, _, err := snapshot.Build(n, n.city.Authority.Log)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// maxNation is what a hundred million licences may take, in bytes.
const maxNation = 20e6

// TestSize: at a mean batch of 1,024 a hundred million licences with 1 % withdrawn fit in 20 MB: measured
// at a million, and a hundred times what that takes beside departments and types.
func TestSize(t *testing.T) {
	none, million := len(size(t, 0)), len(size(t, 1e6))
	total := float64(none) + 100*float64(million-none)
	t.Logf("%d bytes of departments, keys and types; %.1f bytes for each of 977 batches with all that is withdrawn of it; %.2f MB for 10^8", none, float64(million-none)/977, total/1e6)
	if total > maxNation {
		t.Errorf("10^8 licences take %.2f MB", total/1e6)
	}
}

// BenchmarkBuild makes snapshots of 10^6 and of 10^8 licences, in batches of 1,024, 1 % withdrawn.
func BenchmarkBuild(b *testing.B) {
	for _, licences := range []int{1e6, 1e8} {
		b.Run(fmt.Sprintf("1e%.0f-licences", math.Log10(float64(licences))), func(b *testing.B) {
			n := newNation(b, licences)
			var length int
			for b.Loop() {
				file, _, err := snapshot.Build(n, n.city.Authority.Log)
				if err != nil {
					b.Fatal(err)
				}
				length = len(file)
			}
			b.ReportMetric(float64(length)/1e6, "MB")
		})
	}
}

// BenchmarkOpen opens them; heap-MB is what stays in memory.
func BenchmarkOpen(b *testing.B) {
	for _, licences := range []int{1e6, 1e8} {
		b.Run(fmt.Sprintf("1e%.0f-licences", math.Log10(float64(licences))), func(b *testing.B) {
			n := newNation(b, licences)
			file, _, err := snapshot.Build(n, n.city.Authority.Log)
			if err != nil {
				b.Fatal(err)
			}
			trust := trustOf(n.city.City)
			before := heap()
			var view *snapshot.View
			for b.Loop() {
				if view, err = snapshot.Open(file, trust, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heap()-before)/1e6, "heap-MB")
			runtime.KeepAlive(view)
		})
	}
}

// heap returns the bytes of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // finishes what the first one has begun to sweep
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// BenchmarkVerify verifies a licence by a snapshot: the signature of the head too, which an index has
// verified before.
func BenchmarkVerify(b *testing.B) {
	city := verifiertest.New(b)
	l := city.Issue("marriage", 1024)[700]
	city.Pass(60e9)
	file, _ := build(b, city)
	view, err := snapshot.Open(file, trustOf(city.City), 0)
	if err != nil {
		b.Fatal(err)
	}
	request := verify.Request{Presentation: l.Show().Bytes(), Now: city.Clock.Now()}
	for b.Loop() {
		if v := verify.Verify(view, request); v.Outcome != verify.Valid {
			b.Fatal(v.Outcome, v.Reasons())
		}
	}
}
