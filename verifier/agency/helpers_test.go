package agency_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/verifiertest"
)

const (
	token    = "credledger_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	password = "correct horse battery staple"
	// of password, at the least cost that is taken
	hash = "$2a$10$2TFbP9xaaSS5b4GbdvNuouQK2hhoULZP1/VF.4AsAuWz7uQfsWQFe"
)

var certificate = []byte("a certificate in DER")

// file is a directory of two agencies: tax, whose programs ask, and counter, whose clerks do on
// behalf of others.
var file = strings.NewReplacer(
	"TOKEN", callers.TokenDigest(token).String(),
	"CERTIFICATE", callers.TokenDigest(string(certificate)).String(),
	"HASH", hash,
).Replace(`
agencies:
  - id: tax
    name: {zh: 示范市税务局, en: Demo City Tax Bureau}
    tokens: ["TOKEN"]
    certificates: ["CERTIFICATE"]
    addresses: [10.20.0.0/16, 192.0.2.7, "2001:db8::/32"]
    types:
      marriage: [spouse1Name, spouse2Name]
      business: []
    matters: [second-hand-home-transfer]
    rate: {perSecond: 2, burst: 3}
    dailyCap: 10
  - id: counter
    name: {zh: 综合窗口, en: Shared counter}
    types:
      property: [rightHolders]
    matters: [second-hand-home-transfer, company-opening]
    onBehalf: [natural-resources, tax]
    rate: {perSecond: 1000, burst: 1000}
    dailyCap: 100000
    clerks:
      - {name: wangfang, unit: 综合窗口3号, password: "HASH"}
      - {name: 李雷, unit: 综合窗口4号, password: "HASH"}
`)

func directory(t testing.TB, text string) *agency.Directory {
	t.Helper()
	d, err := agency.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var inside = netip.MustParseAddr("10.20.3.4")

// a desk is a gate with its clock and counter.
type desk struct {
	*agency.Gate
	clock   *verifiertest.Clock
	counter *counter
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{clock: verifiertest.NewClock(time.Date(2026, 11, 7, 8, 0, 0, 0, time.UTC)), counter: &counter{used: map[use]uint64{}}}
	d.Gate = agency.NewGate(directory(t, file), d.counter, d.clock.Now)
	return d
}

// A use is what a counter counts.
type use struct {
	agency string
	day    licence.Date
}

// A counter is one in memory, which can fail.
type counter struct {
	mu    sync.Mutex
	used  map[use]uint64
	calls int
	err   error
}

func (c *counter) Add(_ context.Context, agency string, day licence.Date, n, limit uint64) (uint64, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	u := use{agency, day}
	if c.err != nil {
		return 0, false, c.err
	}
	if c.used[u]+n > limit {
		return c.used[u], false, nil
	}
	c.used[u] += n
	return c.used[u], true, nil
}

// refused wants a refusal of a code, "" for none, that tells the clerk something in both languages.
func refused(t *testing.T, err error, code string) *agency.Refusal {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return nil
	}
	var r *agency.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	if text := r.Text(); text.Zh == "" || text.En == "" || r.Message == "" {
		t.Errorf("%s says %q and %q, %q", code, text.Zh, text.En, r.Message)
	}
	if slices.Contains([]string{agency.CodeRateLimited, agency.CodeDailyCap, agency.CodeSignInLimited}, code) != (r.RetryAfter > 0) {
		t.Errorf("%s: retry after %v", code, r.RetryAfter)
	}
	return r
}
