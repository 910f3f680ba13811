package vectors_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/credledger/credledger/verifier/access"
)

const specification = "../../docs/SPEC.md"

// fence matches a code block of SPEC: its language, the vector that it shows if it shows one, and its text.
var fence = regexp.MustCompile("(?ms)^```([a-z]+)(?: ([^\n]+))?\n(.*?)^```$")

func readSpecification(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(specification)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lookUp returns the text at a place of a vector: FILE#MEMBER/INDEX/...
func lookUp(place string) (string, error) {
	file, path, found := strings.Cut(place, "#")
	if !found {
		return "", fmt.Errorf("%s names no member", place)
	}
	b, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		return "", err
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return "", err
	}
	for _, step := range strings.Split(path, "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return "", fmt.Errorf("%s: no %s", place, step)
			}
			v = at[i]
		}
	}
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s is not a text", place)
	}
	return text, nil
}

// Every example of SPEC is what the vector that it names says.
func TestSpecificationExamples(t *testing.T) {
	examples := 0
	for _, block := range fence.FindAllStringSubmatch(readSpecification(t), -1) {
		language, place, text := block[1], block[2], block[3]
		if place == "" {
			if language == "hex" {
				t.Errorf("an example in hexadecimal digits that names no vector: %.60q", text)
			}
			continue
		}
		want, err := lookUp(place)
		if err != nil {
			t.Error(err)
			continue
		}
		var got strings.Builder
		for line := range strings.Lines(text) {
			if language == "hex" {
				line, _, _ = strings.Cut(line, ";")
			}
			got.WriteString(strings.Join(strings.Fields(line), ""))
		}
		if got.String() != want {
			t.Errorf("the example %s is\n%s, the vector has\n%s", place, got.String(), want)
		}
		examples++
	}
	if examples < 15 {
		t.Errorf("found %d examples", examples)
	}
}

// The CDDL of SPEC describes the good vectors, and none of them with an item more or less.
func TestSpecificationCDDL(t *testing.T) {
	var text strings.Builder
	for _, block := range fence.FindAllStringSubmatch(readSpecification(t), -1) {
		if block[1] == "cddl" {
			text.WriteString(block[3])
		}
	}
	g, err := parseCDDL(text.String())
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	check := func(path, rule string, b []byte) {
		m := g[rule]
		if m == nil {
			t.Fatalf("no rule %s", rule)
		}
		v, err := decodeItem(b)
		if err != nil || !m(v) {
			t.Errorf("%s: %x is not a %s (%v)", path, b, rule, err)
		}
		described[rule] = true
		if items, ok := v.([]any); ok && (m(items[1:]) || m(append(items, nil))) {
			t.Errorf("%s: a %s with an item more or less is one too", path, rule)
		}
	}
	r := &runner{T: t}
	for _, path := range paths(t) {
		var c Common
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.Expect != "ok" {
			continue
		}
		switch c.Kind {
		case "leaves":
			var f Leaves
			r.read(path, &f)
			for _, l := range f.Leaves {
				check(path, "leaf", l.Encoded)
			}
		case "records":
			var f Records
			r.read(path, &f)
			for _, v := range f.Records {
				check(path, "record", v.Encoded)
			}
		case "statement":
			var f Statement
			r.read(path, &f)
			check(path, "statement", f.Statement)
			kind := strings.TrimSuffix(strings.TrimPrefix(f.Type, "application/vnd.credledger."), "+cbor")
			check(path, kind, f.Payload)
		case "presentation":
			var f Presentation
			r.read(path, &f)
			check(path, "presentation", f.Presentation)
		case "entry":
			var f Entry
			r.read(path, &f)
			check(path, "access-entry", f.Entry)
		case "envelope":
			var f EnvelopeFile
			r.read(path, &f)
			check(path, "envelope", f.Envelope)
		case "subject":
			var f SubjectFile
			r.read(path, &f)
			check(path, "subject", f.Subject)
		case "evidence":
			var f EvidenceFile
			r.read(path, &f)
			check(path, "evidence", f.File)
		}
	}
	if len(described) != 8+18 {
		t.Errorf("rules used: %v, want eight and one for each kind of statement", described)
	}
}

// Every error code of the packages stands in the tables of their sections of SPEC, and nothing else does.
func TestSpecificationErrorCodes(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|")
	declared := regexp.MustCompile(`(?m)^\tCode\w+ += "([a-z-]+)"`)
	for _, section := range []struct {
		title string
		files []string
	}{
		{"## 13. Error codes", []string{"../../sdk/statement/errors.go", "../../sdk/credential/errors.go"}},
		{"## 18. Access log", []string{"../../verifier/access/errors.go"}},
		{"## 19. Receipts", []string{"../../verifier/receipt/errors.go"}},
		{"## 21. Envelopes", []string{"../../sdk/envelope/errors.go"}},
		{"### 22.3 Evidence", []string{"../../sdk/grant/errors.go"}},
	} {
		_, table, found := strings.Cut(readSpecification(t), "\n"+section.title)
		if !found {
			t.Fatalf("no section %q", section.title)
		}
		_, table, _ = strings.Cut(table, "\n| code | meaning |\n")
		table, _, _ = strings.Cut(table, "\n\n")
		listed := map[string]bool{}
		for _, code := range row.FindAllStringSubmatch(table, -1) {
			listed[code[1]] = true
		}
		for _, file := range section.files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range declared.FindAllStringSubmatch(string(b), -1) {
				if !listed[code[1]] && code[1] != access.CodeRange { // which is about a caller's mistake
					t.Errorf("%s of %s is not in SPEC", code[1], file)
				}
				delete(listed, code[1])
			}
		}
		if len(listed) != 0 {
			t.Errorf("%s lists codes that are none: %v", section.title, listed)
		}
	}
}
