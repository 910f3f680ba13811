package credential_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/internal/dcbor/dcbortest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// lookup finds the built-in types.
func lookup(t testing.TB) func(string, uint32) *licence.Type {
	types := map[string]*licence.Type{}
	for _, id := range credentialtest.TypeIDs {
		types[id] = credentialtest.Type(t, id)
	}
	return func(id string, version uint32) *licence.Type {
		if y := types[id]; y != nil && uint32(y.Version) == version {
			return y
		}
		return nil
	}
}

// drafts returns drafts that differ in form.
func drafts(t testing.TB) []*credential.Draft {
	t.Helper()
	var out []*credential.Draft
	for _, id := range credentialtest.TypeIDs {
		out = append(out, credentialtest.Draft(t, credentialtest.Documents(t, id)[0], id))
	}
	document := credentialtest.Documents(t, "business")[1]
	document.SetDocuments(statementtest.Hash("file"))
	from, until, predecessor := licence.Date(-1), licence.Date(30000), statementtest.Hash("predecessor")
	full, err := credential.NewDraft(document,
		credential.Record{Issuer: "market", IssuedAt: 1<<40 - 1, ValidFrom: &from, ValidUntil: &until, Predecessor: &predecessor},
		credentialtest.Salts("full", len(document.Type().Leaves())))
	if err != nil {
		t.Fatal(err)
	}
	return append(out, full)
}

func TestDraftIsKept(t *testing.T) {
	for i, d := range drafts(t) {
		b := d.AppendTo([]byte("before"))[len("before"):]
		again, err := credential.ParseDraft(b, lookup(t))
		if err != nil {
			t.Fatalf("draft %d: %v", i, err)
		}
		if again.Digest() != d.Digest() || !bytes.Equal(again.AppendTo(nil), b) {
			t.Errorf("draft %d is not what it was", i)
		}
		for leaf := range len(credentialtest.Type(t, d.Record().Type).Leaves()) {
			if again.Value(leaf) != d.Value(leaf) {
				t.Errorf("draft %d: leaf %d is another", i, leaf)
			}
		}
	}
}

// TestDraftHasOneEncoding changes each byte, and each item to another encoding of the same: what is read then has
// another digest, or is refused.
func TestDraftHasOneEncoding(t *testing.T) {
	d := drafts(t)[3]
	good := d.AppendTo(nil)
	for i := range good {
		for _, bit := range []byte{1, 0x20, 0x80} {
			b := bytes.Clone(good)
			b[i] ^= bit
			if again, err := credential.ParseDraft(b, lookup(t)); err == nil && again.Digest() == d.Digest() {
				t.Errorf("byte %d is not committed to", i)
			}
		}
	}
	for name, b := range dcbortest.Variants(t, good) {
		switch again, err := credential.ParseDraft(b, lookup(t)); {
		case err == nil && again.Digest() != d.Digest() && bytes.Equal(again.AppendTo(nil), b): // says something else
		case code(err) != credential.CodeMalformed:
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range good {
		if _, err := credential.ParseDraft(good[:n], lookup(t)); code(err) != credential.CodeMalformed {
			t.Errorf("%d bytes of %d: %v", n, len(good), err)
		}
	}
	if _, err := credential.ParseDraft(append(bytes.Clone(good), 0), lookup(t)); code(err) != credential.CodeMalformed {
		t.Errorf("a byte more: %v", err)
	}
}

func TestParseDraftRefusesOtherTypes(t *testing.T) {
	good := drafts(t)[0].AppendTo(nil)
	for name, find := range map[string]func(string, uint32) *licence.Type{
		"no type":      func(string, uint32) *licence.Type { return nil },
		"another type": func(string, uint32) *licence.Type { return credentialtest.Type(t, "marriage") },
	} {
		if _, err := credential.ParseDraft(good, find); code(err) != credential.CodeWrongType {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBatchIsPutTogetherAgain makes credentials of a batch that was kept in parts, which are those that it had.
func TestBatchIsPutTogetherAgain(t *testing.T) {
	var all []*credential.Draft
	for i, document := range credentialtest.Documents(t, "property")[:5] {
		all = append(all, credentialtest.Draft(t, document, string(rune('a'+i))))
	}
	batch := credentialtest.Sign(t, all, credentialtest.Department(t, "property"))
	again, err := credential.ParseBatch(batch.Statement, batch.DigestBytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Size() != 5 || *again.Head != *batch.Head || !bytes.Equal(again.DigestBytes(), batch.DigestBytes()) {
		t.Errorf("the batch is another: %+v", again.Head)
	}
	for _, i := range []int{3, 0} {
		if err := again.SetDraft(i, all[i]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Credential(i).Bytes(), batch.Credential(i).Bytes()) || !bytes.Equal(again.Path(i), batch.Credential(i).Path) {
			t.Errorf("credential %d is another", i)
		}
	}
	for name, c := range map[string]struct {
		i int
		d *credential.Draft
	}{
		"another place": {1, all[2]}, "below": {-1, all[0]}, "above": {5, all[0]},
		"another licence": {1, credentialtest.Draft(t, credentialtest.Documents(t, "property")[1], "other salts")},
	} {
		if err := again.SetDraft(c.i, c.d); code(err) != credential.CodeInconsistent {
			t.Errorf("%s: %v", name, err)
		}
	}
	digests := batch.DigestBytes()
	swapped := append(bytes.Clone(digests[sm.HashSize:2*sm.HashSize]), digests[:sm.HashSize]...)
	for name, b := range map[string][]byte{
		"none": nil, "one missing": digests[sm.HashSize:], "a byte missing": digests[1:], "another order": append(swapped, digests[2*sm.HashSize:]...),
	} {
		if _, err := credential.ParseBatch(batch.Statement, b); code(err) != credential.CodeInconsistent {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *statement.Error
	if _, err := credential.ParseBatch([]byte("no head"), digests); !errors.As(err, &e) {
		t.Errorf("no head: %v", err)
	}
}

func TestDraftOfACredential(t *testing.T) {
	o := credentialtest.Open(t, credentialtest.Batch(t, "property", 5).Credential(4))
	d, err := o.Draft()
	if err != nil {
		t.Fatal(err)
	}
	again, err := credential.ParseDraft(d.AppendTo(nil), lookup(t))
	if err != nil || again.Digest() != o.Digest || d.Digest() != o.Digest {
		t.Errorf("the draft is another: %v", err)
	}
	shown := credentialtest.Open(t, credentialtest.Disclose(t, o.Presentation, credentialtest.TwoFields["property"]...))
	if _, err := shown.Draft(); code(err) != credential.CodeIncomplete {
		t.Errorf("of a presentation of two fields: %v", err)
	}
}

// FuzzParseDraft: what is parsed formats to the same bytes.
func FuzzParseDraft(f *testing.F) {
	for _, d := range drafts(f) {
		f.Add(d.AppendTo(nil))
	}
	find := lookup(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := credential.ParseDraft(b, find)
		if err != nil {
			if c := code(err); c != credential.CodeMalformed && c != credential.CodeWrongType && c != credential.CodeTooLarge {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		if !bytes.Equal(d.AppendTo(nil), b) {
			t.Fatal("formatting what was parsed gives other bytes")
		}
	})
}
