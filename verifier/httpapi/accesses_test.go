package httpapi_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// nonceOf asks for a challenge.
func nonceOf(tb testing.TB, s *httpapitest.Server) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s.Post("/v1/challenges", members{}).Want(tb, http.StatusCreated).Text("nonce"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestAccesses(t *testing.T) {
	s := httpapitest.New(t)
	couples := s.Issue("marriage", 2)
	context := members{"clerk": "李雷", "unit": "u", "matter": "second-hand-home-transfer", "case": "c-1"}
	for i := range 5 {
		s.Post("/v1/verifications", members{"code": couples[i%2].Code("spouse1Name")}).Want(t, http.StatusOK)
	}
	s.Agency(s.Tax).Post("/v1/verifications", members{"code": couples[0].Code("spouse1Name", "spouse1Id"), "context": context}).Want(t, http.StatusOK)
	couples[0].SetStatus(licence.Revoked) // who looked may be asked for all the same

	holder := func(more members) httpapitest.Answer {
		nonce := nonceOf(t, s)
		body := members{"credential": base64Of(couples[0].Prove(verifiertest.Host, nonce).Bytes()), "nonce": hex.EncodeToString(nonce)}
		for k, v := range more {
			body[k] = v
		}
		return s.Post("/v1/accesses", body)
	}
	a := holder(nil).Want(t, http.StatusOK)
	if n := len(a.Get("accesses").([]any)); n != 4 || a.Get("next") != nil {
		t.Fatalf("%d: %s", n, a.Body)
	}
	if a.Text("accesses.0.agency") != "tax" || a.Text("accesses.0.agencyName.zh") != "示范市税务局" || a.Text("accesses.0.case") != "c-1" ||
		a.Text("accesses.0.fields.0") != "spouse1Name" || a.Get("accesses.0.fields.1") != nil || a.Get("accesses.1.agency") != nil {
		t.Errorf("%s", a.Body)
	}
	if strings.Contains(string(a.Body), "李雷") {
		t.Error("the holder is told the clerk's name")
	}
	page := holder(members{"limit": 1}).Want(t, http.StatusOK)
	if page.Get("accesses.0.index").(float64) != 5 || page.Get("next").(float64) != 5 {
		t.Errorf("%s", page.Body)
	}
	page = holder(members{"limit": 3, "before": 5}).Want(t, http.StatusOK)
	if page.Get("accesses.0.index").(float64) != 4 || page.Get("next") != nil {
		t.Errorf("%s", page.Body)
	}

	issuer := s.Agency(s.Issuer)
	path := fmt.Sprintf("/v1/accesses/%s/%s", ledgertest.Marriages, couples[0].Digest)
	a = issuer.Get(path).Want(t, http.StatusOK)
	if len(a.Get("accesses").([]any)) != 4 || a.Text("accesses.0.clerk") != "李雷" {
		t.Errorf("%s", a.Body)
	}
	if a := issuer.Get(path+"?limit=2&before=5").Want(t, http.StatusOK); a.Get("next").(float64) != 2 {
		t.Errorf("%s", a.Body)
	}
	if a := issuer.Get(fmt.Sprintf("/v1/accesses/%s/%s", ledgertest.Marriages, sm.Sum(nil))).Want(t, http.StatusOK); len(a.Get("accesses").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	s.Agency(s.Tax).Get(path).Problem(t, "issuer-only")
	issuer.Get(fmt.Sprintf("/v1/accesses/%s/%s", ledgertest.Properties, couples[0].Digest)).Problem(t, "issuer-only")
	for _, query := range []string{"?limit=0", "?limit=1001", "?limit=1&limit=2", "?before=-1", "?before=0x10", "?before=1;limit=1", "?from=1"} {
		issuer.Get(path+query).Problem(t, "parameter-invalid")
	}
}

// A request for fields is told with who was asked, and with the call that it shares with the
// verification of what was released.
func TestAccessesOfRequests(t *testing.T) {
	s := httpapitest.New(t)
	couple := s.Issue("marriage", 1)[0]
	of := access.RequestCall(sm.Sum([]byte("request")))
	for _, e := range []access.Entry{
		{Asked: ledgertest.Marriages, Outcome: access.Released, Reasons: []string{"grant"}},
		{Outcome: "valid"},
		{Asked: ledgertest.Marriages, Outcome: access.Unanswered},
	} {
		e.Call, e.Agency, e.Matter, e.Type, e.Fields = of, "natural-resources", "second-hand-home-transfer", "marriage", []string{"spouse1Name"}
		if _, err := s.Log.Append(t.Context(), &accesslog.Draft{Entry: e, Issuer: ledgertest.Marriages, Digest: couple.Digest}); err != nil {
			t.Fatal(err)
		}
	}
	a := s.Agency(s.Issuer).Get(fmt.Sprintf("/v1/accesses/%s/%s", ledgertest.Marriages, couple.Digest)).Want(t, http.StatusOK)
	for k, want := range []struct {
		asked   any
		outcome string
	}{{ledgertest.Marriages, "unanswered"}, {nil, "valid"}, {ledgertest.Marriages, "released"}} {
		entry := a.Get(fmt.Sprintf("accesses.%d", k)).(map[string]any)
		if entry["asked"] != want.asked || entry["outcome"] != want.outcome || entry["call"] != hex.EncodeToString(of[:]) {
			t.Errorf("%d: %v", k, entry)
		}
	}
}

// Whoever is not proven to be the holder is told nothing.
func TestAccessesOfOthers(t *testing.T) {
	s := httpapitest.New(t)
	couple := s.Issue("marriage", 1)[0]
	ask := func(b, nonce []byte) httpapitest.Answer {
		return s.Post("/v1/accesses", members{"credential": base64Of(b), "nonce": hex.EncodeToString(nonce)})
	}
	nonce := nonceOf(t, s)
	ask(couple.Show().Bytes(), nonce).Problem(t, "holder-not-proven") // a print
	proven := couple.Prove(verifiertest.Host, nonce).Bytes()
	ask(proven, nonce).Problem(t, "challenge-used")
	nonce = nonceOf(t, s)
	ask(proven, nonce).Problem(t, "holder-not-proven") // answers another challenge
	nonce = nonceOf(t, s)
	ask(couple.Prove("elsewhere", nonce).Bytes(), nonce).Problem(t, "holder-not-proven")
	nonce = nonceOf(t, s)
	proven = couple.Prove(verifiertest.Host, nonce).Bytes()
	couple.WithdrawBinding()
	ask(proven, nonce).Problem(t, "holder-not-proven")
	ask([]byte{0x88, 1}, nonceOf(t, s)).Problem(t, "holder-not-proven")
}

// What an auditor reads: the log, its checkpoints on the ledger, and the proofs between them.
func TestLog(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	var leaves []sm.Hash
	verifyOnce := func() {
		a := s.Post("/v1/verifications", members{"code": house.Code()}).Want(t, http.StatusOK)
		leaves = append(leaves, receiptOf(t, a, "receipt").Leaf())
	}
	if a := s.Get("/v1/log").Want(t, http.StatusOK); a.Get("size").(float64) != 0 || a.Text("root") != access.EmptyRoot.String() || a.Text("log") != "verifier-1" {
		t.Errorf("%s", a.Body)
	}
	for _, n := range []int{3, 4, 2} {
		for range n {
			verifyOnce()
		}
		s.Anchor()
	}
	verifyOnce()
	if a := s.Get("/v1/log").Want(t, http.StatusOK); a.Get("size").(float64) != 10 {
		t.Errorf("%s", a.Body)
	}
	a := s.Get("/v1/log/checkpoints").Want(t, http.StatusOK)
	type treeHead struct {
		Size uint64
		Root sm.Hash
	}
	var list struct{ Checkpoints []treeHead }
	a.JSON(t, &list)
	if len(list.Checkpoints) != 3 || list.Checkpoints[1].Size != 7 || a.Get("next") != nil {
		t.Fatalf("%s", a.Body)
	}
	if a := s.Get("/v1/log/checkpoints?limit=1&after=3").Want(t, http.StatusOK); a.Get("checkpoints.0.size").(float64) != 7 || a.Get("next").(float64) != 7 {
		t.Errorf("%s", a.Body)
	}
	for i, second := range list.Checkpoints {
		for _, first := range list.Checkpoints[:i+1] {
			a := s.Get(fmt.Sprintf("/v1/log/consistency?first=%d&second=%d", first.Size, second.Size)).Want(t, http.StatusOK)
			var proof struct{ Path []sm.Hash }
			a.JSON(t, &proof)
			if !access.VerifyConsistency(first.Size, second.Size, proof.Path, first.Root, second.Root) {
				t.Errorf("%d to %d: %s", first.Size, second.Size, a.Body)
			}
		}
		onLedger, found, err := s.Index.Checkpoint(ledgertest.Authority, "verifier-1", second.Size)
		if err != nil || !found || onLedger.Root != second.Root {
			t.Errorf("the ledger has another checkpoint of size %d: %v", second.Size, err)
		}
	}
	last := list.Checkpoints[2]
	for i, leaf := range leaves[:9] {
		a := s.Get(fmt.Sprintf("/v1/log/inclusion?index=%d&leaf=%s&size=9", i, leaf)).Want(t, http.StatusOK)
		var proof struct{ Path []sm.Hash }
		a.JSON(t, &proof)
		if !access.VerifyInclusion(leaf, uint64(i), 9, proof.Path, last.Root) {
			t.Errorf("%d: %s", i, a.Body)
		}
	}
	for path, code := range map[string]string{
		"/v1/log/consistency?first=0&second=3":                          "parameter-invalid",
		"/v1/log/consistency?first=4&second=3":                          "parameter-invalid",
		"/v1/log/consistency?first=4&second=11":                         "parameter-invalid",
		"/v1/log/consistency?first=4":                                   "parameter-invalid",
		"/v1/log/inclusion?index=0&size=9":                              "parameter-invalid",
		"/v1/log/inclusion?size=9&leaf=" + zeros:                        "parameter-invalid",
		"/v1/log/inclusion?index=1&size=9&leaf=" + leaves[0].String():   "receipt-unknown",
		"/v1/log/inclusion?index=99&size=9&leaf=" + leaves[0].String():  "receipt-unknown",
		"/v1/log/inclusion?index=8&size=8&leaf=" + leaves[8].String():   "parameter-invalid",
		"/v1/log/inclusion?index=8&size=800&leaf=" + leaves[8].String(): "parameter-invalid",
		"/v1/receipts/-1?leaf=" + zeros:                                 "parameter-invalid",
		"/v1/receipts/0":                                                "parameter-invalid",
	} {
		s.Get(path).Problem(t, code)
	}
}
