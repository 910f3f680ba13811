package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/verify"
)

func receiptVerifyCommand() *command {
	var presentation string
	return &command{
		name: "receipt verify", args: "[--presentation FILE] RECEIPT|-...",
		summary: "check the receipt of a verification, years later and without a network",
		detail: "RECEIPT is the JSON file that a verifier answered with, - is standard input. It is checked against what\n" +
			"the home has seen of the ledger. The exit code is 0 anchored: a checkpoint on the ledger covers the record\n" +
			"of the verification; 4 unanchored: only the verifier's signature speaks for it; 1 refused. Of several\n" +
			"receipts the gravest counts (1, 4, 0). SIZE:ROOT of the log, as it was signed, can be given to access-log\n" +
			"verify --expect, or compared with that of another receipt: two roots of one size are proof of two logs.",
		flags: func(c *call) {
			c.flags.StringVar(&presentation, "presentation", "", "what was shown, a `FILE` as for verify: a receipt for something else is refused")
		},
		run: func(ctx context.Context, c *call) error {
			switch {
			case len(c.args) == 0:
				return usagef("name the RECEIPT to check, or - for standard input")
			case presentation != "" && len(c.args) > 1:
				return usagef("--presentation is about one RECEIPT")
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.verifyReceipts(ctx, h, presentation), h.close())
		},
	}
}

// exitOfReceipt maps an outcome to its exit code.
var exitOfReceipt = map[receipt.Outcome]int{
	receipt.Anchored: exitDone, receipt.Unanchored: exitUndetermined, receipt.Refused: exitFailed,
}

func (c *call) verifyReceipts(ctx context.Context, h *home, presentation string) error {
	view, err := c.seen(ctx, h)
	if err != nil {
		return err
	}
	var shown *credential.Opened
	if presentation != "" {
		if shown, err = c.opened(view, presentation); err != nil {
			return err
		}
	}
	var exits []int
	for _, path := range c.args {
		f, err := c.readReceipt(path)
		if err != nil {
			return err
		}
		r, err := receipt.Verify(f, shown, view)
		if err != nil {
			return err
		}
		exits = append(exits, exitOfReceipt[r.Outcome])
		c.answer(r, func(w io.Writer) {
			c.printReport(w, view, &r)
			if len(c.args) > 1 {
				fmt.Fprintf(w, "  %s: %s\n", c.pick("文件", "file"), printable(path))
			}
		})
	}
	for _, exit := range gravity {
		if slices.Contains(exits, exit) {
			c.exit = exit
			return nil
		}
	}
	return nil
}

// opened reads what was shown and recomputes it.
func (c *call) opened(view *index.Index, path string) (*credential.Opened, error) {
	p, err := c.one(path)
	if err != nil {
		return nil, err
	}
	return openPresentation(p, func(id string, version uint32) (*licence.Type, error) {
		if t, _ := view.Type(id, version); t != nil {
			return t, nil
		}
		return nil, failf("type-unknown", "the ledger has no version %d of the type %q, as far as the home has seen it", version, id)
	})
}

func (c *call) readReceipt(path string) (*receipt.File, error) {
	in, err := c.open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, receipt.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	f, err := receipt.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// printReport prints a report for people. What a receipt that is refused claims is not repeated.
func (c *call) printReport(w io.Writer, view *index.Index, r *receipt.Report) {
	line := func(zh, en, text string) { fmt.Fprintf(w, "  %s: %s\n", c.pick(zh, en), printable(text)) }
	fmt.Fprintf(w, "%s\n", c.name(r.Outcome.Text()))
	if r.Code != "" {
		fmt.Fprintf(w, "  %s (%s)\n", c.name(r.Reason()), r.Code)
	}
	if r.Upgradable {
		fmt.Fprintf(w, "  %s\n", c.pick("账本上已有涵盖该记录的检查点,可向核验机构索取存证证明",
			"the ledger has a checkpoint that should cover the record: ask the verifier for the proof"))
	}
	if r.Outcome == receipt.Refused {
		return
	}
	entry, signed := r.File.Entry, r.File.Proof.Checkpoint
	outcome, day := verify.Outcome(entry.Outcome), licence.Date(entry.Day)
	line("核验结论", "what was found", fmt.Sprintf("%s (%s)", c.name(outcome.TextOn(day, time.Unix(int64(entry.Time), 0))), outcome))
	line("状态日期", "status as of", day.String())
	line("核验时间", "checked at", formatTime(entry.Time))
	line("核验机构", "verifier", c.departmentName(view, signed.Department))
	line("所依据的区块", "by the ledger up to block", fmt.Sprint(entry.Height))
	line("出示内容的 SM3", "SM3 of what was shown", r.File.Presentation.String())
	for a, reason := range entry.Reasons {
		c.printReason(w, verify.Axis(a), verify.Reason(reason))
	}
	for _, asked := range []struct{ zh, en, text string }{
		{"申请核验的单位", "asked by", entry.Agency}, {"经办人", "clerk", entry.Clerk}, {"窗口", "unit", entry.Unit},
		{"事项", "matter", entry.Matter}, {"办件号", "case", entry.Case}, {"代办部门", "on behalf of", entry.OnBehalf},
		{"给出的字段", "fields given out", strings.Join(entry.Fields, ", ")},
	} {
		if asked.text != "" {
			line(asked.zh, asked.en, asked.text)
		}
	}
	line("核验日志", "recorded in the log", fmt.Sprintf("%s, %d", signed.Log, r.File.Proof.Index))
	line("当时的日志", "the log then", accesslog.Head{Size: signed.Size, Root: signed.Root}.String())
	if r.Outcome == receipt.Anchored {
		at := fmt.Sprintf(c.pick("第 %d 个区块", "in block %d"), r.Anchor.Position.Block)
		if after := r.Anchor.After; after.Sequence != 0 {
			at += c.pick(",早于 ", ", before ") + formatTime(after.Time)
		}
		line("上链存证", "anchored", at)
	}
	if r.KeyState != verify.KeyActive {
		state := map[verify.KeyState]string{verify.KeyRetired: "已停用", verify.KeyCompromised: "已声明失窃"}[r.KeyState]
		line("签名密钥此后", "the signing key since", c.pick(state, string(r.KeyState)))
	}
}

// departmentName is the name of a department, with its id.
func (c *call) departmentName(view *index.Index, id string) string {
	d := view.Department(id)
	if d == nil {
		return id
	}
	return c.pick(d.Profile.NameZh, d.Profile.NameEn) + " (" + id + ")"
}

// printReason prints what a receipt says of one axis.
func (c *call) printReason(w io.Writer, a verify.Axis, reason verify.Reason) {
	name := a.String()
	if c.lang == "zh" && int(a) < len(axisNames) {
		name = axisNames[a]
	}
	fmt.Fprintf(w, "  %s %s (%s)\n", pad(name, 12), c.name(reason.Text()), printable(string(reason)))
}
