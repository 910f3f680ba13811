package receipt_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

var update = flag.Bool("update", false, "make testdata/anchored.json anew, with other signatures")

// sample is a receipt that is anchored by a checkpoint of two entries, and the trust for it.
func sample(tb testing.TB) (*receipt.File, *trust) {
	tb.Helper()
	key := statementtest.Key(statementtest.Authority)
	salt := access.Salt{1, 2, 3}
	shown := statementtest.Hash("shown")
	entry := &access.Entry{
		Time: statementtest.Time + 30, Call: access.Call{16, 15}, Agency: "housing-bureau", Clerk: "王一", Unit: "hall-1", Matter: "second-hand-home-transfer",
		Case: "20261107-0042", OnBehalf: "tax-bureau", Type: "marriage",
		Licence:      access.LicenceCommitment(salt, statementtest.Issuer, statementtest.Hash("digest")),
		Presentation: access.PresentationCommitment(salt, shown),
		Fields:       []string{"spouse1Name", "spouse2Name"}, Outcome: string(verify.Valid),
		Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
		Day:     20764, Height: 12, Heartbeat: statementtest.Time, Overall: "incomplete",
	}
	encoded, err := entry.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	sibling, leaf := statementtest.Hash("sibling"), access.Leaf(encoded)
	c := sign(tb, &statement.Checkpoint{
		Ledger: statementtest.Ledger(), Department: statementtest.Authority, Log: "main", Size: 2, Root: sm.SumNode(&sibling, &leaf), SignedAt: statementtest.Time + 30,
	}, key)
	return &receipt.File{
		Entry: entry, Encoded: encoded, Salt: salt, Presentation: shown,
		Proof: &access.Proof{Checkpoint: c, Index: 1, Path: []sm.Hash{sibling}},
	}, sampleTrust()
}

func sampleTrust() *trust {
	key := statementtest.Key(statementtest.Authority).Public()
	return &trust{
		ledger: statementtest.Ledger(),
		keys: map[sm.Hash]*verify.Key{key.ID(): {
			Department: statementtest.Authority, Public: key, Purposes: statement.PurposeLog, State: verify.KeyActive,
		}},
	}
}

const golden = "anchored.json"

// goldenFile is a receipt file as it was once made: it must be readable for good.
func goldenFile(tb testing.TB) []byte {
	tb.Helper()
	path := filepath.Join("testdata", golden)
	if *update {
		f, _ := sample(tb)
		var b bytes.Buffer
		if err := json.Indent(&b, marshal(tb, f), "", "  "); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, append(b.Bytes(), '\n'), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// judge verifies a file by the sample's trust, which has the checkpoint on the ledger.
func judge(tb testing.TB, f *receipt.File) receipt.Report {
	tb.Helper()
	t := sampleTrust()
	known := parse(tb, goldenFile(tb)).Proof.Checkpoint
	t.points = map[uint64]verify.Checkpoint{2: {
		Size: 2, Root: known.Root, Position: verify.Position{Block: 9, Index: 1},
		Before: verify.Heartbeat{Sequence: 1, Time: statementtest.Time, Block: 3}, After: verify.Heartbeat{Sequence: 2, Time: statementtest.Time + 60, Block: 10},
	}}
	r, err := receipt.Verify(f, nil, departments{t})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// departments is a trust whose checkpoints are the authority's.
type departments struct{ *trust }

func (d departments) Checkpoint(department, log string, size uint64) (verify.Checkpoint, bool, error) {
	c, ok := d.points[size]
	return c, ok && department == statementtest.Authority && log == "main", nil
}

func TestGolden(t *testing.T) {
	b := goldenFile(t)
	f := parse(t, b)
	var again bytes.Buffer
	if err := json.Indent(&again, marshal(t, f), "", "  "); err != nil {
		t.Fatal(err)
	}
	if again.WriteByte('\n'); !bytes.Equal(again.Bytes(), b) {
		t.Errorf("written again it is\n%s", &again)
	}
	want, _ := sample(t)
	want.Proof.Checkpoint.Signed.Signature = f.Proof.Checkpoint.Signed.Signature // which is random
	if !reflect.DeepEqual(f, want) {
		t.Errorf("it says %+v, want %+v", f, want)
	}
	r := judge(t, f)
	if r.Outcome != receipt.Anchored {
		t.Fatalf("got %s, %q", r.Outcome, r.Code)
	}
	var report map[string]any
	if err := json.Unmarshal(marshal(t, r), &report); err != nil {
		t.Fatal(err)
	}
	wantReport := map[string]any{
		"outcome": "anchored", "code": nil, "reason": nil, "upgradable": false,
		"text":     map[string]any{"zh": receipt.Anchored.Text().Zh, "en": receipt.Anchored.Text().En},
		"keyState": "active",
		"receipt": map[string]any{"presentation": f.Presentation.String(), "leaf": f.Leaf().String(), "index": 1.0,
			"text": map[string]any{"zh": verify.Valid.Text().Zh, "en": verify.Valid.Text().En}},
		"checkpoint": map[string]any{"ledger": statementtest.Ledger().String(), "department": statementtest.Authority, "log": "main", "size": 2.0,
			"root": f.Proof.Checkpoint.Root.String(), "signedAt": "2026-11-07T00:00:30Z", "key": statementtest.Key(statementtest.Authority).Public().ID().String()},
		"anchor": map[string]any{"position": map[string]any{"block": 9.0, "index": 1.0}, "before": "2026-11-07T00:00:00Z", "after": "2026-11-07T00:01:00Z"},
	}
	for name, value := range wantReport {
		if !reflect.DeepEqual(report[name], value) {
			t.Errorf("the report's %s is %v, want %v", name, report[name], value)
		}
	}
}

// TestForm wants the file to be what encoding/json would write.
func TestForm(t *testing.T) {
	f, _ := sample(t)
	f.Entry.Clerk = `<"王">` // only what is readable has it
	c := f.Proof.Checkpoint
	type proofJSON struct {
		Checkpoint []byte             `json:"checkpoint"`
		Index      uint64             `json:"index"`
		Path       []sm.Hash          `json:"path"`
		Readable   *access.Checkpoint `json:"readable"`
	}
	type readableJSON struct {
		Leaf  sm.Hash       `json:"leaf"`
		Text  licence.Text  `json:"text"`
		Entry *access.Entry `json:"entry"`
	}
	want := marshal(t, struct {
		Entry        []byte       `json:"entry"`
		Salt         []byte       `json:"salt"`
		Presentation sm.Hash      `json:"presentation"`
		Proof        proofJSON    `json:"proof"`
		Readable     readableJSON `json:"readable"`
	}{f.Encoded, f.Salt[:], f.Presentation, proofJSON{c.Signed.Bytes(), 1, f.Proof.Path, c}, readableJSON{access.Leaf(f.Encoded), verify.Valid.Text(), f.Entry}})
	if got := f.AppendJSON([]byte("front")); string(got) != "front"+string(want) {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	if got := marshal(t, f); !bytes.Equal(got, want) {
		t.Errorf("marshalled it is\n%s\nwant\n%s", got, want)
	}
}

// What became of a request for fields is told in other words than a verdict.
func TestRequestText(t *testing.T) {
	for outcome, want := range map[string]string{access.Released: "The fields were released", access.Refused: "The fields were not released", access.Unanswered: "Not answered in time"} {
		f, _ := sample(t)
		f.Entry.Asked, f.Entry.Outcome = statementtest.Issuer, outcome
		var file struct {
			Readable struct {
				Text licence.Text `json:"text"`
			} `json:"readable"`
		}
		if err := json.Unmarshal(marshal(t, f), &file); err != nil || file.Readable.Text.En != want || file.Readable.Text.Zh == "" {
			t.Errorf("%s: %+v, %v", outcome, file, err)
		}
	}
}

// What is readable is never believed: it may say anything.
func TestReadableIsNotBelieved(t *testing.T) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(goldenFile(t), &members); err != nil {
		t.Fatal(err)
	}
	var proof map[string]json.RawMessage
	if err := json.Unmarshal(members["proof"], &proof); err != nil {
		t.Fatal(err)
	}
	for _, readable := range []string{`null`, `{}`, `{"outcome":"invalid"}`, `"\ud800"`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000)} {
		members["readable"] = json.RawMessage(readable)
		proof["readable"] = json.RawMessage(readable)
		members["proof"] = marshal(t, proof)
		f := parse(t, marshal(t, members))
		if r := judge(t, f); r.Outcome != receipt.Anchored {
			t.Errorf("%.20s: %s, %q", readable, r.Outcome, r.Code)
		}
		if got := string(marshal(t, f)); !strings.Contains(got, `"outcome":"valid"`) {
			t.Errorf("%.20s is repeated", readable)
		}
	}
}

// Whatever is changed in a file that is anchored, but for what is readable: it does not parse, or is
// refused.
func TestMangled(t *testing.T) {
	var file fileMembers
	if err := json.Unmarshal(goldenFile(t), &file); err != nil {
		t.Fatal(err)
	}
	wantRefused := func(what string, i int) {
		t.Helper()
		if f, err := receipt.Parse(marshal(t, file)); err != nil {
			return
		} else if r := judge(t, f); r.Outcome != receipt.Refused {
			t.Errorf("%s, byte %d: %s, %q", what, i, r.Outcome, r.Code)
		}
	}
	if r := judge(t, parse(t, marshal(t, file))); r.Outcome != receipt.Anchored {
		t.Fatalf("unchanged: %s, %q", r.Outcome, r.Code)
	}
	for name, part := range map[string][]byte{
		"entry": file.Entry, "salt": file.Salt, "presentation": file.Presentation[:], "checkpoint": file.Proof.Checkpoint, "path": file.Proof.Path[0][:],
	} {
		for i := range part {
			for _, bit := range []byte{1, 0x80} {
				part[i] ^= bit
				wantRefused(name, i)
				part[i] ^= bit
			}
		}
	}
	for i := range 64 {
		file.Proof.Index ^= 1 << i
		wantRefused("index", i)
		file.Proof.Index ^= 1 << i
	}
}

// fileMembers are those of a receipt file.
type fileMembers struct {
	Entry        []byte       `json:"entry"`
	Salt         []byte       `json:"salt"`
	Presentation sm.Hash      `json:"presentation"`
	Proof        proofMembers `json:"proof"`
	Readable     any          `json:"readable"`
}

type proofMembers struct {
	Checkpoint []byte    `json:"checkpoint"`
	Index      uint64    `json:"index"`
	Path       []sm.Hash `json:"path"`
	Readable   any       `json:"readable"`
}

func TestRefusedFiles(t *testing.T) {
	good := string(bytes.TrimSpace(goldenFile(t)))
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(good), &members); err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		changed := maps.Clone(members)
		if value == "" {
			delete(changed, name)
		} else {
			changed[name] = json.RawMessage(value)
		}
		return string(marshal(t, changed))
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(members["proof"], &parts); err != nil {
		t.Fatal(err)
	}
	proof := func(name, value string) string {
		changed := maps.Clone(parts)
		if value == "" {
			delete(changed, name)
		} else {
			changed[name] = json.RawMessage(value)
		}
		return with("proof", string(marshal(t, changed)))
	}
	zero := `"` + strings.Repeat("0", 64) + `"`
	salt := string(members["salt"])
	heartbeat := statementtest.Sign(t, &statement.Heartbeat{Ledger: statementtest.Ledger(), Sequence: 1}, statementtest.Authority)
	for name, file := range map[string]string{
		"empty":                      "",
		"null":                       "null",
		"an array":                   "[" + good + "]",
		"cut":                        good[:len(good)-1],
		"something behind":           good + " {}",
		"a letter behind":            good + "x",
		"a member twice":             `{"salt":` + salt + `,` + good[1:],
		"a member twice, escaped":    `{"s\u0061lt":` + salt + `,` + good[1:],
		"an unknown member":          `{"note":"",` + good[1:],
		"a member in capitals":       strings.Replace(good, `"salt"`, `"Salt"`, 1),
		"no entry":                   with("entry", ""),
		"no salt":                    with("salt", ""),
		"no presentation":            with("presentation", ""),
		"no proof":                   with("proof", ""),
		"nothing readable":           with("readable", ""),
		"entry null":                 with("entry", "null"),
		"entry a number":             with("entry", "1"),
		"entry empty":                with("entry", `""`),
		"entry a salt":               with("entry", salt),
		"entry in another base64":    with("entry", strings.TrimRight(string(members["entry"]), `="`)+`"`),
		"entry on two lines":         with("entry", string(members["entry"])[:9]+`\n`+string(members["entry"])[9:]),
		"salt null":                  with("salt", "null"),
		"salt of 15 bytes":           with("salt", string(marshal(t, make([]byte, 15)))),
		"salt of 17 bytes":           with("salt", string(marshal(t, make([]byte, 17)))),
		"salt with bits left":        with("salt", `"AQIDAAAAAAAAAAAAAAAAAB=="`),
		"presentation null":          with("presentation", "null"),
		"presentation in base64":     with("presentation", salt),
		"presentation in capitals":   with("presentation", strings.ToUpper(string(members["presentation"]))),
		"presentation of 31 bytes":   with("presentation", string(members["presentation"])[:63]+`"`),
		"proof null":                 with("proof", "null"),
		"proof a number":             with("proof", "1"),
		"proof an array":             with("proof", "[]"),
		"proof empty":                with("proof", "{}"),
		"proof with more":            proof("size", "2"),
		"proof with a member twice":  with("proof", strings.Replace(string(members["proof"]), "{", `{"index":1,`, 1)),
		"no checkpoint":              proof("checkpoint", ""),
		"checkpoint null":            proof("checkpoint", "null"),
		"checkpoint an entry":        proof("checkpoint", string(members["entry"])),
		"checkpoint a heartbeat":     proof("checkpoint", string(marshal(t, heartbeat))),
		"no index":                   proof("index", ""),
		"index null":                 proof("index", "null"),
		"index a text":               proof("index", `"1"`),
		"index with a fraction":      proof("index", "1.0"),
		"index with an exponent":     proof("index", "1e0"),
		"index below zero":           proof("index", "-1"),
		"index minus zero":           proof("index", "-0"),
		"index of 2^40 - 1":          proof("index", "1099511627775"),
		"index of 2^64":              proof("index", "18446744073709551616"),
		"no path":                    proof("path", ""),
		"path null":                  proof("path", "null"),
		"path a text":                proof("path", `""`),
		"path of null":               proof("path", "[null]"),
		"path of numbers":            proof("path", "[1]"),
		"path in capitals":           proof("path", strings.ToUpper(string(parts["path"]))),
		"path of 41 hashes":          proof("path", "["+strings.Repeat(zero+",", 40)+zero+"]"),
		"a hash of 31 bytes":         proof("path", `["`+strings.Repeat("0", 62)+`"]`),
		"no readable checkpoint":     proof("readable", ""),
		"readable that is not JSON":  `{"readable":tru` + good[1:],
		"a lone surrogate in a name": `{"\ud800":1,` + good[1:],
	} {
		f, err := receipt.Parse([]byte(file))
		if code(err) != receipt.CodeMalformed || f != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	large := `{"readable":"` + strings.Repeat("x", receipt.MaxSize) + `"}`
	if _, err := receipt.Parse([]byte(large)); code(err) != receipt.CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
}

// The largest file that can be made can be read.
func TestLargest(t *testing.T) {
	fill := func(n int, what byte) string { return strings.Repeat(string(what), n) }
	var fields, reasons []string
	for range access.MaxFields {
		fields = append(fields, fill(64, 'f'))
	}
	for range access.MaxReasons {
		reasons = append(reasons, fill(64, '<')) // six bytes each in JSON
	}
	text := fill(access.MaxText, '<')
	entry := &access.Entry{
		Time: 1<<40 - 1, Agency: text, Clerk: text, Unit: text, Matter: text, Case: text, OnBehalf: text, Type: fill(32, 't'),
		Fields: fields, Outcome: fill(32, 'o'), Reasons: reasons, Day: 2932896, Height: 1<<40 - 1, Heartbeat: 1<<40 - 1,
	}
	entry.Presentation = access.PresentationCommitment(access.Salt{}, sm.Hash{})
	encoded, err := entry.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	c := sign(t, &statement.Checkpoint{
		Department: fill(32, 'v'), Log: fill(32, 'l'), Size: 1<<40 - 1, SignedAt: 1<<40 - 1,
	}, statementtest.Key("any"))
	b := marshal(t, &receipt.File{Entry: entry, Encoded: encoded, Proof: &access.Proof{Checkpoint: c, Index: 1<<40 - 2, Path: make([]sm.Hash, 40)}})
	if _, err := receipt.Parse(b); err != nil {
		t.Errorf("%d bytes: %v", len(b), err)
	}
}
