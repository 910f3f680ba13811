package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// memory is the state of a ledger.
type memory map[string][]byte

func (m memory) Get(key string) ([]byte, error) { return m[key], nil }

// errBroken is a state that cannot be read.
type errBroken struct{}

func (errBroken) Error() string                { return "the state cannot be read" }
func (e errBroken) Get(string) ([]byte, error) { return nil, e }

// replay applies transactions, one to a block.
func replay(state memory, all []ledger.Transaction) func(*Replay) error {
	return func(r *Replay) error {
		for i := range all {
			number := uint64(i)
			err := r.Block(number, sm.Hash{byte(i)}, uint64(len(all)), func() error {
				writes, err := r.Apply(state, ledger.Position{Block: number}, &all[i])
				for _, w := range writes {
					state[w.Key] = w.Value
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return r.End()
	}
}

// story is a small ledger, and the position of five status changes in it.
func story(t *testing.T) (city *ledgertest.City, all []ledger.Transaction, changes int) {
	t.Helper()
	city = ledgertest.NewCity(t, t.Name())
	add := func(actor string, tx *chaincode.Transaction) {
		all = append(all, ledger.Transaction{Actor: actor, Bytes: tx.Bytes()})
	}
	add(ledgertest.Authority, &chaincode.Transaction{Statements: [][]byte{city.Genesis}})
	for _, s := range append(city.Admit(t, city.Department(t, ledgertest.Properties)), city.Publish(t, city.Type(t, "property"))) {
		add(s.Actor, s.Tx)
	}
	b := city.Digests(t, "property", 8, nil, nil)
	add(b.Issuer, b.Tx)
	var list []*statement.Status
	for i := range 5 {
		list = append(list, b.Change(i, licence.Revoked))
	}
	changes = len(all)
	add(b.Issuer, ledgertest.SignAll(t, list, b.Department.Status))
	return city, all, changes
}

// alter changes a statement of a transaction.
func alter(t *testing.T, tx *ledger.Transaction, i int, change func(signed []byte)) {
	t.Helper()
	parsed, err := chaincode.ParseTransaction(tx.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Statements[i] = bytes.Clone(parsed.Statements[i])
	change(parsed.Statements[i])
	tx.Bytes = parsed.Bytes()
}

func TestRun(t *testing.T) {
	city, all, _ := story(t)
	var progress []uint64
	expect := ledger.Head{Height: 2, Hash: sm.Hash{1}}
	o := Options{Expect: &expect, Progress: func(done, total uint64) { progress = append(progress, done, total) }}
	r, err := Run(t.Context(), o, replay(memory{}, all))
	if err != nil || !r.Clean() {
		t.Fatalf("%v, %v", r, err)
	}
	n := uint64(len(all))
	if r.Ledger != city.ID || r.Blocks != n || r.Transactions != n || r.Head != (ledger.Head{Height: n, Hash: sm.Hash{byte(n - 1)}}) {
		t.Errorf("%+v; want ledger %s with %d transactions", r, city.ID, n)
	}
	// Five changes are one transaction, and each of six enrolments has two signatures.
	if want := n + 4 + 6; r.Statements != want || r.Signatures != want {
		t.Errorf("%d statements, %d signatures; want %d", r.Statements, r.Signatures, want)
	}
	if len(progress) != 2*len(all) || progress[0] != 1 || progress[len(progress)-2] != n || progress[1] != n {
		t.Errorf("progress %v", progress)
	}
}

func TestApplyNamesWhatIsWrong(t *testing.T) {
	lastByte := func(signed []byte) { signed[len(signed)-1] ^= 1 }
	for _, test := range []struct {
		name   string
		change func(all []ledger.Transaction, changes int)
		want   Finding // but for block and message
	}{
		{"a signature", func(all []ledger.Transaction, i int) { alter(t, &all[i], 3, lastByte) },
			Finding{Statement: 3, Kind: statement.KindStatus, Code: chaincode.CodeSignature}},
		{"a payload", func(all []ledger.Transaction, i int) {
			alter(t, &all[i], 2, func(signed []byte) { copy(signed[bytes.Index(signed, []byte("revoked")):], "revoket") })
		}, Finding{Statement: 2, Kind: statement.KindStatus, Code: chaincode.CodeTransition}},
		{"a statement that is none any more", func(all []ledger.Transaction, i int) {
			alter(t, &all[i], 4, func(signed []byte) { signed[len(signed)-66] ^= 0x20 })
		}, Finding{Statement: 4, Kind: statement.KindStatus, Code: statement.CodeMalformed}},
		{"the submitter", func(all []ledger.Transaction, i int) { all[i].Actor = ledgertest.Authority },
			Finding{Kind: statement.KindStatus, Code: chaincode.CodeWrongOrganisation}},
		{"what is no transaction", func(all []ledger.Transaction, i int) { all[i].Bytes = []byte{0} },
			Finding{Statement: -1, Code: chaincode.CodeMalformed}},
		{"a transaction of nothing", func(all []ledger.Transaction, i int) { all[i].Bytes = new(chaincode.Transaction).Bytes() },
			Finding{Statement: -1, Code: chaincode.CodeMalformed}},
		{"a transaction that was there before", func(all []ledger.Transaction, i int) { all[i] = all[i-1] },
			Finding{Statement: -1, Code: FindingNoEffect}},
	} {
		_, all, changes := story(t)
		test.change(all, changes)
		r, err := Run(t.Context(), Options{}, replay(memory{}, all))
		if err != nil || len(r.Findings) != 1 || r.Incomplete {
			t.Errorf("%s: %v, %v", test.name, r, err)
			continue
		}
		f := r.Findings[0]
		if f.Message == "" || !strings.Contains(f.String(), f.Code) {
			t.Errorf("%s: the finding says too little: %s", test.name, f)
		}
		test.want.Block = int64(changes)
		if f.Message = ""; f != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, f, test.want)
		}
	}
}

func TestExpect(t *testing.T) {
	_, all, _ := story(t)
	n := uint64(len(all))
	for _, test := range []struct {
		expect ledger.Head
		code   string
		block  int64
	}{
		{ledger.Head{Height: 1, Hash: sm.Hash{0}}, "", 0},
		{ledger.Head{Height: 3, Hash: sm.Hash{9}}, FindingRewritten, 2},
		{ledger.Head{Height: n + 1}, FindingShortened, int64(n) - 1},
	} {
		r, err := Run(t.Context(), Options{Expect: &test.expect}, replay(memory{}, all))
		if err != nil {
			t.Fatal(err)
		}
		if test.code == "" && r.Clean() {
			continue
		}
		if len(r.Findings) != 1 || r.Findings[0].Code != test.code || r.Findings[0].Block != test.block {
			t.Errorf("expecting %s: %v, want %s", test.expect, r.Findings, test.code)
		}
	}
}

func TestRunEnds(t *testing.T) {
	_, all, changes := story(t)
	for i := range 5 {
		alter(t, &all[changes], i, func(signed []byte) { signed[len(signed)-1] ^= 1 })
	}
	for most, want := range map[int]int{0: 5, 2: 2, 5: 5} {
		r, err := Run(t.Context(), Options{MaxFindings: most}, replay(memory{}, all))
		if err != nil || len(r.Findings) != want || r.Incomplete != (most == 2) {
			t.Errorf("at most %d: %v, %v", most, r, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Run(ctx, Options{}, replay(memory{}, all)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", r, err)
	}
	r, err := Run(t.Context(), Options{}, func(r *Replay) error {
		_, err := r.Apply(errBroken{}, ledger.Position{}, &all[0])
		return err
	})
	if !errors.Is(err, errBroken{}) {
		t.Errorf("a state that cannot be read: %v, %v", r, err)
	}
	r, err = Run(t.Context(), Options{MaxFindings: 3}, func(r *Replay) error {
		for i := 0; ; i++ {
			if err := r.Find(Nowhere().Because("a-code", "number %d", i)); err != nil {
				return fmt.Errorf("find: %w", err)
			}
		}
	})
	if err != nil || len(r.Findings) != 3 || !r.Incomplete {
		t.Errorf("findings without an end: %v, %v", r, err)
	}
}

// TestFindingsAreInOrder asks for the order of the ledger: what concerns a whole comes after its
// parts, and what is nowhere last.
func TestFindingsAreInOrder(t *testing.T) {
	want := []Finding{
		{Block: 1, Transaction: 0, Statement: 2}, {Block: 1, Transaction: 0, Statement: -1}, {Block: 1, Transaction: 3, Statement: 0},
		{Block: 1, Transaction: -1, Statement: -1}, {Block: 2, Transaction: 0, Statement: 0}, Nowhere(),
	}
	r, err := Run(t.Context(), Options{}, func(r *Replay) error {
		for _, f := range slices.Backward(want) {
			if err := r.Find(f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !slices.Equal(r.Findings, want) {
		t.Errorf("%v, %v", r.Findings, err)
	}
}

func TestFindingString(t *testing.T) {
	p := ledger.Position{Block: 7, Index: 2}
	for want, f := range map[string]Finding{
		"ledger: a-code: why":                                   Nowhere().Because("a-code", "why"),
		"block 7: a-code: why 5":                                InBlock(7).Because("a-code", "why %d", 5),
		"block 7, transaction 7-2: a-code: why":                 InTransaction(p).Because("a-code", "a-code: why"),
		"block 7, transaction 7-2, statement 1 (head): a: b":    {Block: 7, Transaction: 2, Statement: 1, Kind: statement.KindHead, Code: "a", Message: "b"},
		"block 7, transaction 7-2, state anchor/x: a-code: why": {Block: 7, Transaction: 2, Statement: -1, StateKey: "anchor/x", Code: "a-code", Message: "why"},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestScratch asks that what an audit remembers is on disk, and gone with it.
func TestScratch(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	_, err := Run(t.Context(), Options{}, func(r *Replay) error {
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
			t.Errorf("%v, %v; want one directory", names, err)
		}
		if err := r.Scratch.Set([]byte("key"), make([]byte, 1<<20), pebble.NoSync); err != nil {
			return err
		}
		value, closer, err := r.Scratch.Get([]byte("key"))
		if err != nil || len(value) != 1<<20 {
			t.Errorf("%d bytes, %v", len(value), err)
		}
		return closer.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("the audit left %v, %v", names, err)
	}
	t.Setenv("TMPDIR", dir+"/absent")
	if _, err := Run(t.Context(), Options{}, func(*Replay) error { return nil }); ledger.Code(err) != CodeScratch {
		t.Errorf("without a temporary directory: %v", err)
	}
}
