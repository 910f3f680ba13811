//go:build network

package release

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/test/exchangetest"
	"github.com/credledger/credledger/test/fabrictest"
	"github.com/credledger/credledger/test/hometest"
)

const program = "github.com/credledger/credledger/cmd/credledger"

// A world is a network with the home of its authority.
type world struct {
	*hometest.Operator
	network *fabrictest.Network
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Operator: hometest.New(t, fabrictest.Program(t, program))}
	w.network = fabrictest.Start(t, fabrictest.Options{Heartbeat: w.Home})
	w.Run(0, "init", "--network", w.network.Network.Topology().Directory)
	return w
}

// department makes the home of a department, as its operator would: with its own keys, and what the authority publishes.
func (w *world) department(id string, more ...string) string {
	w.Helper()
	home := w.Path(id)
	for _, name := range append([]string{"credledger.yaml", "policy.signed"}, more...) {
		w.copy(filepath.Join(w.Home, name), filepath.Join(home, name))
	}
	keys, err := filepath.Glob(filepath.Join(w.Home, "keys", id, "*"))
	w.Must(err)
	for _, key := range keys {
		w.copy(key, filepath.Join(home, "keys", id, filepath.Base(key)))
	}
	return home
}

func (w *world) copy(from, to string) {
	w.Helper()
	b, err := os.ReadFile(from)
	w.Must(err)
	w.Must(os.MkdirAll(filepath.Dir(to), 0o700))
	w.Must(os.WriteFile(to, b, 0o600))
}

// Two departments' processes on the network, each with a home of its own: whatever one can ask the other, then with the
// network away, and back; and a third department, which has nothing but the ledger, checks what both show.
func TestReleaseOnNetwork(t *testing.T) {
	w := newWorld(t)
	tlcp := []string{"tlcp/signing.key", "tlcp/signing.crt", "tlcp/encryption.key", "tlcp/encryption.crt"}
	issuer := w.department(exchangetest.Issuer, append(tlcp, "vault/"+exchangetest.Issuer+".db")...)
	agency := w.department(exchangetest.Agency, append(tlcp, "verifier.yaml", "agencies.yaml")...)
	w.Must(os.MkdirAll(filepath.Join(agency, "verifier"), 0o700))
	third := w.department("market-regulation")

	x := exchangetest.New(w.Operator, issuer, agency)
	x.BeginIssuing()
	x.BeginAsking()
	evidence := x.Story()

	// The network goes: what the law gives is given by what both have seen, a withdrawal holds at once, and a grant holds once
	// the network is back.
	l := x.Issue(2)
	grant := x.Give(l, 5)
	x.Asking.Await("the grant", func() bool { return x.Ended(x.Ask(l.Digest, exchangetest.Granted, grant)).State == "released" })
	w.network.Down()
	if a := x.Ended(x.Ask(l.Digest, exchangetest.Free, "")); a.State != "released" {
		t.Errorf("in an outage: %+v", a)
	}
	x.Withdraw(grant)
	if a := x.Ended(x.Ask(l.Digest, exchangetest.Granted, grant)); a.Answer.Reason != "grant-withdrawn" {
		t.Errorf("withdrawn in an outage: %+v", a)
	}
	later := x.Give(l, 1)
	if a := x.Ended(x.Ask(l.Digest, exchangetest.Granted, later)); a.Answer.Reason != "grant-not-given" {
		t.Errorf("given in an outage: %+v", a)
	}
	w.network.Up()
	var last exchangetest.Answer
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last answer was %+v; the issuing service says\n%s", last, x.Issuing.Log)
		}
	})
	x.Asking.Await("the grant of the outage", func() bool {
		last = x.Ended(x.Ask(l.Digest, exchangetest.Granted, later)) // the grant has one use
		return last.State == "released"
	})
	evidence = append(evidence, x.Evidence(last.Request)...)
	x.End()
	x.Audited(third, evidence)
	x.Logs()
	w.Run(0, "audit")
}
