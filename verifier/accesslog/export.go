package accesslog

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	err := f.read(&reading{
		proofs:  true,
		prepare: func() func(*item, string) { return func(*item, string) {} },
		report: func(found Finding) {
			if problem == nil {
				problem = &found
			}
		},
		visit: func(it *item) error {
			if problem != nil {
				return errEnough
			}
			if it.kind == entryItem {
				entries++
				return e.Encode(exportLine{Entry: it.bytes})
			}
			l := exportLine{Checkpoint: it.checkpoint.statement}
			if !it.unproven {
				l.Consistency = &it.proof
			}
			return e.Encode(l)
		},
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
	b, err := x.line()
	if err != nil {
		return nil, err
	}
	first, err := parseLine(b)
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

// line reads a line; errShort says that there are no more.
func (x *Export) line() ([]byte, error) {
	if x.lines.Scan() {
		return x.lines.Bytes(), nil
	}
	switch err := x.lines.Err(); {
	case err == bufio.ErrTooLong:
		return nil, errorf(CodeExport, nil, "a line of the export is longer than any can be")
	case err != nil:
		return nil, err
	}
	return nil, errShort
}

var (
	errShort = errorf(CodeExport, nil, "the export ends before its last line; copy it again")
	errLine  = errorf(CodeExport, nil, "a line of the export is not one of the forms that it can have")
	errCount = errorf(CodeExport, nil, "the export does not have the number of entries that it ends with, or goes on after its end")
)

// parseLine parses a line.
func parseLine(b []byte) (*exportLine, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	l := new(exportLine)
	if d.Decode(l) != nil || d.InputOffset() != int64(len(b)) {
		return nil, errLine
	}
	return l, nil
}

// The line of an entry, as Write writes it.
const (
	entryBegin = `{"entry":"`
	entryEnd   = `"}`
)

// parseEntryLine is parseLine for nearly all lines; ok is false for others.
func parseEntryLine(b []byte) (entry []byte, ok bool) {
	inner, begins := bytes.CutPrefix(b, []byte(entryBegin))
	inner, ends := bytes.CutSuffix(inner, []byte(entryEnd))
	if !begins || !ends || bytes.IndexByte(inner, '\r') >= 0 { // which base64 would pass over
		return nil, false
	}
	entry = make([]byte, base64.StdEncoding.DecodedLen(len(inner)))
	n, err := base64.StdEncoding.Decode(entry, inner)
	return entry[:n], err == nil && n > 0
}

// parse makes of a lineItem what it is of.
func (it *item) parse() {
	if entry, ok := parseEntryLine(it.bytes); ok {
		it.kind, it.bytes = entryItem, entry
		return
	}
	l, err := parseLine(it.bytes)
	if err != nil {
		it.err = err
		return
	}
	switch l.kind() {
	case lineEntry:
		it.kind, it.bytes = entryItem, l.Entry
	case lineCheckpoint:
		c, err := access.ParseCheckpoint(l.Checkpoint)
		if err != nil {
			it.err = errorf(CodeExport, err, "what the export has as a checkpoint is none")
			return
		}
		it.kind, it.bytes = checkpointItem, nil
		it.checkpoint = &stored{Head{c.Size, c.Root}, l.Checkpoint}
		if it.unproven = l.Consistency == nil; !it.unproven {
			it.proof = *l.Consistency
		}
	case lineLast:
		it.kind, it.entries = lastItem, *l.Entries
	default:
		it.err = errLine
	}
}

// Identity implements Source.
func (x *Export) Identity() Identity { return x.id }

func (x *Export) whole() bool { return false }

// read implements Source.
func (x *Export) read(r *reading) error {
	var entries uint64
	ended := false
	err := read(x.put, r.each, func(it *item) error {
		switch {
		case it.err != nil:
			return it.err
		case ended, it.kind == lastItem && it.entries != entries:
			return errCount
		case it.kind == lastItem:
			ended = true
			return nil
		case it.kind == entryItem:
			entries++
		}
		return r.visit(it)
	})
	if ended && errors.Is(err, errShort) {
		return nil
	}
	return err
}

// put puts the lines after the first.
func (x *Export) put(p *pipeline) error {
	for {
		b, err := x.line()
		if err == nil {
			err = p.put(item{kind: lineItem, bytes: b})
		}
		if err != nil {
			return err
		}
	}
}

var (
	_ Source       = (*Files)(nil)
	_ Source       = (*Export)(nil)
	_ access.Nodes = (*reader)(nil)
)
