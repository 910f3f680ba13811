package httpapi_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/httpapi"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
)

// file is a file of records in JSON Lines.
func file(tb testing.TB, s *httpapitest.Server, from, n int) []byte {
	tb.Helper()
	var out bytes.Buffer
	one, number := s.Record(from), []byte(s.Number(from))
	for i := range n {
		if n > 1000 { // quicker: the same people, married often
			out.Write(append(bytes.Replace(one, number, fmt.Appendf(nil, "J990101-%09d", from+i), 1), '\n'))
			continue
		}
		out.Write(append(s.Record(from+i), '\n'))
	}
	return out.Bytes()
}

// upload begins a job and returns its path.
func upload(tb testing.TB, by httpapitest.Client, key, query, media string, body []byte) string {
	tb.Helper()
	a := by.Key(key).With("Content-Type", media).Post("/v1/imports?"+query, body).Want(tb, http.StatusAccepted)
	if a.Text("state") != "waiting" || a.Header.Get("Location") != fmt.Sprint("/v1/jobs/", a.Number("id")) || a.Number("bytes") != int64(len(body)) {
		tb.Errorf("%v %s", a.Header, a.Body)
	}
	return a.Header.Get("Location")
}

func TestImport(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	s.Issue(3) // its number is taken
	bad := s.Fields(99)
	bad["spouse1Id"] = "123"
	line, err := json.Marshal(bad)
	s.Must(err)
	body := append(file(t, s, 0, 10), append(line, '\n')...)
	body = append(body, file(t, s, 10, 5)...)
	job := upload(t, s.System(), "import", "type=marriage", "application/jsonl", body)
	again := s.System().Key("import").With("Content-Type", "application/jsonl").Post("/v1/imports?type=marriage", body).Want(t, http.StatusAccepted)
	if again.Header.Get("Location") != job {
		t.Errorf("another job: %v", again.Header)
	}
	s.System().Key("import").With("Content-Type", "application/jsonl").Post("/v1/imports?type=marriage&dryRun=true", body).Problem(t, "idempotency-reused")
	s.System().Key("import").With("Content-Type", "application/jsonl").Post("/v1/imports?type=marriage", body[1:]).Problem(t, "idempotency-reused")
	s.System().Get(job+"/credentials").Problem(t, "job-not-done")
	if files := spool(t, s); len(files) != 1 || bytes.Contains(files[0], []byte("990101")) || bytes.Contains(files[0], body[:40]) {
		t.Errorf("%d files in the spool, or one can be read", len(files))
	}
	a := jobDone(t, s, s.System(), job)
	if a.Text("state") != "done" || a.Number("records") != 16 || a.Number("accepted") != 14 || a.Number("rejected") != 2 || a.Number("bytesRead") != int64(len(body)) || a.Get("problem") != nil {
		t.Errorf("%s", a.Body)
	}
	var rejects []map[string]any
	for line := range bytes.Lines(s.System().Get(job+"/rejects").Want(t, http.StatusOK).Body) {
		var r map[string]any
		s.Must(json.Unmarshal(line, &r))
		rejects = append(rejects, r)
	}
	if len(rejects) != 2 || rejects[0]["record"] != 4.0 || rejects[0]["code"] != "licence-active" || rejects[1]["record"] != 11.0 || rejects[1]["field"] != "spouse1Id" || rejects[1]["line"] != 11.0 {
		t.Errorf("%v", rejects)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(s.System().Get(job+"/rejects?format=csv").Want(t, http.StatusOK).Body), "\ufeff"))).ReadAll()
	s.Must(err)
	if len(rows) != 3 || rows[2][0] != "11" || rows[2][3] != "spouse1Id" {
		t.Errorf("%v", rows)
	}
	s.System().Get(job+"/rejects?format=xlsx").Problem(t, "parameter-invalid")

	rest := s.System().Get(job+"/credentials").Want(t, http.StatusOK).Body
	var numbers []string
	for len(rest) > 0 {
		p, n, err := credential.ParsePrefix(rest)
		s.Must(err)
		o, err := p.Open(s.Type)
		s.Must(err)
		number, _ := o.Value(s.Type.NumberField().Key)
		numbers = append(numbers, number.String())
		rest = rest[n:]
	}
	if len(numbers) != 14 || numbers[0] != s.Number(0) || numbers[3] != s.Number(4) || numbers[13] != s.Number(14) {
		t.Errorf("%v", numbers)
	}
	for name := range s.Spooled() {
		if strings.HasSuffix(name, ".sealed") {
			t.Errorf("%s is left", name)
		}
	}
	if desk := s.System().Get("/v1/desk"); desk.Number("issued.0.count") != 15 || desk.Number("rejected") != 2 || len(desk.Get("jobs").([]any)) != 1 {
		t.Errorf("%s", desk.Body)
	}
	for _, name := range []string{httpapitest.Viewer, httpapitest.Stranger} {
		other := s.SignIn(name)
		for _, more := range []string{"", "/rejects", "/credentials"} {
			other.Get(job+more).Problem(t, "not-in-vault")
		}
		if a := other.Get("/v1/jobs").Want(t, http.StatusOK); len(a.Get("jobs").([]any)) != 0 {
			t.Errorf("%s sees %s", name, a.Body)
		}
	}
}

// spool returns the contents of the files in the spool.
func spool(tb testing.TB, s *httpapitest.Server) (out [][]byte) {
	tb.Helper()
	for name := range s.Spooled() {
		b, err := os.ReadFile(filepath.Join(s.Spool, name))
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// A dry run says the same as the run, and issues nothing.
func TestDryRun(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	s.Issue(3)
	body := append(file(t, s, 0, 5), file(t, s, 0, 1)...)
	a := jobDone(t, s, s.System(), upload(t, s.System(), "dry", "type=marriage&dryRun=true", "application/jsonl", body))
	if a.Get("dryRun") != true || a.Text("state") != "done" || a.Number("accepted") != 4 || a.Number("rejected") != 2 {
		t.Errorf("%s", a.Body)
	}
	s.System().Get(fmt.Sprintf("/v1/jobs/%d/credentials", a.Number("id"))).Problem(t, "job-not-done")
	if desk := s.System().Get("/v1/desk"); desk.Number("issued.0.count") != 1 || desk.Number("rejected") != 0 {
		t.Errorf("a dry run issues: %s", desk.Body)
	}
	a = jobDone(t, s, s.System(), upload(t, s.System(), "wet", "type=marriage", "application/jsonl", body))
	if a.Number("accepted") != 4 || a.Number("rejected") != 2 {
		t.Errorf("%s", a.Body)
	}
}

func TestImportFormats(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	one := s.Fields(1)
	var head, cells []string
	var xml strings.Builder
	for key, v := range one {
		head, cells = append(head, key), append(cells, fmt.Sprint(v))
		fmt.Fprintf(&xml, "<%s>%v</%s>", key, v, key)
	}
	object, err := json.Marshal(one)
	s.Must(err)
	for name, c := range map[string]struct {
		media string
		body  string
		state string
	}{
		"CSV":          {"text/csv; charset=utf-8", strings.Join(head, ",") + "\r\n" + strings.Join(cells, ",") + "\r\n", "done"},
		"JSON array":   {"application/json", "[" + string(object) + "]", "done"},
		"XML":          {"application/xml", "<licences><licence>" + xml.String() + "</licence></licences>", "done"},
		"XML bomb":     {"application/xml", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><licences><licence>&b;</licence></licences>`, "failed"},
		"outside file": {"application/xml", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><licences><licence>&a;</licence></licences>`, "failed"},
		"not a file":   {"text/csv", "\x89PNG\r\n\x1a\n\x00", "failed"},
		"cut off":      {"text/csv", "[" + string(object)[:40], "failed"},
		"columns":      {"text/csv", "a,b\r\n1,2\r\n", "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := jobDone(t, s, s.System(), upload(t, s.System(), "f-"+strings.ReplaceAll(name, " ", "-"), "type=marriage&dryRun=true", c.media, []byte(c.body)))
			if a.Text("state") != c.state || c.state == "done" && a.Number("accepted") != 1 || c.state == "failed" && (a.Text("problem.code") != "input-malformed" || a.Text("problem.text.zh") == "") {
				t.Errorf("%s", a.Body)
			}
			if strings.Contains(string(a.Body), s.Dir) || strings.Contains(string(a.Body), "aaaa") || strings.Contains(string(a.Body), "root:") {
				t.Errorf("it says too much: %s", a.Body)
			}
		})
	}
	for _, media := range []string{"text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/csv; charset=gbk"} {
		s.System().Key("media").With("Content-Type", media).Post("/v1/imports?type=marriage", "x").Problem(t, "media-type-unsupported")
	}
	s.System().Key("empty").With("Content-Type", "text/csv").Post("/v1/imports?type=marriage", "").Problem(t, "body-malformed")
	s.System().Key("query").With("Content-Type", "text/csv").Post("/v1/imports", "x").Problem(t, "parameter-invalid")
	s.System().Key("query").With("Content-Type", "text/csv").Post("/v1/imports?type=marriage&dryRun=yes", "x").Problem(t, "parameter-invalid")
	s.System().Key("query").With("Content-Type", "text/csv").Post("/v1/imports?type=marriage&type=divorce", "x").Problem(t, "parameter-invalid")
	s.System().Key("query").With("Content-Type", "text/csv").Post("/v1/imports?type=divorce", "x").Problem(t, "type-unknown")
	s.System().Key("query").With("Content-Type", "text/csv").Post("/v1/imports?type=../etc", "x").Problem(t, "parameter-invalid")
}

// A name of a field that is a formula is none in the list of rejects.
func TestRejectsAreInert(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	f := s.Fields(1)
	f[`=cmd|'/C calc'!A0`] = "x"
	line, err := json.Marshal(f)
	s.Must(err)
	job := upload(t, s.System(), "formula", "type=marriage&dryRun=true", "application/jsonl", line)
	if a := jobDone(t, s, s.System(), job); a.Number("rejected") != 1 {
		t.Fatalf("%s", a.Body)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(s.System().Get(job+"/rejects?format=csv").Body), "\ufeff"))).ReadAll()
	s.Must(err)
	if rows[1][3] != `'=cmd|'/C calc'!A0` {
		t.Errorf("%v", rows)
	}
}

func TestUploadBounds(t *testing.T) {
	s := httpapitest.New(t, "marriage", func(c *httpapi.Config) { c.MaxImport = 1 << 20 })
	p := s.System().Key("large").With("Content-Type", "text/csv").Post("/v1/imports?type=marriage", bytes.Repeat([]byte("x"), 1<<20+1)).Problem(t, "body-too-large")
	if p.Header.Get("Connection") != "close" {
		t.Errorf("%v", p.Header)
	}
	if n := len(s.Spooled()); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// Interrupted at any record, a job goes on in the next process, and nothing is issued twice.
func TestJobGoesOn(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	const records = 6000
	body := file(t, s, 0, records)
	job := upload(t, s.System(), "long", "type=marriage", "application/jsonl", body)
	interrupted := 0
	for limit := 50 * time.Millisecond; interrupted < 50; limit = limit * 5 / 4 { // too short for all of it at first
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.API.Run(ctx, func(err error) { t.Logf("work: %v", err) })
		}()
		for ctx.Err() == nil && s.System().Get(job).Text("state") != "done" {
			time.Sleep(time.Millisecond)
		}
		cancel()
		<-done
		s.Rewire()
		if s.System().Get(job).Text("state") == "done" {
			break
		}
		interrupted++
	}
	a := s.System().Get(job)
	if a.Text("state") != "done" || a.Number("accepted") != records || a.Number("rejected") != 0 || interrupted == 0 {
		t.Errorf("interrupted %d times: %s", interrupted, a.Body)
	}
	if desk := s.System().Get("/v1/desk"); desk.Number("issued.0.count") != records {
		t.Errorf("%s", desk.Body)
	}
}

// What was altered on the disk is not issued from.
func TestAlteredUpload(t *testing.T) {
	for name, alter := range map[string]func([]byte) []byte{
		"a bit":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off": func(b []byte) []byte { return b[:64<<10+16] },
		"longer":  func(b []byte) []byte { return append(b, b...) },
		"empty":   func([]byte) []byte { return nil },
		"gone":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := httpapitest.New(t, "marriage")
			job := upload(t, s.System(), "file", "type=marriage&dryRun=true", "application/jsonl", file(t, s, 0, 400))
			for file := range s.Spooled() {
				path := filepath.Join(s.Spool, file)
				if alter == nil {
					s.Must(os.Remove(path))
					continue
				}
				b, err := os.ReadFile(path)
				s.Must(err)
				s.Must(os.WriteFile(path, alter(b), 0o600))
			}
			if a := jobDone(t, s, s.System(), job); a.Text("state") != "failed" || a.Text("problem.code") != "input-malformed" {
				t.Errorf("%s", a.Body)
			}
		})
	}
}

// Two services that share a vault do their own jobs, and leave each other's alone.
func TestTwoSpools(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	body := append(file(t, s, 0, 3), file(t, s, 0, 1)...)
	job := upload(t, s.System(), "here", "type=marriage", "application/jsonl", body)
	here, elsewhere := s.Spool, t.TempDir()
	s.Rewire(func(c *httpapi.Config) { c.Spool = elsewhere })
	other := upload(t, s.System(), "there", "type=marriage&dryRun=true", "application/jsonl", file(t, s, 5, 1))
	jobDone(t, s, s.System(), other)
	if a := s.System().Get(job); a.Text("state") != "waiting" || a.Number("records") != 0 {
		t.Errorf("%s", a.Body)
	}
	s.System().Get(job+"/rejects").Problem(t, "job-elsewhere")
	s.Rewire(func(c *httpapi.Config) { c.Spool = here })
	if a := jobDone(t, s, s.System(), job); a.Number("accepted") != 3 || a.Number("rejected") != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := s.System().Get(job+"/rejects").Want(t, http.StatusOK); len(a.Body) == 0 {
		t.Error("no rejects")
	}
	s.Must(os.WriteFile(filepath.Join(elsewhere, "id"), []byte("cut"), 0o600))
	damaged := s.Wiring()
	damaged.Spool = elsewhere
	if _, err := httpapi.New(damaged); err == nil {
		t.Error("a spool with a damaged id is taken")
	}
}

// A single licence can be left to a job.
func TestRespondAsync(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	async := s.System().Key("async").With("Prefer", "wait=5, respond-async")
	body := members{"type": "marriage", "fields": s.Fields(1)}
	job := async.Post("/v1/licences", body).Want(t, http.StatusAccepted)
	if again := async.Post("/v1/licences", body).Want(t, http.StatusAccepted); again.Number("id") != job.Number("id") {
		t.Errorf("%s", again.Body)
	}
	s.System().Key("async").Post("/v1/licences", body).Problem(t, "idempotency-reused")
	if a := jobDone(t, s, s.System(), job.Header.Get("Location")); a.Number("accepted") != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := s.System().Get(job.Header.Get("Location")+"/credentials").Want(t, http.StatusOK); len(a.Body) == 0 {
		t.Error("no credential")
	}
	found := s.System().Post("/v1/licences/search", members{"type": "marriage", "number": s.Number(1), "purpose": "a"}).Want(t, http.StatusOK)
	if found.Text("licences.0.licence.state") != "active" {
		t.Errorf("%s", found.Body)
	}
	wrong := s.Fields(2)
	delete(wrong, "spouse1Name")
	job = s.System().Key("wrong").With("Prefer", "respond-async").Post("/v1/licences", members{"type": "marriage", "fields": wrong}).Want(t, http.StatusAccepted)
	if a := jobDone(t, s, s.System(), job.Header.Get("Location")); a.Number("rejected") != 1 {
		t.Errorf("%s", a.Body)
	}
	old := found.Number("licences.0.licence.id")
	job = s.System().Key("next").With("Prefer", "respond-async").Post("/v1/licences", members{"type": "marriage", "fields": s.Fields(1), "predecessor": old}).Want(t, http.StatusAccepted)
	if a := jobDone(t, s, s.System(), job.Header.Get("Location")); a.Number("accepted") != 1 {
		t.Errorf("%s", a.Body)
	}
}
