package issuer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/credledger/credledger/sdk/licence"
)

// A Rejection is one line of a rejects file: one thing wrong with one record. It holds no value of
// the record. A record with several things wrong has several lines.
type Rejection struct {
	Record  int64  `json:"record"`          // number in the whole of the inputs, from 1
	Input   int    `json:"input"`           // which of the inputs, from 1
	Line    int    `json:"line"`            // line of that input on which the record begins, from 1
	Code    string `json:"code"`            // of package licence, or CodeLicenceActive
	Field   string `json:"field,omitempty"` // key of the field; absent if it is about the whole record
	Message string `json:"message"`
}

// A rejectsFile is the rejects file of a run. What it says of records that are settled counts; what stands after
// that was written by a run that died before it could settle it, and is cut off.
type rejectsFile struct {
	*tail                    // nil: rejections are only counted
	settled int64            // length that counts
	records int64            // rejected in it
	reasons map[string]int64 // of these, by the code of the first thing that is wrong

	fresh []string // codes of the records that were written and are not settled yet
}

func newRejects() *rejectsFile { return &rejectsFile{reasons: map[string]int64{}} }

// openRejects opens a rejects file of which the rejections of the first records count, of so many records; it is
// made when something is written. A file that has not just these is CodeOutputDamaged.
func openRejects(path string, settled, rejected int64) (*rejectsFile, error) {
	f := newRejects()
	err := f.read(path, settled)
	if err == nil && f.records != rejected {
		err = errorf(CodeOutputDamaged, nil, "%s does not name the %d records that were rejected; put back what this run has written, and run again", path, rejected)
	}
	if err == nil {
		f.tail, err = openTail(path, f.settled, true)
	}
	if err != nil {
		return nil, err
	}
	return f, f.begin()
}

// read reads what counts of a rejects file, if it is there.
func (f *rejectsFile) read(path string, settled int64) error {
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return storageError("read the rejects", err)
	}
	defer in.Close()
	lines := bufio.NewReaderSize(in, tailBuffer)
	for last := int64(0); ; {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return storageError("read the rejects", err)
		}
		var r Rejection
		if err != nil || json.Unmarshal(line, &r) != nil || r.Record > settled || r.Record < last {
			return nil
		}
		f.settled += int64(len(line))
		if r.Record != last {
			f.count(r.Code)
		}
		last = r.Record
	}
}

// count counts a record that is rejected.
func (f *rejectsFile) count(code string) {
	f.records++
	f.reasons[code]++
}

// begin cuts off what was written and not settled: the transaction that was to settle it is tried again.
func (f *rejectsFile) begin() error {
	f.fresh = f.fresh[:0]
	return f.cut(f.settled)
}

// write writes what is wrong with a record.
func (f *rejectsFile) write(r Rejection, problems []licence.Problem) error {
	f.fresh = append(f.fresh, problems[0].Code)
	if f.tail == nil {
		return nil
	}
	for _, p := range problems {
		r.Code, r.Field, r.Message = p.Code, p.Field, p.Message
		b, err := json.Marshal(&r)
		if err != nil {
			return fmt.Errorf("write a rejection: %w", err)
		}
		if err := f.append(append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// settle has what was written count.
func (f *rejectsFile) settle() {
	for _, code := range f.fresh {
		f.count(code)
	}
	f.fresh = f.fresh[:0]
	if f.tail != nil {
		f.settled = f.length
	}
}
