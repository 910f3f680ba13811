// Package attach puts a credential into a PDF or OFD file as an attachment, so that the licence's pages
// and its credential travel as one file, which package intake reads.
//
// A PDF gets an incremental update (ISO 32000-1, 7.5.6): every byte of the file as it was comes first, and
// after them a new revision with the embedded file, its entry in the name tree EmbeddedFiles, and its
// reference among the document's associated files (ISO 32000-2, 14.13). An OFD (GB/T 33190) gets the file,
// an entry in its first document's list of attachments (chapter 20), and that list if it has none; all
// other files of the package keep their compressed bytes.
//
// Nothing that an electronic signature covers is ever altered. The signature of a PDF is one over the whole
// document, those of an OFD name the files that they cover: a file in which something covered would have
// to change is refused. Credentials are attached first, and the seal comes after.
//
// A credential discloses its licence: whoever gets the file can read every field that the credential shows.
// The attachment says nothing about the pages; that these are the licence's is for the seal, or for the
// digest of the file among the licence's document digests, which is that of the file before the credential
// came into it.
//
// Everything is done in memory, within the bounds below. The same file and credential always give the same
// bytes. The package reads no clock, writes no file, follows no link, repairs nothing, and its errors hold
// nothing of what it was given.
package attach

import (
	"bytes"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/credential"
)

// MaxFile is the greatest size in bytes of a file, before and after.
const MaxFile = 16 << 20

// FileName is the name of the attachment. A file that has another attachment of this name gets
// licence-2.cred, and so on.
const FileName = stem + extension

const (
	stem      = "licence"
	extension = ".cred"
)

// A Format is a kind of file that takes attachments.
type Format string

// The formats.
const (
	FormatPDF Format = "pdf" // ISO 32000
	FormatOFD Format = "ofd" // GB/T 33190
)

// A Result is a file with a credential attached.
type Result struct {
	File       []byte // may be the one that was given, if that had this credential already
	Format     Format
	Name       string // that the attachment got, as programs show it; "" if the file had it already
	Signatures int    // electronic signatures of the file; none covers anything that was altered
}

// Attach returns a file with a credential attached: the bytes of a credential, or of a presentation of
// some of its fields. File and credential are left as they are. A file that has the same credential already
// is returned as it is.
//
// The result was read back: it has this credential and no other.
//
// Errors: *Error.
func Attach(file, encoded []byte) (*Result, error) {
	p, err := credential.Parse(encoded)
	if err != nil {
		return nil, &Error{Code: CodeNoCredential, Message: "what is to be attached is no credential: give its bytes as they were issued", Err: err}
	}
	if len(file) > MaxFile {
		return nil, errTooLarge()
	}
	var format Format
	var into func(file []byte, a attachment) (*Result, error)
	switch {
	case bytes.HasPrefix(file, []byte("%PDF-")):
		format, into = FormatPDF, attachToPDF
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		format, into = FormatOFD, attachToOFD
	default:
		return nil, errorf(CodeUnrecognised, "the file is no PDF and no OFD: only these take attachments; hand the credential out beside it")
	}
	result, err := into(file, attachment{content: encoded, issued: time.Unix(int64(min(p.Record.IssuedAt, maxTime)), 0).UTC()})
	if err != nil {
		return nil, err
	}
	result.Format = format
	return result, nil
}

// maxTime is the last second that dates of four digits and of ZIP have: 2107-12-31T23:59:59Z.
const maxTime = 4_354_819_199

// An attachment is what is attached.
type attachment struct {
	content []byte
	issued  time.Time // when the licence was
}

// among reports whether the attachment is among the credentials that a file has; another one beside it, or
// in its place, is an error: a file has one licence.
func (a attachment) among(credentials [][]byte) (bool, error) {
	for _, c := range credentials {
		if !bytes.Equal(c, a.content) {
			return false, errorf(CodeOther, "the file has another credential attached: give the file as it was before that was attached")
		}
	}
	return len(credentials) > 0, nil
}

// start is what every credential begins with in CBOR: an array of eight, and the version.
var start = []byte{0x88, credential.Version}

// freeName returns a name of a stem and an ending, with a number between them if it is taken without one.
func freeName(stem, ending string, taken func(name string) bool) string {
	name := stem + ending
	for n := 2; taken(name); n++ {
		name = stem + "-" + strconv.Itoa(n) + ending
	}
	return name
}
