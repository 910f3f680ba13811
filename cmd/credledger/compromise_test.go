package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/cmd/credledger/commandtest"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// robbed is the department whose key is stolen.
const robbed = "civil-affairs"

// elsewhere lets a thief use the city's commands: with the department's keys and its way to the ledger,
// but not the authority's heartbeats nor the department's vault, and with a clock of his choice.
func (c *city) elsewhere(clock time.Time, do func()) {
	c.t.Helper()
	honest := c.now
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}
	hidden := []string{c.path("home/keys/data-bureau/service.pem"), c.path("home/vault/" + robbed + ".db"), c.path("home/keys/" + robbed + "/master.keys")}
	for _, path := range hidden {
		must(os.Rename(path, path+".hidden"))
	}
	must(c.withLedger(func(ctx context.Context, h *home, _ ledger.Ledger) error { return h.newVault(ctx, robbed) }))
	c.now = clock
	c.run(exitDone, acceptLosses...)
	do()
	c.now = honest
	for _, path := range hidden {
		must(os.Rename(path+".hidden", path))
	}
}

// acceptLosses does without what a vault has lost, or never had.
var acceptLosses = []string{"vault", "accept-loss", "--department", robbed, "--all", "--purpose", "test"}

// withLedger gives the department's way to the ledger.
func (c *city) withLedger(do func(context.Context, *home, ledger.Ledger) error) error {
	c.t.Helper()
	env := &environment{getenv: func(string) string { return "" }, now: func() time.Time { return c.now }}
	h, err := (&call{environment: env, homeDir: c.path("home")}).openHome(c.t.Context(), robbed)
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := h.as(c.t.Context(), robbed)
	if err != nil {
		c.t.Fatal(err)
	}
	return errors.Join(do(c.t.Context(), h, l), h.close())
}

func (c *city) ledgerID() (id sm.Hash) {
	c.t.Helper()
	if err := c.withLedger(func(_ context.Context, h *home, _ ledger.Ledger) error {
		id = h.id
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return id
}

// rootOf is the root under which a credential was anchored.
func (c *city) rootOf(file string) string {
	c.t.Helper()
	out, _ := c.run(exitDone, "show", "--json", file)
	values, err := commandtest.Values(out)
	if err != nil || len(values) != 1 {
		c.t.Fatalf("%v in %s", err, out)
	}
	return commandtest.At(values[0], "root")
}

// head is an anchor of one licence, signed at a time of the signer's choice.
func head(t *testing.T, id sm.Hash, key sm.Signer, at time.Time) *chaincode.Transaction {
	t.Helper()
	var digest sm.Hash
	rand.Read(digest[:])
	signed, err := statement.Sign(&statement.Head{
		Ledger: id, Issuer: robbed, Unit: "marriage-registry", Type: "marriage", TypeVersion: 1,
		Root: credential.NewTree([]sm.Hash{digest}).Root(), Size: 1, SignedAt: govern.Seconds(at),
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return &chaincode.Transaction{Statements: [][]byte{signed}, Digests: digest[:]}
}

// A stolen key, with every clock lied about: the thief's, and that of the machine that declares the key
// compromised. The order of the ledger decides alone. What stands before the declaration stays valid
// but for the roots that are disowned; after it nothing is taken, whatever its date.
func TestStolenKey(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	began, id := c.now, c.ledgerID()
	before := c.path("m/licence-0000001.cred")
	stolen, err := readPrivateKey(c.path("home/keys/" + robbed + "/anchor.pem"))
	if err != nil {
		t.Fatal(err)
	}

	// The thief dates what he anchors back and ahead; meanwhile the department goes on.
	forged := map[string]string{}
	steal := func(name string, clock time.Time, prepare ...string) {
		t.Helper()
		c.elsewhere(clock, func() {
			if len(prepare) > 0 {
				c.run(exitDone, prepare...)
			}
			c.run(exitDone, issueArgs("--out", c.path(name), c.path("one.json"))...)
			forged[name] = c.path(name + "/licence-0000001.cred")
		})
	}
	steal("back", began.AddDate(-6, 0, 0))
	c.now = began.Add(time.Hour)
	_, alarm := c.run(exitFailed, issueArgs("--out", c.path("n"), c.path("two.json"), "--json")...)
	if !strings.Contains(alarm, "contents-lost") {
		t.Errorf("the department does not notice what it has not issued itself: %s", alarm)
	}
	c.run(exitDone, acceptLosses...) // they take it for a mishap of their own
	c.run(exitDone, issueArgs("--out", c.path("n"), c.path("two.json"))...)
	meanwhile := c.path("n/licence-0000001.cred")
	steal("ahead", began.AddDate(5, 0, 0))

	// Before he is found out he puts a key of his own in the stolen one's place.
	steal("own", began.AddDate(-1, 0, 0), "keys", "rotate", "--department", robbed, "anchor")
	own, err := readPrivateKey(c.path("home/keys/" + robbed + "/anchor-2.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.path("home/keys/" + robbed + "/anchor-2.pem")); err != nil {
		t.Fatal(err)
	}
	c.now = began.Add(2 * time.Hour)
	c.wantAxis(forged["back"], exitDone, "issuer", "signature-valid")
	c.wantAxis(forged["own"], exitDone, "issuer", "signature-valid")

	// The department misses its key, and finds the other one on the ledger. The machine on which it
	// declares both compromised believes that it is years earlier.
	_, problems := c.run(exitFailed, issueArgs("--out", c.path("x"), c.path("one.json"), "--json")...)
	if !strings.Contains(problems, "signer-missing") {
		t.Errorf("the department does not miss its key: %s", problems)
	}
	if out, _ := c.run(exitDone, "ledger", "show"); !strings.Contains(out, own.Public().ID().String()[:16]) {
		t.Errorf("the thief's key is not to be seen: %s", out)
	}
	c.now = began.AddDate(-8, 0, 0)
	c.run(exitDone, "keys", "compromise", "--department", robbed, "anchor",
		"--disown", c.rootOf(forged["back"])+","+c.rootOf(forged["ahead"]))
	c.run(exitDone, "keys", "compromise", "--department", robbed, own.Public().ID().String(), "--disown", c.rootOf(forged["own"]))

	c.now = began.Add(3 * time.Hour)
	for _, cred := range []string{before, meanwhile} {
		c.wantAxis(cred, exitDone, "issuer", "signature-valid")
	}
	for _, cred := range forged {
		c.wantAxis(cred, exitFailed, "issuer", "anchor-disowned")
		c.wantAxis(cred, exitFailed, "issuer", "anchor-disowned", "--as-of", "2020-07-01")
	}

	// Whatever he dates now, and however he tries to get another key: nothing is taken.
	if err := c.withLedger(func(ctx context.Context, h *home, l ledger.Ledger) error {
		for _, key := range []*sm.PrivateKey{stolen, own} {
			for _, at := range []time.Time{time.Unix(0, 0), began.AddDate(-9, 0, 0), began, c.now, began.AddDate(50, 0, 0)} {
				if _, err := l.Submit(ctx, head(t, id, key, at)); chaincode.Code(err) != chaincode.CodeKeyCompromised {
					t.Errorf("a head dated %s: %v", at, err)
				}
				next, err := sm.GenerateKey(nil)
				if err != nil {
					return err
				}
				err = govern.Enrol(ctx, l, id, robbed, statement.PurposeAnchor, at, next, key)
				if chaincode.Code(err) != chaincode.CodeKeyCompromised {
					t.Errorf("a new key, dated %s: %v", at, err)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	// The department goes on with a new key, and the audit has nothing against any of it.
	c.run(exitDone, "keys", "generate", "--department", robbed, "--name", "anchor-new", "--purposes", "anchor")
	three := c.path("three.json")
	if err := os.WriteFile(three, []byte(strings.Replace(marriage, "990001", "990003", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(exitDone, issueArgs("--out", c.path("after"), three)...)
	for _, cred := range []string{before, meanwhile, c.path("after/licence-0000001.cred")} {
		c.wantAxis(cred, exitDone, "issuer", "signature-valid")
	}
	if err := c.withLedger(func(ctx context.Context, h *home, l ledger.Ledger) error {
		key, err := readPrivateKey(h.keyFile(robbed, "anchor-new"))
		if err == nil {
			_, err = l.Submit(ctx, head(t, id, key, began.AddDate(-9, 0, 0)))
		}
		return err
	}); err != nil {
		t.Errorf("the same head, signed with a key in force: %v", err)
	}
	c.run(exitDone, "audit")
}
