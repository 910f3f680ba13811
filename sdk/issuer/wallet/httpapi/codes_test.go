package httpapi_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/issuer/wallet/httpapi"
	"github.com/credledger/credledger/sdk/issuer/wallet/wallettest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/rest/resttest"
)

// at is what a counter sends with something that it was shown.
func at(shown members) members {
	shown["context"] = members{"matter": wallettest.Matter, "case": "20261107-0042", "clerk": "wangfang", "unit": "综合窗口3号"}
	return shown
}

// pictureOf is the picture that a screen shows of a code.
func pictureOf(t *testing.T, code string) []byte {
	t.Helper()
	symbol, err := qr.Encode(code, qr.DefaultLevel(code))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := symbol.PNG(&b, 6); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A screenshot of a reference code, sent to friends who hold it before several counters at the same moment: one of them is
// served, whoever it is, and all others learn that the code was used.
func TestScreenshot(t *testing.T) {
	s := newScene(t)
	code := s.holder.Post("/v1/codes", s.code("reference")).Want(t, http.StatusCreated).Text("code")
	screenshot := pictureOf(t, code)
	const counters = 12
	answers := make([]resttest.Answer, counters)
	var all sync.WaitGroup
	for i := range counters {
		all.Go(func() {
			if i%2 == 0 {
				answers[i] = s.Counter.Post("/v1/verifications", at(members{"image": screenshot}))
			} else {
				answers[i] = s.Scan(code)
			}
		})
	}
	all.Wait()
	served := 0
	for _, a := range answers {
		if a.Status == http.StatusOK {
			served++
			if a.Text("verdict.outcome") != "valid" || a.Text("verdict.axes.holder.result") != "pass" {
				t.Errorf("the one who is served: %s", a.Body)
			}
			continue
		}
		a.Want(t, http.StatusUnprocessableEntity).Problem(t, "reference-used")
	}
	if served != 1 {
		t.Errorf("%d counters were served", served)
	}
	s.Clock.Advance(2 * time.Minute)
	if late := s.Scan(code); late.Status < 400 {
		t.Errorf("long afterwards: %s", late.Body)
	}
}

// A tap is a verifier that remembers what was left at it, as somebody does who reads along.
type tap struct {
	wallet.Verifier
	nonce []byte
	left  []byte
}

func (p *tap) Challenge(ctx context.Context) (nonce []byte, audience string, err error) {
	p.nonce, audience, err = p.Verifier.Challenge(ctx)
	return p.nonce, audience, err
}

func (p *tap) Keep(ctx context.Context, presentation []byte) (string, time.Time, error) {
	p.left = bytes.Clone(presentation)
	return p.Verifier.Keep(ctx, presentation)
}

// What a reference code stands for, with the holder's proof, in the hands of somebody else: the proof is good once.
func TestProofShownAgain(t *testing.T) {
	s := newScene(t)
	p := new(tap)
	s.Rewire(func(c *wallet.Config, _ *httpapi.Config) {
		p.Verifier = c.Verifier
		c.Verifier = p
	})
	s.holder = s.SignIn(s.Holder(1))
	code := s.holder.Post("/v1/codes", s.code("reference")).Want(t, http.StatusCreated).Text("code")
	if got := s.Scan(code).Want(t, http.StatusOK); got.Text("verdict.axes.holder.result") != "pass" || bytes.Contains(got.Body, p.left[len(p.left)-64:]) {
		t.Fatalf("the counter: %s", got.Body)
	}
	presentation, err := credential.Parse(p.left)
	s.Must(err)
	if len(presentation.Fields) != len(s.Minimum()) {
		t.Errorf("%d fields were left", len(presentation.Fields))
	}

	again := s.Counter.Post("/v1/references", members{"presentation": p.left})
	if again.Status == http.StatusCreated {
		if got := s.Scan(again.Text("url")); got.Status == http.StatusOK && got.Text("verdict.axes.holder.result") == "pass" {
			t.Errorf("left again, the proof passes: %s", got.Body)
		}
	}
	got := s.Counter.Post("/v1/verifications", at(members{"credential": p.left, "holderRequired": true}))
	if got.Status == http.StatusOK && (got.Text("verdict.axes.holder.result") == "pass" || got.Text("verdict.outcome") == "valid") {
		t.Errorf("handed in, the proof passes: %s", got.Body)
	}
	fresh := s.Counter.Post("/v1/challenges", members{}).Want(t, http.StatusCreated)
	got = s.Counter.Post("/v1/verifications", at(members{"credential": p.left, "audience": fresh.Text("audience"), "nonce": fresh.Text("nonce")}))
	if got.Status == http.StatusOK && got.Text("verdict.axes.holder.result") == "pass" {
		t.Errorf("for another challenge, the proof passes: %s", got.Body)
	}

	// The proof of one presentation, which nobody has used yet, does not go with the fields of another one.
	s.holder.Post("/v1/codes", with(s.code("reference"), "fields", s.Minimum()[:1])).Want(t, http.StatusCreated)
	mixed, err := credential.Parse(p.left)
	s.Must(err)
	if len(mixed.Fields) != 1 {
		t.Fatalf("%d fields were left", len(mixed.Fields))
	}
	mixed.Fields, mixed.Proof = presentation.Fields, presentation.Proof
	got = s.Counter.Post("/v1/references", members{"presentation": mixed.Bytes()})
	if got.Status == http.StatusCreated {
		got = s.Scan(got.Text("url"))
	}
	if got.Status < 400 && got.Text("verdict.axes.holder.result") != "fail" {
		t.Errorf("a proof is good for other fields: %s", got.Body)
	}
}

// A sheet of paper can be copied, scanned and handed in as often as anybody likes: each time the verdict says that nobody is
// proven to be the holder, and each time it is as of that time.
func TestSheetIsNoProof(t *testing.T) {
	s := newScene(t)
	url := s.holder.Post("/v1/prints", with(s.sheet(), "large", true)).Want(t, http.StatusCreated).Text("url")
	file := s.holder.Get(url).Want(t, http.StatusOK).Body
	copies := map[string]members{"a scan of the sheet": {"image": scanned(t, file)}, "its file": {"file": file}}
	for range 2 {
		for name, shown := range copies {
			got := s.Counter.Post("/v1/verifications", at(shown)).Want(t, http.StatusOK)
			if got.Text("verdict.outcome") != "valid" || got.Text("verdict.axes.holder.result") != "unknown" || got.Text("verdict.axes.holder.reason") != "static" {
				t.Errorf("%s: %s", name, got.Body)
			}
			if len(got.Get("verdict.fields").([]any)) != len(s.Minimum()) {
				t.Errorf("%s shows other fields: %s", name, got.Body)
			}
			shown["holderRequired"] = true
			if got := s.Counter.Post("/v1/verifications", at(shown)).Want(t, http.StatusOK); got.Text("verdict.outcome") == "valid" {
				t.Errorf("%s passes where the holder is required: %s", name, got.Body)
			}
			delete(shown, "holderRequired")
		}
	}
	subject, err := s.Issuer.Subject(t.Context(), s.id)
	s.Must(err)
	_, err = s.Issuer.SetStatus(t.Context(), vault.By{Actor: "wangfang", Purpose: "divorce"}, []issuer.StatusChange{{
		Licence: subject, To: licence.Revoked, Reason: "divorce",
	}}, nil)
	s.Must(err)
	s.Beat()
	for name, shown := range copies {
		if got := s.Counter.Post("/v1/verifications", at(shown)).Want(t, http.StatusOK); got.Text("verdict.outcome") != "not-current" {
			t.Errorf("%s of a licence that was revoked: %s", name, got.Body)
		}
	}
}

// scanned is a picture of the first page, as a scanner of 200 dots an inch makes it.
func scanned(t *testing.T, file []byte) []byte {
	t.Helper()
	stem := filepath.Join(t.TempDir(), "sheet")
	if err := os.WriteFile(stem+".pdf", file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "200", "-f", "1", "-singlefile", "-gray", "-png", stem+".pdf", stem).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm is needed to draw the sheet: %v %s", err, out)
	}
	picture, err := os.ReadFile(stem + ".png")
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// A sheet that was prepared is for the session that prepared it: not for who knows its address.
func TestSheetsOfOthers(t *testing.T) {
	s := newScene(t)
	url := s.holder.Post("/v1/prints", s.sheet()).Want(t, http.StatusCreated).Text("url")
	s.stranger.Get(url).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.spouse.Get(url).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.SignIn(s.Holder(1)).Get(url).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.Get(url).Want(t, http.StatusUnauthorized)
	s.holder.Get(url).Want(t, http.StatusOK)
	s.stranger.Post("/v1/prints", s.sheet()).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/codes", s.code("reference")).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.stranger.Post("/v1/codes", s.code("self-contained")).Want(t, http.StatusNotFound).Problem(t, "not-in-wallet")
	s.holder.Do(http.MethodDelete, "/v1/sessions", nil).Want(t, http.StatusNoContent)
	s.holder.Get(url).Want(t, http.StatusUnauthorized)
}
