package policy_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/credledger/credledger/sdk/grant/policy"
)

// Every code that a decision can have is said in words.
func TestText(t *testing.T) {
	codes := regexp.MustCompile(`Code\w+ += "([a-z-]+)"`)
	for file, only := range map[string]string{"decide.go": "", "../errors.go": "grant-"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range codes.FindAllStringSubmatch(string(b), -1) {
			code := found[1]
			if len(code) < len(only) || code[:len(only)] != only {
				continue
			}
			if text := policy.Text(code); text.Zh == "" || text.En == "" || text.En == code {
				t.Errorf("%s is said as %+v", code, text)
			}
		}
	}
	if text := policy.Text("unheard-of"); text.Zh != "unheard-of" || text.En != "unheard-of" {
		t.Errorf("what has no text is said as %+v", text)
	}
}
