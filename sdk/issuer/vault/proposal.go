package vault

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"time"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sqldb"
)

// A ProposalID names a proposal; nobody guesses it.
type ProposalID [16]byte

// String returns 32 lower-case hexadecimal digits.
func (id ProposalID) String() string { return hex.EncodeToString(id[:]) }

// ParseProposalID is the inverse of String and accepts nothing else. Error: CodeArgument.
func ParseProposalID(s string) (ProposalID, error) {
	var id ProposalID
	if b, err := hex.DecodeString(s); err != nil || len(b) != len(id) || hex.EncodeToString(b) != s {
		return id, errorf(CodeArgument, nil, "a proposal's id is 32 lower-case hexadecimal digits")
	} else {
		copy(id[:], b)
	}
	return id, nil
}

// The states of a proposal.
const (
	Waiting  = "waiting"
	Approved = "approved" // and still to be done
	Refused  = "refused"  // by another, or withdrawn
	Done     = "done"
)

// A Proposal is what one person wants done and is not done yet: what may still be undone, or what needs a
// second person. What approved means, and who may approve what, is the caller's to know; that two are two
// is seen to here.
type Proposal struct {
	ID      ProposalID
	Kind    string // 1 to 40 bytes
	Licence ID     // that it is about; 0: none
	Second  bool   // another person than the one who proposed it has to approve
	State   string
	Created time.Time
	Expires time.Time // while it waits, it can be approved until then
	By      By        // who proposed it, and why
	Content []byte    // what is to be done, up to MaxContent bytes; empty once it was refused or done
	Decider *By       // who approved or refused it; nil: nobody yet
}

// Propose keeps a proposal: Kind, Licence, Second, Expires and Content are taken from p, the rest is filled in.
func (t *Tx) Propose(p *Proposal) error {
	if p.Kind == "" || len(p.Kind) > maxKind || len(p.Content) > MaxContent || p.Licence < 0 || p.Expires.Unix() <= t.at {
		return errorf(CodeArgument, nil, "a proposal has a kind of 1 to %d bytes, up to %d bytes of content, and an end that is to come", maxKind, MaxContent)
	}
	if _, err := rand.Read(p.ID[:]); err != nil {
		return errorf(CodeUnavailable, err, "draw a proposal's id")
	}
	p.State, p.Created, p.By, p.Decider = Waiting, time.Unix(t.at, 0).UTC(), t.by, nil
	sealed, err := t.v.sealProposed(p)
	if err != nil {
		return err
	}
	if _, err := t.exec("keep a proposal", "INSERT INTO vault_proposal (id, kind, licence, second, state, created_at, expires, proposed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		p.ID[:], p.Kind, int64(p.Licence), p.Second, p.State, t.at, p.Expires.Unix(), sealed); err != nil {
		return err
	}
	return t.record(ActionProposed, 0, p.Licence)
}

func (v *Vault) sealProposed(p *Proposal) ([]byte, error) {
	return v.sealRecord(purposeProposed, p.ID[:], dcbor.AppendBytes(appendBy(dcbor.AppendArray(nil, 2), &p.By), p.Content))
}

// Decide approves a proposal that waits, or refuses it; who proposed it may refuse it, which is to
// withdraw it. It returns the proposal as it is then.
//
// Errors: CodeUnknown, CodeProposalClosed, CodeSamePerson.
func (t *Tx) Decide(id ProposalID, approve bool) (*Proposal, error) {
	p, err := t.v.proposal(t.ctx, t.tx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case p.State != Waiting || p.Expires.Unix() <= t.at:
		return nil, errorf(CodeProposalClosed, nil, "the proposal was decided before, or has expired")
	case approve && p.Second && p.By.Actor == t.by.Actor:
		return nil, errorf(CodeSamePerson, nil, "somebody else has to approve what one has proposed")
	}
	p.State, p.Decider = Refused, &t.by
	action := ActionRefused
	if approve {
		p.State, action = Approved, ActionApproved
	}
	decided, err := t.v.sealRecord(purposeDecided, id[:], appendBy(nil, &t.by))
	if err != nil {
		return nil, err
	}
	if err := t.close(p, Waiting, decided); err != nil {
		return nil, err
	}
	return p, t.record(action, 0, p.Licence)
}

// Finish notes that what was approved is done; it belongs into the transaction that does it.
// Errors: CodeUnknown, CodeProposalClosed.
func (t *Tx) Finish(id ProposalID) error {
	p, err := t.v.proposal(t.ctx, t.tx, id)
	if err != nil {
		return err
	}
	if p.State != Approved {
		return errorf(CodeProposalClosed, nil, "the proposal is not one that was approved and is still to be done")
	}
	p.State = Done
	if err := t.close(p, Approved, nil); err != nil {
		return err
	}
	return t.record(ActionDone, 0, p.Licence)
}

// close writes the new state of a proposal, whose content is not needed any more unless it was approved.
func (t *Tx) close(p *Proposal, from string, decided []byte) error {
	if p.State != Approved {
		p.Content = nil
	}
	sealed, err := t.v.sealProposed(p)
	if err != nil {
		return err
	}
	n, err := t.exec("decide a proposal", "UPDATE vault_proposal SET state = $1, proposed = $2, decided = COALESCE($3, decided) WHERE id = $4 AND state = $5",
		p.State, sealed, decided, p.ID[:], from)
	if err == nil && n == 0 {
		return errorf(CodeProposalClosed, nil, "the proposal was decided by somebody else just now")
	}
	return err
}

const selectProposal = "SELECT id, kind, licence, second, state, created_at, expires, proposed, decided FROM vault_proposal "

// Proposal returns a proposal by its id. Error: CodeUnknown.
func (v *Vault) Proposal(ctx context.Context, id ProposalID) (*Proposal, error) {
	return v.proposal(ctx, v.db.Read(), id)
}

func (v *Vault) proposal(ctx context.Context, q sqldb.Querier, id ProposalID) (*Proposal, error) {
	found, err := v.proposals(ctx, q, "WHERE id = $1", id[:])
	if err == nil && len(found) == 0 {
		return nil, errorf(CodeUnknown, nil, "there is no such proposal in the vault")
	} else if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Proposals returns up to limit proposals of a kind in a state, oldest first; those that wait and have expired are
// not among them.
func (v *Vault) Proposals(ctx context.Context, kind, state string, limit int) ([]*Proposal, error) {
	return v.proposals(ctx, v.db.Read(), "WHERE kind = $1 AND state = $2 AND (state <> 'waiting' OR expires > $3) ORDER BY created_at, id LIMIT $4",
		kind, state, v.seconds(), limit)
}

func (v *Vault) proposals(ctx context.Context, q sqldb.Querier, where string, args ...any) ([]*Proposal, error) {
	var out []*Proposal
	err := sqldb.Select(ctx, q, selectProposal+where, args, func(rows *sql.Rows) error {
		p := new(Proposal)
		var id, proposed, decided []byte
		var created, expires int64
		if err := rows.Scan(&id, &p.Kind, &p.Licence, &p.Second, &p.State, &created, &expires, &proposed, &decided); err != nil {
			return sqldb.Wrap("read a proposal", err)
		}
		if copy(p.ID[:], id) != len(id) || len(id) != len(p.ID) {
			return damaged("a proposal")
		}
		p.Created, p.Expires = time.Unix(created, 0).UTC(), time.Unix(expires, 0).UTC()
		plain, err := v.unsealRecord(purposeProposed, id, proposed)
		if err != nil {
			return err
		}
		r := dcbor.NewReader(plain)
		r.ArrayOf(2)
		p.By = readBy(&r)
		p.Content = r.Bytes(MaxContent)
		ok := r.OK() && len(r.Rest()) == 0
		if decided != nil {
			if plain, err = v.unsealRecord(purposeDecided, id, decided); err != nil {
				return err
			}
			r := dcbor.NewReader(plain)
			by := readBy(&r)
			p.Decider, ok = &by, ok && r.OK() && len(r.Rest()) == 0
		}
		if !ok {
			return damaged("a proposal")
		}
		out = append(out, p)
		return nil
	})
	return out, err
}
