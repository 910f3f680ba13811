package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/strictyaml"
)

type settings struct {
	Name  string   `yaml:"name"`
	Ports []uint16 `yaml:"ports"`
}

func TestDecode(t *testing.T) {
	var s settings
	if err := strictyaml.Decode([]byte("# ours\nname: a\nports: [1, 2]\n"), &s); err != nil || s.Name != "a" || len(s.Ports) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, bad := range []struct{ text, says string }{
		{"", "empty"},
		{"# nothing\n", "empty"},
		{"name: a\n---\nname: b\n", "more than one"},
		{"name: a\nnmae: b\n", "nmae"},
		{"name: a\nname: b\n", "name"},
		{"ports: many\n", "[1:8]"},
		{"ports: [70000]\n", "70000"},
		{"name: [\n", ""},
		{"- name\n", ""},
	} {
		err := strictyaml.Decode([]byte(bad.text), new(settings))
		if err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%q: %v, want an error that says %q", bad.text, err, bad.says)
		}
	}
}

// FuzzDecode: no text ends the process.
func FuzzDecode(f *testing.F) {
	f.Add("name: a\nports: [1]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 4096 {
			strictyaml.Decode([]byte(text), new(settings))
		}
	})
}
