// Package envelope seals bytes to one recipient's SM2 key, so that a credential can travel through
// systems that must not read it: mail, a message queue, a file drop, a proxy that logs bodies.
//
//	envelope = [1, recipient, type, key, contents]
//
// in deterministic CBOR. recipient is the key id that it is sealed to; type is the media type of what is
// inside; key is the SM2 ciphertext (GB/T 32918.4, DER as in GM/T 0009) of 28 fresh random bytes, an
// SM4 key and a nonce; contents is SM4-GCM (RFC 8998) under these, ciphertext and tag, with every
// byte of the envelope before this item as associated data. So nothing in it can be exchanged, and
// there is one encoding of each envelope. SPEC, section 21, has the details.
//
// An envelope says nothing about who sealed it: anybody can who has the public key. Whoever opens it
// judges what is inside as if it had come by any other way; a credential carries its issuer's signature.
// Who loses the private key loses what was sealed to it, and who steals it reads it all, old envelopes
// too: seal for the way, not for the archive.
//
// The package does no I/O but reading randomness, keeps nothing, and never panics on outside bytes.
package envelope

import (
	"crypto/rand"
	"errors"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
)

// Version is the version of the format.
const Version = 1

// Sizes in bytes.
const (
	MaxContents = 16 << 20            // of what is inside
	MaxSize     = MaxContents + 1<<10 // of an envelope, generously
	MaxType     = 64                  // of a media type

	secretSize = sm.SealKeySize + sm.SealNonceSize
	maxKey     = 160 // of the SM2 ciphertext; the longest has 139
)

// Types of what envelopes hold: a credential and a presentation, as package credential encodes them, and what a
// licence is to be found by, as package grant does.
const (
	Credential   = "application/vnd.credledger.credential"
	Presentation = "application/vnd.credledger.presentation"
	Subject      = "application/vnd.credledger.subject"
)

// An Envelope is one that was parsed; whether it can be opened is not known yet.
type Envelope struct {
	Recipient sm.Hash // id of the key that it is sealed to
	Type      string  // media type of the contents, by the word of whoever sealed it until it was opened

	bytes    []byte
	header   []byte // what comes before the contents
	key      []byte // SM2 ciphertext of SM4 key and nonce
	contents []byte // SM4-GCM ciphertext and tag
}

// A Decrypter holds an SM2 key for opening: an [sm.PrivateKey], or a hardware module.
type Decrypter interface {
	// Public returns the public key that envelopes are sealed to.
	Public() *sm.PublicKey
	// Decrypt decrypts an SM2 ciphertext in DER, as [sm.PrivateKey.Decrypt] does.
	Decrypt(ciphertext []byte) ([]byte, error)
}

// Seal seals 1 to MaxContents bytes to a key. The type is 1 to MaxType characters out of a-z, 0-9 and
// "+-./". Two envelopes of the same contents differ. The error is an [*Error] with [CodeContents],
// [CodeType], [CodeRecipient] or [CodeNoRandomness].
func Seal(to *sm.PublicKey, mediaType string, contents []byte) ([]byte, error) {
	switch {
	case !isType(mediaType):
		return nil, errorf(CodeType, "a media type has 1 to %d of a-z, 0-9 and +-./", MaxType)
	case len(contents) == 0 || len(contents) > MaxContents:
		return nil, errorf(CodeContents, "an envelope holds 1 to %d bytes", MaxContents)
	}
	var secret [secretSize]byte
	rand.Read(secret[:])
	key, err := to.Encrypt(nil, secret[:])
	var failed *sm.Error
	if errors.As(err, &failed) && failed.Code == sm.CodeBadPublicKey {
		return nil, errorf(CodeRecipient, "no public key to seal to")
	} else if err != nil {
		return nil, errorf(CodeNoRandomness, "encrypt the envelope's key to its recipient: %v", err)
	}
	kid := to.ID()
	b := make([]byte, 0, len(kid)+len(mediaType)+len(key)+len(contents)+sm.SealOverhead+32)
	b = dcbor.AppendArray(b, 5)
	b = dcbor.AppendUint(b, Version)
	b = dcbor.AppendBytes(b, kid[:])
	b = dcbor.AppendText(b, mediaType)
	b = dcbor.AppendBytes(b, key)
	sealed, err := sm.Seal(secret[:sm.SealKeySize], secret[sm.SealKeySize:], contents, b)
	if err != nil {
		return nil, errorf(CodeContents, "seal the contents: %v", err)
	}
	return dcbor.AppendBytes(b, sealed), nil
}

// Parse parses an envelope. Every other encoding than the one of Bytes is refused. The result has parts
// of b. The error is an [*Error] with [CodeMalformed] or [CodeTooLarge].
func Parse(b []byte) (*Envelope, error) {
	if len(b) > MaxSize {
		return nil, errorf(CodeTooLarge, "an envelope has at most %d bytes", MaxSize)
	}
	e := &Envelope{bytes: b}
	r := dcbor.NewReader(b)
	r.ArrayOf(5)
	version := r.Uint(Version)
	r.Fixed(e.Recipient[:])
	e.Type = string(r.Text(MaxType))
	e.key = r.Bytes(maxKey)
	e.header = b[:len(b)-len(r.Rest())]
	e.contents = r.Bytes(MaxContents + sm.SealOverhead)
	if !r.OK() || len(r.Rest()) > 0 || version != Version || !isType(e.Type) || len(e.key) == 0 || len(e.contents) <= sm.SealOverhead {
		return nil, errorf(CodeMalformed, "not a sealed envelope of version %d: see that it came whole and unchanged", Version)
	}
	return e, nil
}

// Bytes returns the envelope as it was parsed.
func (e *Envelope) Bytes() []byte { return e.bytes }

// Open returns the contents, with whichever of the keys the envelope is sealed to. The error is an
// [*Error] with [CodeOtherKey] if it is none of them, and [CodeAltered] if anything in the envelope is
// not as it was sealed.
func (e *Envelope) Open(keys ...Decrypter) ([]byte, error) {
	for _, key := range keys {
		if key.Public().ID() == e.Recipient {
			return e.open(key)
		}
	}
	return nil, errorf(CodeOtherKey, "the envelope is sealed to the key %s, which is not here: have it sealed to a key that is", e.Recipient)
}

func (e *Envelope) open(key Decrypter) ([]byte, error) {
	secret, err := key.Decrypt(e.key)
	if err != nil || len(secret) != secretSize {
		return nil, errAltered()
	}
	contents, err := sm.Open(secret[:sm.SealKeySize], secret[sm.SealKeySize:], e.contents, e.header)
	if err != nil {
		return nil, errAltered()
	}
	return contents, nil
}

// isType reports whether a text can stand for a media type (RFC 6838, section 4.2, in lower case and
// without parameters).
func isType(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '-', c == '.', c == '/':
		default:
			return false
		}
	}
	return 1 <= len(s) && len(s) <= MaxType
}
