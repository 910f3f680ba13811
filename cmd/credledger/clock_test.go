package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// A city runs commands in this process, at a time of the test's choice.
type city struct {
	t   *testing.T
	dir string
	now time.Time
}

func newCity(t *testing.T) *city {
	c := &city{t, t.TempDir(), time.Date(2026, 6, 1, 9, 0, 0, 0, beijing)}
	for name, content := range map[string]string{
		"one.json": marriage, "two.json": strings.Replace(marriage, "990001", "990002", 1),
	} {
		if err := os.WriteFile(c.path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.run(exitDone, "init")
	c.run(exitDone, issueArgs("--out", c.path("m"), c.path("one.json"))...)
	return c
}

func (c *city) path(name string) string { return filepath.Join(c.dir, name) }

func (c *city) run(want int, args ...string) (stdout, stderr string) {
	c.t.Helper()
	var out, problems bytes.Buffer
	env := &environment{
		stdin: strings.NewReader(""), stdout: &out, stderr: &problems,
		getenv: func(string) string { return "" }, now: func() time.Time { return c.now },
	}
	if got := run(context.Background(), env, append(args, "--home", c.path("home"))); got != want {
		c.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, want, out.String(), problems.String())
	}
	return out.String(), problems.String()
}

// wantAxis verifies a file, and wants an outcome and the reason on an axis.
func (c *city) wantAxis(file string, exit int, axis, reason string, args ...string) {
	c.t.Helper()
	out, _ := c.run(exit, append([]string{"verify", "--json", file}, args...)...)
	values, err := commandtest.Values(out)
	if err != nil || len(values) != 1 {
		c.t.Fatalf("%v in %s", err, out)
	}
	if got := commandtest.At(values[0], "axes."+axis+".reason"); got != reason {
		c.t.Errorf("%s is %s, want %s", axis, got, reason)
	}
}

// A clock that was set back makes nothing look forged, issues nothing twice and dates nothing back.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	cred, began := c.path("m/licence-0000001.cred"), c.now
	c.wantAxis(cred, exitDone, "freshness", "fresh")

	c.now = began.Add(-time.Hour)
	c.wantAxis(cred, exitUndetermined, "freshness", "clock-behind")
	out, _ := c.run(exitDone, "issue", "--department", "civil-affairs", "--type", "marriage", "--out", c.path("n"), c.path("two.json"))
	if !strings.Contains(out, "the clock is 1h0m0s behind the newest licence") {
		t.Errorf("nothing is said of the clock: %s", out)
	}
	later := c.path("n/licence-0000001.cred")
	out, _ = c.run(exitDone, "show", "--json", later)
	if !strings.Contains(out, began.UTC().Format(`"issuedAt": "`+time.RFC3339)) {
		t.Errorf("dated back: %s", out)
	}
	c.run(exitDone, "status", "set", "--department", "civil-affairs", "--to", "suspended", "--reason", "court", later)
	c.run(exitFailed, issueArgs("--out", c.path("o"), c.path("one.json"))...)

	c.now = began.Add(time.Minute)
	c.wantAxis(cred, exitDone, "freshness", "fresh")
	c.wantAxis(later, exitNotCurrent, "status", "suspended")
	c.run(exitDone, "audit")
}

// A clock that was ahead for a while leaves licences that are dated ahead, and a ledger that is
// ahead; it is said so until the time has come.
func TestClockWasAhead(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	cred, began := c.path("m/licence-0000001.cred"), c.now
	c.now = began.AddDate(1, 0, 0)
	c.run(exitDone, issueArgs("--out", c.path("n"), c.path("two.json"))...)
	ahead := c.path("n/licence-0000001.cred")
	c.wantAxis(ahead, exitDone, "freshness", "fresh")

	c.now = began.Add(time.Hour)
	c.wantAxis(cred, exitUndetermined, "freshness", "clock-behind")
	c.wantAxis(ahead, exitUndetermined, "freshness", "clock-behind")
	c.run(exitDone, "audit")
	c.now = began.AddDate(1, 0, 1)
	c.wantAxis(cred, exitDone, "freshness", "fresh")
}

// A ledger on which nothing happens stays fresh with the authority's key in the home, and grows old
// without it.
func TestIdleLedger(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	cred := c.path("m/licence-0000001.cred")
	c.now = c.now.AddDate(0, 0, 30)
	c.wantAxis(cred, exitDone, "freshness", "fresh")
	if err := os.Remove(c.path("home/keys/data-bureau/service.pem")); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(23 * time.Hour)
	c.wantAxis(cred, exitDone, "freshness", "fresh")
	c.now = c.now.Add(2 * time.Hour)
	c.wantAxis(cred, exitUndetermined, "freshness", "stale")
}

// The proof of a holder, and the binding of his key, end when they say.
func TestHolderTimes(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	cred := c.path("m/licence-0000001.cred")
	key := c.path("home/keys/civil-affairs/service.pem") // any key that is at hand
	out, _ := c.run(exitDone, "keys", "export", "--department", "civil-affairs", "service")
	if err := os.WriteFile(c.path("holder.pub"), []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(exitDone, "bind", "--holder-key", c.path("holder.pub"), "--ttl", "24h", cred)
	asked := []string{"--audience", "counter", "--nonce", "0123456789abcdef"}
	present := append([]string{"present", cred, "--disclose", "spouse1Name", "--holder-key", key, "--ttl", "5m"}, asked...)
	show := func() string {
		code, _ := c.run(exitDone, present...)
		file := c.path("held.txt")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	asked = append(asked, "--require-holder")
	held := show()
	c.wantAxis(held, exitDone, "holder", "holder-proven", asked...)
	c.now = c.now.Add(8 * time.Minute)
	c.wantAxis(held, exitFailed, "holder", "proof-expired", asked...)
	c.wantAxis(held, exitDone, "holder", "proof-expired", asked[:4]...)
	c.now = c.now.Add(25 * time.Hour)
	c.wantAxis(show(), exitFailed, "holder", "binding-expired", asked...)
}
