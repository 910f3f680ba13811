package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

type issueOptions struct {
	department, unit, typ string
	out, bundle, rejects  string
	predecessor           string
	batch                 int
	validFrom, validUntil string
	dryRun                bool
}

func issueCommand() *command {
	return &command{
		name: "issue", args: "--department ID --type TYPE --out DIR|--bundle FILE|--dry-run [--batch N] [--valid-from D --valid-until D] FILE...",
		summary: "issue licences from JSON, JSON Lines, XML or CSV, and anchor them",
		detail: "Each licence becomes a credential, a file in DIR; or all go into one stream with --bundle, which the\n" +
			"other commands read too. Records that are not right go to a rejects file with the reasons, while the\n" +
			"rest goes on; then the exit code is 1. Interrupted, the same command goes on where it was; nothing\n" +
			"is issued twice. A licence number that is active is refused. Validity also comes from ZZYXQQSRQ and\n" +
			"ZZYXQJZRQ in the input. In the end records, issued and rejected ones, and those on the ledger are counted\n" +
			"against each other. With --dry-run nothing is issued: it says what would be, and what rejected.",
		flags: func(c *call) {
			o := new(issueOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department that issues")
			c.flags.StringVar(&o.unit, "unit", "", "`ID` of its unit (default: its first)")
			c.flags.StringVar(&o.typ, "type", "", "`TYPE` of the licences")
			c.flags.StringVar(&o.out, "out", "", "write one file for each licence into `DIR`")
			c.flags.StringVar(&o.bundle, "bundle", "", "write all into one `FILE`")
			c.flags.StringVar(&o.rejects, "rejects", "", "write what is rejected to `FILE` (default: beside the credentials)")
			c.flags.IntVar(&o.batch, "batch", 1, "anchor up to `N` licences with one signature, at most 4096")
			c.flags.StringVar(&o.validFrom, "valid-from", "", "first day of validity, `D` like 2026-01-31")
			c.flags.StringVar(&o.validUntil, "valid-until", "", "last day of validity, `D`")
			c.flags.BoolVar(&o.dryRun, "dry-run", false, "issue nothing, say what would be issued and what rejected (in --rejects, if named)")
			c.flags.StringVar(&o.predecessor, "predecessor", "", "credential `FILE` of the licence that the one in the input takes the place of")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*issueOptions)
			switch {
			case len(c.args) == 0:
				return usagef("name the FILEs to issue from")
			case o.department == "" || o.typ == "":
				return usagef("name the department with --department and the type with --type")
			case o.dryRun && o.out+o.bundle != "":
				return usagef("a dry run makes no credentials: leave --out and --bundle away")
			case !o.dryRun && (o.out == "") == (o.bundle == ""):
				return usagef("say where the credentials go with either --out DIR or --bundle FILE")
			case o.batch < 1 || o.batch > statement.MaxBatch:
				return usagef("--batch is 1 to %d", statement.MaxBatch)
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(issue(ctx, c, o, h), h.close())
		},
	}
}

func issue(ctx context.Context, c *call, o *issueOptions, h *home) error {
	job := issuer.Job{Type: o.typ, Inputs: c.args, Dir: o.out, Bundle: o.bundle, Rejects: o.rejects, Batch: o.batch}
	var err error
	if job.ValidFrom, err = dateFlag("valid-from", o.validFrom); err != nil {
		return err
	}
	if job.ValidUntil, err = dateFlag("valid-until", o.validUntil); err != nil {
		return err
	}
	var predecessor *credential.Opened
	if o.predecessor != "" {
		if predecessor, err = c.oneOpened(o.predecessor, h.typeVersion); err != nil {
			return err
		}
	}
	if err := c.mayIssue(ctx, o, h); err != nil {
		return err
	}
	return h.withIssuer(ctx, c, o.department, o.unit, []string{o.typ}, func(iss *issuer.Issuer) error {
		if predecessor != nil {
			l, err := iss.SubjectOf(ctx, predecessor)
			if err != nil {
				return err
			}
			if job.Predecessor = l.ID; l.ID == 0 {
				return failf(vault.CodeUnknown, "%s is of no licence that the department's vault has", o.predecessor)
			}
		}
		total, err := inputSize(c.args)
		if err != nil {
			return err
		}
		run, what := iss.Issue, "issuing, KB read"
		if o.dryRun {
			run, what = iss.DryRun, "trying, KB read"
		}
		bar := c.newProgress(what)
		report, err := run(ctx, c.by(), job, func(p issuer.Progress) { bar.show(p.Bytes>>10, total>>10) })
		bar.done()
		if report.Rows > 0 && issuer.Code(err) != issuer.CodeJobDone {
			c.answer(newIssued(o, report), func(w io.Writer) { printReport(c, w, o, report) })
		}
		if err == nil && report.Rejected > 0 {
			c.exit = exitFailed
		}
		return err
	})
}

// An issuedAnswer is the answer of issue in JSON.
type issuedAnswer struct {
	DryRun      bool             `json:"dryRun,omitempty"` // issued and rejected are what would be
	Records     int64            `json:"records"`          // issued + rejected
	Issued      int64            `json:"issued"`
	Rejected    int64            `json:"rejected"`
	Reasons     map[string]int64 `json:"reasons"`            // of rejected, by the first thing that is wrong
	Batches     int64            `json:"batches"`            // put into the vault
	Pending     int64            `json:"pending"`            // of issued, those not yet known to be on the ledger
	OnLedger    *int64           `json:"onLedger,omitempty"` // of issued, those that were found on the ledger in the end
	Resumed     bool             `json:"resumed"`
	Credentials string           `json:"credentials,omitempty"` // directory or bundle
	Rejects     string           `json:"rejects,omitempty"`     // file with the reasons
	ClockBehind int64            `json:"clockBehind,omitempty"` // seconds
}

func newIssued(o *issueOptions, r issuer.Report) issuedAnswer {
	answer := issuedAnswer{
		DryRun: o.dryRun, Records: r.Rows, Issued: r.Issued, Rejected: r.Rejected, Reasons: r.Reasons, Batches: r.Batches, Resumed: r.Resumed,
		Credentials: o.out + o.bundle, Rejects: r.Rejects, ClockBehind: int64(r.ClockBehind / time.Second),
	}
	if !o.dryRun {
		answer.Pending = r.Issued - r.Anchored
	}
	if r.OnLedger >= 0 {
		answer.OnLedger = &r.OnLedger
	}
	return answer
}

func printReport(c *call, w io.Writer, o *issueOptions, r issuer.Report) {
	if o.dryRun {
		fmt.Fprintf(w, c.pick("读入 %d 条:可制发 %d,将拒收 %d;本次未制发\n", "records read: %d, would be issued: %d, would be rejected: %d; nothing was issued\n"), r.Rows, r.Issued, r.Rejected)
	} else {
		fmt.Fprintf(w, c.pick("读入 %d 条:制发 %d,拒收 %d;上链批次 %d\n", "records read: %d, issued: %d, rejected: %d; batches anchored: %d\n"), r.Rows, r.Issued, r.Rejected, r.Batches)
	}
	if pending := r.Issued - r.Anchored; pending > 0 && !o.dryRun {
		fmt.Fprintf(w, c.pick("其中 %d 条尚未确认上链\n", "not yet known to be on the ledger: %d\n"), pending)
	}
	if r.OnLedger >= 0 {
		fmt.Fprintf(w, c.pick("核对:证照库已上链 %d,账本上 %d\n", "reconciled: %d anchored in the vault, %d on the ledger\n"), r.Anchored, r.OnLedger)
	}
	c.printReasons(w, r.Reasons)
	if r.Resumed {
		fmt.Fprintln(w, c.pick("接续上次中断的制发", "went on where the last run had been interrupted"))
	}
	if r.ClockBehind > 0 {
		fmt.Fprintf(w, c.pick("时钟落后 %s,制发时间不倒退\n", "the clock is %s behind the newest licence; dates of issue do not go back\n"), r.ClockBehind.Round(time.Second))
	}
	if r.Rejects != "" {
		fmt.Fprintf(w, c.pick("拒收原因见 %s\n", "reasons of the rejections: %s\n"), r.Rejects)
	}
	if !o.dryRun {
		fmt.Fprintf(w, c.pick("凭证在 %s\n", "credentials: %s\n"), o.out+o.bundle)
	}
}

func dateFlag(name, text string) (*licence.Date, error) {
	if text == "" {
		return nil, nil
	}
	d, err := licence.ParseDate(text)
	if err != nil {
		return nil, usagef("--%s is a date like 2026-01-31", name)
	}
	return &d, nil
}

// inputSize is the length of all inputs in bytes.
func inputSize(paths []string) (int64, error) {
	var total int64
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return 0, err
		}
		if info.IsDir() {
			return 0, errIsDirectory(path)
		}
		total += info.Size()
	}
	return total, nil
}

// oneOpened reads and opens a file that holds one credential.
func (c *call) oneOpened(path string, types dictionary) (*credential.Opened, error) {
	p, err := c.one(path)
	if err != nil {
		return nil, err
	}
	return openPresentation(p, types)
}

// mayIssue refuses what the ledger would, before anything is in the vault.
func (c *call) mayIssue(ctx context.Context, o *issueOptions, h *home) error {
	d, err := h.department(ctx, o.department)
	if err != nil {
		return err
	}
	if _, err := h.licenceType(ctx, o.typ); err != nil {
		return err
	}
	if !slices.Contains(d.Issues, o.typ) {
		return failf(chaincode.CodeTypeNotIssued, "%s may not issue the type %s; the types that it may issue: %s", d.ID, o.typ, c.list(d.Issues))
	}
	if o.unit != "" && !slices.ContainsFunc(d.Units, func(u licence.Unit) bool { return u.ID == o.unit }) {
		return failf(chaincode.CodeUnitUnknown, "%s has no unit %q", d.ID, o.unit)
	}
	return nil
}
