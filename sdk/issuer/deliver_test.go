package issuer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/sdk/issuer"
)

// Somebody who can write to the output directory cannot have a credential written elsewhere.
func TestPlantedLink(t *testing.T) {
	d := newDesk(t, "marriage")
	victim := d.file(t, "victim", []byte("as it was"))
	out := d.path("out")
	if err := os.MkdirAll(out, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(out, issuer.CredentialFile(1))
	if err := os.Symlink(victim, name+".part"); err != nil {
		t.Fatal(err)
	}
	input := d.synthetic(t, "input.jsonl", 1, 1)
	report, err := d.Issue(t.Context(), clerk, issuer.Job{Type: "marriage", Inputs: []string{input}, Dir: out}, nil)
	if err != nil || report.Issued != 1 {
		t.Fatalf("issued %d: %v", report.Issued, err)
	}
	if b, err := os.ReadFile(victim); err != nil || string(b) != "as it was" {
		t.Errorf("the file behind the link holds %q (%v)", b, err)
	}
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the credential is not a file of its own: %v", err)
	}
}
