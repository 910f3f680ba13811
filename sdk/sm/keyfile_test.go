package sm

import (
	"bytes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	encasn1 "encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"hash"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

func TestPrivateKeyForms(t *testing.T) {
	k := generate(t)
	password := []byte("correct horse 口令")
	encrypted, err := k.EncryptedPEM(password)
	if err != nil {
		t.Fatal(err)
	}
	for name, parse := range map[string]func() (*PrivateKey, error){
		"PKCS8":         func() (*PrivateKey, error) { return ParsePrivateKey(k.PKCS8()) },
		"PEM":           func() (*PrivateKey, error) { return ParsePrivateKeyPEM(k.PEM(), nil) },
		"PEM, password": func() (*PrivateKey, error) { return ParsePrivateKeyPEM(crlf(k.PEM()), password) },
		"encrypted PEM": func() (*PrivateKey, error) { return ParsePrivateKeyPEM(encrypted, password) },
	} {
		back, err := parse()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if back.engine.D.Cmp(k.engine.D) != 0 || !back.Public().Equal(k.Public()) {
			t.Errorf("%s: another key", name)
		}
	}
	_, err = ParsePrivateKeyPEM(encrypted, nil)
	wantCode(t, err, CodePasswordNeeded)
	_, err = k.EncryptedPEM(nil)
	wantCode(t, err, CodeBadInput)
}

// The shapes of PKCS#8 that are read, and the many that are not. Sizes in the
// headers follow from the parts.
func TestPKCS8Shapes(t *testing.T) {
	k := generate(t)
	d, point := bytes32(k.engine.D), append([]byte{0x04}, k.Public().Bytes()...)
	other := append([]byte{0x04}, generate(t).Public().Bytes()...)
	tlv := func(tag byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		if len(body) < 0x80 {
			return append([]byte{tag, byte(len(body))}, body...)
		}
		return append([]byte{tag, 0x81, byte(len(body))}, body...)
	}
	one, zero := []byte{0x02, 0x01, 0x01}, []byte{0x02, 0x01, 0x00}
	scalar := tlv(0x04, d)
	curve, public := tlv(0xA0, sm2CurveOID), tlv(0xA1, tlv(0x03, []byte{0}, point))
	wrap := func(ec ...[]byte) []byte { return tlv(0x30, zero, sm2Algorithm, tlv(0x04, tlv(0x30, ec...))) }
	p256, _ := hex.DecodeString("06082a8648ce3d030107")
	p256Algorithm, _ := hex.DecodeString("301306072a8648ce3d020106082a8648ce3d030107")

	for name, der := range map[string][]byte{
		"as OpenSSL writes it": wrap(one, scalar, public),
		"no public key":        wrap(one, scalar),
		"curve named twice":    wrap(one, scalar, curve, public),
		"curve, no public key": wrap(one, scalar, curve),
	} {
		back, err := ParsePrivateKey(der)
		if err != nil || !back.Public().Equal(k.Public()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !bytes.Equal(k.PKCS8(), wrap(one, scalar, public)) {
		t.Errorf("PKCS8 is %x", k.PKCS8())
	}
	for name, der := range map[string][]byte{
		"nothing":                   nil,
		"trailing byte":             append(wrap(one, scalar, public), 0),
		"truncated":                 wrap(one, scalar, public)[:137],
		"version 1":                 tlv(0x30, one, sm2Algorithm, tlv(0x04, tlv(0x30, one, scalar))),
		"NIST P-256":                tlv(0x30, zero, p256Algorithm, tlv(0x04, tlv(0x30, one, scalar))),
		"attributes":                tlv(0x30, zero, sm2Algorithm, tlv(0x04, tlv(0x30, one, scalar)), tlv(0xA0)),
		"trailing in OCTET STRING":  tlv(0x30, zero, sm2Algorithm, tlv(0x04, tlv(0x30, one, scalar), zero)),
		"ECPrivateKey version 0":    wrap(zero, scalar, public),
		"another curve inside":      wrap(one, scalar, tlv(0xA0, p256), public),
		"empty curve":               wrap(one, scalar, tlv(0xA0), public),
		"public key before curve":   wrap(one, scalar, public, curve),
		"public key twice":          wrap(one, scalar, public, public),
		"another public key":        wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{0}, other))),
		"compressed public key":     wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{0, 2 + point[64]&1}, point[1:33]))),
		"public key cut":            wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{0}, point[:64]))),
		"no bits of public key":     wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{0}))),
		"unused bits":               wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{1}, point[:64], []byte{point[64] &^ 1}))),
		"trailing after public key": wrap(one, scalar, tlv(0xA1, tlv(0x03, []byte{0}, point), zero)),
		"scalar of 31 bytes":        wrap(one, tlv(0x04, d[1:])),
		"scalar of 33 bytes":        wrap(one, tlv(0x04, []byte{0}, d)),
		"scalar 0":                  wrap(one, tlv(0x04, make([]byte, 32))),
		"scalar n-1":                wrap(one, tlv(0x04, bytes32(curveN)[:31], []byte{0x22})),
		"scalar as INTEGER":         wrap(one, tlv(0x02, d)),
		"only the ECPrivateKey":     tlv(0x30, one, scalar, curve, public),
		"a public key":              k.Public().SPKI(),
	} {
		_, err := ParsePrivateKey(der)
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
		wantCode(t, err, CodeBadPrivateKey)
	}
}

func TestPrivateKeyPEMRefused(t *testing.T) {
	k := generate(t)
	text := string(k.PEM())
	label := func(s string) string { return strings.ReplaceAll(text, "PRIVATE KEY", s) }
	for name, text := range map[string]string{
		"nothing": "", "two keys": text + text, "text before": "x\n" + text, "text after": text + "x\n",
		"a public key": string(k.Public().PEM()), "SEC 1": label("EC PRIVATE KEY"), "a certificate": label("CERTIFICATE"),
		"plain, labelled encrypted": label("ENCRYPTED PRIVATE KEY"),
		"a header":                  strings.Replace(text, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
	} {
		_, err := ParsePrivateKeyPEM([]byte(text), []byte("password"))
		if err == nil {
			t.Errorf("PEM with %s is accepted", name)
		}
		wantCode(t, err, CodeBadPrivateKey)
	}
}

// keyFile is an EncryptedPrivateKeyInfo as another program might write it.
type keyFile struct {
	pbes, kdf, prf, scheme encasn1.ObjectIdentifier
	hash                   func() hash.Hash // what prf names
	salt, iv               []byte
	iterations             int
	keySize                int // written if not 0
	plain                  []byte
	ciphertext             []byte // instead of plain encrypted
	prfParameters          []byte // instead of NULL
	extra                  int    // put one more element into the n-th SEQUENCE, inside out
}

const testPassword = "password"

func (f keyFile) pem(t testing.TB) []byte {
	t.Helper()
	key, err := pbkdf2.Key(f.hash, testPassword, f.salt, max(f.iterations&0xFFFF, 1), 16)
	if err != nil {
		t.Fatal(err)
	}
	block, err := sm4.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	data := f.ciphertext
	if data == nil {
		data = bytes.Clone(f.plain)
		cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(data, data)
	}
	marshal := func(v any) encasn1.RawValue {
		der, err := encasn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return encasn1.RawValue{FullBytes: der}
	}
	sequences := 0
	sequence := func(elements ...any) encasn1.RawValue {
		if sequences++; sequences == f.extra {
			elements = append(elements, 7)
		}
		var body []byte
		for _, e := range elements {
			body = append(body, marshal(e).FullBytes...)
		}
		return marshal(encasn1.RawValue{Class: encasn1.ClassUniversal, Tag: encasn1.TagSequence, IsCompound: true, Bytes: body})
	}
	prf := []any{f.prf}
	switch {
	case f.prfParameters == nil:
		prf = append(prf, encasn1.NullRawValue)
	case len(f.prfParameters) > 0:
		prf = append(prf, encasn1.RawValue{FullBytes: f.prfParameters})
	}
	params := []any{f.salt, f.iterations}
	if f.keySize != 0 {
		params = append(params, f.keySize)
	}
	params = append(params, sequence(prf...))
	der := sequence(
		sequence(f.pbes, sequence(sequence(f.kdf, sequence(params...)), sequence(f.scheme, f.iv))),
		data)
	return pem.EncodeToMemory(&pem.Block{Type: pemEncryptedPrivateKey, Bytes: der.FullBytes})
}

// goodKeyFile is a file that GmSSL might write.
func goodKeyFile(k *PrivateKey) keyFile {
	return keyFile{
		pbes: oidPBES2, kdf: oidPBKDF2, prf: oidHMACSM3, scheme: oidSM4CBC, hash: sm3.New,
		salt: make([]byte, 8), iv: make([]byte, 16), iterations: 1,
		plain: append(k.PKCS8(), bytes.Repeat([]byte{6}, 6)...), // 138+6 = 9*16
	}
}

func TestEncryptedKeyFiles(t *testing.T) {
	k := generate(t)
	padded := goodKeyFile(k).plain
	for name, change := range map[string]func(*keyFile){
		"HMAC-SM3":     func(f *keyFile) {},
		"HMAC-SHA256":  func(f *keyFile) { f.prf, f.hash = oidHMACSHA256, sha256.New },
		"key size":     func(f *keyFile) { f.keySize = 16 },
		"PRF alone":    func(f *keyFile) { f.prfParameters = []byte{} },
		"longest salt": func(f *keyFile) { f.salt = make([]byte, maxPBKDF2SaltSize) },
	} {
		f := goodKeyFile(k)
		change(&f)
		if back, err := ParsePrivateKeyPEM(f.pem(t), []byte(testPassword)); err != nil || !back.Public().Equal(k.Public()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, test := range []struct {
		name, code string
		change     func(*keyFile)
	}{
		{"PBES1", CodeUnsupportedCipher, func(f *keyFile) { f.pbes = encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 3} }},
		{"scrypt", CodeUnsupportedCipher, func(f *keyFile) { f.kdf = encasn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11} }},
		{"DES", CodeUnsupportedCipher, func(f *keyFile) { f.scheme = encasn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7} }},
		{"HMAC-SHA1", CodeUnsupportedCipher, func(f *keyFile) { f.prf = encasn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7} }},
		{"no iterations", CodeBadPrivateKey, func(f *keyFile) { f.iterations = 0 }},
		{"negative iterations", CodeBadPrivateKey, func(f *keyFile) { f.iterations = -1 }},
		{"too many iterations", CodeBadPrivateKey, func(f *keyFile) { f.iterations = maxPBKDF2Iterations + 1 }},
		{"iterations of 64 bits", CodeBadPrivateKey, func(f *keyFile) { f.iterations = 1 << 62 }},
		{"no salt", CodeBadPrivateKey, func(f *keyFile) { f.salt = []byte{} }},
		{"long salt", CodeBadPrivateKey, func(f *keyFile) { f.salt = make([]byte, maxPBKDF2SaltSize+1) }},
		{"wrong key size", CodeBadPrivateKey, func(f *keyFile) { f.keySize = 32 }},
		{"short iv", CodeBadPrivateKey, func(f *keyFile) { f.iv = make([]byte, 15) }},
		{"long iv", CodeBadPrivateKey, func(f *keyFile) { f.iv = make([]byte, 17) }},
		{"no ciphertext", CodeBadPrivateKey, func(f *keyFile) { f.ciphertext = []byte{} }},
		{"part of a block", CodeBadPrivateKey, func(f *keyFile) { f.ciphertext = make([]byte, 17) }},
		{"PRF parameters", CodeBadPrivateKey, func(f *keyFile) { f.prfParameters = []byte{0x02, 0x01, 0x01} }},
		{"NULL with content", CodeBadPrivateKey, func(f *keyFile) { f.prfParameters = []byte{0x05, 0x01, 0x00} }},
		{"more in the PRF", CodeBadPrivateKey, func(f *keyFile) { f.extra = 1 }},
		{"more in the PBKDF2 parameters", CodeBadPrivateKey, func(f *keyFile) { f.extra = 2 }},
		{"more in the KDF", CodeBadPrivateKey, func(f *keyFile) { f.extra = 3 }},
		{"more in the cipher", CodeBadPrivateKey, func(f *keyFile) { f.extra = 4 }},
		{"more in the PBES2 parameters", CodeBadPrivateKey, func(f *keyFile) { f.extra = 5 }},
		{"more in the algorithm", CodeBadPrivateKey, func(f *keyFile) { f.extra = 6 }},
		{"more in the file", CodeBadPrivateKey, func(f *keyFile) { f.extra = 7 }},
		{"padding 0", CodeWrongPassword, func(f *keyFile) { f.plain = withChange(padded, len(padded)-1, 6) }},
		{"padding 17", CodeWrongPassword, func(f *keyFile) { f.plain = bytes.Repeat([]byte{17}, 32) }},
		{"uneven padding", CodeWrongPassword, func(f *keyFile) { f.plain = withChange(padded, len(padded)-3, 1) }},
		{"padding alone", CodeWrongPassword, func(f *keyFile) { f.plain = bytes.Repeat([]byte{16}, 16) }},
		{"not DER", CodeWrongPassword, func(f *keyFile) { f.plain = withChange(padded, 0, 1) }},
		{"not PKCS#8", CodeBadPrivateKey, func(f *keyFile) { f.plain = withChange(padded, 5, 1) }},
	} {
		f := goodKeyFile(k)
		test.change(&f)
		_, err := ParsePrivateKeyPEM(f.pem(t), []byte(testPassword))
		if err == nil {
			t.Errorf("%s is accepted", test.name)
		}
		wantCode(t, err, test.code)
	}
	_, err := ParsePrivateKeyPEM(goodKeyFile(k).pem(t), []byte("wrong"))
	wantCode(t, err, CodeWrongPassword)
}
