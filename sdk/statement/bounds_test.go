package statement_test

import (
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

// A change makes a good sample of one kind into a bad one.
type change struct {
	name string
	make func() statement.Body
}

// changed returns a change of the sample of type B.
func changed[B statement.Body](name string, f func(B)) change {
	return change{name, func() statement.Body {
		for _, body := range statementtest.Bodies() {
			if b, ok := body.(B); ok {
				f(b)
				return b
			}
		}
		panic("no sample of this kind")
	}}
}

const (
	tooLate  = 1 << 40
	tooEarly = -354286 // 0999-12-31
	tooFar   = 2932897 // 10000-01-01
)

func genesis(name string, f func(*statement.Genesis)) change         { return changed(name, f) }
func head(name string, f func(*statement.Head)) change               { return changed(name, f) }
func status(name string, f func(*statement.Status)) change           { return changed(name, f) }
func restriction(name string, f func(*statement.Restriction)) change { return changed(name, f) }
func department(name string, f func(*statement.Department)) change   { return changed(name, f) }
func key(name string, f func(*statement.Key)) change                 { return changed(name, f) }
func typeOf(name string, f func(*statement.Type)) change             { return changed(name, f) }
func checkpoint(name string, f func(*statement.Checkpoint)) change   { return changed(name, f) }
func consent(name string, f func(*statement.Consent)) change         { return changed(name, f) }
func heartbeat(name string, f func(*statement.Heartbeat)) change     { return changed(name, f) }
func binding(name string, f func(*statement.Binding)) change         { return changed(name, f) }
func proof(name string, f func(*statement.Proof)) change             { return changed(name, f) }
func snapshot(name string, f func(*statement.Snapshot)) change       { return changed(name, f) }

func retire(k *statement.Key) {
	k.Action, k.PublicKey, k.Purposes, k.NotBefore, k.NotAfter = statement.KeyRetire, nil, 0, nil, nil
}

func compromise(k *statement.Key, disowned ...sm.Hash) {
	retire(k)
	k.Action, k.Disowned = statement.KeyCompromise, disowned
}

var offCurve = [64]byte{31: 1, 63: 1}

var outOfBounds = []change{
	genesis("name empty", func(g *statement.Genesis) { g.Name = "" }),
	genesis("name of 201 bytes", func(g *statement.Genesis) { g.Name = strings.Repeat("a", 201) }),
	genesis("name with a line break", func(g *statement.Genesis) { g.Name = "a\nb" }),
	genesis("name with a C1 control", func(g *statement.Genesis) { g.Name = "a\u0085b" }),
	genesis("authority id empty", func(g *statement.Genesis) { g.Authority.ID = "" }),
	genesis("key off the curve", func(g *statement.Genesis) { g.PublicKey = offCurve }),
	genesis("key zero", func(g *statement.Genesis) { g.PublicKey = [64]byte{} }),
	genesis("key not for governing", func(g *statement.Genesis) { g.Purposes = statement.PurposeAnchor }),
	genesis("no purpose", func(g *statement.Genesis) { g.Purposes = 0 }),
	genesis("unknown purpose", func(g *statement.Genesis) { g.Purposes |= 1 << 5 }),
	genesis("too late", func(g *statement.Genesis) { g.CreatedAt = tooLate }),

	head("issuer empty", func(h *statement.Head) { h.Issuer = "" }),
	head("issuer of 33 characters", func(h *statement.Head) { h.Issuer = strings.Repeat("a", 33) }),
	head("issuer in capitals", func(h *statement.Head) { h.Issuer = "Civil" }),
	head("issuer in Chinese", func(h *statement.Head) { h.Issuer = "民政" }),
	head("unit with a slash", func(h *statement.Head) { h.Unit = "a/b" }),
	head("type with a space", func(h *statement.Head) { h.Type = "a b" }),
	head("type version 0", func(h *statement.Head) { h.TypeVersion = 0 }),
	head("type version 2^31", func(h *statement.Head) { h.TypeVersion = 1 << 31 }),
	head("size 0", func(h *statement.Head) { h.Size = 0 }),
	head("size 4097", func(h *statement.Head) { h.Size = 4097 }),
	head("too late", func(h *statement.Head) { h.SignedAt = tooLate }),

	status("issuer empty", func(s *statement.Status) { s.Issuer = "" }),
	status("index 4096", func(s *statement.Status) { s.Licence.Index = 4096 }),
	status("path of 33 bytes", func(s *statement.Status) { s.Licence.Path = make([]byte, 33) }),
	status("path of 13 hashes", func(s *statement.Status) { s.Licence.Path = make([]byte, 13*32) }),
	status("root of another place", func(s *statement.Status) { s.Root[0] ^= 1 }),
	status("sequence 0", func(s *statement.Status) { s.Sequence, s.Previous = 0, nil }),
	status("first with a previous", func(s *statement.Status) { s.Sequence = 1 }),
	status("second without a previous", func(s *statement.Status) { s.Previous = nil }),
	status("from empty", func(s *statement.Status) { s.From = "" }),
	status("to in capitals", func(s *statement.Status) { s.To = "Revoked" }),
	status("effective too early", func(s *statement.Status) { s.Effective = tooEarly }),
	status("effective too far", func(s *statement.Status) { s.Effective = tooFar }),
	status("successor index 4096", func(s *statement.Status) { s.Successor.Index = 4096 }),
	status("successor of a whole root", func(s *statement.Status) { s.Licence = nil }),
	status("too late", func(s *statement.Status) { s.SignedAt = tooLate }),

	restriction("issuer empty", func(r *statement.Restriction) { r.Issuer = "" }),
	restriction("index 4096", func(r *statement.Restriction) { r.Licence.Index = 4096 }),
	restriction("path of 1 byte", func(r *statement.Restriction) { r.Licence.Path = make([]byte, 1) }),
	restriction("sequence 0", func(r *statement.Restriction) { r.Sequence, r.Previous = 0, nil }),
	restriction("first with a previous", func(r *statement.Restriction) { r.Sequence = 1 }),
	restriction("second without a previous", func(r *statement.Restriction) { r.Previous = nil }),
	restriction("action unknown", func(r *statement.Restriction) { r.Action = "seize" }),
	restriction("effective too early", func(r *statement.Restriction) { r.Effective = tooEarly }),
	restriction("too late", func(r *statement.Restriction) { r.SignedAt = tooLate }),

	department("id empty", func(d *statement.Department) { d.Profile.ID = "" }),
	department("unified code of 17 characters", func(d *statement.Department) { d.Profile.USCC = d.Profile.USCC[1:] }),
	department("unified code in lower case", func(d *statement.Department) { d.Profile.USCC = strings.ToLower(d.Profile.USCC) }),
	department("Chinese name empty", func(d *statement.Department) { d.Profile.NameZh = "" }),
	department("English name empty", func(d *statement.Department) { d.Profile.NameEn = "" }),
	department("65 units", func(d *statement.Department) { d.Profile.Units = make([]statement.Unit, 65) }),
	department("two units of one id", func(d *statement.Department) { d.Profile.Units = append(d.Profile.Units, d.Profile.Units[0]) }),
	department("unit id empty", func(d *statement.Department) { d.Profile.Units[0].ID = "" }),
	department("division code of 5 digits", func(d *statement.Department) { d.Profile.Units[0].DivisionCode = "99010" }),
	department("division code with a letter", func(d *statement.Department) { d.Profile.Units[0].DivisionCode = "99010a" }),
	department("Chinese name of a unit empty", func(d *statement.Department) { d.Profile.Units[0].NameZh = "" }),
	department("English name of a unit too long", func(d *statement.Department) { d.Profile.Units[0].NameEn = strings.Repeat("a", 201) }),
	department("types not in order", func(d *statement.Department) { d.Profile.Issues = []string{"marriage", "divorce"} }),
	department("a type twice", func(d *statement.Department) { d.Profile.Issues = []string{"marriage", "marriage"} }),
	department("type id in capitals", func(d *statement.Department) { d.Profile.Issues = []string{"Marriage"} }),
	department("257 types", func(d *statement.Department) { d.Profile.Issues = make([]string, 257) }),
	department("state unknown", func(d *statement.Department) { d.State = "closed" }),
	department("sequence 0", func(d *statement.Department) { d.Sequence = 0 }),
	department("sequence without a next", func(d *statement.Department) { d.Sequence = tooLate }),
	department("too late", func(d *statement.Department) { d.SignedAt = tooLate }),

	key("department empty", func(k *statement.Key) { k.Department = "" }),
	key("action unknown", func(k *statement.Key) { k.Action = "rotate" }),
	key("kid of another key", func(k *statement.Key) { k.KeyID[0] ^= 1 }),
	key("enrolled without key", func(k *statement.Key) { k.PublicKey = nil }),
	key("enrolled off the curve", func(k *statement.Key) { k.PublicKey = offCurve[:] }),
	key("enrolled with a point of 65 bytes", func(k *statement.Key) { k.PublicKey = append([]byte{4}, k.PublicKey...) }),
	key("enrolled for nothing", func(k *statement.Key) { k.Purposes = 0 }),
	key("enrolled for an unknown purpose", func(k *statement.Key) { k.Purposes = 1 << 7 }),
	key("enrolled with a disowned root", func(k *statement.Key) { k.Disowned = []sm.Hash{{1}} }),
	key("not-before too late", func(k *statement.Key) { k.NotBefore, k.NotAfter = new(uint64), nil; *k.NotBefore = tooLate }),
	key("not-after too late", func(k *statement.Key) { *k.NotAfter = tooLate }),
	key("not-after before not-before", func(k *statement.Key) { k.NotBefore = new(uint64); *k.NotBefore = *k.NotAfter + 1 }),
	key("retired with its key", func(k *statement.Key) { xy := k.PublicKey; retire(k); k.PublicKey = xy }),
	key("retired with purposes", func(k *statement.Key) { retire(k); k.Purposes = statement.PurposeAnchor }),
	key("retired with a bound", func(k *statement.Key) { at := k.NotAfter; retire(k); k.NotAfter = at }),
	key("retired with a disowned root", func(k *statement.Key) { retire(k); k.Disowned = []sm.Hash{{1}} }),
	key("disowned not in order", func(k *statement.Key) { compromise(k, sm.Hash{2}, sm.Hash{1}) }),
	key("disowned twice", func(k *statement.Key) { compromise(k, sm.Hash{1}, sm.Hash{1}) }),
	key("1001 disowned", func(k *statement.Key) { compromise(k, manyRoots(1001)...) }),
	key("too late", func(k *statement.Key) { k.SignedAt = tooLate }),

	typeOf("id empty", func(y *statement.Type) { y.ID = "" }),
	typeOf("version 0", func(y *statement.Type) { y.Version = 0 }),
	typeOf("version 2^31", func(y *statement.Type) { y.Version = 1 << 31 }),
	typeOf("definition empty", func(y *statement.Type) { y.Definition = nil }),
	typeOf("definition too long", func(y *statement.Type) { y.Definition = make([]byte, statement.MaxDefinition+1) }),
	typeOf("too late", func(y *statement.Type) { y.SignedAt = tooLate }),

	checkpoint("department empty", func(c *statement.Checkpoint) { c.Department = "" }),
	checkpoint("log empty", func(c *statement.Checkpoint) { c.Log = "" }),
	checkpoint("log with a slash", func(c *statement.Checkpoint) { c.Log = "a/b" }),
	checkpoint("size too large", func(c *statement.Checkpoint) { c.Size = tooLate }),
	checkpoint("too late", func(c *statement.Checkpoint) { c.SignedAt = tooLate }),

	consent("department empty", func(c *statement.Consent) { c.Department = "" }),
	consent("action unknown", func(c *statement.Consent) { c.Action = "renew" }),
	consent("too late", func(c *statement.Consent) { c.SignedAt = tooLate }),

	heartbeat("sequence 0", func(h *statement.Heartbeat) { h.Sequence = 0 }),
	heartbeat("sequence without a next", func(h *statement.Heartbeat) { h.Sequence = tooLate }),
	heartbeat("too late", func(h *statement.Heartbeat) { h.Time = tooLate }),

	binding("issuer empty", func(b *statement.Binding) { b.Issuer = "" }),
	binding("key off the curve", func(b *statement.Binding) { b.HolderKey = offCurve }),
	binding("not-before too late", func(b *statement.Binding) { b.NotBefore, b.NotAfter = tooLate, tooLate }),
	binding("not-after before not-before", func(b *statement.Binding) { b.NotAfter = b.NotBefore - 1 }),
	binding("longer than 400 days", func(b *statement.Binding) { b.NotAfter = b.NotBefore + statement.MaxBinding + 1 }),

	proof("audience of 201 bytes", func(p *statement.Proof) { p.Audience = strings.Repeat("a", 201) }),
	proof("audience with a control character", func(p *statement.Proof) { p.Audience = "a\x00" }),
	proof("nonce of 65 bytes", func(p *statement.Proof) { p.Nonce = make([]byte, 65) }),
	proof("issued-at too late", func(p *statement.Proof) { p.IssuedAt, p.NotAfter = tooLate, tooLate }),
	proof("not-after before issued-at", func(p *statement.Proof) { p.NotAfter = p.IssuedAt - 1 }),
	proof("longer than a day", func(p *statement.Proof) { p.NotAfter = p.IssuedAt + statement.MaxProof + 1 }),

	snapshot("height out of range", func(s *statement.Snapshot) { s.Height = tooLate }),
	snapshot("heartbeat out of range", func(s *statement.Snapshot) { s.Heartbeat = tooLate }),
	snapshot("length out of range", func(s *statement.Snapshot) { s.Length = tooLate }),
}

func manyRoots(n int) []sm.Hash {
	out := make([]sm.Hash, n)
	for i := range out {
		out[i] = sm.Hash{byte(i >> 8), byte(i)}
	}
	return out
}

// What is out of bounds can neither be signed nor read.
func TestRefusesOutOfBounds(t *testing.T) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty
	mode, err := options.EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range outOfBounds {
		body := c.make()
		kind := body.Kind()
		if _, err := statement.Encode(body); code(err) != statement.CodeInvalid {
			t.Errorf("%s, %s: Encode: got %v, want %s", kind, c.name, err, statement.CodeInvalid)
		}
		payload, err := mode.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := statement.Decode(kind, payload); code(err) != statement.CodeInvalid {
			t.Errorf("%s, %s: Decode: got %v, want %s", kind, c.name, err, statement.CodeInvalid)
		}
	}
}

// At its bounds, everything can be signed and read.
func TestAcceptsTheBounds(t *testing.T) {
	const last = tooLate - 1
	for _, c := range []change{
		genesis("name of 200 bytes", func(g *statement.Genesis) { g.Name, g.CreatedAt = strings.Repeat("a", 200), last }),
		genesis("a key for everything", func(g *statement.Genesis) { g.Purposes = 1<<5 - 1 }),
		head("ids of 32 characters", func(h *statement.Head) { h.Issuer, h.Unit, h.Type = strings.Repeat("a", 32), "0", "-" }),
		head("full batch", func(h *statement.Head) { h.Size, h.TypeVersion, h.SignedAt = 4096, 1<<31-1, last }),
		status("a whole root", func(s *statement.Status) { s.Licence, s.Successor = nil, nil }),
		status("the first", func(s *statement.Status) { s.Sequence, s.Previous = 1, nil }),
		status("the first day", func(s *statement.Status) { s.Effective = tooEarly + 1 }),
		status("the last day", func(s *statement.Status) { s.Effective = tooFar - 1 }),
		status("the longest path", func(s *statement.Status) { s.Licence.Index, s.Licence.Path = 4095, make([]byte, 12*32) }),
		restriction("lifted", func(r *statement.Restriction) { r.Action = statement.RestrictionLift }),
		department("suspended, without units and types", func(d *statement.Department) {
			d.State, d.Profile.Units, d.Profile.Issues = statement.DepartmentSuspended, nil, nil
		}),
		key("retired", retire),
		key("compromised", func(k *statement.Key) { compromise(k, manyRoots(1000)...) }),
		key("valid for a second", func(k *statement.Key) { k.NotBefore = k.NotAfter }),
		typeOf("the longest definition", func(y *statement.Type) { y.Definition = make([]byte, statement.MaxDefinition) }),
		consent("given", func(c *statement.Consent) { c.Action = statement.ConsentGive }),
		binding("400 days", func(b *statement.Binding) { b.NotAfter = b.NotBefore + statement.MaxBinding }),
		proof("one day, the longest nonce", func(p *statement.Proof) { p.NotAfter, p.Nonce = p.IssuedAt+statement.MaxProof, make([]byte, 64) }),
		proof("no nonce, no audience", func(p *statement.Proof) { p.Nonce, p.Audience = nil, "" }),
	} {
		body := c.make()
		signed := statementtest.Sign(t, body, statementtest.Signer(body.Kind()))
		if _, err := statement.Parse(signed); err != nil {
			t.Errorf("%s, %s: %v", body.Kind(), c.name, err)
		}
	}
}

// A signer that does not keep to its interface makes no statement.
func TestSignRefusesShortSignature(t *testing.T) {
	if _, err := statement.Sign(statementtest.Genesis(), shortSigner{}); code(err) != statement.CodeMalformed {
		t.Errorf("got %v, want %s", err, statement.CodeMalformed)
	}
}

type shortSigner struct{}

func (shortSigner) Public() *sm.PublicKey       { return statementtest.Key("short").Public() }
func (shortSigner) Sign([]byte) ([]byte, error) { return make([]byte, 63), nil }

func TestPurposeNames(t *testing.T) {
	for p := range statement.Purposes(1 << 5) {
		names := p.Names()
		if got, err := statement.ParsePurposes(names); err != nil || got != p {
			t.Errorf("%d has the names %v, which are %d, %v", p, names, got, err)
		}
	}
	if p, err := statement.ParsePurposes([]string{"status", "anchor", "status"}); err != nil || p != statement.PurposeAnchor|statement.PurposeStatus {
		t.Errorf("status, anchor, status: %d, %v", p, err)
	}
	if _, err := statement.ParsePurposes([]string{"vote"}); code(err) != statement.CodeInvalid {
		t.Errorf("vote: %v", err)
	}
}
