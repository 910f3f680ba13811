package issuer

import (
	"bytes"
	"time"
)

// EndAfter ends what is being done, with the error that end returns, after the steps that have names.
func (iss *Issuer) EndAfter(end func(step string) error) { iss.step = end }

// SetGroup sets how many records of a job are settled at once, however long they take to come.
func (iss *Issuer) SetGroup(records int) { iss.groupRecords, iss.groupDelay = records, time.Hour }

// Steps after which a run can be ended, in the order in which they are taken first.
var Steps = []string{stepBegun, stepWritten, stepStored, stepAnchored, stepDelivered, stepDone}

// ReadList reads a list of status changes as far as it can be read.
func ReadList(b []byte) (rows []map[string]string) {
	next, err := listRows(bytes.NewReader(b))
	for err == nil {
		var it item
		if it, _, err = next(); it.row != nil {
			rows = append(rows, it.row)
		}
	}
	return rows
}
