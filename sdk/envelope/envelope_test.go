package envelope_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement/statementtest"
)

var recipient = statementtest.Key("recipient")

func seal(tb testing.TB, contents []byte) []byte {
	tb.Helper()
	b, err := envelope.Seal(recipient.Public(), envelope.Credential, contents)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// open parses and opens.
func open(b []byte, keys ...envelope.Decrypter) ([]byte, error) {
	e, err := envelope.Parse(b)
	if err != nil {
		return nil, err
	}
	return e.Open(keys...)
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	for _, size := range []int{1, 15, 16, 17, 64 << 10, envelope.MaxContents} {
		want := bytes.Repeat([]byte{0xa5}, size)
		sealed := seal(t, want)
		e, err := envelope.Parse(sealed)
		if err != nil {
			t.Fatal(err)
		}
		if e.Recipient != recipient.Public().ID() || e.Type != envelope.Credential || !bytes.Equal(e.Bytes(), sealed) || len(sealed) > envelope.MaxSize {
			t.Errorf("%d bytes came as %d for %s of type %q", size, len(sealed), e.Recipient, e.Type)
		}
		got, err := e.Open(statementtest.Key("another"), recipient)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as %d: %v", size, len(got), err)
		}
	}
}

func TestNoTwoEnvelopesAreAlike(t *testing.T) {
	if bytes.Equal(seal(t, []byte("same")), seal(t, []byte("same"))) {
		t.Error("the same contents gave the same envelope")
	}
}

func TestSealRefuses(t *testing.T) {
	key, some := recipient.Public(), []byte("some")
	for _, c := range []struct {
		what     string
		to       *sm.PublicKey
		kind     string
		contents []byte
		code     string
	}{
		{"nobody", nil, "a/b", some, envelope.CodeRecipient},
		{"no type", key, "", some, envelope.CodeType},
		{"a long type", key, strings.Repeat("a", 65), some, envelope.CodeType},
		{"a type with capitals", key, "text/Plain", some, envelope.CodeType},
		{"a type with parameters", key, "text/plain; charset=utf-8", some, envelope.CodeType},
		{"a type in Chinese", key, "证照", some, envelope.CodeType},
		{"nothing", key, "a/b", nil, envelope.CodeContents},
		{"too much", key, "a/b", make([]byte, envelope.MaxContents+1), envelope.CodeContents},
	} {
		if b, err := envelope.Seal(c.to, c.kind, c.contents); envelope.Code(err) != c.code || b != nil {
			t.Errorf("%s: %v, want %s", c.what, err, c.code)
		}
	}
	if envelope.Code(errors.New("another's")) != "" {
		t.Error("another package's error has a code")
	}
}

func TestSealToTheZeroKeyFails(t *testing.T) {
	if _, err := envelope.Seal(new(sm.PublicKey), "a/b", []byte("x")); envelope.Code(err) != envelope.CodeRecipient {
		t.Errorf("%v", err)
	}
}

// Whatever byte is changed, and wherever it is cut, an envelope is not opened.
func TestEveryChangeIsNoticed(t *testing.T) {
	sealed := seal(t, []byte("a credential"))
	for i := range sealed {
		for _, flip := range []byte{1, 0x20, 0x80} {
			changed := bytes.Clone(sealed)
			changed[i] ^= flip
			contents, err := open(changed, recipient)
			switch envelope.Code(err) {
			case envelope.CodeMalformed, envelope.CodeOtherKey, envelope.CodeAltered:
			default:
				t.Errorf("byte %d with %#x: %v", i, flip, err)
			}
			if contents != nil {
				t.Errorf("byte %d with %#x: there are contents", i, flip)
			}
		}
		if _, err := envelope.Parse(sealed[:i]); envelope.Code(err) != envelope.CodeMalformed {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	if _, err := envelope.Parse(append(bytes.Clone(sealed), 0)); envelope.Code(err) != envelope.CodeMalformed {
		t.Errorf("with a byte more: %v", err)
	}
}

// parts are the items of an envelope, to make a bad one of.
type parts struct {
	version   uint64
	recipient []byte
	kind      string
	key       []byte
	contents  []byte
}

func (p parts) bytes() []byte {
	b := dcbor.AppendUint(dcbor.AppendArray(nil, 5), p.version)
	b = dcbor.AppendText(dcbor.AppendBytes(b, p.recipient), p.kind)
	return dcbor.AppendBytes(dcbor.AppendBytes(b, p.key), p.contents)
}

func take(tb testing.TB, sealed []byte) (p parts) {
	tb.Helper()
	r := dcbor.NewReader(sealed)
	r.ArrayOf(5)
	p.version, p.recipient, p.kind = r.Uint(9), r.Bytes(32), string(r.Text(100))
	p.key, p.contents = r.Bytes(1000), r.Bytes(1<<20)
	if !r.OK() || !bytes.Equal(p.bytes(), sealed) {
		tb.Fatal("the envelope has another form than this test knows")
	}
	return p
}

func TestOpenRefuses(t *testing.T) {
	thief := statementtest.Key("thief")
	good, other := seal(t, []byte("a credential")), take(t, seal(t, []byte("another one")))
	encrypt := func(secret []byte) []byte {
		b, err := recipient.Public().Encrypt(nil, secret)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		what   string
		code   string
		change func(*parts)
	}{
		{"another version", envelope.CodeMalformed, func(p *parts) { p.version = 2 }},
		{"version 0", envelope.CodeMalformed, func(p *parts) { p.version = 0 }},
		{"a short key id", envelope.CodeMalformed, func(p *parts) { p.recipient = p.recipient[1:] }},
		{"no type", envelope.CodeMalformed, func(p *parts) { p.kind = "" }},
		{"a long type", envelope.CodeMalformed, func(p *parts) { p.kind = strings.Repeat("a", 65) }},
		{"a type with a space", envelope.CodeMalformed, func(p *parts) { p.kind = "a b" }},
		{"no key", envelope.CodeMalformed, func(p *parts) { p.key = nil }},
		{"a long key", envelope.CodeMalformed, func(p *parts) { p.key = make([]byte, 161) }},
		{"nothing but a tag", envelope.CodeMalformed, func(p *parts) { p.contents = p.contents[:16] }},
		{"another recipient", envelope.CodeOtherKey, func(p *parts) { id := thief.Public().ID(); p.recipient = id[:] }},
		{"another type", envelope.CodeAltered, func(p *parts) { p.kind = "text/plain" }},
		{"another envelope's key", envelope.CodeAltered, func(p *parts) { p.key = other.key }},
		{"another envelope's contents", envelope.CodeAltered, func(p *parts) { p.contents = other.contents }},
		{"a key of 27 bytes", envelope.CodeAltered, func(p *parts) { p.key = encrypt(make([]byte, 27)) }},
		{"a key of 29 bytes", envelope.CodeAltered, func(p *parts) { p.key = encrypt(make([]byte, 29)) }},
		{"a key that is no ciphertext", envelope.CodeAltered, func(p *parts) { p.key = []byte{0} }},
	} {
		p := take(t, good)
		c.change(&p)
		if contents, err := open(p.bytes(), recipient); envelope.Code(err) != c.code || contents != nil {
			t.Errorf("%s: %v, want %s", c.what, err, c.code)
		}
	}
	if _, err := envelope.Parse(make([]byte, envelope.MaxSize+1)); envelope.Code(err) != envelope.CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
	if _, err := open(good, thief); envelope.Code(err) != envelope.CodeOtherKey {
		t.Errorf("a thief: %v", err)
	}
	if _, err := open(good); envelope.Code(err) != envelope.CodeOtherKey {
		t.Errorf("without keys: %v", err)
	}
}

// golden is an envelope that was sealed once, and is opened for as long as there is version 1.
func golden(tb testing.TB) []byte {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "envelope.hex"))
	if err != nil {
		tb.Fatal(err)
	}
	sealed, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}

func TestGolden(t *testing.T) {
	sealed := golden(t)
	got, err := open(sealed, recipient)
	if err != nil || string(got) != "电子证照" {
		t.Errorf("%q, %v", got, err)
	}
	if p := take(t, sealed); p.kind != "text/plain" {
		t.Errorf("the type is %q", p.kind)
	}
}

func FuzzParse(f *testing.F) {
	sealed := golden(f)
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := envelope.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(take(t, e.Bytes()).bytes(), b) {
			t.Errorf("%x has another encoding", b)
		}
		if _, err := e.Open(recipient); err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("%x was opened", b)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	contents := make([]byte, 2<<10)
	for b.Loop() {
		seal(b, contents)
	}
}

func BenchmarkOpen(b *testing.B) {
	sealed := seal(b, make([]byte, 2<<10))
	for b.Loop() {
		if _, err := open(sealed, recipient); err != nil {
			b.Fatal(err)
		}
	}
}
