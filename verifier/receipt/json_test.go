package receipt_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

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
		Time: statementtest.Time + 30, Agency: "housing-bureau", Clerk: "王一", Unit: "hall-1", Matter: "second-hand-home-transfer",
		Case: "20261107-0042", OnBehalf: "tax-bureau", Type: "marriage",
		Licence:      access.LicenceCommitment(salt, statementtest.Issuer, statementtest.Hash("digest")),
		Presentation: access.PresentationCommitment(salt, shown),
		Fields:       []string{"spouse1Name", "spouse2Name"}, Outcome: string(verify.Valid),
		Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
		Day:     20764, Height: 12, Heartbeat: statementtest.Time,
	}
	encoded, err := entry.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	place := receipt.Place{Ledger: statementtest.Ledger(), Verifier: statementtest.Authority, Log: "main", Index: 1, Entry: encoded, Salt: salt}
	f, err := receipt.Sign(place, shown, key)
	if err != nil {
		tb.Fatal(err)
	}
	sibling, leaf := statementtest.Hash("sibling"), access.Leaf(encoded)
	c := &statement.Checkpoint{
		Ledger: place.Ledger, Department: place.Verifier, Log: "main", Size: 2, Root: sm.SumNode(&sibling, &leaf), SignedAt: statementtest.Time + 60,
	}
	p, err := receipt.NewProof(statementtest.Sign(tb, c, statementtest.Authority), []sm.Hash{sibling})
	if err != nil {
		tb.Fatal(err)
	}
	if f, err = f.WithProof(p); err != nil {
		tb.Fatal(err)
	}
	return f, sampleTrust()
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
	known := parse(tb, goldenFile(tb)).Proof().Checkpoint()
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
	if !reflect.DeepEqual(f.Receipt(), want.Receipt()) || !reflect.DeepEqual(f.Entry(), want.Entry()) ||
		!reflect.DeepEqual(f.Proof().Checkpoint(), want.Proof().Checkpoint()) {
		t.Errorf("it says %+v, %+v, %+v", f.Receipt(), f.Entry(), f.Proof().Checkpoint())
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
		"text":       map[string]any{"zh": receipt.Anchored.Text().Zh, "en": receipt.Anchored.Text().En},
		"key":        map[string]any{"id": statementtest.Key(statementtest.Authority).Public().ID().String(), "state": "active"},
		"checkpoint": map[string]any{"size": 2.0, "root": f.Proof().Checkpoint().Root.String(), "position": map[string]any{"block": 9.0, "index": 1.0}, "after": "2026-11-07T00:00:00Z", "before": "2026-11-07T00:01:00Z"},
	}
	for name, value := range wantReport {
		if !reflect.DeepEqual(report[name], value) {
			t.Errorf("the report's %s is %v, want %v", name, report[name], value)
		}
	}
}

// What is readable is never believed: it may say anything.
func TestReadableIsNotBelieved(t *testing.T) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(goldenFile(t), &members); err != nil {
		t.Fatal(err)
	}
	for _, readable := range []string{`null`, `{}`, `{"outcome":"invalid"}`, `"\ud800"`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000)} {
		members["readable"] = json.RawMessage(readable)
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
// not anchored.
func TestMangled(t *testing.T) {
	var members struct {
		Receipt, Entry, Salt []byte
		Proof                struct {
			Checkpoint []byte    `json:"checkpoint"`
			Path       []sm.Hash `json:"path"`
		}
		Readable any
	}
	if err := json.Unmarshal(goldenFile(t), &members); err != nil {
		t.Fatal(err)
	}
	form := func() []byte {
		return marshal(t, map[string]any{
			"receipt": members.Receipt, "entry": members.Entry, "salt": members.Salt, "proof": members.Proof, "readable": members.Readable,
		})
	}
	if r := judge(t, parse(t, form())); r.Outcome != receipt.Anchored {
		t.Fatalf("unchanged: %s, %q", r.Outcome, r.Code)
	}
	for name, part := range map[string][]byte{
		"receipt": members.Receipt, "entry": members.Entry, "salt": members.Salt,
		"checkpoint": members.Proof.Checkpoint, "path": members.Proof.Path[0][:],
	} {
		for i := range part {
			for _, bit := range []byte{1, 0x80} {
				part[i] ^= bit
				f, err := receipt.Parse(form())
				if err == nil {
					if r := judge(t, f); r.Outcome != receipt.Refused {
						t.Errorf("%s, byte %d: %s, %q", name, i, r.Outcome, r.Code)
					}
				}
				part[i] ^= bit
			}
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	good := string(bytes.TrimSpace(goldenFile(t)))
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(good), &members); err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		changed := map[string]json.RawMessage{}
		for n, v := range members {
			changed[n] = v
		}
		if value == "" {
			delete(changed, name)
		} else {
			changed[name] = json.RawMessage(value)
		}
		out, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	proof := func(checkpoint, path string) string {
		return with("proof", `{"checkpoint":`+checkpoint+`,"path":`+path+`}`)
	}
	var parts struct {
		Checkpoint json.RawMessage
		Path       json.RawMessage
	}
	if err := json.Unmarshal(members["proof"], &parts); err != nil {
		t.Fatal(err)
	}
	salt := string(members["salt"])
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
		"no receipt":                 with("receipt", ""),
		"no entry":                   with("entry", ""),
		"no salt":                    with("salt", ""),
		"no proof":                   with("proof", ""),
		"nothing readable":           with("readable", ""),
		"receipt null":               with("receipt", "null"),
		"receipt a number":           with("receipt", "1"),
		"receipt empty":              with("receipt", `""`),
		"receipt a checkpoint":       with("receipt", string(parts.Checkpoint)),
		"receipt in another base64":  with("receipt", strings.TrimRight(strings.ReplaceAll(string(members["receipt"]), "=", ""), "=")),
		"receipt on two lines":       with("receipt", `"`+string(members["receipt"])[1:9]+`\n`+string(members["receipt"])[9:]),
		"entry null":                 with("entry", "null"),
		"entry a salt":               with("entry", salt),
		"salt null":                  with("salt", "null"),
		"salt of 15 bytes":           with("salt", string(marshal(t, make([]byte, 15)))),
		"salt of 17 bytes":           with("salt", string(marshal(t, make([]byte, 17)))),
		"salt with bits left":        with("salt", `"AQIDAAAAAAAAAAAAAAAAAB=="`),
		"proof a number":             with("proof", "1"),
		"proof an array":             with("proof", "[]"),
		"proof empty":                with("proof", "{}"),
		"proof with more":            with("proof", strings.Replace(string(members["proof"]), "{", `{"size":2,`, 1)),
		"checkpoint null":            proof("null", string(parts.Path)),
		"checkpoint a receipt":       proof(string(members["receipt"]), string(parts.Path)),
		"path null":                  proof(string(parts.Checkpoint), "null"),
		"path a text":                proof(string(parts.Checkpoint), `""`),
		"path of null":               proof(string(parts.Checkpoint), "[null]"),
		"path of numbers":            proof(string(parts.Checkpoint), "[1]"),
		"path in capitals":           proof(string(parts.Checkpoint), strings.ToUpper(string(parts.Path))),
		"path of 41 hashes":          proof(string(parts.Checkpoint), "["+strings.Repeat(`"`+strings.Repeat("0", 64)+`",`, 40)+`"`+strings.Repeat("0", 64)+`"]`),
		"a hash of 31 bytes":         proof(string(parts.Checkpoint), `["`+strings.Repeat("0", 62)+`"]`),
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
	place := receipt.Place{Verifier: fill(32, 'v'), Log: fill(32, 'l'), Index: 1<<40 - 1, Entry: encoded}
	f, err := receipt.Sign(place, sm.Hash{}, statementtest.Key("any"))
	if err != nil {
		t.Fatal(err)
	}
	var path []string
	for range 40 {
		path = append(path, fill(64, '0'))
	}
	var members map[string]any
	if err := json.Unmarshal(marshal(t, f), &members); err != nil {
		t.Fatal(err)
	}
	proof := map[string]any{"checkpoint": checkpointOf(t, goldenFile(t)), "path": path}
	members["proof"] = proof
	b := marshal(t, parse(t, marshal(t, members)))
	if _, err := receipt.Parse(b); err != nil {
		t.Errorf("%d bytes: %v", len(b), err)
	}
}

func checkpointOf(tb testing.TB, file []byte) []byte {
	tb.Helper()
	var members struct {
		Proof struct{ Checkpoint []byte }
	}
	if err := json.Unmarshal(file, &members); err != nil {
		tb.Fatal(err)
	}
	return members.Proof.Checkpoint
}
