// Package webhook is what an issuing department tells its subscribers, and how it is signed: the event's
// JSON, and three headers.
//
//	webhook-id: 1f0c6b1d4a0e4a7f9d3c5b2e8a7f6c01
//	webhook-timestamp: 1795330800
//	webhook-signature: v1sm3,5Xj0...= v1sm3,a9Qk...=
//
// The signature is HMAC-SM3 (GB/T 15852.2) over id "." timestamp "." body, in base64. There is one for each of the
// subscriber's secrets, of which there are two while one takes the place of the other; one that fits is
// enough. The timestamp is that of the attempt, in seconds since 1970: what is older or newer than Tolerance is
// refused, and what comes twice within it is too, so that a recording is worth nothing. The id is that of
// the message: a message that was not answered with success comes again, under its id.
//
//	event, err := webhook.Verify(secrets, r.Header, body, time.Now(), memory)
//	switch webhook.Code(err) {
//	case webhook.CodeReplayed: // it is here already: answer with success
//
// An event names a licence by its place on the ledger and by its digest, and says nothing that the ledger does
// not; whoever is entitled to more asks the issuer for it. It says what is so after the change, by the
// ledger's sequence number: one that comes late, or twice, does no harm to who looks at that.
//
// The package opens no connection and has no clock.
package webhook

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/sm"
)

// The headers of a message.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is how far the clocks of sender and receiver may be apart.
const Tolerance = 5 * time.Minute

// MaxBody is the greatest length of a body in bytes.
const MaxBody = 16 << 10

const (
	scheme        = "v1sm3,"
	maxSignatures = 8
)

// A Secret is what sender and receiver share.
type Secret [SecretSize]byte

// SecretSize is the length of a secret in bytes.
const SecretSize = 32

// MaxSecrets is how many secrets hold at a time: the one of the present, and the one of before or to come.
const MaxSecrets = 2

// NewSecret draws a secret.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// Text returns 64 lower-case hexadecimal digits, as a file of secrets has them. It is no Stringer: secrets
// are not printed by the way.
func (s *Secret) Text() string { return hex.EncodeToString(s[:]) }

// ParseSecrets reads a file of one or two secrets, each on a line of its own. Error: CodeSecret.
func ParseSecrets(file []byte) ([]Secret, error) {
	var out []Secret
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		b, err := hex.DecodeString(line)
		if err != nil || len(b) != SecretSize || len(out) == MaxSecrets {
			out = nil
			break
		}
		out = append(out, Secret(b))
	}
	if len(out) == 0 {
		return nil, errorf(CodeSecret, "a file of secrets has one or two lines of 64 hexadecimal digits: `openssl rand -hex 32` makes one")
	}
	return out, nil
}

// An ID names a message, whatever becomes of it.
type ID [16]byte

// String returns 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// parseID is the inverse of String and accepts nothing else.
func parseID(s string) (id ID, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) || hex.EncodeToString(b) != s {
		return id, false
	}
	return ID(b), true
}

// Sign sets the headers of a message that is sent at a time.
func Sign(header http.Header, secrets []Secret, id ID, at time.Time, body []byte) {
	signatures := make([]string, len(secrets))
	for i := range secrets {
		mac := secrets[i].mac(id.String(), timestamp(at), body)
		signatures[i] = scheme + base64.StdEncoding.EncodeToString(mac[:])
	}
	header.Set(HeaderID, id.String())
	header.Set(HeaderTimestamp, timestamp(at))
	header.Set(HeaderSignature, strings.Join(signatures, " "))
}

func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func (s *Secret) mac(id, at string, body []byte) sm.Hash {
	signed := make([]byte, 0, len(id)+len(at)+len(body)+2)
	signed = append(signed, id...)
	signed = append(signed, '.')
	signed = append(signed, at...)
	signed = append(signed, '.')
	return sm.HMAC(s[:], append(signed, body...))
}

// Seen remembers messages: a Memory, or a table of the receiver's.
type Seen interface {
	// Seen remembers an id until a time at least, and reports whether it did so before.
	Seen(id ID, until time.Time) (before bool, err error)
}

// Verify reads a message that has come: its headers, and its whole body, of which the caller reads MaxBody + 1
// bytes at most. It returns the message's id, also with CodeReplayed, and what it says.
//
// From then on the message counts as one that has come. A receiver that could not keep it does not answer with
// success, nor to CodeReplayed under its id: the sender goes on, and after Tolerance it is accepted again.
//
// Errors: CodeMalformed, CodeSignature, CodeTime, CodeReplayed, in this order; what seen returns, as it is.
func Verify(secrets []Secret, header http.Header, body []byte, now time.Time, seen Seen) (ID, *Event, error) {
	var values [3]string
	for i, name := range []string{HeaderID, HeaderTimestamp, HeaderSignature} {
		v := header.Values(name)
		if len(v) != 1 {
			return ID{}, nil, errorf(CodeMalformed, "a message has the headers %s, %s and %s, each once", HeaderID, HeaderTimestamp, HeaderSignature)
		}
		values[i] = v[0]
	}
	id, ok := parseID(values[0])
	seconds, err := strconv.ParseInt(values[1], 10, 64)
	if !ok || err != nil || strconv.FormatInt(seconds, 10) != values[1] || len(body) > MaxBody {
		return ID{}, nil, errorf(CodeMalformed, "%s is 32 hexadecimal digits, %s a number of seconds, and the body has up to %d bytes", HeaderID, HeaderTimestamp, MaxBody)
	}
	if !signed(secrets, values, body) {
		return ID{}, nil, errorf(CodeSignature, "no signature of the message is by one of the secrets: it comes from somebody else, or was changed")
	}
	at := time.Unix(seconds, 0)
	if apart := now.Sub(at).Abs(); apart > Tolerance {
		return ID{}, nil, errorf(CodeTime, "the message was sent at another time than now: it is an old one, or a clock is wrong")
	}
	event, err := ParseEvent(body)
	if err != nil {
		return ID{}, nil, err
	}
	before, err := seen.Seen(id, at.Add(Tolerance))
	switch {
	case err != nil:
		return ID{}, nil, err
	case before:
		return id, nil, errorf(CodeReplayed, "the message has come before: answer with success")
	}
	return id, event, nil
}

// signed reports whether one of the signatures is by one of the secrets.
func signed(secrets []Secret, values [3]string, body []byte) bool {
	signatures := strings.SplitN(values[2], " ", maxSignatures+1)
	found := 0
	for i := range secrets {
		want := secrets[i].mac(values[0], values[1], body)
		for _, s := range signatures[:min(len(signatures), maxSignatures)] {
			text, ok := strings.CutPrefix(s, scheme)
			got, err := base64.StdEncoding.Strict().DecodeString(text)
			if ok && err == nil {
				found |= subtle.ConstantTimeCompare(got, want[:])
			}
		}
	}
	return found == 1
}
