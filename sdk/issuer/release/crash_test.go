package release_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// A child process opens an office's directory and does there what its environment says; see TestMain and child.
const childVariable = "RELEASE_TEST_CHILD"

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		child(strings.Split(order, "|"))
		return
	}
	os.Exit(m.Run())
}

// A stranger stands in for the test in a child: whatever fails ends the process.
type stranger struct{ *testing.B }

func (stranger) Helper()                   {}
func (stranger) Context() context.Context  { return context.Background() }
func (stranger) Fatal(args ...any)         { fmt.Fprintln(os.Stderr, args...); os.Exit(1) }
func (stranger) Fatalf(f string, a ...any) { fmt.Fprintf(os.Stderr, f, a...); os.Exit(1) }

// child's order is: directory, address of the vault, ledger id, what to do, a step after which it kills itself, and of a grant
// the digest.
func child(order []string) {
	id, err := sm.ParseHash(order[2])
	if err != nil {
		panic(err)
	}
	o := &office{TB: stranger{}, dir: order[0], address: order[1], city: ledgertest.NewCity(stranger{}, "child"), now: officeTime}
	o.city.ID = id
	o.issuing, o.agency, o.typ = o.city.Issuer(o, "marriage"), o.city.Department(o, ledgertest.Properties), o.city.Type(o, "marriage")
	o.open()
	o.desk.EndAfter(func(step string) error {
		if step == order[4] {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	})
	switch order[3] {
	case "answer":
		request, err := os.ReadFile(o.path("request"))
		o.must(err)
		_, err = o.desk.Answer(o.Context(), request, nil)
		o.must(err)
	case "give":
		l, err := o.vault.Licence(o.Context(), 1)
		o.must(err)
		o.give(l, 5)
	case "withdraw":
		digest, err := sm.ParseHash(order[5])
		o.must(err)
		_, err = o.desk.Withdraw(o.Context(), clerk, digest, counter)
		o.must(err)
	}
	o.close()
}

// kill has a child do something and kill itself after a step, while the office is closed, and opens that again.
func (o *office) kill(what, step string, more ...string) {
	o.Helper()
	o.close()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+strings.Join(append([]string{o.dir, o.address, o.city.ID.String(), what, step}, more...), "|"))
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		o.Fatalf("the child was not killed after %s: %v\n%s", step, err, out)
	}
	o.open()
}

// TestKilledWhileAnswering kills processes after each step of an answer; the agency sends its request again.
func TestKilledWhileAnswering(t *testing.T) {
	for _, step := range release.AnswerSteps {
		for _, settled := range []bool{false, true} {
			t.Run(fmt.Sprint(step, " settled ", settled), func(t *testing.T) { testKilledAnswering(t, newOffice(t, ""), step, settled) })
		}
	}
}

// testKilledAnswering kills a process after a step, and answers what it was about to answer; settled: after what was left undone
// was done.
func testKilledAnswering(t *testing.T, o *office, step string, settled bool) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 2)
	a := o.ask(l, g, nil)
	o.must(os.WriteFile(o.path("request"), a.signed, 0o600))
	o.kill("answer", step)
	before := len(o.entries())
	if settled {
		o.must(o.desk.Settle(t.Context()))
		if kept, err := o.vault.Answer(t.Context(), a.digest); step != release.AnswerSteps[0] && (err != nil || !kept.Logged || len(o.entries()) == 0) {
			t.Fatalf("it is not in the log: %v", err)
		}
	}
	out := o.answer(a)
	if out.Answer.Use != 1 || out.Sealed == nil || out.Earlier == (step == release.AnswerSteps[0]) {
		t.Errorf("answered %+v", out.Answer)
	}
	evidence, err := o.desk.Evidence(t.Context(), a.digest)
	o.must(err)
	o.see()
	if _, err := evidence.Check(o.index.Grants()); err != nil {
		t.Error(err)
	}
	entries := o.entries()
	for _, e := range entries {
		if e.Call != access.RequestCall(a.digest) || e.Outcome != access.Released {
			t.Errorf("an entry %+v", e)
		}
	}
	if len(entries) != before+1 {
		t.Errorf("%d entries, %d when it was killed", len(entries), before)
	}
	second, out := used(o, l, g)
	o.released(second, out)
	if out.Answer.Use != 2 {
		t.Errorf("the next use has number %d", out.Answer.Use)
	}
	o.refused(o.ask(l, g, nil), grant.CodeUsedUp)
}

// TestKilledWhileGiving kills processes after each step of a grant and of its withdrawal.
func TestKilledWhileGiving(t *testing.T) {
	for _, step := range release.GrantSteps {
		t.Run("given, "+step, func(t *testing.T) { testKilledGiving(t, newOffice(t, ""), step) })
	}
	for _, step := range release.BackSteps {
		t.Run("withdrawn, "+step, func(t *testing.T) { testKilledWithdrawing(t, newOffice(t, ""), step) })
	}
}

func testKilledGiving(t *testing.T, o *office, step string) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	o.kill("give", step)
	o.must(o.desk.Settle(t.Context()))
	all, err := o.desk.Grants(t.Context(), l.ID)
	if err != nil || len(all) != 1 || all[0].State != vault.GrantGiven || o.consentOf(all[0].Digest) != statement.ConsentGive {
		t.Fatalf("%d grants, %v", len(all), err)
	}
	o.released(used(o, l, all[0]))
}

func testKilledWithdrawing(t *testing.T, o *office, step string) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 5)
	o.kill("withdraw", step, g.Digest.String())
	o.refused(o.ask(l, g, nil), grant.CodeWithdrawn)
	o.must(o.desk.Settle(t.Context()))
	back, err := o.desk.Grant(t.Context(), g.Digest)
	if err != nil || back.State != vault.GrantWithdrawn || !back.Settled || o.consentOf(g.Digest) != statement.ConsentWithdraw {
		t.Errorf("withdrawn: %+v, %v", back, err)
	}
}

// TestEndedAndGoneOn ends an answer after each step by an error, as a log that fails does, and sends the request again.
func TestEndedAndGoneOn(t *testing.T) {
	o := newOffice(t, "")
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 9)
	end := errors.New("ended by the test")
	for i, step := range release.AnswerSteps {
		a := o.ask(l, g, nil)
		o.desk.EndAfter(func(s string) error {
			if s == step {
				return end
			}
			return nil
		})
		if _, err := o.desk.Answer(t.Context(), a.signed, nil); !errors.Is(err, end) {
			t.Fatalf("after %s: %v", step, err)
		}
		o.desk.EndAfter(func(string) error { return nil })
		out := o.answer(a)
		o.released(a, out) // and one entry
		if out.Answer.Use != uint32(i+1) {
			t.Errorf("use %d", out.Answer.Use)
		}
	}
	o.must(o.desk.Settle(t.Context()))
	if left, err := o.vault.UnloggedAnswers(t.Context(), 0, 10); err != nil || len(left) != 0 {
		t.Errorf("%d answers are not known to be logged, %v", len(left), err)
	}
}
