package wallet_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/sm"
)

// A verifier that misbehaves is one that is not there.
func TestClientRefuses(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	challenge := func(c *wallet.Client) error { _, _, err := c.Challenge(t.Context()); return err }
	keep := func(c *wallet.Client) error { _, _, err := c.Keep(t.Context(), []byte("presentation")); return err }
	accesses := func(c *wallet.Client) error {
		_, err := c.Accesses(t.Context(), sm.Sum([]byte("licence")), 9, 1)
		return err
	}
	nonce := strings.Repeat("ab", 16)
	for name, c := range map[string]struct {
		call   func(*wallet.Client) error
		server http.HandlerFunc
	}{
		"an error":         {challenge, answer(500, `{"code":"internal"}`)},
		"a page":           {challenge, answer(201, "<html>")},
		"another status":   {challenge, answer(200, `{"nonce":"`+nonce+`","audience":"verify.example"}`)},
		"no nonce":         {challenge, answer(201, `{"audience":"verify.example"}`)},
		"a short nonce":    {challenge, answer(201, `{"nonce":"abab","audience":"verify.example"}`)},
		"another audience": {challenge, answer(201, `{"nonce":"`+nonce+`","audience":"evil.example"}`)},
		"an answer without end": {challenge, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			for range 40 {
				_, _ = w.Write(make([]byte, 64<<10))
			}
		}},
		"no URL":            {keep, answer(201, `{"expiresAt":"2026-11-07T01:00:00Z"}`)},
		"a script":          {keep, answer(201, `{"url":"javascript:alert(1)","expiresAt":"2026-11-07T01:00:00Z"}`)},
		"no end":            {keep, answer(201, `{"url":"HTTPS://VERIFY.EXAMPLE/R/X"}`)},
		"more than wanted":  {accesses, answer(200, `{"accesses":[{"index":1},{"index":0}],"next":null}`)},
		"a time that is no": {accesses, answer(200, `{"accesses":[{"index":1,"time":"yesterday"}],"next":null}`)},
		"a refusal":         {accesses, answer(403, `{"code":"issuer-only"}`)},
	} {
		server := httptest.NewServer(c.server)
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		client := &wallet.Client{HTTP: &http.Client{Timeout: 5 * time.Second}, URL: u, Token: "secret-token", Department: "civil-affairs", Host: "verify.example"}
		err = c.call(client)
		if wallet.Code(err) != wallet.CodeVerifier {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "secret-token") || strings.Contains(err.Error(), sm.Sum([]byte("licence")).String()) {
			t.Errorf("%s: the error tells: %v", name, err)
		}
		server.Close()
		if err := c.call(client); wallet.Code(err) != wallet.CodeVerifier || strings.Contains(err.Error(), "/v1/") {
			t.Errorf("%s, and then nobody: %v", name, err)
		}
	}
}

// Without a token the verifier is asked as anybody asks.
func TestClientWithoutToken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token is sent")
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"nonce":"` + strings.Repeat("ab", 16) + `","audience":"verify.example"}`))
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &wallet.Client{HTTP: server.Client(), URL: u, Department: "civil-affairs", Host: "verify.example"}
	if nonce, audience, err := client.Challenge(t.Context()); err != nil || len(nonce) != 16 || audience != "verify.example" {
		t.Errorf("%x, %q, %v", nonce, audience, err)
	}
	if _, err := client.Accesses(t.Context(), sm.Hash{}, 9, 1); wallet.Code(err) != wallet.CodeVerifier {
		t.Errorf("accesses: %v", err)
	}
}
