package issuer

import (
	"context"
	"slices"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A StatusChange is what is to become of a licence.
type StatusChange struct {
	Licence *credential.Opened // a credential or presentation of the licence
	To      licence.State
	Reason  string // code of one of the reasons that the type has for this change

	// Effective is the first day of the new state. Default: today, or for a reason that holds from
	// the beginning the day of issue, or the first day of validity if that is earlier.
	Effective *licence.Date

	Successor *credential.Opened // takes the licence's place; exactly when To is licence.Superseded
}

// The outcomes of a status change.
const (
	StatusChanged = "changed" // by this call
	StatusAlready = "already" // the licence was in that state: nothing was to do
	StatusNotDone = ""        // an error came first
)

// A StatusResult is what came of a status change.
type StatusResult struct {
	Digest    sm.Hash
	Outcome   string
	From      licence.State // if changed
	Effective licence.Date  // if changed
	TxID      string        // if changed
}

// SetStatus changes the status of licences, in transactions of up to chaincode.MaxChanges. The
// results are those of the changes, in their order; progress, unless it is nil, is called with the
// number of changes that are through.
//
// For each transaction the register first keeps what opens the commitments to the reasons, then the
// ledger changes, then the register notes the new states. A call that failed or was killed can be
// made again: what is done already is StatusAlready. A transaction makes all of its changes or none.
func (iss *Issuer) SetStatus(ctx context.Context, changes []StatusChange, progress func(done int)) ([]StatusResult, error) {
	results := make([]StatusResult, len(changes))
	if len(iss.status) == 0 {
		return results, errorf(CodeSignerMissing, nil, "changing a status needs a key of the department for status")
	}
	for i := range changes {
		if err := iss.checkChange(&changes[i]); err != nil {
			return results, about(changes[i].Licence, err)
		}
		results[i].Digest = changes[i].Licence.Digest
	}
	for start := 0; start < len(changes); {
		end := start + groupLength(changes[start:])
		if err := iss.setGroup(ctx, changes[start:end], results[start:end]); err != nil {
			return results, err
		}
		if start = end; progress != nil {
			progress(end)
		}
	}
	return results, nil
}

// groupLength returns how many changes go into the next transaction: no licence comes twice in it.
func groupLength(changes []StatusChange) int {
	seen := make(map[sm.Hash]bool, chaincode.MaxChanges)
	for i := range changes[:min(len(changes), chaincode.MaxChanges)] {
		if seen[changes[i].Licence.Digest] {
			return i
		}
		seen[changes[i].Licence.Digest] = true
	}
	return len(seen)
}

// checkChange refuses what cannot be right whatever state the licence is in.
func (iss *Issuer) checkChange(c *StatusChange) error {
	if err := iss.ours(c.Licence); err != nil {
		return err
	}
	t, err := iss.typ(c.Licence.Type.ID)
	if err != nil {
		return err
	}
	var reasons []licence.Reason
	for _, tr := range t.Transitions {
		if tr.To == c.To {
			reasons = append(reasons, tr.Reasons...)
		}
	}
	if reasons == nil {
		return errorf(CodeTransition, nil, "the type %s has no change to %q", t.ID, c.To)
	}
	if !slices.ContainsFunc(reasons, func(r licence.Reason) bool { return r.Code == c.Reason }) {
		return unknownReason(t, c.To, reasons)
	}
	switch s := c.Successor; {
	case c.To != licence.Superseded && s != nil:
		return errorf(CodeSuccessor, nil, "only a superseded licence has a successor")
	case c.To != licence.Superseded:
		return nil
	case s == nil:
		return errorf(CodeSuccessor, nil, "a superseded licence needs a successor, which is issued first")
	case s.Digest == c.Licence.Digest || s.Type.ID != t.ID || iss.ours(s) != nil:
		return errorf(CodeSuccessor, nil, "the successor must be another licence of the same type and department")
	}
	return nil
}

func unknownReason(t *licence.Type, to licence.State, reasons []licence.Reason) error {
	var codes []string
	for _, r := range reasons {
		if !slices.Contains(codes, r.Code) {
			codes = append(codes, r.Code)
		}
	}
	return errorf(CodeReason, nil, "the type %s has no such reason for the change to %s; its reasons are %s", t.ID, to, strings.Join(codes, ", "))
}

// setGroup makes the changes of one transaction. Where somebody else changes one of the licences at
// the same time, it looks again.
func (iss *Issuer) setGroup(ctx context.Context, changes []StatusChange, results []StatusResult) error {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		tx, openings, err := iss.prepareGroup(ctx, changes, results)
		if err != nil {
			return err
		}
		if len(openings) == 0 { // all were there already; perhaps a call was killed that could not say so
			return iss.register.setStates(ctx, changes, nil)
		}
		if err := iss.register.keep(ctx, openings, iss.seconds()); err != nil {
			return err
		}
		receipt, err := iss.ledger.Submit(ctx, tx)
		switch chaincode.Code(err) {
		case chaincode.CodeSequence, chaincode.CodePrevious, chaincode.CodeStatusFrom:
			if attempt < attempts {
				continue
			}
		}
		if err != nil {
			return ledgerError("change the status", err)
		}
		for i := range results {
			if results[i].From != "" {
				results[i].Outcome, results[i].TxID = StatusChanged, receipt.TxID
			}
		}
		return iss.register.setStates(ctx, changes, openings)
	}
}

// prepareGroup looks up the state of each licence, and makes the transaction with what opens the
// commitments in it.
func (iss *Issuer) prepareGroup(ctx context.Context, changes []StatusChange, results []StatusResult) (*chaincode.Transaction, []*Opening, error) {
	tx := new(chaincode.Transaction)
	var openings []*Opening
	for i := range changes {
		c, result := &changes[i], &results[i]
		s, err := iss.standing(ctx, c.Licence)
		if err != nil {
			return nil, nil, about(c.Licence, err)
		}
		if s.Status.State == c.To {
			*result = StatusResult{Digest: c.Licence.Digest, Outcome: StatusAlready}
			continue
		}
		opening, err := iss.opening(OpensReason, c.Reason, c.Licence.Digest)
		if err != nil {
			return nil, nil, err
		}
		signed, effective, err := iss.signChange(ctx, c, s, opening.Commitment())
		if err != nil {
			return nil, nil, about(c.Licence, err)
		}
		*result = StatusResult{Digest: c.Licence.Digest, From: s.Status.State, Effective: effective}
		tx.Statements = append(tx.Statements, signed...)
		openings = append(openings, opening)
	}
	return tx, openings, nil
}

// signChange signs one change, by as many keys as the type asks for.
func (iss *Issuer) signChange(ctx context.Context, c *StatusChange, s *standing, reason sm.Hash) ([][]byte, licence.Date, error) {
	t, from := iss.types[c.Licence.Type.ID], s.Status.State
	transition, ok := t.Transition(from, c.To)
	if !ok {
		return nil, 0, errorf(CodeTransition, nil, "it is %s, and the type %s does not go from there to %s", from, t.ID, c.To)
	}
	why, ok := transition.Reason(c.Reason)
	if !ok {
		return nil, 0, unknownReason(t, c.To, transition.Reasons)
	}
	if transition.Approvals > len(iss.status) {
		return nil, 0, errorf(CodeApprovals, nil, "the change from %s to %s needs %d keys for status", from, c.To, transition.Approvals)
	}
	if err := iss.register.mayRevive(ctx, c, from); err != nil {
		return nil, 0, err
	}
	effective := licence.DateOf(iss.now())
	switch {
	case c.Effective != nil:
		effective = *c.Effective
	case why.Effect == licence.AbInitio:
		effective = firstDay(c.Licence)
	}
	place := c.Licence.Place()
	body := &statement.Status{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Root: place.Root, Licence: &place,
		Sequence: s.Status.Sequence + 1, From: string(from), To: string(c.To), Effective: int32(effective),
		Reason: reason, Previous: s.Status.Last, SignedAt: iss.seconds(),
	}
	if c.Successor != nil {
		successor := c.Successor.Place()
		body.Successor = &successor
	}
	signed, err := signAll(body, iss.status[:transition.Approvals])
	return signed, effective, err
}

// signAll signs a statement with each of the keys.
func signAll(body statement.Body, signers []sm.Signer) ([][]byte, error) {
	var out [][]byte
	for _, signer := range signers {
		signed, err := statement.Sign(body, signer)
		if err != nil {
			return nil, statementError("sign a "+string(body.Kind())+" statement", err)
		}
		out = append(out, signed)
	}
	return out, nil
}
