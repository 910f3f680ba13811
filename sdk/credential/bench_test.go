package credential_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// What everything else is measured by: one interior node, one signature verified.
func BenchmarkNode(b *testing.B) {
	l, r := statementtest.Hash("l"), statementtest.Hash("r")
	for b.Loop() {
		l = sm.SumNode(&l, &r)
	}
}

func BenchmarkVerifyHead(b *testing.B) {
	head, ok := credentialtest.Open(b, twoOf256(b)).HeadStatement()
	if !ok {
		b.Fatal("no head")
	}
	key := statementtest.Key("civil-affairs").Public()
	b.ReportAllocs()
	for b.Loop() {
		if !head.Verify(key) {
			b.Fatal("not signed")
		}
	}
}

// twoOf256 is the presentation that the figures are about: two fields from a batch of 256.
func twoOf256(b *testing.B) *credential.Presentation {
	whole := credentialtest.Batch(b, "marriage", 256).Credential(77)
	return credentialtest.Disclose(b, whole, credentialtest.TwoFields["marriage"]...)
}

func BenchmarkCommit(b *testing.B) {
	salt, value := credential.Salt{1}, licence.TextValue("示范市民政局婚姻登记处")
	b.ReportAllocs()
	for b.Loop() {
		credential.Commit(&salt, "registrationAuthority", value)
	}
}

func BenchmarkNewDraft(b *testing.B) {
	for _, typeID := range credentialtest.TypeIDs {
		b.Run(typeID, func(b *testing.B) {
			document := credentialtest.Documents(b, typeID)[0]
			salts := credentialtest.Salts("benchmark", len(document.Type().Leaves()))
			record := credential.Record{Issuer: credentialtest.Department(b, typeID).ID, IssuedAt: statementtest.Time}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := credential.NewDraft(document, record, salts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewBatch1024(b *testing.B) {
	document := credentialtest.Documents(b, "marriage")[0]
	drafts := make([]*credential.Draft, 1024)
	for i := range drafts {
		drafts[i] = credentialtest.Draft(b, document, "benchmark")
	}
	head := statement.Head{Ledger: statementtest.Ledger(), Unit: "marriage-registry", SignedAt: statementtest.Time}
	key := statementtest.Key("civil-affairs")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.NewBatch(drafts, head, key); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCredentialBytes(b *testing.B) {
	batch := credentialtest.Batch(b, "marriage", 1024)
	buffer := make([]byte, 0, credential.MaxSize)
	b.ReportAllocs()
	for b.Loop() {
		buffer = batch.Credential(77).AppendTo(buffer[:0])
	}
}

func BenchmarkDisclose(b *testing.B) {
	whole := credentialtest.Batch(b, "marriage", 256).Credential(77)
	y := credentialtest.Type(b, "marriage")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.Disclose(whole, y, "spouse1Name", "spouse2Id"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	encoded := twoOf256(b).Bytes()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.Parse(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	p, y := twoOf256(b), credentialtest.Type(b, "marriage")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Open(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeadStatement(b *testing.B) {
	o := credentialtest.Open(b, twoOf256(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := o.HeadStatement(); !ok {
			b.Fatal("no head")
		}
	}
}

// All that is left to do where the head was checked before: from the bytes, and from a code.
func BenchmarkParseAndOpen(b *testing.B) {
	y, encoded := credentialtest.Type(b, "marriage"), twoOf256(b).Bytes()
	b.ReportAllocs()
	for b.Loop() {
		p, err := credential.Parse(encoded)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Open(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCodeAndOpen(b *testing.B) {
	y, text := credentialtest.Type(b, "marriage"), codeOf(b)
	b.ReportAllocs()
	for b.Loop() {
		p, err := credential.DecodeCode(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Open(y); err != nil {
			b.Fatal(err)
		}
	}
}

func codeOf(b *testing.B) string {
	text, err := credential.EncodeCode(credentialtest.Host, twoOf256(b))
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func BenchmarkEncodeCode(b *testing.B) {
	p := twoOf256(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.EncodeCode(credentialtest.Host, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCode(b *testing.B) {
	text := codeOf(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := credential.DecodeCode(text); err != nil {
			b.Fatal(err)
		}
	}
}
