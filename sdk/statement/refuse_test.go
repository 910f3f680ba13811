package statement_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/internal/dcbor/dcbortest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

func bstr(b []byte) []byte { return dcbor.AppendBytes(nil, b) }

// header encodes a protected header of the given parts.
func header(parts ...[]byte) []byte {
	return append([]byte{0xa0 | byte(len(parts)/2)}, bytes.Join(parts, nil)...)
}

func typ(kind statement.Kind) []byte {
	return dcbor.AppendText(nil, "application/vnd.credledger."+string(kind)+"+cbor")
}

func message(protected, unprotected, payload, signature []byte) []byte {
	return append([]byte{0xd2}, dcbortest.Array(bstr(protected), unprotected, bstr(payload), bstr(signature))...)
}

// otherKind names the envelopes that are in form, but of no kind known.
var otherKind = map[string]bool{
	"typ unknown": true, "typ empty": true, "typ without prefix": true, "typ in capitals": true, "typ followed by a space": true,
}

// Every kind in every envelope but the right one.
func TestRefusesOtherEnvelopes(t *testing.T) {
	alg, kidLabel, typLabel := []byte{0x01}, []byte{0x04}, []byte{0x10}
	sm2 := dcbor.AppendInt(nil, statement.Algorithm)
	none := []byte{0xa0}
	for _, c := range samples(t) {
		kind := c.body.Kind()
		s, err := statement.Parse(c.signed)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		kid, payload, signature := bstr(s.KeyID[:]), s.Payload, s.Signature[:]
		good := header(alg, sm2, kidLabel, kid, typLabel, typ(kind))
		if !bytes.Equal(message(good, none, payload, signature), c.signed) {
			t.Fatalf("%s: the envelope of this test is not the one of the package", kind)
		}
		untagged := c.signed[1:]
		for name, b := range map[string][]byte{
			"empty":                        {},
			"no tag":                       untagged,
			"tag 98":                       append([]byte{0xd8, 98}, untagged...),
			"tag in two bytes":             append([]byte{0xd8, 18}, untagged...),
			"tagged twice":                 append([]byte{0xd2}, c.signed...),
			"self-described":               append([]byte{0xd9, 0xd9, 0xf7}, c.signed...),
			"trailing byte":                append(bytes.Clone(c.signed), 0),
			"trailing statement":           append(bytes.Clone(c.signed), c.signed...),
			"array of three":               append([]byte{0xd2}, dcbortest.Array(bstr(good), none, bstr(payload))...),
			"array of five":                append([]byte{0xd2}, dcbortest.Array(bstr(good), none, bstr(payload), bstr(signature), none)...),
			"array head in two bytes":      append([]byte{0xd2, 0x98, 4}, untagged[1:]...),
			"array of indefinite length":   append(append([]byte{0xd2, 0x9f}, untagged[1:]...), 0xff),
			"detached payload":             append([]byte{0xd2}, dcbortest.Array(bstr(good), none, []byte{0xf6}, bstr(signature))...),
			"payload not wrapped":          append([]byte{0xd2}, dcbortest.Array(bstr(good), none, payload, bstr(signature))...),
			"header not wrapped":           append([]byte{0xd2}, dcbortest.Array(good, none, bstr(payload), bstr(signature))...),
			"header empty":                 message(nil, none, payload, signature),
			"header an empty map":          message(none, none, payload, signature),
			"header followed by a byte":    message(append(bytes.Clone(good), 0), none, payload, signature),
			"header of indefinite length":  message(append(append([]byte{0xbf}, good[1:]...), 0xff), none, payload, signature),
			"alg missing":                  message(header(kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"alg ES256":                    message(header(alg, []byte{0x26}, kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"alg one less":                 message(header(alg, dcbor.AppendInt(nil, statement.Algorithm-1), kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"alg as text":                  message(header(alg, dcbor.AppendText(nil, "SM2"), kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"alg in nine bytes":            message(header(alg, []byte{0x3b, 0, 0, 0, 0, 0, 1, 0, 0}, kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"kid missing":                  message(header(alg, sm2, typLabel, typ(kind)), none, payload, signature),
			"kid of 31 bytes":              message(header(alg, sm2, kidLabel, bstr(s.KeyID[1:]), typLabel, typ(kind)), none, payload, signature),
			"kid of 33 bytes":              message(header(alg, sm2, kidLabel, bstr(append(s.KeyID[:], 0)), typLabel, typ(kind)), none, payload, signature),
			"typ missing":                  message(header(alg, sm2, kidLabel, kid), none, payload, signature),
			"typ unknown":                  message(header(alg, sm2, kidLabel, kid, typLabel, typ("vote")), none, payload, signature),
			"typ empty":                    message(header(alg, sm2, kidLabel, kid, typLabel, dcbor.AppendText(nil, "")), none, payload, signature),
			"typ without prefix":           message(header(alg, sm2, kidLabel, kid, typLabel, dcbor.AppendText(nil, string(kind))), none, payload, signature),
			"typ in capitals":              message(header(alg, sm2, kidLabel, kid, typLabel, typ(statement.Kind(strings.ToUpper(string(kind))))), none, payload, signature),
			"typ followed by a space":      message(header(alg, sm2, kidLabel, kid, typLabel, typ(kind+" ")), none, payload, signature),
			"typ a number":                 message(header(alg, sm2, kidLabel, kid, typLabel, []byte{0}), none, payload, signature),
			"typ in bytes":                 message(header(alg, sm2, kidLabel, kid, typLabel, bstr(typ(kind)[2:])), none, payload, signature),
			"typ of indefinite length":     message(header(alg, sm2, kidLabel, kid, typLabel, append(append([]byte{0x7f}, typ(kind)...), 0xff)), none, payload, signature),
			"typ twice":                    message(header(alg, sm2, kidLabel, kid, typLabel, typ(kind), typLabel, typ(kind)), none, payload, signature),
			"header in another order":      message(header(typLabel, typ(kind), alg, sm2, kidLabel, kid), none, payload, signature),
			"header with a content type":   message(header(alg, sm2, []byte{0x03}, []byte{0}, kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"header with a critical label": message(header(alg, sm2, []byte{0x02}, dcbortest.Array(typLabel), kidLabel, kid, typLabel, typ(kind)), none, payload, signature),
			"typ unprotected":              message(header(alg, sm2, kidLabel, kid), header(typLabel, typ(kind)), payload, signature),
			"kid unprotected too":          message(good, header(kidLabel, kid), payload, signature),
			"unprotected an array":         message(good, []byte{0x80}, payload, signature),
			"unprotected null":             message(good, []byte{0xf6}, payload, signature),
			"signature of 63 bytes":        message(good, none, payload, signature[1:]),
			"signature of 65 bytes":        message(good, none, payload, append(bytes.Clone(signature), 0)),
			"signature empty":              message(good, none, payload, nil),
			"signature null":               append([]byte{0xd2}, dcbortest.Array(bstr(good), none, bstr(payload), []byte{0xf6})...),
			"signature in DER":             message(good, none, payload, der(t, signature)),
			"signature length in three":    append(c.signed[:len(c.signed)-66:len(c.signed)-66], append([]byte{0x59, 0, 64}, signature...)...),
			"payload empty":                message(good, none, nil, signature),
		} {
			want := statement.CodeMalformed
			if otherKind[name] {
				want = statement.CodeWrongKind
			}
			if _, err := statement.Parse(b); code(err) != want {
				t.Errorf("%s, %s: got %v, want %s", kind, name, err, want)
			}
		}
	}
}

func der(t *testing.T, signature []byte) []byte {
	b, err := sm.SignatureToDER(signature)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// meaningful names the variants that say something else in the right form.
var meaningful = map[string]bool{
	"status 7 of the other sign":      true, // a date before 1970
	"restriction 7 of the other sign": true,
	"status 9 null":                   true, // no successor: refused by the rules of the ledger, see package chaincode
	"key 6 zero for null":             true, // valid from 1970 on
	"request 9 null":                  true, // by law alone
}

// Every item of every payload, at any depth, in every other encoding and as every other type.
func TestRefusesOtherPayloads(t *testing.T) {
	for _, c := range samples(t) {
		kind := c.body.Kind()
		s, err := statement.Parse(c.signed)
		if err != nil {
			t.Fatal(err)
		}
		inner := dcbortest.Items(t, s.Payload)
		bad := dcbortest.Variants(t, s.Payload)
		bad["one item less"] = dcbortest.Array(inner[:len(inner)-1]...)
		bad["trailing byte"] = append(bytes.Clone(s.Payload), 0)
		bad["truncated"] = s.Payload[:len(s.Payload)-1]
		bad["empty"] = nil
		for name, payload := range bad {
			if meaningful[string(kind)+" "+name] {
				continue
			}
			if body, err := statement.Decode(kind, payload); code(err) != statement.CodeMalformed && code(err) != statement.CodeInvalid {
				t.Errorf("%s, payload %s: got %+v, %v", kind, name, body, err)
			}
		}
	}
}

func TestRefusesDeepNesting(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x81}, 100000), 0)
	for _, c := range samples(t) {
		if _, err := statement.Decode(c.body.Kind(), deep); code(err) != statement.CodeMalformed {
			t.Errorf("%s: %v", c.body.Kind(), err)
		}
	}
	if _, err := statement.Decode("vote", []byte{0x80}); code(err) != statement.CodeWrongKind {
		t.Errorf("unknown kind: %v", err)
	}
}

// The payload and signature of each kind under the typ of each other kind: it does not parse, or
// does not verify.
func TestReplayAsAnotherKind(t *testing.T) {
	all := samples(t)
	for _, from := range all {
		s, err := statement.Parse(from.signed)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range all {
			kind := to.body.Kind()
			if kind == s.Body.Kind() {
				continue
			}
			kid := append([]byte{0x58, 0x20}, s.KeyID[:]...)
			protected := header([]byte{0x01}, dcbor.AppendInt(nil, statement.Algorithm), []byte{0x04}, kid, []byte{0x10}, typ(kind))
			replayed, err := statement.Parse(message(protected, []byte{0xa0}, s.Payload, s.Signature[:]))
			if err == nil && (replayed.Verify(from.key.Public()) || replayed.VerifySecondOpinion(from.key.Public())) {
				t.Errorf("a %s passes as a %s", s.Body.Kind(), kind)
			}
			if bytes.Equal(statement.ToBeSigned(kind, s.KeyID, s.Payload), statement.ToBeSigned(s.Body.Kind(), s.KeyID, s.Payload)) {
				t.Errorf("%s and %s have the same bytes to be signed", s.Body.Kind(), kind)
			}
		}
	}
}

// Each kind on a second ledger: it still names the first, and does not verify once that is changed.
func TestReplayOnAnotherLedger(t *testing.T) {
	second := statementtest.Genesis()
	second.Nonce[0] ^= 1
	payload, err := statement.Encode(second)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := statementtest.Ledger(), sm.Sum(payload)
	if ours == theirs {
		t.Fatal("two ledgers of one id")
	}
	for _, c := range samples(t) {
		kind := c.body.Kind()
		s, err := statement.Parse(c.signed)
		if err != nil {
			t.Fatal(err)
		}
		if kind == statement.KindGenesis {
			if sm.Sum(s.Payload) == theirs {
				t.Error("the genesis makes the second ledger")
			}
			continue
		}
		if s.Body.LedgerID() == theirs {
			t.Errorf("%s: names the second ledger", kind)
		}
		changed := bytes.Replace(c.signed, ours[:], theirs[:], 1)
		moved, err := statement.Parse(changed)
		if err != nil || moved.Body.LedgerID() != theirs {
			t.Errorf("%s: not moved to the second ledger: %v", kind, err)
			continue
		}
		if moved.Verify(c.key.Public()) || moved.VerifySecondOpinion(c.key.Public()) {
			t.Errorf("%s: verifies for the second ledger", kind)
		}
	}
}
