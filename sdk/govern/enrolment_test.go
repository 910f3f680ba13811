package govern_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/ledger/ledgertest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func newKey(tb testing.TB) *sm.PrivateKey {
	tb.Helper()
	key, err := sm.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func begin(tb testing.TB, key *sm.PrivateKey) *govern.Enrolment {
	tb.Helper()
	e, err := govern.BeginEnrolment(sm.Sum(nil), ledgertest.Marriages, statement.PurposeGovern, key, time.Unix(ledgertest.Time, 0))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// vouched adds signatures, each after the file went from hand to hand.
func vouched(tb testing.TB, e *govern.Enrolment, signers ...*sm.PrivateKey) *govern.Enrolment {
	tb.Helper()
	for _, signer := range signers {
		if err := e.Vouch(signer); err != nil {
			tb.Fatal(err)
		}
		read, err := govern.ParseEnrolment(e.Bytes())
		if err != nil {
			tb.Fatal(err)
		}
		if !bytes.Equal(read.Bytes(), e.Bytes()) || !read.SignedBy(signer.Public().ID()) {
			tb.Fatal("the file came back as another")
		}
		e = read
	}
	return e
}

// A department that has lost all its keys goes on with a new one that the authority and a second
// department vouch for: both of them, and not the department's own old key.
func TestRecovery(t *testing.T) {
	city := ledgertest.NewCity(t, t.Name())
	store, err := embedded.Create(t.TempDir(), city.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	city.Found(t, store.As)
	authority, second := city.Authority.Govern, city.Department(t, ledgertest.Properties)
	enrolment := func(signers ...*sm.PrivateKey) *govern.Enrolment {
		t.Helper()
		key := newKey(t)
		e, err := govern.BeginEnrolment(city.ID, ledgertest.Marriages, statement.PurposeGovern, key, time.Unix(ledgertest.Time, 0))
		if err != nil {
			t.Fatal(err)
		}
		return vouched(t, e, signers...)
	}
	submit := func(as, want string, signers ...*sm.PrivateKey) {
		t.Helper()
		e := enrolment(signers...)
		if e.Complete() != (len(signers) == 2) {
			t.Errorf("complete with %d who vouch: %t", len(signers), e.Complete())
		}
		if err := e.Submit(t.Context(), store.As(as)); chaincode.Code(err) != want {
			t.Errorf("vouched for by %d, submitted by %s: %v, want %q", len(signers), as, err, want)
		}
	}
	submit(ledgertest.Marriages, chaincode.CodeSigners)
	submit(ledgertest.Marriages, chaincode.CodeSigners, authority)
	submit(ledgertest.Marriages, chaincode.CodeSigners, second.Govern)
	submit(ledgertest.Authority, chaincode.CodeSigners, authority, city.Department(t, ledgertest.Marriages).Govern)
	submit(ledgertest.Marriages, chaincode.CodeKeyPurpose, authority, second.Anchor)
	submit(ledgertest.Properties, chaincode.CodeWrongOrganisation, authority, second.Govern)
	submit(ledgertest.Marriages, "", authority, second.Govern)
	submit(ledgertest.Authority, "", second.Govern, authority)

	full := enrolment(authority, second.Govern)
	if err := full.Vouch(second.Govern); err != nil || len(full.Bytes()) != len(enrolment(authority, second.Govern).Bytes()) {
		t.Errorf("who vouches twice: %v", err)
	}
	if err := full.Vouch(newKey(t)); err == nil {
		t.Error("a fourth signature is taken")
	}
}

func TestMalformedEnrolments(t *testing.T) {
	key, first, second := newKey(t), newKey(t), newKey(t)
	e := vouched(t, begin(t, key), first, second)
	good := string(e.Bytes())
	blocks := strings.SplitAfter(good, "-----END CREDLEDGER STATEMENT-----\n")[:3]
	signed := func(body statement.Body, by *sm.PrivateKey) string {
		t.Helper()
		s, err := statement.Sign(body, by)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CREDLEDGER STATEMENT", Bytes: s}))
	}
	retirement := &statement.Key{Ledger: e.Key.Ledger, Department: e.Key.Department, Action: statement.KeyRetire, KeyID: key.Public().ID(), PublicKey: []byte{}}
	other := *e.Key
	other.Purposes |= statement.PurposeAnchor
	if _, err := govern.ParseEnrolment([]byte(signed(e.Key, key))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":                      "",
		"a text before":              "please sign\n" + good,
		"a text after":               good + ".",
		"a text between":             blocks[0] + "and\n" + blocks[1],
		"a header":                   strings.Replace(good, "STATEMENT-----\n", "STATEMENT-----\nA: b\n\n", 1),
		"another block":              strings.ReplaceAll(good, "STATEMENT", "CERTIFICATE"),
		"cut off":                    good[:len(good)-3],
		"begun twice":                "-----BEGIN CREDLEDGER STATEMENT-----\n" + good,
		"not by the new key first":   blocks[1] + blocks[0],
		"not by the new key":         blocks[1] + blocks[2],
		"the same twice":             blocks[0] + blocks[1] + blocks[1],
		"four":                       good + signed(e.Key, newKey(t)),
		"a retirement":               signed(retirement, key),
		"the second about more":      blocks[0] + signed(&other, first),
		"another kind":               signed(&statement.Heartbeat{Ledger: e.Key.Ledger, Sequence: 1, Time: 1}, key),
		"too long":                   good + strings.Repeat("\n", 8<<10),
		"no statement":               "-----BEGIN CREDLEDGER STATEMENT-----\nAAAA\n-----END CREDLEDGER STATEMENT-----\n",
		"signed by whoever has none": signed(e.Key, first),
	} {
		if _, err := govern.ParseEnrolment([]byte(text)); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func FuzzParseEnrolment(f *testing.F) {
	key, first, second := newKey(f), newKey(f), newKey(f)
	f.Add(begin(f, key).Bytes())
	f.Add(vouched(f, begin(f, key), first, second).Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := govern.ParseEnrolment(text)
		if err != nil {
			return
		}
		if e.Key.Action != statement.KeyEnrol || !e.SignedBy(e.Key.KeyID) {
			t.Error("it enrols no key that signed it")
		}
		if back, err := govern.ParseEnrolment(e.Bytes()); err != nil || !bytes.Equal(back.Bytes(), e.Bytes()) {
			t.Errorf("written again: %v", err)
		}
	})
}
