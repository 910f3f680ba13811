package opener_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/verifier/opener"
	"github.com/credledger/credledger/verifier/verifiertest"
	"github.com/credledger/credledger/verifier/verify"
)

// Whatever is asked is answered, and no fault of the opener's.
func FuzzOpen(f *testing.F) {
	city := verifiertest.New(f)
	o := opener.New(opener.Config{
		View: func() verify.View { return city.Index }, Keys: []envelope.Decrypter{recipient}, Token: opener.TokenOf(token),
		Now: city.Clock.Now, Observe: func(*rest.Call) {},
	})
	f.Add([]byte(`{"code":"HTTPS://VERIFY.EXAMPLE/#X","asOf":"2026-01-31","holderRequired":true}`))
	f.Add([]byte(`{"sealed":"hQFYIA=="}`))
	f.Add([]byte(`{"file":"JVBERi0xLjc=","credential":"iAE=","audience":"a","nonce":"00000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, request(http.MethodPost, "/v1/openings", body))
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	})
}
