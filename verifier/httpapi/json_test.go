package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
)

// Bodies that two parsers could read in two ways, or that a parser could choke on, are refused.
func TestBadBodies(t *testing.T) {
	s := httpapitest.New(t)
	house := s.Issue("property", 1)[0]
	code := house.Code()
	good := `{"code":"` + code + `"}`
	s.Post("/v1/verifications", " \t\r\n"+good+" \n").Want(t, http.StatusOK)
	s.Post("/v1/verifications", strings.Replace(good, "H", `\u0048`, 1)).Want(t, http.StatusOK)
	with := func(more string) string { return strings.TrimSuffix(good, "}") + "," + more + "}" }
	deep := strings.Repeat("[", 100_000)
	for _, test := range []struct{ name, body, code, member string }{
		{"nothing", "", "body-malformed", ""},
		{"an array", "[" + good + "]", "body-malformed", ""},
		{"a string", `"code"`, "body-malformed", ""},
		{"null", "null", "body-malformed", ""},
		{"cut off", good[:len(good)-1], "body-malformed", ""},
		{"cut off in a string", good[:len(good)-2], "body-malformed", ""},
		{"trailing data", good + good, "body-malformed", ""},
		{"trailing zero", good + "\x00", "body-malformed", ""},
		{"byte order mark", "\xef\xbb\xbf" + good, "body-malformed", ""},
		{"not UTF-8", "{\"code\":\"\xff\"}", "body-malformed", ""},
		{"UTF-16", "\xfe\xff\x00{\x00}", "body-malformed", ""},
		{"comment", "/**/" + good, "body-malformed", ""},
		{"trailing comma", with(`"fields":[],`), "body-malformed", ""},
		{"no comma", strings.TrimSuffix(good, "}") + `"asOf":"2026-01-01"}`, "body-malformed", ""},
		{"single quotes", `{'code':'x'}`, "body-malformed", ""},
		{"unquoted name", `{code:"x"}`, "body-malformed", ""},
		{"control character", "{\"code\":\"a\nb\"}", "body-malformed", ""},
		{"lone surrogate", `{"code":"\ud800"}`, "body-malformed", ""},
		{"half a pair", `{"code":"\ud800\u0041"}`, "body-malformed", ""},
		{"bad escape", `{"code":"\x41"}`, "body-malformed", ""},
		{"bad hex", `{"code":"\u00g0"}`, "body-malformed", ""},
		{"escape at the end", `{"code":"\`, "body-malformed", ""},

		{"empty", "{}", "member-invalid", ""},
		{"unknown member", with(`"admin":true`), "member-invalid", ""},
		{"a name in another case", `{"Code":"` + code + `"}`, "member-invalid", ""},
		{"a name given twice", with(`"code":"` + code + `"`), "member-invalid", "/code"},
		{"a name given twice, once escaped", with(`"\u0063ode":"` + code + `"`), "member-invalid", "/code"},
		{"a name given twice, deeper", with(`"context":{"unit":"a","unit":"b"}`), "member-invalid", "/context/unit"},
		{"deep nesting in a name that is unknown", with(`"x":` + deep), "member-invalid", ""},
		{"deep nesting in a name that is known", with(`"fields":` + deep), "member-invalid", "/fields/0"},
		{"two forms", with(`"credential":"AAAA"`), "member-invalid", ""},
		{"null for a text", `{"code":null}`, "member-invalid", "/code"},
		{"a number for a text", `{"code":1}`, "member-invalid", "/code"},
		{"an empty text", `{"code":""}`, "member-invalid", "/code"},
		{"a long text", `{"code":"` + strings.Repeat("A", 17_000) + `"}`, "member-invalid", "/code"},
		{"a text for a flag", with(`"holderRequired":"true"`), "member-invalid", "/holderRequired"},
		{"almost a flag", with(`"holderRequired":truely`), "body-malformed", ""},
		{"base64url", `{"credential":"_-8="}`, "member-invalid", "/credential"},
		{"base64 without padding", `{"credential":"iAE"}`, "member-invalid", "/credential"},
		{"base64 with a line break", `{"credential":"iAE\n="}`, "member-invalid", "/credential"},
		{"base64 with bits left over", `{"credential":"iAF="}`, "member-invalid", "/credential"},
		{"base64 of nothing", `{"credential":""}`, "member-invalid", "/credential"},
		{"a day written otherwise", with(`"asOf":"2026/01/01"`), "member-invalid", "/asOf"},
		{"no such day", with(`"asOf":"2026-02-30"`), "member-invalid", "/asOf"},
		{"a day without end", with(`"asOf":"99999-01-01"`), "member-invalid", "/asOf"},
		{"nonce in capitals", with(`"nonce":"` + strings.Repeat("AB", 16) + `"`), "member-invalid", "/nonce"},
		{"short nonce", with(`"nonce":"abab"`), "member-invalid", "/nonce"},
		{"long nonce", with(`"nonce":"` + strings.Repeat("ab", 65) + `"`), "member-invalid", "/nonce"},
		{"audience alone", with(`"audience":"a"`), "member-invalid", ""},
		{"a field twice", with(`"fields":["area","area"]`), "member-invalid", "/fields/1"},
		{"not a field", with(`"fields":["../area"]`), "member-invalid", "/fields/0"},
		{"too many fields", with(`"fields":[` + strings.Repeat(`"a",`, 300) + `"b"]`), "member-invalid", "/fields/1"},
		{"context of another kind", with(`"context":[]`), "member-invalid", "/context"},
		{"two lines in a text for the log", with(`"context":{"clerk":"a\nb"}`), "member-invalid", "/context/clerk"},
		{"a text of too many bytes", with(`"context":{"clerk":"` + strings.Repeat("𠀀", 60) + `"}`), "member-invalid", "/context/clerk"},
		{"text that turns round", with(`"context":{"clerk":"a\u202eb"}`), "member-invalid", "/context/clerk"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := s.Post("/v1/verifications", test.body).Problem(t, test.code)
			if a.Status != http.StatusBadRequest || a.Text("member") != test.member {
				t.Errorf("member %q, want %q: %s", a.Text("member"), test.member, a.Body)
			}
		})
	}
	for _, limit := range []string{"0", "1001", "1e2", "1.0", "-1", "+1", "01", "0x10", `"10"`, "null", strings.Repeat("9", 4000)} {
		body := `{"credential":"iAE=","nonce":"` + zeros + `","limit":` + limit + `}`
		if a := s.Post("/v1/accesses", body).Problem(t, "member-invalid"); a.Text("member") != "/limit" {
			t.Errorf("%s: %s", limit, a.Body)
		}
	}
	s.Post("/v1/accesses", `{"credential":"iAE="}`).Problem(t, "member-invalid")
}
