package grant_test

import (
	"bytes"
	"testing"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/granttest"
	"github.com/credledger/credledger/sdk/internal/dcbor/dcbortest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func TestRequestCurrent(t *testing.T) {
	for _, c := range []struct {
		name, code string
		now        uint64
	}{
		{"now", "", now},
		{"clocks two minutes apart", "", now - grant.Skew},
		{"too early", grant.CodeRequestNotYetValid, now - grant.Skew - 1},
		{"on the last second", "", now + 3600 + grant.Skew},
		{"too late", grant.CodeRequestExpired, now + 3600 + grant.Skew + 1},
	} {
		wants(t, c.name, readRequest(t, granttest.NewView(), nil).Current(c.now), c.code)
	}
	v := granttest.NewView()
	v.KeyOf(agency).State = grant.KeyRetired
	wants(t, "a retired key", readRequest(t, v, nil).Current(now), grant.CodeKeyRetired)
}

func TestRefusesRequests(t *testing.T) {
	signed := granttest.Request(t, nil)
	for _, c := range []struct {
		name, code string
		signed     []byte
		view       func(*granttest.View)
	}{
		{"another ledger", grant.CodeOtherLedger, signed, func(v *granttest.View) { v.ID[0] ^= 1 }},
		{"by another department", grant.CodeKeyDepartment, sign(t, parsed[*statement.Request](t, signed), issuer), nil},
		{"by a stranger", grant.CodeKeyUnknown, sign(t, parsed[*statement.Request](t, signed), "stranger"), nil},
		{"a key for something else", grant.CodeKeyPurpose, signed, func(v *granttest.View) { v.KeyOf(agency).Purposes = statement.PurposeAnchor }},
		{"a compromised key", grant.CodeKeyCompromised, signed, func(v *granttest.View) { v.KeyOf(agency).State = grant.KeyCompromised }},
		{"a bit changed", grant.CodeSignature, flipLast(signed), nil},
		{"a grant for a request", statement.CodeWrongKind, granttest.Grant(t, nil), nil},
		{"nothing", statement.CodeMalformed, nil, nil},
	} {
		v := granttest.NewView()
		if c.view != nil {
			c.view(v)
		}
		_, err := grant.ReadRequest(c.signed, v)
		wants(t, c.name, err, c.code)
	}
}

func flipLast(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// Commitments have the form of a leaf, and those of two purposes differ.
func TestCommitments(t *testing.T) {
	salt := credential.Salt{1}
	if got := grant.SubjectCommitment(&salt, "spouse1Id", "x"); got == grant.SubjectCommitment(&salt, "spouse2Id", "x") ||
		got == grant.SubjectCommitment(&credential.Salt{2}, "spouse1Id", "x") || got == grant.SubjectCommitment(&salt, "spouse1Id", "y") {
		t.Error("a commitment to one subject opens for another")
	}
	want := sm.SumLeaf([]byte("\x83\x50\x01" + string(make([]byte, 15)) + "\x6eidentification\x61x"))
	if got := grant.EvidenceCommitment(&salt, "x"); got != want {
		t.Errorf("commitment to a record: %s, want %s", got, want)
	}
}

// A case is a file whose parts belong together, and what is known of the ledger.
type file struct {
	*grant.Evidence
	view *granttest.View
}

// released returns a release under a grant that the ledger has.
func released(t testing.TB) *file {
	t.Helper()
	f := &file{&grant.Evidence{Grant: granttest.Grant(t, nil), Binding: granttest.Binding(t, nil), Request: granttest.Request(t, nil)}, granttest.NewView()}
	f.Answer = granttest.Answer(t, f.Request, nil)
	f.view.Record(granttest.Digest(t, f.Grant), statement.ConsentGive)
	return f
}

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		name, code string
		change     func(f *file)
	}{
		{"under a grant", "", func(*file) {}},
		{"the last use", "", func(f *file) { f.answer(t, func(a *statement.Answer) { a.Use = 2 }) }},
		{"withdrawn since", "", func(f *file) { f.view.Record(granttest.Digest(t, f.Grant), statement.ConsentWithdraw) }},
		{"keys retired since", "", func(f *file) {
			f.view.KeyOf(issuer).State, f.view.KeyOf(agency).State = grant.KeyRetired, grant.KeyRetired
		}},
		{"binding withdrawn since", "", func(f *file) { f.view.Record(granttest.Digest(t, f.Binding), statement.ConsentWithdraw) }},
		{"by law alone, the grant left out", "", func(f *file) {
			f.answer(t, func(a *statement.Answer) { a.Grant, a.Use, a.Basis = nil, 0, []string{"act-1"} })
			f.Grant, f.Binding = nil, nil
		}},
		{"by law alone, the grant shown", "", func(f *file) {
			f.answer(t, func(a *statement.Answer) { a.Grant, a.Use, a.Basis = nil, 0, []string{"act-1"} })
		}},
		{"by law alone, the grant shown and not on the ledger", "", func(f *file) {
			f.answer(t, func(a *statement.Answer) { a.Grant, a.Use, a.Basis = nil, 0, []string{"act-1"} })
			f.view.Consents = map[string]string{}
		}},
		{"refused", "", func(f *file) { f.answer(t, refuse) }},
		{"some by law, some under the grant", "", func(f *file) {
			f.request(t, func(r *statement.Request) { r.Fields = []string{"certificateNumber", "spouse2Id"} })
			f.answer(t, func(a *statement.Answer) { a.Basis = []string{"act-1"} })
		}},

		{"the request is none", statement.CodeWrongKind, func(f *file) { f.Request = f.Grant }},
		{"the answer is none", statement.CodeWrongKind, func(f *file) { f.Answer = f.Request }},
		{"the grant is none", statement.CodeWrongKind, func(f *file) { f.Grant = f.Request }},
		{"to another request", grant.CodeAnswerDiffers, func(f *file) { f.answer(t, func(a *statement.Answer) { a.Request[0] ^= 1 }) }},
		{"by a department that was not asked", grant.CodeAnswerDiffers, func(f *file) {
			f.request(t, func(r *statement.Request) { r.Issuer = "market-regulation" })
		}},
		{"the answer by a stranger", grant.CodeKeyUnknown, func(f *file) { f.Answer = sign(t, parsed[*statement.Answer](t, f.Answer), "stranger") }},
		{"the answer by the agency", grant.CodeKeyDepartment, func(f *file) { f.Answer = sign(t, parsed[*statement.Answer](t, f.Answer), agency) }},
		{"a field kept back", grant.CodeAnswerFields, func(f *file) { f.answer(t, func(a *statement.Answer) { a.Fields = a.Fields[:1] }) }},
		{"a field more", grant.CodeAnswerFields, func(f *file) { f.answer(t, func(a *statement.Answer) { a.Fields = append(a.Fields, "z") }) }},
		{"under a grant that the request does not name", grant.CodeGrantDiffers, func(f *file) {
			f.answer(t, func(a *statement.Answer) { a.Grant = &sm.Hash{1} })
		}},
		{"the grant left out", grant.CodeGrantMissing, func(f *file) { f.Grant, f.Binding = nil, nil }},
		{"the binding left out", grant.CodeBindingMissing, func(f *file) { f.Binding = nil }},
		{"a binding alone", grant.CodeBindingDiffers, func(f *file) {
			f.answer(t, refuse)
			f.Grant = nil
		}},
		{"another grant in the file", grant.CodeGrantDiffers, func(f *file) {
			f.Grant = granttest.Grant(t, func(g *statement.Grant) { g.Salt[0] ^= 1 })
		}},
		{"a grant that is not on the ledger", grant.CodeNotGiven, func(f *file) { f.view.Consents = map[string]string{} }},
		{"one use too many", grant.CodeUsedUp, func(f *file) { f.answer(t, func(a *statement.Answer) { a.Use = 3 }) }},
		{"after the grant", grant.CodeExpired, func(f *file) {
			f.answer(t, func(a *statement.Answer) { a.SignedAt = now + 30*24*3600 + 1 })
		}},
		{"before the grant", grant.CodeNotYetValid, func(f *file) { f.answer(t, func(a *statement.Answer) { a.SignedAt = now - 1 }) }},
		{"another matter", grant.CodeOtherMatter, func(f *file) { f.request(t, func(r *statement.Request) { r.Matter = "loan" }) }},
		{"another licence", grant.CodeOtherLicence, func(f *file) { f.request(t, func(r *statement.Request) { r.Licence = &sm.Hash{1} }) }},
		{"fields beyond the grant", grant.CodeBeyond, func(f *file) {
			f.request(t, func(r *statement.Request) { r.Fields = []string{"spouse1Id", "spouse2Id"} })
		}},
		{"a use of the grant for nothing", grant.CodeBeyond, func(f *file) {
			f.request(t, func(r *statement.Request) { r.Fields = []string{"certificateNumber"} })
			f.answer(t, func(a *statement.Answer) { a.Basis = []string{"act-1"} })
		}},
		{"another presentation", grant.CodePresentation, func(f *file) { f.Presentation = []byte("another") }},
		{"refused, with a presentation", grant.CodePresentation, func(f *file) {
			f.answer(t, refuse)
			f.Presentation = []byte("presentation")
		}},
	} {
		f := released(t)
		c.change(f)
		report, err := f.Check(f.view)
		wants(t, c.name, err, c.code)
		if err != nil {
			continue
		}
		again, err := grant.ParseEvidence(f.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), f.Bytes()) {
			t.Errorf("%s: as a file: %v", c.name, err)
		}
		if report.Withdrawn != (c.name == "withdrawn since") || (report.Grant == nil) != (f.Grant == nil) || report.Request == nil || report.Answer == nil {
			t.Errorf("%s: %+v", c.name, report)
		}
	}
}

func refuse(a *statement.Answer) {
	a.Outcome, a.Reason, a.Grant, a.Use, a.Fields, a.Presentation = statement.AnswerRefused, "excluded", nil, 0, nil, nil
}

// answer signs the answer anew, with a change.
func (f *file) answer(t testing.TB, change func(*statement.Answer)) {
	t.Helper()
	a := parsed[*statement.Answer](t, f.Answer)
	change(a)
	f.Answer = sign(t, a, issuer)
}

// request signs the request anew, with a change, and the answer to it.
func (f *file) request(t testing.TB, change func(*statement.Request)) {
	t.Helper()
	f.Request = granttest.Request(t, change)
	f.Answer = granttest.Answer(t, f.Request, nil)
}

// What was released is opened, and compared with the answer.
func TestReleased(t *testing.T) {
	batch := credentialtest.Batch(t, "marriage", 2)
	shown := credentialtest.Open(t, credentialtest.Disclose(t, batch.Credential(0), "spouse1Name", "spouse2Id"))
	more := credentialtest.Open(t, credentialtest.Disclose(t, batch.Credential(0), "spouse1Id", "spouse1Name", "spouse2Id"))
	other := credentialtest.Open(t, credentialtest.Disclose(t, batch.Credential(1), "spouse1Name", "spouse2Id"))
	for _, c := range []struct {
		name, code string
		given      *credential.Opened // that the answer is about
		shown      *credential.Opened
		request    func(*statement.Request)
	}{
		{"as asked", "", shown, shown, nil},
		{"found by what it was described by", "", shown, shown, func(r *statement.Request) { r.Licence, r.Subject = nil, &sm.Hash{1} }},
		{"another presentation", grant.CodePresentation, shown, other, nil},
		{"of another licence", grant.CodePresentation, other, other, nil},
		{"with a field more", grant.CodePresentation, more, more, nil},
		{"of another type", grant.CodePresentation, shown, shown, func(r *statement.Request) { r.Type = "divorce" }},
	} {
		v := granttest.NewView()
		r := readRequest(t, v, func(r *statement.Request) {
			r.Licence, r.Grant = &shown.Digest, nil
			if c.request != nil {
				c.request(r)
			}
		})
		hash := sm.Sum(c.given.Presentation.Bytes())
		body := &statement.Answer{Ledger: v.ID, Issuer: issuer, Request: r.Digest, Outcome: statement.AnswerReleased, Reason: "basis",
			Basis: []string{"act-1"}, Fields: r.Fields, Presentation: &hash, SignedAt: now}
		a, err := grant.ReadAnswer(sign(t, body, issuer), r, v)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, c.name, a.Released(c.shown), c.code)
	}
	f := released(t)
	f.answer(t, refuse)
	report, err := f.Check(f.view)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "refused", report.Answer.Released(shown), grant.CodePresentation)
}

func TestParseEvidenceRefuses(t *testing.T) {
	f := released(t)
	f.Presentation = []byte("presentation")
	good := f.Bytes()
	bad := dcbortest.Variants(t, good)
	bad["trailing"] = append(bytes.Clone(good), 0)
	bad["truncated"] = good[:len(good)-1]
	bad["empty"] = nil
	empty := *f.Evidence
	empty.Grant = []byte{}
	bad["an empty part"] = empty.Bytes()
	long := *f.Evidence
	long.Request = make([]byte, 16<<10+1)
	bad["a long request"] = long.Bytes()
	meaningful := map[string]bool{"3 null": true, "4 null": true, "5 null": true} // what can be absent
	for name, b := range bad {
		if meaningful[name] {
			continue
		}
		_, err := grant.ParseEvidence(b)
		wants(t, name, err, grant.CodeEvidenceMalformed)
	}
	_, err := grant.ParseEvidence(make([]byte, grant.MaxEvidence+1))
	wants(t, "too large", err, grant.CodeEvidenceTooLarge)
	full := grant.Evidence{Request: make([]byte, 16<<10), Answer: make([]byte, 16<<10), Grant: make([]byte, 16<<10),
		Binding: make([]byte, 16<<10), Presentation: make([]byte, credential.MaxSize)}
	_, err = grant.ParseEvidence(full.Bytes())
	wants(t, "the largest", err, "")
}

// The longest statements fit into a file.
func TestEvidenceHoldsTheLongestStatements(t *testing.T) {
	key := func(i int) string {
		return string(rune('a'+i/26)) + string(rune('a'+i%26)) + string(bytes.Repeat([]byte{'x'}, 62))
	}
	var fields []string
	for i := range statement.MaxRequestFields {
		fields = append(fields, key(i))
	}
	f := released(t)
	f.Grant = granttest.Grant(t, func(g *statement.Grant) { g.Fields = fields })
	digest := granttest.Digest(t, f.Grant)
	f.view.Record(digest, statement.ConsentGive)
	f.request(t, func(r *statement.Request) {
		r.Fields, r.Grant, r.Case = fields, &digest, string(bytes.Repeat([]byte{'c'}, 200))
	})
	e, err := grant.ParseEvidence(f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Check(f.view); err != nil {
		t.Error(err)
	}
}

func FuzzEvidence(f *testing.F) {
	good := released(f)
	f.Add(good.Bytes())
	good.answer(f, refuse)
	good.Grant, good.Binding = nil, nil
	f.Add(good.Bytes())
	view := good.view
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := grant.ParseEvidence(b)
		if err != nil {
			if grant.Code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(e.Bytes(), b) {
			t.Errorf("%x formats as %x", b, e.Bytes())
		}
		if _, err := e.Check(view); err != nil && grant.Code(err) == "" {
			t.Errorf("an error without a code: %v", err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	f := released(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Check(f.view); err != nil {
			b.Fatal(err)
		}
	}
}

// Every bit of every part: what is changed is refused.
func TestEveryBitOfEvidence(t *testing.T) {
	f := released(t)
	good := f.Bytes()
	if _, err := f.Check(f.view); err != nil {
		t.Fatal(err)
	}
	for i := range len(good) {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		e, err := grant.ParseEvidence(b)
		if err == nil {
			_, err = e.Check(f.view)
		}
		if err == nil {
			t.Errorf("accepted with a bit of byte %d changed", i)
		}
	}
}
