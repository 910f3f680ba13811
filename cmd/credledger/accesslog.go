package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/service"
)

func accessLogCreateCommand() *command {
	return &command{
		name: "access-log create", args: "--home DIR",
		summary: "begin the access log that verifier.yaml of the home names",
		detail: "`credledger init` begins the first one. Another one is for another department or replica, or for after a\n" +
			"loss: move what is left of the old log away, and give `accessLog` in verifier.yaml a name that the\n" +
			"department never used. serve never begins one, so that a log that was lost is noticed.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("access-log create takes no arguments besides its flags")
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.createAccessLog(h), h.close())
		},
	}
}

func (c *call) createAccessLog(h *home) error {
	config, err := verifierConfig(h.dir)
	if err != nil {
		return err
	}
	id := accesslog.Identity{Ledger: h.id, Department: config.Department, Log: config.AccessLog}
	dir := accessLogDir(h.dir)
	if err := accesslog.Create(dir, id); err != nil {
		return err
	}
	c.answer(map[string]any{"directory": dir, "ledger": id.Ledger, "department": id.Department, "log": id.Log}, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("核验日志 %s(%s)已建立:%s\n", "access log %s of %s: %s\n"), id.Log, id.Department, dir)
	})
	return nil
}

// accessLogDir is where the access log of a home is.
func accessLogDir(home string) string { return filepath.Join(home, verifierDir, service.AccessLogDir) }

func accessLogExportCommand() *command {
	var dir string
	return &command{
		name: "access-log export", args: "[--log DIR] FILE",
		summary: "write an access log to a file that somebody else can audit",
		detail: "The file has every entry and every checkpoint, and nothing that tells whose licences the entries are\n" +
			"about. The log may be in use.",
		flags: func(c *call) {
			c.flags.StringVar(&dir, "log", "", "the `DIR` of the access log (default: that of the home)")
		},
		run: func(_ context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name the FILE to write")
			}
			if dir == "" {
				if c.homeDir == "" {
					return usagef("name the log with --log DIR, or the home with --home DIR or CREDLEDGER_HOME")
				}
				dir = accessLogDir(c.homeDir)
			}
			files, err := accesslog.OpenFiles(dir)
			if err != nil {
				return err
			}
			if err := writeOutputBy(c.args[0], files.Write); err != nil {
				return err
			}
			id := files.Identity()
			c.answer(map[string]any{"file": c.args[0], "department": id.Department, "log": id.Log}, func(w io.Writer) {
				fmt.Fprintf(w, c.pick("核验日志 %s(%s)已导出:%s\n", "access log %s of %s: %s\n"), id.Log, id.Department, c.args[0])
			})
			return nil
		},
	}
}

func accessLogVerifyCommand() *command {
	var expect string
	return &command{
		name: "access-log verify", args: "[--expect SIZE:ROOT] [DIR|FILE|-]",
		summary: "audit an access log against the ledger: nothing removed, altered, forked or rolled back",
		detail: "DIR is the directory of a log, which may be in use, by default that of the home; FILE is an export of\n" +
			"one, - is standard input. Every entry and the root at every checkpoint are computed anew and compared with\n" +
			"what the home has seen of the ledger. With --expect it also refuses a log that is not the one whose head\n" +
			"somebody noted down: keep one elsewhere from time to time. Exit code 1 if anything is found; 4 if the\n" +
			"ledger knows of later entries than the export has, or the log of later checkpoints than the home has seen.",
		flags: func(c *call) {
			c.flags.StringVar(&expect, "expect", "", "a head of the log that was noted before, `SIZE:ROOT`")
		},
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 1 {
				return usagef("name one DIR or FILE")
			}
			var options accesslog.AuditOptions
			if expect != "" {
				head, err := accesslog.ParseHead(expect)
				if err != nil {
					return usagef("--expect: %v", err)
				}
				options.Expect = &head
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.verifyAccessLog(ctx, h, options), h.close())
		},
	}
}

func (c *call) verifyAccessLog(ctx context.Context, h *home, options accesslog.AuditOptions) error {
	path := accessLogDir(h.dir)
	if len(c.args) == 1 {
		path = c.args[0]
	}
	source, closer, err := c.openAccessLog(path)
	if err != nil {
		return err
	}
	defer closer.Close()
	view, err := c.seen(ctx, h)
	if err != nil {
		return err
	}
	bar := c.newProgress("entries audited")
	options.Progress = func(entries uint64) { bar.show(int64(entries), 0) }
	report, err := accesslog.Audit(source, view, options)
	bar.done()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c.answer(accessLogAnswer(report), func(w io.Writer) { c.printAccessLog(w, report) })
	switch {
	case !report.Clean():
		c.exit = exitFailed
	case report.Behind() > 0 || report.Unseen > 0:
		c.exit = exitUndetermined
	}
	return nil
}

// openAccessLog opens a log's directory, or an export.
func (c *call) openAccessLog(path string) (accesslog.Source, io.Closer, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() || path != "-" && errors.Is(err, os.ErrNotExist) {
		files, err := accesslog.OpenFiles(path)
		return files, io.NopCloser(nil), err
	}
	in, err := c.open(path)
	if err != nil {
		return nil, nil, err
	}
	export, err := accesslog.ReadExport(in)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), in.Close())
	}
	return export, in, nil
}

func accessLogAnswer(r *accesslog.Report) map[string]any {
	findings := []map[string]any{}
	for _, f := range r.Findings {
		findings = append(findings, map[string]any{"code": f.Code, "at": f.At, "message": f.Message})
	}
	return map[string]any{
		"ledger": r.Identity.Ledger, "department": r.Identity.Department, "log": r.Identity.Log,
		"entries": r.Head.Size, "head": r.Head.String(),
		"checkpoints": r.Checkpoints, "anchored": r.Anchored, "unseen": r.Unseen, "behind": r.Behind(),
		"findings": findings, "incomplete": r.Incomplete, "clean": r.Clean(),
	}
}

func (c *call) printAccessLog(w io.Writer, r *accesslog.Report) {
	fmt.Fprintf(w, c.pick(
		"核验日志 %s(%s),账本 %s\n%d 条记录,账本上有其 %d 个检查点,最新一个涵盖前 %d 条\n当前位置 %s(请另处保存,供下次 --expect 核对)\n",
		"access log %s of %s, ledger %s\n%d entries, %d checkpoints on the ledger, the newest of which covers the first %d\nhead %s (keep it elsewhere for the next audit's --expect)\n"),
		r.Identity.Log, r.Identity.Department, r.Identity.Ledger, r.Head.Size, r.Checkpoints, r.Anchored, r.Head)
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s %s\n", c.pick("问题:", "finding:"), printable(f.String()))
	}
	if n := r.Behind(); n > 0 && r.Clean() {
		fmt.Fprintf(w, c.pick("账本显示日志还有 %d 条此处没有的记录:请索取最新的完整导出\n", "the ledger knows of %d entries more than are here: ask for an export as of now\n"), n)
	}
	if r.Unseen > 0 {
		fmt.Fprintf(w, c.pick("日志中有 %d 个检查点晚于本机所见的账本:请待账本同步后再核对\n", "%d checkpoints of the log are newer than what the home has seen of the ledger: try again when it has caught up\n"), r.Unseen)
	}
	switch {
	case r.Incomplete:
		fmt.Fprintln(w, c.pick("核对提前结束", "the audit ended early"))
	case r.Clean():
		fmt.Fprintln(w, c.pick("未发现任何问题", "nothing is wrong"))
	}
}
