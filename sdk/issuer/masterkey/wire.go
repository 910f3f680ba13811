package masterkey

import (
	"encoding/binary"
	"errors"
	"io"
)

// The protocol between Remote and Serve, on a stream: the client sends a request and reads its answer,
// then perhaps sends the next. All numbers are big-endian.
//
//	frame    = length of the rest (4 bytes) || kind (1 byte) || rest
//	request  = kind 1 (wrap) or 2 (unwrap); rest: pairs of aad and key, 1 to maxItems
//	answer   = kind 0; rest: the keys in the same order
//	refusal  = kind 3; rest: code, message
//
// where each aad, key, code and message is its length (2 bytes) and itself.
const (
	kindKeys    = 0
	kindWrap    = 1
	kindUnwrap  = 2
	kindRefusal = 3

	maxItems = 1024
	maxFrame = 1 + maxItems*(2+MaxAAD+2+WrappedSize)
)

// writeFrame writes a frame.
func writeFrame(w io.Writer, kind byte, strings ...[]byte) error {
	size := 1
	for _, s := range strings {
		size += 2 + len(s)
	}
	b := make([]byte, 0, 4+size)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, kind)
	for _, s := range strings {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	_, err := w.Write(b)
	return err
}

var errProtocol = errorf(CodeProtocol, nil, "what came over the socket of the master keys is not of its form")

// readFrame reads a frame. At the end of the stream it is io.EOF.
func readFrame(r io.Reader) (kind byte, rest []byte, err error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == 0 || n > maxFrame {
		return 0, nil, errProtocol
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); errors.Is(err, io.EOF) {
		return 0, nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return 0, nil, err
	}
	return b[0], b[1:], nil
}

// splitStrings splits the rest of a frame into at most max strings.
func splitStrings(rest []byte, max int) ([][]byte, error) {
	var out [][]byte
	for len(rest) > 0 {
		if len(rest) < 2 || len(out) == max {
			return nil, errProtocol
		}
		n := int(binary.BigEndian.Uint16(rest))
		if len(rest)-2 < n {
			return nil, errProtocol
		}
		out = append(out, rest[2:2+n:2+n])
		rest = rest[2+n:]
	}
	return out, nil
}

// parsePairs splits the rest of a request.
func parsePairs(rest []byte) (aads, keys [][]byte, err error) {
	strings, err := splitStrings(rest, 2*maxItems)
	if err != nil || len(strings) == 0 || len(strings)%2 != 0 {
		return nil, nil, errProtocol
	}
	for i := 0; i < len(strings); i += 2 {
		aads, keys = append(aads, strings[i]), append(keys, strings[i+1])
	}
	return aads, keys, nil
}
