package httpapi

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest"
)

// maxID is the greatest id that JSON holds exactly.
const maxID = 1<<53 - 1

func (c *call) getLicences() error {
	all, err := c.Wallet.Licences(c.R.Context(), c.who)
	if err != nil {
		return err
	}
	reminders, err := c.Wallet.Reminders(c.R.Context(), c.who, all)
	if err != nil {
		return err
	}
	out := struct {
		Licences  []licenceJSON  `json:"licences"`
		Reminders []reminderJSON `json:"reminders"`
	}{make([]licenceJSON, len(all)), make([]reminderJSON, len(reminders))}
	for i, l := range all {
		out.Licences[i] = describe(l)
	}
	for i := range reminders {
		out.Reminders[i] = remind(&reminders[i])
	}
	return c.Answer(http.StatusOK, out)
}

// licence returns the licence that the path names.
func (c *call) licence() (*wallet.Licence, error) {
	id, err := c.NumberParameter("licence", 1, maxID)
	if err != nil {
		return nil, err
	}
	return c.Wallet.Licence(c.R.Context(), c.who, vault.ID(id))
}

// restrictionJSON lies on a licence.
type restrictionJSON struct {
	Text  licence.Text `json:"text"`
	Since string       `json:"since"`
}

func (c *call) getLicence() error {
	l, err := c.licence()
	if err != nil {
		return err
	}
	lie, err := c.Wallet.Restrictions(c.R.Context(), l)
	if err != nil {
		return err
	}
	out := struct {
		Licence      licenceJSON       `json:"licence"`
		Fields       []fieldJSON       `json:"fields"`
		Restrictions []restrictionJSON `json:"restrictions"`
	}{describe(l), fields(l.Type, l.Type.Leaves()), make([]restrictionJSON, len(lie))}
	for i, r := range lie {
		out.Restrictions[i] = restrictionJSON{r.Text, r.Since.String()}
	}
	return c.Answer(http.StatusOK, out)
}

// fieldValueJSON is one field with its value.
type fieldValueJSON struct {
	Key   string       `json:"key"`
	Label licence.Text `json:"label"`
	Value any          `json:"value"` // a text, texts, or null
}

func (c *call) postOpen() error {
	id, err := c.NumberParameter("licence", 1, maxID)
	if err != nil {
		return err
	}
	l, o, keys, err := c.Wallet.Open(c.R.Context(), c.who, vault.ID(id))
	if err != nil {
		return err
	}
	values := make([]fieldValueJSON, len(keys))
	for i, key := range keys {
		values[i] = fieldValueJSON{Key: key, Label: o.Type.Label(key)}
		switch v, _ := o.Value(key); {
		case v.IsList():
			values[i].Value = append([]string{}, v.Strings()...)
		case v.IsText():
			values[i].Value = v.String()
		}
	}
	return c.Answer(http.StatusOK, struct {
		Licence licenceJSON      `json:"licence"`
		Fields  []fieldValueJSON `json:"fields"`
	}{describe(l), values})
}

// accessJSON is that somebody looked at a licence.
type accessJSON struct {
	Time        string        `json:"time"`
	Source      string        `json:"source"`
	Agency      *string       `json:"agency"`
	AgencyName  *licence.Text `json:"agencyName"`
	Unit        *string       `json:"unit"`
	Matter      *string       `json:"matter"`
	MatterName  *licence.Text `json:"matterName"`
	Fields      []fieldJSON   `json:"fields"`
	Outcome     string        `json:"outcome"`
	OutcomeText licence.Text  `json:"outcomeText"`
}

// cursor is where a list of accesses goes on, as the interface has it.
var cursor = regexp.MustCompile(`^[0-9]{1,16}\.[0-9]{1,16}$`)

func (c *call) place() (wallet.Place, error) {
	text, given := c.Parameter("before")
	if !given {
		return wallet.Newest, nil
	}
	at, ok := parseCursor(text)
	if !ok {
		return at, c.Wrong("before", "must be next of the answer before")
	}
	return at, nil
}

// parseCursor reads where a list goes on; false for what no answer has said.
func parseCursor(text string) (wallet.Place, bool) {
	if !cursor.MatchString(text) {
		return wallet.Place{}, false
	}
	verifier, releases, _ := strings.Cut(text, ".")
	v, err1 := strconv.ParseUint(verifier, 10, 64)
	r, err2 := strconv.ParseUint(releases, 10, 64)
	return wallet.Place{Verifier: v, Releases: r}, err1 == nil && err2 == nil && v <= wallet.Newest.Verifier && r <= wallet.Newest.Releases
}

func (c *call) getAccesses() error {
	l, err := c.licence()
	if err != nil {
		return err
	}
	from, err := c.place()
	if err != nil {
		return err
	}
	found, err := c.Wallet.Accesses(c.R.Context(), c.who, l.ID, from)
	if err != nil {
		return err
	}
	out := struct {
		Accesses []accessJSON `json:"accesses"`
		Next     *string      `json:"next"`
		Verifier bool         `json:"verifier"`
	}{make([]accessJSON, len(found.All)), nil, found.Verifier}
	if found.Next != nil {
		out.Next = new(fmt.Sprintf("%d.%d", found.Next.Verifier, found.Next.Releases))
	}
	for i := range found.All {
		a := &found.All[i]
		out.Accesses[i] = accessJSON{
			Time: rest.RFC3339(a.Time), Source: "verification", Agency: rest.OrNull(a.Agency), AgencyName: c.Wallet.AgencyText(a.Agency), Unit: rest.OrNull(a.Unit),
			Matter: rest.OrNull(a.Matter), MatterName: c.Wallet.MatterText(a.Matter), Fields: fields(l.Type, a.Fields), Outcome: a.Outcome, OutcomeText: outcomeText(a.Outcome),
		}
		if a.Release {
			out.Accesses[i].Source = "release"
		}
	}
	return c.Answer(http.StatusOK, out)
}
