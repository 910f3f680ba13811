package httpapi

import (
	"net/http"
	"time"

	"github.com/credledger/credledger/sdk/issuer/release"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// maxIdentified is the length of a record of who was identified, in characters.
const maxIdentified = 500

// grantJSON is a grant as the department holds it.
type grantJSON struct {
	Grant       sm.Hash       `json:"grant"`
	Licence     vault.ID      `json:"licence"`
	Type        string        `json:"type"`
	Agency      string        `json:"agency"`
	AgencyName  *licence.Text `json:"agencyName"`
	Matter      string        `json:"matter"`
	Fields      []string      `json:"fields"`
	Uses        uint32        `json:"uses"`
	Used        uint32        `json:"used"`
	NotBefore   string        `json:"notBefore"`
	NotAfter    string        `json:"notAfter"`
	Means       string        `json:"means"`
	SignedAt    string        `json:"signedAt"`
	State       string        `json:"state"`
	Settled     bool          `json:"settled"`
	WithdrawnAt *string       `json:"withdrawnAt"`
}

// describeGrant makes the answer about a grant.
func (r *Release) describeGrant(g *release.Grant) grantJSON {
	return grantJSON{
		Grant: g.Digest, Licence: g.ID, Type: g.Type, Agency: g.Agency, AgencyName: r.departmentName(g.Agency), Matter: g.Matter,
		Fields: append([]string{}, g.Fields...), Uses: g.Uses, Used: g.Used, NotBefore: rest.UTC(g.NotBefore), NotAfter: rest.UTC(g.NotAfter),
		Means: g.Means, SignedAt: rest.UTC(g.SignedAt), State: g.State, Settled: g.Settled, WithdrawnAt: timeOrNull(g.WithdrawnAt),
	}
}

// getGrants lists the grants about a licence.
func (c *call) getGrants() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	id, err := c.NumberParameter("licence", 1, maxID)
	if err != nil {
		return err
	}
	l, err := c.known(vault.ID(id))
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Grant) {
		return missing(l.Type, staff.Grant)
	}
	kept, err := r.Desk.Grants(c.R.Context(), l.ID)
	if err != nil {
		return err
	}
	out := grantListJSON{Grants: make([]grantJSON, len(kept)), Agencies: r.agencies(c.Department.ID), Matters: r.matters(l.Type, licence.DateOf(c.Now()))}
	for i, g := range kept {
		out.Grants[i] = r.describeGrant(g)
	}
	return c.Answer(http.StatusOK, out)
}

// grantListJSON is the grants about a licence, and what others can be about.
type (
	grantListJSON struct {
		Grants   []grantJSON  `json:"grants"`
		Agencies []namedJSON  `json:"agencies"`
		Matters  []matterJSON `json:"matters"`
	}
	namedJSON struct {
		ID   string       `json:"id"`
		Name licence.Text `json:"name"`
	}
	matterJSON struct {
		namedJSON
		Fields []string `json:"fields"`
	}
)

// agencies are the departments to which a grant can be given: all that are admitted but the issuer.
func (r *Release) agencies(issuer string) []namedJSON {
	out := []namedJSON{}
	for _, d := range r.View.Departments() {
		if d.State == statement.DepartmentActive && d.Profile.ID != issuer {
			out = append(out, namedJSON{d.Profile.ID, licence.Text{Zh: d.Profile.NameZh, En: d.Profile.NameEn}})
		}
	}
	return out
}

// matters are those for which licences of a type are required, with the least fields that they take.
func (r *Release) matters(typ string, day licence.Date) []matterJSON {
	out := []matterJSON{}
	for _, m := range r.Matters.All(day) {
		for _, requirement := range m.Requirements {
			for _, a := range requirement.Alternatives {
				if a.Type == typ {
					out = append(out, matterJSON{namedJSON{m.ID, m.Name}, a.Fields})
				}
			}
		}
	}
	return out
}

// A handedIn is the body of POST /v1/grants: a grant that a holder signed, or what a holder wants who was identified.
type handedIn struct {
	grant, binding []byte

	terms      release.Terms
	notBefore  *time.Time
	notAfter   *time.Time
	identified string
}

// bySigned reports whether it is the holder who signed, and refuses half of the one and half of the other.
func (h *handedIn) bySigned() (bool, error) {
	signed := h.grant != nil || h.binding != nil
	own := h.terms.Licence != 0 || h.terms.Agency != "" || h.terms.Matter != "" || h.terms.Fields != nil || h.terms.Uses != 0 || h.notBefore != nil || h.notAfter != nil || h.identified != ""
	complete := h.terms.Licence != 0 && h.terms.Agency != "" && h.terms.Matter != "" && len(h.terms.Fields) > 0 && h.terms.Uses != 0 && h.notAfter != nil && h.identified != ""
	if signed == own || signed && h.grant == nil || own && !complete {
		return false, rest.Refuse(rest.CodeMemberInvalid, "the body must have either grant, with binding, as the holder signed them, or licence, agency, matter, fields, uses, notAfter and identified")
	}
	return signed, nil
}

// postGrant takes a holder's grant, or gives one on behalf of a holder who was identified at a counter.
func (c *call) postGrant() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	b, err := c.Body(maxAsked)
	if err != nil {
		return err
	}
	var h handedIn
	var uses uint64
	if err := rest.ReadBody(b,
		rest.Member{Name: "grant", Read: rest.Encoded(&h.grant, statement.MaxSize)},
		rest.Member{Name: "binding", Read: rest.Encoded(&h.binding, statement.MaxSize)},
		rest.Member{Name: "licence", Read: licenceID(&h.terms.Licence)},
		rest.Member{Name: "agency", Read: rest.ID(&h.terms.Agency)},
		rest.Member{Name: "matter", Read: rest.ID(&h.terms.Matter)},
		rest.Member{Name: "fields", Read: rest.FieldKeys(&h.terms.Fields, statement.MaxRequestFields)},
		rest.Member{Name: "uses", Read: rest.Number(&uses, 1, statement.MaxUses)},
		rest.Member{Name: "notBefore", Read: rest.Time(&h.notBefore)},
		rest.Member{Name: "notAfter", Read: rest.Time(&h.notAfter)},
		rest.Member{Name: "identified", Read: rest.Line(&h.identified, maxIdentified, 4*maxIdentified)},
	); err != nil {
		return err
	}
	h.terms.Uses = uint32(uses)
	signed, err := h.bySigned()
	if err != nil {
		return err
	}
	if signed { // the same grant again is the same
		return c.recordGrant(r, &h)
	}
	if c.R.Header.Get(idempotencyHeader) != "" {
		key, err := c.idempotencyKey()
		if err != nil {
			return err
		}
		h.terms.Claim = &vault.ClaimKey{Caller: c.who.Name, Key: key, Request: requestHash("grant", b)}
	}
	return c.giveGrant(r, &h)
}

func (c *call) recordGrant(r *Release, h *handedIn) error {
	body, _, err := statement.ParseAs[*statement.Grant](h.grant)
	if err != nil {
		return malformed(err, codeGrant)
	}
	if _, err := c.may(body.Type, staff.Grant); err != nil {
		return err
	}
	g, err := r.Desk.Record(c.R.Context(), c.by(handedInPurpose), h.grant, h.binding)
	if err != nil {
		return malformed(err, codeGrant)
	}
	return c.answerGrant(r, g)
}

// Purposes in a licence's history of what the API does for a holder.
const (
	handedInPurpose  = "a grant that the holder signed was handed in"
	takenBackPurpose = "a withdrawal that the holder signed was handed in"
	counterPurpose   = "a holder's grant, given at the counter"
	counterWithdrawn = "a holder's grant, withdrawn at the counter"
)

func (c *call) giveGrant(r *Release, h *handedIn) error {
	l, err := c.known(h.terms.Licence)
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Grant) {
		return missing(l.Type, staff.Grant)
	}
	h.terms.NotBefore, h.terms.NotAfter = c.Now(), *h.notAfter
	if h.notBefore != nil {
		h.terms.NotBefore = *h.notBefore
	}
	g, err := r.Desk.Give(c.R.Context(), c.by(counterPurpose), h.terms, release.Identified{Means: statement.MeansCounter, Record: h.identified})
	if err != nil {
		return malformed(err, release.CodeArguments)
	}
	return c.answerGrant(r, g)
}

func (c *call) answerGrant(r *Release, g *release.Grant) error {
	return c.Answer(http.StatusCreated, r.describeGrant(g))
}

// postWithdrawal withdraws a grant, for whoever gave it.
func (c *call) postWithdrawal() error {
	r, err := c.released()
	if err != nil {
		return err
	}
	digest, err := c.HashParameter("grant")
	if err != nil {
		return err
	}
	b, err := c.Body(maxAsked)
	if err != nil {
		return err
	}
	var identified string
	var withdrawal, binding []byte
	if err := rest.ReadBody(b,
		rest.Member{Name: "withdrawal", Read: rest.Encoded(&withdrawal, statement.MaxSize)},
		rest.Member{Name: "binding", Read: rest.Encoded(&binding, statement.MaxSize)},
		rest.Member{Name: "identified", Read: rest.Line(&identified, maxIdentified, 4*maxIdentified)},
	); err != nil {
		return err
	}
	if (withdrawal == nil) == (identified == "") || withdrawal == nil && binding != nil {
		return rest.Refuse(rest.CodeMemberInvalid, "the body must have either withdrawal, with binding, as the holder signed them, or identified")
	}
	g, err := r.Desk.Grant(c.R.Context(), digest)
	if err != nil {
		return err
	}
	l, err := c.known(g.ID)
	if err != nil {
		return err
	}
	if !c.who.May(l.Type, staff.Grant) {
		return missing(l.Type, staff.Grant)
	}
	if withdrawal != nil {
		g, err = r.Desk.RecordWithdrawal(c.R.Context(), c.by(takenBackPurpose), digest, withdrawal, binding)
	} else {
		g, err = r.Desk.Withdraw(c.R.Context(), c.by(counterWithdrawn), digest, release.Identified{Means: statement.MeansCounter, Record: identified})
	}
	if err != nil {
		return malformed(err, codeGrant)
	}
	return c.Answer(http.StatusOK, r.describeGrant(g))
}
