package sm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	tjfoc "github.com/tjfoc/gmsm/sm2"
)

// hexBytes is hexadecimal text in a vector file.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// load decodes a vector file of testdata; unknown fields are refused.
func load[T any](tb testing.TB, name string) T {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	var v T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return v
}

type signatureVector struct {
	Source, ID, Message string
	D, Public           hexBytes
	Z, E, K, R, S, DER  hexBytes
}

func (v *signatureVector) rs() []byte { return append(bytes.Clone(v.R), v.S...) }

func standardSignature(tb testing.TB) (*signatureVector, *PrivateKey) {
	tb.Helper()
	v := load[signatureVector](tb, "sm2_signature.json")
	k, err := newPrivateKey(v.D)
	if err != nil {
		tb.Fatal(err)
	}
	return &v, k
}

func generate(tb testing.TB) *PrivateKey {
	tb.Helper()
	k, err := GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func sign(tb testing.TB, k *PrivateKey, msg []byte) []byte {
	tb.Helper()
	sig, err := k.Sign(msg)
	if err != nil {
		tb.Fatal(err)
	}
	return sig
}

func wantCode(tb testing.TB, err error, code string) {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		tb.Errorf("error %v, want code %s", err, code)
	}
}

// tjfocKey returns the other library's form of a key.
func tjfocKey(k *PublicKey) *tjfoc.PublicKey {
	return &tjfoc.PublicKey{
		Curve: tjfoc.P256Sm2(),
		X:     new(big.Int).SetBytes(k.xy[:coordinateSize]),
		Y:     new(big.Int).SetBytes(k.xy[coordinateSize:]),
	}
}

func bytes32(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }

func number(hexadecimal string) *big.Int {
	v, ok := new(big.Int).SetString(hexadecimal, 16)
	if !ok {
		panic("bad number in a test: " + hexadecimal)
	}
	return v
}

var (
	curveN = number("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123")
	curveP = number("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF")
)

// withChange returns a copy of b with one byte changed by xor.
func withChange(b []byte, at int, mask byte) []byte {
	c := bytes.Clone(b)
	c[at] ^= mask
	return c
}
