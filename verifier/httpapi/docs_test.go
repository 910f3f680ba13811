package httpapi_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/httpapi"
	"github.com/credledger/credledger/verifier/httpapi/httpapitest"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// Both guides show the same commands.
func TestGuidesShowTheSame(t *testing.T) {
	en, zh := resttest.Commands(t, "../../docs/API.md"), resttest.Commands(t, "../../docs/API.zh-CN.md")
	if !slices.Equal(en, zh) {
		t.Errorf("the commands differ:\n%s\n\n%s", strings.Join(en, "\n"), strings.Join(zh, "\n"))
	}
	if len(en) < 30 {
		t.Fatalf("only %d commands are found", len(en))
	}
}

// A guide is a shell in which the commands of the guide are run.
type guide struct {
	*httpapitest.Server
	sale
	tb  testing.TB
	dir string
	env map[string]string
}

// Every command of the guide does what it is there for, and every endpoint has one.
func TestGuideWorks(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("this test needs curl, version 7.82 or later")
	}
	g := newGuide(t)
	for _, command := range resttest.Commands(t, "../../docs/API.md") {
		g.run(command)
	}
	resttest.AllCalled(t, slices.Collect(maps.Keys(httpapi.ClosedToPublic())), func() (called []string) {
		for _, c := range g.Calls() {
			called = append(called, c.Method+" "+c.Route)
		}
		return called
	})
	for _, c := range g.Calls() {
		if c.Status >= 400 && c.Problem != "over-asking" {
			t.Errorf("%s %s: %d %s", c.Method, c.Route, c.Status, c.Problem)
		}
	}
}

func newGuide(t *testing.T) *guide {
	t.Helper()
	city := verifiertest.NewAt(t, time.Now()) // curl forgets a cookie whose time is over
	g := &guide{Server: httpapitest.NewOn(t, city), tb: t, dir: t.TempDir()}
	g.sale = newSale(g.Server)
	g.MakeSnapshot()
	g.Asked.Hold(g.couple)
	scan := []byte("%PDF-1.7 the scanned certificate")
	doc := g.Document("property", 1, nil)
	doc.SetDocuments(sm.Sum(scan))
	licenced := g.IssueDocuments(doc)[0]
	code := g.home.Code("rightHolders", "location", "rightHolderIds")
	g.write("scan.pdf", scan)
	g.write("licence.cred", licenced.Show("location", licence.DocumentsKey).Bytes())
	g.write("code.png", picture(t, code))
	g.write("home.cred", g.showHome().Bytes())
	g.write("marriage.cred", g.showCouple().Bytes())
	g.write("presentation.json", encode(t, members{"presentation": base64Of(g.home.Show("location").Bytes())}))

	server := httptest.NewTLSServer(g.API)
	t.Cleanup(server.Close)
	g.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	g.write(".curlrc", []byte("silent\nshow-error\nfail-with-body\n"))
	g.env = map[string]string{
		"HOME": g.dir, "CURL_HOME": g.dir, "CURL_CA_BUNDLE": filepath.Join(g.dir, "ca.pem"), "PATH": os.Getenv("PATH"), "LC_ALL": "C.UTF-8", "NO_PROXY": "*",
		"VERIFIER": server.URL, "CODE": code, "TOKEN": g.Tax, "ISSUER_TOKEN": g.Issuer, "PASSWORD": httpapitest.Password,
		"ROOT": g.home.Batch.Root().String(), "DIGEST": g.home.Digest.String(), "MARRIAGE": g.couple.Digest.String(),
		"REGISTRY_TOKEN": g.Asker, "NUMBER": valueOf(t, g.couple, g.couple.Type.NumberField().Key),
	}
	return g
}

// valueOf returns the value of a field of a licence.
func valueOf(tb testing.TB, l *verifiertest.Licence, key string) string {
	tb.Helper()
	for _, f := range l.Credential.Fields {
		if l.Type.Leaves()[f.Index] == key {
			return f.Value.String()
		}
	}
	tb.Fatalf("there is no field %s", key)
	return ""
}

func (g *guide) write(name string, b []byte) {
	g.tb.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), b, 0o600); err != nil {
		g.tb.Fatal(err)
	}
}

var refusalPromise = regexp.MustCompile(`  # (\d{3}) ([a-z-]+)$`)

// run runs a command, and then does what the guide leaves to others.
func (g *guide) run(command string) {
	g.tb.Helper()
	text, _, _ := strings.Cut(command, "  # ")
	shell := exec.Command("sh", "-c", text)
	shell.Dir = g.dir
	for name, value := range g.env {
		shell.Env = append(shell.Env, name+"="+value)
	}
	var out, problems bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &problems
	err := shell.Run()
	if promise := refusalPromise.FindStringSubmatch(command); promise != nil {
		if err == nil || !strings.Contains(out.String(), `"status":`+promise[1]) || !strings.Contains(out.String(), `"code":"`+promise[2]+`"`) {
			g.tb.Errorf("%s\n%v: %s%s", command, err, &out, &problems)
		}
		return
	}
	if err != nil || strings.Contains(out.String(), `"outcome":"invalid"`) || strings.Contains(out.String(), `"outcome":"undetermined"`) {
		g.tb.Errorf("%s\n%v: %s%s", command, err, &out, &problems)
	}
	g.follow(command)
}

// follow plays the holder's wallet, the anchoring of the log, and the reader of answers.
func (g *guide) follow(command string) {
	g.tb.Helper()
	read := func(file string, to any) {
		b, err := os.ReadFile(filepath.Join(g.dir, file))
		if err == nil {
			err = json.Unmarshal(b, to)
		}
		if err != nil {
			g.tb.Fatalf("%s: %v", file, err)
		}
	}
	switch {
	case strings.HasSuffix(command, "> answer.json"):
		var answer struct {
			Receipt struct {
				Proof    struct{ Index uint64 }
				Readable struct{ Leaf sm.Hash }
			}
		}
		read("answer.json", &answer)
		g.Anchor()
		g.env["INDEX"], g.env["LEAF"] = fmt.Sprint(answer.Receipt.Proof.Index), answer.Receipt.Readable.Leaf.String()
		g.env["SIZE"] = fmt.Sprint(g.Log.Size())
	case strings.HasSuffix(command, "> challenge.json"):
		var challenge struct{ Nonce, Audience string }
		read("challenge.json", &challenge)
		nonce, err := hex.DecodeString(challenge.Nonce)
		if err != nil {
			g.tb.Fatal(err)
		}
		prove := func(l *verifiertest.Licence) string { return base64Of(l.Prove(challenge.Audience, nonce).Bytes()) }
		g.write("proven.json", encode(g.tb, members{"credential": prove(g.home), "nonce": challenge.Nonce, "holderRequired": true}))
		g.write("proof.json", encode(g.tb, members{"credential": prove(g.couple), "nonce": challenge.Nonce}))
	case strings.HasSuffix(command, "> request.json"):
		var made struct{ Request, State string }
		read("request.json", &made)
		if made.State != "released" {
			g.tb.Errorf("%s: %s", command, made.State)
		}
		g.env["REQUEST"] = made.Request
	case strings.Contains(command, "> reference.json"):
		var reference struct{ URL string }
		read("reference.json", &reference)
		g.env["REFERENCE"] = reference.URL
	}
}
