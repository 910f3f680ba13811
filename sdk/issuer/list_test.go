package issuer_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// listDesk is a desk that has issued licences, whose numbers it returns beside them.
func listDesk(t *testing.T, n int) (d *desk, licences []*credential.Opened, numbers []string) {
	t.Helper()
	d = newDesk(t, "marriage")
	licences = d.issued(t, "issued", d.synthetic(t, "input", 1, n), 16)
	for _, o := range licences {
		number, _ := o.Value(d.typ.NumberField().Key)
		numbers = append(numbers, number.String())
	}
	return d, licences, numbers
}

// checkList compares the report of a list that is done with what it should be.
func checkList(t *testing.T, got, want issuer.ListReport) {
	t.Helper()
	if want.Reasons == nil {
		want.Reasons = map[string]int64{}
	}
	if want.Job = got.Job; got.Job == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("the report is %+v, want %+v", got, want)
	}
}

func TestStatusListCSV(t *testing.T) {
	d, licences, numbers := listDesk(t, 40)
	successor := numbers[8]
	input := d.file(t, "list.csv", []byte("\ufeffnumber,digest,To,reason,effective,successor\r\n"+
		numbers[0]+",,revoked,divorce,2001-02-03,\r\n"+
		","+licences[1].Digest.String()+",revoked,error,,\r\n"+
		"\""+numbers[2]+"\",,suspended,court,,\r\n"+
		"\r\n"+
		numbers[2]+",,revoked,divorce,,\r\n"+ // the same licence again
		numbers[3]+",,superseded,reissue,,"+successor+"\r\n"+
		numbers[4]+",,superseded,reissue,,"+licences[9].Digest.String()+"\r\n"+
		numbers[5]+",,,,,\r\n"+ // as the list says
		numbers[0]+",,revoked,divorce,,")) // already
	list := issuer.List{Type: "marriage", Inputs: []string{input}, To: licence.Suspended, Reason: "investigation", Rejects: d.path("rejects")}
	report, err := d.SetStatusList(t.Context(), clerk, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkList(t, report, issuer.ListReport{Rows: 8, Changed: 7, Already: 1})
	for i, want := range []licence.State{licence.Revoked, licence.Revoked, licence.Revoked, licence.Superseded, licence.Superseded, licence.Suspended, licence.Active} {
		if s := d.status(t, licences[i]); s.State != want {
			t.Errorf("licence %d is %s, want %s", i, s.State, want)
		}
	}
	if s := d.status(t, licences[0]); s.Effective.String() != "2001-02-03" {
		t.Errorf("it is revoked from %s", s.Effective)
	}
	if s := d.status(t, licences[3]); s.Successor == nil || *s.Successor != licences[8].Digest {
		t.Error("it has not the successor that was named by number")
	}
	if s := d.status(t, licences[4]); s.Successor == nil || *s.Successor != licences[9].Digest {
		t.Error("it has not the successor that was named by digest")
	}
	if _, err := os.Stat(list.Rejects); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a rejects file: %v", err)
	}
	report, err = d.SetStatusList(t.Context(), clerk, list, nil)
	hasCode(t, err, issuer.CodeJobDone)
	if report.Rows != 8 || report.Changed != 7 {
		t.Errorf("the report of what was done is %+v", report)
	}
	d.file(t, "list.csv", []byte("number,to,reason\n"+numbers[6]+",revoked,error\n"))
	_, err = d.SetStatusList(t.Context(), clerk, list, nil)
	hasCode(t, err, issuer.CodeInputChanged)
	if s := d.status(t, licences[6]); s.State != licence.Active {
		t.Error("a list that was changed has changed a licence")
	}
}

func TestStatusListRejects(t *testing.T) {
	d, licences, numbers := listDesk(t, 20)
	row := func(fields ...string) string {
		var out []string
		for i := 0; i < len(fields); i += 2 {
			out = append(out, fmt.Sprintf("%q: %q", fields[i], fields[i+1]))
		}
		return "{" + strings.Join(out, ", ") + "}"
	}
	lines := []struct{ line, code, field string }{
		{row("number", numbers[0], "to", "revoked", "reason", "error"), "", ""},
		{row("number", "J990101-000009999"), vault.CodeUnknown, "number"},
		{row("digest", strings.Repeat("0", 64)), vault.CodeUnknown, "digest"},
		{row("digest", "0123"), licence.BadValue, "digest"},
		{row("to", "revoked"), licence.MissingField, "number"},
		{row("number", numbers[1], "digest", licences[1].Digest.String()), licence.DuplicateField, "digest"},
		{row("number", numbers[1], "to", "gone"), licence.BadValue, "to"},
		{row("number", numbers[1], "effective", "soon"), licence.BadValue, "effective"},
		{row("number", numbers[1], "reason", "boredom"), issuer.CodeReason, ""},
		{row("number", numbers[1], "to", "superseded", "reason", "reissue"), issuer.CodeSuccessor, ""},
		{row("number", numbers[1], "to", "superseded", "reason", "reissue", "successor", "J990101-000009999"), vault.CodeUnknown, "successor"},
		{row("number", numbers[1], "to", "superseded", "reason", "reissue", "successor", numbers[1]), issuer.CodeSuccessor, ""},
		{row("number", numbers[2], "to", "active", "reason", "cleared"), "", ""}, // is active
		{row("number", numbers[0], "to", "suspended", "reason", "court"), issuer.CodeTransition, ""},
		{`{"number": "` + numbers[3] + `", "number": "` + numbers[4] + `"}`, licence.DuplicateField, "number"},
		{`{"number": "` + numbers[3] + `", "why": "x"}`, licence.UnknownField, ""},
		{`{"number": 7}`, licence.Malformed, ""},
		{`{"number": {"number": "` + numbers[3] + `"}}`, licence.Malformed, ""},
		{`{"number": "` + numbers[3] + `"} {}`, licence.Malformed, ""},
		{`{"number": "` + numbers[3], licence.Malformed, ""},
		{"[" + row("number", numbers[3]) + "]", licence.Malformed, ""},
		{row("number", strings.Repeat("9", 5000)), licence.TooLarge, ""},
		{"{\"number\": \"J\xff\"}", licence.NotUTF8, ""},
		{row("number", numbers[3], "reason", "' OR 1=1; DROP TABLE vault_licence --"), issuer.CodeReason, ""},
		{row("number", "'; DELETE FROM vault_licence; --"), vault.CodeUnknown, "number"},
		{row("number", numbers[5]), "", ""},
	}
	var text strings.Builder
	type found struct {
		line        int
		code, field string
	}
	want := map[found]bool{}
	accepted := int64(0)
	for i, l := range lines {
		text.WriteString(l.line + "\n")
		if l.code == "" {
			accepted++
		} else {
			want[found{i + 1, l.code, l.field}] = true
		}
	}
	// As one list, in which what is right must be done whatever stands beside it.
	list := issuer.List{Type: "marriage", Inputs: []string{d.file(t, "list.jsonl", []byte(text.String()))}, Rejects: d.path("rejects"), To: licence.Suspended, Reason: "court"}
	report, err := d.SetStatusList(t.Context(), clerk, list, nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != int64(len(lines)) || report.Changed != accepted-1 || report.Already != 1 || report.Rejected != int64(len(want)) || report.Rejects != list.Rejects {
		t.Errorf("the report is %+v", report)
	}
	for _, r := range readRejects(t, list.Rejects) {
		f := found{r.Line, r.Code, r.Field}
		if !want[f] || r.Record != int64(r.Line) {
			t.Errorf("%+v was rejected", r)
		}
		delete(want, f)
		for _, n := range numbers {
			if strings.Contains(r.Message, n) {
				t.Errorf("a rejection repeats a licence number: %s", r.Message)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not rejected: %v", want)
	}
	for i, state := range []licence.State{0: licence.Revoked, 1: licence.Active, 3: licence.Active, 5: licence.Suspended} {
		if s := d.status(t, licences[i]); state != "" && s.State != state {
			t.Errorf("licence %d is %s, want %s", i, s.State, state)
		}
	}
}

// A list names a licence by the number that it holds, or else had last.
func TestStatusListNumberOfSeveral(t *testing.T) {
	d := newDesk(t, "marriage")
	input := d.synthetic(t, "input", 7, 1)
	first := d.issued(t, "first", input, 1)[0]
	number, _ := first.Value(d.typ.NumberField().Key)
	set := func(name, to, reason string) {
		t.Helper()
		list := issuer.List{Type: "marriage", Inputs: []string{d.file(t, name, []byte("number\n"+number.String()+"\n"))},
			To: licence.State(to), Reason: reason, Rejects: d.path(name + ".rejects")}
		if report, err := d.SetStatusList(t.Context(), clerk, list, nil); err != nil || report.Changed != 1 {
			t.Fatalf("%s: the report is %+v, %v", name, report, err)
		}
	}
	set("a", "revoked", "error")
	second := d.issued(t, "second", input, 1)[0]
	set("b", "revoked", "error")
	set("c", "active", "reversed")
	for o, want := range map[*credential.Opened]licence.State{first: licence.Revoked, second: licence.Active} {
		if s := d.status(t, o); s.State != want {
			t.Errorf("it is %s, want %s", s.State, want)
		}
	}
}

func TestStatusListArguments(t *testing.T) {
	d, _, numbers := listDesk(t, 1)
	good := issuer.List{Type: "marriage", Inputs: []string{d.file(t, "list", []byte("number\n"+numbers[0]+"\n"))}, Rejects: d.path("rejects"), To: licence.Suspended, Reason: "court"}
	file := func(name, content string) func(*issuer.List) {
		path := d.file(t, name, []byte(content))
		return func(l *issuer.List) { l.Inputs = []string{path} }
	}
	for name, c := range map[string]struct {
		edit func(*issuer.List)
		code string
	}{
		"unknown type":          {func(l *issuer.List) { l.Type = "divorce" }, issuer.CodeTypeUnknown},
		"no input":              {func(l *issuer.List) { l.Inputs = nil }, issuer.CodeArguments},
		"nowhere for rejects":   {func(l *issuer.List) { l.Rejects = "" }, issuer.CodeArguments},
		"no such state":         {func(l *issuer.List) { l.To = "gone" }, issuer.CodeArguments},
		"rejects exist":         {func(l *issuer.List) { l.Rejects = l.Inputs[0] }, issuer.CodeOutputExists},
		"absent input":          {func(l *issuer.List) { l.Inputs = []string{d.path("absent")} }, issuer.CodeStorage},
		"empty":                 {file("empty", "\n \n"), licence.EmptyInput},
		"unknown column":        {file("unknown", "number,why\n"), licence.UnknownField},
		"column twice":          {file("twice", "number,number\n"), licence.DuplicateField},
		"no licence":            {file("none", "to,reason\n"), licence.MissingField},
		"GB18030":               {file("gb", "\xbd\xe1\xbb\xe9\n"), licence.NotUTF8},
		"not a list":            {file("binary", strings.Repeat("x", 5000)), licence.TooLarge},
		"header that is quoted": {file("quoted", "\"number\n"), licence.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			list := good
			c.edit(&list)
			_, err := d.SetStatusList(t.Context(), clerk, list, nil)
			hasCode(t, err, c.code)
		})
	}
}

// TestStatusListInterrupted ends a list after each of its transactions, and lets another call go on.
func TestStatusListInterrupted(t *testing.T) {
	const n = 1200 // more than two transactions
	d, licences, numbers := listDesk(t, n)
	var text strings.Builder
	text.WriteString("number,to,reason\n")
	for i, number := range numbers {
		if i%100 == 50 {
			number = "J990101-999999999" // there is none
		}
		text.WriteString(number + ",revoked,error\n")
	}
	list := issuer.List{Type: "marriage", Inputs: []string{d.file(t, "list", []byte(text.String()))}, Rejects: d.path("rejects")}
	var report issuer.ListReport
	var err error
	for _, step := range []string{"submitted", "listed", "submitted", "listed"} { // the first: on the ledger, and not in the vault
		d.EndAfter(endAt(step, 1))
		if report, err = d.SetStatusList(t.Context(), clerk, list, nil); !errors.Is(err, errEnd) {
			t.Fatalf("after %s: %+v, %v", step, report, err)
		}
		if report.Rows != report.Changed+report.Already+report.Rejected || report.Rows == n {
			t.Errorf("after %s the report is %+v", step, report)
		}
	}
	d.EndAfter(func(string) error { return nil })
	if report, err = d.SetStatusList(t.Context(), clerk, list, nil); err != nil {
		t.Fatal(err)
	}
	if report.Rows != n || report.Changed+report.Already != n-12 || report.Rejected != 12 || !report.Resumed || report.Reasons[vault.CodeUnknown] != 12 {
		t.Errorf("the report is %+v", report)
	}
	if rejects := readRejects(t, list.Rejects); len(rejects) != 12 || rejects[11].Record != 1151 {
		t.Errorf("%d rows were rejected", len(rejects))
	}
	for i, o := range licences {
		if s := d.status(t, o); (s.State == licence.Revoked) != (i%100 != 50) || s.Sequence > 1 {
			t.Fatalf("licence %d is %s, by change %d", i, s.State, s.Sequence)
		}
	}
}

// FuzzStatusList: no bytes make reading a list panic, and no row has anything but what a list has.
func FuzzStatusList(f *testing.F) {
	f.Add([]byte("number,to,reason\nJ1,revoked,error\n\"J2\",\"\",\n"))
	f.Add([]byte("{\"number\": \"J1\", \"to\": null}\n{}\n"))
	f.Add([]byte("\ufeffdigest\r\n00\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, row := range issuer.ReadList(b) {
			for column, value := range row {
				if value == "" || strings.TrimSpace(value) != value || !strings.Contains("number digest to reason effective successor", column) {
					t.Errorf("a row has %q: %q", column, value)
				}
			}
		}
	})
}
