package index_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
)

// TestGrants: those who judge grants see what a department said last of each, and its keys as they
// are, live and after a restart alike.
func TestGrants(t *testing.T) {
	w := newTown(t)
	marriages, properties := w.city.Department(t, ledgertest.Marriages), w.city.Department(t, ledgertest.Properties)
	digest := func(name string) sm.Hash { return sm.Sum([]byte(name)) }
	w.consent(marriages, digest("given"), statement.ConsentGive)
	w.consent(marriages, digest("given and withdrawn"), statement.ConsentGive)
	w.beat()
	w.consent(marriages, digest("given and withdrawn"), statement.ConsentWithdraw)
	w.consent(marriages, digest("a binding"), statement.ConsentWithdraw)
	w.submit(properties.ID, ledgertest.Sign(t, w.city.EndKey(properties.ID, properties.Consent, statement.KeyRetire), properties.Govern))
	w.submit(properties.ID, ledgertest.Sign(t, w.city.EndKey(properties.ID, properties.Log, statement.KeyCompromise), properties.Govern))

	dir := t.TempDir()
	for _, when := range []string{"live", "after a restart"} {
		x, err := index.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		stop := follow(t, x, w.as(ledgertest.Authority))
		wait(t, x, w.height())
		view := x.Grants()
		if view.Ledger() != w.city.ID {
			t.Errorf("%s: the ledger is %s", when, view.Ledger())
		}
		for _, c := range []struct{ department, of, want string }{
			{marriages.ID, "given", statement.ConsentGive},
			{marriages.ID, "given and withdrawn", statement.ConsentWithdraw},
			{marriages.ID, "a binding", statement.ConsentWithdraw},
			{marriages.ID, "nothing", ""},
			{properties.ID, "given", ""},
			{properties.ID, "a binding", ""},
			{"nobody", "given", ""},
		} {
			if got := view.Consent(c.department, digest(c.of)); got != c.want {
				t.Errorf("%s: the consent of %s to %s is %q, want %q", when, c.department, c.of, got, c.want)
			}
		}
		for _, c := range []struct {
			key   *sm.PrivateKey
			owner string
			use   statement.Purposes
			state grant.KeyState
		}{
			{marriages.Consent, marriages.ID, statement.PurposeConsent, grant.KeyActive},
			{properties.Consent, properties.ID, statement.PurposeConsent, grant.KeyRetired},
			{properties.Log, properties.ID, statement.PurposeLog, grant.KeyCompromised},
		} {
			known := x.Key(c.key.Public().ID())
			got := view.Key(c.key.Public().ID())
			if known == nil || got == nil || got.Department != c.owner || got.Purposes != c.use || got.State != c.state ||
				!got.Public.Equal(c.key.Public()) || got.NotBefore != known.NotBefore || got.NotAfter != known.NotAfter {
				t.Errorf("%s: a key of %s is %+v, the index has %+v", when, c.owner, got, known)
			}
		}
		if got := view.Key(digest("nothing")); got != nil {
			t.Errorf("%s: a key that nobody enrolled is %+v", when, got)
		}
		_ = stop()
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
