package strictyaml_test

import (
	"strings"
	"testing"
	"time"

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

// numbers has whole numbers, and others, wherever a file can hold them.
type numbers struct {
	Days   int            `yaml:"days"`
	More   *int64         `yaml:"more"`
	ByType map[string]int `yaml:"byType"`
	Ports  []uint16       `yaml:"ports"`
	Inner  *struct {
		N uint8 `yaml:"n"`
	} `yaml:"inner"`
	Untagged int
	Rate     float64       `yaml:"rate"`
	Window   time.Duration `yaml:"window"`
	Name     string        `yaml:"name"`
	Any      any           `yaml:"any"`
	Next     *numbers      `yaml:"next"`
}

func TestWholeNumbers(t *testing.T) {
	for _, good := range []string{
		"days: 15\nrate: 1.5\nwindow: 1.5s\nname: 1.5\nany: [1.5, '2', {days: 1.5}]\n",
		"days: -3\nmore: null\nbyType: {marriage: 0}\nports: [80, 0x50]\ninner: {n: 1}\nuntagged: 2\n",
		"rate: &r 2\ndays: *r\nnext: &n {days: 1}\nany: *n\n",
	} {
		if err := strictyaml.Decode([]byte(good), new(numbers)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []struct{ text, at string }{
		{"days: 1.5\n", "[1:7]"},
		{"days: 1.0\n", "[1:7]"},
		{"days: -0.5\n", "[1:7]"},
		{"days: 1e3\n", "[1:7]"},
		{"days: '7.5'\n", "[1:7]"},
		{"days: \"7\"\n", "[1:7]"},
		{"days: !!float 1.5\n", ""},
		{"name: a\nmore: 1.5\n", "[2:7]"},
		{"byType:\n  marriage: 3\n  property: 1.5\n", "[3:13]"},
		{"ports: [80, 443.5]\n", "[1:13]"},
		{"inner: {n: 1.5}\n", "[1:12]"},
		{"inner:\n  n: 1.5\n", "[2:6]"},
		{"untagged: 1.5\n", "[1:11]"},
		{"rate: &r 1.5\ndays: *r\n", "[1:10]"},
		{"next:\n  next: {days: 0.1}\n", "[2:16]"},
		{"any: &a {days: 0.1}\nnext:\n  <<: *a\n", "[1:16]"},
	} {
		err := strictyaml.Decode([]byte(bad.text), new(numbers))
		if err == nil || !strings.Contains(err.Error(), bad.at+" a whole number") {
			t.Errorf("%q: %v, want one that says where: %s", bad.text, err, bad.at)
		}
	}
}

// FuzzDecode: no text ends the process.
func FuzzDecode(f *testing.F) {
	f.Add("name: a\nports: [1]\n")
	f.Add("next: &x {days: 1}\nany: &x {next: *x}\nbyType: {a: 1.5}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 4096 {
			strictyaml.Decode([]byte(text), new(settings))
			strictyaml.Decode([]byte(text), new(numbers))
		}
	})
}
