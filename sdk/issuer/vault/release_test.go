package vault

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

func init() {
	allTables = append(allTables, "vault_policy", "vault_grant", "vault_identification", "vault_answer", "vault_digest", "vault_indexed")
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"grants", testGrants}, {"withdrawn grants", testWithdrawnGrants}, {"uses of a grant", testUses}, {"answers", testAnswers}, {"policies", testPolicies},
		{"found by digest", testNamed}, {"release of an erased licence", testErasedRelease}, {"a stolen copy with releases", testStolenRelease}, {"releases in each other's place", testSwappedRelease}, {"place in the access log", testWitness},
	}...)
}

// grantOf is a grant of a licence.
func (p *place) grantOf(id ID, name string, uses uint32) *Grant {
	return &Grant{Digest: sm.Sum([]byte(name)), Licence: id, Signed: []byte("signed grant-secret " + name), Binding: []byte("binding-secret"), Uses: uses, NotAfter: p.time().Add(time.Hour)}
}

// addGrant keeps a grant with an identification, and has it given.
func (p *place) addGrant(t testing.TB, v *Vault, id ID, name string, uses uint32) *Grant {
	t.Helper()
	g := p.grantOf(id, name, uses)
	kept, err := v.KeepIdentification(t.Context(), id, g.Digest, Identification{Salt: credential.Salt{1}, Record: "identified-secret"})
	must(t, err)
	write(t, v, func(tx *Tx) error {
		added, err := tx.AddGrant(g, kept)
		if !added {
			t.Errorf("the vault has it already, %v", err)
		}
		return errors.Join(err, tx.GrantGiven(g.Digest))
	})
	return g
}

func testGrants(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	g := p.grantOf(b.First, "one", 3)
	identified := Identification{Salt: credential.Salt{7}, Record: "identified-secret"}
	kept, err := v.KeepIdentification(t.Context(), b.First, g.Digest, identified)
	must(t, err)
	for _, first := range []bool{true, false} {
		write(t, v, func(tx *Tx) error {
			added, err := tx.AddGrant(g, kept)
			same(t, "added", added, first)
			return err
		})
	}
	got, err := v.Grant(t.Context(), g.Digest)
	must(t, err)
	if got.State != GrantKept || got.Settled || got.Licence != b.First || !bytes.Equal(got.Signed, g.Signed) || !bytes.Equal(got.Binding, g.Binding) || got.Uses != 3 || got.Used != 0 ||
		!got.NotAfter.Equal(g.NotAfter.Truncate(time.Second)) || got.By != clerk || got.Withdrawal != nil || got.WithdrawnAt != nil {
		t.Fatalf("the grant is %+v", got)
	}
	unsettled := func() (names []sm.Hash) {
		t.Helper()
		all, err := v.UnsettledGrants(t.Context(), 10)
		must(t, err)
		for _, g := range all {
			names = append(names, g.Digest)
		}
		return names
	}
	same(t, "unsettled", len(unsettled()), 1)
	write(t, v, func(tx *Tx) error { return tx.GrantGiven(g.Digest) })
	same(t, "unsettled", len(unsettled()), 0)
	write(t, v, func(tx *Tx) error { return tx.DropGrant(g.Digest) }) // too late
	p.pass(time.Second)
	second := p.addGrant(t, v, b.First, "two", 1)
	of, err := v.Grants(t.Context(), b.First)
	must(t, err)
	if len(of) != 2 || of[0].Digest != second.Digest || of[1].State != GrantGiven || !of[1].Settled {
		t.Fatalf("%d grants of the licence", len(of))
	}
	i, err := v.GrantIdentification(t.Context(), clerk, g.Digest)
	must(t, err)
	same(t, "identification", *i, identified)
	_, err = v.WithdrawalIdentification(t.Context(), clerk, g.Digest)
	refused(t, err, CodeUnknown)
	history, err := v.History(t.Context(), b.First)
	must(t, err)
	same(t, "granted", countActions(history, ActionGranted), 2)
	same(t, "opened", countActions(history, ActionOpened), 1)

	// One that the ledger has refused, and one that has ended before it was there.
	for _, name := range []string{"refused", "ended"} {
		g := p.grantOf(b.First+1, name, 1)
		write(t, v, func(tx *Tx) error { _, err := tx.AddGrant(g, nil); return err })
	}
	write(t, v, func(tx *Tx) error { return tx.DropGrant(sm.Sum([]byte("refused"))) })
	_, err = v.Grant(t.Context(), sm.Sum([]byte("refused")))
	refused(t, err, CodeUnknown)
	same(t, "unsettled", len(unsettled()), 1)
	p.pass(2 * time.Hour)
	same(t, "unsettled", len(unsettled()), 0)

	_, err = v.KeepIdentification(t.Context(), b.First, g.Digest, Identification{})
	refused(t, err, CodeArgument)
	_, err = v.KeepIdentification(t.Context(), 99, g.Digest, identified)
	refused(t, err, CodeUnknown)
	for _, bad := range []struct {
		change func(*Grant)
		with   *KeptIdentification
		code   string
	}{
		{func(g *Grant) { g.Signed = nil }, nil, CodeArgument},
		{func(g *Grant) { g.Signed = make([]byte, maxGrantStatement+1) }, nil, CodeArgument},
		{func(g *Grant) { g.Binding = make([]byte, maxBindingStatement+1) }, nil, CodeArgument},
		{func(g *Grant) { g.Uses = 0 }, nil, CodeArgument},
		{func(g *Grant) { g.Licence = 99 }, nil, CodeUnknown},
		{func(*Grant) {}, kept, CodeArgument}, // of another grant
	} {
		g := p.grantOf(b.First, "bad", 1)
		bad.change(g)
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.AddGrant(g, bad.with); return err }), bad.code)
	}
}

func testWithdrawnGrants(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	p.anchor(t, v, b)
	g := p.addGrant(t, v, b.First, "one", 3)
	a := p.answerTo("a", g, 1)
	write(t, v, func(tx *Tx) error {
		n, err := tx.UseGrant(g.Digest)
		same(t, "number", n, 1)
		return errors.Join(err, tx.AddAnswer(a))
	})
	w := &Withdrawal{Signed: []byte("withdrawal-secret"), Binding: []byte("other binding-secret")}
	identified := Identification{Salt: credential.Salt{9}, Record: "identified-secret again"}
	kept, err := v.KeepIdentification(t.Context(), b.First, g.Digest, identified)
	must(t, err)
	for _, first := range []bool{true, false} {
		write(t, v, func(tx *Tx) error {
			done, err := tx.WithdrawGrant(g.Digest, w, kept)
			same(t, "withdrawn", done, first)
			return err
		})
		p.pass(time.Second)
	}
	got, err := v.Grant(t.Context(), g.Digest)
	must(t, err)
	if got.State != GrantWithdrawn || got.Settled || got.Used != 1 || !got.WithdrawnAt.Equal(p.time().Add(-2*time.Second).Truncate(time.Second)) ||
		!bytes.Equal(got.Withdrawal.Signed, w.Signed) || !bytes.Equal(got.Withdrawal.Binding, w.Binding) || got.Withdrawal.By != clerk {
		t.Fatalf("the grant is %+v", got)
	}
	i, err := v.WithdrawalIdentification(t.Context(), clerk, g.Digest)
	must(t, err)
	same(t, "identification", *i, identified)
	write(t, v, func(tx *Tx) error { return tx.GrantGiven(g.Digest) }) // final
	write(t, v, func(tx *Tx) error {
		n, err := tx.UseGrant(g.Digest)
		same(t, "number", n, 0)
		return err
	})
	answered, err := v.Answer(t.Context(), a.Request)
	must(t, err)
	same(t, "what was released", answered.Envelope == nil, true)
	p.pass(2 * time.Hour) // after its end the ledger has to know all the same
	all, err := v.UnsettledGrants(t.Context(), 10)
	must(t, err)
	same(t, "unsettled", len(all), 1)
	write(t, v, func(tx *Tx) error { return tx.WithdrawalSettled(g.Digest) })
	all, err = v.UnsettledGrants(t.Context(), 10)
	must(t, err)
	same(t, "unsettled", len(all), 0)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.WithdrawGrant(sm.Hash{}, w, nil); return err }), CodeUnknown)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.WithdrawGrant(g.Digest, &Withdrawal{}, nil); return err }), CodeArgument)
}

// testUses has many use a grant at the same time, some of whom do not come to an end.
func testUses(t *testing.T, p *place) {
	vaults := []*Vault{p.create(t), p.open(t)}
	b := p.add(t, vaults[0], p.deposits(1))
	p.anchor(t, vaults[0], b)
	g := p.addGrant(t, vaults[0], b.First, "one", 10)
	var used [11]atomic.Int32
	undone := errors.New("undone")
	inParallel(32, func(i int) {
		var n uint32
		err := vaults[i%2].Write(t.Context(), clerk, func(tx *Tx) (err error) {
			if n, err = tx.UseGrant(g.Digest); err == nil && i%4 == 3 {
				return undone
			}
			return err
		})
		if err == nil && n > 0 {
			used[n].Add(1)
		} else if err != nil && !errors.Is(err, undone) {
			t.Error(err)
		}
	})
	for n := 1; n < len(used); n++ {
		same(t, fmt.Sprint("times that use ", n, " was counted"), used[n].Load(), 1)
	}
	got, err := vaults[0].Grant(t.Context(), g.Digest)
	must(t, err)
	same(t, "used", got.Used, 10)
}

func testPolicies(t *testing.T, p *place) {
	v := p.create(t)
	add := func(version uint32, text string) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddPolicy(Policy{version, []byte(text)}) })
	}
	must(t, add(2, "second"))
	must(t, add(7, "seventh"))
	same(t, "code", sqldb.Code(add(7, "another")), sqldb.CodeUnique)
	refused(t, add(0, "none"), CodeArgument)
	refused(t, add(8, ""), CodeArgument)
	all, err := v.Policies(t.Context(), 0)
	must(t, err)
	if len(all) != 2 || all[0].Version != 2 || string(all[1].Signed) != "seventh" {
		t.Fatalf("%+v", all)
	}
	newer, err := v.Policies(t.Context(), 2)
	must(t, err)
	same(t, "newer", len(newer), 1)
}

func testErasedRelease(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	g := p.addGrant(t, v, b.First, "one", 9)
	other := p.addGrant(t, v, b.First+1, "other", 9)
	write(t, v, func(tx *Tx) error {
		return errors.Join(tx.AddAnswer(p.answerTo("a", g, 1)), tx.AddAnswer(p.answerTo("b", other, 1)))
	})
	late := p.grantOf(b.First, "late", 1)
	write(t, v, func(tx *Tx) error { return tx.Erase(b.First) })
	same(t, "identifications", count(t, v, "vault_identification", "1 = 1"), 1)
	_, err := v.GrantIdentification(t.Context(), clerk, g.Digest)
	refused(t, err, CodeUnknown)
	kept, err := v.Grant(t.Context(), g.Digest)
	must(t, err)
	sameBytes(t, "grant", kept.Signed, g.Signed)
	a, err := v.Answer(t.Context(), sm.Sum([]byte("a")))
	must(t, err)
	if a.Envelope != nil || len(a.Answered) == 0 {
		t.Errorf("of an erased licence there is %+v", a)
	}
	if b, err := v.Answer(t.Context(), sm.Sum([]byte("b"))); err != nil || b.Envelope == nil {
		t.Errorf("of another licence, %v", err)
	}
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { _, err := tx.AddGrant(late, nil); return err }), CodeErased)
	_, err = v.KeepIdentification(t.Context(), b.First, late.Digest, Identification{Record: "x"})
	refused(t, err, CodeErased)
	for _, envelope := range [][]byte{[]byte("released"), nil} {
		c := p.answerTo("c", nil, 0)
		c.Licence, c.Envelope = b.First, envelope
		err := v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.AddAnswer(c) })
		if envelope != nil {
			refused(t, err, CodeErased)
		} else if err != nil {
			t.Errorf("a refusal: %v", err)
		}
	}
}

func testStolenRelease(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	p.anchor(t, v, b)
	g := p.addGrant(t, v, b.First, "one", 9)
	kept, err := v.KeepIdentification(t.Context(), b.First, g.Digest, Identification{Record: "identified-secret"})
	must(t, err)
	write(t, v, func(tx *Tx) error {
		_, err := tx.WithdrawGrant(g.Digest, &Withdrawal{Signed: []byte("withdrawal-secret")}, kept)
		return errors.Join(err, tx.AddAnswer(p.answerTo("a", g, 1)))
	})
	_, err = v.Named(t.Context(), sm.Hash(b.Digests))
	must(t, err)
	stolen := dump(t, v)
	if !bytes.Contains(stolen, g.Digest[:]) {
		t.Fatal("the test does not see what is in the tables")
	}
	plain := strings.ReplaceAll(string(stolen), "\x00secret\x00", "") // the name of the vault's own
	for _, s := range planted {
		if strings.Contains(plain, s) {
			t.Errorf("the database tells %q", s)
		}
	}
}

// testSwappedRelease moves sealed things from one row to another, or changes a byte of them.
func testSwappedRelease(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	grants := []*Grant{p.addGrant(t, v, b.First, "one", 9), p.addGrant(t, v, b.First+1, "two", 9)}
	for i, g := range grants {
		write(t, v, func(tx *Tx) error {
			_, err := tx.WithdrawGrant(g.Digest, &Withdrawal{Signed: fmt.Append(nil, "withdrawal ", i)}, nil)
			return errors.Join(err, tx.AddAnswer(p.answerTo(fmt.Sprint(i), g, 1)))
		})
	}
	readGrants := func() error {
		_, err1 := v.Grant(t.Context(), grants[0].Digest)
		_, err2 := v.Grant(t.Context(), grants[1].Digest)
		return errors.Join(err1, err2)
	}
	readAnswers := func() error { _, err := v.AnswersOf(t.Context(), []string{"marriage"}, 0, 9); return err }
	for _, c := range []struct {
		table, column string
		read          func() error
	}{
		{"vault_grant", "sealed", readGrants}, {"vault_grant", "withdrawal", readGrants}, {"vault_answer", "sealed", readAnswers}, {"vault_answer", "envelope", readAnswers},
		{"vault_identification", "sealed", func() error { _, err := v.GrantIdentification(t.Context(), clerk, grants[0].Digest); return err }},
	} {
		t.Run(c.table+" "+c.column, func(t *testing.T) {
			must(t, c.read())
			rows, err := v.db.Read().Query("SELECT " + c.column + " FROM " + c.table)
			must(t, err)
			var values [][]byte
			for rows.Next() {
				var value []byte
				must(t, rows.Scan(&value))
				values = append(values, value)
			}
			must(t, errors.Join(rows.Err(), rows.Close()))
			same(t, "rows", len(values), 2)
			put := func(old, value []byte) {
				t.Helper()
				write(t, v, func(tx *Tx) error {
					n, err := tx.exec("tamper", "UPDATE "+c.table+" SET "+c.column+" = $1 WHERE "+c.column+" = $2", value, old)
					if err == nil && n != 1 {
						t.Fatalf("%d rows were changed", n)
					}
					return err
				})
			}
			put(values[0], []byte("away"))
			put(values[1], values[0])
			put([]byte("away"), values[1])
			refused(t, c.read(), CodeDamaged)
			put(values[0], []byte("away"))
			put(values[1], values[0])
			put([]byte("away"), values[1])
			must(t, c.read())
			for i, value := range values {
				altered := slices.Clone(value)
				altered[len(altered)/2] ^= 1
				put(value, altered)
				if err := c.read(); Code(err) != CodeDamaged && (c.table != "vault_identification" || i == 0) {
					t.Errorf("one that was altered is read: %v", err)
				}
				put(altered, value)
			}
		})
	}
}
