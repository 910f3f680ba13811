package sm

import (
	"crypto/rand"
	"fmt"
	"io"

	"github.com/emmansun/gmsm/sm2"
)

// Signer signs with an SM2 key wherever that is kept: [PrivateKey] here, a
// hardware module elsewhere.
type Signer interface {
	// Public returns the public key of the signatures.
	Public() *PublicKey
	// Sign returns the 64-byte signature r||s of msg under [DefaultID].
	// It is safe for concurrent use.
	Sign(msg []byte) ([]byte, error)
}

// PrivateKey is an SM2 private key d in [1, n-2] with its public key. It is
// immutable and safe for concurrent use, and no fmt verb prints the scalar.
type PrivateKey struct {
	engine *sm2.PrivateKey
	public *PublicKey
}

// newPrivateKey makes a key of the 32-byte big-endian scalar d.
func newPrivateKey(d []byte) (*PrivateKey, error) {
	engine, err := sm2.NewPrivateKey(d)
	if err != nil {
		return nil, fail(CodeBadPrivateKey, "an SM2 private key is 32 bytes, a number in [1, n-2]")
	}
	return wrapPrivateKey(engine)
}

func wrapPrivateKey(engine *sm2.PrivateKey) (*PrivateKey, error) {
	var xy [pointSize]byte
	engine.X.FillBytes(xy[:coordinateSize])
	engine.Y.FillBytes(xy[coordinateSize:])
	public, err := NewPublicKey(xy[:])
	if err != nil {
		return nil, err
	}
	return &PrivateKey{engine: engine, public: public}, nil
}

// maxRandomness bounds what one operation reads from a source of randomness, so
// that a source stuck at a value that cannot be used is an error and not an
// endless loop. A working source is asked for 32 bytes, hardly ever twice.
const maxRandomness = 128 * scalarSize

// randomness returns random, or crypto/rand for nil, bounded.
func randomness(random io.Reader) io.Reader {
	if random == nil {
		random = rand.Reader
	}
	return io.LimitReader(random, maxRandomness)
}

// GenerateKey makes a key with randomness from random; nil means crypto/rand.
func GenerateKey(random io.Reader) (*PrivateKey, error) {
	engine, err := sm2.GenerateKey(randomness(random))
	if err != nil {
		return nil, &Error{CodeNoRandomness, "the source of randomness failed while a key was generated", err}
	}
	return wrapPrivateKey(engine)
}

// Public returns the public key.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// Sign returns the 64-byte signature r||s of msg under [DefaultID]. Two
// signatures of one message differ: the nonce is drawn from crypto/rand, mixed
// with key and message.
func (k *PrivateKey) Sign(msg []byte) ([]byte, error) {
	e := sumParts(k.public.z[:], msg)
	der, err := sm2.SignASN1(rand.Reader, k.engine, e[:], nil)
	if err != nil {
		return nil, &Error{CodeNoRandomness, "signing failed", err}
	}
	return SignatureFromDER(der)
}

// String names the key by its id; it never shows the scalar.
func (k *PrivateKey) String() string {
	return "SM2 private key " + k.public.id.String()
}

// Format prints String for every verb, %#v included.
func (k *PrivateKey) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }
