package chaincode_test

import (
	"bytes"
	"testing"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/chaincode/internal/rulestest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A sample is a transaction with one statement of a kind, and what becomes of it.
type sample struct {
	kind  statement.Kind
	code  string // "" if it is applied
	actor string
	tx    *transaction
}

// kinds returns one of every kind.
func (s *stage) kinds() []sample {
	off := offLedger(s.City, issuer)
	const notHere = chaincode.CodeOffLedger
	return []sample{
		{statement.KindGenesis, chaincode.CodeLedgerExists, authority, s.Tx(rulestest.Genesis(), authority+"/govern")},
		{statement.KindHead, "", issuer, s.Batch(issuer, "more", 2).Tx(s.City, issuer+"/anchor")},
		{statement.KindStatus, "", issuer, s.Tx(s.batches[issuer].Status(0, licence.Active, toSuspended), issuer+"/status-1")},
		{statement.KindRestriction, "", issuer, s.Tx(s.batches[issuer].Restriction(0, 1), issuer+"/status-1")},
		{statement.KindDepartment, "", authority, s.Tx(s.Department(rulestest.Profile(issuer), 2), authority+"/govern")},
		{statement.KindKey, "", issuer, s.Tx(s.Enrol(issuer, "new", statement.PurposeLog), "new", issuer+"/govern")},
		{statement.KindType, "", authority, s.Tx(s.Type(readType(s.T, "divorce")), authority+"/govern")},
		{statement.KindCheckpoint, "", issuer, s.Tx(s.Checkpoint(issuer, 3), issuer+"/log")},
		{statement.KindConsent, "", issuer, s.Tx(s.Consent(issuer, statement.ConsentGive), issuer+"/consent")},
		{statement.KindHeartbeat, "", authority, s.Tx(&statement.Heartbeat{Ledger: s.ID, Sequence: 2, Time: rulestest.Time + 1}, authority+"/log")},
		{statement.KindBinding, notHere, issuer, s.Tx(off[0], issuer+"/anchor")},
		{statement.KindProof, notHere, issuer, s.Tx(off[1], "holder")},
		{statement.KindSnapshot, notHere, authority, s.Tx(off[2], authority+"/log")},
		{statement.KindGrant, notHere, issuer, s.Tx(off[3], "holder")},
		{statement.KindWithdrawal, notHere, issuer, s.Tx(off[4], issuer+"/consent")},
		{statement.KindRequest, notHere, issuer, s.Tx(off[5], issuer+"/consent")},
		{statement.KindAnswer, notHere, issuer, s.Tx(off[6], issuer+"/consent")},
		{statement.KindPolicy, notHere, authority, s.Tx(off[7], authority+"/govern")},
	}
}

func TestEveryKind(t *testing.T) {
	base := newStage(t)
	for _, k := range base.kinds() {
		s := base.on(t)
		before := s.Dump()
		_, err := s.Submit(k.actor, k.tx)
		if chaincode.Code(err) != k.code || err == nil != (k.code == "") {
			t.Errorf("%s: got %v, want %q", k.kind, err, k.code)
		}
		if (s.Dump() == before) != (k.code != "") {
			t.Errorf("%s: the state changed, or did not, against the answer", k.kind)
		}
	}
}

// A signature under one kind is none under another: every statement, its typ exchanged, is refused
// even where its payload has the form of the other kind.
func TestKindReplayedAsAnother(t *testing.T) {
	base := newStage(t)
	samples := base.kinds()
	for _, from := range samples {
		for _, to := range samples {
			if from.kind == to.kind {
				continue
			}
			s := base.on(t)
			tx := &transaction{Digests: from.tx.Digests}
			for _, signed := range from.tx.Statements {
				tx.Statements = append(tx.Statements, retyped(t, signed, from.kind, to.kind))
			}
			for _, actor := range []string{from.actor, to.actor} {
				before := s.Dump()
				if _, err := s.Submit(actor, tx); chaincode.Code(err) == "" {
					t.Errorf("%s as %s: %v", from.kind, to.kind, err)
				}
				if s.Dump() != before {
					t.Errorf("%s as %s changed the state", from.kind, to.kind)
				}
			}
		}
	}
}

// retyped is a statement with another kind in its header.
func retyped(t *testing.T, signed []byte, from, to statement.Kind) []byte {
	t.Helper()
	s, err := statement.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	header := func(kind statement.Kind) []byte {
		toBeSigned := statement.ToBeSigned(kind, s.KeyID, nil)
		return toBeSigned[1+len("jSignature1") : len(toBeSigned)-2] // between the context and two empty strings
	}
	out := bytes.Replace(signed, header(from), header(to), 1)
	if bytes.Equal(out, signed) {
		t.Fatalf("the header of a %s statement was not found", from)
	}
	return out
}

// The signature covers typ: the payload of a type, signed as a checkpoint, is not a published type.
func TestSignedAsAnotherKind(t *testing.T) {
	s := newStage(t)
	key := rulestest.Key(authority + "/govern")
	payload, err := statement.Encode(s.Type(readType(t, "divorce")))
	if err != nil {
		t.Fatal(err)
	}
	for _, signedAs := range []struct {
		kind statement.Kind
		want string
	}{
		{statement.KindCheckpoint, chaincode.CodeSignature},
		{statement.KindType, ""}, // as it ought to be
	} {
		signature, err := key.Sign(statement.ToBeSigned(signedAs.kind, key.Public().ID(), payload))
		if err != nil {
			t.Fatal(err)
		}
		signed := &statement.Statement{
			Body: new(statement.Type), KeyID: key.Public().ID(), Payload: payload, Signature: [sm.SignatureSize]byte(signature),
		}
		if _, err := s.Submit(authority, &transaction{Statements: [][]byte{signed.Bytes()}}); chaincode.Code(err) != signedAs.want {
			t.Errorf("signed as a %s: got %v, want %q", signedAs.kind, err, signedAs.want)
		}
	}
}

// On a second ledger, with the same departments and keys, no statement of the first one counts.
func TestReplayOnSecondLedger(t *testing.T) {
	first := newStage(t)
	second := rulestest.NewLedger()
	genesis := rulestest.Genesis()
	genesis.Nonce[0]++
	if _, err := second.Submit(authority, first.Tx(genesis, authority+"/govern")); err != nil {
		t.Fatal(err)
	}
	before := second.Dump()
	for _, k := range first.kinds() {
		want := chaincode.CodeOtherLedger
		if k.kind == statement.KindGenesis {
			want = chaincode.CodeLedgerExists
		}
		if _, err := second.Submit(k.actor, k.tx); chaincode.Code(err) != want {
			t.Errorf("%s: got %v, want %s", k.kind, err, want)
		}
	}
	if second.Dump() != before {
		t.Error("the second ledger changed")
	}
}
