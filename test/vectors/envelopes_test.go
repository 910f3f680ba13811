package vectors_test

import (
	"bytes"
	"encoding/hex"

	sealing "github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// EnvelopeFile is an envelope, and the key of a reader who opens it.
type EnvelopeFile struct {
	Common
	Envelope  Hex    `json:"envelope"`
	Recipient string `json:"recipient"` // label of the reader's key
	// The rest is there in a good file only.
	Type     string `json:"type,omitempty"`
	Key      Hex    `json:"key,omitempty"`    // the SM2 ciphertext
	Secret   Hex    `json:"secret,omitempty"` // SM4 key and nonce
	Contents Hex    `json:"contents,omitempty"`
}

// Parts of two envelopes of the same four characters to the holder, sealed once: sealing draws a key.
const (
	sealedSecret   = "543956cc1ae5a50a60453032fe73b0c91a2fa2df58a87e8db14ced21"
	sealedKey      = "308185022100db50a01ec7b7d102fc20c3ef7c3504cf70dc8fe8d2932ae098f7b2ae513b3bff022077992af250ad04007f47656f0cfd39e82a3c1e7c2a5865aa86cc227d46083eee04204dbd793ab2616adfcc562ffd2327bf3951b897ffeeed61ae1ba365e324c44fb2041ce2f33b927cf3dc26a6cff7fdcc4b6762d3a277e97dea258a504d6734"
	sealedContents = "3fa9ea4167567090394a518cb0d17bcbd1c6412271bd78ad28c106be"

	otherKey      = "308185022068e554cb580f3b57d2944ba23172557097ac162b488973ffc17941f0f74d9d41022100ee61f76032ed062d4a5f09977e14afcb0d327e1689139595a1547dd6aa6bee76042063e80c9304a823a8df6b08b8b8acfcf98af2cda4c6ffcf1facd68fb5dcfb6cea041c71ef76af2c8246809071a439b2c556c18d146fe2f6abce09eb27fa37"
	otherContents = "170d6b9de94be1285cdeb694bc2665bf1bdd495f8fb0a0e78edac2a9"

	shortSecret = "30818402204083f273f61113f833212cf817d2665e4b540919020f38796af68e32d17519d00221008c09e6d287a8892a253574523e4f2cf0bb744ea8cd7b07d9cffbc66adf73a7e20420941e8d758ff5d39d6cf5385dbfbda0da60e4ac6a695fcd57b63397b1e6504269041bde2e1458b67fc0aed3efbaba28fc5ca9b2f8991b41e3239609cd82"
)

func (s *story) hex(text string) Hex {
	s.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		s.Fatal(err)
	}
	return b
}

// An envelopeCase is the items of an envelope to the holder, before something is changed in it.
type envelopeCase struct {
	items []any // version, recipient, type, key, contents
	whole func([]byte) []byte
	label string // of the reader's key
}

func (s *story) envelopeCase() *envelopeCase {
	id := statementtest.Key(holder).Public().ID()
	return &envelopeCase{
		items: []any{1, id[:], "text/plain", []byte(s.hex(sealedKey)), []byte(s.hex(sealedContents))},
		whole: func(b []byte) []byte { return b },
		label: holder,
	}
}

func (s *story) goodEnvelopes() map[string]any {
	c := s.envelopeCase()
	return map[string]any{"envelope.json": EnvelopeFile{
		Common:   good("envelope", "Four characters, sealed to the holder's key."),
		Envelope: s.encode(c.items), Recipient: holder,
		Type: "text/plain", Key: s.hex(sealedKey), Secret: s.hex(sealedSecret), Contents: []byte("电子证照"),
	}}
}

func (s *story) badEnvelopes() map[string]any {
	files := map[string]any{}
	add := func(name, stage, code, about string, change func(c *envelopeCase)) {
		c := s.envelopeCase()
		change(c)
		files["envelope-"+name+".json"] = EnvelopeFile{Common: bad("envelope", stage, code, about), Envelope: c.whole(s.encode(c.items)), Recipient: c.label}
	}
	malformed := func(name, about string, change func(c *envelopeCase)) {
		add(name, "parse", sealing.CodeMalformed, about, change)
	}
	malformed("empty", "There is nothing.", func(c *envelopeCase) { c.whole = func([]byte) []byte { return nil } })
	malformed("trailing", "A byte follows.", func(c *envelopeCase) { c.whole = func(b []byte) []byte { return append(b, 0) } })
	malformed("truncated", "The last byte is missing.", func(c *envelopeCase) { c.whole = func(b []byte) []byte { return b[:len(b)-1] } })
	malformed("longer-than-needed", "The version is in two bytes.", func(c *envelopeCase) {
		c.whole = func(b []byte) []byte { return bytes.Replace(b, []byte{0x85, 1}, []byte{0x85, 0x18, 1}, 1) }
	})
	malformed("version-2", "It is of another version.", func(c *envelopeCase) { c.items[0] = 2 })
	malformed("item-more", "It has an item more.", func(c *envelopeCase) { c.items = append(c.items, nil) })
	malformed("recipient-31-bytes", "The key id is short.", func(c *envelopeCase) { c.items[1] = c.items[1].([]byte)[1:] })
	malformed("type-empty", "The type is empty.", func(c *envelopeCase) { c.items[2] = "" })
	malformed("type-65-letters", "The type is long.", func(c *envelopeCase) { c.items[2] = string(bytes.Repeat([]byte("a"), 65)) })
	malformed("type-capitals", "The type has a capital.", func(c *envelopeCase) { c.items[2] = "text/Plain" })
	malformed("key-161-bytes", "The key is long.", func(c *envelopeCase) { c.items[3] = make([]byte, 161) })
	malformed("contents-16-bytes", "There is a tag, and nothing sealed.", func(c *envelopeCase) { c.items[4] = c.items[4].([]byte)[:16] })

	add("other-key", "open", sealing.CodeOtherKey, "The reader's key is another.", func(c *envelopeCase) { c.label = stranger })
	altered := func(name, about string, change func(c *envelopeCase)) {
		add(name, "open", sealing.CodeAltered, about, change)
	}
	altered("recipient-changed", "Another has put the key id in, and cannot open it.", func(c *envelopeCase) {
		id := statementtest.Key(stranger).Public().ID()
		c.label, c.items[1] = stranger, id[:]
	})
	altered("type-changed", "The type was changed.", func(c *envelopeCase) { c.items[2] = "text/html" })
	altered("key-exchanged", "The key is that of another envelope.", func(c *envelopeCase) { c.items[3] = []byte(s.hex(otherKey)) })
	altered("contents-exchanged", "The contents are those of another envelope.", func(c *envelopeCase) { c.items[4] = []byte(s.hex(otherContents)) })
	altered("both-exchanged", "Key and contents are another envelope's, under another type.", func(c *envelopeCase) {
		c.items[2], c.items[3], c.items[4] = "a/b", []byte(s.hex(otherKey)), []byte(s.hex(otherContents))
	})
	flip := func(item, at int) func(c *envelopeCase) {
		return func(c *envelopeCase) {
			b := c.items[item].([]byte)
			b[(at+len(b))%len(b)] ^= 1
		}
	}
	altered("contents-changed", "A bit of the contents was changed.", flip(4, 0))
	altered("tag-changed", "A bit of the tag was changed.", flip(4, -1))
	altered("point-off-curve", "The point in the key is not on the curve.", flip(3, 10))
	altered("key-hash-changed", "A bit of C3 was changed.", flip(3, 80))
	altered("key-no-ciphertext", "The key is no ciphertext.", func(c *envelopeCase) { c.items[3] = []byte{0x30, 0} })
	altered("key-trailing", "A byte follows the key.", func(c *envelopeCase) { c.items[3] = append(c.items[3].([]byte), 0) })
	altered("secret-27-bytes", "The key holds 27 bytes.", func(c *envelopeCase) { c.items[3] = []byte(s.hex(shortSecret)) })
	return files
}

func (r *runner) checkEnvelope(f EnvelopeFile) {
	e, err := sealing.Parse(f.Envelope)
	if err != nil {
		r.outcome(f.Common, "parse", r.code(err))
		return
	}
	private := r.private[f.Recipient]
	if private == nil {
		r.Fatalf("unknown key %q", f.Recipient)
	}
	contents, err := e.Open(private)
	r.outcome(f.Common, "open", r.code(err))
	if err != nil {
		return
	}
	r.same("contents", contents, f.Contents)
	r.same("again", e.Bytes(), f.Envelope)
	secret, err := private.Decrypt(f.Key)
	if err != nil || e.Type != f.Type {
		r.Errorf("type %q, %v", e.Type, err)
	}
	r.same("secret", secret, f.Secret)
}
