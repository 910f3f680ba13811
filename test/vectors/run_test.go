package vectors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	sealing "github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/snapshot"
)

// A runner checks vectors with this implementation's packages. It uses nothing that was used to
// make them but the files.
type runner struct {
	*testing.T
	keys    map[string]*sm.PublicKey  // by label
	private map[string]*sm.PrivateKey // by label
}

func TestVectors(t *testing.T) {
	r := &runner{t, map[string]*sm.PublicKey{}, map[string]*sm.PrivateKey{}}
	var keys Keys
	r.read(filepath.Join(goodFolder, "keys.json"), &keys)
	for _, k := range keys.Keys {
		key, err := sm.NewPublicKey(k.Point)
		if err != nil {
			t.Fatalf("key %s: %v", k.Label, err)
		}
		r.keys[k.Label] = key
		r.private[k.Label] = r.scalar(k.Scalar)
	}
	for _, path := range paths(t) {
		t.Run(path, func(t *testing.T) { (&runner{t, r.keys, r.private}).file(path) })
	}
}

func (r *runner) read(path string, v any) {
	r.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = unmarshal(b, v)
	}
	if err != nil {
		r.Fatalf("%s: %v", path, err)
	}
}

// file runs one file. An unknown kind, stage or expectation is fatal.
func (r *runner) file(path string) {
	b, err := os.ReadFile(path)
	if err != nil {
		r.Fatal(err)
	}
	var c Common
	if err := json.Unmarshal(b, &c); err != nil {
		r.Fatal(err)
	}
	if isGood := filepath.Dir(path) == goodFolder; c.About == "" || isGood != (c.Expect == "ok" && c.Stage == "") {
		r.Fatalf("about %q, expect %q, stage %q in the folder %s", c.About, c.Expect, c.Stage, filepath.Dir(path))
	}
	switch c.Kind {
	case "keys":
		check(r, path, r.checkKeys)
	case "signatures":
		check(r, path, r.checkSignatures)
	case "signature":
		check(r, path, r.checkBadSignature)
	case "leaves":
		check(r, path, r.checkLeaves)
	case "trees":
		check(r, path, r.checkTrees)
	case "path":
		check(r, path, r.checkBadPath)
	case "records":
		check(r, path, r.checkRecords)
	case "statement":
		check(r, path, r.checkStatement)
	case "presentation":
		check(r, path, r.checkPresentation)
	case "code":
		check(r, path, r.checkCode)
	case "entry":
		check(r, path, r.checkEntry)
	case "log":
		check(r, path, r.checkLog)
	case "inclusion":
		check(r, path, r.checkBadInclusion)
	case "consistency":
		check(r, path, r.checkBadConsistency)
	case "receipt":
		check(r, path, r.checkReceipt)
	case "snapshot":
		check(r, path, r.checkSnapshot)
	case "envelope":
		check(r, path, r.checkEnvelope)
	case "subject":
		check(r, path, r.checkSubject)
	case "evidence":
		check(r, path, r.checkEvidence)
	default:
		r.Fatalf("unknown kind %q", c.Kind)
	}
}

func check[V any](r *runner, path string, f func(V)) {
	var v V
	r.read(path, &v)
	f(v)
}

func (r *runner) same(what string, got, want []byte) {
	r.Helper()
	if !bytes.Equal(got, want) {
		r.Errorf("%s is %x, want %x", what, got, want)
	}
}

// outcome compares where and why something failed with what the file expects.
func (r *runner) outcome(c Common, stage, code string) {
	r.Helper()
	if code == "ok" {
		stage = ""
	}
	if stage != c.Stage || code != c.Expect {
		r.Errorf("stage %q: %s; want stage %q: %s", stage, code, c.Stage, c.Expect)
	}
}

func (r *runner) key(label string) *sm.PublicKey {
	r.Helper()
	key := r.keys[label]
	if key == nil {
		r.Fatalf("unknown key %q", label)
	}
	return key
}

func (r *runner) checkKeys(f Keys) {
	for _, k := range f.Keys {
		key := r.key(k.Label)
		r.same(k.Label+" SPKI", key.SPKI(), k.SPKI)
		id := key.ID()
		r.same(k.Label+" kid", id[:], k.KeyID)
		parsed, err := sm.ParsePublicKey(k.SPKI)
		if err != nil || !parsed.Equal(key) {
			r.Errorf("%s: SPKI: %v", k.Label, err)
		}
		if private := r.scalar(k.Scalar); !private.Public().Equal(key) {
			r.Errorf("%s: the point is not that of the scalar", k.Label)
		}
	}
}

// scalar returns the private key of a scalar.
func (r *runner) scalar(d Hex) *sm.PrivateKey {
	r.Helper()
	key, err := sm.ParsePrivateKey(slices.Concat([]byte("\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x04\x27\x30\x25\x02\x01\x01\x04\x20"), d))
	if err != nil {
		r.Fatal(err)
	}
	return key
}

func (r *runner) checkSignatures(f Signatures) {
	for i, s := range f.Signatures {
		if key := r.key(s.Key); !key.Verify(s.Message, s.Signature) || !key.VerifySecondOpinion(s.Message, s.Signature) {
			r.Errorf("signature %d does not verify", i)
		}
	}
}

func (r *runner) checkBadSignature(f OneSignature) {
	code := "ok"
	if key := r.key(f.Key); !key.Verify(f.Message, f.Signature.Signature) {
		code = "signature-invalid"
	}
	r.outcome(f.Common, "verify", code)
}

// value reads a value of a leaf from JSON.
func (r *runner) value(raw json.RawMessage) licence.Value {
	r.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		r.Fatal(err)
	}
	switch v := v.(type) {
	case nil:
		return licence.Null
	case string:
		return licence.TextValue(v)
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, item.(string))
		}
		return licence.ListValue(items...)
	}
	r.Fatalf("a value of type %T", v)
	return licence.Null
}

func (r *runner) checkLeaves(f Leaves) {
	for i, l := range f.Leaves {
		salt := credential.Salt(l.Salt)
		hash := credential.Commit(&salt, l.Key, r.value(l.Value))
		r.same("leaf", hash[:], l.Hash)
		if hash = sm.SumLeaf(l.Encoded); !bytes.Equal(hash[:], l.Hash) {
			r.Errorf("leaf %d: the encoding does not hash to it", i)
		}
	}
}

func (r *runner) checkTrees(f Trees) {
	for _, tree := range f.Trees {
		var hashes []sm.Hash
		for _, h := range tree.Leaves {
			hashes = append(hashes, sm.Hash(h))
		}
		root := credential.Root(hashes)
		r.same("root", root[:], tree.Root)
		for i, path := range tree.Paths {
			r.same("path", credential.NewTree(hashes).AppendPath(nil, i), path)
			if got, ok := credential.PathRoot(hashes[i], uint32(i), uint32(len(hashes)), path); !ok || got != root {
				r.Errorf("the path of leaf %d of %d leads elsewhere", i, len(hashes))
			}
		}
	}
}

func (r *runner) checkBadPath(f OnePath) {
	code := "refused"
	if root, ok := credential.PathRoot(sm.Hash(f.Leaf), f.Index, f.Size, f.Path); ok && bytes.Equal(root[:], f.Root) {
		code = "ok"
	}
	r.outcome(f.Common, "path", code)
}

func (r *runner) checkRecords(f Records) {
	for _, v := range f.Records {
		record := credential.Record{Type: v.Type, TypeVersion: v.TypeVersion, Issuer: v.Issuer, IssuedAt: v.IssuedAt,
			ValidFrom: (*licence.Date)(v.ValidFrom), ValidUntil: (*licence.Date)(v.ValidUntil)}
		if v.Predecessor != nil {
			h := sm.Hash(*v.Predecessor)
			record.Predecessor = &h
		}
		digest := record.Digest(sm.Hash(v.Fields))
		r.same("digest", digest[:], v.Digest)
		digest = sm.SumLeaf(v.Encoded)
		r.same("SM3 of the encoding", digest[:], v.Digest)
	}
}

// code returns the code of an error of the packages under test.
func (r *runner) code(err error) string {
	var s *statement.Error
	var c *credential.Error
	var e *access.Error
	var f *receipt.Error
	var n *snapshot.Error
	var l *sealing.Error
	var g *grant.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &f):
		return f.Code
	case errors.As(err, &n):
		return n.Code
	case errors.As(err, &l):
		return l.Code
	case errors.As(err, &g):
		return g.Code
	case errors.As(err, &s):
		return s.Code
	case errors.As(err, &c):
		return c.Code
	}
	r.Fatalf("an error without a code: %v", err)
	return ""
}

func (r *runner) checkStatement(f Statement) {
	s, err := statement.Parse(f.Statement)
	if err != nil {
		r.outcome(f.Common, "parse", r.code(err))
		return
	}
	code := "ok"
	if !s.Verify(r.key(f.Signer)) {
		code = "signature-invalid"
	}
	r.outcome(f.Common, "verify", code)
	if f.Expect != "ok" {
		return
	}
	if !s.VerifySecondOpinion(r.key(f.Signer)) {
		r.Error("the second library disagrees")
	}
	r.same("formatted again", s.Bytes(), f.Statement)
	r.same("payload", s.Payload, f.Payload)
	r.same("kid", s.KeyID[:], f.KeyID)
	r.same("to be signed", statement.ToBeSigned(s.Body.Kind(), s.KeyID, s.Payload), f.ToBeSigned)
	if typ := "application/vnd.credledger." + string(s.Body.Kind()) + "+cbor"; typ != f.Type {
		r.Errorf("typ is %s, want %s", typ, f.Type)
	}
}

func (r *runner) checkPresentation(f Presentation) {
	p, err := credential.Parse(f.Presentation)
	if err != nil {
		r.outcome(f.Common, "parse", r.code(err))
		return
	}
	y := credentialtest.Type(r, f.Type)
	if y.Version != f.TypeVersion || !slices.Equal(y.Leaves(), f.Dictionary) {
		r.Fatalf("version %d of the dictionary of %s is %v", y.Version, y.ID, y.Leaves())
	}
	o, err := p.Open(y)
	if err != nil {
		r.outcome(f.Common, "open", r.code(err))
		return
	}
	if !bytes.Equal(o.Signed.Ledger[:], f.Ledger) {
		r.outcome(f.Common, "ledger", "unknown-ledger")
		return
	}
	for _, part := range []struct {
		stage string
		take  func() (*statement.Statement, bool)
		known func(sm.Hash) *sm.PublicKey
	}{
		{"head", o.HeadStatement, r.issuers(f)},
		{"binding", o.BindingStatement, r.issuers(f)},
		{"proof", o.ProofStatement, func(sm.Hash) *sm.PublicKey { key, _ := sm.NewPublicKey(o.Holder.Key[:]); return key }},
	} {
		if part.stage != "head" && o.Holder == nil {
			break
		}
		if code := verdict(part.take, part.known); code != "ok" {
			r.outcome(f.Common, part.stage, code)
			return
		}
	}
	r.outcome(f.Common, "", "ok")
	r.checkOpened(f, o)
}

// verdict takes a statement out of a presentation and checks its signature.
func verdict(take func() (*statement.Statement, bool), known func(sm.Hash) *sm.PublicKey) string {
	s, ok := take()
	if !ok {
		return statement.CodeInvalid
	}
	key := known(s.KeyID)
	if key == nil {
		return "unknown-key"
	}
	if !s.Verify(key) {
		return "signature-invalid"
	}
	return "ok"
}

// issuers finds keys among those that the file says are known.
func (r *runner) issuers(f Presentation) func(sm.Hash) *sm.PublicKey {
	return func(id sm.Hash) *sm.PublicKey {
		for _, label := range f.Issuers {
			if key := r.key(label); key.ID() == id {
				return key
			}
		}
		return nil
	}
}

func (r *runner) checkOpened(f Presentation, o *credential.Opened) {
	r.same("formatted again", o.Bytes(), f.Presentation)
	r.same("digest", o.Digest[:], f.Digest)
	fields := o.Record.Digest(sm.Hash(f.FieldsRoot))
	r.same("digest of the fields root", fields[:], f.Digest)
	r.same("root", o.Signed.Root[:], f.Root)
	head, _ := o.HeadStatement()
	r.same("head payload", head.Payload, f.HeadPayload)
	if len(o.Fields) != len(f.Disclosed) {
		r.Errorf("%d fields disclosed, want %d", len(o.Fields), len(f.Disclosed))
	}
	for _, d := range f.Disclosed {
		if v, ok := o.Value(d.Key); !ok || v != r.value(d.Value) {
			r.Errorf("%s is %q, %v", d.Key, v, ok)
		}
	}
	if (o.Holder == nil) != (f.Holder == nil) {
		r.Fatalf("holder part: %v, want %v", o.Holder != nil, f.Holder != nil)
	}
	if f.Holder != nil {
		binding, _ := o.BindingStatement()
		r.same("binding payload", binding.Payload, f.Holder.BindingPayload)
		proof, _ := o.ProofStatement()
		r.same("proof payload", proof.Payload, f.Holder.ProofPayload)
		shown := proof.Body.(*statement.Proof).Presentation
		r.same("presentation shown", shown[:], f.Holder.Shown)
	}
}

func (r *runner) checkCode(f Code) {
	p, err := credential.DecodeCode(f.Code)
	r.outcome(f.Common, "decode", r.code(err))
	if err == nil {
		r.same("presentation", p.Bytes(), f.Presentation)
	}
}
