package chaincode_test

import (
	"bytes"
	"testing"

	"github.com/credledger/credledger/chaincode"
)

// badTransactions are bytes that are not the one encoding of a transaction.
var badTransactions = []struct {
	name  string
	code  string
	bytes []byte
}{
	{"nothing", chaincode.CodeMalformed, nil},
	{"more bytes than a transaction has", chaincode.CodeTooLarge, make([]byte, chaincode.MaxTransaction+1)},
	{"null", chaincode.CodeMalformed, []byte{0xf6}},
	{"an array of one", chaincode.CodeMalformed, []byte{0x81, 0x80}},
	{"an array of three", chaincode.CodeMalformed, []byte{0x83, 0x80, 0x40, 0x40}},
	{"null for statements", chaincode.CodeMalformed, []byte{0x82, 0xf6, 0x40}},
	{"null for digests", chaincode.CodeMalformed, []byte{0x82, 0x80, 0xf6}},
	{"text for a statement", chaincode.CodeMalformed, []byte{0x82, 0x81, 0x61, 'a', 0x40}},
	{"a long head", chaincode.CodeMalformed, []byte{0x82, 0x98, 0x00, 0x40}},
	{"an indefinite length", chaincode.CodeMalformed, []byte{0x82, 0x9f, 0xff, 0x40}},
	{"a tag", chaincode.CodeMalformed, []byte{0xd2, 0x82, 0x80, 0x40}},
	{"trailing bytes", chaincode.CodeMalformed, []byte{0x82, 0x80, 0x40, 0x00}},
	{"a map", chaincode.CodeMalformed, []byte{0xa2, 0x61, 'a', 0x80, 0x61, 'b', 0x40}},
	{"cut short", chaincode.CodeMalformed, []byte{0x82, 0x81, 0x58, 0xff, 0x00}},
	{"deeply nested", chaincode.CodeMalformed, bytes.Repeat([]byte{0x81}, 10000)},
	{"2,001 statements", chaincode.CodeMalformed, append(append([]byte{0x82, 0x99, 0x07, 0xd1}, bytes.Repeat([]byte{0x40}, 2001)...), 0x40)},
	{"a huge count", chaincode.CodeMalformed, []byte{0x82, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
}

func TestParseTransactionRefuses(t *testing.T) {
	for _, b := range badTransactions {
		if tx, err := chaincode.ParseTransaction(b.bytes); tx != nil || chaincode.Code(err) != b.code {
			t.Errorf("%s: got %v, want %s", b.name, err, b.code)
		}
	}
}

func TestTransactionBytes(t *testing.T) {
	for _, c := range []struct {
		tx   *transaction
		want []byte
	}{
		{&transaction{}, []byte{0x82, 0x80, 0x40}},
		{&transaction{Statements: [][]byte{}, Digests: []byte{}}, []byte{0x82, 0x80, 0x40}},
		{&transaction{Statements: [][]byte{{1}, {}}, Digests: []byte{7, 8}}, []byte{0x82, 0x82, 0x41, 1, 0x40, 0x42, 7, 8}},
	} {
		got := c.tx.Bytes()
		if !bytes.Equal(got, c.want) {
			t.Errorf("got %x, want %x", got, c.want)
		}
		again, err := chaincode.ParseTransaction(got)
		if err != nil || !bytes.Equal(again.Bytes(), got) {
			t.Errorf("%x parses to %v, %v", got, again, err)
		}
	}
}

// The greatest transactions that a rule allows are within the limits of the encoding.
func TestGreatestTransactionsParse(t *testing.T) {
	s := newStage(t)
	b := s.Anchor(issuer, "great", 4096)
	changes := new(transaction)
	for i := range chaincode.MaxChanges {
		changes.Statements = append(changes.Statements, s.Sign(b.Status(i, "active", "suspended"), issuer+"/status-1", issuer+"/status-2")...)
	}
	for _, tx := range []*transaction{b.Tx(s.City, issuer+"/anchor"), changes} {
		if _, err := chaincode.ParseTransaction(tx.Bytes()); err != nil {
			t.Error(err)
		}
	}
	// One change more is refused for that, not for its encoding, even with two signatures each.
	changes.Statements = append(changes.Statements, s.Sign(b.Status(500, "active", "suspended"), issuer+"/status-1", issuer+"/status-2")...)
	tx, err := chaincode.ParseTransaction(changes.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Submit(issuer, tx); chaincode.Code(err) != chaincode.CodeTooMany {
		t.Errorf("501 changes: %v", err)
	}
}

func FuzzParseTransaction(f *testing.F) {
	for _, b := range badTransactions {
		if len(b.bytes) < 1000 {
			f.Add(b.bytes)
		}
	}
	s := newStage(f)
	f.Add(s.batches[issuer].Tx(s.City, issuer+"/anchor").Bytes())
	f.Add(s.Tx(s.revoked, issuer+"/status-1", issuer+"/status-2").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, err := chaincode.ParseTransaction(b)
		if err != nil {
			if chaincode.Code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(tx.Bytes(), b) {
			t.Errorf("%x formats as %x", b, tx.Bytes())
		}
	})
}
