//go:build network

package verifier

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/credledger/credledger/verifier/receipt"
)

// A verifier of the authority and one of a department, each with a home and a connection of its own,
// sharing a store: licences are verified, withdrawn, and verified again; the network goes away and
// comes back; a service is killed. The access log is anchored, and its audit finds nothing wrong.
func TestVerifierOnNetwork(t *testing.T) {
	w := newWorld(t)
	w.Run(0, "init", "--network", w.network.Network.Topology().Directory, "--catalog", w.Path("types"))
	anyPort := []string{":8080", ":0", ":8443", ":0", ":9464", ":0", "publicPerSecond: 5", "publicPerSecond: 1000", "publicBurst: 30", "publicBurst: 1000"}
	w.Edit(w.Home, "verifier.yaml", anyPort...)
	w.Run(0, "issue", "--department", "civil-affairs", "--type", "marriage", "--out", "out", "marriage-1.json")
	credential := filepath.Join("out", "licence-0000001.cred")
	code := w.Run(0, "present", credential, "--disclose", "registrationDate")

	first := w.serve(w.Home)
	first.Await("a verdict as of now", func() bool { return first.outcome(code) == "valid" })
	first.Await("readiness", func() bool { return first.ready().Ready })
	second := w.serve(w.other(first))
	second.Await("a verdict of the other verifier", func() bool { return second.outcome(code) == "valid" })

	// A killed service goes on where it was.
	first.End(syscall.SIGKILL)
	first = w.serve(w.Home)
	first.Await("readiness after it was killed", func() bool { return first.ready().Ready })
	v := first.verify(map[string]any{"code": code})
	if v.Verdict.Outcome != "valid" {
		t.Errorf("after it was killed: %s", v.Verdict.Outcome)
	}
	w.Must(os.WriteFile(w.Path("receipt.json"), v.Receipt, 0o600))

	// The network goes: verdicts stand until the status is too old, also of a service that starts then.
	time.Sleep(35 * time.Second) // by then the index is on the disk
	w.network.Down()
	first.Await("the outage to be seen", func() bool { return !first.ready().Reached })
	gone := time.Now()
	if got := first.outcome(code); got != "valid" && time.Since(gone) < maxAge/2 {
		t.Errorf("in an outage: %s", got)
	}
	first.Await("the status to be too old", func() bool { return first.outcome(code) == "undetermined" })
	first.End(syscall.SIGKILL)
	first = w.serve(w.Home)
	if got := first.outcome(code); got != "undetermined" {
		t.Errorf("started in an outage: %s", got)
	}
	w.network.Up()
	first.Await("a verdict after the outage", func() bool { return first.outcome(code) == "valid" })
	second.Await("a verdict of the other after the outage", func() bool { return second.outcome(code) == "valid" })

	w.Run(0, "status", "set", "--department", "civil-affairs", "--to", "revoked", "--reason", "divorce", credential)
	first.Await("the revocation", func() bool { return first.outcome(code) == "not-current" })
	second.Await("the revocation at the other", func() bool { return second.outcome(code) == "not-current" })

	// Within a minute or so the entry is under a checkpoint on the ledger, and the receipt can be upgraded, if
	// its own checkpoint is not the one.
	first.Await("the receipt to be anchored", func() bool { return first.upgrade(w.Path("receipt.json"), w.Path("anchored.json")) })
	first.End(syscall.SIGTERM)
	second.End(syscall.SIGTERM)
	w.Run(0, "receipt", "verify", "anchored.json")
	w.Run(0, "access-log", "verify")
	w.RunIn(w.Path("other"), 0, "access-log", "verify")
}

// upgrade puts the proof by a checkpoint on the ledger into a receipt, if there is one.
func (s *service) upgrade(from, to string) bool {
	s.Helper()
	b, err := os.ReadFile(from)
	s.Must(err)
	f, err := receipt.Parse(b)
	s.Must(err)
	var answer struct{ Proof json.RawMessage }
	s.Get("web", fmt.Sprintf("/v1/receipts/%d?leaf=%s", f.Proof.Index, f.Leaf()), &answer)
	if len(answer.Proof) == 0 || string(answer.Proof) == "null" {
		return false
	}
	var file map[string]json.RawMessage
	s.Must(json.Unmarshal(b, &file))
	file["proof"] = answer.Proof
	b, err = json.Marshal(file)
	s.Must(err)
	s.Must(os.WriteFile(to, b, 0o600))
	return true
}

// other makes a home for the verifier of another department, as its operator would.
func (w *world) other(first *service) string {
	w.Helper()
	home := w.Path("other")
	const department = "natural-resources"
	for _, dir := range []string{"keys/" + department, "tlcp", "verifier"} {
		w.Must(os.MkdirAll(filepath.Join(home, dir), 0o700))
	}
	for _, name := range []string{
		"credledger.yaml", "verifier.yaml", "agencies.yaml", "keys/" + department + "/service.pem",
		"tlcp/signing.key", "tlcp/signing.crt", "tlcp/encryption.key", "tlcp/encryption.crt",
	} {
		b, err := os.ReadFile(filepath.Join(w.Home, name))
		w.Must(err)
		w.Must(os.WriteFile(filepath.Join(home, name), b, 0o600))
	}
	w.Edit(home, "verifier.yaml", "data-bureau", department, "store: verifier/store.db", fmt.Sprintf("store: %q", filepath.Join(w.Home, "verifier/store.db")))
	w.RunIn(home, 0, "access-log", "create")
	return home
}
