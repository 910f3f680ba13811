package commandtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded/share"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
)

func init() {
	// receipts HOME DEPARTMENT CREDENTIAL DIR makes receipts of the department's verifier for a
	// credential, which is verified by nobody: before.json, which no checkpoint on the ledger covers;
	// open.json, which one covers, but as it was answered; anchored.json with the proof by that one;
	// forked.json with the proof that another log has the record.
	Commands["receipts"] = func(ts *testscript.TestScript, _ bool, args []string) {
		shown, err := os.ReadFile(ts.MkAbs(args[2]))
		ts.Check(err)
		dir := ts.MkAbs(args[3])
		ts.Check(os.MkdirAll(dir, 0o700))
		files, err := receipts(ts.MkAbs(args[0]), args[1], shown)
		ts.Check(err)
		for name, f := range files {
			b, err := json.Marshal(f)
			ts.Check(err)
			ts.Check(os.WriteFile(filepath.Join(dir, name+".json"), b, 0o600))
		}
	}
}

// receipts makes what the script command writes, by the name of the file.
func receipts(home, department string, shown []byte) (files map[string]*receipt.File, err error) {
	store, err := share.Open(context.Background(), filepath.Join(home, "ledger"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	pem, err := os.ReadFile(filepath.Join(home, "keys", department, "service.pem"))
	if err != nil {
		return nil, err
	}
	key, err := sm.ParsePrivateKeyPEM(pem, nil)
	if err != nil {
		return nil, err
	}
	p, err := credential.Parse(shown)
	if err != nil {
		return nil, err
	}
	v := &verifier{ledger: store.As(department), id: p.Head.Ledger, department: department, key: key, now: time.Now()}

	covered, err := v.record(p)
	if err != nil {
		return nil, err
	}
	leaf, sibling, other := covered.Leaf(), sm.Sum([]byte("the second entry")), sm.Sum([]byte("another second entry"))
	files = map[string]*receipt.File{}
	for name, log := range map[string]struct {
		index, size uint64
		root        sm.Hash
		path        []sm.Hash
	}{
		"open":     {0, 1, leaf, nil},
		"anchored": {0, 2, sm.SumNode(&leaf, &sibling), []sm.Hash{sibling}},
		"forked":   {0, 2, sm.SumNode(&leaf, &other), []sm.Hash{other}},
		"before":   {2, 3, sm.SumNode(&sibling, &leaf), []sm.Hash{sibling}},
	} {
		c, err := access.SignCheckpoint(&statement.Checkpoint{
			Ledger: v.id, Department: v.department, Log: "main", Size: log.size, Root: log.root, SignedAt: uint64(v.now.Unix()),
		}, v.key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		f := *covered
		f.Proof = &access.Proof{Checkpoint: c, Index: log.index, Path: log.path}
		files[name] = &f
	}
	_, err = v.ledger.Submit(context.Background(), &chaincode.Transaction{Statements: [][]byte{files["anchored"].Proof.Checkpoint.Signed.Bytes()}})
	return files, err
}

// A verifier is one as its department's keys make it.
type verifier struct {
	ledger     ledger.Ledger
	id         sm.Hash
	department string
	key        *sm.PrivateKey
	now        time.Time
}

// record returns the receipt for what was shown, which lacks its proof.
func (v *verifier) record(p *credential.Presentation) (*receipt.File, error) {
	presentation := sm.Sum(p.Bytes())
	entry := &access.Entry{
		Time: uint64(v.now.Unix()), Agency: "housing-bureau", Clerk: "counter clerk 7", Unit: "hall-1", Matter: "second-hand-home-transfer",
		Case: "2026-0042", Type: p.Record.Type, Presentation: access.PresentationCommitment(access.Salt{}, presentation),
		Fields: []string{"certificateNumber"}, Outcome: "valid", Day: int32(licence.DateOf(v.now)), Height: 3,
		Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
	}
	opened, err := v.open(p)
	if err != nil {
		return nil, err
	}
	entry.Licence = access.LicenceCommitment(access.Salt{}, p.Record.Issuer, opened.Digest)
	encoded, err := entry.Bytes()
	return &receipt.File{Entry: entry, Encoded: encoded, Presentation: presentation}, err
}

// open opens a presentation with the dictionary on the ledger.
func (v *verifier) open(p *credential.Presentation) (*credential.Opened, error) {
	definition, err := v.ledger.Evaluate(context.Background(), chaincode.Query{Name: "type", Args: []string{p.Record.Type}})
	if err != nil {
		return nil, err
	}
	typ, err := licence.ParseType(definition)
	if err != nil {
		return nil, err
	}
	return p.Open(typ)
}
