// Package credentialtest makes credentials of the sample licences, for tests: in the names of the
// demonstration departments, on the ledger and with the keys of package statementtest. Salts follow
// from labels, so that only the signatures differ from run to run; that is for nothing but tests.
package credentialtest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/licence/samples"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// Host is a host name of 30 characters.
const Host = "VERIFY.LICENCES.EXAMPLE.GOV.CN"

// TypeIDs are the ids of the built-in types.
var TypeIDs = []string{"business", "marriage", "property"}

// TwoFields names, for each type, the two fields that a counterpart most often needs.
var TwoFields = map[string][]string{
	"business": {"unifiedSocialCreditCode", "name"},
	"marriage": {"spouse1Name", "spouse2Id"},
	"property": {"rightHolders", "unitNumber"},
}

var (
	builtIn       = sync.OnceValues(catalog.Types)
	demonstration = sync.OnceValues(catalog.Departments)
)

// Type returns a built-in type.
func Type(t testing.TB, id string) *licence.Type {
	t.Helper()
	types, err := builtIn()
	if err != nil {
		t.Fatalf("built-in types: %v", err)
	}
	for _, y := range types {
		if y.ID == id {
			return y
		}
	}
	t.Fatalf("no built-in type %s", id)
	return nil
}

// Department returns the demonstration department that issues a type.
func Department(t testing.TB, typeID string) licence.Department {
	t.Helper()
	departments, err := demonstration()
	if err != nil {
		t.Fatalf("demonstration departments: %v", err)
	}
	for _, d := range departments {
		if slices.Contains(d.Issues, typeID) {
			return d
		}
	}
	t.Fatalf("no department issues %s", typeID)
	return licence.Department{}
}

// Documents returns the forty sample licences of a type, each with its identifier.
func Documents(t testing.TB, typeID string) []*licence.Document {
	t.Helper()
	y, issuer := Type(t, typeID), Department(t, typeID)
	file, err := samples.Files.Open(typeID + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := licence.NewReader(file, y)
	if err != nil {
		t.Fatalf("samples of %s: %v", typeID, err)
	}
	var out []*licence.Document
	for {
		document, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("samples of %s: %v", typeID, err)
		}
		serial, ok := licence.SerialFromNumber(document.Number())
		if !ok {
			t.Fatalf("samples of %s: a number without a serial", typeID)
		}
		identifier, err := licence.NewIdentifier(y.Code, issuer.USCC, serial, 1)
		if err != nil {
			t.Fatalf("samples of %s: %v", typeID, err)
		}
		document.SetIdentifier(identifier)
		out = append(out, document)
	}
}

// Salts returns the salts of n leaves, which follow from the label.
func Salts(label string, n int) []byte {
	out := make([]byte, n*credential.SaltSize)
	rand.NewChaCha8(statementtest.Hash("salts of " + label)).Read(out)
	return out
}

// Draft commits to a document, with the salts of a label.
func Draft(t testing.TB, document *licence.Document, label string) *credential.Draft {
	t.Helper()
	y := document.Type()
	draft, err := credential.NewDraft(document,
		credential.Record{Issuer: Department(t, y.ID).ID, IssuedAt: statementtest.Time - 60},
		Salts(label, len(y.Leaves())))
	if err != nil {
		t.Fatalf("commit to a %s licence: %v", y.ID, err)
	}
	return draft
}

// Batch returns a signed batch of a size, which holds the sample licences of a type over and over:
// licence i is sample i modulo their number. Its key is that of the department's id.
func Batch(t testing.TB, typeID string, size int) *credential.Batch {
	t.Helper()
	documents, issuer := Documents(t, typeID), Department(t, typeID)
	drafts := make([]*credential.Draft, size)
	for i := range drafts {
		drafts[i] = Draft(t, documents[i%len(documents)], fmt.Sprintf("%s %d of %d", typeID, i, size))
	}
	return Sign(t, drafts, issuer)
}

// Sign signs drafts as one batch of a department's first unit.
func Sign(t testing.TB, drafts []*credential.Draft, issuer licence.Department) *credential.Batch {
	t.Helper()
	batch, err := credential.NewBatch(drafts,
		statement.Head{Ledger: statementtest.Ledger(), Unit: issuer.Units[0].ID, SignedAt: statementtest.Time},
		statementtest.Key(issuer.ID))
	if err != nil {
		t.Fatalf("sign a batch of %d: %v", len(drafts), err)
	}
	return batch
}

// Disclose returns the presentation of some fields of a credential.
func Disclose(t testing.TB, c *credential.Presentation, keys ...string) *credential.Presentation {
	t.Helper()
	p, err := credential.Disclose(c, Type(t, c.Record.Type), keys...)
	if err != nil {
		t.Fatalf("disclose %v: %v", keys, err)
	}
	return p
}

// Open opens a presentation of a built-in type.
func Open(t testing.TB, p *credential.Presentation) *credential.Opened {
	t.Helper()
	o, err := p.Open(Type(t, p.Record.Type))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return o
}

// Binding returns the binding, good for 90 days, of the key statementtest.Holder to a licence.
func Binding(o *credential.Opened) *statement.Binding {
	return &statement.Binding{
		Ledger: o.Signed.Ledger, Issuer: o.Record.Issuer, Digest: o.Digest, HolderKey: statementtest.XY(statementtest.Holder),
		NotBefore: statementtest.Time, NotAfter: statementtest.Time + 90*24*3600,
	}
}

// Proof returns what the holder says to a counterpart that gave a nonce of 16 bytes.
func Proof() statement.Proof {
	return statement.Proof{
		Audience: "natural-resources", Nonce: []byte("nonce of 16 byte"),
		IssuedAt: statementtest.Time, NotAfter: statementtest.Time + 300,
	}
}

// Prove returns the presentation with a holder part of Binding and Proof.
func Prove(t testing.TB, p *credential.Presentation) *credential.Presentation {
	t.Helper()
	o := Open(t, p)
	binding := statementtest.Sign(t, Binding(o), p.Record.Issuer)
	proved, err := credential.Prove(o, binding, Proof(), statementtest.Key(statementtest.Holder))
	if err != nil {
		t.Fatalf("prove: %v", err)
	}
	return proved
}
