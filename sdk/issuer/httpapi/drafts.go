package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// The kinds of proposals that the API keeps in the vault.
const (
	kindDraft  = "draft"  // its content is the body of the request
	kindStatus = "status" // its content is a proposedChange
)

const (
	draftTTL     = 7 * 24 * time.Hour
	maxProposals = 500 // of a kind that wait, in all
	maxOwn       = 100 // of these, of one caller
)

// draftJSON is a draft, without what it says.
type draftJSON struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	By        string `json:"by"`
	CreatedAt string `json:"createdAt"`
	ExpiresAt string `json:"expiresAt"`
}

// A draft is a licence that is not issued yet.
type draft struct {
	*vault.Proposal
	*application
}

func (d *draft) json() draftJSON {
	return draftJSON{d.Proposal.ID.String(), d.Type, d.By.Actor, rest.RFC3339(d.Created), rest.RFC3339(d.Expires)}
}

func (c *call) postDraft() error {
	q, b, err := c.draft()
	if err != nil {
		return err
	}
	if _, err := c.Issuer.Check(c.R.Context(), c.by(q.purpose), &q.Application); err != nil {
		return c.refused(q.Type, err)
	}
	if err := c.room(kindDraft); err != nil {
		return err
	}
	p := &vault.Proposal{Kind: kindDraft, Expires: c.Now().Add(draftTTL), Content: b}
	if err := c.Vault.Write(c.R.Context(), c.by(q.purpose), func(tx *vault.Tx) error { return tx.Propose(p) }); err != nil {
		return err
	}
	c.W.Header().Set("Location", "/v1/drafts/"+p.ID.String())
	return c.Answer(http.StatusCreated, (&draft{p, q}).json())
}

func (c *call) getDrafts() error {
	out := struct {
		Drafts []draftJSON `json:"drafts"`
	}{}
	var err error
	if out.Drafts, err = c.drafts(); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

// drafts returns those of the types that the caller may issue, oldest first.
func (c *call) drafts() ([]draftJSON, error) {
	waiting, err := c.Vault.Proposals(c.R.Context(), kindDraft, vault.Waiting, maxProposals)
	if err != nil {
		return nil, err
	}
	out := []draftJSON{}
	for _, p := range waiting {
		q, err := readApplication(p.Content, false)
		if err != nil {
			return nil, err
		}
		if c.who.May(q.Type, staff.Issue) {
			out = append(out, (&draft{p, q}).json())
		}
	}
	return out, nil
}

// room makes sure that there are not too many proposals of a kind, so that nobody's are out of others' sight.
func (c *call) room(kind string) error {
	waiting, err := c.Vault.Proposals(c.R.Context(), kind, vault.Waiting, maxProposals)
	if err != nil {
		return err
	}
	own := 0
	for _, p := range waiting {
		if p.By.Actor == c.who.Name {
			own++
		}
	}
	if own >= maxOwn || len(waiting) >= maxProposals {
		return rest.Refuse(codeWaiting, fmt.Sprintf("a caller can have %d of a kind waiting, and all together %d; bring some to their end first", maxOwn, maxProposals))
	}
	return nil
}

// keptDraft returns the draft that the path names, while it waits.
func (c *call) keptDraft() (*draft, error) {
	id, err := c.proposalID()
	if err != nil {
		return nil, err
	}
	p, err := c.Vault.Proposal(c.R.Context(), id)
	if err != nil {
		return nil, err
	}
	if p.Kind != kindDraft {
		return nil, notFound()
	}
	if p.State != vault.Waiting || !p.Expires.After(c.Now()) {
		return nil, closed(nil)
	}
	q, err := readApplication(p.Content, false)
	if err != nil {
		return nil, err
	}
	if !c.who.May(q.Type, staff.Issue) {
		return nil, notFound()
	}
	return &draft{p, q}, nil
}

func (c *call) getDraft() error {
	d, err := c.keptDraft()
	if err != nil {
		return err
	}
	shown, err := c.preview(d.application)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, struct {
		Draft   draftJSON       `json:"draft"`
		Request json.RawMessage `json:"request"`
		Preview *previewJSON    `json:"preview"`
	}{d.json(), d.Content, shown})
}

// claim is what keeps a draft from being issued twice.
func (d *draft) claim() *vault.ClaimKey {
	return &vault.ClaimKey{Caller: "\tdraft", Key: d.Proposal.ID.String(), Request: sm.Sum(d.Content)} // nobody has such a name
}

// deleteDraft takes a draft back: it takes the draft's claim, so that whoever is issuing it at this moment cannot. One
// that was issued, by a call that was interrupted before it could say so, is closed as issued.
func (c *call) deleteDraft() error {
	d, err := c.keptDraft()
	if err != nil {
		return err
	}
	claim, issued := *d.claim(), false
	err = c.Vault.Write(c.R.Context(), c.by(d.purpose), func(tx *vault.Tx) error {
		known, err := tx.Recalls([]vault.ClaimKey{claim})
		if err != nil {
			return err
		}
		if issued = known[0].Answer != nil; issued {
			return closeDraft(tx, d)
		}
		claim.Request = requestHash("delete", d.Content)
		if err := tx.Claims([]vault.ClaimKey{claim}, [][]byte{[]byte("deleted")}, d.Expires); err != nil {
			return err
		}
		_, err = tx.Decide(d.Proposal.ID, false)
		return err
	})
	switch {
	case err != nil:
		return closed(err)
	case issued:
		return closed(nil)
	}
	c.NoContent()
	return nil
}

// closed says that a draft was brought to its end by somebody else; any other error stays what it is.
func closed(err error) error {
	if err == nil || issuer.Code(err) == vault.CodeClaimReused {
		return rest.Refuse(vault.CodeProposalClosed, "the draft was issued or deleted, or has expired")
	}
	return err
}

// closeDraft notes that a draft was issued.
func closeDraft(tx *vault.Tx, d *draft) error {
	if _, err := tx.Decide(d.Proposal.ID, true); err != nil {
		return err
	}
	return tx.Finish(d.Proposal.ID)
}

// postIssue issues a draft: under a claim of its own, then the draft is closed. Killed in between, it is done again
// with the same result.
func (c *call) postIssue() error {
	d, err := c.keptDraft()
	if err != nil {
		return err
	}
	d.Claim = d.claim()
	issued, err := c.Issuer.Apply(c.R.Context(), c.by(d.purpose), &d.Application)
	if err != nil {
		return closed(c.refused(d.Type, err))
	}
	err = c.Vault.Write(c.R.Context(), c.by(d.purpose), func(tx *vault.Tx) error { return closeDraft(tx, d) })
	if err != nil && vault.Code(err) != vault.CodeProposalClosed { // by who issued it at the same time
		return err
	}
	return c.answerIssued(issued, nil)
}
