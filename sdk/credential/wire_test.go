package credential_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/credential/credentialtest"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/internal/dcbor/dcbortest"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

func code(err error) string {
	var e *credential.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// A sample is a presentation of some form.
type sample struct {
	name string
	*credential.Presentation
}

// samples returns presentations that differ in form: alone and of a batch, of all fields, some and
// none, with every optional part of the record and none, with and without a holder part.
func samples(t testing.TB) []sample {
	t.Helper()
	marriage := credentialtest.Batch(t, "marriage", 1).Credential(0)
	property := credentialtest.Batch(t, "property", 5).Credential(4)
	two := credentialtest.Disclose(t, marriage, credentialtest.TwoFields["marriage"]...)
	return []sample{
		{"credential, alone", marriage},
		{"credential, of 5", property},
		{"two fields, alone", two},
		{"two fields, of 5", credentialtest.Disclose(t, property, credentialtest.TwoFields["property"]...)},
		{"no field", credentialtest.Disclose(t, marriage)},
		{"credential, with term and predecessor", withTerm(t)},
		{"holder-bound", credentialtest.Prove(t, two)},
	}
}

// withTerm returns a credential whose record has every optional part.
func withTerm(t testing.TB) *credential.Presentation {
	t.Helper()
	document := credentialtest.Documents(t, "business")[0]
	document.SetDocuments(statementtest.Hash("file 1"), statementtest.Hash("file 2"))
	from, until, predecessor := licence.Date(-1), licence.Date(30000), statementtest.Hash("predecessor")
	issuer := credentialtest.Department(t, "business")
	draft, err := credential.NewDraft(document,
		credential.Record{Issuer: issuer.ID, IssuedAt: statementtest.Time, ValidFrom: &from, ValidUntil: &until, Predecessor: &predecessor},
		credentialtest.Salts("term", len(document.Type().Leaves())))
	if err != nil {
		t.Fatal(err)
	}
	return credentialtest.Sign(t, []*credential.Draft{draft}, issuer).Credential(0)
}

func TestParseIsTheInverseOfBytes(t *testing.T) {
	for _, s := range samples(t) {
		b := s.Bytes()
		p, err := credential.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if !bytes.Equal(p.Bytes(), b) {
			t.Errorf("%s: formatting what was parsed gives other bytes", s.name)
		}
		if !bytes.Equal(p.AppendTo([]byte{7}), append([]byte{7}, b...)) {
			t.Errorf("%s: AppendTo and Bytes differ", s.name)
		}
		// Parse does not tell an empty part from none.
		want := *s.Presentation
		for _, part := range []*[]byte{&want.Proof, &want.Path} {
			if len(*part) == 0 {
				*part = []byte{}
			}
		}
		if !reflect.DeepEqual(p, &want) {
			t.Errorf("%s: parsed %+v, want %+v", s.name, p, &want)
		}
		if full := strings.HasPrefix(s.name, "credential"); p.Complete() != full {
			t.Errorf("%s: Complete is %v", s.name, p.Complete())
		}
	}
}

func TestIsDeterministicCBOR(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples(t) {
		var v any
		if err := cbor.Unmarshal(s.Bytes(), &v); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if again, err := mode.Marshal(v); err != nil || !bytes.Equal(again, s.Bytes()) {
			t.Errorf("%s: encodes again to %x, %v", s.name, again, err)
		}
	}
}

// A file of several credentials is read one after the other.
func TestParsePrefix(t *testing.T) {
	var file []byte
	all := samples(t)
	for _, s := range all {
		file = s.AppendTo(file)
	}
	for _, s := range all {
		p, n, err := credential.ParsePrefix(file)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if !bytes.Equal(p.Bytes(), s.Bytes()) || n != len(s.Bytes()) {
			t.Errorf("%s: read %d bytes as something else", s.name, n)
		}
		file = file[n:]
	}
	if len(file) != 0 {
		t.Errorf("%d bytes left", len(file))
	}
	if _, _, err := credential.ParsePrefix(make([]byte, credential.MaxSize+1)); code(err) != credential.CodeTooLarge {
		t.Errorf("no presentation in the first 64 KiB: %v", err)
	}
	if _, _, err := credential.ParsePrefix(make([]byte, credential.MaxSize)); code(err) != credential.CodeMalformed {
		t.Errorf("no presentation in 64 KiB: %v", err)
	}
}

// meaningful names the variants that say something else in the right form.
var meaningful = map[string]bool{
	"1 4 zero for null":     true, // valid from 1970-01-01
	"1 5 zero for null":     true,
	"1 4 of the other sign": true, // valid from, or until, a date before 1970
	"1 5 of the other sign": true,
	"1 6 null":              true, // no predecessor
	"7 null":                true, // no holder part
}

// Every item, at any depth, in every other encoding and as every other type. What is a value, and
// so may be null, text or list, is left to the hash of its leaf.
func TestRefusesOtherEncodings(t *testing.T) {
	for _, s := range samples(t) {
		b := s.Bytes()
		items := dcbortest.Items(t, b)
		bad := dcbortest.Variants(t, b)
		bad["with an item less"] = dcbortest.Array(items[:7]...)
		bad["followed by a byte"] = append(bytes.Clone(b), 0)
		bad["truncated"] = b[:len(b)-1]
		bad["empty"] = nil
		bad["nested deeply"] = bytes.Repeat([]byte{0x88}, 100000)
		for name, encoded := range bad {
			p, err := credential.Parse(encoded)
			if code(err) == credential.CodeMalformed || code(err) == credential.CodeTooLarge || meaningful[name] {
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", s.name, name, err)
				continue
			}
			if _, err := p.Open(credentialtest.Type(t, s.Record.Type)); err == nil && name[0] != '2' {
				t.Errorf("%s, %s: accepted", s.name, name)
			}
			if bytes.Equal(p.Bytes(), b) || !bytes.Equal(p.Bytes(), encoded) {
				t.Errorf("%s, %s: a second encoding of the same", s.name, name)
			}
		}
	}
}

// replaced returns the presentation with the item at a path replaced.
func replaced(t *testing.T, b []byte, with []byte, path ...int) []byte {
	t.Helper()
	if len(path) == 0 {
		return with
	}
	items := dcbortest.Items(t, b)
	items[path[0]] = replaced(t, items[path[0]], with, path[1:]...)
	return dcbortest.Array(items...)
}

func TestParseRefusesOutOfBounds(t *testing.T) {
	b := withTerm(t).Bytes()
	bound := credentialtest.Prove(t, withTerm(t)).Bytes()
	uint := func(n uint64) []byte { return dcbor.AppendUint(nil, n) }
	text := func(n int) []byte { return dcbor.AppendText(nil, string(bytes.Repeat([]byte{'a'}, n))) }
	field := func(index uint64) []byte {
		return dcbortest.Array(uint(index), dcbor.AppendBytes(nil, make([]byte, 16)), []byte{0xf6})
	}
	fields := dcbortest.Items(t, dcbortest.Items(t, b)[2])
	for name, bad := range map[string][]byte{
		"version 0":                 replaced(t, b, uint(0), 0),
		"version 2":                 replaced(t, b, uint(2), 0),
		"type of 33 bytes":          replaced(t, b, text(33), 1, 0),
		"type not UTF-8":            replaced(t, b, []byte{0x61, 0xff}, 1, 0),
		"type version 2^31":         replaced(t, b, uint(1<<31), 1, 1),
		"issuer of 33 bytes":        replaced(t, b, text(33), 1, 2),
		"issued at 2^40":            replaced(t, b, uint(1<<40), 1, 3),
		"valid from the year 999":   replaced(t, b, dcbor.AppendInt(nil, -354286), 1, 4),
		"valid until year 10000":    replaced(t, b, dcbor.AppendInt(nil, 2932897), 1, 5),
		"predecessor of 31 bytes":   replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 31)), 1, 6),
		"fields out of order":       replaced(t, b, dcbortest.Array(append([][]byte{fields[1], fields[0]}, fields[2:]...)...), 2),
		"a field twice":             replaced(t, b, dcbortest.Array(append([][]byte{fields[0], fields[0]}, fields[1:]...)...), 2),
		"field 256":                 replaced(t, b, dcbortest.Array(field(256)), 2),
		"salt of 15 bytes":          replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 15)), 2, 0, 1),
		"value a number":            replaced(t, b, uint(7), 2, 0, 2),
		"value a list of numbers":   replaced(t, b, dcbortest.Array(uint(7)), 2, 0, 2),
		"value a list of lists":     replaced(t, b, dcbortest.Array(dcbortest.Array()), 2, 0, 2),
		"value a list with null":    replaced(t, b, dcbortest.Array([]byte{0xf6}), 2, 0, 2),
		"value not UTF-8":           replaced(t, b, []byte{0x62, 0xc0, 0x80}, 2, 0, 2),
		"value a surrogate":         replaced(t, b, []byte{0x63, 0xed, 0xa0, 0x80}, 2, 0, 2),
		"list of 4097":              replaced(t, b, append([]byte{0x99, 0x10, 0x01}, bytes.Repeat([]byte{0x60}, 4097)...), 2, 0, 2),
		"list longer than the rest": replaced(t, b, []byte{0x99, 0x10, 0x00}, 2, 0, 2),
		"proof of 33 bytes":         replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 33)), 3),
		"proof of 257 hashes":       replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 257*32)), 3),
		"ledger of 33 bytes":        replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 33)), 4, 0),
		"unit of 33 bytes":          replaced(t, b, text(33), 4, 1),
		"size 4097":                 replaced(t, b, uint(4097), 4, 2),
		"signed at 2^40":            replaced(t, b, uint(1<<40), 4, 3),
		"kid of 31 bytes":           replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 31)), 4, 4),
		"signature of 65 bytes":     replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 65)), 4, 5),
		"index 4096":                replaced(t, b, uint(4096), 5),
		"path of 31 bytes":          replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 31)), 6),
		"path of 13 hashes":         replaced(t, b, dcbor.AppendBytes(nil, make([]byte, 13*32)), 6),
		"holder part empty":         replaced(t, b, []byte{0x80}, 7),
		"holder key of 65 bytes":    replaced(t, bound, dcbor.AppendBytes(nil, make([]byte, 65)), 7, 0),
		"binding from 2^40":         replaced(t, bound, uint(1<<40), 7, 1),
		"binding until 2^40":        replaced(t, bound, uint(1<<40), 7, 2),
		"binding kid of 33 bytes":   replaced(t, bound, dcbor.AppendBytes(nil, make([]byte, 33)), 7, 3),
		"binding signed in DER":     replaced(t, bound, dcbor.AppendBytes(nil, make([]byte, 70)), 7, 4),
		"audience of 201 bytes":     replaced(t, bound, text(201), 7, 5),
		"nonce of 65 bytes":         replaced(t, bound, dcbor.AppendBytes(nil, make([]byte, 65)), 7, 6),
		"proof from 2^40":           replaced(t, bound, uint(1<<40), 7, 7),
		"proof until 2^40":          replaced(t, bound, uint(1<<40), 7, 8),
		"proof signed in DER":       replaced(t, bound, dcbor.AppendBytes(nil, make([]byte, 72)), 7, 9),
	} {
		if _, err := credential.Parse(bad); code(err) != credential.CodeMalformed {
			t.Errorf("%s: got %v, want %s", name, err, credential.CodeMalformed)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := credentialtest.Batch(t, "marriage", 3).Credential(1)
	two := credentialtest.Disclose(t, whole, credentialtest.TwoFields["marriage"]...)
	y := credentialtest.Type(t, "marriage")
	newer := *y
	newer.Version++
	for _, c := range []struct {
		name   string
		typ    *licence.Type
		change func(p *credential.Presentation)
		want   string
	}{
		{"another type", credentialtest.Type(t, "property"), func(*credential.Presentation) {}, credential.CodeWrongType},
		{"another version", &newer, func(*credential.Presentation) {}, credential.CodeWrongType},
		{"a field beyond the dictionary", y, func(p *credential.Presentation) { p.Fields[1].Index = len(y.Leaves()) }, credential.CodeInconsistent},
		{"no field, no proof", y, func(p *credential.Presentation) { p.Fields, p.Proof = nil, nil }, credential.CodeInconsistent},
		{"proof too short", y, func(p *credential.Presentation) { p.Proof = p.Proof[sm.HashSize:] }, credential.CodeInconsistent},
		{"proof too long", y, func(p *credential.Presentation) { p.Proof = append(p.Proof, p.Proof[:sm.HashSize]...) }, credential.CodeInconsistent},
		{"path too short", y, func(p *credential.Presentation) { p.Path = p.Path[sm.HashSize:] }, credential.CodeInconsistent},
		{"path too long", y, func(p *credential.Presentation) { p.Path = append(p.Path, p.Path[:sm.HashSize]...) }, credential.CodeInconsistent},
		{"index beyond the batch", y, func(p *credential.Presentation) { p.Index = 3 }, credential.CodeInconsistent},
		{"batch of none", y, func(p *credential.Presentation) { p.Head.Size = 0 }, credential.CodeInconsistent},
	} {
		p, err := credential.Parse(two.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		c.change(p)
		if _, err := p.Open(c.typ); code(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

// What a head cannot say is not a head, whoever signed it.
func TestHeadStatementRefuses(t *testing.T) {
	for name, change := range map[string]func(p *credential.Presentation){
		"unit empty":       func(p *credential.Presentation) { p.Head.Unit = "" },
		"unit in capitals": func(p *credential.Presentation) { p.Head.Unit = "Registry" },
		"issuer empty":     func(p *credential.Presentation) { p.Record.Issuer = "" },
		"signed too late":  func(p *credential.Presentation) { p.Head.SignedAt = 1 << 40 },
	} {
		p := *credentialtest.Batch(t, "marriage", 1).Credential(0)
		change(&p)
		if _, ok := credentialtest.Open(t, &p).HeadStatement(); ok {
			t.Errorf("%s: a head statement", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.Bytes())
	}
	types := map[string]*licence.Type{}
	for _, id := range credentialtest.TypeIDs {
		types[id] = credentialtest.Type(f, id)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := credential.Parse(b)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if !bytes.Equal(p.Bytes(), b) {
			t.Errorf("%x formats as %x", b, p.Bytes())
		}
		y := types[p.Record.Type]
		if y == nil {
			return
		}
		o, err := p.Open(y)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		o.HeadStatement()
		o.BindingStatement()
		o.ProofStatement()
		for _, key := range y.Leaves() {
			o.Value(key)
		}
	})
}
