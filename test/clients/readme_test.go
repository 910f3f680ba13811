package clients_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/govern"
	issuertest "github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/opener"
	"github.com/credledger/credledger/verifier/verify"
)

// blocks returns the blocks of a language in a README, in their order.
func blocks(t *testing.T, file, language string) []string {
	t.Helper()
	var out []string
	for i, part := range strings.Split(string(mustRead(t, filepath.Join(javaDir, file))), "\n```") {
		if block, ok := strings.CutPrefix(part, language+"\n"); ok && i%2 == 1 {
			out = append(out, block)
		}
	}
	return out
}

// Both READMEs show the same, and the Java in them is in the example.
func TestReadmesShowTheSame(t *testing.T) {
	example := strings.Join(strings.Fields(string(mustRead(t, filepath.Join(javaDir, "examples", "Example.java")))), " ")
	for _, language := range []string{"sh", "text", "java"} {
		en, zh := blocks(t, "README.md", language), blocks(t, "README.zh-CN.md", language)
		if len(en) == 0 || !slices.Equal(en, zh) {
			t.Errorf("the blocks in %s differ:\n%s\n\n%s", language, strings.Join(en, "\n"), strings.Join(zh, "\n"))
		}
	}
	for _, block := range blocks(t, "README.md", "java") {
		for line := range strings.Lines(block) {
			line = strings.TrimRight(strings.Join(strings.Fields(line), " "), ";")
			line = strings.Replace(line, "recipientPem", "Files.readAllBytes(recipient)", 1)
			line = strings.Replace(line, `"marriage"`, "type", 1)
			if !strings.Contains(example, line) {
				t.Errorf("not in Example.java: %s", line)
			}
		}
	}
}

// A keyFile is a private key that is read when it is needed.
type keyFile struct {
	*testing.T
	path string
}

func (k keyFile) key() *sm.PrivateKey {
	key, err := sm.ParsePrivateKeyPEM(mustRead(k.T, k.path), nil)
	if err != nil {
		k.Fatal(err)
	}
	return key
}

func (k keyFile) Public() *sm.PublicKey            { return k.key().Public() }
func (k keyFile) Decrypt(b []byte) ([]byte, error) { return k.key().Decrypt(b) }

func writeIn(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every command of the README does what it is there for.
func TestReadmeWorks(t *testing.T) {
	t.Parallel()
	javac, err := tool("javac")
	if err != nil {
		t.Fatal("this test needs a JDK, version 9 or later, with javac in the PATH or in JAVA_HOME: ", err)
	}
	dir := t.TempDir()
	for _, sources := range []string{"src", "examples"} {
		path, err := filepath.Abs(filepath.Join(javaDir, sources))
		if err == nil {
			err = os.CopyFS(filepath.Join(dir, sources), os.DirFS(path))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	verifier, office := httpapitest.New(t), issuertest.New(t, "marriage")
	home := verifier.Issue("property", 1)[0]
	authority := office.City.Authority
	if err := govern.Beat(t.Context(), office.As(authority.ID), office.City.ID, authority.Log, office.Clock.Now(), time.Minute); err != nil {
		t.Fatal(err)
	}
	view := follow(t, office)
	endpoint := httptest.NewServer(opener.New(opener.Config{
		View: func() verify.View { return view }, Keys: []envelope.Decrypter{keyFile{t, filepath.Join(dir, "recipient.pem")}},
		Token: opener.TokenOf(openerToken), Now: office.Clock.Now, Observe: func(*rest.Call) {},
	}))
	t.Cleanup(endpoint.Close)
	record, err := json.Marshal(office.Fields(1))
	if err != nil {
		t.Fatal(err)
	}
	verifierURL, authorities := listen(t, verifier.API)
	issuerURL, more := listen(t, office.API)
	writeIn(t, dir, "authorities.pem", append(mustRead(t, authorities), mustRead(t, more)...))
	writeIn(t, dir, "agency.token", []byte(verifier.Tax+"\n"))
	writeIn(t, dir, "issuer.token", []byte(office.Token+"\n"))
	writeIn(t, dir, "opener.token", []byte(openerToken+"\n"))
	writeIn(t, dir, "record.json", record)
	env := []string{
		"PATH=" + filepath.Dir(javac) + string(filepath.ListSeparator) + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + dir,
		"VERIFIER=" + verifierURL, "ISSUER=" + issuerURL, "OPENER=" + endpoint.URL, "CODE=" + home.Code("location", "rightHolders"),
		"AUTHORITIES=authorities.pem",
	}
	var said []string
	for _, block := range blocks(t, "README.md", "sh") {
		shell := exec.Command("sh", "-e", "-c", block)
		shell.Dir, shell.Env = dir, env
		out, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v: %s", block, err, out)
		}
		said = append(said, string(out))
	}
	all := strings.Join(said, "")
	for _, want := range []string{"valid: 核验通过,现行有效", "location: ", "issued ", "spouse1Name: "} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing says %q:\n%s", want, all)
		}
	}
	if b := mustRead(t, filepath.Join(dir, "receipt.json")); !json.Valid(b) {
		t.Errorf("the receipt is %q", b)
	}
}

// The receiver in the examples acts on the messages of the issuer, once each, and on nothing else.
func TestReceiver(t *testing.T) {
	t.Parallel()
	s := httpapitest.New(t)
	secret := webhook.Secret{7}
	endpoint := httptest.NewServer(opener.New(opener.Config{
		View: func() verify.View { return s.Index }, Secrets: []webhook.Secret{secret}, Token: opener.TokenOf(openerToken),
		Now: s.Clock.Now, Observe: func(*rest.Call) {},
	}))
	t.Cleanup(endpoint.Close)
	java, err := tool("java")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(java, "-cp", compiled(t), "Receiver", "0")
	command.Env = append(os.Environ(), "SERVICE_URL="+endpoint.URL, "TOKEN_FILE="+write(t, "token", []byte(openerToken)))
	told := &lines{}
	command.Stdout = told
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	url := strings.TrimPrefix(told.await(t, 1)[0], "receiving at ")

	event := webhook.Event{Type: "licence.news", At: s.Clock.Now(), Department: "civil-affairs"}
	body, err := event.JSON()
	if err != nil {
		t.Fatal(err)
	}
	send := func(secret webhook.Secret, id webhook.ID, body []byte) int {
		r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		webhook.Sign(r.Header, []webhook.Secret{secret}, id, s.Clock.Now(), body)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	for _, c := range []struct {
		secret webhook.Secret
		id     webhook.ID
		body   []byte
		status int
	}{
		{secret, webhook.ID{1}, body, 204},
		{secret, webhook.ID{1}, body, 204}, // again
		{webhook.Secret{8}, webhook.ID{2}, body, 400},
		{secret, webhook.ID{3}, make([]byte, 17<<10), 413},
		{secret, webhook.ID{4}, body, 204},
	} {
		if status := send(c.secret, c.id, c.body); status != c.status {
			t.Errorf("message %x: %d, want %d", c.id[0], status, c.status)
		}
	}
	if got := told.await(t, 3); len(got) != 3 {
		t.Errorf("%q", got)
	}
	endpoint.Close()
	if status := send(secret, webhook.ID{5}, body); status != 503 {
		t.Errorf("without the opener: %d", status)
	}
}
