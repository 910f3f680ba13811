package issuer

import "time"

// EndAfter ends runs of Issue, with the error that end returns, after the steps of the type run.
func (iss *Issuer) EndAfter(end func(step string) error) { iss.step = end }

// SetGroup sets how many records are settled at once.
func (iss *Issuer) SetGroup(records int) { iss.groupRecords = records }

// SetBusyTimeout sets how long registers that are opened from now on wait for each other.
func SetBusyTimeout(d time.Duration) { busyTimeout = d }

// Steps after which a run can be ended, in the order in which they are taken first.
var Steps = []string{stepBegun, stepWritten, stepRegistered, stepAnchored, stepDelivered, stepDone}
