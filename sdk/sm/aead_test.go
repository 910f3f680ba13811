package sm

import (
	"bytes"
	"testing"

	"github.com/emmansun/gmsm/sm4"
)

type sm4File struct {
	Block struct {
		Source                              string
		Key, Plaintext, Ciphertext, Million hexBytes
	}
	GCM struct {
		Source                                      string
		Key, Nonce, AAD, Plaintext, Ciphertext, Tag hexBytes
	}
}

func TestSM4Block(t *testing.T) {
	v := load[sm4File](t, "sm4.json").Block
	block, err := sm4.NewCipher(v.Key)
	if err != nil {
		t.Fatal(err)
	}
	state := bytes.Clone(v.Plaintext)
	block.Encrypt(state, state)
	if !bytes.Equal(state, v.Ciphertext) {
		t.Errorf("one block: %x", state)
	}
	for range 999_999 {
		block.Encrypt(state, state)
	}
	if !bytes.Equal(state, v.Million) {
		t.Errorf("a million blocks: %x", state)
	}
}

func TestSealVector(t *testing.T) {
	v := load[sm4File](t, "sm4.json").GCM
	sealed := append(bytes.Clone(v.Ciphertext), v.Tag...)
	got, err := Seal(v.Key, v.Nonce, v.Plaintext, v.AAD)
	if err != nil || !bytes.Equal(got, sealed) {
		t.Errorf("Seal: %x, %v", got, err)
	}
	got, err = Open(v.Key, v.Nonce, sealed, v.AAD)
	if err != nil || !bytes.Equal(got, v.Plaintext) {
		t.Errorf("Open: %x, %v", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	v := load[sm4File](t, "sm4.json").GCM
	sealed := append(bytes.Clone(v.Ciphertext), v.Tag...)
	open := func(what string, i int, key, nonce, sealed, aad []byte) {
		_, err := Open(key, nonce, sealed, aad)
		if err == nil {
			t.Errorf("opens with %s changed at %d", what, i)
		}
		wantCode(t, err, CodeDecryptionFailed)
	}
	for i := range sealed {
		open("ciphertext", i, v.Key, v.Nonce, withChange(sealed, i, 0x80), v.AAD)
		open("length", i, v.Key, v.Nonce, sealed[:i], v.AAD)
	}
	for i := range v.Key {
		open("key", i, withChange(v.Key, i, 1), v.Nonce, sealed, v.AAD)
	}
	for i := range v.Nonce {
		open("nonce", i, v.Key, withChange(v.Nonce, i, 1), sealed, v.AAD)
	}
	for i := range v.AAD {
		open("associated data", i, v.Key, v.Nonce, sealed, withChange(v.AAD, i, 1))
	}
	open("nothing", 0, v.Key, v.Nonce, nil, nil)

	for _, test := range [][2]int{{0, 12}, {15, 12}, {17, 12}, {32, 12}, {16, 0}, {16, 11}, {16, 13}, {16, 16}} {
		key, nonce := make([]byte, test[0]), make([]byte, test[1])
		_, err := Seal(key, nonce, nil, nil)
		wantCode(t, err, CodeBadInput)
		_, err = Open(key, nonce, sealed, nil)
		wantCode(t, err, CodeBadInput)
	}
}

func TestSealSizes(t *testing.T) {
	key, nonce := make([]byte, SealKeySize), make([]byte, SealNonceSize)
	for n := range 300 {
		data := bytes.Repeat([]byte{byte(n)}, n)
		sealed, err := Seal(key, nonce, data, data)
		if err != nil || len(sealed) != n+SealOverhead {
			t.Fatalf("%d bytes: %d, %v", n, len(sealed), err)
		}
		if back, err := Open(key, nonce, sealed, data); err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}
