package issuer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// bundle reads the credentials in a bundle.
func bundle(tb testing.TB, path string) []*credential.Presentation {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var out []*credential.Presentation
	for len(b) > 0 {
		p, n, err := credential.ParsePrefix(b)
		if err != nil {
			tb.Fatalf("credential %d of %s: %v", len(out)+1, path, err)
		}
		out, b = append(out, p), b[n:]
	}
	return out
}

// directory reads the credentials that are files of their own; nothing else may be in the directory
// but what is named.
func directory(tb testing.TB, dir string, others ...string) []*credential.Presentation {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range others {
		known[name] = true
	}
	var out []*credential.Presentation
	for _, e := range entries {
		if known[e.Name()] {
			continue
		}
		if filepath.Ext(e.Name()) != ".cred" {
			tb.Errorf("%s is left in the output directory", e.Name())
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		p, err := credential.Parse(b)
		if err != nil {
			tb.Fatalf("%s: %v", e.Name(), err)
		}
		out = append(out, p)
	}
	return out
}

// kept is what the vault says of itself.
type kept struct {
	heads    map[sm.Hash][]byte // by root
	states   map[sm.Hash]string
	licences int64 // in all batches
}

// kept reads the vault.
func (d *desk) kept(tb testing.TB) *kept {
	tb.Helper()
	k := &kept{heads: map[sm.Hash][]byte{}, states: map[sm.Hash]string{}}
	for _, state := range []string{vault.Pending, vault.Anchored, vault.Delivered} {
		batches, err := d.vault.Batches(tb.Context(), state, 0, 0, 1<<30)
		if err != nil {
			tb.Fatal(err)
		}
		for _, b := range batches {
			k.heads[b.Root], k.states[b.Root] = b.Head, b.State
			k.licences += int64(b.Size)
		}
	}
	for _, done := range []bool{false, true} {
		jobs, err := d.vault.Jobs(tb.Context(), done, 1<<30)
		if err != nil {
			tb.Fatal(err)
		}
		for _, j := range jobs {
			totals, err := d.vault.JobTotals(tb.Context(), j.ID)
			if err != nil {
				tb.Fatal(err)
			}
			if j.Records != j.Accepted+j.Rejected || totals.Licences != j.Accepted {
				tb.Errorf("job %d has settled %d records, issued %d and rejected %d, and the vault has %d", j.ID, j.Records, j.Accepted, j.Rejected, totals.Licences)
			}
		}
	}
	return k
}

// anchors returns the signed heads that the department has on the ledger, by root.
func (d *desk) anchors(tb testing.TB) map[sm.Hash][]byte {
	tb.Helper()
	found := map[sm.Hash][]byte{}
	after := []string{d.department.ID}
	for {
		b, err := d.ledger.Evaluate(tb.Context(), chaincode.Query{Name: "anchors", Args: after})
		if err != nil {
			tb.Fatal(err)
		}
		var page []struct {
			Root      sm.Hash
			Statement []byte
		}
		if err := json.Unmarshal(b, &page); err != nil {
			tb.Fatal(err)
		}
		if len(page) == 0 {
			return found
		}
		for _, a := range page {
			found[a.Root] = a.Statement
		}
		after = []string{d.department.ID, page[len(page)-1].Root.String()}
	}
}

// checkKnown makes sure of what must hold at any moment: whatever is on the ledger is in the vault,
// byte for byte, and what the vault takes for anchored is on the ledger.
func (d *desk) checkKnown(tb testing.TB) {
	tb.Helper()
	r, anchors := d.kept(tb), d.anchors(tb)
	for root, head := range anchors {
		if !bytes.Equal(r.heads[root], head) {
			tb.Errorf("the root %s is on the ledger, and not in the vault as it is there", root)
		}
	}
	for root, state := range r.states {
		if state != vault.Pending && anchors[root] == nil {
			tb.Errorf("the root %s is %s in the vault, and not on the ledger", root, state)
		}
	}
}

// checkIssued makes sure of what must hold when jobs are done: each licence was issued once, is in the
// vault, is on the ledger, and verifies.
func (d *desk) checkIssued(tb testing.TB, credentials []*credential.Presentation, want int) []*credential.Opened {
	tb.Helper()
	d.checkKnown(tb)
	if len(credentials) != want {
		tb.Errorf("there are %d credentials, want %d", len(credentials), want)
	}
	r, anchors := d.kept(tb), d.anchors(tb)
	places := map[string]bool{}
	digests := map[sm.Hash]bool{}
	numbers := map[string]bool{}
	var opened []*credential.Opened
	for i, c := range credentials {
		o, err := c.Open(d.typ)
		if err != nil {
			tb.Fatalf("credential %d: %v", i+1, err)
		}
		root := o.Signed.Root
		head, ok := o.HeadStatement()
		switch {
		case !c.Complete():
			tb.Errorf("credential %d is not complete", i+1)
		case r.states[root] != vault.Delivered:
			tb.Errorf("credential %d is of a batch that is %q in the vault", i+1, r.states[root])
		case !ok || !bytes.Equal(head.Bytes(), anchors[root]):
			tb.Errorf("credential %d is not under the head that is on the ledger", i+1)
		case !head.Verify(d.department.Anchor.Public()):
			tb.Errorf("credential %d: the signature does not verify", i+1)
		}
		number, _ := o.Value(d.typ.NumberField().Key)
		place := fmt.Sprint(root, o.Index)
		if places[place] || digests[o.Digest] || numbers[number.String()] {
			tb.Errorf("credential %d was issued twice", i+1)
		}
		places[place], digests[o.Digest], numbers[number.String()] = true, true, true
		opened = append(opened, o)
	}
	return opened
}

// checkReport compares the report of a job that is done with what it should be; all that was issued must be on
// the ledger.
func checkReport(tb testing.TB, got, want issuer.Report) {
	tb.Helper()
	want.Anchored, want.OnLedger = want.Issued, want.Issued
	if want.Reasons == nil {
		want.Reasons = map[string]int64{}
	}
	if got.Job == 0 {
		tb.Error("the report names no job")
	}
	if want.Job = got.Job; !reflect.DeepEqual(got, want) {
		tb.Errorf("the report is %+v, want %+v", got, want)
	}
}

// hasCode fails the test unless an error has a code.
func hasCode(tb testing.TB, err error, code string) {
	tb.Helper()
	if got := issuer.Code(err); err == nil || got != code {
		tb.Fatalf("the error is %v with code %q, want code %q", err, got, code)
	}
}
