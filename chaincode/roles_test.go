package chaincode_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

var update = flag.Bool("update", false, "write golden files anew")

const (
	authority = rulestest.Authority
	issuer    = rulestest.Issuer
	other     = rulestest.Other
	suspended = rulestest.Suspended
	stranger  = rulestest.Stranger
)

var roles = []struct{ name, department string }{
	{"authority", authority}, {"issuer", issuer}, {"other", other}, {"suspended", suspended}, {"stranger", stranger},
}

// A stage is a city in which each department has something that an operation can be about.
type stage struct {
	*rulestest.City
	batches map[string]*rulestest.Batch
	revoked *statement.Status      // of licence 1 of the issuer's batch
	laid    *statement.Restriction // on licence 2 of the issuer's batch
}

func newStage(t testing.TB) *stage {
	c := rulestest.New(t)
	s := &stage{City: c, batches: map[string]*rulestest.Batch{authority: c.Batch(authority, "batch", 3), stranger: c.Batch(stranger, "batch", 3)}}
	for _, id := range []string{issuer, other, suspended} {
		s.batches[id] = c.Anchor(id, "batch", 3)
	}
	b := s.batches[issuer]
	s.revoked = b.Status(1, licence.Active, licence.Revoked)
	c.Must(issuer, c.Tx(s.revoked, issuer+"/status-1"))
	s.laid = b.Restriction(2, 1)
	c.Must(issuer, c.Tx(s.laid, issuer+"/status-1"))
	c.Must(authority, c.Tx(c.Department(rulestest.Profile("newcomer"), 1), authority+"/govern"))
	c.Suspend(suspended)
	return s
}

func (s *stage) on(t testing.TB) *stage {
	c := *s
	c.City = s.Clone(t)
	return &c
}

func withState(d *statement.Department, state string) *statement.Department {
	d.State = state
	return d
}

// An operation is one that may be allowed or not; by is the department whose keys sign it.
type operation struct {
	name      string
	submitter string // who may submit it
	signer    string // whose signature it takes
	tx        func(s *stage, by string) *chaincode.Transaction
}

// ofOthers are operations on what concerns the authority or the issuer.
var ofOthers = []operation{
	{"begin the ledger again", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(rulestest.Genesis(), by+"/govern")
	}},
	{"admit a department", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Department(rulestest.Profile("second-newcomer"), 1), by+"/govern")
	}},
	{"change a department's profile", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Department(rulestest.Profile(issuer), 2), by+"/govern")
	}},
	{"suspend a department", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(withState(s.Department(rulestest.Profile(issuer), 2), statement.DepartmentSuspended), by+"/govern")
	}},
	{"readmit a department", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Department(rulestest.Profile(suspended), 3), by+"/govern")
	}},
	{"suspend the authority", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(withState(s.Department(rulestest.Profile(authority), 1), statement.DepartmentSuspended), by+"/govern")
	}},
	{"publish a type", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Type(readType(s.T, "divorce")), by+"/govern")
	}},
	{"heartbeat", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(&statement.Heartbeat{Ledger: s.ID, Sequence: 2, Time: rulestest.Time + 60}, by+"/log")
	}},
	{"enrol a department's first key", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Enrol("newcomer", "newcomer/govern", statement.PurposeGovern), "newcomer/govern", by+"/govern")
	}},
	{"enrol a key after a loss, as second department beside the authority", authority, other, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Enrol(issuer, "new", statement.PurposeGovern), "new", authority+"/govern", by+"/govern")
	}},
	{"anchor", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Batch(issuer, "more", 3).Tx(s.City, by+"/anchor")
	}},
	{"anchor again, byte for byte", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		tx := s.batches[issuer].Tx(s.City, by+"/anchor")
		if by == issuer {
			signed, err := s.Get(chaincode.AnchorStateKey(issuer, s.batches[issuer].Head.Root))
			if err != nil {
				s.T.Fatal(err)
			}
			tx.Statements[0] = signed
		}
		return tx
	}},
	{"change a licence's status", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.batches[issuer].Status(0, licence.Active, licence.Suspended), by+"/status-1")
	}},
	{"change a licence's status, two approvals", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(rulestest.Then(s.revoked, licence.Active), by+"/status-1", by+"/status-2")
	}},
	{"change the status of all under a root", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.batches[issuer].RootStatus(licence.Active, licence.Suspended), by+"/status-1")
	}},
	{"restrict a licence", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.batches[issuer].Restriction(0, 1), by+"/status-1")
	}},
	{"release a licence", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(rulestest.ThenRestriction(s.laid, statement.RestrictionLift, 1), by+"/status-1")
	}},
	{"checkpoint an access log", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Checkpoint(issuer, 7), by+"/log")
	}},
	{"give a grant", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Consent(issuer, statement.ConsentGive), by+"/consent")
	}},
	{"withdraw a grant", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Consent(issuer, statement.ConsentWithdraw), by+"/consent")
	}},
	{"enrol a further key", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", by+"/govern")
	}},
	{"rotate a key", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.Enrol(issuer, "new", statement.PurposeAnchor), "new", by+"/anchor")
	}},
	{"retire a key", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.EndKey(issuer, statement.KeyRetire, issuer+"/anchor"), by+"/govern")
	}},
	{"declare a key compromised", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/anchor"), by+"/govern")
	}},
	{"declare a key compromised and disown a root", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.EndKey(issuer, statement.KeyCompromise, issuer+"/anchor", s.batches[issuer].Head.Root), by+"/govern")
	}},
	{"retire a key of a suspended department", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.EndKey(suspended, statement.KeyRetire, suspended+"/anchor"), by+"/govern")
	}},
	{"declare a key of a suspended department compromised", authority, authority, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(s.EndKey(suspended, statement.KeyCompromise, suspended+"/anchor"), by+"/govern")
	}},
	{"submit a holder binding, or another statement that stays off the ledger", issuer, issuer, func(s *stage, by string) *chaincode.Transaction {
		return s.Tx(offLedger(s.City, issuer)[0], by+"/anchor")
	}},
}

// ofItself are operations of a department on what concerns itself.
var ofItself = []operation{
	{name: "change its profile", tx: func(s *stage, self string) *chaincode.Transaction {
		sequence := map[string]uint64{authority: 1, issuer: 2, other: 2, suspended: 3, stranger: 1}[self]
		return s.Tx(s.Department(rulestest.Profile(self), sequence), self+"/govern")
	}},
	{name: "anchor", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Batch(self, "more", 3).Tx(s.City, self+"/anchor")
	}},
	{name: "change a licence's status", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.batches[self].Status(0, licence.Active, licence.Suspended), self+"/status-1")
	}},
	{name: "change the status of all under a root", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.batches[self].RootStatus(licence.Active, licence.Suspended), self+"/status-1")
	}},
	{name: "restrict a licence (marriage certificates, of other, know no restrictions)", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.batches[self].Restriction(0, 1), self+"/status-1")
	}},
	{name: "checkpoint its access log", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.Checkpoint(self, 7), self+"/log")
	}},
	{name: "give a grant", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.Consent(self, statement.ConsentGive), self+"/consent")
	}},
	{name: "withdraw a grant", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.Consent(self, statement.ConsentWithdraw), self+"/consent")
	}},
	{name: "enrol a further key", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.Enrol(self, "new", statement.PurposeAnchor), "new", self+"/govern")
	}},
	{name: "rotate a key", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.Enrol(self, "new", statement.PurposeAnchor), "new", self+"/anchor")
	}},
	{name: "retire a key with itself", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.EndKey(self, statement.KeyRetire, self+"/anchor"), self+"/anchor")
	}},
	{name: "retire its key for governing with itself", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.EndKey(self, statement.KeyRetire, self+"/govern"), self+"/govern")
	}},
	{name: "declare a key compromised", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.EndKey(self, statement.KeyCompromise, self+"/anchor"), self+"/status-1")
	}},
	{name: "declare its key for governing compromised with one for status", tx: func(s *stage, self string) *chaincode.Transaction {
		return s.Tx(s.EndKey(self, statement.KeyCompromise, self+"/govern"), self+"/status-1")
	}},
}

// offLedger is one of every kind that stays off the ledger: a binding, a proof, a snapshot, and what
// goes with grants.
func offLedger(c *rulestest.City, department string) []statement.Body {
	return []statement.Body{
		&statement.Binding{Ledger: c.ID, Issuer: department, Digest: sm.Sum(nil), HolderKey: [64]byte(rulestest.Key("holder").Public().Bytes())},
		&statement.Proof{Ledger: c.ID, Nonce: []byte{}},
		&statement.Snapshot{Ledger: c.ID},
		&statement.Grant{Ledger: c.ID, Issuer: department, Type: "marriage", Agency: department, Matter: "transfer", Fields: []string{"a"},
			Uses: 1, Means: statement.MeansKey},
		&statement.Withdrawal{Ledger: c.ID, Issuer: department, Means: statement.MeansCounter},
		&statement.Request{Ledger: c.ID, Agency: department, Issuer: department, Type: "marriage", Licence: new(sm.Hash), Matter: "transfer",
			Fields: []string{"a"}, Recipient: [64]byte(rulestest.Key("holder").Public().Bytes())},
		&statement.Answer{Ledger: c.ID, Issuer: department, Outcome: statement.AnswerRefused, Reason: "excluded", Basis: []string{}, Fields: []string{}},
		&statement.Policy{Ledger: c.ID, Version: 1, Definition: []byte("version: 1")},
	}
}

func readType(t testing.TB, id string) *licence.Type {
	t.Helper()
	b, err := os.ReadFile("../sdk/licence/catalog/more/" + id + ".json")
	if err != nil {
		t.Fatal(err)
	}
	typ, err := licence.ParseType(b)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// TestRoles walks the table of who may do what: every role, every operation, in four ways.
func TestRoles(t *testing.T) {
	base := newStage(t)
	var b strings.Builder
	table := func(title string, operations []operation, run func(*stage, operation, string) (string, *chaincode.Transaction)) {
		fmt.Fprintf(&b, "%s\n\n| operation | %s |\n|---|---|---|---|---|---|\n", title, "authority | issuer | other | suspended | stranger")
		for _, op := range operations {
			cells := make([]string, len(roles))
			for i, role := range roles {
				s := base.on(t)
				submitter, tx := run(s, op, role.department)
				before := s.Dump()
				_, err := s.Submit(submitter, tx)
				cells[i] = "yes"
				if err != nil {
					cells[i] = "`" + chaincode.Code(err) + "`"
					if chaincode.Code(err) == "" {
						t.Errorf("%s, %s: %v", op.name, role.name, err)
					}
					if s.Dump() != before {
						t.Errorf("%s, %s: refused, but the state changed", op.name, role.name)
					}
				}
			}
			fmt.Fprintf(&b, "| %s | %s |\n", op.name, strings.Join(cells, " | "))
		}
		b.WriteString("\n")
	}
	table("Each role on what concerns itself, with its own keys:", ofItself, func(s *stage, op operation, role string) (string, *chaincode.Transaction) {
		return role, op.tx(s, role)
	})
	table("Each role on what concerns the authority or the issuer, with its own keys:", ofOthers, func(s *stage, op operation, role string) (string, *chaincode.Transaction) {
		return role, op.tx(s, role)
	})
	table("Each role submits what the rightful keys signed:", ofOthers, func(s *stage, op operation, role string) (string, *chaincode.Transaction) {
		return role, op.tx(s, op.signer)
	})
	table("The rightful organisation submits what each role's keys signed:", ofOthers, func(s *stage, op operation, role string) (string, *chaincode.Transaction) {
		return op.submitter, op.tx(s, role)
	})

	const golden = "testdata/roles.md"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		if g, w := line(got, i), line(wanted, i); g != w {
			t.Errorf("%s:%d\n got %s\nwant %s", golden, i+1, g, w)
		}
	}
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
