package receipt_test

import (
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// verifierID is the department whose verifier gives the receipts.
const verifierID = ledgertest.Properties

// A book is an access log in memory, of a verifier in a city.
type book struct {
	testing.TB
	city *verifiertest.City
	name string
	key  *sm.PrivateKey // signs checkpoints
	rows [][]sm.Hash    // Nodes: whole subtrees
}

func newBook(tb testing.TB, city *verifiertest.City) *book {
	tb.Helper()
	return &book{TB: tb, city: city, name: "main", key: city.Department(tb, verifierID).Log, rows: [][]sm.Hash{nil}}
}

// Node implements access.Nodes.
func (b *book) Node(level uint, index uint64) (sm.Hash, error) { return b.rows[level][index], nil }

func (b *book) size() uint64 { return uint64(len(b.rows[0])) }

func (b *book) append(leaf sm.Hash) {
	for level := 0; ; level++ {
		if level == len(b.rows) {
			b.rows = append(b.rows, nil)
		}
		row := append(b.rows[level], leaf)
		b.rows[level] = row
		if len(row)%2 == 1 {
			return
		}
		leaf = sm.SumNode(&row[len(row)-2], &row[len(row)-1])
	}
}

// verification verifies what is shown, records that, and returns the receipt.
func (b *book) verification(l *verifiertest.Licence) *receipt.File {
	b.Helper()
	p := l.Show()
	v := b.city.Verify(p)
	var salt access.Salt
	if _, err := rand.Read(salt[:]); err != nil {
		b.Fatal(err)
	}
	entry := &access.Entry{
		Time: b.city.Clock.Unix(), Agency: "housing-bureau", Clerk: "王一", Unit: "hall-1", Matter: "second-hand-home-transfer",
		Case: "20261107-0042", OnBehalf: "tax-bureau", Type: p.Record.Type,
		Licence:      access.LicenceCommitment(salt, p.Record.Issuer, v.Opened.Digest),
		Presentation: access.PresentationCommitment(salt, sm.Sum(p.Bytes())),
		Fields:       []string{l.Type.NumberField().Key}, Outcome: string(v.Outcome), Reasons: v.Reasons(), Day: int32(licence.DateOf(v.Now)),
		Height: v.Known.Height, Heartbeat: v.Known.Heartbeat.Time,
	}
	return b.record(entry, salt, sm.Sum(p.Bytes()))
}

// record records an entry, and returns the receipt for it.
func (b *book) record(entry *access.Entry, salt access.Salt, presentation sm.Hash) *receipt.File {
	b.Helper()
	encoded, err := entry.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	b.append(access.Leaf(encoded))
	return &receipt.File{
		Entry: entry, Encoded: encoded, Salt: salt, Presentation: presentation, Proof: b.prove(b.size()-1, b.checkpoint()),
	}
}

// fill appends entries that nobody asks for.
func (b *book) fill(n int) {
	for i := range n {
		b.append(sm.Sum([]byte{byte(i), byte(len(b.rows[0]))}))
	}
}

// tree is that of the log as it was when it had so many entries.
func (b *book) tree(size uint64) *access.Tree {
	b.Helper()
	tree, err := access.NewTree(b, size)
	if err != nil {
		b.Fatal(err)
	}
	return tree
}

// checkpoint is one of the log as it is, signed with its key.
func (b *book) checkpoint() *access.Checkpoint {
	b.Helper()
	return sign(b, &statement.Checkpoint{
		Ledger: b.city.ID, Department: verifierID, Log: b.name, Size: b.size(), Root: b.tree(b.size()).Root(), SignedAt: b.city.Clock.Unix(),
	}, b.key)
}

func sign(tb testing.TB, body *statement.Checkpoint, key sm.Signer) *access.Checkpoint {
	tb.Helper()
	c, err := access.SignCheckpoint(body, key)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// anchor brings a checkpoint of the log as it is to the ledger.
func (b *book) anchor() *access.Checkpoint {
	b.Helper()
	c := b.checkpoint()
	b.city.Submit(verifierID, &chaincode.Transaction{Statements: [][]byte{c.Signed.Bytes()}})
	return c
}

// prove is the proof of an entry by a checkpoint.
func (b *book) prove(index uint64, c *access.Checkpoint) *access.Proof {
	b.Helper()
	path, err := b.tree(c.Size).Inclusion(index)
	if err != nil {
		b.Fatal(err)
	}
	return &access.Proof{Checkpoint: c, Index: index, Path: path}
}

// upgraded is a file with the proof by another checkpoint.
func (b *book) upgraded(f *receipt.File, c *access.Checkpoint) *receipt.File {
	b.Helper()
	out := *f
	out.Proof = b.prove(f.Proof.Index, c)
	return &out
}

// judge sends a file through its JSON form and verifies it.
func (b *book) judge(f *receipt.File) receipt.Report {
	b.Helper()
	r, err := receipt.Verify(parse(b, marshal(b, f)), nil, b.city.Index)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *book) want(f *receipt.File, outcome receipt.Outcome, code string) receipt.Report {
	b.Helper()
	r := b.judge(f)
	if r.Outcome != outcome || r.Code != code {
		b.Errorf("got %s, %q, want %s, %q", r.Outcome, r.Code, outcome, code)
	}
	return r
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func parse(tb testing.TB, b []byte) *receipt.File {
	tb.Helper()
	f, err := receipt.Parse(b)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// endKey retires the log's key, or declares it compromised, and enrols another that signs from now on.
func (b *book) endKey(action string) {
	b.Helper()
	d := b.city.Department(b, verifierID)
	end := b.city.EndKey(verifierID, b.key, action)
	b.city.Submit(verifierID, ledgertest.Sign(b, end, d.Govern))
	next, err := sm.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	enrol := b.city.Enrolment(verifierID, next, statement.PurposeLog)
	b.city.Submit(verifierID, ledgertest.Sign(b, enrol, d.Govern, next))
	b.key = next
}

// What a reader of receipts can know a ledger by.
var (
	_ receipt.Trust = (*index.Index)(nil)
	_ receipt.Trust = (*snapshot.View)(nil)
)
