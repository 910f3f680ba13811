package vault

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb/sqldbtest"
	"github.com/credledger/credledger/sdk/statement"
)

// clerk does what the tests do; both texts must never be found in a database.
var clerk = By{Actor: "clerk-wangfang", Purpose: "purpose-counter-three"}

// A place is an empty database with what a vault in it needs.
type place struct {
	address  string
	copy     func(t testing.TB, from string) string // of a database that nobody has open
	city     *ledgertest.City
	issuer   *ledgertest.Department
	keyFile  string
	ledger   *chain
	mu       sync.Mutex
	now      time.Time
	licences int // deposited so far
}

func newPlace(t testing.TB, address string, duplicate func(t testing.TB, from string) string) *place {
	t.Helper()
	p := &place{address: address, copy: duplicate, city: ledgertest.NewCity(t, "vault"), keyFile: filepath.Join(t.TempDir(), "master.keys"),
		now: time.Unix(ledgertest.Time+3600, 0)}
	p.issuer = p.city.Issuer(t, "marriage")
	p.ledger = newChain()
	must(t, masterkey.Create(p.keyFile))
	return p
}

func sqlitePlace(t testing.TB) *place {
	dir := t.TempDir()
	n := 0
	return newPlace(t, filepath.Join(dir, "a vault #1.db"), func(t testing.TB, from string) string {
		n++
		to := filepath.Join(dir, fmt.Sprintf("copy%d.db", n))
		copyFile(t, from, to)
		if _, err := os.Stat(from + "-wal"); err == nil {
			copyFile(t, from+"-wal", to+"-wal")
		}
		return to
	})
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	must(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, errors.Join(err, out.Close()))
}

func postgresPlace(t testing.TB, server *sqldbtest.Server) *place {
	return newPlace(t, server.Database(t), server.Copy)
}

func (p *place) time() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *place) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *place) keys(t testing.TB) *masterkey.File {
	t.Helper()
	f, err := masterkey.Open(p.keyFile)
	must(t, err)
	return f
}

func (p *place) identity() Identity { return Identity{Ledger: p.city.ID, Department: p.issuer.ID} }

// create makes the vault, compared with the ledger.
func (p *place) create(t testing.TB) *Vault {
	t.Helper()
	v, err := Create(t.Context(), p.address, p.identity(), p.keys(t), p.time)
	must(t, err)
	closeAfter(t, v)
	_, err = v.CatchUp(t.Context(), p.ledger)
	must(t, err)
	return v
}

// open opens the vault once more.
func (p *place) open(t testing.TB) *Vault {
	t.Helper()
	v, err := Open(t.Context(), p.address, p.keys(t), p.time)
	must(t, err)
	closeAfter(t, v)
	return v
}

func closeAfter(t testing.TB, v *Vault) {
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// deposits makes n licences that are told by number i.
func (p *place) deposits(n int) []Deposit {
	out := make([]Deposit, n)
	for i := range out {
		p.licences++
		k := p.licences
		until := licence.Date(ledgertest.Day + 100 + k)
		out[i] = Deposit{
			Number: fmt.Sprintf("J110101-2026-%06d", k), Holders: []string{holderOf(2 * k), holderOf(2*k + 1)},
			ValidUntil: &until, Content: contentOf(k),
		}
		copy(out[i].Digest[:], fmt.Sprintf("digest %d", k))
		out[i].Digest = sm.Sum(out[i].Digest[:])
	}
	return out
}

func holderOf(k int) string { return fmt.Sprintf("11010119900101%04d", k) }

func contentOf(k int) []byte {
	return []byte(fmt.Sprintf("content-of-licence-%06d ", k) + strings.Repeat("fields and salts ", 40))
}

// sign signs a head over deposits.
func (p *place) sign(t testing.TB, typ string, deposits []Deposit, change func(*statement.Head)) []byte {
	t.Helper()
	var digests []byte
	for _, d := range deposits {
		digests = append(digests, d.Digest[:]...)
	}
	head := &statement.Head{Ledger: p.city.ID, Issuer: p.issuer.ID, Unit: p.issuer.Profile.Units[0].ID, Type: typ, TypeVersion: 1,
		Root: rootOf(digests), Size: uint32(len(deposits)), SignedAt: uint64(p.time().Unix())}
	if change != nil {
		change(head)
	}
	signed, err := statement.Sign(head, p.issuer.Anchor)
	must(t, err)
	return signed
}

// add puts a batch into a vault.
func (p *place) add(t testing.TB, v *Vault, deposits []Deposit) *Batch {
	t.Helper()
	b, err := p.tryAdd(t, v, deposits)
	must(t, err)
	return b
}

func (p *place) tryAdd(t testing.TB, v *Vault, deposits []Deposit) (b *Batch, err error) {
	t.Helper()
	sealed, err := v.Seal(t.Context(), "marriage", deposits)
	must(t, err)
	head := p.sign(t, "marriage", deposits, nil)
	err = v.Write(t.Context(), clerk, func(tx *Tx) error {
		b, err = tx.AddBatch(NewBatch{Head: head}, sealed)
		return err
	})
	return b, err
}

// anchor puts a batch on the ledger, and notes that in the vault.
func (p *place) anchor(t testing.TB, v *Vault, b *Batch) {
	t.Helper()
	at := p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{b.Head}, Digests: b.Digests})
	write(t, v, func(tx *Tx) error { return tx.Anchored(b.ID, at) })
}

// status makes a change of state of a licence, or of a root if index is negative, on the ledger.
func (p *place) status(t testing.TB, b *Batch, index int, c Change, from licence.State) {
	t.Helper()
	body := &statement.Status{Ledger: p.city.ID, Issuer: p.issuer.ID, Root: b.Root, Sequence: c.Sequence, From: string(from), To: string(c.To),
		Effective: int32(c.Effective), Reason: sm.Sum([]byte("reason")), SignedAt: uint64(p.time().Unix())}
	if c.Sequence > 1 {
		previous := sm.Sum([]byte("the one before"))
		body.Previous = &previous
	}
	if index >= 0 {
		body.Licence = &statement.Place{Root: b.Root, Index: uint32(index), Digest: sm.Hash(b.Digests[index*sm.HashSize:])}
	}
	signed, err := statement.Sign(body, p.issuer.Status)
	must(t, err)
	p.ledger.commit(p.issuer.ID, &chaincode.Transaction{Statements: [][]byte{signed}})
}

// A chain is a ledger without rules, as far as a vault needs one.
type chain struct {
	mu     sync.Mutex
	blocks []*ledger.Block
}

func newChain() *chain {
	c := new(chain)
	c.add(ledger.Transaction{})
	return c
}

func (c *chain) add(tx ledger.Transaction) ledger.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &ledger.Block{Number: uint64(len(c.blocks))}
	if n := len(c.blocks); n > 0 {
		b.Previous = c.blocks[n-1].Hash
	}
	if tx.Bytes != nil {
		b.Transactions = []ledger.Transaction{tx}
	}
	b.Hash = sm.Sum(append(b.Previous[:], tx.Bytes...))
	c.blocks = append(c.blocks, b)
	return ledger.Position{Block: b.Number, Index: tx.Index}
}

func (c *chain) commit(actor string, tx *chaincode.Transaction) ledger.Position {
	return c.add(ledger.Transaction{ID: "tx", Index: 3, Actor: actor, Bytes: tx.Bytes()})
}

func (c *chain) Head(context.Context) (ledger.Head, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ledger.Head{Height: uint64(len(c.blocks)), Hash: c.blocks[len(c.blocks)-1].Hash}, nil
}

func (c *chain) Follow(_ context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	c.mu.Lock()
	blocks := c.blocks
	c.mu.Unlock()
	return func(yield func(*ledger.Block, error) bool) {
		for _, b := range blocks[from:] {
			if !yield(b, nil) {
				return
			}
		}
		yield(nil, &ledger.Error{Code: ledger.CodeClosed, Message: "the chain of a test does not wait"})
	}
}

// write does a transaction that must succeed.
func write(t testing.TB, v *Vault, do func(*Tx) error) {
	t.Helper()
	must(t, v.Write(t.Context(), clerk, do))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks that an error has a code, and a text that tells nothing of a licence.
func refused(t testing.TB, err error, code string) {
	t.Helper()
	if Code(err) != code {
		t.Fatalf("error %v, code %q; want %s", err, Code(err), code)
	}
	for _, secret := range []string{"J110101", "110101199", "content-of", clerk.Actor, clerk.Purpose} {
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("the error repeats %q: %v", secret, err)
		}
	}
}

// cases are what both databases have to do.
var cases = []struct {
	name string
	test func(*testing.T, *place)
}{}

func TestSQLite(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, sqlitePlace(t)) })
	}
}

func TestPostgreSQL(t *testing.T) {
	server := sqldbtest.PostgreSQL(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, postgresPlace(t, server)) })
	}
	t.Run("outage", func(t *testing.T) { testOutage(t, postgresPlace(t, server), server) })
	t.Run("scrubbed", func(t *testing.T) { testScrubbedPostgreSQL(t, postgresPlace(t, server), server) })
}

// dump returns all that is in the tables of a vault.
func dump(t testing.TB, v *Vault) []byte {
	t.Helper()
	var out []byte
	for _, table := range allTables {
		rows, err := v.db.Read().Query("SELECT * FROM " + table)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values := make([]sql.RawBytes, len(columns))
			targets := make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			must(t, rows.Scan(targets...))
			for _, value := range values {
				out = append(append(out, value...), 0)
			}
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
	return out
}

var allTables = []string{"vault_meta", "vault_turn", "vault_type", "vault_job", "vault_batch", "vault_lost", "vault_licence", "vault_key", "vault_content",
	"vault_holder", "vault_opening", "vault_binding", "vault_history", "vault_claim", "vault_proposal", "vault_outbox", "vault_told", "vault_retired", "vault_migration"}

// count returns how many rows a query finds.
func count(t testing.TB, v *Vault, table, where string, args ...any) (n int) {
	t.Helper()
	must(t, v.db.Read().QueryRow("SELECT COUNT(*) FROM "+table+" WHERE "+where, args...).Scan(&n))
	return n
}

// same reports a difference.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s is %v; want %v", what, got, want)
	}
}

func sameBytes(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s is %.40q; want %.40q", what, got, want)
	}
}

// inParallel runs something n times at once.
func inParallel(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
