package release_test

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/statement"
)

func init() {
	cases["many at once"] = testManyAtOnce
	cases["one request, many times at once"] = testOneAtOnce
	cases["withdrawn while it is used"] = testWithdrawnMeanwhile
	cases["changed after it was opened"] = testChangedMeanwhile
}

// secondDesk is a desk with a handle of the vault of its own, as another process has.
func (o *office) secondDesk() *release.Desk {
	o.Helper()
	keys, err := masterkey.Open(o.path("master.keys"))
	o.must(err)
	v, err := vault.Open(o.Context(), o.address, keys, o.time)
	o.must(err)
	o.Cleanup(func() { v.Close() })
	c := o.config
	c.Vault = v
	return o.newDesk(c)
}

// testManyAtOnce uses a grant of ten uses with 64 requests at the same time, in two processes.
func testManyAtOnce(t *testing.T, o *office) {
	const requests, uses = 64, 10
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, uses)
	desks := []*release.Desk{o.desk, o.secondDesk()}
	asked := make([]*asked, requests)
	answered := make([]*release.Answered, requests)
	for i := range asked {
		asked[i] = o.ask(l, g, nil)
	}
	var all sync.WaitGroup
	for i := range asked {
		all.Go(func() {
			var err error
			if answered[i], err = desks[i%2].Answer(t.Context(), asked[i].signed, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	var numbers []uint32
	for i, a := range answered {
		if a.Answer.Outcome == statement.AnswerReleased {
			o.released(asked[i], a)
			numbers = append(numbers, a.Answer.Use)
		} else if a.Answer.Reason != grant.CodeUsedUp {
			t.Errorf("refused for %s", a.Answer.Reason)
		}
	}
	slices.Sort(numbers)
	if !slices.Equal(numbers, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("the uses are %v", numbers)
	}
	if kept, err := o.desk.Grant(t.Context(), g.Digest); err != nil || kept.Used != uses {
		t.Errorf("it was used %d times, %v", kept.Used, err)
	}
	if n := len(o.entries()); n != requests {
		t.Errorf("the log has %d entries", n)
	}
}

// testOneAtOnce sends the same request many times at the same time, to two processes.
func testOneAtOnce(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 10)
	desks := []*release.Desk{o.desk, o.secondDesk()}
	a := o.ask(l, g, nil)
	answered := make([]*release.Answered, 16)
	var all sync.WaitGroup
	for i := range answered {
		all.Go(func() {
			var err error
			if answered[i], err = desks[i%2].Answer(t.Context(), a.signed, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	first := 0
	for _, other := range answered {
		if !bytes.Equal(other.Evidence.Answer, answered[0].Evidence.Answer) || !bytes.Equal(other.Sealed, answered[0].Sealed) {
			t.Fatal("the same request got two answers")
		}
		if !other.Earlier {
			first++
		}
	}
	if kept, err := o.desk.Grant(t.Context(), g.Digest); err != nil || kept.Used != 1 || first != 1 {
		t.Errorf("it was used %d times, answered first %d times, %v", kept.Used, first, err)
	}
}

// testWithdrawnMeanwhile withdraws a grant while requests under it are answered: no use has a number that comes after it, and
// nobody who asks later gets anything.
func testWithdrawnMeanwhile(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	l := o.issue(1)
	g := o.give(l, 1000)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				out, err := o.desk.Answer(t.Context(), o.ask(l, g, nil).signed, nil)
				if err != nil || out.Answer.Outcome == statement.AnswerRefused && out.Answer.Reason != grant.CodeWithdrawn {
					t.Errorf("%+v, %v", out, err)
				}
			}
		})
	}
	back, err := o.desk.Withdraw(t.Context(), clerk, g.Digest, counter)
	if err != nil || back.State != vault.GrantWithdrawn {
		t.Fatal(err)
	}
	o.refused(o.ask(l, g, nil), grant.CodeWithdrawn)
	all.Wait()
	after, err := o.desk.Grant(t.Context(), g.Digest)
	if err != nil || after.Used != back.Used {
		t.Errorf("used %d times when it was withdrawn, and %d later, %v", back.Used, after.Used, err)
	}
}

// testChangedMeanwhile changes what a decision went by, after the licence was opened for it: it is decided anew.
func testChangedMeanwhile(t *testing.T, o *office) {
	o.byLaw("registrationDate")
	another := o.secondDesk()
	for what, c := range map[string]struct {
		reason string
		change func(*vault.Licence, *release.Grant)
	}{
		"withdrawn": {grant.CodeWithdrawn, func(_ *vault.Licence, g *release.Grant) {
			_, err := another.Withdraw(t.Context(), clerk, g.Digest, counter)
			o.must(err)
		}},
		"used up": {grant.CodeUsedUp, func(l *vault.Licence, g *release.Grant) {
			_, err := another.Answer(t.Context(), o.ask(l, g, nil).signed, nil)
			o.must(err)
		}},
		"erased": {policy.CodeLicenceUnknown, func(l *vault.Licence, _ *release.Grant) {
			o.must(o.vault.Write(t.Context(), clerk, func(tx *vault.Tx) error { return tx.Erase(l.ID) }))
		}},
	} {
		t.Run(what, func(t *testing.T) {
			l := o.issue(len(what))
			o.issue(100 + len(what)) // and the batch before is known to be on the ledger
			g := o.give(l, 1)
			o.desk.EndAfter(func(step string) error {
				if step == release.AnswerSteps[0] {
					o.desk.EndAfter(func(string) error { return nil })
					c.change(l, g)
				}
				return nil
			})
			a := o.ask(l, g, nil)
			out := o.refused(a, c.reason)
			if out.Answer.Use != 0 || o.opened(l) == 0 {
				t.Errorf("answered %+v", out.Answer)
			}
			if kept, err := o.desk.Grant(t.Context(), g.Digest); err != nil || kept.Used > 1 || kept.Used == 1 && c.reason != grant.CodeUsedUp {
				t.Errorf("it was used %d times, %v", kept.Used, err)
			}
		})
	}
}
