package receipt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// MaxSize bounds a receipt file in bytes.
const MaxSize = 128 << 10

// fileJSON is the form of a file; its members are all there, and no others.
type fileJSON struct {
	Receipt  []byte       `json:"receipt"`
	Entry    []byte       `json:"entry"`
	Salt     []byte       `json:"salt"`
	Proof    *Proof       `json:"proof"`
	Readable readableJSON `json:"readable"`
}

type proofJSON struct {
	Checkpoint []byte    `json:"checkpoint"`
	Path       []sm.Hash `json:"path"`
}

// readableJSON is what a file says, for people and for programs that read no CBOR.
type readableJSON struct {
	receiptJSON
	Key        sm.Hash         `json:"key"` // kid of the key that signed it
	Entry      *access.Entry   `json:"entry"`
	Checkpoint *checkpointJSON `json:"checkpoint"`
}

type receiptJSON struct {
	Ledger       sm.Hash      `json:"ledger"`
	Verifier     string       `json:"verifier"`
	Log          string       `json:"log"`
	Index        uint64       `json:"index"`
	Leaf         sm.Hash      `json:"leaf"`
	Presentation sm.Hash      `json:"presentation"`
	Outcome      string       `json:"outcome"`
	Text         licence.Text `json:"text"`
	Reasons      []string     `json:"reasons"`
	Day          string       `json:"day"`
	Height       uint64       `json:"height"`
	Heartbeat    *string      `json:"heartbeat"`
	CheckedAt    string       `json:"checkedAt"`
}

type checkpointJSON struct {
	Size     uint64  `json:"size"`
	Root     sm.Hash `json:"root"`
	SignedAt string  `json:"signedAt"`
	Key      sm.Hash `json:"key"` // kid
}

// MarshalJSON returns the file. Bytes are in base64 (RFC 4648, section 4), hashes in lower-case hex,
// times as in RFC 3339 in UTC, days as in ISO 8601.
func (f *File) MarshalJSON() ([]byte, error) {
	return json.Marshal(fileJSON{
		Receipt: f.signed.Bytes(), Entry: f.encoded, Salt: f.salt[:], Proof: f.proof, Readable: f.readable(),
	})
}

// MarshalJSON returns the member "proof" of a file.
func (p *Proof) MarshalJSON() ([]byte, error) {
	return json.Marshal(proofJSON{p.signed.Bytes(), append([]sm.Hash{}, p.path...)})
}

func (f *File) readable() readableJSON {
	out := readableJSON{receiptJSON: f.said(), Key: f.signed.KeyID, Entry: f.entry}
	if p := f.proof; p != nil {
		out.Checkpoint = &checkpointJSON{p.checkpoint.Size, p.checkpoint.Root, utc(p.checkpoint.SignedAt), p.signed.KeyID}
	}
	return out
}

// said is what the signed statement says.
func (f *File) said() receiptJSON {
	r := f.receipt
	out := receiptJSON{
		Ledger: r.Ledger, Verifier: r.Verifier, Log: r.Log, Index: r.Index, Leaf: r.Leaf, Presentation: r.Presentation,
		Outcome: r.Outcome, Text: verify.Outcome(r.Outcome).Text(), Reasons: append([]string{}, r.Reasons...),
		Day: licence.Date(r.Day).String(), Height: r.Height, CheckedAt: utc(r.CheckedAt),
	}
	if r.Heartbeat != 0 {
		heartbeat := utc(r.Heartbeat)
		out.Heartbeat = &heartbeat
	}
	return out
}

func utc(seconds uint64) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }

// Parse reads a receipt file. It takes no member twice, no unknown one, and nothing behind; what is
// readable is passed over. That the parts belong together is for Verify to say. The error is an
// *Error with CodeMalformed or CodeTooLarge.
func Parse(b []byte) (*File, error) {
	if len(b) > MaxSize {
		return nil, errorf(CodeTooLarge, "a receipt file has at most %d bytes, this has %d", MaxSize, len(b))
	}
	members, err := object(b, "receipt", "entry", "salt", "proof", "readable")
	if err != nil {
		return nil, err
	}
	signed, err := base64Text(members["receipt"])
	if err != nil {
		return nil, err
	}
	f := new(File)
	if f.receipt, f.signed, err = statement.ParseAs[*statement.Receipt](signed); err != nil {
		return nil, errorf(CodeMalformed, "the receipt in the file is not one: %v", err)
	}
	if f.encoded, err = base64Text(members["entry"]); err != nil {
		return nil, err
	}
	if f.entry, err = access.ParseEntry(f.encoded); err != nil {
		return nil, errorf(CodeMalformed, "the entry in the receipt file is not one: %v", err)
	}
	salt, err := base64Text(members["salt"])
	if err != nil || len(salt) != len(f.salt) {
		return nil, errorf(CodeMalformed, "the salt in a receipt file is %d bytes in base64", len(f.salt))
	}
	f.salt = access.Salt(salt)
	if proof := members["proof"]; string(proof) != "null" {
		if f.proof, err = parseProof(proof); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func parseProof(b []byte) (*Proof, error) {
	members, err := object(b, "checkpoint", "path")
	if err != nil {
		return nil, err
	}
	checkpoint, err := base64Text(members["checkpoint"])
	if err != nil {
		return nil, err
	}
	var hashes []*sm.Hash
	err = json.Unmarshal(members["path"], &hashes)
	if err != nil || hashes == nil || slices.Contains(hashes, nil) {
		return nil, errorf(CodeMalformed, "the path in a receipt file is an array of hashes in lower-case hex")
	}
	path := make([]sm.Hash, len(hashes))
	for i, h := range hashes {
		path[i] = *h
	}
	return NewProof(checkpoint, path)
}

// object takes a JSON object apart, which has exactly these members.
func object(b []byte, names ...string) (map[string]json.RawMessage, error) {
	malformed := errorf(CodeMalformed, "a receipt file is a JSON object with the members receipt, entry, salt, proof (null, or checkpoint and path) and readable, each once")
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
