// Package access is what everybody has to agree on about an access log: the one encoding
// of an entry, the commitments in it, signed checkpoints, and the proofs that an entry is in the log
// and that the log has only grown.
//
// An entry records one verification: who asked, for what, what was found and which fields were
// given out. Or it records what became of a request for fields to the department that issued the
// licence: which of them were released, and on what ground. It never holds a value of a licence. What
// it says about whose licence it was is two salted commitments, so that entries can be handed to an
// auditor who cannot tell which of them are about one licence, while whoever is given the salt can:
//
//	entry         [2, time, call, agency, clerk, unit, matter, case, on-behalf, asked, type, licence,
//	              presentation, [field, ...], outcome, [reason, ...], day, height, heartbeat, overall]
//	licence       SM3(0x00 || [salt, issuer, digest])     the licence's name on the ledger
//	presentation  SM3(0x00 || [salt, SM3 of what was shown])
//	leaf          SM3(0x00 || entry)
//
// all in deterministic CBOR (RFC 8949, section 4.2), with 16 random bytes of salt for each entry. The
// leaves are those of a Merkle tree in the shape of RFC 9162, with SM3(0x01 || left || right) as
// interior node. A signed checkpoint fixes its root: for those who get a receipt, and for all once it
// is on the ledger.
//
// The package does no I/O and reads no clock; package accesslog keeps a log.
package access

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// version is the first element of an encoded entry.
const version = 2

// Bounds of an entry.
const (
	MaxSize    = 16 << 10 // bytes of an encoded entry
	MaxText    = 200      // bytes of each text about who asked, and what for
	MaxFields  = 202      // a licence type has at most 200 fields, the identifier and the documents
	MaxReasons = 17       // the code of a decision, and the legal bases of an answer
	maxName    = 64       // bytes of a field's key, and of a reason
	maxID      = 32       // bytes of the id of a type or of the department asked, and of an outcome
)

// maxSeconds bounds times and counts: 2^40 - 1.
const maxSeconds = 1<<40 - 1

// MaxEntries bounds the size of a log.
const MaxEntries = 1<<40 - 1

// Outcomes of a request for fields, beside those of a verification (package verify).
const (
	Released   = statement.AnswerReleased
	Refused    = statement.AnswerRefused
	Unanswered = "unanswered" // it fell due without an answer
)

// A Call is the same in all entries that one call to a verifier made, and in no others: 16 random
// bytes. All entries about a request have RequestCall of it.
type Call [16]byte

// RequestCall returns the Call of the entries about a request: the first 16 bytes of its digest, which
// nobody can tell who does not have the request. By it the log of the department that asked can be
// compared with that of the one that was asked.
func RequestCall(digest sm.Hash) Call { return Call(digest[:16]) }

// String returns the call in lower-case hexadecimal digits.
func (c Call) String() string { return hex.EncodeToString(c[:]) }

// An Entry records one verification, or what became of one request. Texts that do not apply are empty;
// none has control characters.
type Entry struct {
	Time uint64 // of the verification, the answer, or the end of the wait for one, in seconds since 1970-01-01T00:00:00Z
	Call Call

	Agency   string // id of the agency that asked, for a request the department that signed it; "" for the public
	Clerk    string // who asked for it
	Unit     string // where
	Matter   string // the service item (事项), by its id
	Case     string // the case number (办件号)
	OnBehalf string // the department that the counter asked for
	Asked    string // id of the department that was asked for fields; "" of a verification

	Type         string  // id of the licence type; "" if what was shown could not be read
	Licence      sm.Hash // LicenceCommitment
	Presentation sm.Hash // PresentationCommitment

	Fields    []string // keys of the fields that were given out; of a request without release, that were asked for
	Outcome   string   // of the verdict, see package verify; of a request Released, Refused or Unanswered
	Reasons   []string // reason code of each axis, in the order of package verify; of an answer, its reason and then its legal bases
	Day       int32    // that the status was asked for, in days since 1970-01-01
	Height    uint64   // number of the newest block in the view used
	Heartbeat uint64   // time of the newest heartbeat in that view, in seconds; 0 if none
	Overall   string   // outcome of the whole case, see package matter; "" of what was verified by itself
}

// wire is the form of an entry in CBOR.
type wire struct {
	_            struct{} `cbor:",toarray"`
	Version      uint64
	Time         uint64
	Call         Call
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

func (e *Entry) wire() *wire {
	return &wire{
		Version: version, Time: e.Time, Call: e.Call,
		Agency: e.Agency, Clerk: e.Clerk, Unit: e.Unit, Matter: e.Matter, Case: e.Case, OnBehalf: e.OnBehalf, Asked: e.Asked,
		Type: e.Type, Licence: e.Licence, Presentation: e.Presentation,
		Fields: e.Fields, Outcome: e.Outcome, Reasons: e.Reasons,
		Day: e.Day, Height: e.Height, Heartbeat: e.Heartbeat, Overall: e.Overall,
	}
}

// Bytes returns the one encoding of an entry, after checking it. The error is an *Error with
// CodeInvalid.
func (e *Entry) Bytes() ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	b, err := statement.Marshal(e.wire())
	if err != nil {
		return nil, errorf(CodeMalformed, "encode an entry of the access log: %v", err)
	}
	return b, nil
}

// ParseEntry is the inverse of Bytes, and accepts nothing else. The error is an *Error.
func ParseEntry(b []byte) (*Entry, error) {
	e := new(Entry)
	if err := e.Read(string(b)); err != nil {
		return nil, err
	}
	return e, nil
}

// Read is ParseEntry into an entry that is there, for those who read many: its texts are parts of b, and the
// lists that it has are used again. After an error the entry is nothing.
func (e *Entry) Read(b string) error {
	if len(b) > MaxSize {
		return errorf(CodeTooLarge, "an entry of an access log has at most %d bytes, this has %d", MaxSize, len(b))
	}
	if !e.decode(b) {
		return errorf(CodeMalformed, "these bytes are not an entry of an access log, in its one deterministic encoding")
	}
	return e.Validate()
}

// Leaf returns the leaf of an encoded entry in the log's tree: SM3(0x00 || entry).
func Leaf(entry []byte) sm.Hash { return sm.SumLeaf(entry) }

// isID reports whether a text names a licence type, a department or an outcome.
func isID(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

// Bounds of a day in UTC+8: the years 1000 to 9999.
const (
	minDay = -354285
	maxDay = 2932896
)

// Validate reports the first value that is out of its bounds, an *Error with CodeInvalid. It does not
// repeat the value.
func (e *Entry) Validate() error {
	for _, t := range [...]struct{ name, value string }{
		{"agency", e.Agency}, {"clerk", e.Clerk}, {"unit", e.Unit}, {"matter", e.Matter}, {"case", e.Case}, {"on-behalf", e.OnBehalf},
	} {
		if !isLine(t.value, MaxText) {
			return errorf(CodeInvalid, "the %s of an entry is one line of at most %d bytes of UTF-8", t.name, MaxText)
		}
	}
	switch {
	case e.Time > maxSeconds:
		return errorf(CodeInvalid, "the time of an entry must be below 2^40 seconds")
	case e.Type != "" && !isID(e.Type):
		return errorf(CodeInvalid, "the type of an entry is the id of a licence type, or empty")
	case e.Asked != "" && !isID(e.Asked):
		return errorf(CodeInvalid, "the department asked, of an entry, is the id of a department, or empty")
	case !isID(e.Outcome) || (e.Asked != "") != isEnd(e.Outcome):
		return errorf(CodeInvalid, "the outcome of an entry is one of those of a verdict, or, if a department was asked, of a request")
	case e.Overall != "" && (e.Asked != "" || !isID(e.Overall)):
		return errorf(CodeInvalid, "the overall outcome of an entry is one of those of a case, or empty; it is empty if a department was asked")
	case e.Day < minDay || e.Day > maxDay:
		return errorf(CodeInvalid, "the day of an entry must lie in the years 1000 to 9999")
	case e.Height > maxSeconds:
		return errorf(CodeInvalid, "the height of an entry must be below 2^40")
	case e.Heartbeat > maxSeconds:
		return errorf(CodeInvalid, "the heartbeat of an entry must be below 2^40 seconds")
	case len(e.Fields) > MaxFields || !areNames(e.Fields):
		return errorf(CodeInvalid, "the fields of an entry are at most %d keys of 1 to %d bytes", MaxFields, maxName)
	case len(e.Reasons) > MaxReasons || !areNames(e.Reasons):
		return errorf(CodeInvalid, "the reasons of an entry are at most %d codes of 1 to %d bytes", MaxReasons, maxName)
	}
	return nil
}

// isEnd reports whether an outcome is one of a request.
func isEnd(outcome string) bool {
	return outcome == Released || outcome == Refused || outcome == Unanswered
}

func areNames(list []string) bool {
	for _, s := range list {
		if s == "" || !isLine(s, maxName) {
			return false
		}
	}
	return true
}

// isLine reports whether a text is UTF-8 without control characters, and short enough.
func isLine(s string, max int) bool {
	if len(s) > max {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' { // to be looked at as UTF-8
			return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
		}
	}
	return true
}
