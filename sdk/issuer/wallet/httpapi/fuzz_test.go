package httpapi

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet"
)

// FuzzAttempt gives browsers made-up memories of where they were sent: what is taken has all that it is used for.
func FuzzAttempt(f *testing.F) {
	part := strings.Repeat("a", 43)
	for _, seed := range []string{
		`{"s":"` + part + "." + part + "." + part + `","b":1000}`, `{"s":"` + part + `"}`, `{}`, `{"s":"a.b.c","t":"//evil"}`, `[]`, ``,
		`{"s":"` + part + "." + part + "." + part + `","b":1000,"f":true,"p":"` + strings.Repeat("0", 64) + `","t":"grants/1"}`,
	} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(seed)))
	}
	a := &API{Config: Config{Now: func() time.Time { return time.Unix(1100, 0) }}}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, callbackPath, nil)
		r.Header.Set("Cookie", attemptCookie+"="+value)
		kept, secrets := a.attemptOf(r)
		if kept == nil {
			return
		}
		if secrets.String() != kept.Secrets || strings.ContainsAny(kept.To, ":\\\r\n%") || strings.HasPrefix(kept.To, "/") || 1100-kept.Begun > 600 {
			t.Errorf("%+v", kept)
		}
	})
}

// FuzzCursor reads places of lists.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"1.1", "0.0", "1099511627775.1099511627775", "1099511627776.1", "-1.2", "1", "1.2.3", "1e3.1", "", "99999999999999999999.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := parseCursor(text); ok && (p.Verifier > wallet.Newest.Verifier || p.Releases > wallet.Newest.Releases || len(text) > 33) {
			t.Errorf("%q: %+v", text, p)
		}
	})
}
