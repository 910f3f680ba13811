// Package statementtest has keys and statements for tests: one statement of every kind, for one
// ledger. Its private keys are known to everybody and are for nothing but tests.
package statementtest

import (
	"encoding/hex"
	"testing"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Time is the signed-at of the statements: 2026-11-07T00:00:00Z.
const Time = 1794009600

// pkcs8 opens the DER PrivateKeyInfo (RFC 5208) of an SM2 key without its public key; the 32 bytes
// of the scalar follow.
const pkcs8 = "3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420"

// Scalar returns the private scalar of Key, 32 bytes: SM3 of "credledger test key " and the label.
func Scalar(label string) sm.Hash { return Hash("credledger test key " + label) }

// Key returns the test key of a label; the same label always gives the same key.
func Key(label string) *sm.PrivateKey {
	der, err := hex.DecodeString(pkcs8)
	if err != nil {
		panic(err) // a constant
	}
	scalar := Scalar(label)
	key, err := sm.ParsePrivateKey(append(der, scalar[:]...))
	if err != nil {
		panic(err) // one label in 2^32 has no key
	}
	return key
}

// XY returns the public key of a label as x || y.
func XY(label string) [64]byte { return [64]byte(Key(label).Public().Bytes()) }

// Hash returns SM3 of a text: a hash to stand for one of something else.
func Hash(text string) sm.Hash { return sm.Sum([]byte(text)) }

// Labels of the keys that sign the statements.
const (
	Authority = "data-bureau"
	Issuer    = "civil-affairs"
	Holder    = "holder"
	Agency    = "natural-resources"
)

// Signer returns the label of the key that signs the sample of a kind.
func Signer(kind statement.Kind) string {
	switch kind {
	case statement.KindHead, statement.KindStatus, statement.KindRestriction, statement.KindConsent, statement.KindBinding,
		statement.KindWithdrawal, statement.KindAnswer:
		return Issuer
	case statement.KindProof, statement.KindGrant:
		return Holder
	case statement.KindRequest:
		return Agency
	}
	return Authority
}

// Genesis returns the genesis of the ledger that the other statements are for.
func Genesis() *statement.Genesis {
	return &statement.Genesis{
		Name: "示范市证照台账",
		Authority: statement.Profile{
			ID: "data-bureau", USCC: "11990100MB00000044",
			NameZh: "示范市政务服务和数据管理局", NameEn: "Demo City Government Services and Data Bureau",
			Units:  []statement.Unit{{ID: "operations", DivisionCode: "990101", NameZh: "平台运行中心", NameEn: "Platform operations centre"}},
			Issues: []string{},
		},
		PublicKey: XY(Authority),
		Purposes:  statement.PurposeGovern | statement.PurposeLog,
		CreatedAt: Time,
		Nonce:     [16]byte{0: 0xc0, 15: 0x01},
	}
}

// Ledger returns the id of that ledger.
func Ledger() sm.Hash {
	payload, err := statement.Encode(Genesis())
	if err != nil {
		panic(err) // Genesis is valid
	}
	return sm.Sum(payload)
}

// Bodies returns a valid body of every kind, with most of the optional parts present.
func Bodies() []statement.Body {
	ledger, previous := Ledger(), Hash("previous")
	notAfter := uint64(Time + 1000*24*3600)
	place := statement.Place{Root: Hash("root"), Index: 2, Digest: Hash("digest"), Path: make([]byte, 64)}
	digest, grant, presentation := Hash("digest"), Hash("grant"), Hash("presentation")
	successor := statement.Place{Root: Hash("later root"), Digest: Hash("later digest"), Path: []byte{}}
	return []statement.Body{
		Genesis(),
		&statement.Head{Ledger: ledger, Issuer: Issuer, Unit: "marriage-registry", Type: "marriage", TypeVersion: 1,
			Root: Hash("root"), Size: 3, SignedAt: Time},
		&statement.Status{Ledger: ledger, Issuer: Issuer, Root: place.Root, Licence: &place, Sequence: 2,
			From: "suspended", To: "superseded", Effective: 20764, Reason: Hash("reason"), Successor: &successor,
			Previous: &previous, SignedAt: Time},
		&statement.Restriction{Ledger: ledger, Issuer: Issuer, Licence: place, Sequence: 2, Action: statement.RestrictionLay,
			ID: [16]byte{1: 7}, Ground: Hash("ground"), Effective: 20764, Previous: &previous, SignedAt: Time},
		&statement.Department{Ledger: ledger, Sequence: 1, State: statement.DepartmentActive, SignedAt: Time,
			Profile: statement.Profile{
				ID: Issuer, USCC: "11990100MB0000001T", NameZh: "示范市民政局", NameEn: "Demo City Civil Affairs Bureau",
				Units:  []statement.Unit{{ID: "marriage-registry", DivisionCode: "990101", NameZh: "婚姻登记处", NameEn: "Marriage registry"}},
				Issues: []string{"divorce", "marriage"},
			}},
		&statement.Key{Ledger: ledger, Department: Issuer, Action: statement.KeyEnrol, KeyID: Key(Issuer).Public().ID(),
			PublicKey: Key(Issuer).Public().Bytes(), Purposes: statement.PurposeAnchor | statement.PurposeStatus | statement.PurposeConsent,
			NotAfter: &notAfter, Disowned: []sm.Hash{}, SignedAt: Time},
		&statement.Type{Ledger: ledger, ID: "marriage", Version: 1, Definition: []byte(`{"id":"marriage"}`), SignedAt: Time},
		&statement.Checkpoint{Ledger: ledger, Department: "data-bureau", Log: "main", Size: 70000, Root: Hash("log"), SignedAt: Time},
		&statement.Consent{Ledger: ledger, Department: Issuer, Digest: Hash("grant"), Action: statement.ConsentWithdraw, SignedAt: Time},
		&statement.Heartbeat{Ledger: ledger, Sequence: 1, Time: Time},
		&statement.Binding{Ledger: ledger, Issuer: Issuer, Digest: Hash("digest"), HolderKey: XY(Holder),
			NotBefore: Time, NotAfter: Time + 90*24*3600},
		&statement.Proof{Ledger: ledger, Presentation: Hash("presentation"), Audience: "natural-resources", Nonce: []byte("0123456789abcdef"),
			IssuedAt: Time, NotAfter: Time + 300},
		&statement.Snapshot{Ledger: ledger, Height: 12, Block: Hash("block"), Heartbeat: Time, Content: Hash("content"), Length: 4096},
		&statement.Grant{Ledger: ledger, Issuer: Issuer, Licence: digest, Type: "marriage", Agency: Agency, Matter: "second-hand-home-transfer",
			Fields: []string{"spouse1Name", "spouse2Id"}, Uses: 2, NotBefore: Time, NotAfter: Time + 30*24*3600,
			Means: statement.MeansKey, Evidence: Hash("binding"), Salt: [16]byte{1: 7}, SignedAt: Time},
		&statement.Withdrawal{Ledger: ledger, Issuer: Issuer, Grant: grant, Means: statement.MeansCounter, Evidence: Hash("record"), SignedAt: Time},
		&statement.Request{Ledger: ledger, Agency: Agency, Issuer: Issuer, Type: "marriage", Licence: &digest, Matter: "second-hand-home-transfer",
			Case: "20261107-0042", Fields: []string{"spouse2Id"}, Grant: &grant, Recipient: XY(Agency), Nonce: [16]byte{2: 7},
			SignedAt: Time, NotAfter: Time + 3600},
		&statement.Answer{Ledger: ledger, Issuer: Issuer, Request: Hash("request"), Outcome: statement.AnswerReleased, Reason: "grant-given",
			Policy: Hash("policy"), Basis: []string{"registration-act-16"}, Grant: &grant, Use: 1, Fields: []string{"spouse2Id"},
			Presentation: &presentation, SignedAt: Time},
		&statement.Policy{Ledger: ledger, Version: 1, Definition: []byte("version: 1\n"), SignedAt: Time},
	}
}

// Sign signs a body with the key of a label.
func Sign(t testing.TB, body statement.Body, label string) []byte {
	t.Helper()
	b, err := statement.Sign(body, Key(label))
	if err != nil {
		t.Fatalf("sign a %s statement: %v", body.Kind(), err)
	}
	return b
}
