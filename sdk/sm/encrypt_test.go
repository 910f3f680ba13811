package sm

import (
	"bytes"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

type encryptionFile struct {
	Fixed struct {
		Source     string
		D, K       hexBytes
		Message    string
		C1, C2, C3 hexBytes
	}
	DER struct {
		Source, PKCS8 string
		Ciphertext    hexBytes
		Message       string
	}
}

// cipherDER encodes a ciphertext as it is asked to, right or wrong.
func cipherDER(t *testing.T, x, y, c3, c2 []byte) []byte {
	t.Helper()
	integer := func(b *cryptobyte.Builder, v []byte) {
		if len(v) > 0 && v[0] >= 0x80 {
			v = append([]byte{0}, v...)
		}
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(v) })
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		integer(b, x)
		integer(b, y)
		b.AddASN1OctetString(c3)
		b.AddASN1OctetString(c2)
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestEncryptionVectors(t *testing.T) {
	file := load[encryptionFile](t, "sm2_encryption.json")
	k, err := newPrivateKey(file.Fixed.D)
	if err != nil {
		t.Fatal(err)
	}
	want := cipherDER(t, file.Fixed.C1[:32], file.Fixed.C1[32:], file.Fixed.C3, file.Fixed.C2)
	got, err := k.Public().Encrypt(bytes.NewReader(file.Fixed.K), []byte(file.Fixed.Message))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Encrypt with the standard's k: %x, %v", got, err)
	}
	if plain, err := k.Decrypt(want); err != nil || string(plain) != file.Fixed.Message {
		t.Errorf("Decrypt of the standard's ciphertext: %q, %v", plain, err)
	}
	plain, err := parsePKCS8(t, file.DER.PKCS8).Decrypt(file.DER.Ciphertext)
	if err != nil || string(plain) != file.DER.Message {
		t.Errorf("Decrypt of OpenSSL's ciphertext: %q, %v", plain, err)
	}
}

func TestEncryptDecrypt(t *testing.T) {
	k := generate(t)
	for _, n := range []int{1, 2, 16, 31, 32, 33, 255, 256, 10_000} {
		msg := bytes.Repeat([]byte{byte(n)}, n)
		ciphertext, err := k.Public().Encrypt(nil, msg)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := k.Decrypt(ciphertext); err != nil || !bytes.Equal(plain, msg) {
			t.Errorf("%d bytes: %v", n, err)
		}
		_, err = generate(t).Decrypt(ciphertext)
		wantCode(t, err, CodeDecryptionFailed)
	}
	_, err := k.Public().Encrypt(nil, nil)
	wantCode(t, err, CodeBadInput)
	_, err = new(PublicKey).Encrypt(nil, []byte("x"))
	wantCode(t, err, CodeBadPublicKey)
}

func TestDecryptRefuses(t *testing.T) {
	file := load[encryptionFile](t, "sm2_encryption.json").Fixed
	k, err := newPrivateKey(file.D)
	if err != nil {
		t.Fatal(err)
	}
	x, y, c3, c2 := file.C1[:32], file.C1[32:], file.C3, file.C2
	der := cipherDER(t, x, y, c3, c2)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	hashAndText := der[len(der)-(2+len(c3)+2+len(c2)):]
	small := pointWithSmallX(t)
	zero := []byte{0}
	for name, ciphertext := range map[string][]byte{
		"nothing":             nil,
		"trailing byte":       append(bytes.Clone(der), 0),
		"truncated":           der[:len(der)-1],
		"plain C1 C3 C2":      join([]byte{4}, x, y, c3, c2),
		"compressed C1":       join([]byte{2 + y[31]&1}, x, c3, c2),
		"C1 C2 C3":            cipherDER(t, x, y, c2, c3),
		"empty C2":            cipherDER(t, x, y, c3, nil),
		"C3 of 31 bytes":      cipherDER(t, x, y, c3[:31], c2),
		"C3 of 33 bytes":      cipherDER(t, x, y, append(bytes.Clone(c3), 0), c2),
		"C1 = (0, 0)":         cipherDER(t, zero, zero, c3, c2),
		"C1 off the curve":    cipherDER(t, withChange(x, 31, 1), y, c3, c2),
		"-C1":                 cipherDER(t, x, bytes32(new(big.Int).Sub(curveP, new(big.Int).SetBytes(y))), c3, c2),
		"x not below p":       cipherDER(t, small[:32], small[32:], c3, c2),
		"x of 33 bytes":       cipherDER(t, append([]byte{1}, x...), y, c3, c2),
		"x padded":            cipherDER(t, append([]byte{0}, x...), y, c3, c2),
		"y negative":          join([]byte{0x30, byte(len(der) - 3), 0x02, 0x20}, x, []byte{0x02, 0x20}, y, hashAndText),
		"long form of length": join([]byte{0x30, 0x81}, der[1:]),
	} {
		plain, err := k.Decrypt(ciphertext)
		if err == nil {
			t.Errorf("%s decrypts to %x", name, plain)
		}
		wantCode(t, err, CodeDecryptionFailed)
	}
	for i := range 8 * len(der) {
		if plain, err := k.Decrypt(withChange(der, i/8, 1<<(i%8))); err == nil {
			t.Errorf("decrypts to %x with bit %d changed", plain, i)
		}
	}
}
