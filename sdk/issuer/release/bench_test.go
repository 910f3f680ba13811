package release_test

import (
	"slices"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/statement"
)

// BenchmarkAnswer answers requests under a grant, one after the other, with the vault and the access log durable: what it
// takes without the network.
func BenchmarkAnswer(b *testing.B) {
	o := newOffice(b, "")
	o.byLaw("registrationDate")
	l := o.issue(1)
	asked := make([]*asked, b.N)
	g := o.give(l, statement.MaxUses)
	for i := range asked {
		if i > 0 && i%statement.MaxUses == 0 {
			g = o.give(l, statement.MaxUses)
		}
		asked[i] = o.ask(l, g, nil)
	}
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	for i, a := range asked {
		began := time.Now()
		if out := o.answer(a); out.Answer.Outcome != statement.AnswerReleased {
			b.Fatal(out.Answer.Reason)
		}
		took[i] = time.Since(began)
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}
