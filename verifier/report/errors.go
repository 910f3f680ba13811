package report

import "fmt"

// Codes of the errors of this package; they are part of the interface and never change.
const (
	CodePeriod      = "period-invalid"         // not a month, a quarter or a year
	CodeSelfReport  = "self-report-invalid"    // not a self-report, or one that does not belong into this report
	CodeTooMany     = "report-too-large"       // a log names more agencies, matters or types than there can be
	CodeOtherLedger = "report-other-ledger"    // an access log of another ledger
	CodeDuplicate   = "report-duplicate-input" // an access log, or a department's self-report, is there twice
	CodeReport      = "report-malformed"       // not a report in JSON
	CodeScope       = "report-scope-differs"   // a tally was made for another report
)

// An Error says why there is no report.
type Error struct {
	Code    string // one of the codes above
	Message string // what is wrong and what to do
}

func (e *Error) Error() string { return e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
