package sm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	encasn1 "encoding/asn1"
	"hash"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// What EncryptedPEM writes.
const (
	pbkdf2Iterations = 600_000
	pbkdf2SaltSize   = 16
)

// What ParsePrivateKeyPEM reads. The bound on iterations, some seconds of work,
// keeps a hostile key file from stopping the process.
const (
	maxPBKDF2Iterations = 10_000_000
	maxPBKDF2SaltSize   = 128
)

var (
	oidPBES2      = encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA256 = encasn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSM3    = encasn1.ObjectIdentifier{1, 2, 156, 10197, 1, 401, 2}
	oidSM4CBC     = encasn1.ObjectIdentifier{1, 2, 156, 10197, 1, 104, 2}
	oidAES128CBC  = encasn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES256CBC  = encasn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// pbes2 is the parsed encryption of a key file (RFC 8018, appendix A).
type pbes2 struct {
	salt       []byte
	iterations int
	prf        func() hash.Hash
	block      func(key []byte) (cipher.Block, error)
	keySize    int
	iv         []byte
	ciphertext []byte
}

// blockCipher derives the key from the password.
func (p *pbes2) blockCipher(password []byte) (cipher.Block, error) {
	key, err := pbkdf2.Key(p.prf, string(password), p.salt, p.iterations, p.keySize)
	if err != nil {
		return nil, err
	}
	return p.block(key)
}

// encryptKey returns the DER EncryptedPrivateKeyInfo (RFC 5208, 6) of a
// PrivateKeyInfo.
func encryptKey(info, password []byte) ([]byte, error) {
	random := make([]byte, pbkdf2SaltSize+sm4.BlockSize)
	rand.Read(random) // never fails
	p := pbes2{
		salt: random[:pbkdf2SaltSize], iterations: pbkdf2Iterations, prf: sha256.New,
		block: sm4.NewCipher, keySize: sm4.BlockSize, iv: random[pbkdf2SaltSize:],
	}
	block, err := p.blockCipher(password)
	if err != nil {
		return nil, &Error{CodeBadInput, "the key file cannot be encrypted", err}
	}
	pad := sm4.BlockSize - len(info)%sm4.BlockSize
	padded := append(bytes.Clone(info), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, p.iv).CryptBlocks(padded, padded)

	var b cryptobyte.Builder
	sequence := func(b *cryptobyte.Builder, f cryptobyte.BuilderContinuation) { b.AddASN1(asn1.SEQUENCE, f) }
	sequence(&b, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidPBES2)
			sequence(b, func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidPBKDF2)
					sequence(b, func(b *cryptobyte.Builder) {
						b.AddASN1OctetString(p.salt)
						b.AddASN1Int64(pbkdf2Iterations)
						sequence(b, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(oidHMACSHA256)
							b.AddASN1NULL()
						})
					})
				})
				sequence(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidSM4CBC)
					b.AddASN1OctetString(p.iv)
				})
			})
		})
		b.AddASN1OctetString(padded)
	})
	return b.Bytes()
}

// decryptKey is the inverse of encryptKey and reads OpenSSL's files.
func decryptKey(der, password []byte) ([]byte, error) {
	p, err := parsePBES2(der)
	if err != nil {
		return nil, err
	}
	block, err := p.blockCipher(password)
	if err != nil {
		return nil, &Error{CodeUnsupportedCipher, "the key file cannot be decrypted", err}
	}
	plain := make([]byte, len(p.ciphertext))
	cipher.NewCBCDecrypter(block, p.iv).CryptBlocks(plain, p.ciphertext)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > block.BlockSize() ||
		!bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fail(CodeWrongPassword, "the key file does not decrypt with this password")
	}
	plain = plain[:len(plain)-pad]
	// One wrong password in 256 gives a good padding, but no DER.
	var info cryptobyte.String
	if input := cryptobyte.String(plain); !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() {
		return nil, fail(CodeWrongPassword, "the key file does not decrypt with this password")
	}
	return plain, nil
}

// parsePBES2 reads a DER EncryptedPrivateKeyInfo.
func parsePBES2(der []byte) (*pbes2, error) {
	var info, algorithm, params, kdf, kdfParams, scheme cryptobyte.String
	var oid, kdfOID, schemeOID encasn1.ObjectIdentifier
	p := &pbes2{}
	input := cryptobyte.String(der)
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!info.ReadASN1Bytes(&p.ciphertext, asn1.OCTET_STRING) || !info.Empty() ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) {
		return nil, fail(CodeBadPrivateKey, "not a DER PKCS#8 EncryptedPrivateKeyInfo")
	}
	if !oid.Equal(oidPBES2) {
		return nil, fail(CodeUnsupportedCipher, "the key file is encrypted with "+oid.String()+`: convert it with "openssl pkcs8 -topk8 -v2 aes-256-cbc"`)
	}
	if !algorithm.ReadASN1(&params, asn1.SEQUENCE) || !algorithm.Empty() ||
		!params.ReadASN1(&kdf, asn1.SEQUENCE) || !params.ReadASN1(&scheme, asn1.SEQUENCE) || !params.Empty() ||
		!kdf.ReadASN1ObjectIdentifier(&kdfOID) || !scheme.ReadASN1ObjectIdentifier(&schemeOID) {
		return nil, fail(CodeBadPrivateKey, "the PBES2 parameters of the key file are malformed")
	}
	if !kdfOID.Equal(oidPBKDF2) || !p.setCipher(schemeOID) {
		return nil, fail(CodeUnsupportedCipher, "the key file is not encrypted with PBKDF2 and SM4-CBC, AES-128-CBC or AES-256-CBC: "+
			`convert it with "openssl pkcs8 -topk8 -v2 aes-256-cbc"`)
	}
	if !scheme.ReadASN1Bytes(&p.iv, asn1.OCTET_STRING) || !scheme.Empty() || len(p.iv) != sm4.BlockSize ||
		len(p.ciphertext) == 0 || len(p.ciphertext)%sm4.BlockSize != 0 ||
		!kdf.ReadASN1(&kdfParams, asn1.SEQUENCE) || !kdf.Empty() {
		return nil, fail(CodeBadPrivateKey, "the PBES2 parameters of the key file are malformed")
	}
	if err := p.readPBKDF2(kdfParams); err != nil {
		return nil, err
	}
	return p, nil
}

// setCipher sets the block cipher; both have blocks of 16 bytes.
func (p *pbes2) setCipher(oid encasn1.ObjectIdentifier) bool {
	switch {
	case oid.Equal(oidSM4CBC):
		p.block, p.keySize = sm4.NewCipher, 16
	case oid.Equal(oidAES128CBC):
		p.block, p.keySize = aes.NewCipher, 16
	case oid.Equal(oidAES256CBC):
		p.block, p.keySize = aes.NewCipher, 32
	default:
		return false
	}
	return true
}

// readPBKDF2 reads PBKDF2-params: salt, iterations, optional key length, PRF.
func (p *pbes2) readPBKDF2(params cryptobyte.String) error {
	var prf cryptobyte.String
	var oid encasn1.ObjectIdentifier
	malformed := fail(CodeBadPrivateKey, "the PBKDF2 parameters of the key file are malformed")
	if !params.ReadASN1Bytes(&p.salt, asn1.OCTET_STRING) || len(p.salt) == 0 || len(p.salt) > maxPBKDF2SaltSize ||
		!params.ReadASN1Integer(&p.iterations) || p.iterations < 1 || p.iterations > maxPBKDF2Iterations {
		return malformed
	}
	if params.PeekASN1Tag(asn1.INTEGER) {
		var keySize int
		if !params.ReadASN1Integer(&keySize) || keySize != p.keySize {
			return malformed
		}
	}
	if !params.ReadASN1(&prf, asn1.SEQUENCE) || !params.Empty() || !prf.ReadASN1ObjectIdentifier(&oid) ||
		len(prf) > 0 && !bytes.Equal(prf, []byte{0x05, 0x00}) { // NULL, or left out
		return malformed
	}
	switch {
	case oid.Equal(oidHMACSM3):
		p.prf = sm3.New
	case oid.Equal(oidHMACSHA256):
		p.prf = sha256.New
	default:
		return fail(CodeUnsupportedCipher, "the key file is encrypted with a PBKDF2 that is neither HMAC-SM3 nor HMAC-SHA256")
	}
	return nil
}
