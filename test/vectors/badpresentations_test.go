package vectors_test

import (
	"bytes"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// replaced returns an encoded array with the item at a path replaced.
func (s *story) replaced(b []byte, with any, path ...int) []byte {
	s.Helper()
	items := s.split(b)
	if len(path) == 1 {
		items[path[0]] = with
	} else {
		items[path[0]] = encoded(s.replaced(items[path[0]].(encoded), with, path[1:]...))
	}
	return s.array(items...)
}

// split takes an encoded array apart into encoded items.
func (s *story) split(b []byte) []any {
	s.Helper()
	var items []cbor.RawMessage
	if err := cbor.Unmarshal(b, &items); err != nil {
		s.Fatal(err)
	}
	out := make([]any, len(items))
	for i := range items {
		out[i] = encoded(items[i])
	}
	return out
}

// badPresentations returns the files of presentations that must be refused.
func (s *story) badPresentations() map[string]any {
	files := map[string]any{}
	add := func(name, stage, expect, about string, b []byte) {
		files["presentation-"+name+".json"] = s.unchecked(bad("presentation", stage, expect, about), b, "marriage")
	}
	two := s.disclose(s.whole, "spouse1Name", "spouse2Id")
	b := two.Bytes()
	bound := s.prove(two).Bytes()

	malformed := func(name, about string, b []byte) { add(name, "parse", credential.CodeMalformed, about, b) }
	malformed("empty", "No bytes at all.", []byte{})
	malformed("truncated", "The last byte is missing.", b[:len(b)-1])
	malformed("trailing-byte", "A byte follows.", append(slices.Clone(b), 0))
	malformed("seven-items", "The holder part is missing, not null.", append([]byte{0x87}, b[1:len(b)-1]...))
	malformed("indefinite-array", "The array has indefinite length.", append(append([]byte{0x9f}, b[1:]...), 0xff))
	malformed("longer-than-needed", "The index 2 takes two bytes.", s.replaced(b, encoded{0x18, 2}, 5))
	malformed("version-2", "The version is 2.", s.replaced(b, 2, 0))
	malformed("tagged", "It has the tag 55799 of self-described CBOR.", append([]byte{0xd9, 0xd9, 0xf7}, b...))
	malformed("type-not-utf8", "The type is not UTF-8.", s.replaced(b, encoded{0x62, 0xc0, 0xaf}, 1, 0))
	malformed("day-10000", "It is valid until a day in the year 10000.", s.replaced(b, 2932897, 1, 5))
	malformed("fields-not-ascending", "The fields are not in ascending order.", s.swapped(b))
	malformed("field-twice", "A field is disclosed twice.", s.replaced(b, two.Fields[0].Index, 2, 1, 0))
	malformed("salt-15-bytes", "A salt has 15 bytes.", s.replaced(b, make([]byte, 15), 2, 0, 1))
	malformed("value-number", "A value is a number.", s.replaced(b, 7, 2, 0, 2))
	malformed("value-list-with-null", "A value is a list with null in it.", s.replaced(b, []any{nil}, 2, 0, 2))
	malformed("proof-33-bytes", "The multiproof is not whole hashes.", s.replaced(b, make([]byte, 33), 3))
	malformed("signature-63-bytes", "The head's signature has 63 bytes.", s.replaced(b, make([]byte, 63), 4, 5))
	malformed("index-4096", "The index is 4096.", s.replaced(b, 4096, 5))
	malformed("path-13-hashes", "The path has 13 hashes.", s.replaced(b, make([]byte, 13*32), 6))
	malformed("holder-nonce-65-bytes", "The nonce in the holder part has 65 bytes.", s.replaced(bound, make([]byte, 65), 7, 6))

	opened := func(name, about string, b []byte) { add(name, "open", credential.CodeInconsistent, about, b) }
	add("type-version-2", "open", credential.CodeWrongType, "It is of another version than the dictionary.", s.replaced(b, 2, 1, 1))
	opened("field-beyond-dictionary", "A field has the index of no leaf.", s.replaced(b, len(credentialtest.Type(s, "marriage").Leaves()), 2, 1, 0))
	opened("proof-short", "The last hash of the multiproof is missing.", s.replaced(b, two.Proof[:len(two.Proof)-32], 3))
	opened("proof-long", "The multiproof has a hash more.", s.replaced(b, append(slices.Clone(two.Proof), make([]byte, 32)...), 3))
	opened("path-short", "The last hash of the path is missing.", s.replaced(b, two.Path[:len(two.Path)-32], 6))
	opened("path-long", "The path has a hash more.", s.replaced(b, append(slices.Clone(two.Path), make([]byte, 32)...), 6))
	opened("index-beyond-batch", "The index is the size of the batch.", s.replaced(b, 3, 5))
	opened("size-0", "The batch has no licences.", s.replaced(b, 0, 4, 2))

	add("another-ledger", "ledger", "unknown-ledger", "It is for a ledger that the verifier does not know.", s.replaced(b, hash("another ledger"), 4, 0))
	add("head-unit-capitals", "head", statement.CodeInvalid, "The unit has a capital letter, which no head can have.", s.replaced(b, "Marriage-registry", 4, 1))
	strange := statementtest.Key(stranger).Public().ID()
	add("unknown-key", "head", "unknown-key", "The kid is that of no key that the verifier knows.", s.replaced(b, strange[:], 4, 4))

	head := func(name, about string, b []byte) { add(name, "head", "signature-invalid", about, b) }
	salt := two.Fields[0].Salt
	salt[0] ^= 1
	head("salt-changed", "A salt has one bit changed.", s.replaced(b, salt[:], 2, 0, 1))
	head("value-changed", "A disclosed value is another name.", s.replaced(b, "钱林", 2, 0, 2))
	head("value-null", "A disclosed value is said to be absent.", s.replaced(b, nil, 2, 0, 2))
	head("value-list", "A disclosed text is said to be a list of it.", s.replaced(b, []any{two.Fields[0].Value.String()}, 2, 0, 2))
	head("field-renamed", "A disclosed value is said to be that of the next field.", s.replaced(b, two.Fields[0].Index+1, 2, 0, 0))
	head("proof-order", "Two hashes of the multiproof are exchanged.", s.replaced(b, exchanged(two.Proof), 3))
	head("path-order", "The two hashes of the path are exchanged.",
		s.replaced(s.disclose(s.firstOfThree(), "spouse1Name").Bytes(), exchanged(s.firstOfThree().Path), 6))
	head("issued-changed", "The licence is said to be issued a second later.", s.replaced(b, uint64(now-59), 1, 3))
	head("validity-changed", "The licence is said to have a last day of validity.", s.replaced(b, 30000, 1, 5))
	head("predecessor-added", "The licence is said to take the place of another.", s.replaced(b, hash("predecessor"), 1, 6))
	head("issuer-changed", "The licence is said to be another department's.", s.replaced(b, "natural-resources", 1, 2))
	head("unit-changed", "The licence is said to be another unit's.", s.replaced(b, "archive", 4, 1))
	head("signed-at-changed", "The head is said to be signed a second later.", s.replaced(b, uint64(now+1), 4, 3))
	other := statementtest.Key("natural-resources").Public().ID()
	head("key-changed", "The head is said to be signed with another known key.", s.replaced(b, other[:], 4, 4))
	signature := two.Head.Signature
	signature[63] ^= 1
	head("signature-changed", "The head's signature has one bit changed.", s.replaced(b, signature[:], 4, 5))

	lifetime := uint64(now + statement.MaxBinding + 1)
	add("binding-401-days", "binding", statement.CodeInvalid, "The binding lasts longer than a binding can.", s.replaced(bound, lifetime, 7, 2))
	add("binding-unknown-key", "binding", "unknown-key", "The binding's kid is that of no key that the verifier knows.", s.replaced(bound, strange[:], 7, 3))
	add("binding-extended", "binding", "signature-invalid", "The binding is said to last a second longer.", s.replaced(bound, uint64(now+90*24*3600+1), 7, 2))
	add("binding-stolen", "binding", "signature-invalid", "The holder's key was exchanged for a thief's, who made the proof.", s.stolen(two))
	add("binding-of-another", "binding", "signature-invalid", "The binding is that of another licence.", s.bindingOfAnother(two))
	off := append(make([]byte, 63), 1)
	add("binding-key-off-curve", "binding", statement.CodeInvalid, "The holder's key is not on the curve.", s.replaced(bound, off, 7, 0))
	add("proof-two-days", "proof", statement.CodeInvalid, "The holder's proof lasts longer than a proof can.", s.replaced(bound, uint64(now+2*24*3600), 7, 8))
	add("proof-audience-changed", "proof", "signature-invalid", "The holder's proof is said to be for somebody else.", s.replaced(bound, "market-regulation", 7, 5))
	add("proof-nonce-changed", "proof", "signature-invalid", "The holder's proof is said to have another nonce.", s.replaced(bound, []byte("another nonce"), 7, 6))
	add("proof-of-other-fields", "proof", "signature-invalid", "The holder's proof was made for other fields of the same licence.", s.proofOfOtherFields(two))
	return files
}

// swapped returns a presentation of two fields with the second first.
func (s *story) swapped(b []byte) []byte {
	fields := s.split(s.split(b)[2].(encoded))
	slices.Reverse(fields)
	return s.replaced(b, encoded(s.array(fields...)), 2)
}

// exchanged returns hashes with the first two exchanged.
func exchanged(hashes []byte) []byte {
	return bytes.Join([][]byte{hashes[32:64], hashes[:32], hashes[64:]}, nil)
}

// firstOfThree returns the credential of the first licence of the batch, whose path has two hashes.
func (s *story) firstOfThree() *credential.Presentation { return s.batchOfThree.Credential(0) }

// stolen returns a presentation that a thief with the holder's binding made with a key of their own.
func (s *story) stolen(p *credential.Presentation) []byte {
	o := credentialtest.Open(s, p)
	body := credentialtest.Binding(o)
	body.HolderKey = statementtest.XY(stranger)
	right := s.prove(p).Holder
	proved, err := credential.Prove(o, s.sign("", "", body, issuer), credentialtest.Proof(), signer{s, stranger})
	if err != nil {
		s.Fatal(err)
	}
	proved.Holder.BindingSignature = right.BindingSignature
	return proved.Bytes()
}

// bindingOfAnother returns a presentation with the binding of another licence of the batch.
func (s *story) bindingOfAnother(p *credential.Presentation) []byte {
	other := s.prove(s.disclose(s.firstOfThree(), "spouse1Name"))
	proved := s.prove(p)
	proved.Holder.BindingSignature = other.Holder.BindingSignature
	return proved.Bytes()
}

// proofOfOtherFields returns a presentation with the holder part of one of other fields.
func (s *story) proofOfOtherFields(p *credential.Presentation) []byte {
	proved := *p
	proved.Holder = s.prove(s.disclose(s.whole, "spouse1Name")).Holder
	return proved.Bytes()
}

// badPaths returns the files of inclusion paths that must be refused.
func (s *story) badPaths() map[string]any {
	hashes := make([]sm.Hash, 7)
	for i := range hashes {
		hashes[i] = sm.SumLeaf([]byte{byte(i)})
	}
	tree := credential.NewTree(hashes)
	root, path := tree.Root(), tree.AppendPath(nil, 4)
	files := map[string]any{}
	for name, c := range map[string]OnePath{
		"short":            {bad("path", "", "", "The last hash is missing."), hashes[4][:], 4, 7, path[:64], root[:]},
		"long":             {bad("path", "", "", "There is a hash more."), hashes[4][:], 4, 7, append(slices.Clone(path), make([]byte, 32)...), root[:]},
		"order":            {bad("path", "", "", "Two hashes are exchanged."), hashes[4][:], 4, 7, exchanged(path), root[:]},
		"another-leaf":     {bad("path", "", "", "The leaf is another one."), hashes[5][:], 4, 7, path, root[:]},
		"another-index":    {bad("path", "", "", "The index is that of the neighbour."), hashes[4][:], 5, 7, path, root[:]},
		"another-size":     {bad("path", "", "", "The size is one for which the path has the wrong length."), hashes[4][:], 4, 5, path, root[:]},
		"index-beyond":     {bad("path", "", "", "The index is the size."), hashes[4][:], 7, 7, path, root[:]},
		"size-0":           {bad("path", "", "", "The tree has no leaves."), hashes[4][:], 0, 0, []byte{}, root[:]},
		"interior-as-leaf": {bad("path", "", "", "An interior node is passed off as a leaf."), interior(hashes[4], hashes[5]), 2, 7, path[32:], root[:]},
	} {
		c.Stage, c.Expect = "path", "refused"
		files["path-"+name+".json"] = c
	}
	return files
}

func interior(l, r sm.Hash) []byte {
	h := sm.SumNode(&l, &r)
	return h[:]
}

// badSignatures returns the files of bare signatures that must be refused.
func (s *story) badSignatures() map[string]any {
	right := s.signatures[0]
	n := []byte("\xFF\xFF\xFF\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x72\x03\xDF\x6B\x21\xC6\x05\x2B\x53\xBB\xF4\x09\x39\xD5\x41\x23")
	zero := make([]byte, 32)
	r, sPart := right.Signature[:32], right.Signature[32:]
	files := map[string]any{}
	for name, c := range map[string]struct {
		about     string
		signature []byte
		message   []byte
		key       string
	}{
		"r-zero":          {"r is 0.", slices.Concat(zero, sPart), right.Message, right.Key},
		"s-zero":          {"s is 0.", slices.Concat(r, zero), right.Message, right.Key},
		"r-order":         {"r is the order of the curve.", slices.Concat(n, sPart), right.Message, right.Key},
		"s-order":         {"s is the order of the curve.", slices.Concat(r, n), right.Message, right.Key},
		"s-negated":       {"s is the order of the curve less s.", slices.Concat(r, subtract(n, sPart)), right.Message, right.Key},
		"sum-order":       {"r + s is the order of the curve.", slices.Concat(r, subtract(n, r)), right.Message, right.Key},
		"exchanged":       {"s stands before r.", slices.Concat(sPart, r), right.Message, right.Key},
		"short":           {"The last byte is missing.", right.Signature[:63], right.Message, right.Key},
		"long":            {"A byte follows.", append(slices.Clone(right.Signature), 0), right.Message, right.Key},
		"another-message": {"The message has a byte more.", right.Signature, append(slices.Clone(right.Message), 0), right.Key},
		"another-key":     {"The key is another one.", right.Signature, right.Message, stranger},
	} {
		files["signature-"+name+".json"] = OneSignature{bad("signature", "verify", "signature-invalid", c.about),
			Signature{c.key, c.message, c.signature}}
	}
	return files
}

// subtract returns a - b of two numbers of 32 bytes, a > b.
func subtract(a, b []byte) []byte {
	out, borrow := make([]byte, 32), 0
	for i := 31; i >= 0; i-- {
		d := int(a[i]) - int(b[i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		out[i] = byte(d)
	}
	return out
}
