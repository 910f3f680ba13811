package chaincode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/sm"
)

var aHash = sm.Sum(nil).String()

var badQueries = []struct {
	name string
	args []string
	code string
}{
	{"", nil, chaincode.CodeQuery},
	{"nothing", nil, chaincode.CodeQuery},
	{"ledger", []string{""}, chaincode.CodeQuery},
	{"department", nil, chaincode.CodeQuery},
	{"department", []string{""}, chaincode.CodeQuery},
	{"department", []string{"../ledger"}, chaincode.CodeQuery},
	{"department", []string{"civil\x00affairs"}, chaincode.CodeQuery},
	{"department", []string{"民政局"}, chaincode.CodeQuery},
	{"department", []string{"\xff"}, chaincode.CodeQuery},
	{"department", []string{strings.Repeat("a", 33)}, chaincode.CodeQuery},
	{"department", []string{"nowhere"}, chaincode.CodeNotFound},
	{"key", []string{strings.ToUpper(aHash)}, chaincode.CodeQuery},
	{"key", []string{aHash[1:]}, chaincode.CodeQuery},
	{"key", []string{aHash}, chaincode.CodeNotFound},
	{"type", []string{"property", "+1"}, chaincode.CodeQuery},
	{"type", []string{"property", "01"}, chaincode.CodeQuery},
	{"type", []string{"property", "-1"}, chaincode.CodeQuery},
	{"type", []string{"property", "4294967296"}, chaincode.CodeQuery},
	{"type", []string{"property", "0"}, chaincode.CodeNotFound},
	{"type", []string{"property", "4294967295"}, chaincode.CodeNotFound},
	{"type", []string{"property", "1", "1"}, chaincode.CodeQuery},
	{"anchors", []string{issuer, "x"}, chaincode.CodeQuery},
	{"status", []string{issuer}, chaincode.CodeQuery},
	{"status", []string{issuer, aHash, ""}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer, "a/b"}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer, "main", "1099511627776"}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer, "main", "01"}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer, "main", "-1"}, chaincode.CodeQuery},
	{"checkpoint", []string{issuer, "main", "1099511627775"}, chaincode.CodeNotFound},
	{"checkpoint", []string{issuer, "main"}, chaincode.CodeNotFound},
	{"verify", []string{stranger, aHash, "0", aHash, ""}, chaincode.CodeNotFound},
	{"verify", []string{issuer, aHash, "", aHash, ""}, chaincode.CodeQuery},
	{"verify", []string{issuer, aHash, "0", aHash, "0"}, chaincode.CodeQuery},
	{"verify", []string{issuer, aHash, "0", aHash, "AA"}, chaincode.CodeQuery},
	{"verify", []string{issuer, aHash, "0", aHash, strings.Repeat("00", 12*32+1)}, chaincode.CodeQuery},
}

func TestBadQueries(t *testing.T) {
	s := newStage(t)
	for _, q := range badQueries {
		answer, err := chaincode.Evaluate(s, chaincode.Query{Name: q.name, Args: q.args})
		if answer != nil || chaincode.Code(err) != q.code {
			t.Errorf("%s %q: got %s, %v, want %s", q.name, q.args, answer, err, q.code)
		}
	}
}

// An empty ledger answers every query, or says that it has nothing.
func TestQueriesOfEmptyLedger(t *testing.T) {
	story := rulestest.Tell(rulestest.New(t))
	for _, q := range story.Queries() {
		_, err := chaincode.Evaluate(rulestest.NewLedger(), q)
		if code := chaincode.Code(err); err != nil && code != chaincode.CodeNotFound && code != chaincode.CodeQuery {
			t.Errorf("%s %q: %v", q.Name, q.Args, err)
		}
	}
}

var signedBytes = regexp.MustCompile(`("(?:statement|genesis)":)"[A-Za-z0-9+/=]{100,}"`)

// TestAnswers compares every answer with testdata/answers.txt; signed statements, which differ each
// time, are left out.
func TestAnswers(t *testing.T) {
	c := rulestest.New(t)
	story := rulestest.Tell(c)
	var b bytes.Buffer
	for _, q := range story.Queries() {
		fmt.Fprintf(&b, "%s\n", strings.Join(append([]string{q.Name}, q.Args...), " "))
		answer, err := chaincode.Evaluate(c, q)
		var indented bytes.Buffer
		switch {
		case err != nil && chaincode.Code(err) != "":
			fmt.Fprintf(&b, "error %s\n\n", err)
		case err != nil:
			t.Errorf("%s %q: %v", q.Name, q.Args, err)
		case q.Name == "type":
			fmt.Fprintf(&b, "the definition, SM3 %s\n\n", sm.Sum(answer))
		default:
			if err := json.Indent(&indented, signedBytes.ReplaceAll(answer, []byte(`$1"..."`)), "", "  "); err != nil {
				t.Errorf("%s %q: %v", q.Name, q.Args, err)
			}
			fmt.Fprintf(&b, "%s\n\n", indented.Bytes())
		}
	}
	const golden = "testdata/answers.txt"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		if line(got, i) != line(wanted, i) {
			t.Fatalf("%s:%d\n got %s\nwant %s", golden, i+1, line(got, i), line(wanted, i))
		}
	}
}

// A definition is answered byte for byte as it was published.
func TestDefinitionIsAnsweredAsPublished(t *testing.T) {
	s := newStage(t)
	typ := readType(t, "divorce")
	typ.Name.En = "Divorce <&>"
	s.Must(authority, s.Tx(s.Type(typ), authority+"/govern"))
	answer, err := chaincode.Evaluate(s, chaincode.Query{Name: "type", Args: []string{"divorce"}})
	if err != nil || !bytes.Equal(answer, typ.Canonical()) {
		t.Errorf("got %s, %v", answer, err)
	}
}

// The anchors of an issuer come in pages.
func TestAnchorsInPages(t *testing.T) {
	s := newStage(t)
	for i := range 101 {
		s.Anchor(other, fmt.Sprint("page ", i), 1)
	}
	type anchor struct{ Root string }
	first := evaluate[[]anchor](t, s, "anchors", other)
	if len(first) != 100 {
		t.Fatalf("the first page has %d anchors", len(first))
	}
	second := evaluate[[]anchor](t, s, "anchors", other, first[99].Root)
	if len(second) != 2 || second[0].Root <= first[99].Root || second[1].Root <= second[0].Root {
		t.Errorf("the second page: %v", second)
	}
}

// brokenReader fails where a store can fail.
type brokenReader struct {
	*rulestest.Ledger
	get, scan, history bool
}

func (r brokenReader) Get(key string) ([]byte, error) {
	if r.get {
		return nil, errDisk
	}
	return r.Ledger.Get(key)
}

func (r brokenReader) Scan(prefix, after string, visit func(string, []byte) (bool, error)) error {
	if r.scan {
		return errDisk
	}
	return r.Ledger.Scan(prefix, after, visit)
}

func (r brokenReader) History(key string) ([]chaincode.Version, error) {
	if r.history {
		return nil, errDisk
	}
	return r.Ledger.History(key)
}

// A store that fails is never taken for an answer.
func TestQueriesWhenTheStoreFails(t *testing.T) {
	c := rulestest.New(t)
	story := rulestest.Tell(c)
	for _, q := range story.Queries() {
		whole, want := chaincode.Evaluate(c, q)
		for _, r := range []brokenReader{{c.Ledger, true, false, false}, {c.Ledger, false, true, false}, {c.Ledger, false, false, true}} {
			answer, err := chaincode.Evaluate(r, q)
			if !errors.Is(err, errDisk) && !(bytes.Equal(answer, whole) && fmt.Sprint(err) == fmt.Sprint(want)) {
				t.Errorf("%s %q: got %s, %v", q.Name, q.Args, answer, err)
			}
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	c := rulestest.New(f)
	for _, q := range rulestest.Tell(c).Queries() {
		f.Add(q.Name, strings.Join(q.Args, " "))
	}
	f.Fuzz(func(t *testing.T, name, args string) {
		before := c.Dump()
		answer, err := chaincode.Evaluate(c, chaincode.Query{Name: name, Args: strings.Split(args, " ")})
		switch {
		case err != nil && chaincode.Code(err) == "":
			t.Errorf("an error without a code: %v", err)
		case err == nil && !json.Valid(answer):
			t.Errorf("an answer that is not JSON: %s", answer)
		case c.Dump() != before:
			t.Error("a query changed the state")
		}
	})
}
