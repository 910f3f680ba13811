package httpapi

import (
	"net/http"
	"regexp"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
)

// matterJSON is a matter that can use licences of the department.
type (
	matterJSON struct {
		ID       string       `json:"id"`
		Name     licence.Text `json:"name"`
		Agencies []agencyJSON `json:"agencies"`
		Needs    []needJSON   `json:"needs"`
		Licences []vault.ID   `json:"licences"`
	}
	agencyJSON struct {
		ID   string       `json:"id"`
		Name licence.Text `json:"name"`
	}
	needJSON struct {
		Type     string       `json:"type"`
		Part     licence.Text `json:"part"`
		Fields   []string     `json:"fields"`
		InPerson bool         `json:"inPerson"`
	}
)

func (c *call) getMatters() error {
	all, err := c.Wallet.Licences(c.R.Context(), c.who)
	if err != nil {
		return err
	}
	out := struct {
		Matters []matterJSON `json:"matters"`
	}{[]matterJSON{}}
	for _, m := range c.Wallet.MattersFor(c.who, all) {
		j := matterJSON{ID: m.ID, Name: m.Name, Agencies: []agencyJSON{}, Licences: append([]vault.ID{}, m.Licences...)}
		for _, d := range m.Departments {
			if c.Wallet.MayAsk(d.ID) {
				j.Agencies = append(j.Agencies, agencyJSON{d.ID, d.Name})
			}
		}
		for _, n := range m.Needs {
			j.Needs = append(j.Needs, needJSON{n.Type, n.Part, n.Fields, n.Show != "none"})
		}
		out.Matters = append(out.Matters, j)
	}
	return c.Answer(http.StatusOK, out)
}

// Bounds of bodies in bytes.
const maxBody = 32 << 10

// read reads the body of a call.
func (c *call) read(members ...rest.Member) error {
	b, err := c.Body(maxBody)
	if err != nil {
		return err
	}
	return rest.ReadBody(b, members...)
}

// readOnce is read for a call that does one thing however often it is sent, if it comes with an idempotency key; nil: without.
func (c *call) readOnce(members ...rest.Member) (*wallet.Once, error) {
	const name = "Idempotency-Key"
	b, err := c.Body(maxBody)
	if err != nil {
		return nil, err
	}
	given := c.R.Header.Values(name)
	if len(given) > 1 || len(given) == 1 && !onceKey.MatchString(given[0]) {
		return nil, c.Wrong(name, "must be 8 to 128 letters, digits and ._:-, other ones for each thing to be done, the same when a call is sent again")
	}
	if err := rest.ReadBody(b, members...); err != nil || len(given) == 0 {
		return nil, err
	}
	return &wallet.Once{Key: given[0], Request: sm.Sum(b)}, nil
}

var onceKey = regexp.MustCompile(`^[A-Za-z0-9._:-]{8,128}$`)

// rowID reads the id of a licence.
func rowID(to *vault.ID) rest.Value {
	return func(r *rest.Reader) error {
		n, err := r.Integer(1, maxID)
		*to = vault.ID(n)
		return err
	}
}

// showing are the members that say what is to be shown.
func showing(to *wallet.Showing, matterRequired bool) []rest.Member {
	return []rest.Member{
		{Name: "licence", Read: rowID(&to.Licence), Required: true},
		{Name: "fields", Read: rest.FieldKeys(&to.Fields, maxFields), Required: true},
		{Name: "matter", Read: rest.ID(&to.Matter), Required: matterRequired},
		{Name: "beyond", Read: rest.Flag(&to.Beyond)},
	}
}

// maxFields is how many leaves a type can have.
const maxFields = 202

// codeJSON is a code to be shown.
type (
	codeJSON struct {
		Kind      string       `json:"kind"`
		Code      string       `json:"code"`
		Symbol    symbolJSON   `json:"symbol"`
		ExpiresAt *string      `json:"expiresAt"`
		Lasts     *int64       `json:"lasts"`
		Use       vault.ItemID `json:"use"`
	}
	symbolJSON struct {
		Size int    `json:"size"`
		Path string `json:"path"`
	}
)

// oneOf reads one of some texts.
func oneOf(to *string, texts ...string) rest.Value {
	return func(r *rest.Reader) error {
		b, err := r.String()
		if err != nil {
			return err
		}
		for _, t := range texts {
			if string(b) == t {
				*to = t
				return nil
			}
		}
		return r.Invalid("must be one of those that the interface names")
	}
}

func (c *call) postCode() error {
	var s wallet.Showing
	var kind string
	if err := c.read(append(showing(&s, false), rest.Member{Name: "kind", Read: oneOf(&kind, wallet.Reference, wallet.SelfContained), Required: true})...); err != nil {
		return err
	}
	code, err := c.Wallet.Code(c.R.Context(), c.who, s, kind)
	if err != nil {
		return err
	}
	out := codeJSON{
		Kind: code.Kind, Code: code.Text, Symbol: symbolJSON{code.Symbol.Size() + 2*qr.QuietZone, code.Symbol.Path()},
		ExpiresAt: timeOrNull(code.Expires), Use: code.Use,
	}
	if code.Expires != nil {
		out.Lasts = new(max(0, int64(code.Expires.Sub(c.Now())/time.Second)))
	}
	return c.Answer(http.StatusCreated, out)
}

func (c *call) postPrint() error {
	s := wallet.Sheet{Language: paper.Chinese}
	if err := c.read(append(showing(&s.Showing, false),
		rest.Member{Name: "large", Read: rest.Flag(&s.Large)},
		rest.Member{Name: "language", Read: oneOf(&s.Language, paper.Chinese, paper.English)},
	)...); err != nil {
		return err
	}
	p, err := c.Wallet.Prepare(c.R.Context(), c.who, s)
	if err != nil {
		return err
	}
	url := "/v1/prints/" + p.ID.String()
	c.W.Header().Set("Location", url)
	return c.Answer(http.StatusCreated, struct {
		URL       string       `json:"url"`
		ExpiresAt string       `json:"expiresAt"`
		Use       vault.ItemID `json:"use"`
	}{url, rest.RFC3339(p.Until), p.Use})
}

// itemParameter reads a parameter that is the id of something of the caller's.
func (c *call) itemParameter(name string) (vault.ItemID, error) {
	text, _ := c.Parameter(name)
	id, err := vault.ParseItemID(text)
	if err != nil {
		return id, c.Wrong(name, "must be 32 lower-case hexadecimal digits")
	}
	return id, nil
}

func (c *call) getPrint() error {
	id, err := c.itemParameter("print")
	if err != nil {
		return err
	}
	file, err := c.Wallet.Fetch(c.R.Context(), c.who.Digest, id)
	if err != nil {
		return err
	}
	c.W.Header().Set("Content-Disposition", `inline; filename="licence.pdf"`)
	c.Send(http.StatusOK, "application/pdf", file)
	return nil
}
