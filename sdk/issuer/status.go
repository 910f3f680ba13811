package issuer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A StatusChange is what is to become of a licence.
type StatusChange struct {
	Licence *Subject
	To      licence.State
	Reason  string // code of one of the reasons that the type has for this change

	// Effective is the first day of the new state. Default: today, or for a reason that holds from
	// the beginning the day of issue, or the first day of validity if that is earlier.
	Effective *licence.Date

	Successor *Subject // takes the licence's place; exactly when To is licence.Superseded

	// Approvals is how many people stand behind the change, where that is known: one that takes more, from the state
	// in which the licence then is, is CodeApprovals. 0: as many as it takes.
	Approvals int
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
// For each transaction the vault first keeps what opens the commitments to the reasons, then the ledger
// changes, then the vault notes the new states. A call that failed or was killed can be made again: what is
// done already is StatusAlready. A transaction makes all of its changes or none.
//
// Errors: CodeSignerMissing, CodeTransition, CodeReason, CodeApprovals, CodeSuccessor, CodeNotAnchored;
// vault.CodeNumberTaken if a licence cannot be active again because another has its number by now; those of the
// ledger and the vault.
func (iss *Issuer) SetStatus(ctx context.Context, by vault.By, changes []StatusChange, progress func(done int)) ([]StatusResult, error) {
	results := make([]StatusResult, len(changes))
	for i := range changes {
		if err := iss.checkChange(&changes[i]); err != nil {
			return results, about(changes[i].Licence, err)
		}
		results[i].Digest = changes[i].Licence.Place.Digest
	}
	for start := 0; start < len(changes); {
		end := start + groupLength(changes[start:])
		if err := iss.setGroup(ctx, by, changes[start:end], results[start:end]); err != nil {
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
		if seen[changes[i].Licence.Place.Digest] {
			return i
		}
		seen[changes[i].Licence.Place.Digest] = true
	}
	return len(seen)
}

// checkChange refuses what cannot be right whatever state the licence is in.
func (iss *Issuer) checkChange(c *StatusChange) error {
	t, err := iss.typ(c.Licence.Type)
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
	case s.Place.Digest == c.Licence.Place.Digest || s.Type != t.ID:
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

// A signedChange is one of a transaction, ready to be submitted.
type signedChange struct {
	licence *Subject
	revives bool // takes its number again
	opening *vault.Opening
	change  vault.Change
}

// setGroup makes the changes of one transaction. Where somebody else changes one of the licences at
// the same time, it looks again; where a key was retired meanwhile, it signs with the new one.
func (iss *Issuer) setGroup(ctx context.Context, by vault.By, changes []StatusChange, results []StatusResult) error {
	const attempts = 3
	keys, err := iss.signers(ctx, statement.PurposeStatus, false)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		tx, signed, err := iss.prepareGroup(ctx, keys, changes, results)
		if err != nil {
			return err
		}
		if len(signed) == 0 {
			return iss.learnStates(ctx, changes)
		}
		if err := iss.write(ctx, by, func(tx *vault.Tx) error { return keepChanges(tx, signed) }); err != nil {
			return err
		}
		receipt, err := iss.ledger.Submit(ctx, tx)
		if chaincode.Code(err) != "" {
			if left := iss.leaveNumbers(ctx, by, signed); left != nil {
				return errors.Join(ledgerError("change the status", err), left)
			}
		}
		switch code := chaincode.Code(err); {
		case attempt == attempts:
		case code == chaincode.CodeSequence, code == chaincode.CodePrevious, code == chaincode.CodeStatusFrom:
			continue
		case keyRefused[code]:
			if newer, ok := iss.newer(ctx, statement.PurposeStatus, keys); ok {
				keys = newer
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
		if err := iss.step(stepSubmitted); err != nil {
			return err
		}
		return iss.write(ctx, by, func(tx *vault.Tx) error { return noteChanges(tx, signed) })
	}
}

// keepChanges keeps what opens the commitments of changes, and has licences that come back take their numbers.
func keepChanges(tx *vault.Tx, signed []signedChange) error {
	for i := range signed {
		c := &signed[i]
		if c.revives && c.licence.ID != 0 {
			if err := tx.TakeNumber(c.licence.ID); err != nil {
				return about(c.licence, err)
			}
		}
		if err := tx.KeepOpening(c.opening); err != nil {
			return err
		}
	}
	return nil
}

// leaveNumbers gives the numbers free that keepChanges has taken: the ledger has refused the changes.
func (iss *Issuer) leaveNumbers(ctx context.Context, by vault.By, signed []signedChange) error {
	var ids []vault.ID
	for i := range signed {
		if signed[i].revives && signed[i].licence.ID != 0 {
			ids = append(ids, signed[i].licence.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return iss.write(ctx, by, func(tx *vault.Tx) error { return tx.LeaveNumbers(ids...) })
}

// noteChanges notes changes that the ledger has made.
func noteChanges(tx *vault.Tx, signed []signedChange) error {
	for i := range signed {
		c := &signed[i]
		if c.licence.ID != 0 {
			if err := tx.SetState(c.licence.ID, c.change); err != nil {
				return about(c.licence, err)
			}
		}
		if err := tx.SettleOpening(c.opening.Commitment()); err != nil {
			return err
		}
	}
	return nil
}

// learnStates makes sure that the vault knows the states of licences that had been changed already; perhaps a
// call was killed that could not say so.
func (iss *Issuer) learnStates(ctx context.Context, changes []StatusChange) error {
	for i := range changes {
		c := &changes[i]
		if c.Licence.ID == 0 {
			continue
		}
		l, err := iss.vault.Licence(ctx, c.Licence.ID)
		if err != nil {
			return err
		}
		if l.State != c.To {
			return iss.learn(ctx)
		}
	}
	return nil
}

// prepareGroup looks up the state of each licence, and makes the transaction.
func (iss *Issuer) prepareGroup(ctx context.Context, keys []sm.Signer, changes []StatusChange, results []StatusResult) (*chaincode.Transaction, []signedChange, error) {
	tx := new(chaincode.Transaction)
	var all []signedChange
	standings, err := iss.standings(ctx, changes)
	if err != nil {
		return nil, nil, err
	}
	for i := range changes {
		c, result, s := &changes[i], &results[i], standings[i]
		if s.Status.State == c.To {
			*result = StatusResult{Digest: c.Licence.Place.Digest, Outcome: StatusAlready}
			continue
		}
		opening, err := iss.opening(OpensReason, c.Reason, c.Licence)
		if err != nil {
			return nil, nil, err
		}
		statements, effective, err := iss.signChange(keys, c, s, opening.Commitment())
		if err != nil {
			return nil, nil, about(c.Licence, err)
		}
		*result = StatusResult{Digest: c.Licence.Place.Digest, From: s.Status.State, Effective: effective}
		tx.Statements = append(tx.Statements, statements...)
		all = append(all, signedChange{
			licence: c.Licence, revives: alive(c.To) && !alive(s.Status.State), opening: opening,
			change: vault.Change{To: c.To, Effective: effective, Sequence: s.Status.Sequence + 1},
		})
	}
	return tx, all, nil
}

// alive reports whether a licence in a state keeps its number from others.
func alive(s licence.State) bool { return s == licence.Active || s == licence.Suspended }

// signChange signs one change, by as many keys as the type asks for.
func (iss *Issuer) signChange(keys []sm.Signer, c *StatusChange, s *standing, reason sm.Hash) ([][]byte, licence.Date, error) {
	t, from := iss.types[c.Licence.Type], s.Status.State
	transition, ok := t.Transition(from, c.To)
	if !ok {
		return nil, 0, errorf(CodeTransition, nil, "it is %s, and the type %s does not go from there to %s", from, t.ID, c.To)
	}
	why, ok := transition.Reason(c.Reason)
	if !ok {
		return nil, 0, unknownReason(t, c.To, transition.Reasons)
	}
	if c.Approvals > 0 && transition.Approvals > c.Approvals {
		return nil, 0, errorf(CodeApprovals, nil, "the change from %s to %s takes %d people", from, c.To, transition.Approvals)
	}
	if transition.Approvals > len(keys) {
		return nil, 0, errorf(CodeApprovals, nil, "the change from %s to %s needs %d keys for status", from, c.To, transition.Approvals)
	}
	effective := licence.DateOf(iss.now())
	switch {
	case c.Effective != nil:
		effective = *c.Effective
	case why.Effect == licence.AbInitio:
		effective = c.Licence.Since
	}
	body := &statement.Status{
		Ledger: iss.ledgerID, Issuer: iss.department.ID, Root: c.Licence.Place.Root, Licence: &c.Licence.Place,
		Sequence: s.Status.Sequence + 1, From: string(from), To: string(c.To), Effective: int32(effective),
		Reason: reason, Previous: s.Status.Last, SignedAt: iss.seconds(),
	}
	if c.Successor != nil {
		body.Successor = &c.Successor.Place
	}
	signed, err := signAll(body, keys[:transition.Approvals])
	return signed, effective, err
}

// What a commitment opens to: the key that the code is committed under.
const (
	OpensReason      = "reason"      // of a status change
	OpensRestriction = "restriction" // the kind of one that was laid
	OpensRelease     = "release"     // the kind of one that was lifted
)

// opening draws the salt of a new commitment.
func (iss *Issuer) opening(key, code string, l *Subject) (*vault.Opening, error) {
	o := &vault.Opening{Key: key, Code: code, Digest: l.Place.Digest}
	return o, iss.read(o.Salt[:])
}
