package test

import (
	"os"
	"regexp"
	"testing"
)

// reasonConstant matches a reason code in package verify.
var reasonConstant = regexp.MustCompile(`(?m)^\tReason\w+\s+Reason = "([a-z-]+)"`)

// SPEC explains every reason that a verdict can give.
func TestSpecExplainsEveryReason(t *testing.T) {
	source, err := os.ReadFile("../verifier/verify/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile("../docs/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := reasonConstant.FindAllSubmatch(source, -1)
	if len(codes) < 40 {
		t.Fatalf("found %d reasons only", len(codes))
	}
	for _, code := range codes {
		if !regexp.MustCompile("[`/]" + string(code[1]) + "`").Match(spec) {
			t.Errorf("docs/SPEC.md does not explain %s", code[1])
		}
	}
}
