package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
)

// What a verification is answered with, which is put together without encoding/json, is byte for byte
// what encoding/json makes of it: to the public, to an agency that does not see all, and to a clerk.
func TestAnswerIsAsOfEncodingJSON(t *testing.T) {
	s := httpapitest.New(t)
	code := s.Issue("property", 1)[0].Code("location", "area")
	context := members{"clerk": "<李 & \"雷\">", "unit": "窗口—3", "matter": transfer, "onBehalf": "tax"}
	for name, a := range map[string]httpapitest.Answer{
		"public":     s.Post("/v1/verifications", members{"code": code}),
		"unreadable": s.Post("/v1/verifications", members{"credential": "iAE="}),
		"agency":     s.Agency(s.Counter).Post("/v1/verifications", members{"code": code, "context": context}),
		"clerk":      s.SignIn().Post("/v1/verifications", members{"code": code, "context": members{"matter": transfer, "onBehalf": "tax"}}),
	} {
		a.Want(t, http.StatusOK)
		var answer struct {
			Verdict  json.RawMessage `json:"verdict"`
			Withheld []string        `json:"withheld"`
			Receipt  json.RawMessage `json:"receipt"`
			Sealed   []byte          `json:"sealed,omitempty"`
		}
		a.JSON(t, &answer)
		if (answer.Sealed != nil) != (name == "clerk") {
			t.Errorf("%s: sealed %x", name, answer.Sealed)
		}
		want, err := json.Marshal(answer)
		if err != nil || !bytes.Equal(a.Body, want) {
			t.Errorf("%s: %v, %s, want %s", name, err, a.Body, want)
		}
	}
}
