package httpapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/issuer/releasetest"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/rest/resttest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Both guides show the same commands.
func TestGuidesShowTheSame(t *testing.T) {
	en, zh := resttest.Commands(t, "../../../docs/ISSUER-API.md"), resttest.Commands(t, "../../../docs/ISSUER-API.zh-CN.md")
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
	dir string
	env map[string]string
}

// Every command of the guide does what it is there for, and every endpoint has one.
func TestGuideWorks(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("this test needs curl, version 7.82 or later")
	}
	g := newGuide(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.API.Run(ctx, func(err error) { t.Errorf("work: %v", err) })
	}()
	for _, command := range resttest.Commands(t, "../../../docs/ISSUER-API.md") {
		g.run(command)
	}
	cancel()
	<-done
	var routes []string
	for _, r := range httpapi.Routes() {
		for method := range r.Methods {
			routes = append(routes, method+" "+r.Path)
		}
	}
	resttest.AllCalled(t, routes, func() (called []string) {
		for _, c := range g.Calls() {
			called = append(called, c.Method+" "+c.Route)
		}
		return called
	})
}

func newGuide(t *testing.T) *guide {
	t.Helper()
	s := httpapitest.New(t, "marriage")
	s.Clock.Advance(time.Since(s.Clock.Now())) // curl forgets a cookie whose time is over
	reload(t, s, strings.Replace(s.StaffFile(), "name: 李雷", "name: lilei", 1))
	g := &guide{Server: s, dir: t.TempDir()}
	asked := g.asked(s.Offer(), "J990101-2026-000001")
	for n, name := range []string{"application", "second", "third", "fourth"} {
		f := s.Fields(n)
		f[s.Type.NumberField().Key] = fmt.Sprintf("J990101-2026-%06d", n+1)
		g.write(name+".json", encode(t, members{"type": "marriage", "fields": f, "purpose": "办件 2026-0001"}))
	}
	g.write("1998.csv", table(t, s, 100, 5))
	g.write("licence.pdf", plainPDF())
	key, err := sm.GenerateKey(rand.Reader)
	s.Must(err)
	g.write("holder.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key.Public().SPKI()}))
	server := httptest.NewTLSServer(s.API)
	t.Cleanup(server.Close)
	g.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	g.write(".curlrc", []byte("silent\nshow-error\nfail-with-body\n"))
	g.env = map[string]string{
		"HOME": g.dir, "CURL_HOME": g.dir, "CURL_CA_BUNDLE": filepath.Join(g.dir, "ca.pem"), "PATH": os.Getenv("PATH"), "LC_ALL": "C.UTF-8", "NO_PROXY": "*",
		"ISSUER": server.URL, "TOKEN": s.Token, "PASSWORD": httpapitest.Password, "NEXT_YEAR": rest.RFC3339(s.Clock.Now().Add(365 * 24 * time.Hour)), "REQUEST": asked.String(),
	}
	return g
}

// asked writes a request of another department for the licence with a number, and returns its digest.
func (g *guide) asked(o *releasetest.Office, number string) sm.Hash {
	g.Helper()
	subject := &grant.Subject{Key: g.Type.NumberField().Key, Value: number}
	r := o.Request(sm.Hash{}, func(r *statement.Request) { r.Licence, r.Subject = nil, new(subject.Commitment()) })
	sealed, err := envelope.Seal(g.Department.Consent.Public(), envelope.Subject, subject.Bytes())
	g.Must(err)
	g.write("request.json", encode(g, members{"request": r.Signed, "subject": sealed}))
	return r.Digest
}

// table is n records as CSV.
func table(t *testing.T, s *httpapitest.Server, from, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	var head []string
	for _, f := range s.Type.Fields {
		head = append(head, f.Key)
	}
	s.Must(w.Write(head))
	for i := range n {
		row := make([]string, len(head))
		for k, key := range head {
			if v := s.Fields(from + i)[key]; v != nil {
				row[k] = fmt.Sprint(v)
			}
		}
		s.Must(w.Write(row))
	}
	w.Flush()
	return out.Bytes()
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// licence is the id of the licence that the guide has issued.
func (g *guide) licence() (id int64) {
	g.Helper()
	_, err := fmt.Sscan(g.env["LICENCE"], &id)
	g.Must(err)
	return id
}

func (g *guide) write(name string, b []byte) {
	g.Helper()
	g.Must(os.WriteFile(filepath.Join(g.dir, name), b, 0o600))
}

var refusalPromise = regexp.MustCompile(`  # (\d{3}) ([a-z-]+)$`)

// run runs a command, and then takes out of its answer what the next ones need.
func (g *guide) run(command string) {
	g.Helper()
	text, _, _ := strings.Cut(command, "  # ")
	if strings.Contains(text, "/v1/objections?") {
		g.env["OBJECTION"] = object(g, g.Server, g.licence(), "核验结论有误")
	}
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
			g.Errorf("%s\n%v: %s%s", command, err, &out, &problems)
		}
		return
	}
	if err != nil {
		g.Fatalf("%s\n%v: %s%s", command, err, &out, &problems)
	}
	for file, names := range map[string]map[string]string{
		"grant.json": {"GRANT": "grant"}, "issued.json": {"LICENCE": "licence.id"}, "draft.json": {"DRAFT": "id"}, "job.json": {"JOB": "id"}, "binding.json": {"BINDING": "binding.id"}, "proposal.json": {"PROPOSAL": "id"},
	} {
		if !strings.HasSuffix(command, "> "+file) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(g.dir, file))
		g.Must(err)
		for name, member := range names {
			a := resttest.Answer{Body: b}
			if g.env[name] = a.Text(member); g.env[name] == "" {
				g.env[name] = fmt.Sprint(a.Number(member))
			}
		}
	}
	if strings.HasSuffix(command, "> job.json") {
		for range 12000 { // a minute at least
			if a := g.System().Get("/v1/jobs/" + g.env["JOB"]); a.Text("state") == "done" {
				if a.Number("accepted") != 5 {
					g.Errorf("%s", a.Body)
				}
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		g.Fatal("the job does not end")
	}
}
