package receipt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/internal/jsonappend"
)

// MaxSize bounds a receipt file in bytes.
const MaxSize = 128 << 10

// AppendJSON appends the file. Bytes are in base64 (RFC 4648, section 4), hashes in lower-case hex.
func (f *File) AppendJSON(b []byte) []byte {
	b = jsonappend.Base64(append(b, `{"entry":`...), f.Encoded)
	b = jsonappend.Base64(append(b, `,"salt":`...), f.Salt[:])
	b = jsonappend.Hash(append(b, `,"presentation":`...), f.Presentation)
	b = f.Proof.AppendJSON(append(b, `,"proof":`...))
	b = jsonappend.Hash(append(b, `,"readable":{"leaf":`...), f.Leaf())
	b = jsonappend.Text(append(b, `,"text":`...), found(f.Entry))
	b = f.Entry.AppendJSON(append(b, `,"entry":`...))
	return append(b, "}}"...)
}

// MarshalJSON implements json.Marshaler with the form of AppendJSON.
func (f *File) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

// Parse reads a receipt file. It takes no member twice, no unknown one, and nothing behind; what is
// readable is passed over. That the parts belong together is for Verify to say. The error is an
// *Error with CodeMalformed or CodeTooLarge.
func Parse(b []byte) (*File, error) {
	if len(b) > MaxSize {
		return nil, errorf(CodeTooLarge, "a receipt file has at most %d bytes, this has %d", MaxSize, len(b))
	}
	members, err := object(b, "entry", "salt", "presentation", "proof", "readable")
	if err != nil {
		return nil, err
	}
	f := new(File)
	if f.Encoded, err = base64Text(members["entry"]); err != nil {
		return nil, err
	}
	if f.Entry, err = access.ParseEntry(f.Encoded); err != nil {
		return nil, errorf(CodeMalformed, "the entry in the receipt file is not one: %v", err)
	}
	salt, err := base64Text(members["salt"])
	if err != nil || len(salt) != len(f.Salt) {
		return nil, errorf(CodeMalformed, "the salt in a receipt file is %d bytes in base64", len(f.Salt))
	}
	f.Salt = access.Salt(salt)
	var presentation *sm.Hash
	if json.Unmarshal(members["presentation"], &presentation) != nil || presentation == nil {
		return nil, errorf(CodeMalformed, "the presentation in a receipt file is a hash in lower-case hex")
	}
	f.Presentation = *presentation
	if f.Proof, err = parseProof(members["proof"]); err != nil {
		return nil, err
	}
	return f, nil
}

// maxPath is the length of the longest inclusion path: that in a log of access.MaxEntries entries.
const maxPath = 40

func parseProof(b []byte) (*access.Proof, error) {
	members, err := object(b, "checkpoint", "index", "path", "readable")
	if err != nil {
		return nil, err
	}
	signed, err := base64Text(members["checkpoint"])
	if err != nil {
		return nil, err
	}
	checkpoint, err := access.ParseCheckpoint(signed)
	if err != nil {
		return nil, errorf(CodeMalformed, "the checkpoint in the receipt file is not one: %v", err)
	}
	var index *uint64
	if json.Unmarshal(members["index"], &index) != nil || index == nil || *index >= access.MaxEntries {
		return nil, errorf(CodeMalformed, "the index in a receipt file is a whole number below 2^40 - 1")
	}
	var hashes []*sm.Hash
	if json.Unmarshal(members["path"], &hashes) != nil || hashes == nil || slices.Contains(hashes, nil) || len(hashes) > maxPath {
		return nil, errorf(CodeMalformed, "the path in a receipt file is an array of at most %d hashes in lower-case hex", maxPath)
	}
	path := make([]sm.Hash, len(hashes))
	for i, h := range hashes {
		path[i] = *h
	}
	return &access.Proof{Checkpoint: checkpoint, Index: *index, Path: path}, nil
}

// object takes a JSON object apart, which has exactly these members.
func object(b []byte, names ...string) (map[string]json.RawMessage, error) {
	malformed := errorf(CodeMalformed, "a receipt file is a JSON object with the members entry, salt, presentation, proof (with checkpoint, index, path and readable) and readable, each once")
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed
	}
	members := make(map[string]json.RawMessage, len(names))
	for d.More() {
		var value json.RawMessage
		name, err := d.Token()
		if err != nil || d.Decode(&value) != nil {
			return nil, malformed
		}
		text, _ := name.(string)
		if _, twice := members[text]; twice {
			return nil, malformed
		}
		members[text] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed
	}
	for _, name := range names {
		if _, ok := members[name]; !ok {
			return nil, malformed
		}
	}
	if len(members) != len(names) {
		return nil, malformed
	}
	return members, nil
}

// base64Text decodes a JSON string in the one base64 form of its bytes.
func base64Text(b json.RawMessage) ([]byte, error) {
	var text *string
	if err := json.Unmarshal(b, &text); err == nil && text != nil {
		out, err := base64.StdEncoding.Strict().DecodeString(*text)
		if err == nil && base64.StdEncoding.EncodeToString(out) == *text { // the decoder passes over line ends
			return out, nil
		}
	}
	return nil, errorf(CodeMalformed, "bytes in a receipt file are in base64, padded, on one line")
}
