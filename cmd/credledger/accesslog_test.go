package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
)

// openAccessLog opens the access log of the home in this process.
func (p *process) openAccessLog() *accesslog.Log {
	p.t.Helper()
	files, err := accesslog.OpenFiles(accessLogDir(p.home))
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := readPrivateKey(filepath.Join(p.home, "keys", files.Identity().Department, "service.pem"))
	if err != nil {
		p.t.Fatal(err)
	}
	l, err := accesslog.Open(accessLogDir(p.home), key, time.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	return l
}

// record records verifications.
func (p *process) record(l *accesslog.Log, n int) {
	p.t.Helper()
	for range n {
		_, err := l.Append(p.t.Context(), &accesslog.Draft{
			Entry:  access.Entry{Time: uint64(time.Now().Unix()), Agency: "housing-bureau", Clerk: "王芳", Outcome: "valid", Day: 20764},
			Issuer: "civil-affairs", Digest: sm.Sum([]byte("digest")), Presentation: sm.Sum([]byte("shown")),
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// anchor brings a checkpoint of a log to the ledger of the home.
func (p *process) anchor(l *accesslog.Log) {
	p.t.Helper()
	store, err := embedded.Open(filepath.Join(p.home, "ledger"))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := accesslog.NewAnchorer(l, store.As(l.Identity().Department)).Anchor(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// An accessLogReport is what access-log verify answers with.
type accessLogReport struct {
	Log, Department, Head string
	Entries, Anchored     uint64
	Checkpoints, Unseen   int
	Behind                uint64
	Findings              []struct{ Code string }
	Clean                 bool
}

func (p *process) auditLog(want int, args ...string) (r accessLogReport) {
	p.t.Helper()
	out, _ := p.run(want, append([]string{"access-log", "verify", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func TestAccessLogVerify(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	if r := p.auditLog(exitDone); !r.Clean || r.Entries != 0 || r.Checkpoints != 0 || r.Log != "verifier-1" || r.Department != "data-bureau" {
		t.Errorf("the report of a new log is %+v", r)
	}
	l := p.openAccessLog()
	p.record(l, 7)
	p.anchor(l)
	p.record(l, 2)
	r := p.auditLog(exitDone) // while it is open
	if !r.Clean || r.Entries != 9 || r.Checkpoints != 1 || r.Anchored != 7 || r.Behind != 0 {
		t.Errorf("the report is %+v", r)
	}
	out, _ := p.run(exitDone, "access-log", "verify", "--expect", r.Head, "--lang", "zh")
	if !strings.Contains(out, "9 条记录") || !strings.Contains(out, "未发现任何问题") {
		t.Errorf("in Chinese: %s", out)
	}
	out, _ = p.run(exitDone, "access-log", "verify", accessLogDir(p.home))
	if !strings.Contains(out, "9 entries, 1 checkpoints") || !strings.Contains(out, "nothing is wrong") {
		t.Errorf("in English: %s", out)
	}

	p.run(exitDone, "access-log", "export", "log.jsonl")
	if got := p.auditLog(exitDone, "log.jsonl"); got.Head != r.Head || !got.Clean {
		t.Errorf("the report of the export is %+v, want %+v", got, r)
	}
	p.record(l, 3)
	p.anchor(l)
	closeLog(t, l)
	if got := p.auditLog(exitUndetermined, "log.jsonl"); got.Behind != 3 || !got.Clean {
		t.Errorf("the report of an export that is older is %+v", got)
	}
	p.auditLog(exitDone, "--expect", r.Head)

	// An entry is changed, in the export and in the log itself.
	export, err := os.ReadFile(filepath.Join(p.dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(export, []byte("\n"))
	lines[2], lines[3] = lines[3], lines[2]
	p.write("changed.jsonl", bytes.Join(lines, nil))
	if got := p.auditLog(exitFailed, "changed.jsonl"); len(got.Findings) != 1 || got.Findings[0].Code != accesslog.CodeForked {
		t.Errorf("the report of entries that changed places is %+v", got)
	}
	segment := filepath.Join(accessLogDir(p.home), "0000000000.entries")
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 1
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ = p.run(exitFailed, "access-log", "verify")
	if !strings.Contains(out, "finding: log-damaged") || strings.Contains(out, "nothing is wrong") {
		t.Errorf("of a log with a damaged segment: %s", out)
	}
	_, problem := p.run(exitFailed, "access-log", "export", "damaged.jsonl", "--json")
	if !strings.Contains(problem, `"log-damaged"`) {
		t.Errorf("the export of a damaged log: %s", problem)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "damaged.jsonl")); !os.IsNotExist(err) {
		t.Errorf("an export that failed left a file: %v", err)
	}
}

func closeLog(t *testing.T, l *accesslog.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// recordFive records five verifications in the home's access log, and anchors it.
func (p *process) recordFive(t *testing.T) {
	t.Helper()
	l := p.openAccessLog()
	p.record(l, 5)
	p.anchor(l)
	closeLog(t, l)
}

func TestAccessLogCreate(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	_, problem := p.run(exitFailed, "access-log", "create", "--json")
	if !strings.Contains(problem, `"log-exists"`) {
		t.Errorf("a log that is there already: %s", problem)
	}
	p.recordFive(t)
	if err := os.Rename(accessLogDir(p.home), filepath.Join(p.dir, "lost")); err != nil {
		t.Fatal(err)
	}
	_, problem = p.run(exitFailed, "access-log", "verify", "--json")
	if !strings.Contains(problem, `"log-missing"`) {
		t.Errorf("a log that was lost: %s", problem)
	}
	// Under the same name the ledger knows better; under another one it goes on.
	p.run(exitDone, "access-log", "create")
	if r := p.auditLog(exitFailed); len(r.Findings) != 1 || r.Findings[0].Code != accesslog.CodeRolledBack {
		t.Errorf("the report of a log that began anew is %+v", r)
	}
	if err := os.RemoveAll(accessLogDir(p.home)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(p.home, verifierFile)
	b, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.ReplaceAll(b, []byte("verifier-1"), []byte("verifier-2")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := p.run(exitDone, "access-log", "create")
	if !strings.Contains(out, "verifier-2") {
		t.Errorf("created: %s", out)
	}
	p.recordFive(t)
	if r := p.auditLog(exitDone); !r.Clean || r.Anchored != 5 || r.Log != "verifier-2" {
		t.Errorf("the report of the new log is %+v", r)
	}
	if r := p.auditLog(exitDone, filepath.Join(p.dir, "lost")); !r.Clean || r.Log != "verifier-1" {
		t.Errorf("the report of the old log is %+v", r)
	}
}

func TestAccessLogCalledWrongly(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.run(exitDone, "init")
	for _, args := range [][]string{
		{"verify", "a", "b"}, {"verify", "--expect", "5"}, {"export"}, {"export", "a", "b"}, {"create", "x"},
	} {
		p.run(exitUsage, append([]string{"access-log"}, args...)...)
	}
	p.write("rubbish", []byte("rubbish\n"))
	for args, code := range map[string]string{
		"verify missing": accesslog.CodeMissing, "verify rubbish": accesslog.CodeExport,
		"export --log missing out": accesslog.CodeMissing, "export home": "output-not-a-file",
	} {
		_, problem := p.run(exitFailed, append(append([]string{"access-log"}, strings.Fields(args)...), "--json")...)
		if !strings.Contains(problem, `"`+code+`"`) {
			t.Errorf("%s: %s", args, problem)
		}
	}
}
