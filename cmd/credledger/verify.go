package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/verify"
)

type verifyOptions struct {
	audience, nonce, asOf string
	holder                bool
	snapshot              snapshotOptions
}

func verifyCommand() *command {
	return &command{
		name: "verify", args: "[--audience A --nonce N] [--require-holder] [--as-of DATE] [--snapshot FILE] FILE|IMAGE|-...",
		summary: "verify what somebody shows: a credential, a code, or a picture of one",
		detail: "FILE holds a credential, a bundle of them, a presentation or a code's text, or is a PDF or OFD to which one\n" +
			"is attached; IMAGE is a PNG or JPEG picture of a code; - is standard input. The exit code is 0 valid, 1 invalid,\n" +
			"3 genuine but not current, 4 undetermined, 5 valid but restricted; of several the gravest (1, 4, 3, 5, 0).\n" +
			"While a network cannot be reached the verdict is as of what the home has seen of the ledger before.\n\n" +
			"With --snapshot it is as of a file that the authority made, and no network is used. The home says who\n" +
			"the authority is, and remembers the newest block that it has seen: an older snapshot is refused. Without\n" +
			"a home --ledger and --authority-key say it. The exit code is 4 if a snapshot is refused.",
		flags: func(c *call) {
			o := new(verifyOptions)
			c.options = o
			c.flags.StringVar(&o.audience, "audience", "", "`A`, the name under which the holder was asked to prove")
			c.flags.StringVar(&o.nonce, "nonce", "", "`N`, what the holder was asked to have in the proof, in hexadecimal; once each (`openssl rand -hex 16` makes one)")
			c.flags.BoolVar(&o.holder, "require-holder", false, "without a holder's proof the verdict is not valid")
			c.flags.StringVar(&o.asOf, "as-of", "", "the status on another `DATE`, like 2026-01-31")
			o.snapshot.flags(c)
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*verifyOptions)
			if len(c.args) == 0 {
				return usagef("name what to verify: a FILE, an IMAGE, or - for standard input")
			}
			r, err := o.request()
			if err != nil {
				return err
			}
			if o.snapshot.file != "" {
				return c.verifyBySnapshot(ctx, &o.snapshot, r)
			}
			if o.snapshot.given() {
				return usagef("--min-height, --ledger and --authority-key go with --snapshot")
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			if h.config.Ledger == ledgerEmbedded {
				err = h.begin(ctx)
			}
			if err == nil {
				err = c.verifyAll(ctx, h, r)
			}
			return errors.Join(err, h.close())
		},
	}
}

// request is what the flags ask.
func (o *verifyOptions) request() (verify.Request, error) {
	r := verify.Request{Audience: o.audience, HolderRequired: o.holder}
	nonce, err := hex.DecodeString(o.nonce)
	if err != nil {
		return r, usagef("--nonce is in hexadecimal digits")
	}
	r.Nonce = nonce
	if o.asOf != "" {
		day, err := licence.ParseDate(o.asOf)
		if err != nil {
			return r, usagef("--as-of is a date like 2026-01-31")
		}
		r.AsOf = &day
	}
	return r, nil
}

// gravity orders exit codes: the first of these that came up is the exit code of the command.
var gravity = []int{exitFailed, exitUndetermined, exitNotCurrent, exitRestricted, exitDone}

// exitOf maps an outcome to its exit code.
var exitOf = map[verify.Outcome]int{
	verify.Valid: exitDone, verify.Invalid: exitFailed, verify.NotCurrent: exitNotCurrent,
	verify.Undetermined: exitUndetermined, verify.Restricted: exitRestricted,
}

func (c *call) verifyAll(ctx context.Context, h *home, r verify.Request) error {
	view, err := c.seen(ctx, h)
	if err != nil {
		return err
	}
	return c.verdicts(view, r, func(v *verify.Verdict) []licence.Text { return h.reasons(ctx, v) })
}

// verdicts answers what the arguments show by a view.
func (c *call) verdicts(view verify.View, r verify.Request, reasonsOf func(*verify.Verdict) []licence.Text) error {
	var exits []int
	for _, path := range c.args {
		for p, err := range c.presentations(path) {
			v, err := judge(view, r, p, err, c.now())
			if err != nil {
				return err
			}
			reasons := reasonsOf(v)
			exits = append(exits, exitOf[v.Outcome])
			c.answer(v, func(w io.Writer) {
				c.printVerdict(w, v, reasons)
				if len(c.args) > 1 {
					fmt.Fprintf(w, "  %s: %s\n", c.pick("文件", "file"), printable(path))
				}
			})
		}
	}
	for _, exit := range gravity {
		if slices.Contains(exits, exit) {
			c.exit = exit
			return nil
		}
	}
	return nil
}

// seen returns the index of the home's ledger up to its newest block or, while a network cannot be
// reached, as far as the home has seen it: the axis of freshness says whether that is recent enough.
func (c *call) seen(ctx context.Context, h *home) (*index.Index, error) {
	view, err := h.index(ctx)
	switch {
	case isOutage(err) && view.Head().Height > 0:
		if !c.json {
			fmt.Fprintf(c.stdout, c.pick("网络无法连接,以下以此前所见的第 %d 个区块为准\n", "the network cannot be reached; what follows is as of block %d, the newest seen\n"), view.Head().Height-1)
		}
		return view, nil
	case isOutage(err):
		c.failed = exitUndetermined // an outage makes nothing look forged
	}
	return view, err
}

// judge gives the verdict on one presentation; what cannot be read as one is invalid, not an error.
func judge(view verify.View, r verify.Request, p *credential.Presentation, readErr error, now time.Time) (*verify.Verdict, error) {
	var unreadable *credential.Error
	if readErr != nil && !errors.As(readErr, &unreadable) {
		return nil, readErr
	}
	r.Parsed, r.Now = p, now
	v := verify.Verify(view, r)
	if readErr != nil {
		v.Problem = readErr.Error()
	}
	return &v, nil
}

// axisNames are the axes in Chinese, in their order; English takes their own names.
var axisNames = []string{"内容", "颁发机构", "上链", "状态", "限制", "持证人", "时效"}

var resultNames = map[verify.Result]string{verify.Pass: "通过", verify.Fail: "不通过", verify.Unknown: "未知"}

// reasons opens the reason of the change that made the status, and the kinds of the restrictions,
// as far as a vault in the home can. The verdict does not depend on it, so that a vault that
// cannot be read is as good as none.
func (h *home) reasons(ctx context.Context, v *verify.Verdict) []licence.Text {
	var commitments []sm.Hash
	if v.Change != nil {
		commitments = append(commitments, v.Change.Reason)
	}
	for _, r := range v.Known.Restrictions {
		if r.Effective <= v.Day {
			commitments = append(commitments, r.Ground)
		}
	}
	var out []licence.Text
	for _, commitment := range commitments {
		if word, err := h.reason(ctx, v.Opened, commitment); err == nil && word != nil {
			out = append(out, *word)
		}
	}
	return out
}

// printVerdict prints a verdict for people. What an invalid presentation claims is not repeated.
func (c *call) printVerdict(w io.Writer, v *verify.Verdict, reasons []licence.Text) {
	fmt.Fprintf(w, "%s\n", c.name(v.Text()))
	if note := v.Note(); note != (licence.Text{}) {
		fmt.Fprintf(w, "  %s\n", c.name(note))
	}
	for _, reason := range reasons {
		fmt.Fprintf(w, "  %s: %s\n", c.pick("颁发机构记录的原因", "reason in the issuer's vault"), c.name(reason))
	}
	if v.Opened != nil && v.Outcome != verify.Invalid {
		issuer := v.Opened.Record.Issuer
		if v.Issuer != nil {
			issuer = c.pick(v.Issuer.Profile.NameZh, v.Issuer.Profile.NameEn)
		}
		fmt.Fprintf(w, "  %s, %s\n", c.name(v.Opened.Type.Name), issuer)
		for _, f := range v.Fields() {
			if !f.Value.IsNull() {
				fmt.Fprintf(w, "  %s: %s\n", c.name(f.Label), printable(f.Value.String()))
			}
		}
	}
	for a := verify.AxisContent; a <= verify.AxisFreshness; a++ {
		f := v.Finding(a)
		name, result := a.String(), f.Result.String()
		if c.lang == "zh" {
			name, result = axisNames[a], resultNames[f.Result]
		}
		fmt.Fprintf(w, "  %s %s  %s (%s)\n", pad(name, 12), pad(result, 8), c.name(f.Reason.Text()), f.Reason)
	}
	if v.Problem != "" {
		fmt.Fprintf(w, "  %s\n", printable(v.Problem))
	}
}

// pad fills a name up to a width in columns of a terminal, where a Chinese character takes two.
func pad(s string, width int) string {
	columns := 0
	for _, r := range s {
		columns++
		if r >= 0x1100 {
			columns++
		}
	}
	for ; columns < width; columns++ {
		s += " "
	}
	return s
}
