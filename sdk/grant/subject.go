package grant

import (
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Bounds of a subject in bytes.
const (
	MaxSubjectKey   = 64  // of the key of a field
	MaxSubjectValue = 512 // of its value
)

// A Subject is what a licence is to be found by if the agency does not know its digest: the value of a
// field, as a text. The request has a commitment to it; it travels beside the request itself, sealed to a
// key of the issuer for consent, as deterministic CBOR:
//
//	[salt (16 bytes), key, value]
type Subject struct {
	Salt  credential.Salt // random
	Key   string          // of a field of the type
	Value string
}

// Commitment returns what the request holds.
func (s *Subject) Commitment() sm.Hash { return SubjectCommitment(&s.Salt, s.Key, s.Value) }

// Bytes returns the encoding. It is the inverse of ParseSubject for a key and a value that are there and no
// longer than their bounds.
func (s *Subject) Bytes() []byte {
	b := dcbor.AppendArray(nil, 3)
	b = dcbor.AppendBytes(b, s.Salt[:])
	b = dcbor.AppendText(b, s.Key)
	return dcbor.AppendText(b, s.Value)
}

// ParseSubject reads what was sealed beside a request. Every other encoding than that of Bytes is refused,
// and so is another subject than the one that the request has a commitment to. The error is an *[Error] with
// CodeSubjectMalformed or CodeSubjectDiffers.
func ParseSubject(b []byte, r *statement.Request) (*Subject, error) {
	d := dcbor.NewReader(b)
	d.ArrayOf(3)
	s := new(Subject)
	d.Fixed(s.Salt[:])
	s.Key, s.Value = string(d.Text(MaxSubjectKey)), string(d.Text(MaxSubjectValue))
	if !d.OK() || len(d.Rest()) > 0 || !isFieldKey(s.Key) || s.Value == "" {
		return nil, errorf(CodeSubjectMalformed, "what the licence is to be found by is not the one encoding of salt, key and value")
	}
	if r.Subject == nil || *r.Subject != s.Commitment() {
		return nil, errorf(CodeSubjectDiffers, "what the licence is to be found by is not what the request has a commitment to")
	}
	return s, nil
}

// isFieldKey reports whether a field can have a key, whose length is bounded elsewhere.
func isFieldKey(key string) bool {
	for i := range len(key) {
		c := key[i] | 0x20
		if letter := 'a' <= c && c <= 'z'; !letter && (i == 0 || key[i] < '0' || '9' < key[i]) {
			return false
		}
	}
	return key != ""
}
