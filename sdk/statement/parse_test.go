package statement_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// A sample is one signed statement of a kind.
type sample struct {
	body   statement.Body
	key    *sm.PrivateKey
	signed []byte
}

// samples returns one of each kind.
func samples(t testing.TB) []sample {
	t.Helper()
	var out []sample
	for _, body := range statementtest.Bodies() {
		label := statementtest.Signer(body.Kind())
		out = append(out, sample{body, statementtest.Key(label), statementtest.Sign(t, body, label)})
	}
	return out
}

func code(err error) string {
	var e *statement.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestEveryKindHasASample(t *testing.T) {
	seen := map[statement.Kind]bool{}
	for _, body := range statementtest.Bodies() {
		seen[body.Kind()] = true
	}
	if len(seen) != 18 {
		t.Errorf("samples of %d kinds, want 18", len(seen))
	}
}

func TestParseIsTheInverseOfSign(t *testing.T) {
	for _, c := range samples(t) {
		kind := c.body.Kind()
		s, err := statement.Parse(c.signed)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if !reflect.DeepEqual(s.Body, c.body) {
			t.Errorf("%s: parsed %+v, want %+v", kind, s.Body, c.body)
		}
		if !bytes.Equal(s.Bytes(), c.signed) {
			t.Errorf("%s: formatting what was parsed gives other bytes", kind)
		}
		if s.KeyID != c.key.Public().ID() {
			t.Errorf("%s: kid %s", kind, s.KeyID)
		}
		if !s.Verify(c.key.Public()) || !s.VerifySecondOpinion(c.key.Public()) {
			t.Errorf("%s: the signature does not verify", kind)
		}
		if other := statementtest.Key("another"); s.Verify(other.Public()) || s.VerifySecondOpinion(other.Public()) {
			t.Errorf("%s: verifies with another key", kind)
		}
		payload, err := statement.Encode(c.body)
		if err != nil || !bytes.Equal(payload, s.Payload) {
			t.Errorf("%s: Encode gives another payload (%v)", kind, err)
		}
		if ledger := statementtest.Ledger(); kind != statement.KindGenesis && s.Body.LedgerID() != ledger {
			t.Errorf("%s: for ledger %s", kind, s.Body.LedgerID())
		}
	}
}

func TestParseAs(t *testing.T) {
	head := statementtest.Sign(t, statementtest.Bodies()[1], statementtest.Issuer)
	if h, s, err := statement.ParseAs[*statement.Head](head); err != nil || h != s.Body {
		t.Errorf("ParseAs[*Head](head) = %v, %v", h, err)
	}
	if _, _, err := statement.ParseAs[*statement.Status](head); code(err) != statement.CodeWrongKind {
		t.Errorf("ParseAs[*Status](head): %v", err)
	}
	if _, _, err := statement.ParseAs[*statement.Head](nil); code(err) != statement.CodeMalformed {
		t.Errorf("ParseAs[*Head](nil): %v", err)
	}
}

// engine verifies for go-cose with package sm.
type engine struct{ key *sm.PublicKey }

func (e engine) Algorithm() cose.Algorithm { return statement.Algorithm }

func (e engine) Verify(content, signature []byte) error {
	if !e.key.Verify(content, signature) {
		return errors.New("the signature does not verify")
	}
	return nil
}

// go-cose, which knows nothing of this package, reads the same message and computes the same bytes
// to be signed.
func TestAsReadByGoCose(t *testing.T) {
	for _, c := range samples(t) {
		kind := c.body.Kind()
		var m cose.Sign1Message
		if err := m.UnmarshalCBOR(c.signed); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if err := m.Verify(nil, engine{c.key.Public()}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if alg, err := m.Headers.Protected.Algorithm(); err != nil || alg != statement.Algorithm {
			t.Errorf("%s: alg %v, %v", kind, alg, err)
		}
		kid := c.key.Public().ID()
		if got, _ := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte); !bytes.Equal(got, kid[:]) {
			t.Errorf("%s: kid %x", kind, got)
		}
		if got := m.Headers.Protected[cose.HeaderLabelType]; got != "application/vnd.credledger."+string(kind)+"+cbor" {
			t.Errorf("%s: typ %v", kind, got)
		}
		if len(m.Headers.Protected) != 3 || len(m.Headers.Unprotected) != 0 {
			t.Errorf("%s: headers %v, %v", kind, m.Headers.Protected, m.Headers.Unprotected)
		}
		if again, err := m.MarshalCBOR(); err != nil || !bytes.Equal(again, c.signed) {
			t.Errorf("%s: go-cose writes it as %x, %v", kind, again, err)
		}
	}
}

// A generic reader finds core deterministic CBOR: what it decodes it encodes to the same bytes.
func TestIsDeterministicCBOR(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, b []byte) any {
		var v any
		if err := cbor.Unmarshal(b, &v); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if again, err := mode.Marshal(v); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %x encodes again to %x, %v", what, b, again, err)
		}
		return v
	}
	for _, c := range samples(t) {
		kind := string(c.body.Kind())
		message := same(kind, c.signed).(cbor.Tag).Content.([]any)
		same(kind+" protected header", message[0].([]byte))
		payload := same(kind+" payload", message[2].([]byte)).([]any)
		ledger := statementtest.Ledger()
		if first, _ := payload[0].([]byte); kind != "genesis" && !bytes.Equal(first, ledger[:]) {
			t.Errorf("%s: the first element of the payload is %v, want the ledger id", kind, payload[0])
		}
	}
}

// Every bit of every sample: what is changed does not parse, or is for another ledger, or is by an
// unknown key, or does not verify.
func TestEveryBitIsSigned(t *testing.T) {
	ledger := statementtest.Ledger()
	for _, c := range samples(t) {
		t.Run(string(c.body.Kind()), func(t *testing.T) {
			t.Parallel()
			accepted := func(b []byte) bool {
				s, err := statement.Parse(b)
				if err != nil {
					return false
				}
				if s.Body.Kind() != statement.KindGenesis && s.Body.LedgerID() != ledger {
					return false
				}
				return s.Verify(c.key.Public())
			}
			if !accepted(c.signed) {
				t.Fatal("the sample itself is refused")
			}
			b := bytes.Clone(c.signed)
			for i := range len(b) * 8 {
				b[i/8] ^= 1 << (i % 8)
				if accepted(b) {
					t.Errorf("accepted with bit %d of byte %d changed", i%8, i/8)
				}
				b[i/8] ^= 1 << (i % 8)
			}
			for n := range len(b) {
				if accepted(b[:n]) {
					t.Errorf("accepted when cut to %d bytes", n)
				}
			}
		})
	}
}

func TestParseRefusesHugeInput(t *testing.T) {
	b := statementtest.Sign(t, statementtest.Bodies()[1], statementtest.Issuer)
	b = append(b, make([]byte, statement.MaxSize)...)
	if _, err := statement.Parse(b); code(err) != statement.CodeTooLarge {
		t.Errorf("got %v, want %s", err, statement.CodeTooLarge)
	}
}

func FuzzStatementParse(f *testing.F) {
	for _, c := range samples(f) {
		f.Add(c.signed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := statement.Parse(b)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(s.Bytes(), b) {
			t.Errorf("%x formats as %x", b, s.Bytes())
		}
		if payload, err := statement.Encode(s.Body); err != nil || !bytes.Equal(payload, s.Payload) {
			t.Errorf("the body of %x encodes to %x, %v", b, payload, err)
		}
	})
}
