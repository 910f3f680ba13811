package sm

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"testing"
)

func TestDeriveKey(t *testing.T) {
	secret := []byte("sixteen byte key")
	one, err := DeriveKey(secret, []byte("name"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := DeriveKey(secret, []byte("name"))
	if err != nil || !bytes.Equal(one.Public().Bytes(), again.Public().Bytes()) {
		t.Errorf("not the same key: %v", err)
	}
	for name, other := range map[string][2][]byte{
		"another name": {secret, []byte("names")}, "no name": {secret, nil}, "another secret": {[]byte("sixteen byte kez"), []byte("name")},
	} {
		k, err := DeriveKey(other[0], other[1])
		if err != nil || bytes.Equal(one.Public().Bytes(), k.Public().Bytes()) {
			t.Errorf("%s: the same key, %v", name, err)
		}
	}
	// The scalar is what the comment says: GenerateKey and ParsePrivateKeyPEM know it too.
	d := HMAC(secret, []byte("name\x00"))
	want, err := newPrivateKey(d[:])
	if err != nil || !bytes.Equal(want.Public().Bytes(), one.Public().Bytes()) {
		t.Errorf("scalar %s is not that of the key: %v", hex.EncodeToString(d[:]), err)
	}
	if new(big.Int).SetBytes(d[:]).Sign() == 0 {
		t.Error("no scalar")
	}
	message := []byte("message")
	signature, err := one.Sign(message)
	if err != nil || !again.Public().Verify(message, signature) {
		t.Errorf("the signature of a derived key: %v", err)
	}
	if _, err := DeriveKey([]byte("short"), nil); err == nil {
		t.Error("a short secret is taken")
	}
}
