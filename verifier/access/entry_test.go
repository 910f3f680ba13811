package access_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

var salt = access.Salt{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

func counter() *access.Entry {
	return &access.Entry{
		Time:   1794009660,
		Call:   access.Call{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
		Agency: "housing-bureau", Clerk: "窗口 3", Unit: "hall-1", Matter: "second-hand-home-transfer", Case: "20261107-0042", OnBehalf: "tax-bureau",
		Type:         "marriage",
		Licence:      access.LicenceCommitment(salt, "civil-affairs", sm.Sum([]byte("digest"))),
		Presentation: access.PresentationCommitment(salt, sm.Sum([]byte("presentation"))),
		Fields:       []string{"spouse1Name", "spouse2Name"},
		Outcome:      "valid",
		Reasons:      []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
		Day:          20764, Height: 1204, Heartbeat: 1794009600, Overall: "incomplete",
	}
}

func public() *access.Entry {
	return &access.Entry{
		Time:         1794009661,
		Licence:      access.LicenceCommitment(salt, "", sm.Hash{}),
		Presentation: access.PresentationCommitment(salt, sm.Sum(nil)),
		Outcome:      "invalid", Reasons: []string{"presentation-malformed"}, Day: -1,
	}
}

// release is of a request that the civil affairs department answered.
func release() *access.Entry {
	return &access.Entry{
		Time:   1794009662,
		Call:   access.RequestCall(sm.Sum([]byte("request"))),
		Agency: "natural-resources", Matter: "second-hand-home-transfer", Case: "20261107-0043", Asked: "civil-affairs",
		Type:         "marriage",
		Licence:      access.LicenceCommitment(salt, "civil-affairs", sm.Sum([]byte("digest"))),
		Presentation: access.PresentationCommitment(salt, sm.Sum([]byte("presentation"))),
		Fields:       []string{"spouse1Name"}, Outcome: access.Released, Reasons: []string{"basis", "property-registration-22"},
		Day: 20764, Height: 1204, Heartbeat: 1794009600,
	}
}

func encode(tb testing.TB, e *access.Entry) []byte {
	tb.Helper()
	b, err := e.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestGolden compares entries with files whose bytes never change: leaves are made of them.
func TestGolden(t *testing.T) {
	for name, e := range map[string]*access.Entry{"counter": counter(), "public": public(), "release": release()} {
		b := encode(t, e)
		want, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(b) + "\n"; got != string(want) {
			t.Errorf("%s is encoded as\n%swant\n%s", name, got, want)
		}
		want, err = os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.MarshalIndent(e, "", "  ")
		if err != nil || string(got)+"\n" != string(want) {
			t.Errorf("%s in JSON is\n%s\nwant\n%s%v", name, got, want, err)
		}
		parsed, err := access.ParseEntry(b)
		if err != nil || !bytes.Equal(encode(t, parsed), b) {
			t.Errorf("%s parsed is %+v, %v", name, parsed, err)
		}
		if access.Leaf(b) != sm.Sum(append([]byte{0}, b...)) {
			t.Errorf("%s: Leaf is not SM3(0x00 || entry)", name)
		}
	}
}

// TestCommitments spells the commitments out, byte by byte.
func TestCommitments(t *testing.T) {
	digest := sm.Sum([]byte("digest"))
	licence := slices.Concat([]byte{0, 0x83, 0x50}, salt[:], []byte{0x6d}, []byte("civil-affairs"), []byte{0x58, 0x20}, digest[:])
	if got, want := access.LicenceCommitment(salt, "civil-affairs", digest), sm.Sum(licence); got != want {
		t.Errorf("LicenceCommitment is %s, want %s", got, want)
	}
	presentation := slices.Concat([]byte{0, 0x82, 0x50}, salt[:], []byte{0x58, 0x20}, digest[:])
	if got, want := access.PresentationCommitment(salt, digest), sm.Sum(presentation); got != want {
		t.Errorf("PresentationCommitment is %s, want %s", got, want)
	}
}

func code(err error) string {
	var e *access.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestOutOfBounds(t *testing.T) {
	long := strings.Repeat("长", 67) // 201 bytes
	names := func(n int) (out []string) { return slices.Repeat([]string{"name"}, n) }
	for name, change := range map[string]func(*access.Entry){
		"time":            func(e *access.Entry) { e.Time = 1 << 40 },
		"agency":          func(e *access.Entry) { e.Agency = long },
		"clerk":           func(e *access.Entry) { e.Clerk = "a\nb" },
		"clerk no text":   func(e *access.Entry) { e.Clerk = "\xff" },
		"unit":            func(e *access.Entry) { e.Unit = "a\x00" },
		"matter":          func(e *access.Entry) { e.Matter = long },
		"case":            func(e *access.Entry) { e.Case = "\u0085" },
		"on behalf":       func(e *access.Entry) { e.OnBehalf = long },
		"asked":           func(e *access.Entry) { e.Asked = "Civil-Affairs" },
		"asked, verified": func(e *access.Entry) { e.Asked = "civil-affairs" },
		"nobody asked":    func(e *access.Entry) { e.Outcome = access.Unanswered },
		"type":            func(e *access.Entry) { e.Type = "Marriage" },
		"outcome":         func(e *access.Entry) { e.Outcome = "" },
		"too many fields": func(e *access.Entry) { e.Fields = names(access.MaxFields + 1) },
		"empty field":     func(e *access.Entry) { e.Fields = []string{""} },
		"long field":      func(e *access.Entry) { e.Fields = []string{strings.Repeat("a", 65)} },
		"too many reasons": func(e *access.Entry) {
			e.Reasons = names(access.MaxReasons + 1)
		},
		"empty reason": func(e *access.Entry) { e.Reasons = append(e.Reasons, "") },
		"day":          func(e *access.Entry) { e.Day = 2932897 },
		"early day":    func(e *access.Entry) { e.Day = -354286 },
		"height":       func(e *access.Entry) { e.Height = 1 << 40 },
		"heartbeat":    func(e *access.Entry) { e.Heartbeat = 1 << 40 },
		"overall":      func(e *access.Entry) { e.Overall = "all well" },
		"overall of a request": func(e *access.Entry) {
			e.Asked, e.Outcome = "civil-affairs", access.Refused
		},
	} {
		e := counter()
		change(e)
		if _, err := e.Bytes(); code(err) != access.CodeInvalid {
			t.Errorf("%s: %v, want %s", name, err, access.CodeInvalid)
		} else if strings.Contains(err.Error(), "长") {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
	}
	e := counter()
	e.Fields, e.Reasons = slices.Repeat([]string{strings.Repeat("f", 64)}, access.MaxFields), slices.Repeat([]string{strings.Repeat("r", 64)}, access.MaxReasons)
	for _, text := range []*string{&e.Agency, &e.Clerk, &e.Unit, &e.Matter, &e.Case, &e.OnBehalf} {
		*text = strings.Repeat("x", access.MaxText)
	}
	e.Asked, e.Type, e.Outcome, e.Overall = strings.Repeat("a", 32), strings.Repeat("t", 32), access.Unanswered, ""
	e.Time, e.Day, e.Height, e.Heartbeat = 1<<40-1, 2932896, 1<<40-1, 1<<40-1
	if b := encode(t, e); len(b) > access.MaxSize {
		t.Errorf("the greatest entry has %d bytes, more than MaxSize", len(b))
	} else if _, err := access.ParseEntry(b); err != nil {
		t.Errorf("the greatest entry is refused: %v", err)
	}
}

func TestRefused(t *testing.T) {
	good := encode(t, counter())
	with := func(change func([]byte) []byte) []byte { return change(bytes.Clone(good)) }
	for name, c := range map[string]struct {
		b    []byte
		code string
	}{
		"nothing":         {nil, access.CodeMalformed},
		"trailing byte":   {with(func(b []byte) []byte { return append(b, 0) }), access.CodeMalformed},
		"other version":   {with(func(b []byte) []byte { b[1] = 1; return b }), access.CodeMalformed},
		"another element": {with(func(b []byte) []byte { b[0]++; return append(b, 0) }), access.CodeMalformed},
		"one too few":     {with(func(b []byte) []byte { b[0]--; return b[:len(b)-5] }), access.CodeMalformed},
		"longer head":     {with(func(b []byte) []byte { return append([]byte{b[0], 0x18, 0x02}, b[2:]...) }), access.CodeMalformed},
		"indefinite":      {with(func(b []byte) []byte { b[0] = 0x9f; return append(b, 0xff) }), access.CodeMalformed},
		"too large":       {make([]byte, access.MaxSize+1), access.CodeTooLarge},
		"a control character": {
			with(func(b []byte) []byte { return bytes.Replace(b, []byte("hall-1"), []byte("hall\t1"), 1) }), access.CodeInvalid,
		},
		"not UTF-8": {with(func(b []byte) []byte { return bytes.Replace(b, []byte("hall-1"), []byte("hall\xff1"), 1) }), access.CodeMalformed},
	} {
		if _, err := access.ParseEntry(c.b); code(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	for i := range good {
		if _, err := access.ParseEntry(good[:i]); code(err) != access.CodeMalformed {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
}

// FuzzParseEntry wants what parses to be its own one encoding, and to have a JSON form.
func FuzzParseEntry(f *testing.F) {
	f.Add(encode(f, counter()))
	f.Add(encode(f, public()))
	f.Add(encode(f, release()))
	b, err := statement.Marshal([]any{2, 2, ""})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := access.ParseEntry(b)
		if err != nil {
			if code(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if again := encode(t, e); !bytes.Equal(again, b) {
			t.Errorf("%x is written again as %x", b, again)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("no JSON form: %v", err)
		}
	})
}

func BenchmarkBytes(b *testing.B) {
	e := counter()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseEntry(b *testing.B) {
	encoded := encode(b, counter())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := access.ParseEntry(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
