package accesslog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// An export is a log for somebody to audit elsewhere: JSON Lines, without the salts, so that nobody
// can tell whose licences the entries are about. Bytes are in base64, hashes in lower-case hex:
//
//	{"accessLog":1,"ledger":HASH,"department":ID,"log":ID}     first
//	{"entry":BYTES}                                           each, in order
//	{"checkpoint":BYTES,"consistency":[HASH,...]}             behind the entries that it covers
//	{"entries":N}                                             last
//
// consistency proves that the log only grew since the checkpoint before (access.VerifyConsistency), or
// since it was empty; a checkpoint of more entries than the log has comes without.
type exportLine struct {
	Version     int        `json:"accessLog,omitempty"`
	Ledger      *sm.Hash   `json:"ledger,omitempty"`
	Department  string     `json:"department,omitempty"`
	Log         string     `json:"log,omitempty"`
	Entry       []byte     `json:"entry,omitempty"`
	Checkpoint  []byte     `json:"checkpoint,omitempty"`
	Consistency *[]sm.Hash `json:"consistency,omitempty"`
	Entries     *uint64    `json:"entries,omitempty"`
}

const exportVersion = 1

// maxLine is the longest line of an export in bytes.
const maxLine = 64 << 10

// Write writes an export of a log. One that is damaged is not exported. The error is an *Error, or that
// of w.
func (f *Files) Write(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	e := json.NewEncoder(out)
	if err := e.Encode(exportLine{Version: exportVersion, Ledger: &f.id.Ledger, Department: f.id.Department, Log: f.id.Log}); err != nil {
		return err
	}
	var entries uint64
	var problem *Finding
	err := f.read(func(found Finding) {
		if problem == nil {
			problem = &found
		}
	}, func(it *item) error {
		if problem != nil {
			return errEnough
		}
		if it.checkpoint == nil {
			entries++
			return e.Encode(exportLine{Entry: it.entry})
		}
		l := exportLine{Checkpoint: it.checkpoint.statement}
		if !it.unproven {
			l.Consistency = &it.proof
		}
		return e.Encode(l)
	})
	if problem != nil {
		return damaged("the access log cannot be exported: %s", problem)
	} else if err != nil {
		return err
	}
	if err := e.Encode(exportLine{Entries: &entries}); err != nil {
		return err
	}
	return out.Flush()
}

// An Export is a Source: a log that Files.Write wrote. It can be read once.
type Export struct {
	id    Identity
	lines *bufio.Scanner
}

// ReadExport begins to read an export, and says which log it is of. The error is an *Error with
// CodeExport, or that of in.
func ReadExport(in io.Reader) (*Export, error) {
	x := &Export{lines: bufio.NewScanner(in)}
	x.lines.Buffer(nil, maxLine)
	first, err := x.next()
	if err != nil {
		return nil, err
	}
	if first.kind() != lineFirst || first.Version != exportVersion || !idForm.MatchString(first.Department) || !idForm.MatchString(first.Log) {
		return nil, errorf(CodeExport, nil, "this is not an export of an access log, or one of another version")
	}
	x.id = Identity{*first.Ledger, first.Department, first.Log}
	return x, nil
}

// The kinds of line.
const (
	lineNone = iota
	lineFirst
	lineEntry
	lineCheckpoint
	lineLast
)

// kind tells what a line is by what it has; lineNone is something else.
func (l *exportLine) kind() int {
	has := 0
	for i, there := range [...]bool{l.Version != 0, l.Ledger != nil, l.Department != "", l.Log != "", l.Entry != nil, l.Checkpoint != nil, l.Consistency != nil, l.Entries != nil} {
		if there {
			has |= 1 << i
		}
	}
	switch has {
	case 1 | 1<<1 | 1<<2 | 1<<3:
		return lineFirst
	case 1 << 4:
		return lineEntry
	case 1 << 5, 1<<5 | 1<<6:
		return lineCheckpoint
	case 1 << 7:
		return lineLast
	}
	return lineNone
}

// next reads a line.
func (x *Export) next() (*exportLine, error) {
	if !x.lines.Scan() {
		switch err := x.lines.Err(); {
		case err == bufio.ErrTooLong:
			return nil, errorf(CodeExport, nil, "a line of the export is longer than any can be")
		case err != nil:
			return nil, err
		}
		return nil, errorf(CodeExport, nil, "the export ends before its last line; copy it again")
	}
	d := json.NewDecoder(bytes.NewReader(x.lines.Bytes()))
	d.DisallowUnknownFields()
	l := new(exportLine)
	if d.Decode(l) != nil || d.InputOffset() != int64(len(x.lines.Bytes())) {
		return nil, errorf(CodeExport, nil, "a line of the export is not one of the forms that it can have")
	}
	return l, nil
}

// Identity implements Source.
func (x *Export) Identity() Identity { return x.id }

func (x *Export) whole() bool { return false }

// read implements Source.
func (x *Export) read(_ func(Finding), visit func(*item) error) error {
	for entries := uint64(0); ; {
		l, err := x.next()
		if err != nil {
			return err
		}
		it := new(item)
		switch l.kind() {
		case lineEntry:
			entries++
			it.entry, it.leaf = l.Entry, access.Leaf(l.Entry)
		case lineCheckpoint:
			c, err := access.ParseCheckpoint(l.Checkpoint)
			if err != nil {
				return errorf(CodeExport, err, "what the export has after %d entries is not a checkpoint", entries)
			}
			it.checkpoint = &stored{Head{c.Size, c.Root}, l.Checkpoint}
			if l.Consistency != nil {
				it.proof = *l.Consistency
			}
		case lineLast:
			if *l.Entries != entries || x.lines.Scan() {
				return errorf(CodeExport, nil, "the export does not have the number of entries that it ends with, or goes on after its end")
			}
			return x.lines.Err()
		default:
			return errorf(CodeExport, nil, "a line of the export is not one of the forms that it can have")
		}
		if err := visit(it); err != nil {
			return err
		}
	}
}

var (
	_ Source       = (*Files)(nil)
	_ Source       = (*Export)(nil)
	_ access.Nodes = (*reader)(nil)
)
