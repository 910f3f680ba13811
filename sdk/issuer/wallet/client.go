package wallet

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// A Client is the Verifier behind a URL. It calls as the agency that is the issuing department, or without a token as
// anybody can; then it is not told who has looked at a licence.
type Client struct {
	HTTP       *http.Client // with a time-out
	URL        *url.URL     // of the verifier, without a path or with one that /v1 comes after
	Token      string       // of the agency; "": none
	Department string       // id of the agency and of the issuer
	Host       string       // of the verifier: the audience of holders' proofs, whoever scans them
}

// Bounds of what a verifier answers.
const (
	maxVerifierAnswer = 1 << 20 // bytes
)

// call makes a call and reads the answer.
func (c *Client) call(ctx context.Context, method string, path []string, query url.Values, body, answer any, status int) error {
	fail := func(doing string, err error) error {
		var of *url.Error
		if errors.As(err, &of) { // it names the address, which names the licence
			err = of.Err
		}
		return errorf(CodeVerifier, err, "%s", doing)
	}
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fail("ask the verifier", err)
		}
		sent = bytes.NewReader(b)
	}
	u := c.URL.JoinPath(path...)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), sent)
	if err != nil {
		return fail("ask the verifier", err)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := c.HTTP.Do(r)
	if err != nil {
		return fail("reach the verifier", err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(io.LimitReader(got.Body, maxVerifierAnswer+1))
	if err != nil || len(b) > maxVerifierAnswer {
		return fail("read the verifier's answer", err)
	}
	if got.StatusCode != status {
		var problem struct{ Code string }
		_ = json.Unmarshal(b, &problem) // what is no problem has no code
		return fail(fmt.Sprintf("the verifier refuses: %d %.40q", got.StatusCode, problem.Code), nil)
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fail("read the verifier's answer", err)
	}
	return nil
}

// Challenge implements Verifier.
func (c *Client) Challenge(ctx context.Context) (nonce []byte, audience string, err error) {
	var answer struct{ Nonce, Audience string }
	if err := c.call(ctx, http.MethodPost, []string{"v1", "challenges"}, nil, map[string]string{"audience": c.Host}, &answer, http.StatusCreated); err != nil {
		return nil, "", err
	}
	nonce, err = hex.DecodeString(answer.Nonce)
	if err != nil || len(nonce) < 16 || len(nonce) > 64 || answer.Audience != c.Host {
		return nil, "", errorf(CodeVerifier, nil, "the verifier's challenge is not one")
	}
	return nonce, answer.Audience, nil
}

// Keep implements Verifier.
func (c *Client) Keep(ctx context.Context, presentation []byte) (text string, expires time.Time, err error) {
	var answer struct {
		URL       string
		ExpiresAt time.Time
	}
	if err := c.call(ctx, http.MethodPost, []string{"v1", "references"}, nil, map[string][]byte{"presentation": presentation}, &answer, http.StatusCreated); err != nil {
		return "", expires, err
	}
	u, err := url.Parse(answer.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || answer.ExpiresAt.IsZero() {
		return "", expires, errorf(CodeVerifier, nil, "the verifier's reference is not one")
	}
	return answer.URL, answer.ExpiresAt, nil
}

// Accesses implements Verifier.
func (c *Client) Accesses(ctx context.Context, digest sm.Hash, before uint64, limit int) ([]Access, error) {
	if c.Token == "" {
		return nil, errorf(CodeVerifier, nil, "the verifier tells the issuer alone who has looked: configure the token of its agency")
	}
	var answer struct {
		Accesses []struct {
			Index   uint64
			Time    time.Time
			Call    string
			Agency  *string
			Unit    *string
			Matter  *string
			Fields  []string
			Outcome string
		}
	}
	query := url.Values{"before": {strconv.FormatUint(before, 10)}, "limit": {strconv.Itoa(limit)}}
	if err := c.call(ctx, http.MethodGet, []string{"v1", "accesses", c.Department, digest.String()}, query, nil, &answer, http.StatusOK); err != nil {
		return nil, err
	}
	if len(answer.Accesses) > limit {
		return nil, errorf(CodeVerifier, nil, "the verifier tells more than it was asked for")
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	out := make([]Access, len(answer.Accesses))
	for i, a := range answer.Accesses {
		out[i] = Access{
			Index: a.Index, Time: a.Time.UTC(), Call: a.Call, Agency: text(a.Agency), Unit: text(a.Unit), Matter: text(a.Matter), Fields: a.Fields, Outcome: a.Outcome,
		}
	}
	return out, nil
}
