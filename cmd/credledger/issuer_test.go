package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An issuing is a home with the issuing service of the department for marriages, and a token for it.
type issuing struct {
	*process
	token string
	next  atomic.Int64
}

func newIssuing(t *testing.T) *issuing {
	t.Helper()
	i := &issuing{process: newProcess(t)}
	i.run(exitDone, "init")
	i.run(exitDone, "issuer", "init", "--department", "civil-affairs")
	i.edit("127.0.0.1:8090", "127.0.0.1:0", "127.0.0.1:8091", "127.0.0.1:0", "127.0.0.1:8092", "127.0.0.1:0", "127.0.0.1:8444", "127.0.0.1:0", "127.0.0.1:9465", "127.0.0.1:0")
	out, _ := i.run(exitDone, "issuer", "token", "--json")
	var drawn struct{ Token, Digest string }
	i.must(json.Unmarshal([]byte(out), &drawn))
	i.token = drawn.Token
	i.must(os.WriteFile(i.path(staffFile), fmt.Appendf(nil, "systems:\n  - id: registry\n    tokens: [%q]\n    rate: {perSecond: 100000, burst: 100000}\n"+
		"    rights:\n      marriage: [issue, open]\npeople: []\n", drawn.Digest), 0o600))
	return i
}

func (i *issuing) must(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

func (i *issuing) path(name string) string {
	return filepath.Join(i.home, issuersDir, "civil-affairs", name)
}

// edit replaces texts in the configuration.
func (i *issuing) edit(edits ...string) {
	i.t.Helper()
	b, err := os.ReadFile(i.path(issuerFile))
	i.must(err)
	for k := 0; k < len(edits); k += 2 {
		if !bytes.Contains(b, []byte(edits[k])) {
			i.t.Fatalf("no %q in the configuration", edits[k])
		}
		b = bytes.Replace(b, []byte(edits[k]), []byte(edits[k+1]), 1)
	}
	i.must(os.WriteFile(i.path(issuerFile), b, 0o600))
}

// begin starts the service and waits until it is ready.
func (i *issuing) begin() *served {
	i.t.Helper()
	s := i.start("issuer", "serve")
	for deadline := time.Now().Add(patient); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(s.urls["metrics"] + "/readyz")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s
			}
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("not ready\n%s", s.log)
		}
	}
}

// An issuedNow is as much of the answer to an application as is looked at.
type issuedNow struct {
	Licence struct{ Digest string }
	Earlier bool
	Code    string // of a problem
}

// apply applies for the n-th licence.
func (i *issuing) apply(s *served, n int64) (answer issuedNow, status int, err error) {
	record := strings.Replace(marriage, "990001", fmt.Sprintf("%06d", n), 1)
	body := fmt.Sprintf(`{"type":"marriage","fields":%s}`, record)
	r, err := http.NewRequest(http.MethodPost, s.urls["web"]+"/v1/licences", strings.NewReader(body))
	if err != nil {
		return answer, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+i.token)
	r.Header.Set("Idempotency-Key", fmt.Sprintf("request-%d", n))
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer, 0, err
	}
	defer got.Body.Close()
	return answer, got.StatusCode, json.NewDecoder(got.Body).Decode(&answer)
}

// mustApply applies for the n-th licence, and wants it.
func (i *issuing) mustApply(s *served, n int64) issuedNow {
	i.t.Helper()
	answer, status, err := i.apply(s, n)
	if err != nil || status != http.StatusCreated {
		i.t.Fatalf("%v, %d %s\n%s", err, status, answer.Code, s.log)
	}
	return answer
}

// A service issues; the department's key is rotated by the command line meanwhile, and it goes on with the new one;
// the command line issues from the same vault.
func TestIssuerServe(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	s := i.begin()
	first := i.mustApply(s, 1)
	i.run(exitDone, "keys", "rotate", "--department", "civil-affairs", "anchor")
	i.mustApply(s, 2)
	if again := i.mustApply(s, 1); !again.Earlier || again.Licence.Digest != first.Licence.Digest {
		t.Errorf("the same request again: %+v, not %+v", again, first)
	}
	i.marriages("input.jsonl", 2, 2)
	out, _ := i.run(exitFailed, issueArgs("--out", "out", "input.jsonl")...)
	var report issuedAnswer
	i.must(json.Unmarshal([]byte(out), &report))
	if report.Issued != 1 || report.Rejected != 1 {
		t.Errorf("what the service has issued is issued again: %s", out)
	}
	if answer, status, err := i.apply(s, 3); err != nil || status != http.StatusUnprocessableEntity {
		t.Errorf("what the command line has issued: %v, %d %s", err, status, answer.Code)
	}
	s.end(exitDone)
	i.run(exitDone, "audit")
}

// Killed while it issues, the service has answered nothing that is not in the vault and on the ledger; what it had not
// answered is issued once, whoever asks again.
func TestIssuerServeKilled(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	var mu sync.Mutex
	answered := map[int64]string{} // digests
	var unanswered []int64
	for range 3 {
		s := i.begin()
		before := len(answered)
		var asking sync.WaitGroup
		for range 16 {
			asking.Go(func() {
				for {
					n := i.next.Add(1)
					answer, status, err := i.apply(s, n)
					mu.Lock()
					if err == nil && status == http.StatusCreated {
						answered[n] = answer.Licence.Digest
					} else {
						unanswered = append(unanswered, n)
					}
					mu.Unlock()
					if err != nil {
						return // it was killed
					}
				}
			})
		}
		s.until("it issues", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(answered) >= before+50
		})
		i.must(s.cmd.Process.Kill())
		_ = s.cmd.Wait()
		asking.Wait()
	}
	s := i.begin()
	if len(unanswered) == 0 {
		t.Fatal("no request was without an answer")
	}
	for n, digest := range answered {
		if again := i.mustApply(s, n); !again.Earlier || again.Licence.Digest != digest {
			t.Fatalf("licence %d was answered for as %s, and now is %+v", n, digest, again)
		}
	}
	earlier := 0
	for _, n := range unanswered {
		if i.mustApply(s, n).Earlier {
			earlier++
		}
	}
	s.end(exitDone)
	i.run(exitDone, "audit")
	t.Logf("%d answers; %d requests without, of which %d had been issued", len(answered), len(unanswered), earlier)
}

// What is wrong with the configuration is said, and nothing is served.
func TestIssuerServeRefuses(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	good, err := os.ReadFile(i.path(issuerFile))
	i.must(err)
	for edit, code := range map[[2]string]string{
		{"logLevel: info", "logLevel: loud"}:                                                                 "config-malformed",
		{"logLevel: info", "logLevel: info\nkeys: x"}:                                                        "config-malformed",
		{"127.0.0.1:0", "0.0.0.0:0"}:                                                                         "config-malformed",
		{"staff: staff.yaml", "staff: nowhere.yaml"}:                                                         "config-malformed",
		{"tlcp/signing.crt", "tlcp/authority.crt"}:                                                           "config-malformed",
		{"# unit: window-1", "unit: nowhere"}:                                                                "config-malformed",
		{"department: civil-affairs", "department: natural-resources"}:                                       "config-malformed",
		{"expiring: 30", "expiring: 30\nwebhooks: [{name: a, secret: b}]"}:                                   "config-malformed",
		{"expiring: 30", "expiring: 30\nwebhooks: [{name: a, url: \"https://a.example\", secret: nowhere}]"}: "config-malformed",
	} {
		i.must(os.WriteFile(i.path(issuerFile), good, 0o600))
		i.edit(edit[0], edit[1])
		out, problems := i.run(exitFailed, "issuer", "serve", "--json")
		lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(problems), "\n"), func(line string) bool { return strings.HasPrefix(line, `{"time"`) })
		var answer struct{ Error struct{ Code string } }
		if err := json.Unmarshal([]byte(strings.Join(lines, "\n")), &answer); err != nil || answer.Error.Code != code || out != "" {
			t.Errorf("%q: %v, %s", edit[1], err, problems)
		}
	}
}
