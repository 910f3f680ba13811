package sm

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	emmansun "github.com/emmansun/gmsm/sm2"
)

func TestPublicKeyForms(t *testing.T) {
	pub := generate(t).Public()
	if id := Sum(pub.SPKI()); pub.ID() != id {
		t.Errorf("ID %s, want %s", pub.ID(), id)
	}
	for name, parse := range map[string]func() (*PublicKey, error){
		"SPKI":         func() (*PublicKey, error) { return ParsePublicKey(pub.SPKI()) },
		"PEM":          func() (*PublicKey, error) { return ParsePublicKeyPEM(pub.PEM()) },
		"PEM, spaced":  func() (*PublicKey, error) { return ParsePublicKeyPEM([]byte("\n" + string(pub.PEM()) + "\r\n ")) },
		"PEM, CR LF":   func() (*PublicKey, error) { return ParsePublicKeyPEM(crlf(pub.PEM())) },
		"coordinates":  func() (*PublicKey, error) { return NewPublicKey(pub.Bytes()) },
		"the same key": func() (*PublicKey, error) { return pub, nil },
	} {
		back, err := parse()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !back.Equal(pub) || back.ID() != pub.ID() || !bytes.Equal(back.SPKI(), pub.SPKI()) {
			t.Errorf("%s: another key", name)
		}
	}
	if pub.Equal(generate(t).Public()) || pub.Equal(nil) || (*PublicKey)(nil).Equal(pub) {
		t.Error("Equal of different keys")
	}
	pub.Bytes()[0] ^= 1
	pub.SPKI()[30] ^= 1
	if pub.ID() != Sum(pub.SPKI()) {
		t.Error("a key can be changed through what it returns")
	}
}

func crlf(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }

func TestPublicKeysRefused(t *testing.T) {
	pub := generate(t).Public()
	xy, spki := pub.Bytes(), pub.SPKI()
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	fromHex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	compressed := []byte{2 + xy[63]&1}
	beyond := pointWithSmallX(t)
	bad := map[string][]byte{
		"nothing":              nil,
		"only the prefix":      spkiPrefix,
		"one byte less":        spki[:len(spki)-1],
		"one byte more":        join(spki, []byte{0}),
		"raw point":            join([]byte{4}, xy),
		"long form of length":  join([]byte{0x30, 0x81}, spki[1:]),
		"unused bit":           withChange(spki, 25, 1),
		"hybrid point":         withChange(spki, 26, 0x04^(0x06|xy[63]&1)),
		"compressed point":     join([]byte{0x30, 0x39}, sm2Algorithm, []byte{0x03, 0x22, 0x00}, compressed, xy[:32]),
		"infinity":             join([]byte{0x30, 0x18}, sm2Algorithm, []byte{0x03, 0x02, 0x00, 0x00}),
		"NIST P-256":           join(fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), xy),
		"curve as algorithm":   join(fromHex("3059301306082a811ccf5501822d06072a8648ce3d020103420004"), xy),
		"other algorithm":      withChange(spki, 12, 1),
		"no curve":             join(fromHex("304f300906072a8648ce3d020103420004"), xy),
		"curve null":           join(fromHex("3051300b06072a8648ce3d0201050003420004"), xy),
		"point (0,0)":          join(spkiPrefix, make([]byte, 64)),
		"point (p,p)":          join(spkiPrefix, bytes32(curveP), bytes32(curveP)),
		"x changed":            withChange(spki, 27, 1),
		"y changed":            withChange(spki, 90, 1),
		"x and y exchanged":    join(spkiPrefix, xy[32:], xy[:32]),
		"(x, 0)":               join(spkiPrefix, xy[:32], make([]byte, 32)),
		"(0, y)":               join(spkiPrefix, make([]byte, 32), xy[32:]),
		"x not below p":        join(spkiPrefix, beyond),
		"coordinates all ones": join(spkiPrefix, bytes.Repeat([]byte{0xFF}, 64)),
	}
	for name, der := range bad {
		_, err := ParsePublicKey(der)
		wantCode(t, err, CodeBadPublicKey)
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
		if xy, ok := bytes.CutPrefix(der, spkiPrefix); ok {
			_, err = NewPublicKey(xy)
			wantCode(t, err, CodeBadPublicKey)
		}
	}
	text := string(pub.PEM())
	for name, text := range map[string]string{
		"nothing":          "",
		"text before":      "a key:\n" + text,
		"text after":       text + "and more\n",
		"two keys":         text + text,
		"another label":    strings.ReplaceAll(text, "PUBLIC KEY", "EC PUBLIC KEY"),
		"a header":         strings.Replace(text, "KEY-----\n", "KEY-----\nComment: x\n\n", 1),
		"no end":           text[:len(text)-10],
		"not base64":       strings.Replace(text, "MFk", "M-k", 1),
		"a broken one too": "-----BEGIN PUBLIC KEY-----\n!\n" + text,
		"a private key":    string(generate(t).PEM()),
		"DER":              string(spki),
	} {
		if _, err := ParsePublicKeyPEM([]byte(text)); err == nil {
			t.Errorf("PEM with %s is accepted", name)
		} else {
			wantCode(t, err, CodeBadPublicKey)
		}
	}
}

// pointWithSmallX returns x+p||y for a point (x, y) whose x+p fits 32 bytes: the
// same point modulo p, in an encoding that must not be read.
func pointWithSmallX(t *testing.T) []byte {
	t.Helper()
	params := emmansun.P256().Params()
	three := big.NewInt(3)
	for x := big.NewInt(1); x.Int64() < 100; x.Add(x, big.NewInt(1)) {
		y := new(big.Int).Exp(x, three, curveP)
		y.Sub(y, new(big.Int).Mul(x, three)).Add(y, params.B).Mod(y, curveP)
		if y.ModSqrt(y, curveP) == nil {
			continue
		}
		if _, err := NewPublicKey(append(bytes32(x), bytes32(y)...)); err != nil {
			t.Fatalf("a point with x = %s: %v", x, err)
		}
		return append(bytes32(new(big.Int).Add(x, curveP)), bytes32(y)...)
	}
	t.Fatal("no point with a small x")
	return nil
}

func TestPrivateScalars(t *testing.T) {
	n := func(plus int64) []byte { return bytes32(new(big.Int).Add(curveN, big.NewInt(plus))) }
	one := append(make([]byte, 31), 1)
	for name, d := range map[string][]byte{"1": one, "n-2": n(-2)} {
		k, err := newPrivateKey(d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sig := sign(t, k, nil); !k.Public().Verify(nil, sig) {
			t.Errorf("%s: its signature is refused", name)
		}
	}
	for name, d := range map[string][]byte{
		"nothing": nil, "0": make([]byte, 32), "n-1": n(-1), "n": n(0), "n+1": n(1),
		"2^256-1": bytes.Repeat([]byte{0xFF}, 32), "31 bytes": one[1:], "33 bytes": append([]byte{0}, one...),
	} {
		_, err := newPrivateKey(d)
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
		wantCode(t, err, CodeBadPrivateKey)
	}
}

// A source of randomness that fails, ends, or repeats one useless value is an
// error, not an endless loop.
func TestBadRandomness(t *testing.T) {
	pub := generate(t).Public()
	for name, source := range map[string]func() io.Reader{
		"fails":   func() io.Reader { return failingReader{} },
		"ends":    func() io.Reader { return bytes.NewReader(make([]byte, 31)) },
		"zeros":   func() io.Reader { return constantReader(0) },
		"all one": func() io.Reader { return constantReader(0xFF) },
	} {
		_, err := GenerateKey(source())
		wantCode(t, err, CodeNoRandomness)
		if _, err = pub.Encrypt(source(), []byte("x")); err == nil {
			t.Errorf("%s: encrypted", name)
		}
		wantCode(t, err, CodeNoRandomness)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

type constantReader byte

func (c constantReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestPrivateKeyIsNeverPrinted(t *testing.T) {
	k := generate(t)
	d := bytes32(k.engine.D)
	secrets := []string{hex.EncodeToString(d)[:16], k.engine.D.String()[:16], base64.StdEncoding.EncodeToString(d)[:16], fmt.Sprint(d)[1:20]}
	type holder struct {
		Key    *PrivateKey
		hidden *PrivateKey
	}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%p"} {
		for _, value := range []any{k, *k, holder{k, k}, &holder{k, k}, []*PrivateKey{k}, map[string]any{"k": k}, Signer(k)} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	if !strings.Contains(out.String(), k.Public().ID().String()) {
		t.Error("printing does not name the key")
	}
	text, err := json.Marshal(holder{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, secret := range secrets {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(secret)) {
			t.Errorf("printing shows the scalar as %s...", secret)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	_, err := GenerateKey(failingReader{})
	if err == nil || errors.Unwrap(err) == nil || !strings.Contains(err.Error(), "no entropy") {
		t.Errorf("error %v", err)
	}
	if _, err = ParseHash(""); err == nil || err.Error() != "sm: a hash is 64 lower-case hexadecimal digits" {
		t.Errorf("error %v", err)
	}
}
