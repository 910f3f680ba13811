package ledgertest

import (
	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// anchorCases are about heads.
var anchorCases = []ruleCase{
	{chaincode.CodeWrongOrganisation, func(r *run) Submission { // submitted by another department
		s := r.unsubmitted("marriage", 1, nil, nil)
		return Submission{Properties, s.Tx}
	}},
	{chaincode.CodeWrongOrganisation, func(r *run) Submission { // signed by another department
		return r.unsubmitted("marriage", 1, nil, r.City.Department(r, Properties).Anchor)
	}},
	{chaincode.CodeUnitUnknown, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, func(h *statement.Head) { h.Unit = "cellar" }, nil)
	}},
	{chaincode.CodeTypeNotIssued, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, func(h *statement.Head) { h.Type = "property" }, nil)
	}},
	{chaincode.CodeTypeUnknown, func(r *run) Submission {
		return r.unsubmitted("marriage", 1, func(h *statement.Head) { h.TypeVersion = 99 }, nil)
	}},
	{chaincode.CodeRootMismatch, func(r *run) Submission { // one digest changed
		s := r.unsubmitted("marriage", 4, nil, nil)
		s.Tx.Digests[3*sm.HashSize] ^= 1
		return s
	}},
	{chaincode.CodeRootMismatch, func(r *run) Submission { // one digest short
		s := r.unsubmitted("marriage", 4, nil, nil)
		s.Tx.Digests = s.Tx.Digests[sm.HashSize:]
		return s
	}},
	{chaincode.CodeRootMismatch, func(r *run) Submission { // anchored before, with other digests
		b := r.anchor("marriage", 4)
		return Submission{b.Issuer, &chaincode.Transaction{Statements: b.Tx.Statements, Digests: make([]byte, 4*sm.HashSize)}}
	}},
	{chaincode.CodeAnchorConflict, func(r *run) Submission {
		b := r.anchor("marriage", 4)
		head := *b.Head
		head.SignedAt++
		tx := Sign(r, &head, b.Department.Anchor)
		tx.Digests = b.Tx.Digests
		return Submission{b.Issuer, tx}
	}},
}

// change is a submission of a status change, signed with the issuer's key for that.
func (r *run) change(b *Batch, s *statement.Status) Submission {
	r.Helper()
	return Submission{b.Issuer, Sign(r, s, b.Department.Status)}
}

// restrict is the same for a restriction.
func (r *run) restrict(b *Batch, s *statement.Restriction) Submission {
	r.Helper()
	return Submission{b.Issuer, Sign(r, s, b.Department.Status)}
}

// changed makes a status change.
func (r *run) changed(b *Batch, s *statement.Status) {
	r.Helper()
	r.submit(b.Issuer, r.change(b, s).Tx)
}

// statusCases are about changes of status and restrictions.
var statusCases = []ruleCase{
	{chaincode.CodeAnchorUnknown, func(r *run) Submission {
		b := r.City.Digests(r, "marriage", 2, nil, nil)
		return r.change(b, b.Change(0, licence.Suspended))
	}},
	{chaincode.CodeAnchorDisowned, func(r *run) Submission {
		d := r.City.Department(r, Marriages)
		key := r.enrolled(d, statement.PurposeAnchor, nil)
		b := r.City.Digests(r, "marriage", 2, nil, key)
		r.submit(b.Issuer, b.Tx)
		r.ended(d, key, statement.KeyCompromise, b.Root())
		return r.change(b, b.Change(0, licence.Suspended))
	}},
	{chaincode.CodeWrongOrganisation, func(r *run) Submission { // copied by another issuer, who withdraws it
		b := r.anchor("marriage", 2)
		return Submission{Properties, Sign(r, b.Change(0, licence.Revoked), r.City.Department(r, Properties).Status)}
	}},
	{chaincode.CodeAnchorUnknown, func(r *run) Submission { // as his own, which it is not
		b := r.anchor("marriage", 2)
		s := b.Change(0, licence.Revoked)
		s.Issuer = Properties
		return Submission{Properties, Sign(r, s, r.City.Department(r, Properties).Status)}
	}},
	{chaincode.CodeNotInAnchor, func(r *run) Submission {
		b := r.anchor("marriage", 4)
		s := b.Change(0, licence.Suspended)
		s.Licence.Index = 1
		return r.change(b, s)
	}},
	{chaincode.CodeKeyPurpose, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		return Submission{b.Issuer, Sign(r, b.Change(0, licence.Suspended), b.Department.Anchor)}
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // replayed
		b := r.anchor("marriage", 1)
		s := b.Change(0, licence.Suspended)
		r.changed(b, s)
		r.changed(b, After(r, s, licence.Active))
		return r.change(b, s)
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // one left out
		b := r.anchor("marriage", 1)
		s := After(r, After(r, b.Change(0, licence.Suspended), licence.Active), licence.Revoked)
		return r.change(b, s)
	}},
	{chaincode.CodePrevious, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		s := b.Change(0, licence.Suspended)
		r.changed(b, s)
		next := After(r, s, licence.Active)
		next.Previous = &sm.Hash{1}
		return r.change(b, next)
	}},
	{chaincode.CodeStatusFrom, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		s := b.Change(0, licence.Active)
		s.From = string(licence.Suspended)
		return r.change(b, s)
	}},
	{chaincode.CodeTransition, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		return r.change(b, b.Change(0, licence.Active))
	}},
	{chaincode.CodeTooMany, func(r *run) Submission { // one licence twice
		b := r.anchor("marriage", 1)
		s := b.Change(0, licence.Suspended)
		return Submission{b.Issuer, SignAll(r, []*statement.Status{s, After(r, s, licence.Active)}, b.Department.Status)}
	}},
	{chaincode.CodeApprovals, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		s := b.Change(0, licence.Revoked)
		r.changed(b, s)
		return r.change(b, After(r, s, licence.Active))
	}},
	{chaincode.CodeSigners, func(r *run) Submission { // one approval too many
		b := r.anchor("marriage", 1)
		return Submission{b.Issuer, Sign(r, b.Change(0, licence.Suspended), b.Department.Status, b.Department.Second)}
	}},
	{chaincode.CodeSuccessor, func(r *run) Submission { // none
		b := r.anchor("marriage", 2)
		return r.change(b, b.Change(0, licence.Superseded))
	}},
	{chaincode.CodeSuccessor, func(r *run) Submission { // not anchored
		b, next := r.anchor("marriage", 2), r.City.Digests(r, "marriage", 1, nil, nil).Place(0)
		s := b.Change(0, licence.Superseded)
		s.Successor = &next
		return r.change(b, s)
	}},
	{chaincode.CodeSuccessor, func(r *run) Submission { // of another issuer
		b, next := r.anchor("marriage", 2), r.anchor("property", 1).Place(0)
		s := b.Change(0, licence.Superseded)
		s.Successor = &next
		return r.change(b, s)
	}},
	{chaincode.CodeSuccessor, func(r *run) Submission { // of a licence that is not superseded
		b := r.anchor("marriage", 2)
		s, next := b.Change(0, licence.Suspended), b.Place(1)
		s.Successor = &next
		return r.change(b, s)
	}},
	{chaincode.CodeRestriction, func(r *run) Submission {
		b := r.anchor("marriage", 1)
		return r.restrict(b, b.Restrict(0))
	}},
	{chaincode.CodeRestrictionState, func(r *run) Submission { // lifted though not laid
		b := r.anchor("property", 1)
		s := b.Restrict(0)
		s.Action = statement.RestrictionLift
		return r.restrict(b, s)
	}},
	{chaincode.CodeRestrictionState, func(r *run) Submission { // laid twice
		b := r.anchor("property", 1)
		s := b.Restrict(0)
		r.submit(b.Issuer, r.restrict(b, s).Tx)
		return r.restrict(b, AfterRestriction(r, s, statement.RestrictionLay))
	}},
	{chaincode.CodeSequence, func(r *run) Submission { // a restriction replayed
		b := r.anchor("property", 1)
		s := r.restrict(b, b.Restrict(0))
		r.submit(s.Actor, s.Tx)
		return s
	}},
	{chaincode.CodeTooMany, func(r *run) Submission { // 501 changes
		b := r.anchor("marriage", chaincode.MaxChanges+1)
		var all []*statement.Status
		for i := range b.Digests {
			all = append(all, b.Change(i, licence.Suspended))
		}
		return Submission{b.Issuer, SignAll(r, all, b.Department.Status)}
	}},
}
