package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/color"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/httpapi/httpapitest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
)

func path(id int64, more string) string { return fmt.Sprintf("/v1/licences/%d%s", id, more) }

func TestSearch(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	first := s.Issue(1)
	s.Issue(2)
	viewer := s.SignIn(httpapitest.Viewer)
	search := func(body members) []any {
		t.Helper()
		a := viewer.Post("/v1/licences/search", body).Want(t, http.StatusOK)
		return a.Get("licences").([]any)
	}
	number, holder := s.Number(1), s.Fields(1)["spouse1Id"].(string)
	for name, body := range map[string]members{
		"number":            {"type": "marriage", "number": number, "purpose": "case 1"},
		"full-width number": {"type": "marriage", "number": " Ｊ" + number[1:], "purpose": "case 1"},
		"holder":            {"holder": holder, "purpose": "case 1"},
		"holder and type":   {"holder": holder, "type": "marriage", "purpose": "case 1"},
	} {
		found := search(body)
		if len(found) != 1 || int64(found[0].(members)["licence"].(members)["id"].(float64)) != first {
			t.Errorf("%s: %v", name, found)
			continue
		}
		text := fmt.Sprint(found)
		if strings.Contains(text, holder) || strings.Contains(text, s.Fields(1)["spouse1Name"].(string)) || !strings.Contains(text, number) {
			t.Errorf("%s is not masked: %s", name, text)
		}
	}
	for name, body := range map[string]members{
		"another number": {"type": "marriage", "number": "J990101-2006-999999", "purpose": "case 1"},
		"nobody":         {"holder": "990101200001010017", "purpose": "case 1"},
		"no such id":     {"holder": "x", "purpose": "case 1"},
		"SQL":            {"type": "marriage", "number": "' OR '1'='1", "purpose": "' OR 1=1; DROP TABLE vault_licence; --"},
		"more SQL":       {"holder": "%' UNION SELECT * FROM vault_key --", "purpose": "case 1"},
		"a wildcard":     {"type": "marriage", "number": "%", "purpose": "case 1"},
	} {
		if found := search(body); len(found) != 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	for name, body := range map[string]members{
		"no purpose": {"holder": holder}, "nothing": {"purpose": "a"}, "both": {"holder": holder, "number": number, "type": "marriage", "purpose": "a"},
		"a number of any type": {"number": number, "purpose": "a"}, "two lines": {"holder": holder, "purpose": "a\nb"}, "a long purpose": {"holder": holder, "purpose": strings.Repeat("x", 101)},
	} {
		if a := viewer.Post("/v1/licences/search", body).Problem(t, "member-invalid"); strings.Contains(string(a.Body), holder) {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	// Who has looked, and what for, stands in the history.
	events := s.System().Get(path(first, "/history")).Want(t, http.StatusOK)
	if text := string(events.Body); strings.Count(text, `"by":"sunmei","purpose":"search: case 1"`) != 4 || !strings.Contains(text, `"action":"issued"`) {
		t.Errorf("%s", text)
	}
}

// Many licences of one holder come a page at a time, newest first.
func TestSearchPages(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	holder := s.Fields(0)["spouse1Id"].(string)
	lines, err := samples.Files.ReadFile("marriage.jsonl")
	s.Must(err)
	period := bytes.Count(bytes.TrimSpace(lines), []byte("\n")) + 1 // after so many the same people marry again
	var want []int64
	for i := range 22 {
		want = append(want, s.Issue(i*period))
	}
	var got []int64
	body := members{"holder": holder, "purpose": "a"}
	for pages := 0; ; pages++ {
		a := s.System().Post("/v1/licences/search", body).Want(t, http.StatusOK)
		for _, l := range a.Get("licences").([]any) {
			got = append(got, int64(l.(members)["licence"].(members)["id"].(float64)))
		}
		if a.Get("next") == nil {
			break
		}
		body["before"] = a.Get("next")
		if pages > 3 {
			t.Fatal("it does not end")
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d of %d are found", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[len(want)-1-i] {
			t.Fatalf("got %v", got)
		}
	}
}

func TestOpen(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	clerk := s.SignIn(httpapitest.Clerk)
	a := clerk.Get(path(id, "")).Want(t, http.StatusOK)
	if a.Text("licence.state") != "active" || a.Text("licence.issuer") != s.Department.ID || strings.Contains(string(a.Body), s.Number(1)) {
		t.Errorf("%s", a.Body)
	}
	clerk.Post(path(id, "/open"), members{}).Problem(t, "member-invalid")
	opened := clerk.Post(path(id, "/open"), members{"purpose": "办件 2026-0001"}).Want(t, http.StatusOK)
	values := map[string]any{}
	for _, v := range opened.Get("fields").([]any) {
		values[v.(members)["key"].(string)] = v.(members)["value"]
	}
	for key, want := range s.Fields(1) {
		if values[key] != want {
			t.Errorf("%s: %v, want %v", key, values[key], want)
		}
	}
	events := clerk.Get(path(id, "/history")).Want(t, http.StatusOK).Get("events").([]any)
	if last := events[len(events)-1].(members); last["by"] != httpapitest.Clerk || last["purpose"] != "办件 2026-0001" || last["action"] != "opened" || last["text"].(members)["zh"] != "查看" {
		t.Errorf("%v", last)
	}
	for _, bad := range []string{"0", "-1", "1.0", "01", "9007199254740992", "x", "1%20OR%201=1", "1;DROP%20TABLE%20vault_licence"} {
		clerk.Get("/v1/licences/"+bad).Problem(t, "parameter-invalid")
	}
	clerk.Get(path(id+1, "")).Problem(t, "not-in-vault")
}

// A code for paper shows the fields that are named and no other, and the symbol that comes with it says the same.
func TestCode(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	a := s.System().Post(path(id, "/code"), members{"fields": []string{"spouse1Name", "registrationDate"}, "purpose": "print"}).Want(t, http.StatusOK)
	code := a.Text("code")
	if !strings.HasPrefix(code, "HTTPS://VERIFY.EXAMPLE.GOV.CN/#") {
		t.Errorf("%s", code)
	}
	p, err := credential.DecodeCode(code)
	s.Must(err)
	o, err := p.Open(s.Type)
	s.Must(err)
	if name, ok := o.Value("spouse1Name"); !ok || name.String() != s.Fields(1)["spouse1Name"] || len(o.Fields) != 2 {
		t.Errorf("%d fields", len(o.Fields))
	}
	if got := readSymbol(t, int(a.Number("symbol.size")), a.Text("symbol.path")); got != code {
		t.Errorf("the symbol says %q", got)
	}
	s.System().Post(path(id, "/code"), members{"fields": []string{"salary"}, "purpose": "print"}).Problem(t, "no-such-field")
	s.System().Post(path(id, "/code"), members{"fields": []string{"spouse1Name", "spouse1Name"}, "purpose": "print"}).Problem(t, "member-invalid")
}

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// readSymbol draws the path and reads what it says.
func readSymbol(t *testing.T, size int, path string) string {
	t.Helper()
	const scale = 4
	picture := newGray(size * scale)
	if run.ReplaceAllString(path, "") != "" {
		t.Fatalf("the path has other things in it: %.100s", path)
	}
	for _, m := range run.FindAllStringSubmatch(path, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[2] != n[3] {
			t.Fatalf("%s does not close", m[0])
		}
		for x := n[0] * scale; x < (n[0]+n[2])*scale; x++ {
			for y := n[1] * scale; y < (n[1]+1)*scale; y++ {
				picture.SetGray(x, y, color.Gray{})
			}
		}
	}
	return decode(t, picture)
}

func TestAttach(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	id := s.Issue(1)
	file := plainPDF()
	a := s.System().Post(path(id, "/attach"), members{"file": file, "purpose": "print"}).Want(t, http.StatusOK)
	attached := bytesOf(t, a, "file")
	if !bytes.HasPrefix(attached, file) || len(attached) <= len(file) || a.Text("format") != "pdf" || a.Text("name") != "licence.cred" || a.Number("signatures") != 0 {
		t.Errorf("%d of %d bytes, %s", len(attached), len(file), a.Text("name"))
	}
	again := s.System().Post(path(id, "/attach"), members{"file": attached, "purpose": "print"}).Want(t, http.StatusOK)
	if again.Get("name") != nil || !bytes.Equal(bytesOf(t, again, "file"), attached) {
		t.Error("the same credential is attached twice")
	}
	other := s.Issue(2)
	s.System().Post(path(other, "/attach"), members{"file": attached, "purpose": "print"}).Problem(t, "file-has-credential")
	s.System().Post(path(id, "/attach"), members{"file": []byte("GIF89a"), "purpose": "print"}).Problem(t, "file-unrecognised")
	s.System().Post(path(id, "/attach"), members{"file": []byte("%PDF-1.7\n"), "purpose": "print"}).Problem(t, "file-malformed")
}

func TestExport(t *testing.T) {
	s := httpapitest.New(t, "marriage")
	formula := s.Fields(1)
	formula["remarks"] = `=cmd|'/C calc'!A0`
	formula["spouse1Name"] = "+王小明"
	formula["registrationAuthority"] = "＝HYPERLINK(\"http://x\")"
	formula["spouse1Nationality"] = "-1+1"
	formula["spouse2Nationality"] = "@SUM(A1)"
	s.System().Key("formula").Post("/v1/licences", members{"type": "marriage", "fields": formula}).Want(t, http.StatusCreated)
	second := s.Issue(2)
	today := licence.DateOf(s.Clock.Now()).String()
	ask := members{"type": "marriage", "from": today, "until": today, "purpose": "inventory"}
	a := s.SignIn(httpapitest.Viewer).Post("/v1/licences/export", ask).Want(t, http.StatusOK)
	text, ok := strings.CutPrefix(string(a.Body), "\ufeff")
	if !ok || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("no byte order mark, or no attachment: %v", a.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	s.Must(err)
	if len(rows) != 3 || rows[1][0] != fmt.Sprint(second) || len(rows[0]) != 5+len(s.Type.Fields) {
		t.Fatalf("%v", rows)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@＝＋－＠|%\t\r", []rune(cell)[0]) {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	if strings.Contains(text, s.Fields(2)["spouse1Id"].(string)) || !strings.Contains(text, `'=cmd|`) || !strings.Contains(text, s.Number(2)) {
		t.Errorf("%s", text)
	}
	if events := s.System().Get(path(second, "/history")); !strings.Contains(string(events.Body), `"by":"sunmei","purpose":"list: inventory"`) {
		t.Errorf("%s", events.Body)
	}
	ask["until"] = "2000-01-01"
	if a := s.System().Post("/v1/licences/export", ask).Want(t, http.StatusOK); strings.Count(string(a.Body), "\n") != 1 {
		t.Errorf("%s", a.Body)
	}
	delete(ask, "until")
	s.System().Post("/v1/licences/export", ask).Problem(t, "member-invalid")
}

func TestDesk(t *testing.T) {
	s := httpapitest.New(t, "business")
	s.System().Key("one").Post("/v1/licences", members{"type": "business", "fields": sample(t, s, 1)}).Want(t, http.StatusCreated)
	end := (licence.DateOf(s.Clock.Now()) + 10).String()
	a := s.System().Key("term").Post("/v1/licences", members{"type": "business", "fields": sample(t, s, 2), "validUntil": end}).Want(t, http.StatusCreated)
	s.System().Post("/v1/drafts", members{"type": "business", "fields": sample(t, s, 3)}).Want(t, http.StatusCreated)
	desk := s.SignIn(httpapitest.Clerk).Get("/v1/desk").Want(t, http.StatusOK)
	if desk.Number("issued.0.count") != 2 || len(desk.Get("recent").([]any)) != 2 || desk.Number("expiring.0.id") != a.Number("licence.id") || len(desk.Get("expiring").([]any)) != 1 ||
		len(desk.Get("drafts").([]any)) != 1 || desk.Text("expiring.0.validUntil") != end {
		t.Errorf("%s", desk.Body)
	}
	for _, f := range []int{1, 2, 3} {
		for key, v := range sample(t, s, f) {
			if text := fmt.Sprint(v); len(text) > 8 && !strings.HasPrefix(key, "registration") && strings.Contains(string(desk.Body), text) {
				t.Errorf("the desk tells %s", key)
			}
		}
	}
	if other := s.SignIn(httpapitest.Stranger).Get("/v1/desk").Want(t, http.StatusOK); len(other.Get("issued").([]any))+len(other.Get("recent").([]any))+len(other.Get("expiring").([]any)) != 0 {
		t.Errorf("a stranger is told %s", other.Body)
	}
	s.Clock.Advance(24 * 3600 * 1e9)
	if next := s.System().Get("/v1/desk").Want(t, http.StatusOK); len(next.Get("recent").([]any)) != 0 {
		t.Errorf("of yesterday: %s", next.Body)
	}
}
