package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
)

// BenchmarkVerification verifies a public code, with 64 callers at a time and the access log durable,
// without a network.
func BenchmarkVerification(b *testing.B) {
	s := httpapitest.New(b, func(c *httpapi.Config) {
		c.Public = callers.Rate{PerSecond: 1e9, Burst: 1e9}
		c.Observe = func(httpapi.Call) {}
	})
	body, err := json.Marshal(map[string]string{"credential": base64Of(s.Issue("property", 64)[7].Show("location", "rightHolders").Bytes())})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, "/v1/verifications", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.API.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Fatal(w.Body)
			}
		}
	})
}
