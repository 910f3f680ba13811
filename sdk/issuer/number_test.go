package issuer

import (
	"bytes"
	"testing"
)

func TestStem(t *testing.T) {
	for text, want := range map[string]string{
		"J990101-2006-000001":     "J990101-2006-00",
		"示(2018)示范市不动产权第0000001号": "示(2018)示范市不动产权第000号",
		"91990101MA6175603X":      "91990101MA617X",
		"12-34":                   "-",
		"no digits":               "no digits",
		"7":                       "",
		"":                        "",
	} {
		if got := string(appendStem([]byte("x"), text)); got != "x"+want {
			t.Errorf("the stem of %q is %q, want %q", text, got, "x"+want)
		}
	}
}

func TestNumbers(t *testing.T) {
	r := &Register{numberKey: bytes.Repeat([]byte{1}, 32)}
	other := &Register{numberKey: bytes.Repeat([]byte{2}, 32)}
	seen := map[number]string{}
	for name, n := range map[string]*numberer{"a": r.numberer("a"), "b": r.numberer("b"), "other": other.numberer("a")} {
		for _, text := range []string{"", "1", "0001-1", "0001-2", "0002-1", "01-0001", "x0001-1", "0001-1"} {
			got := n.number(text)
			if was, found := seen[got]; found && was != name+text {
				t.Errorf("%s has the name of %s", name+text, was)
			}
			seen[got] = name + text
			if again := n.number(text); again != got {
				t.Errorf("%s has two names", name+text)
			}
		}
	}
	n := r.numberer("a")
	near, far := n.number("J2006-000001"), n.number("J2006-010001")
	if next := n.number("J2006-000002"); [stemSize]byte(next[:]) != [stemSize]byte(near[:]) || [stemSize]byte(next[:]) == [stemSize]byte(far[:]) {
		t.Error("numbers given out one after the other do not stand together")
	}
}
