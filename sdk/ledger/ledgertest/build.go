package ledgertest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func sign(tb testing.TB, body statement.Body, key sm.Signer) []byte {
	tb.Helper()
	b, err := statement.Sign(body, key)
	if err != nil {
		tb.Fatalf("sign a %s statement: %v", body.Kind(), err)
	}
	return b
}

// Sign returns a transaction of one statement with the signatures of some keys.
func Sign(tb testing.TB, body statement.Body, keys ...*sm.PrivateKey) *chaincode.Transaction {
	tb.Helper()
	tx := new(chaincode.Transaction)
	for _, key := range keys {
		tx.Statements = append(tx.Statements, sign(tb, body, key))
	}
	return tx
}

// SignAll returns a transaction of several statements, each signed with the same key.
func SignAll[B statement.Body](tb testing.TB, bodies []B, key *sm.PrivateKey) *chaincode.Transaction {
	tb.Helper()
	tx := new(chaincode.Transaction)
	for _, body := range bodies {
		tx.Statements = append(tx.Statements, sign(tb, body, key))
	}
	return tx
}

// Submit submits a transaction that must succeed.
func Submit(tb testing.TB, l ledger.Ledger, tx *chaincode.Transaction) ledger.Receipt {
	tb.Helper()
	receipt, err := l.Submit(tb.Context(), tx)
	if err != nil {
		tb.Fatalf("submit: %v", err)
	}
	return receipt
}

// A Batch is licences under one signed head, with the transaction that anchors them.
type Batch struct {
	Department *Department
	Issuer     string // Department's id
	Head       *statement.Head
	Statement  []byte // the signed head
	Digests    []sm.Hash
	Tx         *chaincode.Transaction

	// Licences has the credentials of a batch made by Issue, and is nil in one made by Digests.
	Licences *credential.Batch

	tree *credential.Tree
}

// Root returns the root of the batch.
func (b *Batch) Root() sm.Hash { return b.Head.Root }

// Place returns where licence i stands.
func (b *Batch) Place(i int) statement.Place {
	return statement.Place{Root: b.Head.Root, Index: uint32(i), Digest: b.Digests[i], Path: b.tree.AppendPath(nil, i)}
}

// Documents returns the forty sample licences of a type.
func (c *City) Documents(tb testing.TB, typ string) []*licence.Document {
	tb.Helper()
	text, err := samples.Files.ReadFile(typ + ".jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	r, err := licence.NewReader(bytes.NewReader(text), c.Type(tb, typ))
	if err != nil {
		tb.Fatal(err)
	}
	var docs []*licence.Document
	for {
		doc, err := r.Next()
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			tb.Fatal(err)
		}
		docs = append(docs, doc)
	}
}

// Issue commits to n licences, the samples of a type over and over, and signs them as one batch.
func (c *City) Issue(tb testing.TB, typ string, n int) *Batch {
	tb.Helper()
	return c.IssueAt(tb, typ, n, Time)
}

// IssueAt is Issue at another time, in seconds since 1970-01-01T00:00:00Z.
func (c *City) IssueAt(tb testing.TB, typ string, n int, at uint64) *Batch {
	tb.Helper()
	samples := c.Documents(tb, typ)
	docs := make([]*licence.Document, n)
	for i := range docs {
		docs[i] = samples[i%len(samples)]
	}
	return c.IssueDocuments(tb, docs, at)
}

// IssueDocuments commits to licences of one type and signs them as one batch, at a time in seconds
// since 1970-01-01T00:00:00Z.
func (c *City) IssueDocuments(tb testing.TB, docs []*licence.Document, at uint64) *Batch {
	tb.Helper()
	typ := docs[0].Type()
	d := c.Issuer(tb, typ.ID)
	salts := make([]byte, len(typ.Leaves())*credential.SaltSize)
	drafts := make([]*credential.Draft, len(docs))
	for i, doc := range docs {
		record := credential.Record{Issuer: d.ID, IssuedAt: at}
		if from, ok := doc.ValidFrom(); ok {
			record.ValidFrom = &from
		}
		if until, ok := doc.ValidUntil(); ok {
			record.ValidUntil = &until
		}
		rand.Read(salts)
		var err error
		if drafts[i], err = credential.NewDraft(doc, record, salts); err != nil {
			tb.Fatal(err)
		}
	}
	head := statement.Head{Ledger: c.ID, Unit: d.Profile.Units[0].ID, SignedAt: at}
	licences, err := credential.NewBatch(drafts, head, d.Anchor)
	if err != nil {
		tb.Fatal(err)
	}
	return &Batch{
		Department: d, Issuer: d.ID, Head: licences.Head, Statement: licences.Statement, Digests: licences.Digests,
		Tx:       &chaincode.Transaction{Statements: [][]byte{licences.Statement}, Digests: licences.DigestBytes()},
		Licences: licences, tree: credential.NewTree(licences.Digests),
	}
}

// Digests signs a batch over n random digests: what the ledger cannot tell from one made by Issue,
// made faster. edit, unless nil, changes the head before it is signed; key, unless nil, signs
// instead of the issuer's.
func (c *City) Digests(tb testing.TB, typ string, n int, edit func(*statement.Head), key *sm.PrivateKey) *Batch {
	tb.Helper()
	d := c.Issuer(tb, typ)
	digests := make([]sm.Hash, n)
	flat := make([]byte, n*sm.HashSize)
	rand.Read(flat)
	for i := range digests {
		copy(digests[i][:], flat[i*sm.HashSize:])
	}
	tree := credential.NewTree(digests)
	head := &statement.Head{
		Ledger: c.ID, Issuer: d.ID, Unit: d.Profile.Units[0].ID, Type: typ, TypeVersion: 1,
		Root: tree.Root(), Size: uint32(n), SignedAt: Time,
	}
	if edit != nil {
		edit(head)
	}
	if key == nil {
		key = d.Anchor
	}
	signed := sign(tb, head, key)
	return &Batch{
		Department: d, Issuer: d.ID, Head: head, Statement: signed, Digests: digests,
		Tx:   &chaincode.Transaction{Statements: [][]byte{signed}, Digests: flat},
		tree: tree,
	}
}

// Change returns the first status change of licence i, from active.
func (b *Batch) Change(i int, to licence.State) *statement.Status {
	place := b.Place(i)
	return &statement.Status{
		Ledger: b.Head.Ledger, Issuer: b.Issuer, Root: b.Head.Root, Licence: &place, Sequence: 1,
		From: string(licence.Active), To: string(to), Effective: Day, Reason: sm.Sum([]byte("a reason")), SignedAt: Time,
	}
}

// ChangeAll returns the first status change of every licence of the batch, from active.
func (b *Batch) ChangeAll(to licence.State) *statement.Status {
	s := b.Change(0, to)
	s.Licence = nil
	return s
}

// After returns the change that follows another one of the same licence or batch.
func After(tb testing.TB, s *statement.Status, to licence.State) *statement.Status {
	tb.Helper()
	next := *s
	next.Sequence, next.From, next.To, next.Successor = s.Sequence+1, s.To, string(to), nil
	next.Previous = payloadHash(tb, s)
	return &next
}

// Restrict returns the first restriction of licence i.
func (b *Batch) Restrict(i int) *statement.Restriction {
	r := &statement.Restriction{
		Ledger: b.Head.Ledger, Issuer: b.Issuer, Licence: b.Place(i), Sequence: 1, Action: statement.RestrictionLay,
		Ground: sm.Sum([]byte("a ground")), Effective: Day, SignedAt: Time,
	}
	rand.Read(r.ID[:])
	return r
}

// AfterRestriction returns what follows a restriction of the same licence: the same restriction,
// laid or lifted.
func AfterRestriction(tb testing.TB, r *statement.Restriction, action string) *statement.Restriction {
	tb.Helper()
	next := *r
	next.Sequence, next.Action, next.Previous = r.Sequence+1, action, payloadHash(tb, r)
	return &next
}

func payloadHash(tb testing.TB, body statement.Body) *sm.Hash {
	tb.Helper()
	payload, err := statement.Encode(body)
	if err != nil {
		tb.Fatal(err)
	}
	h := sm.Sum(payload)
	return &h
}
