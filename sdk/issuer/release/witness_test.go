package release_test

import (
	"os"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/verifier/accesslog"
)

// copyVault copies the vault's file, while nobody has it open.
func (o *office) copyVault(from, to string) {
	o.Helper()
	b, err := os.ReadFile(o.path(from))
	o.must(err)
	o.must(os.WriteFile(o.path(to), b, 0o600))
}

// TestOldCopy puts an old copy of the vault back: it does not know what was answered since, and gives no number of a use twice.
func TestOldCopy(t *testing.T) {
	for name, uncompared := range map[string]bool{"compared before": false, "never compared": true} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, "")
			o.byLaw("registrationDate")
			l := o.issue(1)
			g := o.give(l, 5)
			if !uncompared {
				o.released(used(o, l, g))
				o.must(o.desk.Settle(t.Context()))
			}
			o.close()
			o.copyVault("vault.db", "old.db")
			o.open()
			a, first := used(o, l, g)
			o.released(a, first)
			o.pass(time.Second)
			o.reopen() // nothing was put back
			if again := o.answer(a); !again.Earlier || again.Sealed == nil {
				t.Error("a vault that is in order does not know its answer")
			}
			o.close()
			o.copyVault("old.db", "vault.db")
			o.open()
			_, err := o.desk.Answer(t.Context(), a.signed, nil)
			hasCode(t, err, release.CodeForgotten)
			o.pass(time.Second)
			o.refused(o.ask(l, g, nil), grant.CodeUsedUp)
			events, err := o.vault.Events(t.Context(), 0, 100)
			o.must(err)
			if last := events[len(events)-1]; last.Action != vault.ActionGrantsEnded {
				t.Errorf("the history ends with %s", last.Action)
			}
			fresh := o.give(l, 5) // which is not ended by the next process
			o.must(o.desk.Settle(t.Context()))
			o.reopen()
			second, out := used(o, l, fresh)
			o.released(second, out)
			if out.Answer.Use != 1 {
				t.Errorf("use %d", out.Answer.Use)
			}
		})
	}
}

// TestOldLog puts an old copy of the access log back; then a new log is begun.
func TestOldLog(t *testing.T) {
	o := newOffice(t, "")
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 5)
	o.released(used(o, l, g))
	o.must(o.desk.Settle(t.Context()))
	c := o.config
	id := o.log.Identity()
	empty := func(name string) *accesslog.Log {
		id.Log = name
		dir := t.TempDir() + "/log"
		o.must(accesslog.Create(dir, id))
		log, err := accesslog.Open(dir, o.issuing.Log, o.time)
		o.must(err)
		t.Cleanup(func() { o.must(log.Close()) })
		return log
	}
	c.Log = empty("releases")
	_, err := release.New(t.Context(), c)
	hasCode(t, err, accesslog.CodeRolledBack)
	c.Log = empty("releases-2")
	o.desk = o.newDesk(c)
	if out := o.answer(o.ask(l, g, nil)); out.Answer.Use != 2 {
		t.Errorf("with a new log: %+v", out.Answer)
	}
}
