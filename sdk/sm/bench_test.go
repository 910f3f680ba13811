package sm

import (
	"crypto/rand"
	"math/big"
	"testing"

	emmansun "github.com/emmansun/gmsm/sm2"
	tjfoc "github.com/tjfoc/gmsm/sm2"
)

var (
	sinkHash Hash
	sinkOK   bool
)

// benchKey returns a key, a message of 200 bytes (about a signed head) and its
// signature in both encodings.
func benchKey(b *testing.B) (k *PrivateKey, msg, sig, der []byte) {
	k = generate(b)
	msg = make([]byte, 200)
	sig, err := k.Sign(msg)
	if err != nil {
		b.Fatal(err)
	}
	if der, err = SignatureToDER(sig); err != nil {
		b.Fatal(err)
	}
	return k, msg, sig, der
}

func BenchmarkSign(b *testing.B) {
	k, msg, _, _ := benchKey(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Sign(msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify compares, in one run: this package; the engine alone with the
// message's digest ready ("bare"); the engine's own verification of a message;
// and the other library.
func BenchmarkVerify(b *testing.B) {
	k, msg, sig, der := benchKey(b)
	pub := k.Public()
	e := sumParts(pub.z[:], msg)
	other := tjfocKey(pub)
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	for _, bench := range []struct {
		name   string
		verify func() bool
	}{
		{"sm", func() bool { return pub.Verify(msg, sig) }},
		{"engine-bare", func() bool { return emmansun.VerifyASN1(pub.engine, e[:], der) }},
		{"engine-bare-rs", func() bool { return emmansun.Verify(pub.engine, e[:], r, s) }},
		{"engine-message", func() bool { return emmansun.VerifyASN1WithSM2(pub.engine, nil, msg, der) }},
		{"second-opinion", func() bool { return pub.VerifySecondOpinion(msg, sig) }},
		{"tjfoc", func() bool { return tjfoc.Sm2Verify(other, msg, nil, r, s) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !bench.verify() {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkParsePublicKey(b *testing.B) {
	spki := generate(b).Public().SPKI()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePublicKey(spki); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSumNode(b *testing.B) {
	l, r := Sum([]byte("l")), Sum([]byte("r"))
	b.ReportAllocs()
	for b.Loop() {
		sinkHash = SumNode(&l, &r)
	}
}

func BenchmarkSum64(b *testing.B) {
	data := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		sinkHash = Sum(data)
	}
}

func BenchmarkSumLeaf64(b *testing.B) {
	data := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		sinkHash = SumLeaf(data)
	}
}

func BenchmarkSeal1K(b *testing.B) {
	key, nonce, data := make([]byte, SealKeySize), make([]byte, SealNonceSize), make([]byte, 1024)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Seal(key, nonce, data, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	pub := generate(b).Public()
	data := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pub.Encrypt(rand.Reader, data); err != nil {
			b.Fatal(err)
		}
	}
}
