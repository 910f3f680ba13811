package chaincode_test

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// evaluate answers a query into a value.
func evaluate[A any](t testing.TB, r chaincode.Reader, name string, args ...string) A {
	t.Helper()
	var answer A
	b, err := chaincode.Evaluate(r, chaincode.Query{Name: name, Args: args})
	if err == nil {
		err = json.Unmarshal(b, &answer)
	}
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return answer
}

type verification struct {
	Anchored, Included, Disowned bool
	Type, IssuerState            string
	Heartbeat                    uint64
	Status, RootStatus           *struct{ State licence.State }
	Restrictions                 *struct{ Open []struct{ ID string } }
}

func (s *stage) verify(b *rulestest.Batch, i int) verification {
	s.T.Helper()
	p := b.Place(i)
	return evaluate[verification](s.T, s, "verify", b.Head.Issuer, p.Root.String(), strconv.Itoa(i), p.Digest.String(), hex.EncodeToString(p.Path))
}

func (s *stage) keyState(label string) string {
	s.T.Helper()
	return evaluate[struct{ State string }](s.T, s, "key", rulestest.KeyID(label).String()).State
}

// Who copies digests of another department anchors something of his own, and nothing more.
func TestCopierTouchesOnlyItsOwn(t *testing.T) {
	s := newStage(t)
	genuine := s.batches[issuer]
	copied := s.BatchOf(other, "marriage", genuine.Digests)
	s.Must(other, copied.Tx(s.City, other+"/anchor"))
	s.Must(other, s.Tx(copied.Status(0, licence.Active, toRevoked), other+"/status-1"))
	s.Must(other, s.Tx(copied.RootStatus(licence.Active, toRevoked), other+"/status-1"))

	if v := s.verify(copied, 0); v.Status.State != toRevoked || v.RootStatus.State != toRevoked {
		t.Errorf("the copy: %+v", v)
	}
	if v := s.verify(genuine, 0); v.Status.State != licence.Active || v.RootStatus.State != licence.Active || !v.Included {
		t.Errorf("the genuine licence after the copier withdrew its copy: %+v", v)
	}
	s.Must(issuer, s.Tx(genuine.Status(0, licence.Active, toSuspended), issuer+"/status-1"))
}

// A digest anchored twice by its issuer is one licence; each root has a status of its own.
func TestDigestUnderTwoRoots(t *testing.T) {
	s := newStage(t)
	first := s.batches[issuer]
	second := s.BatchOf(issuer, "property", []sm.Hash{first.Digests[0], sm.Sum([]byte("another"))})
	s.Must(issuer, second.Tx(s.City, issuer+"/anchor"))

	change := second.Status(0, licence.Active, toSuspended)
	s.Must(issuer, s.Tx(change, issuer+"/status-1"))
	s.Must(issuer, s.Tx(first.RootStatus(licence.Active, toRevoked), issuer+"/status-1"))
	if v := s.verify(first, 0); v.Status.State != toSuspended || v.RootStatus.State != toRevoked {
		t.Errorf("under the first root: %+v", v)
	}
	if v := s.verify(second, 0); v.Status.State != toSuspended || v.RootStatus.State != licence.Active {
		t.Errorf("under the second root: %+v", v)
	}
	// The next change continues the one under the other root.
	next := rulestest.Then(change, licence.Active)
	next.Root, next.Licence = first.Head.Root, first.Place(0)
	s.Must(issuer, s.Tx(next, issuer+"/status-1"))
	if v := s.verify(second, 0); v.Status.State != licence.Active {
		t.Errorf("under the second root, afterwards: %+v", v)
	}
}

// variant is a built-in type with changes, published.
func (s *stage) variant(id string, change func(*licence.Type)) *licence.Type {
	s.T.Helper()
	b, err := chaincode.Evaluate(s, chaincode.Query{Name: "type", Args: []string{id}})
	if err != nil {
		s.T.Fatal(err)
	}
	typ, err := licence.ParseType(b)
	if err != nil {
		s.T.Fatal(err)
	}
	typ.Transitions = slices.Clone(typ.Transitions)
	change(typ)
	s.Must(authority, s.Tx(s.Type(typ), authority+"/govern"))
	return typ
}

// One key for status does not get around the two approvals of a type by anchoring the digest again
// under a head of another type that asks for one.
func TestAnotherTypeIsNoWayAroundApprovals(t *testing.T) {
	s := newStage(t)
	profile := rulestest.Profile(issuer)
	profile.Issues = []string{"lenient", "property"}
	s.Must(authority, s.Tx(s.Department(profile, 2), authority+"/govern"))
	s.variant("property", func(typ *licence.Type) {
		typ.ID = "lenient"
		for i := range typ.Transitions {
			typ.Transitions[i].Approvals = 1
		}
	})
	genuine := s.batches[issuer]
	lenient := s.BatchOf(issuer, "lenient", []sm.Hash{genuine.Digests[1]})
	lenient.Head.SignedAt++ // not that it matters
	s.Must(issuer, lenient.Tx(s.City, issuer+"/anchor"))

	around := rulestest.Then(s.revoked, licence.Active)
	around.Root, around.Licence = lenient.Head.Root, lenient.Place(0)
	if _, err := s.Submit(issuer, s.Tx(around, issuer+"/status-1")); chaincode.Code(err) != chaincode.CodeSequence {
		t.Errorf("the other type continued the licence's changes: %v", err)
	}
	s.Must(issuer, s.Tx(lenient.Status(0, licence.Active, toSuspended), issuer+"/status-1"))
	s.Must(issuer, s.Tx(lenient.Restriction(0, 9), issuer+"/status-1"))
	if v := s.verify(genuine, 1); v.Status.State != toRevoked || len(v.Restrictions.Open) != 0 {
		t.Errorf("the licence after changes under another type: %+v", v)
	}
	if v := s.verify(lenient, 0); v.Status.State != toSuspended || v.Type != "lenient" || len(v.Restrictions.Open) != 1 {
		t.Errorf("under the other type: %+v", v)
	}

	digest := genuine.Digests[1].String()
	if _, err := chaincode.Evaluate(s, chaincode.Query{Name: "status", Args: []string{issuer, digest}}); chaincode.Code(err) != chaincode.CodeQuery {
		t.Errorf("the status of a digest with two types: %v", err)
	}
	type status struct{ State licence.State }
	if got := evaluate[status](t, s, "status", issuer, digest, "property"); got.State != toRevoked {
		t.Errorf("named by type: %+v", got)
	}
	if got := evaluate[status](t, s, "status", issuer, digest, "lenient"); got.State != toSuspended {
		t.Errorf("named by type: %+v", got)
	}
}

func TestSuspendedDepartmentComesBack(t *testing.T) {
	s := newStage(t)
	b := s.Batch(suspended, "more", 1)
	tx := b.Tx(s.City, suspended+"/anchor")
	if _, err := s.Submit(suspended, tx); chaincode.Code(err) != chaincode.CodeDepartmentSuspended {
		t.Errorf("while suspended: %v", err)
	}
	if v := s.verify(s.batches[suspended], 0); v.IssuerState != statement.DepartmentSuspended || !v.Included || v.Status.State != licence.Active {
		t.Errorf("what it anchored before: %+v", v)
	}
	s.Must(authority, s.Tx(s.Department(rulestest.Profile(suspended), 3), authority+"/govern"))
	s.Must(suspended, tx)
}

// A department that lost its keys gets a new one from the authority and a second department.
func TestRecovery(t *testing.T) {
	s := newStage(t)
	for _, sort := range rulestest.Sorts {
		s.Must(authority, s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/"+sort.Name), authority+"/govern"))
	}
	alone := s.Tx(s.Enrol(issuer, "found", statement.PurposeGovern), "found", authority+"/govern")
	if _, err := s.Submit(authority, alone); chaincode.Code(err) != chaincode.CodeSigners {
		t.Errorf("the authority alone: %v", err)
	}
	s.Must(authority, s.Tx(s.Enrol(issuer, "found", statement.PurposeGovern), "found", authority+"/govern", other+"/govern"))
	s.Must(issuer, s.Tx(s.Enrol(issuer, "found-anchor", statement.PurposeAnchor), "found-anchor", "found"))
	s.Must(issuer, s.Batch(issuer, "more", 1).Tx(s.City, "found-anchor"))
}

// Rotation replaces a key; a key for governing adds one.
func TestRotation(t *testing.T) {
	s := newStage(t)
	s.Must(issuer, s.Tx(s.Enrol(issuer, "next", statement.PurposeStatus), "next", issuer+"/status-1"))
	s.Must(issuer, s.Tx(s.Enrol(issuer, "next-govern", statement.PurposeGovern), "next-govern", issuer+"/govern"))
	for label, want := range map[string]string{
		issuer + "/status-1": chaincode.KeyRetired, "next": chaincode.KeyActive,
		issuer + "/govern": chaincode.KeyActive, "next-govern": chaincode.KeyActive,
	} {
		if got := s.keyState(label); got != want {
			t.Errorf("%s is %s, want %s", label, got, want)
		}
	}
	s.Must(issuer, s.Tx(rulestest.Then(s.revoked, licence.Active), "next", issuer+"/status-2"))
	// The authority retires its key for governing once it has another.
	s.Must(authority, s.Tx(s.Enrol(authority, "second", statement.PurposeGovern), "second", authority+"/govern"))
	s.Must(authority, s.Tx(s.EndKey(authority, statement.KeyRetire, authority+"/govern"), "second"))
	s.Must(authority, s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), "second"))
}

func TestCompromise(t *testing.T) {
	s := newStage(t)
	late := s.Anchor(issuer, "late", 2)
	s.ended(statement.KeyCompromise, issuer+"/anchor", s.batches[issuer].Head.Root)
	if v := s.verify(s.batches[issuer], 0); !v.Anchored || !v.Included || !v.Disowned {
		t.Errorf("a disowned root: %+v", v)
	}
	if v := s.verify(late, 0); v.Disowned {
		t.Errorf("a root that the department stands by: %+v", v)
	}
	// More roots turn up; a retired key can still be declared compromised.
	s.ended(statement.KeyCompromise, issuer+"/anchor", late.Head.Root)
	if v := s.verify(late, 0); !v.Disowned {
		t.Errorf("disowned later: %+v", v)
	}
	s.ended(statement.KeyRetire, issuer+"/log")
	s.ended(statement.KeyCompromise, issuer+"/log")
	if got := s.keyState(issuer + "/log"); got != chaincode.KeyCompromised {
		t.Errorf("a retired key, declared compromised, is %s", got)
	}
}

// A head signed before its key was retired, but submitted after, is refused; one within the key's
// dates is taken.
func TestKeyDates(t *testing.T) {
	s := newStage(t)
	s.enrolled("dated", statement.PurposeAnchor, at(rulestest.Time), at(rulestest.Time))
	s.Must(issuer, s.Batch(issuer, "more", 1).Tx(s.City, "dated"))
}

// A type nobody knew when the rules were written works by its data alone.
func TestFourthType(t *testing.T) {
	for _, id := range []string{"divorce", "no-record"} {
		t.Run(id, func(t *testing.T) {
			s := newStage(t)
			typ := readType(t, id)
			profile := rulestest.Profile(other)
			profile.Issues = []string{id, "marriage"}
			slices.Sort(profile.Issues)
			s.Must(authority, s.Tx(s.Department(profile, 2), authority+"/govern"))
			s.Must(authority, s.Tx(s.Type(typ), authority+"/govern"))
			b := s.BatchOf(other, id, []sm.Hash{sm.Sum([]byte("one")), sm.Sum([]byte("two"))})
			s.Must(other, b.Tx(s.City, other+"/anchor"))
			for _, from := range []licence.State{licence.Active, toSuspended, toRevoked, toSuperseded} {
				for _, to := range []licence.State{licence.Active, toSuspended, toRevoked, toSuperseded} {
					s.tryTransition(b, typ, from, to)
				}
			}
			_, err := s.Submit(other, s.Tx(b.Restriction(0, 1), other+"/status-1"))
			if allowed := len(typ.Restrictions) > 0; allowed != (err == nil) {
				t.Errorf("restriction: %v", err)
			}
		})
	}
}

// tryTransition brings a licence into a state and tries to change it to another.
func (s *stage) tryTransition(b *rulestest.Batch, typ *licence.Type, from, to licence.State) {
	s.T.Helper()
	s = s.on(s.T)
	sign := func(c *statement.Status, approvals int) *transaction {
		if licence.State(c.To) == toSuperseded {
			c.Successor = b.Place(1)
		} else {
			c.Successor = nil
		}
		return s.Tx(c, []string{other + "/status-1", other + "/status-2"}[:approvals]...)
	}
	change := b.Status(0, licence.Active, to)
	if from != licence.Active {
		into, ok := typ.Transition(licence.Active, from)
		if !ok {
			return
		}
		first := b.Status(0, licence.Active, from)
		s.Must(other, sign(first, into.Approvals))
		change = rulestest.Then(first, to)
	}
	allowed, ok := typ.Transition(from, to)
	for approvals := 1; approvals <= 2; approvals++ {
		c := s.on(s.T)
		_, err := c.Submit(other, sign(change, approvals))
		if want := ok && approvals == allowed.Approvals; want != (err == nil) {
			s.T.Errorf("%s to %s with %d signatures: %v", from, to, approvals, err)
		}
	}
}

// The newest version of a type rules over licences of every version.
func TestNewestVersionRules(t *testing.T) {
	s := newStage(t)
	s.variant("property", func(typ *licence.Type) {
		typ.Version = 2
		typ.Restrictions = nil
		for i := range typ.Transitions {
			if typ.Transitions[i].To == toSuspended {
				typ.Transitions[i].Approvals = 2
			}
		}
	})
	b := s.batches[issuer]
	change := b.Status(0, licence.Active, toSuspended)
	if _, err := s.Submit(issuer, s.Tx(change, issuer+"/status-1")); chaincode.Code(err) != chaincode.CodeApprovals {
		t.Errorf("one approval: %v", err)
	}
	s.Must(issuer, s.Tx(change, issuer+"/status-1", issuer+"/status-2"))
	if _, err := s.Submit(issuer, s.Tx(b.Restriction(0, 1), issuer+"/status-1")); chaincode.Code(err) != chaincode.CodeRestriction {
		t.Errorf("a restriction: %v", err)
	}
	// What was laid before is lifted all the same, and heads of the old version are still taken.
	s.Must(issuer, s.Tx(rulestest.ThenRestriction(s.laid, statement.RestrictionLift, 1), issuer+"/status-1"))
	s.Anchor(issuer, "old version", 1)
}

func TestFiveHundredChanges(t *testing.T) {
	s := newStage(t)
	b := s.Anchor(issuer, "many", chaincode.MaxChanges)
	s.Must(issuer, manyChanges(s.City, b))
	for _, i := range []int{0, 250, 499} {
		if v := s.verify(b, i); v.Status.State != toSuspended {
			t.Errorf("licence %d: %+v", i, v)
		}
	}
}

// A licence and all under its root can change in one transaction.
func TestLicenceAndRootInOneTransaction(t *testing.T) {
	s := newStage(t)
	b := s.batches[issuer]
	tx := s.Tx(b.Status(0, licence.Active, toSuspended), issuer+"/status-1")
	tx.Statements = append(tx.Statements, s.Sign(b.RootStatus(licence.Active, toRevoked), issuer+"/status-1")...)
	s.Must(issuer, tx)
	if v := s.verify(b, 0); v.Status.State != toSuspended || v.RootStatus.State != toRevoked {
		t.Errorf("%+v", v)
	}
}
