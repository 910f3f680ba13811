// Package report computes the indicators by which a city sees how its licences are used: what was
// issued, how many verifications ended in a definitive verdict, how often materials did not have to be
// collected again, how late changes of status reach the ledger. docs/INDICATORS.md defines numerator
// and denominator of each.
//
// A report is of a month, a quarter or a year, and of all departments or of one. It is made from three
// things, and each of its indicators says from which:
//
//	ledger         anybody who has the ledger up to the same block computes the same number
//	access logs    and who has the entries of the same access logs
//	self-reports   what departments say of themselves, in a file each; nobody can recompute that
//
// The entries of a log go through a Tally, in any order, several at a time and in bounded memory; an
// auditor hands them over while the log is audited (accesslog.AuditOptions.Entry). Tallies of several
// logs can be filled at the same time. New then puts the report together, which is written as JSON, as
// CSV, or as a table for people.
//
//	scope := &report.Scope{Period: period, Matters: matters}
//	tally := report.NewTally(scope)
//	audit, err := accesslog.Audit(source, view, accesslog.AuditOptions{Entry: tally.Add})
//	r, err := report.New(scope, export, []report.Log{{Tally: tally, Department: audit.Identity.Department, ...}}, nil)
//
// A request from one department to another for fields of a licence stands in the logs of both. It counts once, and
// what the two do not say the same about is told, with the name by which either finds the signed messages.
//
// Days are civil days in UTC+8, and so are the bounds of periods. Shares are computed in integers and
// rounded half up, so that the same inputs give the same bytes.
//
// The package does no I/O and reads no clock. It audits nothing: whether the logs and the ledger are
// to be believed is for those who hand them in to find out, and the report names what it was made
// from. It never sees whose licences the entries are about.
package report
