package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

const proposalTTL = 30 * 24 * time.Hour

// A proposedChange is the content of a proposal.
type proposedChange struct {
	To        licence.State `json:"to"`
	Reason    string        `json:"reason"`
	Effective *licence.Date `json:"effective"`
	Successor vault.ID      `json:"successor"`
}

func parseChange(content []byte) (*change, error) {
	var p proposedChange
	if err := json.Unmarshal(content, &p); err != nil {
		return nil, err
	}
	return &change{p.To, p.Reason, p.Effective, p.Successor}, nil
}

// proposalJSON is a change that takes two people.
type proposalJSON struct {
	ID        string        `json:"id"`
	Licence   vault.ID      `json:"licence"`
	Type      string        `json:"type"`
	To        licence.State `json:"to"`
	Reason    string        `json:"reason"`
	Effective *string       `json:"effective"`
	Successor *vault.ID     `json:"successor"`
	State     string        `json:"state"`
	By        string        `json:"by"`
	Purpose   string        `json:"purpose"`
	CreatedAt string        `json:"createdAt"`
	ExpiresAt string        `json:"expiresAt"`
	DecidedBy *string       `json:"decidedBy"`
	Mine      bool          `json:"mine"`
}

func (c *call) describeProposal(p *vault.Proposal, typ string, q *change) proposalJSON {
	out := proposalJSON{
		ID: p.ID.String(), Licence: p.Licence, Type: typ, To: q.to, Reason: q.reason, Effective: dayOrNull(q.effective), State: p.State,
		By: p.By.Actor, Purpose: p.By.Purpose, CreatedAt: rest.RFC3339(p.Created), ExpiresAt: rest.RFC3339(p.Expires), Mine: p.By.Actor == c.who.Name,
	}
	if q.successor != 0 {
		out.Successor = &q.successor
	}
	if p.Decider != nil {
		out.DecidedBy = &p.Decider.Actor
	}
	return out
}

// propose keeps a change for another person to approve.
func (c *call) propose(l *vault.Licence, q *change, why string) error {
	if err := c.room(kindStatus); err != nil {
		return err
	}
	content, err := json.Marshal(proposedChange{q.to, q.reason, q.effective, q.successor})
	if err != nil {
		return err
	}
	p := &vault.Proposal{Kind: kindStatus, Licence: l.ID, Second: true, Expires: c.Now().Add(proposalTTL), Content: content}
	if err := c.Vault.Write(c.R.Context(), c.by(why), func(tx *vault.Tx) error { return tx.Propose(p) }); err != nil {
		return err
	}
	c.W.Header().Set("Location", "/v1/proposals")
	return c.Answer(http.StatusAccepted, c.describeProposal(p, l.Type, q))
}

func (c *call) getProposals() error {
	out := struct {
		Proposals []proposalJSON `json:"proposals"`
	}{}
	var err error
	if out.Proposals, err = c.proposals(); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

// proposals returns those that wait, of types for which the caller can approve or propose, oldest first.
func (c *call) proposals() ([]proposalJSON, error) {
	waiting, err := c.Vault.Proposals(c.R.Context(), kindStatus, vault.Waiting, maxProposals)
	if err != nil {
		return nil, err
	}
	out := []proposalJSON{}
	for _, p := range waiting {
		l, err := c.Vault.Licence(c.R.Context(), p.Licence)
		if err != nil {
			return nil, err
		}
		if !c.who.May(l.Type, staff.Approve) && !c.who.May(l.Type, staff.Status) {
			continue
		}
		q, err := parseChange(p.Content)
		if err != nil {
			return nil, err
		}
		out = append(out, c.describeProposal(p, l.Type, q))
	}
	return out, nil
}

// proposal returns the proposal that the path names, with the licence that it is about.
func (c *call) proposal() (*vault.Proposal, *vault.Licence, error) {
	id, err := c.proposalID()
	if err != nil {
		return nil, nil, err
	}
	p, err := c.Vault.Proposal(c.R.Context(), id)
	if err != nil {
		return nil, nil, err
	}
	if p.Kind != kindStatus {
		return nil, nil, notFound()
	}
	l, err := c.known(p.Licence)
	if err == nil && (p.State != vault.Waiting || !p.Expires.After(c.Now())) {
		err = rest.Refuse(vault.CodeProposalClosed, "the proposal was decided, or has expired")
	}
	return p, l, err
}

// postApproval approves a proposal and has it done: first the approval is in the vault, then the change is made. What
// cannot be made now is refused before.
func (c *call) postApproval() error {
	p, l, err := c.proposal()
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Approve) {
		return missing(l.Type, staff.Approve)
	}
	q, err := parseChange(p.Content)
	if err != nil {
		return err
	}
	if _, err := c.approvals(l, q); err != nil {
		return err
	}
	if err := c.Vault.Write(c.R.Context(), c.by(p.By.Purpose), func(tx *vault.Tx) error {
		p, err = tx.Decide(p.ID, true)
		return err
	}); err != nil {
		return err
	}
	changed, err := c.carryOut(c.R.Context(), p.ID)
	if err != nil {
		c.wake()
		return err
	}
	return c.answerStatus(l.ID, changed)
}

func (c *call) postRefusal() error {
	p, l, err := c.proposal()
	if err != nil {
		return err
	}
	if p.By.Actor != c.who.Name && !c.who.May(l.Type, staff.Approve) {
		return missing(l.Type, staff.Approve)
	}
	why, err := c.purposeOf(maxTexts)
	if err != nil {
		return err
	}
	q, err := parseChange(p.Content)
	if err != nil {
		return err
	}
	if err := c.Vault.Write(c.R.Context(), c.by(why), func(tx *vault.Tx) error {
		p, err = tx.Decide(p.ID, false)
		return err
	}); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, c.describeProposal(p, l.Type, q))
}

// carryOut makes the change of a proposal that was approved, and notes that it is done. It can be called again: a
// change that was made is not made twice. One that cannot be made any more is closed, with the reason in the history.
func (a *API) carryOut(ctx context.Context, id vault.ProposalID) (changed bool, err error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	p, err := a.Vault.Proposal(ctx, id)
	if err != nil || p.State != vault.Approved { // done, while it waited for its turn
		return false, err
	}
	q, err := parseChange(p.Content)
	if err != nil {
		return false, err
	}
	by := vault.By{Actor: p.Decider.Actor, Purpose: p.By.Purpose}
	changed, err = a.set(ctx, by, p.Licence, q, 2)
	if err != nil && !final(err) {
		return false, err
	}
	if err != nil {
		by.Purpose = "not done: " + issuer.Code(err)
	}
	finished := a.Vault.Write(ctx, by, func(tx *vault.Tx) error { return tx.Finish(p.ID) })
	if finished != nil && vault.Code(finished) != vault.CodeProposalClosed && err == nil {
		err = finished
	}
	return changed, err
}

// final reports whether a change can never be made.
func final(err error) bool {
	switch issuer.Code(err) {
	case issuer.CodeTransition, issuer.CodeReason, issuer.CodeSuccessor, issuer.CodeTypeUnknown, vault.CodeNumberTaken, vault.CodeUnknown:
		return true
	}
	return false
}

// set changes the status of a licence, with so many people behind it.
func (a *API) set(ctx context.Context, by vault.By, id vault.ID, q *change, people int) (changed bool, err error) {
	c := issuer.StatusChange{To: q.to, Reason: q.reason, Effective: q.effective, Approvals: people}
	if c.Licence, err = a.Issuer.Subject(ctx, id); err != nil {
		return false, err
	}
	if q.successor != 0 {
		if c.Successor, err = a.Issuer.Subject(ctx, q.successor); err != nil {
			return false, err
		}
	}
	results, err := a.Issuer.SetStatus(ctx, by, []issuer.StatusChange{c}, nil)
	if people > 1 && issuer.Code(err) == issuer.CodeApprovals { // there are enough people
		err = &issuer.Error{Code: issuer.CodeSignerMissing, Message: "the change takes two keys for status, which the department does not have", Err: err}
	}
	return err == nil && results[0].Outcome == issuer.StatusChanged, err
}
