package httpapi

import (
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A change is one of the status of a licence.
type change struct {
	to        licence.State
	reason    string
	effective *licence.Date
	successor vault.ID // 0: none
}

func (q *change) members() []rest.Member {
	return []rest.Member{
		{Name: "to", Read: state(&q.to), Required: true},
		{Name: "reason", Read: code(&q.reason), Required: true},
		{Name: "effective", Read: rest.Day(&q.effective)},
		{Name: "successor", Read: licenceID(&q.successor)},
	}
}

// statusJSON is the answer to who has changed a status.
type statusJSON struct {
	Licence licenceJSON `json:"licence"`
	Changed bool        `json:"changed"`
}

func (c *call) postStatus() error {
	l, err := c.permitted(staff.Status)
	if err != nil {
		return err
	}
	q := new(change)
	why, err := c.changeOf(q.members()...)
	if err != nil {
		return err
	}
	if q.successor != 0 {
		if _, err := c.known(q.successor); err != nil {
			return successorRefused(err)
		}
	}
	approvals, err := c.approvals(l, q)
	if err != nil {
		return err
	}
	if approvals > 1 {
		return c.propose(l, q, why)
	}
	changed, err := c.set(c.R.Context(), c.by(why), l.ID, q, 1)
	if err != nil {
		return err
	}
	return c.answerStatus(l.ID, changed)
}

func successorRefused(err error) error {
	if vault.Code(err) == vault.CodeUnknown || rest.ProblemCode(err) == codeUnknown {
		p := rest.Refuse(codeSuccessor, "the successor must be another licence of the same type")
		p.Member = "/successor"
		return p
	}
	return err
}

// approvals returns how many people a change takes, and refuses one that cannot be made whoever approves it.
func (a *API) approvals(l *vault.Licence, q *change) (int, error) {
	if l.Own == q.to {
		return 1, nil // nothing is to do, and nobody need approve that
	}
	t, ok := a.types[l.Type].Transition(l.Own, q.to)
	if !ok {
		return 0, rest.Refuse(issuer.CodeTransition, "the type has no change from "+string(l.Own)+" to "+string(q.to)+"; its transitions are in GET /v1/types")
	}
	if _, ok := t.Reason(q.reason); !ok {
		p := rest.Refuse(issuer.CodeReason, "the type has no such reason for this change; its reasons are in GET /v1/types")
		p.Member = "/reason"
		return 0, p
	}
	return t.Approvals, nil
}

func (c *call) answerStatus(id vault.ID, changed bool) error {
	out := statusJSON{Changed: changed}
	var err error
	if out.Licence, err = c.one(id); err != nil {
		return err
	}
	return c.Answer(http.StatusOK, out)
}

type resultJSON struct {
	ID      string `json:"id"`
	Earlier bool   `json:"earlier"`
}

func (c *call) postRestriction() error {
	var kind string
	var effective *licence.Date
	s, why, err := c.restricted(rest.Member{Name: "code", Read: code(&kind), Required: true}, rest.Member{Name: "effective", Read: rest.Day(&effective)})
	if err != nil {
		return err
	}
	result, err := c.Issuer.Restrict(c.R.Context(), c.by(why), s, kind, effective)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, resultJSON{result.ID.String(), result.Earlier})
}

func (c *call) postRelease() error {
	var kind string
	var id *issuer.RestrictionID
	var effective *licence.Date
	s, why, err := c.restricted(rest.Member{Name: "code", Read: code(&kind), Required: true},
		rest.Member{Name: "id", Read: restrictionID(&id)}, rest.Member{Name: "effective", Read: rest.Day(&effective)})
	if err != nil {
		return err
	}
	result, err := c.Issuer.Release(c.R.Context(), c.by(why), s, kind, id, effective)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, resultJSON{result.ID.String(), result.Earlier})
}

// restricted reads the body of a call that lays or lifts a restriction.
func (c *call) restricted(members ...rest.Member) (*issuer.Subject, string, error) {
	l, err := c.permitted(staff.Restrict)
	if err != nil {
		return nil, "", err
	}
	why, err := c.changeOf(members...)
	if err != nil {
		return nil, "", err
	}
	s, err := c.Issuer.Subject(c.R.Context(), l.ID)
	return s, why, err
}

// bindingJSON is a binding of a holder's key.
type bindingJSON struct {
	ID        int64    `json:"id"`
	Licence   vault.ID `json:"licence"`
	NotBefore string   `json:"notBefore"`
	NotAfter  string   `json:"notAfter"`
	RevokedAt *string  `json:"revokedAt"`
}

func describeBinding(b *vault.Binding) bindingJSON {
	return bindingJSON{b.ID, b.Licence, rest.RFC3339(b.NotBefore), rest.RFC3339(b.NotAfter), timeOrNull(b.RevokedAt)}
}

func (c *call) postBinding() error {
	l, err := c.permitted(staff.Bind)
	if err != nil {
		return err
	}
	var key *sm.PublicKey
	var from, until *time.Time
	why, err := c.changeOf(
		rest.Member{Name: "holderKey", Read: publicKey(&key), Required: true},
		rest.Member{Name: "notBefore", Read: rest.Time(&from)},
		rest.Member{Name: "notAfter", Read: rest.Time(&until), Required: true},
	)
	if err != nil {
		return err
	}
	if from == nil {
		now := c.Now()
		from = &now
	}
	if !until.After(*from) || until.Sub(*from) > statement.MaxBinding*time.Second {
		p := rest.Refuse(rest.CodeMemberInvalid, "/notAfter must be after notBefore, and at most 400 days after it")
		p.Member = "/notAfter"
		return p
	}
	s, err := c.Issuer.Subject(c.R.Context(), l.ID)
	if err != nil {
		return err
	}
	id, signed, err := c.Issuer.Bind(c.R.Context(), c.by(why), s, key, *from, *until)
	if err != nil {
		return err
	}
	return c.Answer(http.StatusCreated, struct {
		Binding   bindingJSON `json:"binding"`
		Statement []byte      `json:"statement"`
	}{bindingJSON{ID: id, Licence: l.ID, NotBefore: rest.RFC3339(*from), NotAfter: rest.RFC3339(*until)}, signed})
}

func (c *call) postRevocation() error {
	id, err := c.NumberParameter("binding", 1, maxID)
	if err != nil {
		return err
	}
	bound, err := c.Vault.BoundLicence(c.R.Context(), int64(id))
	if err != nil {
		return err
	}
	l, err := c.known(bound)
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Bind) {
		return missing(l.Type, staff.Bind)
	}
	why, err := c.purposeOf(maxTexts)
	if err != nil {
		return err
	}
	if err := c.Issuer.Unbind(c.R.Context(), c.by(why), int64(id)); err != nil {
		return err
	}
	kept, err := c.Vault.Bindings(c.R.Context(), l.ID)
	if err != nil {
		return err
	}
	for i := range kept {
		if kept[i].ID == int64(id) {
			return c.Answer(http.StatusOK, describeBinding(&kept[i]))
		}
	}
	return notFound() // erased meanwhile
}
