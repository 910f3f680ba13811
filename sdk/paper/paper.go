// Package paper prints a licence: A4 pages in PDF with the fields that the holder chose, and the code that
// proves them (纸质核验码).
//
// What is printed, what is in the code and what is attached to the file is one presentation. So whoever gets
// the sheet scans the code, whoever gets the file hands in the file, and both learn the same; nothing more
// than was chosen is in either. The words on the sheet prove nothing, and the sheet says so: anybody can print
// such words. A sheet cannot prove who shows it, and says that too; it is for good, while the licence may be
// revoked tomorrow, which is why it names no state.
//
// The pages hold no script, no link, nothing from outside and no picture but the code, and all faces are
// embedded. Three of them make up the text: Droid Sans Fallback for Chinese characters (GB/T 2312, GBK and
// all of Extension A), DejaVu Sans for Latin, Greek and Cyrillic letters and most symbols, and for 2,400
// further characters of names and places (all that the General Table of Standard Chinese Characters has
// beyond the first) the outlines of Noto Sans CJK. A character that none of them has is an error: a name is
// never printed with a box in it. The scripts whose letters change with their neighbours, such as Arabic and
// Tibetan, are not drawn.
//
// The package reads no clock and no file, and the same Sheet always gives the same bytes.
package paper

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/attach"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
)

// The languages of a sheet.
const (
	Chinese = "zh" // Chinese only
	English = "en" // English, with the Chinese beneath for the counter
)

// A Sheet is what one print shows.
type Sheet struct {
	// Shown is what the holder shows: these fields are printed, in the order of the dictionary, are in the
	// code and are attached to the file. It has at least one field, and no holder part: a proof that is
	// minutes old when it is scanned only spoils the verdict.
	Shown *credential.Opened

	Issuer  licence.Text // name of the department that issued the licence
	Unit    licence.Text // name of its unit; may be empty
	Purpose licence.Text // name of the matter that it is printed for; may be empty

	Host     string    // host, and port, of the page that checks codes; see credential.EncodeCode
	Printed  time.Time // shown to the minute in UTC+8; not before 1970
	Large    bool      // large type, for those who see badly
	Language string    // Chinese or English
}

// Print writes a sheet as a PDF file (ISO 32000-1) with the presentation attached to it (package attach).
// It has as many pages as the values need; the code is on the first. It takes some 60 milliseconds and, while it
// lasts, 45 MB.
//
// Errors: *Error, and those of w.
func Print(w io.Writer, s Sheet) error {
	if err := s.check(); err != nil {
		return err
	}
	symbol, err := s.symbol()
	if err != nil {
		return err
	}
	if err := s.drawable(); err != nil {
		return err
	}
	plain, err := draw(s.name(), s.Language, s.Printed, s.layOut(symbol))
	if err != nil {
		return err
	}
	file, err := attach.Attach(plain, s.Shown.Bytes())
	if err != nil {
		return fmt.Errorf("print a licence: %w", err)
	}
	if _, err := w.Write(file.File); err != nil {
		return fmt.Errorf("write a printed licence: %w", err)
	}
	return nil
}

func (s *Sheet) check() error {
	switch {
	case s.Shown == nil || len(s.Shown.Fields) == 0:
		return errorf(CodeBadSheet, "choose at least one field to show")
	case s.Shown.Holder != nil:
		return errorf(CodeHolderProof, "a proof of the holder does not last as long as paper: print a presentation without one")
	case s.Issuer.Zh == "" || s.Issuer.En == "" && s.Language == English:
		return errorf(CodeBadSheet, "give the issuer's name")
	case s.Language != Chinese && s.Language != English:
		return errorf(CodeBadSheet, "the language of a sheet is zh or en")
	case s.Printed.Unix() < 0 || s.Printed.Year() > 9998:
		return errorf(CodeBadSheet, "give the time of printing")
	}
	return nil
}

// symbol makes the QR symbol of the code.
func (s *Sheet) symbol() (*qr.Symbol, error) {
	code, err := credential.EncodeCode(s.Host, s.Shown.Presentation)
	if e := (*credential.Error)(nil); errors.As(err, &e) && e.Code == credential.CodeBadCode {
		return nil, &Error{Code: CodeBadSheet, Message: "give the host of the page that checks codes, such as verify.example.gov.cn", Err: err}
	}
	var symbol *qr.Symbol
	if err == nil {
		symbol, err = qr.Encode(code, qr.DefaultLevel(code))
	}
	if err != nil {
		return nil, &Error{Code: CodeTooMuch, Message: "the fields chosen do not fit into one code: choose fewer, or hand in the credential's file instead", Err: err}
	}
	return symbol, nil
}
