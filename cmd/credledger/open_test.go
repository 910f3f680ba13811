package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/webhook"
)

// An endpoint is a running `credledger open`.
type endpoint struct {
	*served
	token string
	key   *sm.PrivateKey
}

// open starts the endpoint on any port, with a key for envelopes.
func (p *process) open(tokenFile string, args ...string) *endpoint {
	p.t.Helper()
	key, err := sm.GenerateKey(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	file := p.write("envelopes.pem", key.PEM())
	e := &endpoint{served: p.start(append([]string{"open", "--listen", "127.0.0.1:0", "--key", file}, args...)...), key: key}
	token, err := os.ReadFile(filepath.Join(p.dir, tokenFile))
	if err != nil {
		p.t.Fatal(err)
	}
	e.token = strings.TrimSpace(string(token))
	return e
}

// post calls the endpoint with its token, and decodes the answer.
func (e *endpoint) post(path string, header http.Header, body []byte, answer any) (int, error) {
	r, err := http.NewRequest(http.MethodPost, e.urls["opener"]+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Authorization", "Bearer "+e.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(b, answer)
	}
	return response.StatusCode, err
}

// verdict has something sealed to the endpoint opened, until the outcome is the one that is wanted.
func (e *endpoint) verdict(credentialFile, want string) {
	e.t.Helper()
	credential, err := os.ReadFile(filepath.Join(e.dir, credentialFile))
	if err != nil {
		e.t.Fatal(err)
	}
	sealed, err := envelope.Seal(e.key.Public(), envelope.Credential, credential)
	if err != nil {
		e.t.Fatal(err)
	}
	body, err := json.Marshal(map[string][]byte{"sealed": sealed})
	if err != nil {
		e.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var answer struct {
			Verdict    struct{ Outcome string }
			Credential []byte
		}
		status, err := e.post("/v1/openings", nil, body, &answer)
		if err != nil || status != http.StatusOK || !bytes.Equal(answer.Credential, credential) {
			e.t.Fatalf("%d, %v", status, err)
		}
		if answer.Verdict.Outcome == want {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("%s, want %s", answer.Verdict.Outcome, want)
		}
	}
}

// The endpoint of a new home opens and verifies by the ledger, while other commands use the home.
func TestOpen(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	secret := webhook.NewSecret()
	secrets := p.write("secret.txt", []byte(secret.Text()+"\n"))
	e := p.open("home/opener/token", "--webhook-secret", secrets)
	p.marriages("input.jsonl", 1, 1)
	p.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)
	credential := filepath.Join("out", "licence-0000001.cred")
	e.verdict(credential, "valid")
	p.run(exitDone, "status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "divorce", credential)
	e.verdict(credential, "not-current")

	event := webhook.Event{Type: "later", At: time.Now().UTC().Truncate(time.Second), Department: "civil-affairs"}
	body, err := event.JSON()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	webhook.Sign(header, []webhook.Secret{secret}, webhook.ID{1}, time.Now(), body)
	var message struct {
		ID    string
		Event struct{ Type string }
	}
	if status, err := e.post("/v1/webhooks", header, body, &message); err != nil || status != http.StatusOK || message.Event.Type != "later" {
		t.Errorf("%d, %v, %+v", status, err, message)
	}
	good := e.token
	e.token = "credledger_anotherone"
	var problem struct{ Code string }
	if status, err := e.post("/v1/openings", nil, []byte("{}"), &problem); err != nil || status != http.StatusUnauthorized || problem.Code != "unauthenticated" {
		t.Errorf("%d, %v, %s", status, err, problem.Code)
	}
	e.end(exitDone)
	e = p.open("home/opener/token")
	if e.token != good {
		t.Error("the token is another one after a restart")
	}
	e.verdict(credential, "not-current")
	e.end(exitDone)
}

// Without a home and without a network it goes by a snapshot, and by the next one once that is there.
func TestOpenBySnapshot(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.marriages("input.jsonl", 1, 1)
	p.run(exitDone, issueArgs("--out", "out", "input.jsonl")...)
	credential := filepath.Join("out", "licence-0000001.cred")
	out, _ := p.run(exitDone, "snapshot", "make", "--json", "city.snapshot")
	var made struct{ Ledger, Key string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	p.run(exitDone, "keys", "export", "--department", "data-bureau", "--out", "authority.pub", "service")
	e := p.open("token", "--home", "", "--token", "token", "--snapshot", "city.snapshot", "--ledger", made.Ledger, "--authority-key", "authority.pub")
	e.verdict(credential, "valid")
	p.run(exitDone, "status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "divorce", credential)
	p.run(exitDone, "snapshot", "make", "city.snapshot")
	e.verdict(credential, "not-current")
	p.write("city.snapshot", []byte("no snapshot"))
	e.logs("reading the snapshot failed")
	e.verdict(credential, "not-current")
	e.end(exitDone)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	p.write("bad.txt", []byte("secret"))
	p.write("short.token", []byte("secret"))
	for _, c := range []struct {
		exit int
		code string
		args []string
	}{
		{exitUsage, "usage", []string{"what"}},
		{exitUsage, "usage", []string{"--listen", "0.0.0.0:8420"}},
		{exitUsage, "usage", []string{"--listen", "192.0.2.1:8420"}},
		{exitUsage, "usage", []string{"--listen", "localhost:8420"}},
		{exitUsage, "usage", []string{"--home", ""}},
		{exitUsage, "usage", []string{"--home", "", "--snapshot", "x"}},
		{exitUsage, "usage", []string{"--ledger", "x"}},
		{exitFailed, "file", []string{"--key", "none.pem"}},
		{exitFailed, sm.CodeBadPrivateKey, []string{"--key", "bad.txt"}},
		{exitFailed, webhook.CodeSecret, []string{"--webhook-secret", "bad.txt"}},
		{exitFailed, "token", []string{"--token", "short.token"}},
		{exitFailed, "file", []string{"--snapshot", "none"}},
	} {
		env := p.env
		for i, arg := range c.args {
			if arg == "--home" && c.args[i+1] == "" {
				p.env = append(p.env, "CREDLEDGER_HOME=")
			}
		}
		out, problems := p.run(c.exit, append([]string{"open", "--json"}, c.args...)...)
		p.env = env
		if out != "" || !strings.Contains(problems, fmt.Sprintf(`"code": %q`, c.code)) {
			t.Errorf("%q: %s%s", c.args, out, problems)
		}
	}
}
