package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/credledger/credledger/network/embedded"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/ledger/audit"
)

func auditCommand() *command {
	var expect string
	return &command{
		name: "audit", args: "[--expect HEIGHT:HASH]",
		summary: "replay the ledger from its first block and check everything, every signature with two libraries",
		detail: "With --expect the audit refuses a past that was rewritten or cut since somebody noted that head\n" +
			"down: keep one elsewhere from time to time. Of a ledger on a network it is one peer's copy that is read\n" +
			"and audited: the authority's if its connection is there. Exit code 1 if anything is found.",
		flags: func(c *call) {
			c.flags.StringVar(&expect, "expect", "", "a head that was noted before, `HEIGHT:HASH`")
		},
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("audit takes no arguments")
			}
			if c.homeDir == "" {
				return usagef("name the home with --home DIR or CREDLEDGER_HOME")
			}
			var options audit.Options
			if expect != "" {
				head, err := ledger.ParseHead(expect)
				if err != nil {
					return usagef("--expect: %v", err)
				}
				options.Expect = &head
			}
			config, err := readConfig(c.homeDir)
			if err != nil {
				return err
			}
			bar := c.newProgress("blocks audited")
			options.Progress = func(done, total uint64) { bar.show(int64(done), int64(total)) }
			report, err := config.audit(ctx, c.homeDir, options)
			bar.done()
			if err != nil {
				return err
			}
			c.answer(auditAnswer(report), func(w io.Writer) { c.printAudit(w, report) })
			if !report.Clean() {
				c.exit = exitFailed
			}
			return nil
		},
	}
}

// audit audits the ledger of a home: an embedded one in its directory, one on a network from the blocks
// of a peer.
func (c config) audit(ctx context.Context, home string, options audit.Options) (report *audit.Report, err error) {
	if c.Ledger == ledgerEmbedded {
		err = whenFree(ctx, func() (err error) {
			report, err = embedded.Audit(ctx, filepath.Join(home, "ledger"), options)
			return err
		})
		return report, err
	}
	b := newFabricBackend(c.Connections)
	l, err := b.connectAny(ctx, "")
	if err == nil {
		report, err = l.Audit(ctx, options)
	}
	return report, errors.Join(err, b.close())
}

func auditAnswer(r *audit.Report) map[string]any {
	findings := []map[string]any{}
	for _, f := range r.Findings {
		findings = append(findings, map[string]any{
			"block": f.Block, "transaction": f.Transaction, "statement": f.Statement, "kind": f.Kind,
			"stateKey": f.StateKey, "code": f.Code, "message": f.Message,
		})
	}
	return map[string]any{
		"ledger": r.Ledger, "head": r.Head.String(), "blocks": r.Blocks, "transactions": r.Transactions,
		"statements": r.Statements, "signatures": r.Signatures, "stateKeys": r.Keys,
		"findings": findings, "incomplete": r.Incomplete, "clean": r.Clean(),
	}
}

func (c *call) printAudit(w io.Writer, r *audit.Report) {
	fmt.Fprintf(w, c.pick(
		"账本 %s\n%d 个区块、%d 笔交易、%d 条声明、%d 个签名(每个由两个密码库核对)、%d 个状态值\n当前位置 %s(请另处保存,供下次 --expect 核对)\n",
		"ledger %s\n%d blocks, %d transactions, %d statements, %d signatures (each by two libraries), %d values of the state\nhead %s (keep it elsewhere for the next audit's --expect)\n"),
		r.Ledger, r.Blocks, r.Transactions, r.Statements, r.Signatures, r.Keys, r.Head)
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s %s\n", c.pick("问题:", "finding:"), f)
	}
	switch {
	case r.Clean():
		fmt.Fprintln(w, c.pick("未发现任何问题", "nothing is wrong"))
	case r.Incomplete:
		fmt.Fprintln(w, c.pick("审计提前结束", "the audit ended early"))
	}
}
