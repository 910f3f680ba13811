package masterkey

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
)

// A key is a master key.
type key [KeySize]byte

func newKey() (k key, err error) {
	if _, err := rand.Read(k[:]); err != nil {
		return k, errorf(CodeUnavailable, err, "draw a master key")
	}
	return k, nil
}

func (k *key) id() ID {
	mac := sm.HMAC(k[:], []byte("credledger master key"))
	return ID(mac[:IDSize])
}

// A ring is the keys of a file, newest first. It is never empty and never changes.
type ring []key

const (
	ringTitle = "credledger master keys 1\n"
	ringLine  = 2*IDSize + 1 + 2*KeySize + 1

	// maxKeys bounds a file: more than a few old keys means that nothing was ever rewrapped.
	maxKeys = 64
)

// format returns the content of a key file.
func (r ring) format() []byte {
	out := []byte(ringTitle)
	for _, k := range r {
		id := k.id()
		out = hex.AppendEncode(out, id[:])
		out = append(out, ' ')
		out = hex.AppendEncode(out, k[:])
		out = append(out, '\n')
	}
	return out
}

// parseRing is the inverse of format and accepts nothing else. Error: CodeMalformed.
func parseRing(content []byte) (ring, error) {
	lines, ok := bytes.CutPrefix(content, []byte(ringTitle))
	n := len(lines) / ringLine
	if !ok || n*ringLine != len(lines) || n == 0 || n > maxKeys {
		return nil, errorf(CodeMalformed, nil, "a key file begins with %q and has 1 to %d keys, one on each line", ringTitle[:len(ringTitle)-1], maxKeys)
	}
	r := make(ring, n)
	for i := range r {
		if _, err := hex.Decode(r[i][:], lines[i*ringLine+2*IDSize+1:(i+1)*ringLine-1]); err != nil {
			return nil, errorf(CodeMalformed, nil, "line %d of the key file is not an id of 16 and a key of 32 lower-case hexadecimal digits", i+2)
		}
		if slices.Contains(r[:i], r[i]) {
			return nil, errorf(CodeMalformed, nil, "line %d of the key file repeats a key", i+2)
		}
	}
	if !bytes.Equal(r.format(), content) {
		return nil, errorf(CodeMalformed, nil, "an id in the key file is not that of its key: the file was altered or damaged")
	}
	return r, nil
}

// find returns the key with an id.
func (r ring) find(id ID) (*key, bool) {
	for i := range r {
		if r[i].id() == id {
			return &r[i], true
		}
	}
	return nil, false
}

// boundTo is what stands before what a key is bound to: no other use of a master key begins like it.
const boundTo = "credledger data key\x00"

func bind(aad []byte) []byte { return append([]byte(boundTo), aad...) }

// wrap wraps data keys under the newest key.
func (r ring) wrap(aads, keys [][]byte) ([][]byte, error) {
	nonces := make([]byte, len(keys)*sm.SealNonceSize)
	if _, err := rand.Read(nonces); err != nil {
		return nil, errorf(CodeUnavailable, err, "draw nonces")
	}
	id := r[0].id()
	out := make([][]byte, len(keys))
	for i, dataKey := range keys {
		nonce := nonces[i*sm.SealNonceSize:][:sm.SealNonceSize]
		sealed, err := sm.Seal(r[0][:], nonce, dataKey, bind(aads[i]))
		if err != nil {
			return nil, errorf(CodeArgument, err, "wrap a data key")
		}
		out[i] = append(append(append(make([]byte, 0, WrappedSize), id[:]...), nonce...), sealed...)
	}
	return out, nil
}

// unwrap unwraps data keys. A key that is not in the ring is CodeUnknown.
func (r ring) unwrap(aads, wrapped [][]byte) ([][]byte, error) {
	out := make([][]byte, len(wrapped))
	for i, w := range wrapped {
		k, ok := r.find(ID(w[:IDSize]))
		if !ok {
			return nil, errorf(CodeUnknown, nil, "there is no master key %s: a data key is wrapped under it", ID(w[:IDSize]))
		}
		dataKey, err := sm.Open(k[:], w[IDSize:IDSize+sm.SealNonceSize], w[IDSize+sm.SealNonceSize:], bind(aads[i]))
		if err != nil {
			return nil, errorf(CodeRefused, nil, "a data key is not what was wrapped, or was wrapped for something else")
		}
		out[i] = dataKey
	}
	return out, nil
}
