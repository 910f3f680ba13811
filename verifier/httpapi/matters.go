package httpapi

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/agency"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

func (c *call) getMatters() error {
	return c.Answer(http.StatusOK, struct {
		Matters []*matter.Matter `json:"matters"`
	}{append([]*matter.Matter{}, c.Matters().All(c.today())...)})
}

func (c *call) getMatter() error {
	m, err := c.matter()
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, m)
}

func (c *call) today() licence.Date { return licence.DateOf(c.Now()) }

// matter returns the version in force of the matter that the path names.
func (c *call) matter() (*matter.Matter, error) {
	id, err := c.IDParameter("matter")
	if err != nil {
		return nil, err
	}
	if m := c.Matters().Matter(id, c.today()); m != nil {
		return m, nil
	}
	return nil, rest.Refuse(codeMatterUnknown, "this verifier has no such matter; GET /v1/matters lists those that it has")
}

// matterJSON is the answer of POST /v1/matters/{matter}/verifications.
type (
	matterJSON struct {
		Matter   matterName          `json:"matter"`
		Case     string              `json:"case"`
		Result   matter.Result       `json:"result"`
		Licences []matterLicenceJSON `json:"licences"`
	}
	matterName struct {
		ID      string       `json:"id"`
		Version int          `json:"version"`
		Name    licence.Text `json:"name"`
	}
	matterLicenceJSON struct {
		Verdict  *verify.Verdict  `json:"verdict"`
		Withheld []string         `json:"withheld"`
		Receipts []matterReceipts `json:"receipts"`
	}
	matterReceipts struct {
		OnBehalf *string       `json:"onBehalf"`
		Receipt  *receipt.File `json:"receipt"`
	}
)

func (c *call) postMatterVerification() error {
	m, err := c.matter()
	if err != nil {
		return err
	}
	b, err := c.Body(maxShown)
	if err != nil {
		return err
	}
	q, err := readMatterVerification(b)
	if err != nil {
		return err
	}
	served, err := c.served(m, q.onBehalf)
	if err != nil {
		return err
	}
	c.asks(m.ID, served...)
	who, err := c.context(agency.Context{Clerk: q.clerk, Unit: q.unit, Matter: m.ID, Case: q.number, OnBehalf: served[0]})
	if err != nil {
		return err
	}
	if err := c.caller.agency.PermitContext(who); err != nil {
		return err
	}
	items, err := c.takeAll(q.licences, who)
	if err != nil {
		return err
	}
	day := c.today()
	if q.asOf != nil {
		day = *q.asOf
	}
	judged := make([]matter.Item, len(items))
	for k, i := range items {
		v, err := c.judge(i, q.asOf, false) // the matter says which holders have to show what
		if err != nil {
			return c.ofLicence(k, err)
		}
		judged[k] = matter.Item{Verdict: v, IdentityChecked: q.licences[k].identityChecked}
	}
	out := matterJSON{
		Matter: matterName{m.ID, m.Version, m.Name}, Case: q.number,
		Result: matter.Evaluate(m, judged, day, c.today()), Licences: make([]matterLicenceJSON, len(items)),
	}
	if err := c.recordAll(m, out.Result.Outcome, items, judged, who, served, out.Licences); err != nil {
		return err
	}
	c.outcome = string(out.Result.Outcome)
	return c.Answer(http.StatusOK, out)
}

// served returns the departments on whose behalf a case is verified: those that are named, else all
// that the matter serves and the agency acts for. An agency that acts for nobody but itself has "".
func (c *call) served(m *matter.Matter, named []string) ([]string, error) {
	acts := func(id string) bool {
		return slices.Contains(c.caller.agency.OnBehalf, id) &&
			slices.ContainsFunc(m.Departments, func(d matter.Department) bool { return d.ID == id })
	}
	for k, id := range named {
		if !acts(id) || slices.Contains(named[:k], id) {
			p := rest.Refuse(codeOnBehalfRefused, "name departments that the matter serves and the agency acts for, each once")
			p.Member = fmt.Sprintf("/onBehalf/%d", k)
			return nil, p
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	var all []string
	for _, d := range m.Departments {
		if acts(d.ID) {
			all = append(all, d.ID)
		}
	}
	if len(all) == 0 {
		all = []string{""}
	}
	return all, nil
}

// takeAll finds the presentations of a case, has them permitted, and redeems their challenges. What can
// be used once is used late: references once all that is shown could be read, because it takes the type to permit it;
// challenges last.
func (c *call) takeAll(licences []matterLicence, who agency.Context) ([]*item, error) {
	items := make([]*item, len(licences))
	for k := range licences {
		i, err := c.find(&licences[k].shown)
		if err != nil {
			return nil, c.ofLicence(k, err)
		}
		items[k] = i
	}
	asks := make([]agency.Ask, len(items))
	for k, i := range items {
		if err := c.take(i); err != nil {
			return nil, c.ofLicence(k, err)
		}
		asks[k].Type = i.typ()
	}
	if err := c.Gate.Permit(c.R.Context(), c.caller.agency, who, asks); err != nil {
		return nil, err
	}
	for k, i := range items {
		if err := c.redeem(i, &licences[k].shown); err != nil {
			return nil, c.ofLicence(k, err)
		}
	}
	return items, nil
}

// ofLicence says which licence of the request an error is about.
func (c *call) ofLicence(k int, err error) error {
	p := *c.AsProblem(err)
	p.Member = fmt.Sprintf("/licences/%d%s", k, p.Member)
	return &p
}

// recordAll records each licence once for each department, at the same time, as parts of one call with
// one outcome, and fills in what is told of it.
func (c *call) recordAll(m *matter.Matter, overall matter.Outcome, items []*item, judged []matter.Item, who agency.Context, served []string, out []matterLicenceJSON) error {
	of := whole{overall: overall}
	if _, err := rand.Read(of.call[:]); err != nil {
		return err
	}
	var wait sync.WaitGroup
	errs := make([]error, len(items)*len(served))
	for k, i := range items {
		v := judged[k].Verdict
		given, withheld := c.withhold(v, append([]string{}, m.Fields(i.typ())...))
		out[k] = matterLicenceJSON{v, withheld, make([]matterReceipts, len(served))}
		for n, department := range served {
			who := who
			who.OnBehalf = department
			out[k].Receipts[n].OnBehalf = rest.OrNull(department)
			wait.Go(func() {
				out[k].Receipts[n].Receipt, errs[k*len(served)+n] = c.record(c.R.Context(), i, v, who, given, of)
			})
		}
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
