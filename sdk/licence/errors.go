package licence

import (
	"fmt"
	"strings"
)

// Codes of problems in a record. Callers branch on them; they do not change.
const (
	UnknownField   = "unknown-field"   // a field that the type does not have
	MissingField   = "missing-field"   // a required field is absent
	DuplicateField = "duplicate-field" // a field given twice, perhaps under two of its names
	BadValue       = "bad-value"       // a value that is not of the field's kind
	Malformed      = "malformed"       // not well-formed JSON, XML or CSV
	TooLarge       = "too-large"       // a record over MaxRecord
	NotUTF8        = "not-utf8"        // bytes that are not UTF-8 text
)

// Codes of errors that end the reading of an input, beside Malformed, TooLarge and NotUTF8.
const (
	EmptyInput = "empty-input" // no record at all
	Truncated  = "truncated"   // the input ends inside a record
	WrongType  = "wrong-type"  // the input says that it holds licences of another type
	ReadFailed = "read-failed" // the io.Reader failed
)

// Problem is one thing wrong with a record. It never holds a value out of the record.
type Problem struct {
	Code    string // one of the codes of problems
	Field   string // key of the field; for UnknownField its name in the input; "" if it is about the whole record
	Message string // what is wrong and what to do, in English
}

func (p *Problem) Error() string {
	if p.Field == "" {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// RecordError is why one record was refused. Reading goes on after it.
type RecordError struct {
	Record   int // 1 for the first record of the input
	Line     int // line of the input on which the record begins, from 1
	Problems []Problem
}

// Code returns the code of the first problem.
func (e *RecordError) Code() string { return e.Problems[0].Code }

func (e *RecordError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "record %d (line %d): ", e.Record, e.Line)
	for i := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.Problems[i].Error())
	}
	return b.String()
}

// InputError ends the reading of an input: nothing after it can be told apart into records.
type InputError struct {
	Code    string // one of the codes above, except BadValue
	Line    int    // line of the input, from 1; 0 if unknown
	Field   string // for UnknownField, MissingField and DuplicateField, which a CSV header can have
	Message string
	Err     error // the io.Reader's error for ReadFailed
}

func (e *InputError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Message)
	}
	return e.Message
}

func (e *InputError) Unwrap() error { return e.Err }
