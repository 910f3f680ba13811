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
	"github.com/credledger/credledger/verifier/agency"
)

func TestAdmit(t *testing.T) {
	address := netip.MustParseAddr
	for _, c := range []struct {
		name string
		by   callers.Credentials
		code string // "" if admitted
	}{
		{"token", callers.Credentials{Token: token, Address: inside}, ""},
		{"certificate", callers.Credentials{Certificate: certificate, Address: inside}, ""},
		{"token, and a certificate that is not on file", callers.Credentials{Token: token, Certificate: []byte{1}, Address: inside}, ""},
		{"single address", callers.Credentials{Token: token, Address: address("192.0.2.7")}, ""},
		{"IPv6", callers.Credentials{Token: token, Address: address("2001:db8::1")}, ""},
		{"IPv4 in IPv6", callers.Credentials{Token: token, Address: address("::ffff:10.20.0.1")}, ""},
		{"with a zone", callers.Credentials{Token: token, Address: address("2001:db8::1%eth0")}, ""},
		{"from elsewhere", callers.Credentials{Token: token, Address: address("10.21.0.1")}, agency.CodeAddress},
		{"from nowhere", callers.Credentials{Token: token}, agency.CodeAddress},
		{"nothing shown", callers.Credentials{Address: inside}, agency.CodeUnauthenticated},
		{"empty certificate", callers.Credentials{Certificate: []byte{}, Address: inside}, agency.CodeUnauthenticated},
		{"other certificate", callers.Credentials{Certificate: []byte{1}, Address: inside}, agency.CodeUnauthenticated},
		{"wrong token, right certificate", callers.Credentials{Token: token + "A", Certificate: certificate, Address: inside}, agency.CodeUnauthenticated},
		{"token with a last letter changed", callers.Credentials{Token: token[:len(token)-1] + "B", Address: inside}, agency.CodeUnauthenticated},
		{"token in capitals", callers.Credentials{Token: strings.ToUpper(token), Address: inside}, agency.CodeUnauthenticated},
		{"the digest in place of the token", callers.Credentials{Token: callers.TokenDigest(token).String(), Address: inside}, agency.CodeUnauthenticated},
		{"endless token", callers.Credentials{Token: strings.Repeat(token, 1000), Address: inside}, agency.CodeUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := newDesk(t).Admit(c.by)
			refused(t, err, c.code)
			if c.code == "" && a.ID != "tax" {
				t.Errorf("admitted %s", a.ID)
			}
			if err != nil && c.by.Token != "" && strings.Contains(err.Error(), c.by.Token) {
				t.Error("the error has the token")
			}
		})
	}
}

func TestRate(t *testing.T) {
	d := newDesk(t)
	call := func() error {
		_, err := d.Admit(callers.Credentials{Token: token, Address: inside})
		return err
	}
	for range 3 {
		refused(t, call(), "")
	}
	r := refused(t, call(), agency.CodeRateLimited)
	if r.RetryAfter != time.Second/2 {
		t.Errorf("retry after %v, want half a second", r.RetryAfter)
	}
	refused(t, call(), agency.CodeRateLimited) // it does not get longer by trying
	d.clock.Advance(r.RetryAfter)
	refused(t, call(), "")
	refused(t, call(), agency.CodeRateLimited)
	if _, err := d.Admit(callers.Credentials{Token: "x", Address: inside}); err == nil {
		t.Error("admitted")
	}
	// Another file does not fill it up again, and changes the rate from now on.
	d.Reload(directory(t, file))
	refused(t, call(), agency.CodeRateLimited)
	d.Reload(directory(t, strings.Replace(file, "{perSecond: 2, burst: 3}", "{perSecond: 20, burst: 3}", 1)))
	d.clock.Advance(50 * time.Millisecond)
	refused(t, call(), "")
	refused(t, call(), agency.CodeRateLimited)
}

func TestPermit(t *testing.T) {
	full := agency.Context{Clerk: "zhang", Unit: "征收一科", Matter: "second-hand-home-transfer", Case: "2026-000123"}
	behalf := full
	behalf.OnBehalf = "natural-resources"
	change := func(c agency.Context, f func(*agency.Context)) agency.Context {
		f(&c)
		return c
	}
	names := []agency.Ask{{Type: "marriage", Fields: []string{"spouse1Name", "spouse2Name"}}}
	for _, c := range []struct {
		name    string
		agency  string
		context agency.Context
		asks    []agency.Ask
		code    string
		fields  []string
	}{
		{"all in order", "tax", full, names, "", nil},
		{"no case", "tax", change(full, func(c *agency.Context) { c.Case = "" }), names, "", nil},
		{"no fields", "tax", full, []agency.Ask{{Type: "business"}}, "", nil},
		{"what could not be read", "tax", full, []agency.Ask{{}}, "", nil},
		{"nothing yet", "tax", full, nil, "", nil},
		{"no clerk", "tax", change(full, func(c *agency.Context) { c.Clerk = "" }), names, agency.CodeContext, nil},
		{"no unit", "tax", change(full, func(c *agency.Context) { c.Unit = "" }), names, agency.CodeContext, nil},
		{"no matter", "tax", change(full, func(c *agency.Context) { c.Matter = "" }), names, agency.CodeContext, nil},
		{"clerk of white space", "tax", change(full, func(c *agency.Context) { c.Clerk = " " }), names, agency.CodeContext, nil},
		{"clerk with a line end", "tax", change(full, func(c *agency.Context) { c.Clerk = "a\nb" }), names, agency.CodeContext, nil},
		{"unit too long", "tax", change(full, func(c *agency.Context) { c.Unit = strings.Repeat("科", 65) }), names, agency.CodeContext, nil},
		{"case not UTF-8", "tax", change(full, func(c *agency.Context) { c.Case = "\xff" }), names, agency.CodeContext, nil},
		{"other matter", "tax", change(full, func(c *agency.Context) { c.Matter = "company-opening" }), names, agency.CodeMatter, nil},
		{"on behalf, though no shared counter", "tax", behalf, names, agency.CodeOnBehalf, nil},
		{"other type", "tax", full, []agency.Ask{{Type: "property"}}, agency.CodeType, nil},
		{"other field", "tax", full, []agency.Ask{{Type: "marriage", Fields: []string{"spouse1Name", "spouse1Id"}}}, agency.CodeOverAsking, []string{"spouse1Id"}},
		{"a field of a type without any", "tax", full, []agency.Ask{{Type: "business", Fields: []string{"name"}}}, agency.CodeOverAsking, []string{"name"}},
		{"one of several", "tax", full, append(slices.Clone(names), agency.Ask{Type: "property"}), agency.CodeType, nil},
		{"shared counter", "counter", behalf, []agency.Ask{{Type: "property", Fields: []string{"rightHolders"}}}, "", nil},
		{"shared counter that does not say for whom", "counter", full, []agency.Ask{{Type: "property"}}, agency.CodeContext, nil},
		{"shared counter for somebody else", "counter", change(behalf, func(c *agency.Context) { c.OnBehalf = "police" }), nil, agency.CodeOnBehalf, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			r := refused(t, d.Permit(t.Context(), d.Directory().Agency(c.agency), c.context, c.asks), c.code)
			if r != nil && !slices.Equal(r.Fields, c.fields) {
				t.Errorf("fields %v, want %v", r.Fields, c.fields)
			}
			if counted := d.counter.calls > 0; counted != (c.code == "") {
				t.Errorf("counted for the daily cap: %v", counted)
			}
		})
	}
}

var homeTransfer = agency.Context{Clerk: "zhang", Unit: "征收一科", Matter: "second-hand-home-transfer"}

func TestDailyCap(t *testing.T) {
	d := newDesk(t)
	tax := d.Directory().Agency("tax")
	spend := func(n int) error { return d.Permit(t.Context(), tax, homeTransfer, make([]agency.Ask, n)) }
	refused(t, spend(0), "") // counts one
	refused(t, spend(8), "")
	refused(t, spend(2), agency.CodeDailyCap)
	refused(t, spend(1), "")
	r := refused(t, spend(1), agency.CodeDailyCap)
	if r.RetryAfter != 8*time.Hour { // it is 16:00 in UTC+8
		t.Errorf("retry after %v, want 8h", r.RetryAfter)
	}
	d.Reload(directory(t, file))
	refused(t, spend(1), agency.CodeDailyCap)
	d.clock.Advance(8 * time.Hour)
	refused(t, spend(10), "")
	refused(t, spend(1), agency.CodeDailyCap)
}

func TestDailyCapFails(t *testing.T) {
	d := newDesk(t)
	d.counter.err = errors.New("the store is away")
	err := d.Permit(t.Context(), d.Directory().Agency("tax"), homeTransfer, nil)
	var r *agency.Refusal
	if !errors.Is(err, d.counter.err) || errors.As(err, &r) {
		t.Fatalf("got %v, want the counter's error", err)
	}
	d.counter.err = nil
	refused(t, d.Permit(t.Context(), d.Directory().Agency("tax"), homeTransfer, nil), "")
}

// TestDailyCapOfReplicas: two replicas that share a counter never spend more than the cap together,
// and nearly all of it, and do not ask the counter each time.
func TestDailyCapOfReplicas(t *testing.T) {
	const limit = 20000
	text := strings.Replace(file, "dailyCap: 100000", "dailyCap: 20000", 1)
	one := newDesk(t)
	gates := [2]*agency.Gate{}
	for i := range gates {
		gates[i] = agency.NewGate(directory(t, text), one.counter, one.clock.Now)
	}
	behalf := homeTransfer
	behalf.OnBehalf = "tax"
	var wg sync.WaitGroup
	var permitted [8]int
	for w := range permitted {
		wg.Go(func() {
			g := gates[w%2]
			for g.Permit(context.Background(), g.Directory().Agency("counter"), behalf, nil) == nil {
				permitted[w]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range permitted {
		total += n
	}
	if total != limit {
		t.Errorf("%d permitted, want %d", total, limit)
	}
	if one.counter.calls > limit/10 {
		t.Errorf("the counter was asked %d times", one.counter.calls)
	}
}

func TestPermitEndsWithItsContext(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	d.counter.mu.Lock() // the counter hangs
	began := make(chan struct{})
	done := make(chan error)
	tax := d.Directory().Agency("tax")
	go func() {
		close(began)
		done <- d.Permit(context.Background(), tax, homeTransfer, nil)
	}()
	<-began
	for { // until the first has its turn
		if d.Busy("tax") {
			break
		}
	}
	cancel()
	if err := d.Permit(ctx, tax, homeTransfer, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	d.counter.mu.Unlock()
	refused(t, <-done, "")
}

// TestGone: an agency that is in the file no more is neither admitted nor permitted.
func TestGone(t *testing.T) {
	d := newDesk(t)
	tax, err := d.Admit(callers.Credentials{Token: token, Address: inside})
	refused(t, err, "")
	d.Reload(directory(t, string(agency.Template())))
	_, err = d.Admit(callers.Credentials{Token: token, Address: inside})
	refused(t, err, agency.CodeUnauthenticated)
	refused(t, d.Permit(t.Context(), tax, homeTransfer, nil), agency.CodeUnauthenticated)
	_, _, err = d.AdmitClerk("counter", "wangfang", inside)
	refused(t, err, agency.CodeUnauthenticated)
}

func BenchmarkAdmitAndPermit(b *testing.B) {
	d := newDesk(b)
	text := strings.NewReplacer("{perSecond: 2, burst: 3}", "{perSecond: 1000000, burst: 1000000}", "dailyCap: 10\n", "dailyCap: 1000000000\n").Replace(file)
	d.Reload(directory(b, text))
	asks := []agency.Ask{{Type: "marriage", Fields: []string{"spouse1Name"}}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			d.clock.Advance(time.Second)
		}
		a, err := d.Admit(callers.Credentials{Token: token, Address: inside})
		if err == nil {
			err = d.Permit(b.Context(), a, homeTransfer, asks)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
