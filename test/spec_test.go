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

// decisionConstant matches a code of a decision in package policy.
var decisionConstant = regexp.MustCompile(`(?m)^\tCode\w+ += "([a-z-]+)"`)

// SPEC explains every code that a decision on a request can have.
func TestSpecExplainsEveryDecision(t *testing.T) {
	source, err := os.ReadFile("../sdk/grant/policy/decide.go")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile("../docs/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := decisionConstant.FindAllSubmatch(source, -1)
	if len(codes) < 6 {
		t.Fatalf("found %d codes only", len(codes))
	}
	for _, code := range codes {
		if !regexp.MustCompile("(?m)^\\| [a-z ]+ \\| `" + string(code[1]) + "` \\|").Match(spec) {
			t.Errorf("docs/SPEC.md does not explain the decision %s", code[1])
		}
	}
}
