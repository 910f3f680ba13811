package rulestest

import (
	"encoding/hex"
	"strconv"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Story is what was done in a city by Tell.
type Story struct {
	First, Second *Batch // of Issuer
	Disowned      *Batch // of Issuer
	Foreign       *Batch // of Other
}

// Refused submits a transaction that breaks a rule.
func (c *City) Refused(code, actor string, tx *chaincode.Transaction) {
	c.T.Helper()
	if _, err := c.Submit(actor, tx); chaincode.Code(err) != code {
		c.T.Fatalf("%s submits a transaction: got %v, want %s", actor, err, code)
	}
}

// Repeated submits a transaction that has happened before.
func (c *City) Repeated(actor string, tx *chaincode.Transaction) {
	c.T.Helper()
	if existing, err := c.Submit(actor, tx); err != nil || !existing {
		c.T.Fatalf("%s submits a transaction again: existing %v, %v", actor, existing, err)
	}
}

// Tell makes most of what can happen on a ledger happen in the city, and some of what cannot.
func Tell(c *City) *Story {
	c.T.Helper()
	s := new(Story)
	s.licences(c)
	s.keys(c)
	s.government(c)
	return s
}

func (s *Story) licences(c *City) {
	anchor, status := Issuer+"/anchor", Issuer+"/status-1"
	s.First = c.Batch(Issuer, "first", 5)
	tx := s.First.Tx(c, anchor)
	c.Must(Issuer, tx)
	c.Repeated(Issuer, tx)
	c.Refused(chaincode.CodeAnchorConflict, Issuer, s.First.Tx(c, anchor))
	c.Refused(chaincode.CodeWrongOrganisation, Other, tx)
	s.Second = c.Anchor(Issuer, "second", 1)
	s.Foreign = c.Anchor(Other, "foreign", 2)

	suspended := s.First.Status(0, licence.Active, licence.Suspended)
	c.Must(Issuer, c.Tx(suspended, status))
	cleared := Then(suspended, licence.Active)
	c.Must(Issuer, c.Tx(cleared, status))
	c.Refused(chaincode.CodeSequence, Issuer, c.Tx(suspended, status))
	superseded := Then(cleared, licence.Superseded)
	superseded.Successor = s.Second.Place(0)
	c.Must(Issuer, c.Tx(superseded, status))

	revoked := s.First.Status(1, licence.Active, licence.Revoked)
	both := c.Tx(revoked, status)
	both.Statements = append(both.Statements, c.Sign(s.First.Status(2, licence.Active, licence.Suspended), status)...)
	both.Statements = append(both.Statements, c.Sign(s.First.RootStatus(licence.Active, licence.Suspended), status)...)
	c.Must(Issuer, both)
	c.Refused(chaincode.CodeApprovals, Issuer, c.Tx(Then(revoked, licence.Active), status))
	c.Must(Issuer, c.Tx(Then(revoked, licence.Active), status, Issuer+"/status-2"))

	laid := s.First.Restriction(3, 1)
	c.Must(Issuer, c.Tx(laid, status))
	more := ThenRestriction(laid, statement.RestrictionLay, 2)
	c.Must(Issuer, c.Tx(more, status))
	c.Must(Issuer, c.Tx(ThenRestriction(more, statement.RestrictionLift, 1), status))
	c.Refused(chaincode.CodeRestriction, Other, c.Tx(s.Foreign.Restriction(0, 1), Other+"/status-1"))
}

func (s *Story) keys(c *City) {
	c.Must(Issuer, c.Tx(c.Enrol(Issuer, "stolen", statement.PurposeAnchor), "stolen", Issuer+"/govern"))
	s.Disowned = c.Batch(Issuer, "disowned", 2)
	c.Must(Issuer, s.Disowned.Tx(c, "stolen"))
	c.Must(Issuer, c.Tx(c.EndKey(Issuer, statement.KeyCompromise, "stolen", s.Disowned.Head.Root), Issuer+"/govern"))
	c.Refused(chaincode.CodeKeyCompromised, Issuer, c.Batch(Issuer, "third", 2).Tx(c, "stolen"))
	notAfter := uint64(Time + 1000)
	dated := c.Enrol(Issuer, "dated", statement.PurposeAnchor)
	dated.NotAfter = &notAfter
	c.Must(Issuer, c.Tx(dated, "dated", Issuer+"/anchor"))
	c.Refused(chaincode.CodeKeyRetired, Issuer, c.Batch(Issuer, "third", 2).Tx(c, Issuer+"/anchor"))
	c.Must(Authority, c.Tx(c.EndKey(Other, statement.KeyRetire, Other+"/govern"), Authority+"/govern"))
	c.Refused(chaincode.CodeSigners, Authority, c.Tx(c.Enrol(Other, "found", statement.PurposeGovern), "found", Authority+"/govern"))
	c.Must(Authority, c.Tx(c.Enrol(Other, "found", statement.PurposeGovern), "found", Authority+"/govern", Issuer+"/govern"))
}

func (s *Story) government(c *City) {
	for _, size := range []uint64{1, 70} {
		c.Must(Issuer, c.Tx(c.Checkpoint(Issuer, size), Issuer+"/log"))
	}
	c.Repeated(Issuer, c.Tx(c.Checkpoint(Issuer, 1), Issuer+"/log"))
	c.Must(Issuer, c.Tx(c.Consent(Issuer, statement.ConsentGive), Issuer+"/consent"))
	c.Must(Issuer, c.Tx(c.Consent(Issuer, statement.ConsentWithdraw), Issuer+"/consent"))
	c.Refused(chaincode.CodeConsentWithdrawn, Issuer, c.Tx(c.Consent(Issuer, statement.ConsentGive), Issuer+"/consent"))
	c.Suspend(Suspended)
	c.Refused(chaincode.CodeDepartmentSuspended, Suspended, c.Batch(Suspended, "late", 1).Tx(c, Suspended+"/anchor"))
	c.Must(Authority, c.Tx(&statement.Heartbeat{Ledger: c.ID, Sequence: 2, Time: Time + 60}, Authority+"/log"))
	c.Refused(chaincode.CodeHeartbeatOld, Authority, c.Tx(&statement.Heartbeat{Ledger: c.ID, Sequence: 3, Time: Time + 60}, Authority+"/log"))
	c.Refused(chaincode.CodeNotAuthority, Issuer, c.Tx(&statement.Heartbeat{Ledger: c.ID, Sequence: 3, Time: Time + 120}, Authority+"/log"))
}

// Queries asks everything, of what the story left behind and of what is not there.
func (s *Story) Queries() []chaincode.Query {
	all := []chaincode.Query{
		{Name: "ledger"}, {Name: "heartbeat"}, {Name: "departments"}, {Name: "types"},
		{Name: "department", Args: []string{Suspended}}, {Name: "department", Args: []string{Stranger}},
		{Name: "keys", Args: []string{Issuer}}, {Name: "keys", Args: []string{Stranger}},
		{Name: "key", Args: []string{KeyID("dated").String()}}, {Name: "key", Args: []string{KeyID("never").String()}},
		{Name: "type", Args: []string{"property"}}, {Name: "type", Args: []string{"property", "1"}},
		{Name: "type", Args: []string{"property", "2"}}, {Name: "type", Args: []string{"divorce"}},
		{Name: "anchor", Args: []string{Issuer, s.First.Head.Root.String()}},
		{Name: "anchor", Args: []string{Issuer, s.Disowned.Head.Root.String()}},
		{Name: "anchor", Args: []string{Other, s.First.Head.Root.String()}},
		{Name: "anchors", Args: []string{Issuer}}, {Name: "anchors", Args: []string{Stranger}},
		{Name: "anchors", Args: []string{Issuer, s.Second.Head.Root.String()}},
		{Name: "root-status", Args: []string{Issuer, s.First.Head.Root.String()}},
		{Name: "root-status", Args: []string{Issuer, s.Second.Head.Root.String()}},
		{Name: "checkpoint", Args: []string{Issuer, Log}}, {Name: "checkpoint", Args: []string{Other, Log}},
		{Name: "checkpoint", Args: []string{Issuer, Log, "1"}}, {Name: "checkpoint", Args: []string{Issuer, Log, "2"}},
		{Name: "checkpoint", Args: []string{Issuer, "second"}},
		{Name: "consent", Args: []string{Issuer, sm.Sum([]byte("grant")).String()}},
		{Name: "consent", Args: []string{Other, sm.Sum([]byte("grant")).String()}},
		s.First.verify(1, 0), s.Second.verify(0, 1), s.Disowned.verify(0, 0), s.Disowned.verify(0, 1),
		{Name: "nothing"}, {Name: "ledger", Args: []string{"x"}},
	}
	for i, digest := range s.First.Digests {
		all = append(all, chaincode.Query{Name: "status", Args: []string{Issuer, digest.String()}},
			chaincode.Query{Name: "restrictions", Args: []string{Issuer, digest.String(), "property"}},
			s.First.verify(i, i))
	}
	return all
}

// verify asks for licence i at place j.
func (b *Batch) verify(i, j int) chaincode.Query {
	p := b.Place(i)
	return chaincode.Query{Name: "verify", Args: []string{
		b.Head.Issuer, p.Root.String(), strconv.Itoa(j), p.Digest.String(), hex.EncodeToString(p.Path),
	}}
}
