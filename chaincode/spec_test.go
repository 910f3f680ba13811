package chaincode_test

import (
	"os"
	"strings"
	"testing"
)

// The specification has every row of the table of who may do what, and every code.
func TestSpecification(t *testing.T) {
	b, err := os.ReadFile("../docs/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(b)
	rows, err := os.ReadFile("testdata/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(string(rows), "\n") {
		if row != "" && !strings.Contains(spec, row+"\n") {
			t.Errorf("docs/SPEC.md lacks: %s", row)
		}
	}
	for _, code := range codes(t) {
		if !strings.Contains(spec, "| `"+code+"` | ") {
			t.Errorf("docs/SPEC.md does not explain %s", code)
		}
	}
}
