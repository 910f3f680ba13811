package credential_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// What is disclosed is there, what is not is not, and the licence is the same.
func TestDisclose(t *testing.T) {
	y := credentialtest.Type(t, "property")
	document := credentialtest.Documents(t, "property")[2]
	whole := credentialtest.Batch(t, "property", 3).Credential(2)
	digest := credentialtest.Open(t, whole).Digest
	sets := [][]string{nil, {"area"}, {"identifier", "location"}, {"notes", "documents"}, {"area", "rightHolders", "area"}, y.Leaves()}
	for _, key := range y.Leaves() {
		sets = append(sets, []string{key})
	}
	for _, keys := range sets {
		p := credentialtest.Disclose(t, whole, keys...)
		o := credentialtest.Open(t, p)
		if o.Digest != digest {
			t.Errorf("disclosing %v gives another licence", keys)
		}
		for i, key := range y.Leaves() {
			value, ok := o.Value(key)
			if ok != slices.Contains(keys, key) {
				t.Errorf("disclosing %v: %s disclosed: %v", keys, key, ok)
			}
			if ok && value != document.ValueAt(i) {
				t.Errorf("disclosing %v: %s has another value", keys, key)
			}
			if salt := whole.Fields[i].Salt; !ok && bytes.Contains(p.Bytes(), salt[:]) {
				t.Errorf("disclosing %v: the salt of %s is disclosed", keys, key)
			}
		}
		if len(keys) == len(y.Leaves()) && !bytes.Equal(p.Bytes(), whole.Bytes()) {
			t.Error("disclosing everything does not give the credential")
		}
		if p.Complete() != (len(keys) == len(y.Leaves())) {
			t.Errorf("disclosing %v: Complete is %v", keys, p.Complete())
		}
	}
	if len(whole.Fields) != len(y.Leaves()) {
		t.Error("the credential was changed")
	}
}

func TestDiscloseRefuses(t *testing.T) {
	y := credentialtest.Type(t, "marriage")
	whole := credentialtest.Batch(t, "marriage", 1).Credential(0)
	two := credentialtest.Disclose(t, whole, credentialtest.TwoFields["marriage"]...)
	for name, c := range map[string]struct {
		p    *credential.Presentation
		keys []string
		want string
	}{
		"unknown field":          {whole, []string{"spouse3Name"}, credential.CodeNoSuchField},
		"an alias":               {whole, []string{"ZZBH"}, credential.CodeNoSuchField},
		"of some fields":         {two, []string{"spouse1Name"}, credential.CodeIncomplete},
		"of a holder-bound show": {credentialtest.Prove(t, whole), []string{"spouse1Name"}, credential.CodeIncomplete},
	} {
		if _, err := credential.Disclose(c.p, y, c.keys...); code(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := credential.Disclose(whole, credentialtest.Type(t, "property"), "area"); code(err) != credential.CodeIncomplete {
		t.Errorf("with another type: %v", err)
	}
}

// Head, binding and proof can be taken out as the statements that they are.
func TestStatementsOfAPresentation(t *testing.T) {
	batch := credentialtest.Batch(t, "marriage", 3)
	o := credentialtest.Open(t, credentialtest.Prove(t, batch.Credential(2)))

	head, ok := o.HeadStatement()
	if !ok || !bytes.Equal(head.Bytes(), batch.Statement) {
		t.Error("the head is not the one that was signed")
	}
	if o.Signed != *batch.Head {
		t.Errorf("the head says %+v, want %+v", o.Signed, *batch.Head)
	}
	place := o.Place()
	if root, ok := credential.PathRoot(place.Digest, place.Index, o.Signed.Size, place.Path); !ok || root != place.Root ||
		root != batch.Head.Root || place.Digest != batch.Digests[2] || place.Index != 2 {
		t.Error("the place is another one")
	}

	binding, ok := o.BindingStatement()
	if !ok || !binding.Verify(statementtest.Key("civil-affairs").Public()) || *binding.Body.(*statement.Binding) != *credentialtest.Binding(o) {
		t.Error("the binding is not the one that was signed")
	}
	proof, ok := o.ProofStatement()
	if !ok || !proof.Verify(statementtest.Key(statementtest.Holder).Public()) {
		t.Error("the proof does not verify")
	}
	static := *o.Presentation
	static.Holder = nil
	if body := proof.Body.(*statement.Proof); body.Presentation != sm.Sum(static.Bytes()) || body.Audience != credentialtest.Proof().Audience {
		t.Errorf("the proof says %+v", body)
	}

	static.Holder = nil
	unbound := credentialtest.Open(t, &static)
	if _, ok := unbound.BindingStatement(); ok {
		t.Error("a binding without a holder part")
	}
	if _, ok := unbound.ProofStatement(); ok {
		t.Error("a proof without a holder part")
	}
	badKey := *o.Holder
	badKey.Key = [64]byte{31: 1, 63: 1}
	static.Holder = &badKey
	off := credentialtest.Open(t, &static)
	if _, ok := off.BindingStatement(); ok {
		t.Error("a binding of a key off the curve")
	}
	if _, ok := off.ProofStatement(); ok {
		t.Error("a proof by a key off the curve")
	}
}

func TestProveRefuses(t *testing.T) {
	batch := credentialtest.Batch(t, "marriage", 2)
	o := credentialtest.Open(t, batch.Credential(0))
	holder := statementtest.Key(statementtest.Holder)
	binding := func(change func(*statement.Binding)) []byte {
		b := credentialtest.Binding(o)
		change(b)
		return statementtest.Sign(t, b, "civil-affairs")
	}
	good := binding(func(*statement.Binding) {})
	for name, c := range map[string]struct {
		binding []byte
		holder  sm.Signer
	}{
		"another licence": {binding(func(b *statement.Binding) { b.Digest = batch.Digests[1] }), holder},
		"another issuer":  {binding(func(b *statement.Binding) { b.Issuer = "market-regulation" }), holder},
		"another ledger":  {binding(func(b *statement.Binding) { b.Ledger[0] ^= 1 }), holder},
		"another holder":  {good, statementtest.Key("another holder")},
	} {
		if _, err := credential.Prove(o, c.binding, credentialtest.Proof(), c.holder); code(err) != credential.CodeInconsistent {
			t.Errorf("a binding for %s: got %v, want %s", name, err, credential.CodeInconsistent)
		}
	}
	var e *statement.Error
	if _, err := credential.Prove(o, batch.Statement, credentialtest.Proof(), holder); !errors.As(err, &e) || e.Code != statement.CodeWrongKind {
		t.Errorf("a head for a binding: %v", err)
	}
	long := credentialtest.Proof()
	long.NotAfter = long.IssuedAt + statement.MaxProof + 1
	if _, err := credential.Prove(o, good, long, holder); !errors.As(err, &e) || e.Code != statement.CodeInvalid {
		t.Errorf("a proof of more than a day: %v", err)
	}
}

func TestNewDraftRefuses(t *testing.T) {
	document := credentialtest.Documents(t, "marriage")[0]
	n := len(document.Type().Leaves())
	salts := credentialtest.Salts("refused", n)
	early, late := licence.Date(-354286), licence.Date(2932897)
	for name, c := range map[string]struct {
		record credential.Record
		salts  []byte
	}{
		"a salt too few":         {credential.Record{}, salts[credential.SaltSize:]},
		"a byte of salt too few": {credential.Record{}, salts[1:]},
		"a salt too many":        {credential.Record{}, append(slices.Clone(salts), salts[:credential.SaltSize]...)},
		"issued too late":        {credential.Record{IssuedAt: 1 << 40}, salts},
		"valid from too early":   {credential.Record{ValidFrom: &early}, salts},
		"valid until too late":   {credential.Record{ValidUntil: &late}, salts},
	} {
		if _, err := credential.NewDraft(document, c.record, c.salts); code(err) != credential.CodeInconsistent {
			t.Errorf("%s: got %v, want %s", name, err, credential.CodeInconsistent)
		}
	}
}

// A licence that would not fit into a presentation cannot be issued.
func TestNewDraftRefusesLargeLicences(t *testing.T) {
	y := credentialtest.Type(t, "marriage")
	document := credentialtest.Documents(t, "marriage")[0]
	salts := credentialtest.Salts("large", len(y.Leaves()))
	document.SetDocuments(make([][32]byte, 1200)...) // 79,200 bytes of hexadecimal digits
	if _, err := credential.NewDraft(document, credential.Record{Issuer: "civil-affairs"}, salts); code(err) != credential.CodeTooLarge {
		t.Errorf("1200 files: got %v, want %s", err, credential.CodeTooLarge)
	}
	document.SetDocuments(make([][32]byte, 900)...)
	draft, err := credential.NewDraft(document, credential.Record{Issuer: "civil-affairs"}, salts)
	if err != nil {
		t.Fatal(err)
	}
	c := credentialtest.Sign(t, []*credential.Draft{draft}, credentialtest.Department(t, "marriage")).Credential(0)
	if _, err := credential.Parse(c.Bytes()); err != nil {
		t.Errorf("what was issued does not parse: %v", err)
	}
	if _, err := credential.EncodeCode(credentialtest.Host, c); err != nil {
		t.Errorf("900 files of zeros in a code: %v", err)
	}
}

func TestNewBatchRefuses(t *testing.T) {
	marriage := credentialtest.Draft(t, credentialtest.Documents(t, "marriage")[0], "a")
	property := credentialtest.Draft(t, credentialtest.Documents(t, "property")[0], "b")
	key := statementtest.Key("civil-affairs")
	head := statement.Head{Ledger: statementtest.Ledger(), Unit: "marriage-registry", SignedAt: statementtest.Time}
	for name, drafts := range map[string][]*credential.Draft{
		"none":         nil,
		"4097":         slices.Repeat([]*credential.Draft{marriage}, statement.MaxBatch+1),
		"of two types": {marriage, property},
	} {
		if _, err := credential.NewBatch(drafts, head, key); code(err) != credential.CodeInconsistent {
			t.Errorf("%s: got %v, want %s", name, err, credential.CodeInconsistent)
		}
	}
	head.Unit = strings.ToUpper(head.Unit)
	var e *statement.Error
	if _, err := credential.NewBatch([]*credential.Draft{marriage}, head, key); !errors.As(err, &e) || e.Code != statement.CodeInvalid {
		t.Errorf("a head that cannot be signed: %v", err)
	}
}

func TestBatch(t *testing.T) {
	batch := credentialtest.Batch(t, "business", 7)
	if batch.Size() != 7 || batch.Head.Size != 7 || len(batch.Digests) != 7 {
		t.Fatalf("a batch of %d, head of %d", batch.Size(), batch.Head.Size)
	}
	if got := credential.Root(batch.Digests); got != batch.Head.Root {
		t.Errorf("root %s, want %s", batch.Head.Root, got)
	}
	for i := range batch.Size() {
		o := credentialtest.Open(t, batch.Credential(i))
		if o.Digest != batch.Digests[i] || o.Signed != *batch.Head {
			t.Errorf("licence %d is not where it was put", i)
		}
		if !bytes.Equal(batch.DigestBytes()[i*sm.HashSize:(i+1)*sm.HashSize], o.Digest[:]) {
			t.Errorf("DigestBytes has another licence at %d", i)
		}
	}
	if draft := credentialtest.Draft(t, credentialtest.Documents(t, "business")[3], "business 3 of 7"); draft.Digest() != batch.Digests[3] {
		t.Error("the same document and salts give another digest")
	}
}
