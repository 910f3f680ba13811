package verifiertest

import (
	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// today is the day of the clock in UTC+8.
func (c *City) today() licence.Date { return licence.DateOf(c.Clock.Now()) }

// SetStatus changes the licence's status, effective today; to another state than
// licence.Superseded, for which there is Supersede.
func (l *Licence) SetStatus(to licence.State) {
	l.city.tb.Helper()
	l.SetStatusFrom(to, l.city.today())
}

// SetStatusFrom is SetStatus with another first day of the new state.
func (l *Licence) SetStatusFrom(to licence.State, effective licence.Date) {
	l.city.tb.Helper()
	s := l.Batch.Change(l.Index, to)
	if l.status != nil {
		s = ledgertest.After(l.city.tb, l.status, to)
	}
	l.change(s, effective)
}

// Supersede says that another licence, of the same type and issuer, takes the place of this one.
func (l *Licence) Supersede(successor *Licence) {
	l.city.tb.Helper()
	s := l.Batch.Change(l.Index, licence.Superseded)
	if l.status != nil {
		s = ledgertest.After(l.city.tb, l.status, licence.Superseded)
	}
	place := successor.Batch.Place(successor.Index)
	s.Successor = &place
	l.change(s, l.city.today())
}

func (l *Licence) change(s *statement.Status, effective licence.Date) {
	l.city.tb.Helper()
	s.Effective, s.SignedAt = int32(effective), l.city.Clock.Unix()
	l.status = s
	l.city.Submit(l.Batch.Issuer, l.signed(s))
}

// signed signs a change of status as often as the type asks for.
func (l *Licence) signed(s *statement.Status) *chaincode.Transaction {
	l.city.tb.Helper()
	keys := []*sm.PrivateKey{l.Batch.Department.Status}
	if t, ok := l.Type.Transition(licence.State(s.From), licence.State(s.To)); ok && t.Approvals == 2 {
		keys = append(keys, l.Batch.Department.Second)
	}
	return ledgertest.Sign(l.city.tb, s, keys...)
}

// RevokeRoot revokes every licence that was anchored together with this one, effective today.
func (l *Licence) RevokeRoot() {
	l.city.tb.Helper()
	s := l.Batch.ChangeAll(licence.Revoked)
	s.Effective, s.SignedAt = int32(l.city.today()), l.city.Clock.Unix()
	l.city.Submit(l.Batch.Issuer, l.signed(s))
}

// Restrict lays a restriction on the licence, effective today, which Release lifts.
func (l *Licence) Restrict() {
	l.city.tb.Helper()
	r := l.Batch.Restrict(l.Index)
	if l.restriction != nil {
		id := r.ID
		r = ledgertest.AfterRestriction(l.city.tb, l.restriction, statement.RestrictionLay)
		r.ID = id
	}
	l.lay(r)
}

// Release lifts the restriction that was laid last.
func (l *Licence) Release() {
	l.city.tb.Helper()
	l.lay(ledgertest.AfterRestriction(l.city.tb, l.restriction, statement.RestrictionLift))
}

func (l *Licence) lay(r *statement.Restriction) {
	l.city.tb.Helper()
	r.Effective, r.SignedAt = int32(l.city.today()), l.city.Clock.Unix()
	l.restriction = r
	l.city.Submit(l.Batch.Issuer, ledgertest.Sign(l.city.tb, r, l.Batch.Department.Status))
}

// WithdrawBinding withdraws the binding that Bind made.
func (l *Licence) WithdrawBinding() {
	l.city.tb.Helper()
	binding, err := statement.Parse(l.Bind())
	if err != nil {
		l.city.tb.Fatal(err)
	}
	s := &statement.Consent{
		Ledger: l.city.ID, Department: l.Batch.Issuer, Digest: sm.Sum(binding.Payload),
		Action: statement.ConsentWithdraw, SignedAt: l.city.Clock.Unix(),
	}
	l.city.Submit(l.Batch.Issuer, ledgertest.Sign(l.city.tb, s, l.Batch.Department.Consent))
}
