package index

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/verify"
)

// The figures of the index, on memories that are filled below the rules: an anchor whose head was
// checked before is compared, not verified, so signatures of random bytes do as well as real ones,
// and a million of them are quickly made.

// heap returns the bytes of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // finishes what the first one has begun to sweep
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func placeOf(i int) place {
	// A transaction's id as Fabric makes them: the longest there are.
	return place{Position: ledger.Position{Block: 1 << 33, Index: uint32(i)}, txID: fmt.Sprintf("%064x", i)}
}

// insertRandom files an anchor that nobody will ask for.
func (m *memory) insertRandom(tb testing.TB, r *rand.ChaCha8, i int) {
	a := anchor{root: randomHash(r), size: 1024, typeVersion: 1, issuer: m.names.add("civil-affairs"), unit: m.names.add("registry"), typ: m.names.add("marriage")}
	_, _ = r.Read(a.signature[:])
	if err := m.insert(a, placeOf(i)); err != nil {
		tb.Fatal(err)
	}
}

// worst fills something and returns the greatest number of bytes per entry, at moments over which every
// table grows several times.
func worst(n int, add func(i int), keep any) float64 {
	before := heap()
	greatest := 0.0
	for i := 1; i <= n; i++ {
		add(i)
		if i >= n/2 && i%(n/20) == 0 {
			greatest = max(greatest, float64(heap()-before)/float64(i))
		}
	}
	runtime.KeepAlive(keep)
	return greatest
}

// TestMemory holds the index to 2 KB for each anchor, 128 bytes for each licence whose status was
// changed once, and 64 for each consent.
func TestMemory(t *testing.T) {
	r := random()
	m := newMemory()
	per := worst(50_000, func(i int) { m.insertRandom(t, r, i) }, m)
	t.Logf("%.0f bytes for an anchor", per)
	if per > 2048 {
		t.Errorf("an anchor takes %.0f bytes, more than 2048", per)
	}
	for _, test := range []struct {
		name   string
		status chaincode.Status
	}{
		{"revoked", chaincode.Status{Sequence: 1, State: licence.Revoked}},
		{"superseded", chaincode.Status{Sequence: 1, State: licence.Superseded, Successor: &statement.Place{Path: []byte{}}}},
	} {
		value, err := cbor.Marshal(&test.status)
		if err != nil {
			t.Fatal(err)
		}
		m := newMemory()
		per := worst(100_000, func(i int) {
			if err := m.addChange("civil-affairs/"+randomHash(r).String()+"/marriage", value, placeOf(i)); err != nil {
				t.Fatal(err)
			}
		}, m)
		t.Logf("%.0f bytes for a licence that is %s", per, test.name)
		if per > 128 {
			t.Errorf("a licence that is %s takes %.0f bytes, more than 128", test.name, per)
		}
	}
	consents := newMemory()
	per = worst(100_000, func(int) {
		if err := consents.consent("civil-affairs/"+randomHash(r).String(), []byte(statement.ConsentGive)); err != nil {
			t.Fatal(err)
		}
	}, consents)
	t.Logf("%.0f bytes for a consent", per)
	if per > 64 {
		t.Errorf("a consent takes %.0f bytes, more than 64", per)
	}
}

// A crowd is an index with many anchors, and presentations of licences under some of them.
type crowd struct {
	index    *Index
	requests []verify.Request
}

var sampleTime = time.Unix(ledgertest.Time, 0)

// newCrowd fills an index with anchors, of batches of a size, and returns it with so many requests:
// for different licences as far as there are as many, else for copies of them, so that what a
// verifier reads is the same whatever the number of anchors.
func newCrowd(b *testing.B, anchors, size, requests int) *crowd {
	b.Helper()
	x, err := Open("")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { x.Close() })
	city := ledgertest.NewCity(b, "a crowd")
	typ, doc := city.Type(b, "marriage"), city.Documents(b, "marriage")[0]
	id := sm.Sum([]byte("a crowd"))

	m := x.memory
	m.draft = m.registry.Load().clone()
	m.draft.ledger, m.draft.types["marriage"] = id, []*licence.Type{typ}
	m.heartbeats.add(heartbeat{time: ledgertest.Time})
	m.publish(1)

	r := random()
	head := statement.Head{Ledger: id, Issuer: "civil-affairs", Unit: "registry", Type: "marriage", TypeVersion: 1, Size: uint32(size), SignedAt: ledgertest.Time}
	c := &crowd{index: x}
	for i := range anchors {
		// Real batches are spread evenly over all.
		if want := requests * (i + 1) / anchors; len(c.requests) >= want {
			m.insertRandom(b, r, i)
			continue
		}
		c.anchor(b, r, head, doc, i, requests)
	}
	for i := 0; len(c.requests) < requests; i++ {
		c.requests = append(c.requests, verify.Request{Presentation: slices.Clone(c.requests[i].Presentation), Now: sampleTime})
	}
	shuffle := rand.New(r)
	shuffle.Shuffle(requests, func(i, j int) { c.requests[i], c.requests[j] = c.requests[j], c.requests[i] })
	return c
}

// anchor files a batch of real licences under a head that nobody signed, and adds requests for
// them.
func (c *crowd) anchor(b *testing.B, r *rand.ChaCha8, head statement.Head, doc *licence.Document, i, requests int) {
	typ := doc.Type()
	salts := make([]byte, len(typ.Leaves())*credential.SaltSize)
	drafts := make([]*credential.Draft, head.Size)
	for i := range drafts {
		_, _ = r.Read(salts)
		var err error
		if drafts[i], err = credential.NewDraft(doc, credential.Record{Issuer: head.Issuer, IssuedAt: ledgertest.Time}, salts); err != nil {
			b.Fatal(err)
		}
	}
	batch, err := credential.NewBatch(drafts, head, forger{r})
	if err != nil {
		b.Fatal(err)
	}
	s, err := statement.Parse(batch.Statement)
	if err != nil {
		b.Fatal(err)
	}
	m := c.index.memory
	err = m.insert(anchor{
		root: batch.Head.Root, key: s.KeyID, signature: s.Signature, signedAt: head.SignedAt,
		issuer: m.names.add(head.Issuer), unit: m.names.add(head.Unit), typ: m.names.add(head.Type), typeVersion: 1, size: head.Size,
	}, placeOf(i))
	if err != nil {
		b.Fatal(err)
	}
	for i := range drafts {
		if len(c.requests) == requests {
			return
		}
		p, err := credential.Disclose(batch.Credential(i), typ, "spouse1Name", "spouse2Id")
		if err != nil {
			b.Fatal(err)
		}
		c.requests = append(c.requests, verify.Request{Presentation: p.Bytes(), Now: sampleTime})
	}
}

// forger signs with random bytes.
type forger struct{ *rand.ChaCha8 }

var forgersKey, _ = sm.GenerateKey(nil)

func (f forger) Public() *sm.PublicKey { return forgersKey.Public() }
func (f forger) Sign([]byte) ([]byte, error) {
	b := make([]byte, sm.SignatureSize)
	_, _ = f.Read(b)
	return b, nil
}

// verify verifies the next n of the requests.
func (c *crowd) verify(b *testing.B, from, n int) {
	for i := range n {
		v := verify.Verify(c.index, c.requests[(from+i)%len(c.requests)])
		if v.Outcome != verify.Valid {
			b.Fatal(v.Outcome, v.Reasons())
		}
	}
}

// BenchmarkVerifyAmong verifies presentations of two fields, of 32,768 licences in random order, by
// an index with so many anchors of so many licences each. The metric speed/1e3 is the speed as a
// multiple of that with a thousand licences of the same batches, timed side by side.
func BenchmarkVerifyAmong(b *testing.B) {
	const requests = 1 << 15
	for _, bench := range []struct {
		name          string
		few, anchors  int
		licencesPerOf int
	}{
		{"1e7-licences-1024-a-batch", 1, 9766, 1024},
		{"1e6-licences-one-by-one", 1e3, 1e6, 1},
	} {
		b.Run(bench.name, func(b *testing.B) {
			few := newCrowd(b, bench.few, bench.licencesPerOf, requests)
			many := newCrowd(b, bench.anchors, bench.licencesPerOf, requests)
			runtime.GC()
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				many.verify(b, n, 1)
				n++
			}
			b.StopTimer()
			const rounds, each = 101, 1000
			ratios := make([]float64, rounds)
			for i := range ratios {
				start := time.Now()
				few.verify(b, i*each, each)
				between := time.Now()
				many.verify(b, i*each, each)
				ratios[i] = float64(between.Sub(start)) / float64(time.Since(between))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[rounds/2], "speed/1e3")
		})
	}
}
