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
	// credential, which is verified by nobody: before.json, which no checkpoint covers and none can;
	// open.json, which one on the ledger covers, but without the proof; anchored.json with the proof;
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

	covered, entry, err := v.record(p, 0)
	if err != nil {
		return nil, err
	}
	uncovered, _, err := v.record(p, 2)
	if err != nil {
		return nil, err
	}
	leaf, sibling, other := access.Leaf(entry), sm.Sum([]byte("the second entry")), sm.Sum([]byte("another second entry"))
	checkpoint, err := v.checkpoint(sm.SumNode(&leaf, &sibling))
	if err != nil {
		return nil, err
	}
	_, err = v.ledger.Submit(context.Background(), &chaincode.Transaction{Statements: [][]byte{checkpoint}})
	if err != nil {
		return nil, err
	}
	forked, err := v.checkpoint(sm.SumNode(&leaf, &other))
	if err != nil {
		return nil, err
	}
	files = map[string]*receipt.File{"before": uncovered, "open": covered}
	for name, proof := range map[string]struct {
		checkpoint []byte
		path       sm.Hash
	}{"anchored": {checkpoint, sibling}, "forked": {forked, other}} {
		p, err := receipt.NewProof(proof.checkpoint, []sm.Hash{proof.path})
		if err == nil {
			files[name], err = covered.WithProof(p)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// A verifier is one as its department's keys make it.
type verifier struct {
	ledger     ledger.Ledger
	id         sm.Hash
	department string
	key        *sm.PrivateKey
	now        time.Time
}

// record returns the receipt for an entry of the log at an index, and the entry.
func (v *verifier) record(p *credential.Presentation, index uint64) (*receipt.File, []byte, error) {
	presentation := sm.Sum(p.Bytes())
	entry := &access.Entry{
		Time: uint64(v.now.Unix()), Agency: "housing-bureau", Clerk: "counter clerk 7", Unit: "hall-1", Matter: "second-hand-home-transfer",
		Case: "2026-0042", Type: p.Record.Type, Presentation: access.PresentationCommitment(access.Salt{}, presentation),
		Fields: []string{"certificateNumber"}, Outcome: "valid", Day: int32(licence.DateOf(v.now)), Height: 3,
		Reasons: []string{"consistent", "signature-valid", "anchored", "active", "unrestricted", "static", "fresh"},
	}
	opened, err := v.open(p)
	if err != nil {
		return nil, nil, err
	}
	entry.Licence = access.LicenceCommitment(access.Salt{}, p.Record.Issuer, opened.Digest)
	encoded, err := entry.Bytes()
	if err != nil {
		return nil, nil, err
	}
	place := receipt.Place{Ledger: v.id, Verifier: v.department, Log: "main", Index: index, Entry: encoded}
	f, err := receipt.Sign(place, presentation, v.key)
	return f, encoded, err
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

// checkpoint signs a checkpoint of two entries.
func (v *verifier) checkpoint(root sm.Hash) ([]byte, error) {
	return statement.Sign(&statement.Checkpoint{
		Ledger: v.id, Department: v.department, Log: "main", Size: 2, Root: root, SignedAt: uint64(v.now.Unix()),
	}, v.key)
}
