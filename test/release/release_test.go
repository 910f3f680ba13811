package release

import (
	"net/http"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/serve/servetest"
	"github.com/credledger/credledger/test/exchangetest"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/hometest"
)

const program = "github.com/credledger/credledger/cmd/credledger"

// begin makes a home for both departments, and starts them.
func begin(tb testing.TB) *exchangetest.Exchange {
	tb.Helper()
	o := hometest.New(tb, fabrictest.Program(tb, program))
	o.Run(0, "init")
	x := exchangetest.New(o, o.Home, o.Home)
	x.BeginIssuing()
	x.BeginAsking()
	return x
}

// Two departments: by law, under grants, refused and unanswered, with one of them killed; and a third party that
// checks the evidence of both.
func TestRelease(t *testing.T) {
	x := begin(t)
	evidence := x.Story()
	x.End()
	x.Audited(x.Home, evidence)
	x.Logs()
}

// BenchmarkRelease: from the call of a back-office system at its department's verifier to what another department has
// released, opened and verified, over HTTP on the loopback, with both departments' access logs, the issuer's vault and
// the agency's store durable. One after the other, by law and under a grant; and 16 at a time.
func BenchmarkRelease(b *testing.B) {
	const phase = 5 * time.Second
	x := begin(b)
	l := x.Issue(1)
	ask := func(fields []string, grant string) func(int) *http.Request {
		body := exchangetest.Asked(l.Digest, fields, grant)
		return func(int) *http.Request { return x.AskRequest(body) }
	}
	byLaw := ask(exchangetest.Free, "")
	servetest.Apply(1, time.Second, 0, byLaw) // warm up
	for b.Loop() {
		law := servetest.Apply(1, phase, 0, byLaw)
		granted := servetest.Apply(1, time.Hour, 500, ask(exchangetest.Granted, x.Give(l, 1000)))
		many := servetest.Apply(16, phase, 0, byLaw)
		if n := law.Failed + granted.Failed + many.Failed; n > 0 {
			b.Errorf("%d failed", n)
		}
		b.ReportMetric(law.Quantile(.5).Seconds()*1e3, "law-p50-ms")
		b.ReportMetric(law.Quantile(.99).Seconds()*1e3, "law-p99-ms")
		b.ReportMetric(granted.Quantile(.5).Seconds()*1e3, "grant-p50-ms")
		b.ReportMetric(granted.Quantile(.99).Seconds()*1e3, "grant-p99-ms")
		b.ReportMetric(many.Rate(), "16-releases/s")
		b.ReportMetric(many.Quantile(.5).Seconds()*1e3, "16-p50-ms")
	}
	b.ReportMetric(0, "ns/op")
}
