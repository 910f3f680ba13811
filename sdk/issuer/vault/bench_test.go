package vault

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
)

// benchmarkOnBoth runs a benchmark on an empty vault in each database.
func benchmarkOnBoth(b *testing.B, run func(b *testing.B, p *place, v *Vault)) {
	b.Run("sqlite", func(b *testing.B) {
		p := sqlitePlace(b)
		run(b, p, p.create(b))
	})
	server := sqldbtest.PostgreSQL(b)
	b.Run("postgresql", func(b *testing.B) {
		p := postgresPlace(b, server)
		run(b, p, p.create(b))
	})
}

// deposited makes deposits of about 1.2 KiB, with two holders each.
func deposited(n, batch int) []Deposit {
	out := make([]Deposit, n)
	content := make([]byte, 1200)
	until := licence.Date(25000)
	for i := range out {
		k := batch*n + i
		out[i] = Deposit{Number: fmt.Sprintf("J110101-2026-%09d", k), Holders: []string{fmt.Sprintf("holder %d", 2*k), fmt.Sprintf("holder %d", 2*k+1)},
			ValidUntil: &until, Content: content}
		out[i].Digest = sm.Sum([]byte(out[i].Number))
	}
	return out
}

// BenchmarkAddBatch seals batches of 1,000 licences on all cores, and puts them into the vault in transactions
// of one batch and of eight, each of which looks whether the numbers are free.
func BenchmarkAddBatch(b *testing.B) {
	for _, group := range []int{1, 8} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			benchmarkOnBoth(b, func(b *testing.B, p *place, v *Vault) { benchmarkAddBatch(b, p, v, group) })
		})
	}
}

func benchmarkAddBatch(b *testing.B, p *place, v *Vault, group int) {
	const size = 1000
	type ready struct {
		head   []byte
		sealed []*Sealed
	}
	queue := make(chan ready, group)
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	for range runtime.NumCPU() {
		go func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				deposits := deposited(size, n)
				sealed, err := v.Seal(b.Context(), "marriage", deposits)
				if err != nil {
					b.Error(err)
				}
				queue <- ready{p.sign(b, "marriage", deposits, nil), sealed}
			}
		}()
	}
	for done := 0; done < b.N; {
		write(b, v, func(tx *Tx) error {
			for range min(group, b.N-done) {
				r := <-queue
				if _, err := tx.Free(r.sealed); err != nil {
					return err
				}
				if _, err := tx.AddBatch(NewBatch{Head: r.head}, r.sealed); err != nil {
					return err
				}
				done++
			}
			return nil
		})
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "licences/s")
}

// BenchmarkSeal seals 1,000 licences, on one core.
func BenchmarkSeal(b *testing.B) {
	p := sqlitePlace(b)
	v := p.create(b)
	deposits := deposited(1000, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Seal(b.Context(), "marriage", deposits); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(deposits))/b.Elapsed().Seconds(), "licences/s")
}

// BenchmarkOpen opens licences one by one, of 10,000, each with its line of history.
func BenchmarkOpen(b *testing.B) {
	benchmarkOnBoth(b, func(b *testing.B, p *place, v *Vault) {
		for n := range 10 {
			p.add(b, v, deposited(1000, n))
		}
		b.ResetTimer()
		for i := range b.N {
			if _, err := v.OpenLicences(b.Context(), clerk, ID(i%10000+1)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkByNumber looks licences up by their numbers, of 10,000.
func BenchmarkByNumber(b *testing.B) {
	benchmarkOnBoth(b, func(b *testing.B, p *place, v *Vault) {
		for n := range 10 {
			p.add(b, v, deposited(1000, n))
		}
		b.ResetTimer()
		for i := range b.N {
			if found, err := v.ByNumber(b.Context(), "marriage", fmt.Sprintf("J110101-2026-%09d", i%10000)); err != nil || len(found) != 1 {
				b.Fatal(found, err)
			}
		}
	})
}
