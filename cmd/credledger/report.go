package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/credledger/credledger/sdk/grant/policy"
	issuerservice "github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/matter"
	indicators "github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/report/web"
	"github.com/credledger/credledger/verifier/service"
)

type reportOptions struct {
	month, quarter, year string
	department           string
	logs, said, policies []string
	format, html         string
}

// Formats of a report, beside --json.
const (
	formatTable = "table"
	formatCSV   = "csv"
)

func reportCommand() *command {
	return &command{
		name: "report", args: "--month M|--quarter Q|--year Y [--department ID] [--log DIR|FILE ...] [--self-report FILE ...]",
		summary: "compute the indicators of a month, a quarter or a year, from the ledger and the access logs",
		detail: "docs/INDICATORS.md defines each. The access logs are audited while they are read: those of the home's\n" +
			"verifier and issuing services, or those that --log names, directories or exports. Requests between\n" +
			"departments about which the logs of the two do not say the same are listed: one of them has an entry that\n" +
			"is not true, or lacks one. --self-report adds what a department says of itself, as `credledger report self`\n" +
			"writes it. The answer is a table, CSV or, with --json, JSON; --html writes a page besides, in one file. Put the\n" +
			"JSON into the directory that `reports` in verifier.yaml names, and /reports/ shows it. Exit code 1 if the\n" +
			"audit of a log found something: the report says which; 4 if the ledger knows of entries that are not in\n" +
			"what was read.",
		flags: func(c *call) {
			o := new(reportOptions)
			c.options = o
			o.periodFlags(c)
			c.flags.StringVar(&o.department, "department", "", "report on the department `ID` alone")
			c.flags.StringArrayVar(&o.logs, "log", nil, "an access log, a `DIR` or an export in a file; may be repeated (default: those of the home)")
			c.flags.StringArrayVar(&o.said, "self-report", nil, "what a department says of itself, a `FILE`; may be repeated")
			c.flags.StringArrayVar(&o.policies, "policy", nil, "a version of the policy, signed, in a `FILE`; may be repeated (default: the one published in the home)")
			c.flags.StringVar(&o.format, "format", formatTable, "`table|csv`")
			c.flags.StringVar(&o.html, "html", "", "write a page to `FILE`, besides")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*reportOptions)
			period, err := o.period(c)
			if err != nil {
				return err
			}
			if o.format != formatTable && o.format != formatCSV || c.json && c.flags.Changed("format") {
				return usagef("--format is table or csv, without --json")
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.report(ctx, h, o, period), h.close())
		},
	}
}

// periodFlags are the flags that say when.
func (o *reportOptions) periodFlags(c *call) {
	c.flags.StringVar(&o.month, "month", "", "the month, as `2026-11`")
	c.flags.StringVar(&o.quarter, "quarter", "", "the quarter, as `2026-Q4`")
	c.flags.StringVar(&o.year, "year", "", "the year, as `2026`")
}

// period is what the flags say.
func (o *reportOptions) period(c *call) (p indicators.Period, err error) {
	if len(c.args) > 0 {
		return p, usagef("%s takes no arguments besides its flags", c.command.name)
	}
	given := ""
	for _, flag := range []struct {
		value  string
		length int
	}{{o.month, len("2026-11")}, {o.quarter, len("2026-Q4")}, {o.year, len("2026")}} {
		switch {
		case flag.value == "":
			continue
		case given != "" || len(flag.value) != flag.length:
			return p, usagef("name one period: --month 2026-11, --quarter 2026-Q4 or --year 2026")
		}
		given = flag.value
	}
	if p, err = indicators.ParsePeriod(given); err != nil || (o.quarter != "") != (len(given) == len("2026-Q4") && given[5] == 'Q') {
		return p, usagef("name one period: --month 2026-11, --quarter 2026-Q4 or --year 2026")
	}
	return p, nil
}

// report makes a report and answers with it.
func (c *call) report(ctx context.Context, h *home, o *reportOptions, period indicators.Period) error {
	matters, err := homeMatters(h.dir)
	if err != nil {
		return err
	}
	said, err := readSelfReports(o.said)
	if err != nil {
		return err
	}
	paths := o.logs
	if len(paths) == 0 {
		if paths, err = c.homeLogs(); err != nil {
			return err
		}
	}
	view, err := h.index(ctx)
	if err != nil && !(isOutage(err) && view.Head().Height > 0) { // the report names the newest block that was seen
		return err
	}
	scope := &indicators.Scope{Period: period, Department: o.department, Matters: matters}
	if scope.Policies, err = homePolicies(h.dir, o.policies, view); err != nil {
		return err
	}
	export, err := view.Export() // before the logs are read: what is in neither was not recorded
	if err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(lean))
	logs, err := c.tally(ctx, scope, paths, view)
	if err != nil {
		return err
	}
	r, err := indicators.New(scope, export, logs, said)
	if err != nil {
		return err
	}
	if o.html != "" {
		if err := writeOutputBy(o.html, func(w io.Writer) error { return web.Write(w, r, c.language()) }); err != nil {
			return err
		}
	}
	if err := c.answerReport(r, o.format); err != nil {
		return err
	}
	for i := range r.Logs {
		switch l := &r.Logs[i]; {
		case !l.Clean:
			c.exit = exitFailed
		case l.Behind > 0 && c.exit == exitDone:
			c.exit = exitUndetermined
		}
	}
	return nil
}

func (c *call) answerReport(r *indicators.Report, format string) error {
	var err error
	c.answer(r, func(w io.Writer) {
		if format == formatCSV {
			err = r.WriteCSV(w)
		} else {
			err = r.WriteTable(w, c.language())
		}
	})
	return err
}

// language is that of answers, for reports.
func (c *call) language() indicators.Language {
	if c.lang == "zh" {
		return indicators.Chinese
	}
	return indicators.English
}

// homeMatters are the matters that a home's verifier has: the built-in ones, unless verifier.yaml names
// others.
func homeMatters(dir string) (*matter.Catalog, error) {
	config, err := verifierConfig(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && config.Matters == "" {
		return matter.Builtin()
	} else if err != nil {
		return nil, err
	}
	return matter.Load(os.DirFS(config.Matters))
}

// homePolicies reads versions of the policy; without paths, the one that was published in the home, if one
// was.
func homePolicies(dir string, paths []string, view *index.Index) ([]*policy.Published, error) {
	if published := filepath.Join(dir, policyFile); len(paths) == 0 && exists(published) {
		paths = []string{published}
	}
	var all []*policy.Published
	for _, path := range paths {
		p, err := service.ReadPolicy(path, view)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// homeLogs are the directories of the access logs of the home: that of its verifier, and those of the
// issuing services that answer requests.
func (c *call) homeLogs() ([]string, error) {
	var logs []string
	if exists(filepath.Join(c.homeDir, verifierFile)) {
		logs = append(logs, accessLogDir(c.homeDir)) // if it is not there it was lost, and is missed
	}
	all, err := os.ReadDir(filepath.Join(c.homeDir, issuersDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, department := range all {
		config, err := c.issuingConfig(department.Name())
		if err != nil {
			return nil, err
		}
		if config.Release == nil {
			continue
		}
		logs = append(logs, filepath.Join(config.Release.Directory, issuerservice.AccessLogDir))
	}
	return logs, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readSelfReports reads what departments say of themselves.
func readSelfReports(paths []string) ([]*indicators.SelfReport, error) {
	var said []*indicators.SelfReport
	for _, path := range paths {
		b, err := readBounded(path, indicators.MaxSelfReport)
		if err != nil {
			return nil, err
		}
		s, err := indicators.ParseSelfReport(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		said = append(said, s)
	}
	return said, nil
}

// tally audits access logs, and tallies their entries while that goes on.
func (c *call) tally(ctx context.Context, scope *indicators.Scope, paths []string, view *index.Index) ([]indicators.Log, error) {
	logs, errs := make([]indicators.Log, len(paths)), make([]error, len(paths))
	bar := c.newProgress("entries audited")
	defer bar.done()
	var done atomic.Int64
	var showing sync.Mutex
	progress := func(n uint64) {
		sum := done.Add(int64(n))
		if showing.TryLock() {
			bar.show(sum, 0)
			showing.Unlock()
		}
	}
	var wait sync.WaitGroup
	turn := make(chan struct{}, atATime)
	for i, path := range paths {
		turn <- struct{}{}
		wait.Go(func() {
			defer func() { <-turn }()
			logs[i], errs[i] = c.tallyLog(ctx, scope, path, view, progress)
		})
	}
	wait.Wait()
	return logs, errors.Join(errs...)
}

// lean is how much garbage there may be beside a tally, in percent of what is in memory: what a tally keeps of
// ten million entries has no pointers, so that collecting often costs little.
const lean = 40

// atATime is how many access logs are read at a time.
const atATime = 4

// tallyLog audits one.
func (c *call) tallyLog(ctx context.Context, scope *indicators.Scope, path string, view *index.Index, progress func(uint64)) (indicators.Log, error) {
	source, closer, err := c.openAccessLog(path)
	if err != nil {
		return indicators.Log{}, err
	}
	defer closer.Close()
	tally := indicators.NewTally(scope)
	before := uint64(0)
	audit, err := accesslog.Audit(source, view, accesslog.AuditOptions{
		Entry: func(e *access.Entry) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return tally.Add(e)
		},
		Progress: func(n uint64) {
			progress(n - before)
			before = n
		},
	})
	if err != nil {
		return indicators.Log{}, fmt.Errorf("%s: %w", path, err)
	}
	id := audit.Identity
	return indicators.Log{
		Tally: tally, Ledger: id.Ledger, Department: id.Department, Name: id.Log,
		Size: audit.Head.Size, Root: audit.Head.Root, Anchored: audit.Anchored, Behind: audit.Behind(), Clean: audit.Clean(),
	}, nil
}
