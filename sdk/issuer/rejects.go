package issuer

import (
	"encoding/json"
	"fmt"

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

// reject writes what is wrong with a record, if anything is, to the rejects file.
func (r *run) reject(it *item) error {
	for _, p := range it.problems {
		b, err := json.Marshal(&Rejection{it.record, it.input, it.line, p.Code, p.Field, p.Message})
		if err != nil {
			return fmt.Errorf("write a rejection: %w", err)
		}
		if err := r.rejects.write(append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// problem is the one thing wrong with a record.
func problem(code, field, format string, args ...any) []licence.Problem {
	return []licence.Problem{{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}}
}
