package catalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/licence/catalog"
)

func TestBuiltIn(t *testing.T) {
	types, err := catalog.Types()
	if err != nil {
		t.Fatal(err)
	}
	departments, err := catalog.Departments()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, typ := range types {
		known[typ.ID] = true
	}
	if len(types) != 3 || !known["business"] || !known["marriage"] || !known["property"] {
		t.Errorf("types %v", known)
	}
	issuers := 0
	for _, d := range departments {
		for _, id := range d.Issues {
			issuers++
			if !known[id] {
				t.Errorf("%s issues %s, which is no type", d.ID, id)
			}
		}
	}
	if len(departments) != 4 || issuers != 3 {
		t.Errorf("%d departments, %d issuers", len(departments), issuers)
	}
}

func TestLoad(t *testing.T) {
	marriage, err := os.ReadFile("marriage.json")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(string(marriage), `"version": 1`, `"version": 2`, 1)
	otherID := strings.Replace(string(marriage), `"id": "marriage"`, `"id": "wedding"`, 1)
	otherCode := strings.Replace(second, `"code": "1110000000DEM0001W001"`, `"code": "1110000000DEM0001W008"`, 1)
	for _, c := range []struct {
		name  string
		files map[string]string
		types int // -1: an error that names the file bad.json
	}{
		{"one", map[string]string{"a.json": string(marriage), "departments.json": "not read", "README.md": "not read"}, 1},
		{"two versions", map[string]string{"a.json": string(marriage), "b.json": second}, 2},
		{"the same version twice", map[string]string{"a.json": string(marriage), "bad.json": string(marriage)}, -1},
		{"the same code under two ids", map[string]string{"a.json": string(marriage), "bad.json": otherID}, -1},
		{"another code in another version", map[string]string{"a.json": string(marriage), "bad.json": otherCode}, -1},
		{"malformed", map[string]string{"a.json": string(marriage), "bad.json": "{}"}, -1},
		{"too large", map[string]string{"a.json": string(marriage), "bad.json": string(marriage) + strings.Repeat(" ", 1<<20)}, -1},
		{"nothing", map[string]string{"departments.json": "[]"}, -2},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		types, err := catalog.Load(dir)
		if c.types >= 0 {
			if err != nil || len(types) != c.types {
				t.Errorf("%s: %d types, %v", c.name, len(types), err)
			}
		} else if err == nil || c.types == -1 && !strings.Contains(err.Error(), "bad.json") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := catalog.Load(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("a directory that does not exist was loaded")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bad.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.Load(dir); err == nil {
		t.Error("a directory was loaded as a type")
	}
}
