package vault

import (
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

func init() {
	cases = append(cases, []struct {
		name string
		test func(*testing.T, *place)
	}{
		{"sessions", testSessions},
		{"delegations", testDelegations},
		{"delegation withdrawn while helpers act", testDelegationRace},
		{"objections", testObjections},
		{"ratings", testRatings},
		{"a use is rated once", testRatedTogether},
		{"holds", testHolds},
		{"brief bindings", testBriefBindings},
		{"wallet tampered with", testWalletTampered},
	}...)
	allTables = append(allTables, "vault_session", "vault_delegation", "vault_act", "vault_objection", "vault_use", "vault_rating", "vault_brief")
}

const (
	holderID = "990101195503077324"
	helperID = "990101198811113216"
	personal = "张三-personal"
)

func testSessions(t *testing.T, p *place) {
	v := p.create(t)
	one, two, other := sm.Sum([]byte("one")), sm.Sum([]byte("two")), sm.Sum([]byte("other"))
	begin := func(digest sm.Hash, person string, ttl time.Duration) {
		t.Helper()
		s := &Session{Person: person, Name: personal, Proven: p.time().Add(-time.Minute), Expires: p.time().Add(ttl)}
		write(t, v, func(tx *Tx) error { return tx.BeginSession(digest, s) })
	}
	begin(one, holderID, time.Hour)
	begin(two, holderID, 2*time.Hour)
	begin(other, helperID, time.Hour)
	s, err := v.Session(t.Context(), one)
	must(t, err)
	same(t, "person", s.Person, holderID)
	same(t, "name", s.Name, personal)
	same(t, "proven", s.Proven.Unix(), p.time().Unix()-60)
	same(t, "expires", s.Expires.Unix(), p.time().Unix()+3600)
	p.pass(time.Minute)
	write(t, v, func(tx *Tx) error { return tx.SeeSession(one) })
	if s, err = v.Session(t.Context(), one); err != nil || !s.Seen.Equal(p.time()) || !s.Begun.Before(s.Seen) {
		t.Fatalf("a session that was used: %+v, %v", s, err)
	}
	over := func(digest sm.Hash) {
		t.Helper()
		if s, err := v.Session(t.Context(), digest); s != nil || err != nil {
			t.Errorf("a session that is over: %+v, %v", s, err)
		}
	}
	over(sm.Sum([]byte("never")))
	write(t, v, func(tx *Tx) error { return tx.EndSession(one) })
	over(one)
	write(t, v, func(tx *Tx) error { return tx.EndSessions(holderID) })
	over(two)
	if s, err := v.Session(t.Context(), other); err != nil || s == nil {
		t.Fatalf("the session of somebody else ended: %v", err)
	}
	if d := string(dump(t, v)); strings.Contains(d, helperID) || strings.Contains(d, personal) || strings.Contains(d, string(other[:])) {
		t.Error("who has the database can read a session")
	}
	p.pass(time.Hour)
	over(other)
	must(t, v.PurgeWallet(t.Context()))
	same(t, "sessions", count(t, v, "vault_session", "1 = 1"), 0)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error {
		return tx.BeginSession(one, &Session{Person: holderID, Expires: p.time()})
	}), CodeArgument)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error {
		return tx.BeginSession(one, &Session{Expires: p.time().Add(time.Hour)})
	}), CodeArgument)
}

func newDelegation(p *place) *Delegation {
	return &Delegation{Holder: holderID, HolderName: personal, Helper: helperID, Licences: []ID{3, 5}, Matter: "home", Ways: []string{"show", "grant"},
		Until: licence.DateOf(p.time()) + 2}
}

func testDelegations(t *testing.T, p *place) {
	v := p.create(t)
	d := newDelegation(p)
	write(t, v, func(tx *Tx) error { return tx.Delegate(d) })
	act := func(id ItemID, helper, way string, with ID) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Act(id, helper, way, "code", with) })
	}
	must(t, act(d.ID, helperID, "show", 3))
	must(t, act(d.ID, helperID, "grant", 5))
	for _, c := range []struct {
		name, helper, way, code string
		id                      ItemID
		with                    ID
	}{
		{"another licence", helperID, "show", CodeDelegationLimits, d.ID, 4},
		{"another way", helperID, "print", CodeDelegationLimits, d.ID, 3},
		{"another helper", holderID, "show", CodeDelegationEnded, d.ID, 3},
		{"no such delegation", helperID, "show", CodeDelegationEnded, ItemID{1}, 3},
	} {
		if err := act(c.id, c.helper, c.way, c.with); Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	acts, err := v.Acts(t.Context(), d.ID, 10)
	must(t, err)
	if len(acts) != 2 || acts[0].Licence != 5 || acts[1].Licence != 3 || acts[0].Act != "code" {
		t.Fatalf("acts: %+v", acts)
	}
	for _, read := range []func() ([]*Delegation, error){
		func() ([]*Delegation, error) { return v.DelegationsBy(t.Context(), holderID, 9) },
		func() ([]*Delegation, error) { return v.DelegationsTo(t.Context(), helperID, 9) },
	} {
		found, err := read()
		must(t, err)
		if len(found) != 1 || found[0].ID != d.ID || found[0].Holder != holderID || found[0].Helper != helperID || found[0].HolderName != personal ||
			len(found[0].Licences) != 2 || found[0].Matter != "home" || len(found[0].Ways) != 2 || found[0].Acts != 2 || found[0].Until != d.Until {
			t.Fatalf("%+v", found)
		}
	}
	if found, err := v.DelegationsBy(t.Context(), helperID, 9); err != nil || len(found) != 0 {
		t.Fatalf("the helper gave %v, %v", found, err)
	}
	if text := string(dump(t, v)); strings.Contains(text, holderID) || strings.Contains(text, helperID) || strings.Contains(text, personal) {
		t.Error("who has the database can read a delegation")
	}
	write(t, v, func(tx *Tx) error { return tx.EndDelegation(d.ID) })
	ended := p.time()
	refused(t, act(d.ID, helperID, "show", 3), CodeDelegationEnded)
	p.pass(time.Hour)
	write(t, v, func(tx *Tx) error { return tx.EndDelegation(d.ID) })
	found, err := v.Delegation(t.Context(), d.ID)
	must(t, err)
	same(t, "ended", found.Ended.Unix(), ended.Unix())

	second := newDelegation(p)
	write(t, v, func(tx *Tx) error { return tx.Delegate(second) })
	p.pass(2 * 24 * time.Hour)
	must(t, act(second.ID, helperID, "show", 3))
	p.pass(24 * time.Hour)
	refused(t, act(second.ID, helperID, "show", 3), CodeDelegationEnded)

	for name, change := range map[string]func(*Delegation){
		"oneself":      func(d *Delegation) { d.Helper = d.Holder },
		"no licence":   func(d *Delegation) { d.Licences = nil },
		"too many":     func(d *Delegation) { d.Licences = make([]ID, MaxDelegated+1) },
		"licence zero": func(d *Delegation) { d.Licences = []ID{0} },
		"no way":       func(d *Delegation) { d.Ways = nil },
		"empty way":    func(d *Delegation) { d.Ways = []string{""} },
		"no matter":    func(d *Delegation) { d.Matter = "" },
		"no helper":    func(d *Delegation) { d.Helper = "" },
	} {
		d := newDelegation(p)
		change(d)
		if err := v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Delegate(d) }); Code(err) != CodeArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// testDelegationRace: what is noted as done was done before the withdrawal.
func testDelegationRace(t *testing.T, p *place) {
	v, other := p.create(t), p.open(t)
	d := newDelegation(p)
	write(t, v, func(tx *Tx) error { return tx.Delegate(d) })
	done := make([]bool, 8)
	inParallel(len(done)+1, func(i int) {
		if i == len(done) {
			again(t, func() error {
				return other.Write(t.Context(), clerk, func(tx *Tx) error { return tx.EndDelegation(d.ID) })
			})
			return
		}
		err := error(nil)
		again(t, func() error {
			err = v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Act(d.ID, helperID, "show", "code", 3) })
			if Code(err) == CodeDelegationEnded {
				return nil
			}
			return err
		})
		done[i] = err == nil
	})
	n := 0
	for _, ok := range done {
		if ok {
			n++
		}
	}
	acts, err := v.Acts(t.Context(), d.ID, 100)
	must(t, err)
	found, err := v.Delegation(t.Context(), d.ID)
	must(t, err)
	if len(acts) != n || found.Acts != int64(n) || found.Ended == nil {
		t.Errorf("%d acts were let through, %d noted, %d counted, ended %v", n, len(acts), found.Acts, found.Ended)
	}
}

// again does what may be busy until it is not.
func again(t *testing.T, do func() error) {
	t.Helper()
	for range 100 {
		if err := do(); err == nil {
			return
		} else if Code(err) != "busy" && !strings.Contains(Code(err), "busy") {
			t.Error(err)
			return
		}
	}
	t.Error("it is busy all the time")
}

func testHolds(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(2))
	p.anchor(t, v, b)
	holds := func(person string, id ID) bool {
		t.Helper()
		ok, err := v.Holds(t.Context(), person, id)
		must(t, err)
		return ok
	}
	if !holds(holderOf(2), b.First) || !holds(holderOf(3), b.First) || holds(holderOf(2), b.First+1) || holds(holderOf(4), b.First) || holds(holderOf(2), 999) {
		t.Error("the wrong people hold licences")
	}
	for id := b.First; id <= b.First+1; id++ {
		o := &Objection{Licence: id, About: AboutContents, Text: personal, Due: licence.DateOf(p.time())}
		write(t, v, func(tx *Tx) error { return tx.Object(holderOf(2), o) })
	}
	write(t, v, func(tx *Tx) error { return tx.Erase(b.First) })
	if holds(holderOf(2), b.First) {
		t.Error("somebody holds a licence that was erased")
	}
	same(t, "objections, of which one was to the licence that is erased", count(t, v, "vault_objection", "1 = 1"), 1)
	_, err := v.Holds(t.Context(), "", 1)
	refused(t, err, CodeArgument)
}

func testBriefBindings(t *testing.T, p *place) {
	v := p.create(t)
	b := p.add(t, v, p.deposits(1))
	add := func(brief bool) {
		kept, err := v.Keep(t.Context(), Binding{Licence: b.First, NotBefore: p.time(), NotAfter: p.time().Add(10 * time.Minute), Statement: []byte("signed")})
		must(t, err)
		write(t, v, func(tx *Tx) error {
			id, err := tx.AddBinding(kept)
			if err == nil && brief {
				err = tx.KeepBriefly(id, p.time().Add(10*time.Minute))
			}
			return err
		})
	}
	add(true)
	vouch, err := v.VouchFor(t.Context(), b.First)
	must(t, err)
	same(t, "vouch beside bindings of our own", vouch, true)
	add(false)
	must(t, v.PurgeWallet(t.Context()))
	same(t, "bindings", count(t, v, "vault_binding", "1 = 1"), 2)
	vouch, err = v.VouchFor(t.Context(), b.First)
	must(t, err)
	same(t, "vouch where one of two holders has a key", vouch, false)
	p.pass(25 * time.Hour)
	must(t, v.PurgeWallet(t.Context()))
	same(t, "bindings", count(t, v, "vault_binding", "1 = 1"), 1)
	same(t, "brief", count(t, v, "vault_brief", "1 = 1"), 0)
	vouch, err = v.VouchFor(t.Context(), b.First)
	must(t, err)
	same(t, "vouch once that key's binding is over", vouch, true)
}

// testWalletTampered puts what is sealed in other places.
func testWalletTampered(t *testing.T, p *place) {
	v := p.create(t)
	one, two := sm.Sum([]byte("one")), sm.Sum([]byte("two"))
	for person, digest := range map[string]sm.Hash{holderID: one, helperID: two} {
		s := &Session{Person: person, Proven: p.time(), Expires: p.time().Add(time.Hour)}
		write(t, v, func(tx *Tx) error { return tx.BeginSession(digest, s) })
	}
	a, b := newDelegation(p), newDelegation(p)
	oa, ob := &Objection{Licence: 1, About: AboutState, Text: "a"}, &Objection{Licence: 1, About: AboutState, Text: "b"}
	write(t, v, func(tx *Tx) error {
		for _, d := range []*Delegation{a, b} {
			if err := tx.Delegate(d); err != nil {
				return err
			}
		}
		for _, o := range []*Objection{oa, ob} {
			if err := tx.Object(holderID, o); err != nil {
				return err
			}
		}
		return nil
	})
	swap := func(table, column, key string, first, second any) {
		t.Helper()
		write(t, v, func(tx *Tx) error {
			n, err := tx.exec("tamper", "UPDATE "+table+" SET "+column+" = (SELECT "+column+" FROM "+table+" WHERE "+key+" = $1) WHERE "+key+" = $2", second, first)
			if err == nil && n != 1 {
				t.Errorf("%d rows of %s were changed", n, table)
			}
			return err
		})
	}
	swap("vault_session", "sealed", "name", v.sessionName(one), v.sessionName(two))
	swap("vault_delegation", "sealed", "id", a.ID[:], b.ID[:])
	swap("vault_objection", "made", "id", oa.ID[:], ob.ID[:])
	_, err := v.Session(t.Context(), one)
	refused(t, err, CodeDamaged)
	_, err = v.Delegation(t.Context(), a.ID)
	refused(t, err, CodeDamaged)
	refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Act(a.ID, helperID, "show", "code", 3) }), CodeDamaged)
	_, err = v.Objection(t.Context(), oa.ID)
	refused(t, err, CodeDamaged)
}
