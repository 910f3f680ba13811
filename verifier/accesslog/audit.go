package accesslog

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// Codes of findings, beside those of errors; they are part of the interface and never change.
const (
	CodeEntryMalformed      = "entry-malformed"          // not an entry
	CodeEntryAltered        = "entry-altered"            // not the one whose leaf the stored tree has
	CodeIndexAltered        = "index-altered"            // stored nodes, places or tags are not those of the entries
	CodeCheckpointInvalid   = "checkpoint-invalid"       // not this log's, or not signed by a key of its department for this
	CodeCheckpointOrder     = "checkpoint-order"         // not of a greater size than the one before
	CodeCheckpointNotLedger = "checkpoint-not-on-ledger" // the ledger has later ones, but not this
	CodeInconsistent        = "log-inconsistent"         // the log of a checkpoint is not the beginning of that of the next
	CodeHeadDiffers         = "head-differs"             // the log is not the one that had this head
)

// A Finding is something that is wrong with a log.
type Finding struct {
	Code    string // one of the codes above, CodeDamaged, CodeForked or CodeRolledBack
	At      uint64 // index of the entry, or size of the log, that it is about
	Message string
}

func (f Finding) String() string {
	return f.Code + " at " + strconv.FormatUint(f.At, 10) + ": " + f.Message
}

// maxFindings is how many findings an audit makes before it has seen enough.
const maxFindings = 100

// A Head is a size of a log and its root then. Who keeps one elsewhere can tell later whether the log
// still has what it had.
type Head struct {
	Size uint64
	Root sm.Hash
}

// String returns SIZE:ROOT, the size in decimal, the root in 64 lower-case hexadecimal digits.
func (h Head) String() string { return strconv.FormatUint(h.Size, 10) + ":" + h.Root.String() }

// ParseHead is the inverse of String and accepts nothing else.
func ParseHead(s string) (Head, error) {
	size, root, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(size, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != size {
		return Head{}, fmt.Errorf("a head of an access log is written SIZE:ROOT, the size as a decimal number of entries")
	}
	h, err := sm.ParseHash(root)
	if err != nil {
		return Head{}, fmt.Errorf("a head of an access log is written SIZE:ROOT: %w", err)
	}
	return Head{n, h}, nil
}

// A Report is what an audit found.
type Report struct {
	Identity    Identity
	Head        Head   // of what was read
	Checkpoints int    // on the ledger, of the log as it was read
	Anchored    uint64 // the size of the newest of them
	Unseen      int    // checkpoints of the log that are newer than the view of the ledger
	Ledger      uint64 // the size of the newest checkpoint on the ledger
	Findings    []Finding
	Incomplete  bool // the audit ended early
}

// Clean reports whether all was read and nothing is wrong with it.
func (r *Report) Clean() bool { return len(r.Findings) == 0 && !r.Incomplete }

// Behind returns how many entries the ledger knows of that were not read: an export may be older than
// the ledger, or a part of the log withheld.
func (r *Report) Behind() uint64 { return max(r.Ledger, r.Head.Size) - r.Head.Size }

// A Ledger is what an audit asks of a view of the ledger; *index.Index is one. Key is called by several
// goroutines at a time.
type Ledger interface {
	// Checkpoints yields the checkpoints of a log, the smallest size first. It has judged their statements.
	Checkpoints(department, log string) iter.Seq2[verify.Checkpoint, error]
	// Key returns a key, nil if it was never enrolled.
	Key(kid sm.Hash) *verify.Key
}

// AuditOptions are what an audit may be told.
type AuditOptions struct {
	Expect *Head // one that the log must have had
	// Entry is called with each entry, in no order and by several goroutines at a time; the entry is good until
	// it returns. Its error ends the audit, and is that of Audit.
	Entry    func(*access.Entry) error
	Progress func(entries uint64) // called from time to time
}

// An anchored is a checkpoint on the ledger.
type anchored struct {
	Head
	statement sm.Hash // SM3 of the signed statement
}

// An audit is one on its way.
type audit struct {
	options  AuditOptions
	id       Identity
	ledger   Ledger
	records  []anchored // on the ledger, the smallest size first; not changed while the log is read
	next     int        // of the records: the first that was not reached
	report   *Report
	frontier access.Frontier
	rooted   Head   // size and root when the root was last computed
	last     Head   // of the checkpoint before
	lost     uint64 // size of a checkpoint that the log is too short for
	record   Head   // the newest of the records that were reached
	forked   bool   // a root differed; those after it will too
}

// Audit reads a log and recomputes it: every leaf, the root at every checkpoint on the ledger, whether the
// log only grew between each of its checkpoints and the next, and who signed them. It finds an entry that
// was removed, altered or put in, and a log that was forked or rolled back since it was last
// anchored. The error is an *Error of the source, or that of the ledger's view or of options.Entry.
func Audit(source Source, ledger Ledger, options AuditOptions) (*Report, error) {
	id := source.Identity()
	a := &audit{options: options, id: id, ledger: ledger, report: &Report{Identity: id}, last: Head{0, access.EmptyRoot}}
	// First: the log may go on, and then the ledger has checkpoints that were not in what was read.
	for c, err := range ledger.Checkpoints(id.Department, id.Log) {
		if err != nil {
			return nil, err
		}
		a.records = append(a.records, anchored{Head{c.Size, c.Root}, c.Statement})
		a.report.Ledger = c.Size
	}
	a.reached()
	err := source.read(&reading{prepare: a.prepare, report: a.found, visit: a.visit})
	switch {
	case errors.Is(err, errEnough):
		a.report.Incomplete = true
	case err != nil:
		return nil, err
	default:
		a.end(source.whole())
	}
	a.report.Head = Head{a.frontier.Size(), a.frontier.Root()}
	return a.report, nil
}

// errEnough ends a reading after a finding that nothing more can be found after.
var errEnough = errors.New("the audit ends here")

func (a *audit) found(f Finding) { a.report.Findings = append(a.report.Findings, f) }

func (a *audit) foundf(code string, at uint64, format string, args ...any) {
	a.found(Finding{code, at, fmt.Sprintf(format, args...)})
}

// prepare judges items by themselves.
func (a *audit) prepare() func(it *item, entry string) {
	e := new(access.Entry)
	return func(it *item, entry string) {
		if it.kind == checkpointItem {
			it.problem = a.problem(it.checkpoint)
		} else if err := e.Read(entry); err != nil {
			it.problem = err.Error()
		} else if a.options.Entry != nil {
			it.err = a.options.Entry(e)
		}
	}
}

func (a *audit) visit(it *item) error {
	if it.err != nil {
		return it.err
	}
	if it.kind == checkpointItem {
		a.checkpoint(it)
	} else {
		a.entry(it)
	}
	if len(a.report.Findings) >= maxFindings {
		return errEnough
	}
	return nil
}

// progressEvery is the number of entries between two calls of Progress.
const progressEvery = 1 << 14

func (a *audit) entry(it *item) {
	if it.problem != "" {
		a.foundf(CodeEntryMalformed, a.frontier.Size(), "%s", it.problem)
	}
	a.frontier.Append(it.leaf)
	a.reached()
	if a.options.Progress != nil && a.frontier.Size()%progressEvery == 0 {
		a.options.Progress(a.frontier.Size())
	}
}

// root returns the root over the entries so far.
func (a *audit) root() sm.Hash {
	if size := a.frontier.Size(); size == 0 || a.rooted.Size != size {
		a.rooted = Head{size, a.frontier.Root()}
	}
	return a.rooted.Root
}

// reached compares the root with what it must be at this size.
func (a *audit) reached() {
	size := a.frontier.Size()
	if e := a.options.Expect; e != nil && e.Size == size && e.Root != a.root() {
		a.foundf(CodeHeadDiffers, size, "the first %d entries are not those that the expected head is of", size)
	}
	for ; a.next < len(a.records) && a.records[a.next].Size == size; a.next++ {
		a.record = a.records[a.next].Head
		if a.record.Root != a.root() {
			a.fork(size, "on the ledger")
			continue
		}
		a.report.Checkpoints++
		a.report.Anchored = size
	}
}

// fork reports that the entries are not those of a checkpoint. One finding says it: later roots are
// others for the same reason.
func (a *audit) fork(size uint64, where string) {
	if !a.forked {
		a.forked = true
		a.foundf(CodeForked, size, "the first %d entries are not those of the checkpoint %s: one after the first %d was altered, removed or put in", size, where, a.report.Anchored)
	}
}

// checkpoint judges a checkpoint that the log has stored.
func (a *audit) checkpoint(it *item) {
	c := it.checkpoint
	if it.problem != "" {
		a.foundf(CodeCheckpointInvalid, c.Size, "%s", it.problem)
	}
	size := a.frontier.Size()
	if c.Size > size {
		a.lost = max(a.lost, c.Size)
		return
	}
	switch {
	case c.Size < size || c.Size <= a.last.Size:
		a.foundf(CodeCheckpointOrder, c.Size, "the checkpoint does not come where it belongs")
	case c.Root != a.root():
		a.fork(c.Size, "in the log")
	}
	switch {
	case c.Head == a.record:
	case c.Size > a.report.Ledger:
		a.report.Unseen++
	default:
		a.foundf(CodeCheckpointNotLedger, c.Size, "the ledger does not have this checkpoint, but has later ones")
	}
	if c.Size >= a.last.Size && !it.unproven && !a.forked && !access.VerifyConsistency(a.last.Size, c.Size, it.proof, a.last.Root, c.Root) {
		a.foundf(CodeInconsistent, c.Size, "the log of %d entries is not shown to be the beginning of this one", a.last.Size)
	}
	a.last = c.Head
}

// problem says what is wrong with a checkpoint by itself, "" if nothing is. One whose statement is on the
// ledger, byte for byte, was judged when the ledger's view took it in: by more than is judged here, its
// signature included.
func (a *audit) problem(c *stored) string {
	at, found := slices.BinarySearchFunc(a.records, c.Size, func(r anchored, size uint64) int { return cmp.Compare(r.Size, size) })
	if found && a.records[at] == (anchored{c.Head, sm.Sum(c.statement)}) {
		return ""
	}
	says, err := access.ParseCheckpoint(c.statement)
	if err != nil {
		return err.Error()
	}
	if (Identity{says.Ledger, says.Department, says.Log}) != a.id {
		return "it is of another log"
	}
	if (Head{says.Size, says.Root}) != c.Head {
		return "it is stored under another size or root"
	}
	key := a.ledger.Key(says.Signed.KeyID)
	switch {
	case key == nil:
		return "its signing key was never enrolled"
	case key.Department != a.id.Department || !key.Purposes.Has(statement.PurposeLog):
		return "its signing key is not one of the department for this"
	case !says.Signed.Verify(key.Public):
		return "its signature does not verify"
	}
	return ""
}

// end judges what was not reached.
func (a *audit) end(whole bool) {
	lost := a.lost
	if e := a.options.Expect; e != nil {
		lost = max(lost, e.Size)
	}
	if whole {
		lost = max(lost, a.report.Ledger)
	}
	if size := a.frontier.Size(); lost > size {
		a.foundf(CodeRolledBack, size, "the log has %d entries, but once had %d", size, lost)
	}
}
