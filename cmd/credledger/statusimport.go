package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/licence"
)

type statusImportOptions struct {
	department, typ, rejects string
	to, reason, effective    string
}

func statusImportCommand() *command {
	return &command{
		name: "status import", args: "--department ID --type TYPE [--to STATE --reason R --effective D] FILE...",
		summary: "change the status of the licences in a list, as their issuer",
		detail: "FILE is CSV with a header line, or JSON Lines with one object a line. Its columns are number or digest,\n" +
			"which names the licence in the department's vault; to, reason and effective, for which the flags hold where they\n" +
			"are empty; and successor, number or digest of the licence that takes the place of one that is superseded.\n" +
			"Under a number stands the licence that holds it, else the newest that had it. Changes that cannot be made go to\n" +
			"a rejects file with the reasons, while the rest goes on; then the exit code is 1. Interrupted, the same command\n" +
			"goes on where it was.",
		flags: func(c *call) {
			o := new(statusImportOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the issuing department")
			c.flags.StringVar(&o.typ, "type", "", "`TYPE` of the licences")
			c.flags.StringVar(&o.to, "to", "", "the new `STATE`, where the list does not say it")
			c.flags.StringVar(&o.reason, "reason", "", "code of the reason, `R`, where the list does not say it")
			c.flags.StringVar(&o.effective, "effective", "", "first day of the new state, `D`, where the list does not say it (default: as for `credledger status set`)")
			c.flags.StringVar(&o.rejects, "rejects", "", "write what is rejected to `FILE` (default: beside the first list)")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*statusImportOptions)
			switch {
			case len(c.args) == 0:
				return usagef("name the FILEs with the list")
			case o.department == "" || o.typ == "":
				return usagef("name the department with --department and the type with --type")
			case o.to != "" && !licence.State(o.to).Valid():
				return usagef("--to is active, suspended, revoked or superseded")
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(importStatus(ctx, c, o, h), h.close())
		},
	}
}

func importStatus(ctx context.Context, c *call, o *statusImportOptions, h *home) error {
	list := issuer.List{Type: o.typ, Inputs: c.args, To: licence.State(o.to), Reason: o.reason, Rejects: o.rejects}
	var err error
	if list.Effective, err = dateFlag("effective", o.effective); err != nil {
		return err
	}
	if list.Rejects == "" {
		list.Rejects = c.args[0] + ".rejects.jsonl"
	}
	return h.withIssuer(ctx, c, o.department, "", []string{o.typ}, func(iss *issuer.Issuer) error {
		total, err := inputSize(c.args)
		if err != nil {
			return err
		}
		bar := c.newProgress("changing status, KB read")
		report, err := iss.SetStatusList(ctx, c.by(), list, func(p issuer.Progress) { bar.show(p.Bytes>>10, total>>10) })
		bar.done()
		if report.Rows > 0 && issuer.Code(err) != issuer.CodeJobDone {
			c.answer(statusImportAnswer(report), func(w io.Writer) { c.printStatusImport(w, report) })
		}
		if err == nil && report.Rejected > 0 {
			c.exit = exitFailed
		}
		return err
	})
}

// A statusImported is the answer of status import in JSON.
type statusImported struct {
	Rows     int64            `json:"rows"` // changed + already + rejected
	Changed  int64            `json:"changed"`
	Already  int64            `json:"already"` // the licence was in that state
	Rejected int64            `json:"rejected"`
	Reasons  map[string]int64 `json:"reasons"` // of rejected, by the first thing that is wrong
	Resumed  bool             `json:"resumed"`
	Rejects  string           `json:"rejects,omitempty"` // file with the reasons
}

func statusImportAnswer(r issuer.ListReport) statusImported {
	return statusImported{r.Rows, r.Changed, r.Already, r.Rejected, r.Reasons, r.Resumed, r.Rejects}
}

func (c *call) printStatusImport(w io.Writer, r issuer.ListReport) {
	fmt.Fprintf(w, c.pick("读入 %d 行:变更 %d,原已如此 %d,拒收 %d\n", "rows read: %d, changed: %d, in that state already: %d, rejected: %d\n"), r.Rows, r.Changed, r.Already, r.Rejected)
	c.printReasons(w, r.Reasons)
	if r.Resumed {
		fmt.Fprintln(w, c.pick("接续上次中断的变更", "went on where the last run had been interrupted"))
	}
	if r.Rejects != "" {
		fmt.Fprintf(w, c.pick("拒收原因见 %s\n", "reasons of the rejections: %s\n"), r.Rejects)
	}
}

// printReasons prints how many records were rejected for what.
func (c *call) printReasons(w io.Writer, reasons map[string]int64) {
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(w, c.pick("拒收 %s:%d\n", "rejected, %s: %d\n"), code, reasons[code])
	}
}
