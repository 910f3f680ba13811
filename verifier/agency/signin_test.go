package agency_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/verifier/agency"
)

func TestSignIn(t *testing.T) {
	for _, c := range []struct {
		name, agency, clerk, password string
		code                          string
	}{
		{"right", "counter", "wangfang", password, ""},
		{"right, Chinese", "counter", "李雷", password, ""},
		{"wrong password", "counter", "wangfang", password + "r", agency.CodeSignIn},
		{"no password", "counter", "wangfang", "", agency.CodeSignIn},
		{"endless password", "counter", "wangfang", strings.Repeat(password, 1000), agency.CodeSignIn},
		{"the hash as password", "counter", "wangfang", hash, agency.CodeSignIn},
		{"no such clerk", "counter", "nobody", password, agency.CodeSignIn},
		{"no such agency", "police", "wangfang", password, agency.CodeSignIn},
		{"agency without clerks", "tax", "wangfang", password, agency.CodeSignIn},
		{"nothing", "", "", "", agency.CodeSignIn},
		{"endless name", "counter", strings.Repeat("x", 1<<20), password, agency.CodeSignIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, clerk, err := newDesk(t).SignIn(t.Context(), c.agency, c.clerk, c.password, inside)
			refused(t, err, c.code)
			if c.code == "" && (a.ID != c.agency || clerk.Name != c.clerk || !strings.HasPrefix(clerk.Unit, "综合窗口")) {
				t.Errorf("signed in %s of %s", clerk.Name, a.ID)
			}
		})
	}
}

func TestSignInFromElsewhere(t *testing.T) {
	text := strings.Replace(file, "onBehalf: [natural", "addresses: [10.20.0.0/16]\n    onBehalf: [natural", 1)
	d := newDesk(t)
	d.Reload(directory(t, text))
	outside := netip.MustParseAddr("203.0.113.9")
	_, _, err := d.SignIn(t.Context(), "counter", "wangfang", password, outside)
	refused(t, err, agency.CodeAddress)
	_, _, err = d.SignIn(t.Context(), "counter", "wangfang", "wrong password", outside)
	refused(t, err, agency.CodeSignIn) // no word on addresses to who does not know the password
	_, _, err = d.AdmitClerk("counter", "wangfang", outside)
	refused(t, err, agency.CodeAddress)
	a, clerk, err := d.AdmitClerk("counter", "wangfang", inside)
	refused(t, err, "")
	if a.ID != "counter" || clerk.Unit != "综合窗口3号" {
		t.Errorf("%s in %s", clerk.Unit, a.ID)
	}
	_, _, err = d.AdmitClerk("counter", "nobody", inside)
	refused(t, err, agency.CodeUnauthenticated)
}

// TestGuessing: attempts are held back, for names that are nobody's as for others, and one name is
// not held back for another.
func TestGuessing(t *testing.T) {
	d := newDesk(t)
	attempt := func(clerk, password string) error {
		_, _, err := d.SignIn(t.Context(), "counter", clerk, password, inside)
		return err
	}
	exhaust := func(clerk string, left int) {
		t.Helper()
		for range left {
			refused(t, attempt(clerk, "a guess"), agency.CodeSignIn)
		}
		r := refused(t, attempt(clerk, password), agency.CodeSignInLimited)
		if r.RetryAfter != 12*time.Second {
			t.Errorf("retry after %v", r.RetryAfter)
		}
	}
	exhaust("wangfang", 5)
	nobody := "nobody"
	for agency.Code(attempt(nobody, "a guess")) == agency.CodeSignInLimited { // it has the place of wangfang: one name in 4096
		nobody += "x"
	}
	exhaust(nobody, 4)
	d.clock.Advance(12 * time.Second)
	refused(t, attempt("wangfang", password), "")
	refused(t, attempt("wangfang", password), agency.CodeSignInLimited)
}

// TestCrowd: of a crowd that signs in at once some are asked to come again a moment later.
func TestCrowd(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const crowd = 200
	answers := make(chan error, crowd)
	for i := range crowd {
		go func() {
			_, _, err := d.SignIn(ctx, "counter", fmt.Sprint("clerk", i), password, inside)
			answers <- err
		}()
	}
	held := 0
	for range crowd {
		if err := <-answers; agency.Code(err) == agency.CodeSignInLimited {
			if r := refused(t, err, agency.CodeSignInLimited); r.RetryAfter != time.Second {
				t.Errorf("retry after %v", r.RetryAfter)
			}
			held++
			cancel() // the others need not go on
		}
	}
	if held == 0 {
		t.Error("all of them wait")
	}
}

// TestWrongNameTakesAsLong: whether there is such a clerk is not to be read off the time. The bound
// is wide, because the machine does other things: without a decoy the ratio is about a thousand.
func TestWrongNameTakesAsLong(t *testing.T) {
	d := newDesk(t)
	least := func(clerk string) time.Duration {
		shortest := time.Hour
		for range 3 {
			began := time.Now()
			_, _, err := d.SignIn(t.Context(), "counter", clerk, "a wrong password", inside)
			shortest = min(shortest, time.Since(began))
			refused(t, err, agency.CodeSignIn)
		}
		return shortest
	}
	known, unknown := least("wangfang"), least("nobody")
	if known > 5*unknown || unknown > 5*known {
		t.Errorf("a clerk takes %v, nobody %v", known, unknown)
	}
}
