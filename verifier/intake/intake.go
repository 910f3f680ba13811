// Package intake reads what is shown to a verifier, in whatever it comes: the text of a code, the
// bytes of credentials, a picture of a code, or a PDF or OFD file with its credential attached.
//
// It finds presentations and does not judge them: one that is altered is handed on, so that the
// verdict says so. Nor does a credential that comes in a file say anything about the pages of that file,
// unless Belongs says that the licence was issued with it.
//
// Everything is read in memory, within the bounds below, with the work on pictures and files limited
// to a few at a time. The package writes no file, follows no link, asks no network, and its errors hold
// nothing of what it was given.
package intake

import (
	"bytes"
	"context"
	"encoding/base64"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// Bounds of what is read, in bytes.
const (
	MaxCode       = 128 << 10 // the text of a code, or of a credential in base64
	MaxCredential = 1 << 20
	MaxImage      = 10 << 20
	MaxFile       = 16 << 20
)

// MaxItems is how many presentations one input may hold.
const MaxItems = 64

// An Input is what somebody shows: exactly one of its members, or a File and the Credential that goes with it.
type Input struct {
	Code       string // text of a code or of a reference, in any case and width; or a credential in base64
	Credential []byte // one presentation or credential, or several, one after the other; or their text
	Image      []byte // a PNG or JPEG with a code in it
	File       []byte // without a Credential: a PDF or OFD with credentials attached, or any of the above
}

// A Source is what a presentation was read from.
type Source string

// The sources.
const (
	SourceCode       Source = "code"
	SourceCredential Source = "credential"
	SourceImage      Source = "image"
	SourcePDF        Source = "pdf"
	SourceOFD        Source = "ofd"
	SourceReference  Source = "reference"
)

// An Item is one presentation.
type Item struct {
	Bytes  []byte                   // as they were found
	Parsed *credential.Presentation // nil if Bytes are not the one encoding of a presentation; sharing their memory else
	Source Source
}

// A Result is what was read: presentations, or the token of a reference.
type Result struct {
	Items     []Item   // at least one, unless there is a Reference
	Reference string   // token, to be looked up where it was issued; "" if there is none
	File      *sm.Hash // SM3 of the file that came with a credential: ask Belongs
}

// One returns the presentation where one was to be given, and was not by reference. Error:
// CodeSeveralCredentials.
func (r *Result) One() (Item, error) {
	if len(r.Items) != 1 {
		return Item{}, errorf(CodeSeveralCredentials, "there is not one credential here but %d: give one at a time", len(r.Items))
	}
	return r.Items[0], nil
}

// A Reader reads inputs. It is safe for concurrent use.
type Reader struct {
	places  chan struct{} // taken by those who read a picture or a file
	waiting chan struct{} // taken by those who wait for such a place
}

// queued is how many wait for each place. A picture of a few kilobytes can take a processor for seconds: if all who
// come could wait, those who send such pictures would take up the whole service.
const queued = 8

// patience is how long one waits at most: less than the connection of whoever asked is kept for the answer.
const patience = 30 * time.Second

// NewReader returns a reader that reads so many pictures and files at a time; some others wait, for a while or until
// their context ends, and more are refused. One may take 300 MB of memory and a processor for some seconds.
func NewReader(atATime int) *Reader {
	n := max(1, atATime)
	return &Reader{places: make(chan struct{}, n), waiting: make(chan struct{}, n*queued)}
}

// Read reads an input. The result may share memory with it.
//
// Errors: *Error, *credential.Error for a text that is no code, or *qr.Error for a picture that does
// not show one; Code has the code of each.
func (r *Reader) Read(ctx context.Context, in Input) (*Result, error) {
	given := 0
	for _, size := range []int{len(in.Code), len(in.Credential), len(in.Image), len(in.File)} {
		if size > 0 {
			given++
		}
	}
	switch withFile := len(in.File) > 0 && len(in.Credential) > 0; {
	case given == 2 && withFile:
		return readPair(in.File, in.Credential)
	case given != 1:
		return nil, errorf(CodeArgument, "give one thing to verify: a code, a credential, an image or a file; or a file with its credential")
	case in.Code != "":
		return readText(in.Code, SourceCode)
	case len(in.Credential) > 0:
		return readCredential(in.Credential)
	case len(in.Image) > 0:
		return r.readImage(ctx, in.Image)
	}
	return r.readFile(ctx, in.File)
}

// readFile tells by its contents what a file is.
func (r *Reader) readFile(ctx context.Context, b []byte) (*Result, error) {
	switch {
	case len(b) > MaxFile:
		return nil, errTooLarge("file", MaxFile)
	case isImage(b):
		return r.readImage(ctx, b)
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return r.readDocument(ctx, b, SourcePDF, attachedToPDF)
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return r.readDocument(ctx, b, SourceOFD, attachedToOFD)
	case len(b) > MaxCredential:
		return nil, errorf(CodeUnrecognised, "this is no PDF, OFD, picture, credential or code: a file of another kind is given together with its credential")
	}
	return readCredential(b)
}

// readPair reads a licence's file that comes with its credential.
func readPair(file, encoded []byte) (*Result, error) {
	if len(file) > MaxFile {
		return nil, errTooLarge("file", MaxFile)
	}
	result, err := readCredential(encoded)
	if err != nil {
		return nil, err
	}
	sum := sm.Sum(file)
	result.File = &sum
	return result, nil
}

// Belongs says whether a licence was issued with a file: whether the file's SM3 is among the document
// digests that the presentation discloses. It relies on nothing unless the verdict's content passes.
//
// Errors: CodeNotOfLicence, CodeNotDisclosed.
func Belongs(o *credential.Opened, file sm.Hash) error {
	documents, ok := o.Value(licence.DocumentsKey)
	if !ok {
		return errorf(CodeNotDisclosed, "the presentation does not show the digests of the licence's files: have the field %q shown too", licence.DocumentsKey)
	}
	digest := file.String()
	for d := range documents.All() {
		if d == digest {
			return nil
		}
	}
	return errorf(CodeNotOfLicence, "the licence was not issued with this file: it is another one, or it was changed")
}

// Stored returns the item of a presentation that was kept behind a reference.
func Stored(presentation []byte) Item { return newItem(presentation, SourceReference) }

// newItem leaves it to the verdict to say what is wrong with bytes that do not parse.
func newItem(b []byte, source Source) Item {
	p, err := credential.Parse(b)
	if err != nil {
		p = nil
	}
	return Item{Bytes: b, Parsed: p, Source: source}
}

func one(b []byte, source Source) *Result { return &Result{Items: []Item{newItem(b, source)}} }

// start is what every presentation begins with in CBOR: an array of eight, and the version.
var start = []byte{0x88, credential.Version}

// startBase64 is start in base64, as far as whole letters go: the version's last bits are in the third.
const startBase64 = "iA"

// readCredential reads presentations in their encoding, or as text.
func readCredential(b []byte) (*Result, error) {
	if len(b) > MaxCredential {
		return nil, errTooLarge("credential", MaxCredential)
	}
	if bytes.HasPrefix(b, start) {
		return split(b, SourceCredential)
	}
	return readText(string(b), SourceCredential)
}

// split takes a sequence of presentations apart (RFC 8742). What looks like one and cannot be read is
// an altered presentation if it stands alone.
func split(b []byte, source Source) (*Result, error) {
	result := new(Result)
	for rest := b; len(rest) > 0; {
		p, size, err := credential.ParsePrefix(rest)
		switch {
		case err != nil && len(result.Items) == 0:
			return &Result{Items: []Item{{Bytes: b, Source: source}}}, nil
		case err != nil:
			return nil, errorf(CodeDamagedBundle, "after %d credentials comes something that is none: the bundle is damaged", len(result.Items))
		case len(result.Items) == MaxItems:
			return nil, errorf(CodeTooMany, "there are more than %d credentials: give them in parts", MaxItems)
		}
		result.Items = append(result.Items, Item{Bytes: rest[:size:size], Parsed: p, Source: source})
		rest = rest[size:]
	}
	return result, nil
}

// decodeBase64 reads a credential's text in either alphabet, with or without padding and line breaks.
func decodeBase64(text string) ([]byte, bool) {
	clean := make([]byte, 0, len(text))
	for _, c := range []byte(text) {
		switch c {
		case '\r', '\n', ' ', '\t', '=':
		case '-':
			clean = append(clean, '+')
		case '_':
			clean = append(clean, '/')
		default:
			clean = append(clean, c)
		}
	}
	b, err := base64.RawStdEncoding.AppendDecode(nil, clean)
	return b, err == nil && bytes.HasPrefix(b, start)
}

func errTooLarge(what string, limit int) error {
	return errorf(CodeTooLarge, "the %s is too large: at most %d KiB are read", what, limit>>10)
}
