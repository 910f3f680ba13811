package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
)

func evidenceCommand() *command {
	var presentation string
	return &command{
		name: "evidence", args: "[--presentation FILE] FILE|-",
		summary: "check what became of a request between departments, by the ledger alone",
		detail: "FILE is what either department exports of a request: the request, the answer and, if it is under one, the\n" +
			"holder's grant, as they were signed. It has no value of a licence; with --presentation, what was released is\n" +
			"checked to be that. Whether the law gives what was released, the policy says (`credledger policy show`), and\n" +
			"whether it is genuine, `credledger verify`. The exit code is 0 if the evidence is good, 1 if it is not.",
		flags: func(c *call) {
			c.flags.StringVar(&presentation, "presentation", "", "what was released, a `FILE` as for verify")
		},
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name the FILE with the evidence, or - for standard input")
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.checkEvidence(ctx, h, presentation), h.close())
		},
	}
}

func (c *call) checkEvidence(ctx context.Context, h *home, presentation string) error {
	view, err := c.seen(ctx, h)
	if err != nil {
		return err
	}
	in, err := c.open(c.args[0])
	if err != nil {
		return err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, grant.MaxEvidence+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", c.args[0], err)
	}
	e, err := grant.ParseEvidence(b)
	if err != nil {
		return err
	}
	var shown *credential.Opened
	if presentation != "" {
		if shown, err = c.opened(view, presentation); err != nil {
			return err
		}
	}
	report, err := e.Check(view.Grants())
	if err == nil && shown != nil {
		err = report.Answer.Released(shown)
	}
	if err != nil {
		return err
	}
	found := describeEvidence(report)
	c.answer(found, func(w io.Writer) { c.printEvidence(w, view, found) })
	return nil
}

// An evidenceReport is what an evidence file shows.
type evidenceReport struct {
	Outcome string        `json:"outcome"`
	Reason  string        `json:"reason"`
	Text    licence.Text  `json:"text"`
	Request requestReport `json:"request"`
	Answer  answerReport  `json:"answer"`
	Grant   *grantReport  `json:"grant"`
}

type requestReport struct {
	Digest   sm.Hash  `json:"digest"`
	Agency   string   `json:"agency"`
	Issuer   string   `json:"issuer"`
	Type     string   `json:"type"`
	Licence  *sm.Hash `json:"licence"`
	Matter   string   `json:"matter"`
	Case     string   `json:"case"`
	Fields   []string `json:"fields"`
	SignedAt instant  `json:"signedAt"`
}

type answerReport struct {
	Policy       sm.Hash  `json:"policy"`
	Bases        []string `json:"bases"`
	Use          uint32   `json:"use"`
	Presentation *sm.Hash `json:"presentation"`
	SignedAt     instant  `json:"signedAt"`
}

type grantReport struct {
	Digest    sm.Hash `json:"digest"`
	Means     string  `json:"means"`
	Uses      uint32  `json:"uses"`
	NotAfter  instant `json:"notAfter"`
	Withdrawn bool    `json:"withdrawn"` // by now
}

func describeEvidence(r *grant.Report) *evidenceReport {
	q, a := r.Request, r.Answer
	out := &evidenceReport{
		Outcome: a.Outcome, Reason: a.Reason, Text: policy.Text(a.Reason),
		Request: requestReport{q.Digest, q.Agency, q.Issuer, q.Type, q.Licence, q.Matter, q.Case, q.Fields, instant(q.SignedAt)},
		Answer:  answerReport{a.Policy, append([]string{}, a.Basis...), a.Use, a.Presentation, instant(a.SignedAt)},
	}
	if g := r.Grant; g != nil {
		out.Grant = &grantReport{g.Digest, g.Means, g.Uses, instant(g.NotAfter), r.Withdrawn}
	}
	return out
}

func (c *call) printEvidence(w io.Writer, view *index.Index, r *evidenceReport) {
	line := func(zh, en, text string) { fmt.Fprintf(w, "  %s: %s\n", c.pick(zh, en), printable(text)) }
	if r.Outcome == statement.AnswerReleased {
		fmt.Fprintln(w, c.pick("凭据有效:颁发机构已共享", "The evidence is good: the issuer released what was asked for"))
	} else {
		fmt.Fprintln(w, c.pick("凭据有效:颁发机构拒绝共享", "The evidence is good: the issuer refused"))
	}
	line("理由", "reason", fmt.Sprintf("%s (%s)", c.name(r.Text), r.Reason))
	line("请求部门", "asked by", c.departmentName(view, r.Request.Agency))
	line("被请求部门", "asked of", c.departmentName(view, r.Request.Issuer))
	line("事项", "matter", r.Request.Matter)
	if r.Request.Case != "" {
		line("办件号", "case", r.Request.Case)
	}
	line("证照类型", "licence type", r.Request.Type)
	line("字段", "fields", c.list(r.Request.Fields))
	line("请求时间", "asked at", formatTime(uint64(r.Request.SignedAt)))
	line("答复时间", "answered at", formatTime(uint64(r.Answer.SignedAt)))
	if len(r.Answer.Bases) > 0 {
		line("法定依据", "legal bases", c.list(r.Answer.Bases))
	}
	if r.Grant == nil {
		return
	}
	line("授权用证", "grant", r.Grant.Digest.String())
	if r.Answer.Use > 0 {
		line("使用次数", "use", fmt.Sprintf("%d / %d", r.Answer.Use, r.Grant.Uses))
	}
	if r.Grant.Withdrawn {
		fmt.Fprintf(w, "  %s\n", c.pick("该授权现已撤回", "the grant is withdrawn by now"))
	}
}
