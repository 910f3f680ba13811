package chaincode

import (
	"bytes"
	"fmt"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// anchor puts a signed head, with the digests under it, on the ledger. Of a repeat the digests are
// checked too, so that whoever reads them from a transaction that broke no rule can rely on them.
func (a *application) anchor(act *act, h *statement.Head) error {
	if err := a.submittedBy(h.Issuer); err != nil {
		return err
	}
	if len(act.signed) != 1 {
		return errorf(CodeSigners, "a head has one signature")
	}
	key, signed := AnchorStateKey(h.Issuer, h.Root), act.signed[0].Bytes()
	stored, err := a.Get(key)
	switch {
	case err != nil:
		return fmt.Errorf("read state %s: %w", key, err)
	case bytes.Equal(stored, signed):
		return a.covers(h)
	case stored != nil:
		return errorf(CodeAnchorConflict, "another head is anchored under this root; a retry sends the first signed head byte for byte")
	}
	issuer, err := a.activeDepartment(h.Issuer)
	if err != nil {
		return err
	}
	if err := issues(issuer, h); err != nil {
		return err
	}
	versions, found, err := Load[TypeVersions](a, TypeStateKey(h.Type))
	if err != nil {
		return err
	}
	if !found || h.TypeVersion > versions.Newest {
		return errorf(CodeTypeUnknown, "version %d of the type %s has not been published", h.TypeVersion, h.Type)
	}
	if err := a.signedFor(act.signed[0], h.Issuer, statement.PurposeAnchor, h.SignedAt); err != nil {
		return err
	}
	if err := a.covers(h); err != nil {
		return err
	}
	a.put(key, signed)
	return nil
}

// covers requires the digests of the transaction to be those under a head.
func (a *application) covers(h *statement.Head) error {
	if len(a.digests) != int(h.Size)*sm.HashSize {
		return errorf(CodeRootMismatch, "a head over %d licences comes with %d bytes of digests, not %d", h.Size, h.Size*sm.HashSize, len(a.digests))
	}
	digests := make([]sm.Hash, h.Size)
	for i := range digests {
		digests[i] = sm.Hash(a.digests[i*sm.HashSize:])
	}
	if credential.Root(digests) != h.Root {
		return errorf(CodeRootMismatch, "the digests do not give the root that was signed")
	}
	return nil
}

// issues reports whether a department has the unit and may issue the type of a head.
func issues(d *Department, h *statement.Head) error {
	unit, typ := false, false
	for i := range d.Profile.Units {
		unit = unit || d.Profile.Units[i].ID == h.Unit
	}
	for _, t := range d.Profile.Issues {
		typ = typ || t == h.Type
	}
	switch {
	case !typ:
		return errorf(CodeTypeNotIssued, "%s may not issue the type %s", h.Issuer, h.Type)
	case !unit:
		return errorf(CodeUnitUnknown, "%s has no unit %s", h.Issuer, h.Unit)
	}
	return nil
}

// standing loads the head that an issuer anchored and did not disown, for a change that it signs.
func (a *application) standing(issuer string, root sm.Hash) (*statement.Head, error) {
	if err := a.submittedBy(issuer); err != nil {
		return nil, err
	}
	if _, err := a.activeDepartment(issuer); err != nil {
		return nil, err
	}
	s, err := a.anchored(issuer, root)
	if err != nil {
		return nil, err
	}
	if none, err := isNil(a.Get(DisownedStateKey(issuer, root))); err != nil {
		return nil, err
	} else if !none {
		return nil, errorf(CodeAnchorDisowned, "%s disowned this root", issuer)
	}
	head, ok := s.Body.(*statement.Head)
	if !ok {
		return nil, fmt.Errorf("state %s does not hold a head", AnchorStateKey(issuer, root))
	}
	return head, nil
}

// under requires a licence to stand under a head at its place.
func under(h *statement.Head, p *statement.Place) error {
	if root, ok := credential.PathRoot(p.Digest, p.Index, h.Size, p.Path); !ok || root != h.Root {
		return errorf(CodeNotInAnchor, "digest, index and path do not lead to the anchored root")
	}
	return nil
}

// setStatus changes the status of a licence, or of all under a root. The status of a licence is kept
// by issuer, digest and type: a digest anchored once more under a head of another type is not a way
// around what the licence's own type asks for. It changes once in a transaction, so that the history
// of its state key has every change.
func (a *application) setStatus(act *act, s *statement.Status) error {
	head, err := a.standing(s.Issuer, s.Root)
	if err != nil {
		return err
	}
	key := RootStatusStateKey(s.Issuer, s.Root)
	if s.Licence != nil {
		if err := under(head, s.Licence); err != nil {
			return err
		}
		key = StatusStateKey(s.Issuer, s.Licence.Digest, head.Type)
	}
	if _, twice := a.pending[key]; twice {
		return errorf(CodeTooMany, "a transaction changes the status of a licence once: send the second change in another")
	}
	record, found, err := Load[Status](a, key)
	if err != nil {
		return err
	}
	if !found {
		record = &Status{State: licence.Active}
	}
	if err := sequence(uint64(s.Sequence), uint64(record.Sequence), s.Previous, record.Last); err != nil {
		return err
	}
	if s.From != string(record.State) {
		return errorf(CodeStatusFrom, "the state before is %s, not %s", record.State, s.From)
	}
	t, err := a.newestType(head.Type)
	if err != nil {
		return err
	}
	transition, ok := t.Transition(licence.State(s.From), licence.State(s.To))
	if !ok {
		return errorf(CodeTransition, "the type %s does not go from %s to %s", t.ID, s.From, s.To)
	}
	if err := a.approved(act, s, transition.Approvals); err != nil {
		return err
	}
	if err := a.successor(s, head); err != nil {
		return err
	}
	return a.putRecord(key, &Status{
		Sequence: s.Sequence, State: licence.State(s.To), Effective: s.Effective,
		Last: sm.Sum(act.payload), Reason: s.Reason, Successor: s.Successor,
	})
}

// approved requires exactly as many signatures as the type asks for; parseActs has seen to it that
// they are by different keys.
func (a *application) approved(act *act, s *statement.Status, approvals int) error {
	switch {
	case len(act.signed) < approvals:
		return errorf(CodeApprovals, "this change needs the signatures of %d keys for status, and has %d", approvals, len(act.signed))
	case len(act.signed) > approvals:
		return errorf(CodeSigners, "this change needs the signatures of %d keys for status, and has %d", approvals, len(act.signed))
	}
	for _, signed := range act.signed {
		if err := a.signedFor(signed, s.Issuer, statement.PurposeStatus, s.SignedAt); err != nil {
			return err
		}
	}
	return nil
}

// successor requires a superseded licence, and no other, to name the one that takes its place.
func (a *application) successor(s *statement.Status, head *statement.Head) error {
	superseded := licence.State(s.To) == licence.Superseded
	switch {
	case !superseded && s.Successor != nil:
		return errorf(CodeSuccessor, "only a superseded licence has a successor")
	case !superseded:
		return nil
	case s.Successor == nil || s.Licence == nil:
		return errorf(CodeSuccessor, "a superseded licence names its successor")
	case s.Successor.Digest == s.Licence.Digest:
		return errorf(CodeSuccessor, "a licence cannot be its own successor")
	}
	next, err := a.standing(s.Issuer, s.Successor.Root)
	if Code(err) != "" {
		return errorf(CodeSuccessor, "the successor is not anchored by this issuer")
	} else if err != nil {
		return err
	}
	if next.Type != head.Type || under(next, s.Successor) != nil {
		return errorf(CodeSuccessor, "the successor is of another type, or does not stand under its root")
	}
	return nil
}

// restrict lays or lifts a restriction.
func (a *application) restrict(act *act, r *statement.Restriction) error {
	head, err := a.standing(r.Issuer, r.Licence.Root)
	if err != nil {
		return err
	}
	if err := under(head, &r.Licence); err != nil {
		return err
	}
	if err := a.signedOnce(act, r.Issuer, statement.PurposeStatus, r.SignedAt); err != nil {
		return err
	}
	t, err := a.newestType(head.Type)
	if err != nil {
		return err
	}
	key := RestrictionStateKey(r.Issuer, r.Licence.Digest, head.Type)
	record, found, err := Load[Restrictions](a, key)
	if err != nil {
		return err
	}
	if !found {
		record = new(Restrictions)
	}
	if err := sequence(uint64(r.Sequence), uint64(record.Sequence), r.Previous, record.Last); err != nil {
		return err
	}
	if r.Action == statement.RestrictionLay {
		err = record.lay(r, len(t.Restrictions) > 0)
	} else {
		err = record.lift(r)
	}
	if err != nil {
		return err
	}
	record.Sequence, record.Last = r.Sequence, sm.Sum(act.payload)
	return a.putRecord(key, record)
}

func (rs *Restrictions) find(id [16]byte) int {
	for i := range rs.Open {
		if rs.Open[i].ID == id {
			return i
		}
	}
	return -1
}

func (rs *Restrictions) lay(r *statement.Restriction, allowed bool) error {
	switch {
	case !allowed:
		return errorf(CodeRestriction, "licences of this type are not restricted")
	case rs.find(r.ID) >= 0:
		return errorf(CodeRestrictionState, "this restriction has been laid already")
	case len(rs.Open) >= MaxRestrictions:
		return errorf(CodeRestrictionState, "a licence has at most %d restrictions at one time", MaxRestrictions)
	}
	rs.Open = append(rs.Open, Restriction{ID: r.ID, Ground: r.Ground, Effective: r.Effective})
	return nil
}

func (rs *Restrictions) lift(r *statement.Restriction) error {
	i := rs.find(r.ID)
	if i < 0 {
		return errorf(CodeRestrictionState, "no such restriction is on this licence")
	}
	rs.Open = append(rs.Open[:i], rs.Open[i+1:]...)
	return nil
}
