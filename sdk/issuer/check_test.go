package issuer_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
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

// registered is what the register says of itself.
type registered struct {
	heads    map[sm.Hash][]byte // by root
	states   map[sm.Hash]string
	licences int64 // in all batches
}

// register reads the register's file, as another program would.
func (d *desk) register(tb testing.TB) *registered {
	tb.Helper()
	db, err := sql.Open("sqlite", d.path("register.db"))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	r := &registered{heads: map[sm.Hash][]byte{}, states: map[sm.Hash]string{}}
	rows, err := db.Query("SELECT root, head, state, size FROM batch")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var root, head []byte
		var state string
		var size int64
		if err := rows.Scan(&root, &head, &state, &size); err != nil {
			tb.Fatal(err)
		}
		r.heads[sm.Hash(root)], r.states[sm.Hash(root)] = head, state
		r.licences += size
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	var rowCount, numbers, holding int64
	err = db.QueryRow("SELECT COUNT(*), COUNT(DISTINCT number), COALESCE(SUM(holds), 0) FROM licence").Scan(&rowCount, &numbers, &holding)
	if err != nil {
		tb.Fatal(err)
	}
	if rowCount != r.licences || holding > numbers {
		tb.Errorf("the register has %d licences in batches, %d rows, %d numbers, %d of them held", r.licences, rowCount, numbers, holding)
	}
	var settled, ended int64
	err = db.QueryRow("SELECT COALESCE(SUM(records), 0), COALESCE(SUM(issued + rejected), 0) FROM job").Scan(&settled, &ended)
	if err != nil {
		tb.Fatal(err)
	}
	if settled != ended {
		tb.Errorf("the register has settled %d records, and issued or rejected %d", settled, ended)
	}
	return r
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

// checkKnown makes sure of what must hold at any moment: whatever is on the ledger is in the register,
// byte for byte, and what the register takes for anchored is on the ledger.
func (d *desk) checkKnown(tb testing.TB) {
	tb.Helper()
	r, anchors := d.register(tb), d.anchors(tb)
	for root, head := range anchors {
		if !bytes.Equal(r.heads[root], head) {
			tb.Errorf("the root %s is on the ledger, and not in the register as it is there", root)
		}
	}
	for root, state := range r.states {
		if state != "pending" && anchors[root] == nil {
			tb.Errorf("the root %s is %s in the register, and not on the ledger", root, state)
		}
	}
}

// checkIssued makes sure of what must hold when jobs are done: each licence was issued once, is in the
// register, is on the ledger, and verifies.
func (d *desk) checkIssued(tb testing.TB, credentials []*credential.Presentation, want int) []*credential.Opened {
	tb.Helper()
	d.checkKnown(tb)
	if len(credentials) != want {
		tb.Errorf("there are %d credentials, want %d", len(credentials), want)
	}
	r, anchors := d.register(tb), d.anchors(tb)
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
		case r.states[root] != "delivered":
			tb.Errorf("credential %d is of a batch that is %q in the register", i+1, r.states[root])
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

// hasCode fails the test unless an error has a code.
func hasCode(tb testing.TB, err error, code string) {
	tb.Helper()
	if got := issuer.Code(err); err == nil || got != code {
		tb.Fatalf("the error is %v with code %q, want code %q", err, got, code)
	}
}
