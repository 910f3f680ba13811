package vectors_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// encode is deterministic CBOR by a library that the formats themselves are not written with.
func (s *story) encode(v any) Hex {
	s.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		s.Fatal(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		s.Fatal(err)
	}
	return b
}

func good(kind, about string) Common { return Common{About: about, Kind: kind, Expect: "ok"} }

// goodFiles returns the files of the folder good, by name.
func (s *story) goodFiles() map[string]any {
	files := map[string]any{
		"keys.json":    s.keys(),
		"leaves.json":  s.leaves(),
		"trees.json":   s.trees(),
		"records.json": s.records(),
	}
	for _, st := range s.statements {
		files["statement-"+st.name+".json"] = s.statement(st)
	}
	for name, p := range s.presentations() {
		files[name+".json"] = p
	}
	for name, c := range s.codes() {
		files[name+".json"] = c
	}
	maps.Copy(files, s.goodLog())
	maps.Copy(files, s.goodReceipts())
	maps.Copy(files, s.goodSnapshots())
	maps.Copy(files, s.goodEnvelopes())
	maps.Copy(files, s.goodSubjects())
	maps.Copy(files, s.goodEvidence())
	files["signatures.json"] = Signatures{good("signatures", "Every signature in both folders, made once: SM2 is randomised."), s.signatures}
	return files
}

func (s *story) keys() Keys {
	out := Keys{Common: good("keys", "Key pairs, whose private scalars are SM3 of \"credledger test key \" and the label.")}
	for _, label := range labels {
		key, scalar := statementtest.Key(label).Public(), statementtest.Scalar(label)
		kid := key.ID()
		out.Keys = append(out.Keys, Key{Label: label, Scalar: scalar[:], Point: key.Bytes(), SPKI: key.SPKI(), KeyID: kid[:]})
	}
	return out
}

// plain returns a value as JSON and CBOR encoders take it.
func plain(v licence.Value) any {
	switch {
	case v.IsNull():
		return nil
	case v.IsText():
		return v.String()
	}
	return append([]string{}, v.Strings()...)
}

func (s *story) json(v licence.Value) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain(v)); err != nil {
		s.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func (s *story) leaves() Leaves {
	out := Leaves{Common: good("leaves", "Fields with their salts, encoded and hashed.")}
	add := func(salt credential.Salt, key string, value licence.Value) {
		hash := credential.Commit(&salt, key, value)
		out.Leaves = append(out.Leaves, Leaf{Salt: salt[:], Key: key, Value: s.json(value),
			Encoded: s.encode([]any{salt[:], key, plain(value)}), Hash: hash[:]})
	}
	for _, p := range []*credential.Presentation{s.whole, s.property} {
		for i, key := range credentialtest.Type(s, p.Record.Type).Leaves() {
			add(p.Fields[i].Salt, key, p.Fields[i].Value)
		}
	}
	salt := credential.Salt(credentialtest.Salts("more leaves", 1))
	add(salt, "a", licence.ListValue())
	add(salt, "a", licence.TextValue(""))
	add(salt, "a", licence.Null)
	for _, length := range []int{23, 24, 255, 256} {
		add(salt, "a", licence.TextValue(strings.Repeat("x", length)))
	}
	return out
}

func (s *story) trees() Trees {
	out := Trees{Common: good("trees", "Merkle trees over hashes that are leaves already, with the path of every leaf.")}
	for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 17} {
		hashes := make([]sm.Hash, size)
		for i := range hashes {
			hashes[i] = sm.SumLeaf([]byte{byte(i)})
		}
		tree := credential.NewTree(hashes)
		root := tree.Root()
		one := Tree{Root: root[:]}
		for i := range hashes {
			one.Leaves = append(one.Leaves, hashes[i][:])
			one.Paths = append(one.Paths, tree.AppendPath(nil, i))
		}
		out.Trees = append(out.Trees, one)
	}
	return out
}

func (s *story) records() Records {
	out := Records{Common: good("records", "Records and their digests; the last two differ from the second in validity only.")}
	bounded := s.property.Record
	openEnded := bounded
	openEnded.ValidFrom, openEnded.ValidUntil = nil, new(licence.Date)
	*openEnded.ValidUntil = -1
	permanent := bounded
	permanent.ValidFrom, permanent.ValidUntil, permanent.Predecessor = nil, nil, nil
	for i, r := range []credential.Record{s.whole.Record, bounded, openEnded, permanent} {
		fields := s.fieldsRoot(s.property)
		if i == 0 {
			fields = s.fieldsRoot(s.whole)
		}
		digest := r.Digest(fields)
		v := Record{Type: r.Type, TypeVersion: r.TypeVersion, Issuer: r.Issuer, Fields: fields[:], IssuedAt: r.IssuedAt,
			ValidFrom: (*int32)(r.ValidFrom), ValidUntil: (*int32)(r.ValidUntil), Digest: digest[:]}
		var predecessor any
		if r.Predecessor != nil {
			v.Predecessor = (*Hex)(&[]byte{})
			*v.Predecessor = r.Predecessor[:]
			predecessor = r.Predecessor[:]
		}
		v.Encoded = s.encode([]any{1, r.Type, r.TypeVersion, r.Issuer, fields[:], r.IssuedAt, v.ValidFrom, v.ValidUntil, predecessor})
		out.Records = append(out.Records, v)
	}
	return out
}

// fieldsRoot returns the root over the fields of a credential.
func (s *story) fieldsRoot(whole *credential.Presentation) sm.Hash {
	keys := credentialtest.Type(s, whole.Record.Type).Leaves()
	leaves := make([]sm.Hash, len(keys))
	for i := range leaves {
		leaves[i] = credential.Commit(&whole.Fields[i].Salt, keys[i], whole.Fields[i].Value)
	}
	return credential.Root(leaves)
}

func (s *story) statement(st namedStatement) Statement {
	parsed, err := statement.Parse(st.bytes)
	if err != nil {
		s.Fatalf("%s: %v", st.name, err)
	}
	diagnostic, err := cbor.Diagnose(parsed.Payload)
	if err != nil {
		s.Fatalf("%s: %v", st.name, err)
	}
	kind := parsed.Body.Kind()
	return Statement{
		Common: good("statement", st.about), Statement: st.bytes, Signer: st.signer,
		Type: "application/vnd.credledger." + string(kind) + "+cbor", KeyID: parsed.KeyID[:], Payload: parsed.Payload,
		Diagnostic: diagnostic, ToBeSigned: statement.ToBeSigned(kind, parsed.KeyID, parsed.Payload),
	}
}

func (s *story) presentations() map[string]Presentation {
	two := s.disclose(s.whole, "spouse1Name", "spouse2Id")
	return map[string]Presentation{
		"credential":             s.presentation("The credential of the third of three marriage certificates.", s.whole, s.whole),
		"credential-full-record": s.presentation("A credential anchored alone, with a list, files, a term and a predecessor.", s.property, s.property),
		"presentation-two":       s.presentation("Two fields of it.", s.whole, two),
		"presentation-none":      s.presentation("No field at all: the proof is the fields root.", s.whole, s.disclose(s.whole)),
		"presentation-first":     s.presentation("The first field only.", s.whole, s.disclose(s.whole, "certificateNumber")),
		"presentation-last":      s.presentation("The last leaf only, which is null.", s.whole, s.disclose(s.whole, "documents")),
		"presentation-several":   s.presentation("Several fields, a list and a null among them.", s.property, s.disclose(s.property, "rightHolders", "notes", "area", "identifier", "documents")),
		"presentation-holder":    s.presentation("Two fields, with a holder part.", s.whole, s.prove(two)),
		"credential-holder":      s.presentation("Every field, with a holder part; the nonce is 16 bytes.", s.property, s.prove(s.property)),
	}
}

func (s *story) presentation(about string, whole, p *credential.Presentation) Presentation {
	o := credentialtest.Open(s, p)
	fields := s.fieldsRoot(whole)
	head, ok := o.HeadStatement()
	if !ok {
		s.Fatal("no head")
	}
	out := s.unchecked(good("presentation", about), p.Bytes(), p.Record.Type)
	out.FieldsRoot, out.Digest, out.Root, out.HeadPayload = fields[:], o.Digest[:], o.Signed.Root[:], head.Payload
	for _, f := range p.Fields {
		out.Disclosed = append(out.Disclosed, Disclosed{Key: o.Type.Leaves()[f.Index], Value: s.json(f.Value)})
	}
	if p.Holder != nil {
		binding, ok := o.BindingStatement()
		if !ok {
			s.Fatal("no binding")
		}
		proof, ok := o.ProofStatement()
		if !ok {
			s.Fatal("no proof")
		}
		shown := proof.Body.(*statement.Proof).Presentation
		out.Holder = &HolderPart{BindingPayload: binding.Payload, Shown: shown[:], ProofPayload: proof.Payload}
	}
	return out
}

// unchecked returns a presentation file without what follows from the presentation.
func (s *story) unchecked(c Common, presentation []byte, typeID string) Presentation {
	y := credentialtest.Type(s, typeID)
	return Presentation{
		Common: c, Presentation: presentation, Ledger: s.ledger[:], Issuers: []string{issuer, "natural-resources"},
		Type: y.ID, TypeVersion: y.Version, Dictionary: y.Leaves(),
	}
}

func (s *story) codes() map[string]Code {
	two := s.disclose(s.whole, "spouse1Name", "spouse2Id")
	text, err := credential.EncodeCode(credentialtest.Host, two)
	if err != nil {
		s.Fatal(err)
	}
	_, letters, _ := strings.Cut(text, "#")
	wide := strings.Map(func(r rune) rune { return r - '!' + '！' }, text)
	out := map[string]Code{}
	for name, c := range map[string]struct{ about, text string }{
		"code":            {"The self-contained code of the presentation of two fields. Another compressor may give other letters for it.", text},
		"code-lower-case": {"The same, typed in lower case.", strings.ToLower(text)},
		"code-full-width": {"The same, typed through a Chinese input method.", wide},
		"code-other-host": {"The same for another host, with white space around it.", " http://other.example/#" + letters + "\r\n"},
		"code-no-host":    {"The same without anything before its letters.", letters},
	} {
		out[name] = Code{good("code", c.about), c.text, two.Bytes()}
	}
	return out
}
