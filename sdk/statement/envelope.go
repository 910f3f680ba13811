package statement

import (
	"strings"

	"github.com/credledger/credledger/sdk/internal/dcbor"
	"github.com/credledger/credledger/sdk/sm"
)

// The envelope has one possible shape, so it is written and read byte by byte.
const (
	tagSign1   = 0xd2 // tag 18
	array4     = 0x84
	emptyMap   = 0xa0
	signature1 = "\x6aSignature1"
	// protectedHead opens the protected header up to the 32 bytes of the kid.
	protectedHead = "\xa3\x01\x3a\x00\x01\x00\x00\x04\x58\x20"
	typLabel      = 0x10
	// maxHeader bounds the protected header in bytes, generously.
	maxHeader = 200
)

// protected returns the protected header: {1: Algorithm, 4: kid, 16: typ}.
func protected(kind Kind, kid sm.Hash) []byte {
	b := make([]byte, 0, 96)
	b = append(b, protectedHead...)
	b = append(b, kid[:]...)
	b = append(b, typLabel)
	return dcbor.AppendText(b, typPrefix+string(kind)+typSuffix)
}

// ToBeSigned returns the Sig_structure of RFC 9052, section 4.4:
// ["Signature1", protected header, empty external data, payload].
func ToBeSigned(kind Kind, kid sm.Hash, payload []byte) []byte {
	header := protected(kind, kid)
	b := make([]byte, 0, len(header)+len(payload)+32)
	b = append(b, array4)
	b = append(b, signature1...)
	b = dcbor.AppendBytes(b, header)
	b = dcbor.AppendBytes(b, nil)
	return dcbor.AppendBytes(b, payload)
}

func formatEnvelope(kind Kind, kid sm.Hash, payload, signature []byte) []byte {
	header := protected(kind, kid)
	b := make([]byte, 0, len(header)+len(payload)+len(signature)+16)
	b = append(b, tagSign1, array4)
	b = dcbor.AppendBytes(b, header)
	b = append(b, emptyMap)
	b = dcbor.AppendBytes(b, payload)
	return dcbor.AppendBytes(b, signature)
}

func errEnvelope() error {
	return errorf(CodeMalformed, "not a statement: expected a COSE_Sign1 with the protected header {alg, kid, typ}")
}

// parseEnvelope is the inverse of formatEnvelope; the statement it returns has no body yet.
func parseEnvelope(b []byte) (Kind, *Statement, error) {
	if len(b) < 2 || b[0] != tagSign1 || b[1] != array4 {
		return "", nil, errEnvelope()
	}
	s := new(Statement)
	r := dcbor.NewReader(b[2:])
	header := r.Bytes(maxHeader)
	if rest := r.Rest(); len(rest) == 0 || rest[0] != emptyMap {
		return "", nil, errEnvelope()
	}
	r = dcbor.NewReader(r.Rest()[1:])
	s.Payload = r.Bytes(MaxSize)
	r.Fixed(s.Signature[:])
	if !r.OK() || len(r.Rest()) != 0 {
		return "", nil, errEnvelope()
	}

	if !strings.HasPrefix(string(header), protectedHead) || len(header) <= len(protectedHead)+sm.HashSize {
		return "", nil, errEnvelope()
	}
	header = header[len(protectedHead):]
	copy(s.KeyID[:], header)
	if header = header[sm.HashSize:]; header[0] != typLabel {
		return "", nil, errEnvelope()
	}
	r = dcbor.NewReader(header[1:])
	typ := string(r.Text(maxHeader))
	if !r.OK() || len(r.Rest()) != 0 {
		return "", nil, errEnvelope()
	}
	kind := Kind(strings.TrimSuffix(strings.TrimPrefix(typ, typPrefix), typSuffix))
	if _, known := bodies[kind]; !known || typ != typPrefix+string(kind)+typSuffix {
		return "", nil, errorf(CodeWrongKind, "unknown kind of statement")
	}
	return kind, s, nil
}
