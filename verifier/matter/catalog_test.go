package matter_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/matter"
	"github.com/credledger/credledger/verifier/verifiertest"
)

func day(t *testing.T, s string) licence.Date {
	t.Helper()
	d, err := licence.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBuiltin: what the built-in matters ask for is in the dictionaries of the types.
func TestBuiltin(t *testing.T) {
	catalog, err := matter.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	city := verifiertest.New(t)
	all := catalog.All(day(t, "2026-11-07"))
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
		for _, id := range m.Types() {
			if err := m.Check(city.Type(t, id)); err != nil {
				t.Error(err)
			}
		}
		b, err := json.Marshal(m)
		if err != nil || strings.Contains(string(b), "null") {
			t.Errorf("%s, %v", b, err)
		}
	}
	if got := strings.Join(ids, " "); got != "company-opening second-hand-home-transfer" {
		t.Errorf("the matters are %s", got)
	}
	if m := catalog.Matter("second-hand-home-transfer", day(t, "2025-12-31")); m != nil {
		t.Errorf("version %d counts before its first day", m.Version)
	}
}

func TestLoad(t *testing.T) {
	good, err := os.ReadFile("catalog/company-opening.yaml")
	if err != nil {
		t.Fatal(err)
	}
	with := func(old, new string) string {
		out := strings.Replace(string(good), old, new, 1)
		if out == string(good) {
			t.Fatalf("%q is not in the file", old)
		}
		return out
	}
	later := strings.Replace(with("version: 1", "version: 2"), "2026-01-01", "2027-01-01", 1)
	for _, c := range []struct {
		name  string
		files []string
		want  string // of the error; "" for none
	}{
		{"one version", []string{string(good)}, ""},
		{"two versions", []string{later, string(good)}, ""},
		{"none", nil, "there is no matter"},
		{"a version twice", []string{string(good), string(good)}, "in two files"},
		{"a later version from the same day", []string{string(good), with("version: 1", "version: 2")}, "must count from a later day"},
		{"a bad one", []string{with("version: 1", "version: 0")}, "version: must be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := fstest.MapFS{"README.md": {Data: []byte("not a matter")}}
			for i, text := range c.files {
				dir[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
			}
			catalog, err := matter.Load(dir)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for when, version := range map[string]int{"2026-01-01": 1, "2026-12-31": 1, "2027-01-01": len(c.files)} {
				if m := catalog.Matter("company-opening", day(t, when)); m == nil || m.Version != version {
					t.Errorf("on %s: %+v, want version %d", when, m, version)
				}
			}
		})
	}
}
