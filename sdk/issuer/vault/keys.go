package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"

	"github.com/credledger/credledger/sdk/sm"
)

// A KeyWrapper wraps data keys under a master key that the vault never sees: see package masterkey, or a
// hardware module. It is safe for concurrent use. A call takes any number of keys of 16 bytes, each
// with what it is bound to (at most 256 bytes), and returns as many in the same order, or an error.
//
// A wrapped key has 24 to 256 bytes, all under one master key the same number, and begins with 8 bytes that
// name the master key, never all zero. Wrap uses the master key of the present; Unwrap takes
// every one that was not forgotten, and refuses a key that was bound to something else.
type KeyWrapper interface {
	Wrap(ctx context.Context, aads, keys [][]byte) (wrapped [][]byte, err error)
	Unwrap(ctx context.Context, aads, wrapped [][]byte) (keys [][]byte, err error)
}

const (
	dataKeySize   = sm.SealKeySize
	masterIDSize  = 8
	minWrapped    = 24
	maxWrapped    = 256
	maxDepartment = 64
)

// A MasterID names a master key.
type MasterID [masterIDSize]byte

// What a sealed thing is for: it is bound to this.
const (
	purposeSecret   = "secret"
	purposeDataKey  = "data key"
	purposeContent  = "content"
	purposeBinding  = "binding"
	purposeHistory  = "history"
	purposeJob      = "job"
	purposeOpening  = "opening"
	purposeClaim    = "claim"
	purposeProposed = "proposed"
	purposeDecided  = "decided"
	purposeMessage  = "message"

	purposeGrant          = "grant"
	purposeWithdrawal     = "withdrawal"
	purposeIdentification = "identification"
	purposeAnswer         = "answer"
	purposeEnvelope       = "envelope"
)

// aad returns what a sealed thing is bound to: the vault, the purpose, and its name there, which has one
// length for each purpose or stands at the end.
func (id *Identity) aad(purpose string, name []byte) []byte {
	b := make([]byte, 0, 32+len(purpose)+sm.HashSize+len(id.Department)+len(name))
	b = append(append(b, "credledger vault "...), purpose...)
	b = append(append(b, 0), id.Ledger[:]...)
	b = append(append(b, byte(len(id.Department))), id.Department...)
	return append(b, name...)
}

// wrap has data keys wrapped, and does not believe everything that comes back.
func (v *Vault) wrap(ctx context.Context, aads, keys [][]byte) ([][]byte, error) {
	wrapped, err := v.keys.Wrap(ctx, aads, keys)
	if err != nil {
		return nil, errorf(CodeKeys, err, "wrap data keys under the master key")
	}
	ok := len(wrapped) == len(keys)
	for _, w := range wrapped {
		ok = ok && len(w) >= minWrapped && len(w) <= maxWrapped && !erased(w[:masterIDSize])
	}
	if !ok {
		return nil, errorf(CodeKeys, nil, "what wraps the data keys does not keep to its interface")
	}
	return wrapped, nil
}

// unwrap has data keys unwrapped.
func (v *Vault) unwrap(ctx context.Context, aads, wrapped [][]byte) ([][]byte, error) {
	keys, err := v.keys.Unwrap(ctx, aads, wrapped)
	if err != nil {
		return nil, errorf(CodeKeys, err, "unwrap data keys: are these the master keys of this vault?")
	}
	ok := len(keys) == len(wrapped)
	for _, k := range keys {
		ok = ok && len(k) == dataKeySize
	}
	if !ok {
		return nil, errorf(CodeKeys, nil, "what unwraps the data keys does not keep to its interface")
	}
	return keys, nil
}

// erased reports whether a wrapped key was overwritten.
func erased(wrapped []byte) bool { return len(bytes.Trim(wrapped, "\x00")) == 0 }

// secrets are what is derived from the vault's own secret.
type secrets struct {
	numbers, holders, claims [sm.HashSize]byte // keys of HMACs
	people                   [sm.HashSize]byte // of which holders' keys are derived
	records                  [sm.SealKeySize]byte
}

func derive(secret []byte) secrets {
	var s secrets
	s.numbers = sm.HMAC(secret, []byte("credledger vault numbers"))
	s.holders = sm.HMAC(secret, []byte("credledger vault holders"))
	s.claims = sm.HMAC(secret, []byte("credledger vault claims"))
	s.people = sm.HMAC(secret, []byte("credledger vault people"))
	records := sm.HMAC(secret, []byte("credledger vault records"))
	copy(s.records[:], records[:])
	return s
}

// mac is HMAC-SM3 over parts, each with its length before it.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sm.NewHash, key)
	for _, p := range parts {
		h.Write([]byte{byte(len(p) >> 8), byte(len(p))})
		h.Write(p)
	}
	return h.Sum(nil)
}

// seal returns nonce || SM4-GCM(key, nonce, plaintext, aad).
func seal(key, plaintext, aad []byte) ([]byte, error) {
	nonce := make([]byte, sm.SealNonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return nil, errorf(CodeUnavailable, err, "draw a nonce")
	}
	sealed, err := sm.Seal(key, nonce, plaintext, aad)
	if err != nil {
		return nil, errorf(CodeArgument, err, "seal")
	}
	return append(nonce, sealed...), nil
}

// unseal is the inverse of seal.
func unseal(key, sealed, aad []byte, what string) ([]byte, error) {
	if len(sealed) < sm.SealNonceSize {
		return nil, damaged(what)
	}
	plaintext, err := sm.Open(key, sealed[:sm.SealNonceSize], sealed[sm.SealNonceSize:], aad)
	if err != nil {
		return nil, damaged(what)
	}
	return plaintext, nil
}

// sealRecord seals what is the vault's own, and not a licence's.
func (v *Vault) sealRecord(purpose string, name, plaintext []byte) ([]byte, error) {
	return seal(v.secrets.records[:], plaintext, v.identity.aad(purpose, name))
}

func (v *Vault) unsealRecord(purpose string, name, sealed []byte) ([]byte, error) {
	return unseal(v.secrets.records[:], sealed, v.identity.aad(purpose, name), "a "+purpose+" record")
}
