package vectors_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

func bad(kind, stage, expect, about string) Common {
	return Common{About: about, Kind: kind, Stage: stage, Expect: expect}
}

// An envelope is the parts of a COSE_Sign1 before it is put together, each encoded.
type envelope struct {
	protected   []byte // the map, not yet wrapped
	unprotected []byte
	payload     []byte // not yet wrapped
}

// encoded is an item that is encoded already, rightly or wrongly.
type encoded []byte

// array encodes an array of fewer than 24 items.
func (s *story) array(items ...any) []byte {
	s.Helper()
	out := []byte{0x80 | byte(len(items))}
	for _, item := range items {
		if e, ok := item.(encoded); ok {
			out = append(out, e...)
		} else {
			out = append(out, s.encode(item)...)
		}
	}
	return out
}

// sign1 is an array with the tag 18.
func (s *story) sign1(items ...any) []byte { return append([]byte{0xd2}, s.array(items...)...) }

// envelope returns the parts of a statement of a kind, signed by a label's key.
func (s *story) envelope(kind statement.Kind, label string, payload []byte) envelope {
	kid := statementtest.Key(label).Public().ID()
	return envelope{
		protected:   s.encode(map[int]any{1: statement.Algorithm, 4: kid[:], 16: "application/vnd.credledger." + string(kind) + "+cbor"}),
		unprotected: []byte{0xa0},
		payload:     payload,
	}
}

// sealed signs an envelope, whatever is in it, and puts it together.
func (s *story) sealed(e envelope, label string) []byte {
	signature, err := signer{s, label}.Sign(s.encode([]any{"Signature1", e.protected, []byte{}, e.payload}))
	if err != nil {
		s.Fatal(err)
	}
	return s.sign1(e.protected, encoded(e.unprotected), e.payload, signature)
}

// items returns the payload of the sample of a kind, as a generic reader finds it.
func (s *story) items(kind statement.Kind) []any {
	for _, body := range statementtest.Bodies() {
		if body.Kind() != kind {
			continue
		}
		payload, err := statement.Encode(body)
		if err != nil {
			s.Fatal(err)
		}
		var out []any
		if err := cbor.Unmarshal(payload, &out); err != nil {
			s.Fatal(err)
		}
		return out
	}
	s.Fatalf("no sample of a %s", kind)
	return nil
}

// hash returns SM3 of a text, as a slice.
func hash(text string) []byte {
	h := statementtest.Hash(text)
	return h[:]
}

// badStatements returns the files of statements that must be refused.
func (s *story) badStatements() map[string]any {
	files := map[string]any{}
	add := func(name, stage, expect, about string, b []byte, label string) {
		files["statement-"+name+".json"] = Statement{Common: bad("statement", stage, expect, about), Statement: b, Signer: label}
	}
	head := s.encode(s.items(statement.KindHead))
	good := s.envelope(statement.KindHead, issuer, head)
	signed := s.sealed(good, issuer)
	malformed := func(name, about string, b []byte) { add(name, "parse", statement.CodeMalformed, about, b, issuer) }

	malformed("empty", "No bytes at all.", []byte{})
	malformed("trailing-byte", "A byte follows.", append(slices.Clone(signed), 0))
	malformed("truncated", "The last byte is missing.", signed[:len(signed)-1])
	malformed("untagged", "The tag 18 is missing.", signed[1:])
	malformed("tag-98", "The tag is that of COSE_Sign.", append([]byte{0xd8, 98}, signed[1:]...))
	malformed("tag-longer-than-needed", "The tag takes two bytes.", append([]byte{0xd8, 18}, signed[1:]...))
	malformed("array-of-indefinite-length", "The message is an array of indefinite length.", append(append([]byte{0xd2, 0x9f}, signed[2:]...), 0xff))
	malformed("payload-detached", "The payload is null.", s.sign1(good.protected, encoded{0xa0}, nil, signed[len(signed)-64:]))
	malformed("signature-null", "The signature is null.", s.sign1(good.protected, encoded{0xa0}, head, nil))
	der, err := sm.SignatureToDER(signed[len(signed)-64:])
	if err != nil {
		s.Fatal(err)
	}
	malformed("signature-der", "The signature is in DER.", s.sign1(good.protected, encoded{0xa0}, head, der))

	kid := statementtest.Key(issuer).Public().ID()
	const typ = "application/vnd.credledger.head+cbor"
	for _, h := range []struct {
		name, expect, about string
		protected           []byte
	}{
		{"header-empty", statement.CodeMalformed, "The protected header is empty.", []byte{}},
		{"alg-missing", statement.CodeMalformed, "The header alg is missing.", s.encode(map[int]any{4: kid[:], 16: typ})},
		{"alg-es256", statement.CodeMalformed, "The header alg is ES256.", s.encode(map[int]any{1: -7, 4: kid[:], 16: typ})},
		{"kid-missing", statement.CodeMalformed, "The header kid is missing.", s.encode(map[int]any{1: statement.Algorithm, 16: typ})},
		{"kid-short", statement.CodeMalformed, "The header kid has 31 bytes.", s.encode(map[int]any{1: statement.Algorithm, 4: kid[:31], 16: typ})},
		{"typ-missing", statement.CodeMalformed, "The header typ is missing.", s.encode(map[int]any{1: statement.Algorithm, 4: kid[:]})},
		{"typ-number", statement.CodeMalformed, "The header typ is a number.", s.encode(map[int]any{1: statement.Algorithm, 4: kid[:], 16: 60})},
		{"typ-unknown", statement.CodeWrongKind, "The header typ is no kind of statement.", s.encode(map[int]any{1: statement.Algorithm, 4: kid[:], 16: strings.Replace(typ, "head", "vote", 1)})},
		{"typ-capitals", statement.CodeWrongKind, "The header typ is in capitals.", s.encode(map[int]any{1: statement.Algorithm, 4: kid[:], 16: strings.ToUpper(typ)})},
		{"header-more", statement.CodeMalformed, "There is a fourth header, a content type.", s.encode(map[int]any{1: statement.Algorithm, 3: 60, 4: kid[:], 16: typ})},
		{"header-order", statement.CodeMalformed, "The headers are in another order.", bytes.Join([][]byte{{0xa3}, s.encode(4), s.encode(kid[:]), s.encode(1), s.encode(statement.Algorithm), s.encode(16), s.encode(typ)}, nil)},
		{"header-longer-than-needed", statement.CodeMalformed, "The label 16 takes two bytes.", bytes.Join([][]byte{{0xa3}, s.encode(1), s.encode(statement.Algorithm), s.encode(4), s.encode(kid[:]), {0x18, 16}, s.encode(typ)}, nil)},
	} {
		e := good
		e.protected = h.protected
		add(h.name, "parse", h.expect, h.about, s.sealed(e, issuer), issuer)
	}
	unprotected := good
	unprotected.unprotected = s.encode(map[int]any{4: kid[:]})
	malformed("unprotected-header", "The unprotected header is not empty.", s.sealed(unprotected, issuer))

	replayed := s.envelope(statement.KindStatus, issuer, head)
	malformed("another-kind", "A head under the typ of a status change.", s.sign1(replayed.protected, encoded{0xa0}, head, signed[len(signed)-64:]))

	payloads := s.badPayloads()
	for _, name := range slices.Sorted(maps.Keys(payloads)) {
		p := payloads[name]
		add("payload-"+name, "parse", p.expect, p.about, s.sealed(s.envelope(p.kind, issuer, p.payload), issuer), issuer)
	}

	changed := func(from, to []byte) []byte { return bytes.Replace(signed, from, to, 1) }
	refused := func(name, about string, b []byte, label string) {
		add(name, "verify", "signature-invalid", about, b, label)
	}
	refused("another-key", "It is signed with another key than the one it is checked with.", signed, stranger)
	strange := statementtest.Key(stranger).Public().ID()
	refused("another-kid", "The kid was changed to that of the key it is checked with.", changed(kid[:], strange[:]), stranger)
	refused("another-ledger", "The ledger id was changed.", changed(s.ledger[:], hash("another ledger")), issuer)
	refused("another-time", "The time was changed by a second.", changed(s.encode(uint64(now)), s.encode(uint64(now+1))), issuer)
	refused("signature-zero", "The signature is zero.", append(signed[:len(signed)-64:len(signed)-64], make([]byte, 64)...), issuer)
	return files
}
