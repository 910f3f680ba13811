package receipt_test

import (
	"crypto/rand"
	"encoding/json"
	"testing"

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
	key  *sm.PrivateKey // signs receipts and checkpoints
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

func (b *book) record(entry *access.Entry, salt access.Salt, presentation sm.Hash) *receipt.File {
	b.Helper()
	encoded, err := entry.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	place := receipt.Place{Ledger: b.city.ID, Verifier: verifierID, Log: b.name, Index: b.size(), Entry: encoded, Salt: salt}
	b.append(access.Leaf(encoded))
	f, err := receipt.Sign(place, presentation, b.key)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// fill appends entries that nobody asks for.
func (b *book) fill(n int) {
	for i := range n {
		b.append(sm.Sum([]byte{byte(i), byte(len(b.rows[0]))}))
	}
}

// checkpoint is one of the log as it is.
func (b *book) checkpoint() *statement.Checkpoint {
	b.Helper()
	root, err := access.Root(b, b.size())
	if err != nil {
		b.Fatal(err)
	}
	return &statement.Checkpoint{Ledger: b.city.ID, Department: verifierID, Log: b.name, Size: b.size(), Root: root, SignedAt: b.city.Clock.Unix()}
}

// sign signs a checkpoint with the log's key.
func (b *book) sign(c *statement.Checkpoint) []byte {
	b.Helper()
	return ledgertest.Sign(b, c, b.key).Statements[0]
}

// anchor submits a checkpoint of the log as it is, and returns it signed.
func (b *book) anchor() []byte {
	b.Helper()
	tx := ledgertest.Sign(b, b.checkpoint(), b.key)
	b.city.Submit(verifierID, tx)
	return tx.Statements[0]
}

// prove is a proof of a file's entry against a signed checkpoint.
func (b *book) prove(f *receipt.File, checkpoint []byte) *receipt.Proof {
	b.Helper()
	c, _, err := statement.ParseAs[*statement.Checkpoint](checkpoint)
	if err != nil {
		b.Fatal(err)
	}
	path, err := access.InclusionPath(b, f.Receipt().Index, c.Size)
	if err != nil {
		b.Fatal(err)
	}
	p, err := receipt.NewProof(checkpoint, path)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// upgraded is a file with a proof against a signed checkpoint.
func (b *book) upgraded(f *receipt.File, checkpoint []byte) *receipt.File {
	b.Helper()
	out, err := f.WithProof(b.prove(f, checkpoint))
	if err != nil {
		b.Fatal(err)
	}
	return out
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
