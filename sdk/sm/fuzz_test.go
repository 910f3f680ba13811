package sm

import (
	"bytes"
	"math/big"
	"testing"
)

func FuzzParseHash(f *testing.F) {
	f.Add(Sum(nil).String())
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHash(text); err == nil && h.String() != text {
			t.Errorf("%q came back as %s", text, h)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	pub := generate(f).Public()
	f.Add(pub.SPKI())
	f.Add(pub.Bytes())
	f.Add(pub.PEM())
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := ParsePublicKey(data); err == nil {
			if !bytes.Equal(k.SPKI(), data) || k.ID() != Sum(data) {
				t.Errorf("%x came back as %x", data, k.SPKI())
			}
			k.Verify(data, data)
		}
		if k, err := NewPublicKey(data); err == nil && !bytes.Equal(k.Bytes(), data) {
			t.Errorf("%x came back as %x", data, k.Bytes())
		}
		if k, err := ParsePublicKeyPEM(data); err == nil {
			if back, err := ParsePublicKeyPEM(k.PEM()); err != nil || !back.Equal(k) {
				t.Errorf("PEM %q: %v", data, err)
			}
		}
	})
}

func FuzzParsePrivateKeyPEM(f *testing.F) {
	k := generate(f)
	f.Add(k.PEM(), []byte(nil))
	f.Add(goodKeyFile(k).pem(f), []byte(testPassword))
	f.Add(k.PKCS8(), []byte("x"))
	f.Fuzz(func(t *testing.T, data, password []byte) {
		check := func(k *PrivateKey, err error) {
			if err != nil {
				return
			}
			if back, err := ParsePrivateKey(k.PKCS8()); err != nil || !back.Public().Equal(k.Public()) {
				t.Errorf("%q: %v", data, err)
			}
		}
		check(ParsePrivateKeyPEM(data, password))
		check(ParsePrivateKey(data))
	})
}

func FuzzSignatureFromDER(f *testing.F) {
	v, _ := standardSignature(f)
	f.Add([]byte(v.DER))
	for _, n := range load[negativeFile](f, "sm2_negative.json").Signatures {
		f.Add([]byte(n.DER))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		rs, err := SignatureFromDER(der)
		if err != nil {
			return
		}
		if back, err := SignatureToDER(rs); err != nil || !bytes.Equal(back, der) {
			t.Errorf("%x came back as %x, %v", der, back, err)
		}
	})
}

// FuzzVerify gives both libraries the same key, message and signature: first an
// arbitrary one, then one that is valid by construction.
func FuzzVerify(f *testing.F) {
	v, _ := standardSignature(f)
	f.Add([]byte(v.D), []byte(v.Message), []byte(v.R), []byte(v.S))
	f.Add(bytes32(big.NewInt(1)), []byte{}, bytes32(big.NewInt(1)), bytes32(curveN))
	f.Fuzz(func(t *testing.T, scalar, msg, a, b []byte) {
		k, err := newPrivateKey(scalar)
		if err != nil {
			return
		}
		pub := k.Public()
		sig := append(bytes.Clone(a), b...)
		if one, two := pub.Verify(msg, sig), pub.VerifySecondOpinion(msg, sig); one != two {
			t.Errorf("engine %v, second opinion %v: d %x msg %x sig %x", one, two, scalar, msg, sig)
		}

		sv, tv := new(big.Int).SetBytes(a), new(big.Int).SetBytes(b)
		sv.Mod(sv, curveN)
		tv.Mod(tv, curveN)
		e, sig, ok := construct(pub, sv, tv)
		if !ok {
			return
		}
		if !pub.verifyPrehashed(&e, sig) {
			t.Errorf("a valid signature is refused: d %x e %s sig %x", scalar, e, sig)
		}
		td := new(big.Int).Mul(tv, k.engine.D)
		if td.Mod(td, curveN).Cmp(sv) == 0 {
			return // sG = tP, which the other library cannot add
		}
		if !secondOpinion(tjfocKey(pub), e[:], sig) {
			t.Errorf("a valid signature is refused by the second opinion: d %x e %s sig %x", scalar, e, sig)
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	file := load[encryptionFile](f, "sm2_encryption.json")
	k, err := newPrivateKey(file.Fixed.D)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(file.DER.Ciphertext))
	if own, err := k.Public().Encrypt(nil, []byte("x")); err == nil {
		f.Add(own)
	}
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		if plain, err := k.Decrypt(ciphertext); err == nil && len(plain) == 0 {
			t.Errorf("%x decrypts to nothing", ciphertext)
		}
	})
}

func FuzzOpen(f *testing.F) {
	v := load[sm4File](f, "sm4.json").GCM
	f.Add([]byte(v.Key), []byte(v.Nonce), append(bytes.Clone(v.Ciphertext), v.Tag...), []byte(v.AAD))
	f.Fuzz(func(t *testing.T, key, nonce, sealed, aad []byte) {
		plain, err := Open(key, nonce, sealed, aad)
		if err != nil {
			return
		}
		if back, err := Seal(key, nonce, plain, aad); err != nil || !bytes.Equal(back, sealed) {
			t.Errorf("%x came back as %x, %v", sealed, back, err)
		}
	})
}
