package fabric

import (
	"encoding/json"
	"strings"
	"testing"
)

func parseObject(t *testing.T, text string) object {
	t.Helper()
	var o object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCompareMembers(t *testing.T) {
	two := parseObject(t, `{"groups":{"a":{},"b":{}}}`)
	three := parseObject(t, `{"groups":{"a":{},"b":{},"c":{}}}`)
	for name, test := range map[string]struct {
		current, wanted object
		admitted        string
		missing         bool
		says            string
	}{
		"the same":                 {two, two, "", false, ""},
		"one more":                 {two, three, "", false, "network add-org c"},
		"one more, to be admitted": {two, three, "c", true, ""},
		"another to be admitted":   {two, three, "b", false, "network add-org c"},
		"one fewer":                {three, two, "", false, "put it back"},
		"admitted already":         {three, three, "c", false, ""},
	} {
		missing, err := compareMembers(test.current, test.wanted, test.admitted)
		if missing != test.missing || (err != nil) != (test.says != "") || err != nil && (Code(err) != CodeChannelDiffers || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: %v, %v", name, missing, err)
		}
	}
}

func TestComparePolicies(t *testing.T) {
	topology := parseObject(t, `{"policies":{"Endorsement":{"policy":{"n":2},"version":"0"}}}`)
	if err := comparePolicies(parseObject(t, `{"policies":{"Endorsement":{"policy":{"n":2},"version":"5"},"Own":{}}}`), topology); err != nil {
		t.Error(err)
	}
	for _, other := range []string{`{"policies":{"Endorsement":{"policy":{"n":1}}}}`, `{"policies":{}}`, `{}`} {
		if err := comparePolicies(parseObject(t, other), topology); Code(err) != CodeChannelDiffers || !strings.Contains(err.Error(), "Endorsement") {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func TestReplaced(t *testing.T) {
	before := parseObject(t, `{"a":{"b":{"x":1,"y":2},"c":3}}`)
	after, err := replaced(before, object{"x": 7}, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(after, object{"a": object{"b": object{"x": 7, "y": 2}, "c": 3}}) || !sameJSON(before, parseObject(t, `{"a":{"b":{"x":1,"y":2},"c":3}}`)) {
		t.Errorf("%v became %v", before, after)
	}
	if _, err := replaced(before, object{}, "a", "z"); err == nil {
		t.Error("a part that is not there was replaced")
	}
}

func TestEnoughSignatures(t *testing.T) {
	n := newExample(t)
	members := parseObject(t, `{"data-bureau":{},"b":{},"c":{},"d":{}}`)
	for signers, want := range map[string]bool{
		"": false, "data-bureau": false, "data-bureau b": false, "b c d": false, "data-bureau b c": true, "data-bureau b x": false,
	} {
		if got, err := n.enough(members, strings.Fields(signers)); err != nil || got != want {
			t.Errorf("%q: %v, %v", signers, got, err)
		}
	}
}
