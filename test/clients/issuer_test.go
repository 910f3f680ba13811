package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/opener"
	"github.com/credledger/credledger/verifier/verify"
)

// An office is an issuing department's service over HTTPS, and the Java client that calls it.
type office struct {
	*driver
	server           *httpapitest.Server
	url, authorities string
}

func newOffice(t *testing.T, typ string) *office {
	s := httpapitest.New(t, typ)
	url, authorities := listen(t, s.API)
	return &office{newDriver(t), s, url, authorities}
}

// as adds to a question where the service is, and whose token to call with.
func (o *office) as(q members) members {
	q["url"], q["authorities"] = o.url, o.authorities
	if q["token"] == nil {
		q["token"] = o.server.Token
	}
	return q
}

// record asks about record n.
func (o *office) record(n int, more members) members {
	q := members{"type": o.server.Type.ID, "fields": o.server.Fields(n), "purpose": "2026-000042"}
	for name, value := range more {
		q[name] = value
	}
	return o.as(q)
}

// An issued licence is one as the client tells it.
type issued struct {
	ID                 int64
	Digest             string
	Credential, Sealed []byte
	Earlier            bool
}

func TestIssue(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "marriage")
	first := want[issued](o.driver, "issue", o.record(1, members{"key": "case-0001"}))
	if first.ID < 1 || len(first.Digest) != 64 || first.Credential == nil || first.Sealed != nil || first.Earlier {
		t.Errorf("%+v", first)
	}
	again := want[issued](o.driver, "issue", o.record(1, members{"key": "case-0001"}))
	if !again.Earlier || again.ID != first.ID || !bytes.Equal(again.Credential, first.Credential) {
		t.Errorf("%+v", again)
	}
	o.refused("idempotency-reused", "issue", o.record(2, members{"key": "case-0001"}))
	taken := o.refused("record-refused", "issue", o.record(1, members{"key": "case-0002"}))
	if len(taken.Problems) != 1 || taken.Problems[0].Code != "licence-active" {
		t.Errorf("%+v", taken)
	}
	wrong := o.record(3, members{"key": "case-0003"})
	wrong["fields"].(map[string]any)["spouse1Id"] = "990101196811176430"
	if refused := o.refused("record-refused", "issue", wrong); len(refused.Problems) != 1 || refused.Problems[0].Field != "spouse1Id" ||
		strings.Contains(fmt.Sprint(refused), "990101196811176430") {
		t.Errorf("%+v", refused)
	}
	problems := want[struct{ Problems []struct{ Code string } }](o.driver, "preview", wrong).Problems
	if len(problems) != 1 || problems[0].Code != "bad-value" {
		t.Errorf("%+v", problems)
	}
	key := statementtest.Key("recipient").Public()
	if none := want[struct{ Problems []any }](o.driver, "preview", o.record(3, members{"recipient": key.PEM()})).Problems; len(none) != 0 {
		t.Errorf("%v", none)
	}
	o.refused("unauthenticated", "issue", o.record(3, members{"key": "case-0003", "token": "credledger_nobody"}))
	o.failed("IllegalArgumentException", "issue", o.record(3, members{"key": "case-0003", "recipient": []byte("no key")}))
}

// What is issued to a recipient's key is read by nobody on the way, and opened at the other end.
func TestIssueSealed(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "marriage")
	key := statementtest.Key("recipient")
	l := want[issued](o.driver, "issue", o.record(1, members{"key": "case-0001", "recipient": key.Public().PEM()}))
	if l.Credential != nil || l.Sealed == nil {
		t.Fatalf("%+v", l)
	}
	view := follow(t, o.server)
	endpoint := httptest.NewServer(opener.New(opener.Config{
		View: func() verify.View { return view }, Keys: []envelope.Decrypter{key}, Token: opener.TokenOf(openerToken),
		Now: o.server.Clock.Now, Observe: func(*rest.Call) {},
	}))
	t.Cleanup(endpoint.Close)
	opened := want[opening](o.driver, "open", members{"url": endpoint.URL, "token": openerToken, "sealed": l.Sealed})
	if v := opened.Verdict; v.Digest != l.Digest || v.Fields["spouse1Name"] == nil || v.Outcome == "invalid" {
		t.Errorf("%+v", v)
	}
}

// follow makes an index of the town's ledger that has what is there.
func follow(t *testing.T, s *httpapitest.Server) *index.Index {
	t.Helper()
	x, err := index.Open("")
	if err != nil {
		t.Fatal(err)
	}
	following, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = x.Follow(following, s.Ledger) }()
	t.Cleanup(func() { stop(); <-ended; _ = x.Close() })
	head, err := s.Ledger.Head(t.Context())
	if err == nil {
		err = x.WaitFor(t.Context(), head.Height)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A job is one as the client tells it.
type job struct {
	ID                 int64
	Done, Failed       bool
	Accepted, Rejected int64
}

func TestImport(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "marriage")
	working, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); o.server.API.Run(working, func(error) {}) }()
	t.Cleanup(func() { stop(); <-ended })

	var file bytes.Buffer
	for n := range 40 {
		fields := o.server.Fields(n + 1)
		if n == 7 {
			fields["spouse1Id"] = "1"
		}
		b, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		file.Write(append(b, '\n'))
	}
	path := write(t, "licences.jsonl", file.Bytes())
	run := func(dryRun bool, key string) job {
		q := members{"type": "marriage", "file": path, "media": "application/jsonl", "dryRun": dryRun, "key": key}
		j := want[job](o.driver, "begin", o.as(q))
		again := want[job](o.driver, "begin", o.as(q))
		if again.ID != j.ID {
			t.Errorf("the same import is job %d and %d", j.ID, again.ID)
		}
		for deadline := time.Now().Add(time.Minute); !j.Done; time.Sleep(20 * time.Millisecond) {
			if j = want[job](o.driver, "job", o.as(members{"job": j.ID})); j.Failed || time.Now().After(deadline) {
				t.Fatalf("%+v", j)
			}
		}
		if j.Accepted != 39 || j.Rejected != 1 {
			t.Errorf("%+v", j)
		}
		return j
	}
	run(true, "import-dry")
	j := run(false, "import-real")
	rejects, credentials := filepath.Join(t.TempDir(), "rejects.csv"), filepath.Join(t.TempDir(), "credentials")
	want[struct{}](o.driver, "saveRejects", o.as(members{"job": j.ID, "file": rejects}))
	want[struct{}](o.driver, "saveCredentials", o.as(members{"job": j.ID, "file": credentials}))
	if b := mustRead(t, rejects); bytes.Count(b, []byte("\n")) != 2 || !bytes.Contains(b, []byte("spouse1Id")) {
		t.Errorf("%s", b)
	}
	if b := mustRead(t, credentials); len(b) < 39*500 {
		t.Errorf("%d bytes of credentials", len(b))
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(credentials), "*.part")); err != nil || len(left) > 0 {
		t.Errorf("%v is left over", left)
	}
	o.failed("NoSuchFileException", "begin", o.as(members{"type": "marriage", "file": "none.jsonl", "media": "application/jsonl", "key": "import-none"}))
	o.refused("not-in-vault", "saveCredentials", o.as(members{"job": 4711, "file": credentials}))
	if b := mustRead(t, credentials); len(b) < 39*500 {
		t.Error("what was saved before is gone")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "property")
	l := want[issued](o.driver, "issue", o.record(1, members{"key": "case-0001"}))
	set := func(to, reason string) bool {
		return want[struct{ Done bool }](o.driver, "status", o.as(members{"licence": l.ID, "to": to, "reason": reason, "purpose": "2026-000043"})).Done
	}
	state := func() string {
		return want[struct{ Licence struct{ State string } }](o.driver, "licence", o.as(members{"licence": l.ID})).Licence.State
	}
	for _, change := range []struct {
		to, reason string
		done       bool
		state      string
	}{
		{"suspended", "court", true, "suspended"},
		{"suspended", "court", true, "suspended"}, // again is no error
		{"active", "cleared", true, "active"},
		{"revoked", "error", true, "revoked"},
		{"active", "reversed", false, "revoked"}, // waits for a second person
	} {
		if done := set(change.to, change.reason); done != change.done || state() != change.state {
			t.Errorf("%s: %v, and then it is %s", change.to, done, state())
		}
	}
	o.refused("reason-unknown", "status", o.as(members{"licence": l.ID, "to": "revoked", "reason": "none-such", "purpose": "x"}))
	o.refused("not-in-vault", "licence", o.as(members{"licence": 4711}))
}
