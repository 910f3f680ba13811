package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verifiertest"
)

const (
	transfer     = "second-hand-home-transfer"
	transferPath = "/v1/matters/" + transfer + "/verifications"
)

// A sale is a couple and the home that the two of them own.
type sale struct {
	couple, home *verifiertest.Licence
}

func newSale(s *httpapitest.Server) sale {
	const first, second = "990101198001010014", "990101198001010022"
	couple := s.IssueDocument("marriage", 0, members{"spouse1Id": first, "spouse2Id": second})
	home := s.IssueDocument("property", 0, members{"rightHolders": []any{"甲", "乙"}, "rightHolderIds": []any{first, second}})
	return sale{couple, home}
}

func (x sale) showHome() *credential.Presentation { return x.home.Show(homeFields...) }

func (x sale) showCouple() *credential.Presentation { return x.couple.Show(coupleFields...) }

var (
	homeFields   = []string{"certificateNumber", "rightHolders", "rightHolderIds", "coOwnership", "location", "unitNumber", "use", "area", "registrationDate"}
	coupleFields = []string{"spouse1Name", "spouse1Id", "spouse2Name", "spouse2Id", "registrationDate"}
)

func TestMatters(t *testing.T) {
	s := httpapitest.New(t)
	a := s.Get("/v1/matters").Want(t, http.StatusOK)
	if a.Text("matters.0.id") != "company-opening" || a.Text("matters.1.id") != transfer {
		t.Errorf("%s", a.Body)
	}
	s.Get("/v1/matters/"+transfer).Want(t, http.StatusOK)
	s.Get("/v1/matters/divination").Problem(t, "matter-unknown")
	s.Get("/v1/matters/DIVINATION").Problem(t, "parameter-invalid")
}

// firstReceipt reads the first receipt for the first licence of a case.
func firstReceipt(t *testing.T, a httpapitest.Answer) *receipt.File {
	t.Helper()
	var answer struct {
		Licences []struct {
			Receipts []struct{ Receipt json.RawMessage }
		}
	}
	a.JSON(t, &answer)
	f, err := receipt.Parse(answer.Licences[0].Receipts[0].Receipt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// One call verifies a case, for every department that it concerns.
func TestCase(t *testing.T) {
	s := httpapitest.New(t)
	x := newSale(s)
	counter := s.Agency(s.Counter)
	body := members{
		"case": "2026-0007", "context": members{"clerk": "韩梅梅", "unit": "1"},
		"licences": []members{
			{"code": verifiertest.Code(t, x.showCouple())},
			{"credential": base64Of(x.showHome().Bytes()), "identityChecked": true},
		},
	}
	size := s.Log.Size()
	a := counter.Post(transferPath, body).Want(t, http.StatusOK)
	if a.Text("result.outcome") != "valid" || a.Text("licences.0.verdict.outcome") != "valid" || a.Text("licences.1.verdict.licence.type") != "property" {
		t.Fatalf("%s", a.Body)
	}
	if s.Log.Size() != size+4 {
		t.Errorf("%d entries for two licences and two departments", s.Log.Size()-size)
	}
	var answer struct {
		Licences []struct {
			Receipts []struct {
				OnBehalf string
				Receipt  json.RawMessage
			}
		}
	}
	a.JSON(t, &answer)
	calls := map[access.Call]int{}
	for k, shown := range []*credential.Presentation{x.showCouple(), x.showHome()} {
		var served []string
		for _, r := range answer.Licences[k].Receipts {
			f, err := receipt.Parse(r.Receipt)
			if err != nil {
				t.Fatal(err)
			}
			if e := f.Entry; e.OnBehalf != r.OnBehalf || e.Case != "2026-0007" || e.Matter != transfer || e.Clerk != "韩梅梅" || e.Agency != "counter" || e.Overall != "valid" || e.Asked != "" {
				t.Errorf("recorded %+v", e)
			}
			calls[f.Entry.Call]++
			if got := worth(t, s, f, shown); got != receipt.Unanchored {
				t.Errorf("the receipt is %s", got)
			}
			served = append(served, r.OnBehalf)
		}
		if !slices.Equal(served, []string{"natural-resources", "tax"}) { // not housing, which the counter does not act for
			t.Errorf("served %v", served)
		}
	}
	if len(calls) != 1 || calls[access.Call{}] != 0 {
		t.Errorf("the entries of one call name %d calls: %v", len(calls), calls)
	}

	body["onBehalf"] = []string{"tax"}
	a = counter.Post(transferPath, body).Want(t, http.StatusOK)
	if a.Text("licences.0.receipts.0.onBehalf") != "tax" || a.Get("licences.0.receipts.1") != nil {
		t.Errorf("%s", a.Body)
	}
	if again := firstReceipt(t, a).Entry; calls[again.Call] != 0 {
		t.Errorf("two calls have the same name %x", again.Call)
	}
	for _, wrong := range [][]string{{"housing"}, {"police"}, {"tax", "tax"}} {
		body["onBehalf"] = wrong
		counter.Post(transferPath, body).Problem(t, "on-behalf-refused")
	}
	delete(body, "onBehalf")

	// An agency that acts for itself gets what it may see of what the matter needs.
	a = s.Agency(s.Tax).Post(transferPath, body).Want(t, http.StatusOK)
	if got := fieldKeys(a, "licences.1.verdict.fields"); !slices.Equal(got, []string{"certificateNumber", "rightHolders", "location"}) {
		t.Errorf("fields %v", got)
	}
	if a.Get("licences.0.receipts.0.onBehalf") != nil || a.Text("result.outcome") != "valid" {
		t.Errorf("%s", a.Body)
	}
	counter.Post("/v1/matters/divination/verifications", body).Problem(t, "matter-unknown")
	s.Agency(s.Tax).Post("/v1/matters/company-opening/verifications", body).Problem(t, "matter-refused")
}

func TestCaseThatIsNotRight(t *testing.T) {
	s := httpapitest.New(t)
	x := newSale(s)
	counter := s.Agency(s.Counter)
	post := func(licences ...members) httpapitest.Answer {
		return counter.Post(transferPath, members{"case": "1", "context": members{"clerk": "a", "unit": "b"}, "licences": licences})
	}
	couple, home := members{"code": verifiertest.Code(t, x.showCouple())}, members{"code": verifiertest.Code(t, x.showHome()), "identityChecked": true}
	if a := post(home).Want(t, http.StatusOK); a.Text("result.outcome") != "incomplete" || a.Text("result.missing.0.code") != "licence-missing" {
		t.Errorf("%s", a.Body)
	} else if e := firstReceipt(t, a).Entry; e.Outcome != "valid" || e.Overall != "incomplete" {
		t.Errorf("recorded %+v", e)
	}
	if a := post(couple, members{"code": verifiertest.Code(t, x.showHome())}).Want(t, http.StatusOK); a.Text("result.missing.0.code") != "holders-missing" {
		t.Errorf("%s", a.Body)
	}
	strangers := s.Issue("marriage", 1)[0].Show(coupleFields...)
	if a := post(home, members{"code": verifiertest.Code(t, strangers)}).Want(t, http.StatusOK); a.Text("result.outcome") != "inconsistent" {
		t.Errorf("%s", a.Body)
	}
	if a := post(couple, members{"credential": base64Of([]byte{0x88, 1, 9})}).Want(t, http.StatusOK); a.Text("result.outcome") != "invalid" {
		t.Errorf("%s", a.Body)
	}
	x.couple.SetStatus(licence.Revoked)
	if a := post(couple, home).Want(t, http.StatusOK); a.Text("result.outcome") != "not-current" {
		t.Errorf("%s", a.Body)
	}
	if a := post(couple, members{"code": "HTTPS://VERIFY.EXAMPLE/#XYZ"}).Problem(t, "code-malformed"); a.Text("member") != "/licences/1" {
		t.Errorf("%s", a.Body)
	}
	if a := post(couple, members{"code": "a", "image": "aaaa"}).Problem(t, "member-invalid"); a.Text("member") != "/licences/1" {
		t.Errorf("%s", a.Body)
	}
	post().Problem(t, "member-invalid")
	counter.Post(transferPath, members{"licences": []members{couple}}).Problem(t, "member-invalid")
	post(members{"sealed": base64Of(make([]byte, 100))}).Problem(t, "sealed-unknown")
}

// A clerk scans one code after the other; each can be taken once, and goes into the case sealed.
func TestCounter(t *testing.T) {
	s := httpapitest.New(t)
	x := newSale(s)
	clerk := s.SignIn()
	nonce := nonceOf(t, s)
	context := members{"matter": transfer, "onBehalf": "tax"}
	scan := func(p *credential.Presentation) httpapitest.Answer {
		url := s.Post("/v1/references", members{"presentation": base64Of(p.Bytes())}).Want(t, http.StatusCreated).Text("url")
		return clerk.Post("/v1/verifications", members{"code": url, "context": context}).Want(t, http.StatusOK)
	}
	couple := scan(x.showCouple())
	home := scan(x.home.Prove(verifiertest.Host, nonce, homeFields...))
	if home.Text("verdict.axes.holder.reason") != "holder-proven" {
		t.Errorf("%s", home.Body)
	}
	body := members{"case": "1", "licences": []members{{"sealed": couple.Text("sealed")}, {"sealed": home.Text("sealed")}}}
	a := clerk.Post(transferPath, body).Want(t, http.StatusOK)
	if a.Text("licences.1.verdict.axes.holder.reason") != "holder-proven" || a.Get("result.requirements.0.licences.0.holdersProven").(float64) != 1 {
		t.Errorf("%s", a.Body)
	}
	if a.Text("result.outcome") != "incomplete" || a.Text("result.missing.0.code") != "holders-missing" { // one of two
		t.Errorf("%s", a.Body)
	}

	// What is sealed is of this session, whole, and of no use to others.
	other := s.SignIn()
	other.Post(transferPath, body).Problem(t, "sealed-unknown")
	s.Agency(s.Counter).Post(transferPath, members{"case": "1", "context": members{"clerk": "a", "unit": "b"}, "licences": body["licences"]}).Problem(t, "sealed-unknown")
	altered := []byte(couple.Text("sealed"))
	if altered[40]++; altered[40] != 'B' { // another letter of base64
		altered[40] = 'A'
	}
	clerk.Post(transferPath, members{"case": "1", "licences": []members{{"sealed": string(altered)}}}).Problem(t, "sealed-unknown")
	clerk.Post(transferPath, members{"case": "1", "licences": []members{{"sealed": couple.Text("sealed"), "nonce": zeros}}}).Problem(t, "member-invalid")
	clerk.Post("/v1/verifications", members{"sealed": couple.Text("sealed"), "context": context}).Problem(t, "member-invalid")
	public := s.Post("/v1/verifications", members{"code": x.home.Code()}).Want(t, http.StatusOK)
	if public.Get("sealed") != nil {
		t.Error("the public gets something sealed")
	}
}
