package access_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// array is the form of an entry for a decoder of CBOR in general.
type array struct {
	_            struct{} `cbor:",toarray"`
	Version      uint64
	Time         uint64
	Call         access.Call
	Agency       string
	Clerk        string
	Unit         string
	Matter       string
	Case         string
	OnBehalf     string
	Asked        string
	Type         string
	Licence      sm.Hash
	Presentation sm.Hash
	Fields       []string
	Outcome      string
	Reasons      []string
	Day          int32
	Height       uint64
	Heartbeat    uint64
	Overall      string
}

// generally reads an entry with such a decoder: ok if the bytes are what its encoder makes of what it
// read.
func generally(t testing.TB, b []byte) (e *access.Entry, ok bool) {
	t.Helper()
	mode, err := cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, IntDec: cbor.IntDecConvertNone,
		MaxNestedLevels: 4, MaxArrayElements: 1 << 10, MaxMapPairs: 16, UTF8: cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	var a array
	if err := mode.Unmarshal(b, &a); err != nil || a.Version != 2 {
		return nil, false
	}
	if again, err := statement.Marshal(&a); err != nil || !bytes.Equal(again, b) {
		return nil, false
	}
	return &access.Entry{
		Time: a.Time, Call: a.Call,
		Agency: a.Agency, Clerk: a.Clerk, Unit: a.Unit, Matter: a.Matter, Case: a.Case, OnBehalf: a.OnBehalf, Asked: a.Asked,
		Type: a.Type, Licence: a.Licence, Presentation: a.Presentation, Fields: a.Fields, Outcome: a.Outcome, Reasons: a.Reasons,
		Day: a.Day, Height: a.Height, Heartbeat: a.Heartbeat, Overall: a.Overall,
	}, true
}

// compareDecoders wants ParseEntry to read what a decoder of CBOR in general reads, and no more.
func compareDecoders(t testing.TB, b []byte) {
	t.Helper()
	if len(b) > access.MaxSize {
		return
	}
	expected, ok := generally(t, b)
	got, err := access.ParseEntry(b)
	switch {
	case !ok && code(err) != access.CodeMalformed:
		t.Errorf("%x is not an entry, but gives %v", b, err)
	case ok && err == nil && !reflect.DeepEqual(got, expected):
		t.Errorf("%x is read as %+v, want %+v", b, got, expected)
	case ok && err != nil && code(err) != access.CodeInvalid:
		t.Errorf("%x is refused: %v", b, err)
	case ok && (expected.Validate() == nil) != (err == nil):
		t.Errorf("%x: %v, but Validate says %v", b, err, expected.Validate())
	}
}

// Every byte of an entry changed to every other; and every item, to others that end where it does.
func TestDecodersAgree(t *testing.T) {
	for _, e := range []*access.Entry{counter(), public(), release()} {
		b := encode(t, e)
		for i := range b {
			for v := range 256 {
				changed := bytes.Clone(b)
				changed[i] = byte(v)
				compareDecoders(t, changed)
			}
			for _, item := range []string{"\x18\x17", "\x18\x18", "\x19\x00\xff", "\x19\x01\x00", "\x1a\x00\x00\xff\xff", "\x1a\x00\x01\x00\x00", "\x1b\x00\x00\x00\x00\xff\xff\xff\xff", "\x1b\x00\x00\x00\x01\x00\x00\x00\x00", "\x3a\x7f\xff\xff\xff", "\x3a\x80\x00\x00\x00", "\x1a\x80\x00\x00\x00", "\xf6", "\x60", "\x78\x00", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "\x99\x04\x01"} {
				compareDecoders(t, append(append(bytes.Clone(b[:i]), item...), b[i+1:]...))
			}
		}
	}
}

// FuzzDecoders is TestDecodersAgree for whatever bytes.
func FuzzDecoders(f *testing.F) {
	f.Add(encode(f, counter()))
	f.Add(encode(f, public()))
	f.Add(encode(f, release()))
	f.Fuzz(func(t *testing.T, b []byte) { compareDecoders(t, b) })
}
