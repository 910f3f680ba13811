package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/service"
	"github.com/credledger/credledger/verifier/store"
)

type requestOptions struct {
	department, issuer, url   string
	typ, licence, number      string
	matter, caseNumber, grant string
	fields                    []string
	within                    time.Duration
	out, evidence             string
}

func requestCommand() *command {
	return &command{
		name: "request", args: "--department ID --issuer ID [--url URL] --type T --licence DIGEST | --number N --matter M --fields a,b",
		summary: "ask the department that issued a licence for fields of it, and verify what it releases",
		detail: "The request is signed with the department's key for consent, kept, sent to URL (or to where verifier.yaml of\n" +
			"the home says that the issuer is), and sent again until there is an answer or it is due. What was released\n" +
			"is verified, and how the request ended is in the access log of the home's verifier, whose service must not\n" +
			"be running: it takes the same request as POST /v1/requests. The exit code is that of `verify` for what was\n" +
			"released, 1 if the issuer refuses, and 4 if it does not answer.",
		flags: func(c *call) {
			o := new(requestOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department that asks")
			c.flags.StringVar(&o.issuer, "issuer", "", "`ID` of the department that is asked")
			c.flags.StringVar(&o.url, "url", "", "`URL` of the issuer's service")
			c.flags.StringVar(&o.typ, "type", "", "`T`, the licence type")
			c.flags.StringVar(&o.licence, "licence", "", "`DIGEST` of the licence")
			c.flags.StringVar(&o.number, "number", "", "`N`, the number of the licence, if its digest is not known")
			c.flags.StringVar(&o.matter, "matter", "", "`M`, the service item that it is for")
			c.flags.StringVar(&o.caseNumber, "case", "", "`N`, the number of the case")
			c.flags.StringSliceVar(&o.fields, "fields", nil, "the fields to ask for, `a,b`")
			c.flags.StringVar(&o.grant, "grant", "", "`DIGEST` of the holder's grant; without it, the law has to give the fields")
			c.flags.DurationVar(&o.within, "within", 0, "`D`, how long an answer is waited for (default: as long as the policy gives the issuer)")
			c.flags.StringVar(&o.out, "out", "", "write what was released to `FILE`, as a presentation")
			c.flags.StringVar(&o.evidence, "evidence", "", "write the evidence of the answer to `FILE`")
		},
		run: func(ctx context.Context, c *call) error {
			ask, err := c.options.(*requestOptions).ask()
			if err != nil {
				return err
			}
			if len(c.args) > 0 {
				return usagef("request takes no arguments besides its flags")
			}
			if c.homeDir == "" {
				return usagef("name the home with --home DIR or CREDLEDGER_HOME; `credledger init` makes one")
			}
			config, err := verifierConfig(c.homeDir)
			if err != nil {
				return err
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.request(ctx, h, config, ask), h.close())
		},
	}
}

// ask is what the flags ask.
func (o *requestOptions) ask() (request.Ask, error) {
	a := request.Ask{
		Agency: o.department, Issuer: o.issuer, Type: o.typ, Number: o.number, Matter: o.matter, Case: o.caseNumber, Fields: o.fields, Within: o.within,
	}
	switch {
	case a.Agency == "" || a.Issuer == "" || a.Type == "" || a.Matter == "" || len(a.Fields) == 0:
		return a, usagef("--department, --issuer, --type, --matter and --fields say who asks whom for what")
	case (o.licence == "") == (o.number == ""):
		return a, usagef("name the licence with either --licence or --number")
	case o.within != 0 && o.within < time.Second:
		return a, usagef("--within is a time like 5m")
	}
	for _, d := range []struct {
		name, text string
		to         **sm.Hash
	}{{"licence", o.licence, &a.Licence}, {"grant", o.grant, &a.Grant}} {
		if d.text == "" {
			continue
		}
		h, err := sm.ParseHash(d.text)
		if err != nil {
			return a, usagef("--%s is a digest, 64 lower-case hexadecimal digits", d.name)
		}
		*d.to = &h
	}
	return a, nil
}

// request makes a request by an asker of its own, on what the home's verifier service keeps.
func (c *call) request(ctx context.Context, h *home, config *service.Config, ask request.Ask) error {
	view, err := h.index(ctx)
	if err != nil {
		return err
	}
	kept, err := store.Open(ctx, config.Store, c.now)
	if err != nil {
		return err
	}
	defer kept.Close()
	key, err := readPrivateKey(config.Key)
	if err != nil {
		return err
	}
	log, err := accesslog.Open(filepath.Join(h.dir, verifierDir, service.AccessLogDir), key, c.now)
	if accesslog.Code(err) == accesslog.CodeInUse {
		return failf(accesslog.CodeInUse, "the access log is in use: while the home's verifier runs, ask it with POST /v1/requests")
	} else if err != nil {
		return err
	}
	asker, err := c.asker(ctx, h, config, ask, view, kept, log)
	if err == nil {
		err = errors.Join(c.askAndAnswer(ctx, asker, kept, ask), h.anchorLog(ctx, config.Department, log))
		asker.Close()
	}
	return errors.Join(err, log.Close())
}

// anchorLog brings a checkpoint of the access log to the ledger. While that cannot be reached this is for the next one to
// do, which covers all entries before it.
func (h *home) anchorLog(ctx context.Context, department string, log *accesslog.Log) error {
	l, err := h.as(ctx, department)
	if err == nil {
		err = accesslog.NewAnchorer(log, l).Anchor(ctx)
	}
	if isOutage(err) {
		return nil
	}
	return err
}

// asker makes what makes the request.
func (c *call) asker(ctx context.Context, h *home, config *service.Config, ask request.Ask, view *index.Index, kept *store.Store, log *accesslog.Log) (*request.Asker, error) {
	key, err := h.consentKey(ctx, config.Requests, ask.Agency)
	if err != nil {
		return nil, err
	}
	requests := service.Requests{Issuers: map[string]string{}}
	if config.Requests != nil {
		requests = *config.Requests
	}
	if url := c.options.(*requestOptions).url; url != "" {
		requests.Issuers[ask.Issuer] = url
	}
	if requests.Issuers[ask.Issuer] == "" {
		return nil, usagef("--url says where %s is asked: %s of the home does not", ask.Issuer, verifierFile)
	}
	places, err := requests.Places()
	if err != nil {
		return nil, failf(serve.CodeConfig, "%v", err)
	}
	law, err := h.law(requests.Policy, view)
	if err != nil {
		return nil, err
	}
	return request.New(request.Config{
		View: view, Grants: view.Grants(), Store: kept, Log: log, Keys: map[string]request.Key{ask.Agency: key}, Issuers: places,
		Policy: func() *policy.Published { return law }, Now: c.now, Ended: func(store.RequestState) {},
	})
}

// consentKey returns a department's key for requests: the one that the configuration of the verifier names, or else one of the home.
func (h *home) consentKey(ctx context.Context, r *service.Requests, department string) (request.Key, error) {
	if r != nil && r.Keys[department] != "" {
		return readPrivateKey(r.Keys[department])
	}
	signers, err := h.signers(ctx, department, statement.PurposeConsent)
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		if key, ok := s.(request.Key); ok {
			return key, nil
		}
	}
	return nil, failf(request.CodeAgency, "the home has no key of %s for consent that is in force on the ledger", department)
}

// law is the policy: the one in a file, or else the one that was published in the home; nil if there is none.
func (h *home) law(file string, view *index.Index) (*policy.Published, error) {
	if file == "" {
		file = filepath.Join(h.dir, policyFile)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	p, err := service.ReadPolicy(file, view)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// askAndAnswer asks, waits for the end of the request, and writes what was released before the key to it is destroyed.
func (c *call) askAndAnswer(ctx context.Context, asker *request.Asker, kept *store.Store, ask request.Ask) error {
	if err := asker.Settle(ctx); err != nil { // what an earlier command has left
		return err
	}
	got, err := asker.Ask(ctx, ask)
	if err != nil {
		return err
	}
	for got.Kept.State == store.RequestPending {
		select {
		case <-ctx.Done():
			return failf("request-pending", "there is no answer yet: the request is kept, and the next command or the home's verifier goes on with it")
		case <-time.After(request.SettleEvery):
		}
		if err := asker.Settle(ctx); err != nil {
			return err
		}
		if got, err = asker.Fetch(ctx, ask.Agency, got.Kept.Digest, "", ""); err != nil {
			return err
		}
	}
	if err := c.writeReleased(ctx, asker, got); err != nil {
		return err
	}
	if err := kept.DestroyRecipient(ctx, got.Kept.Digest); err != nil {
		return err
	}
	c.answer(got, func(w io.Writer) { c.printRequest(w, got) })
	switch {
	case got.Verdict != nil:
		c.exit = exitOf[got.Verdict.Outcome]
	case got.Kept.State == store.RequestUnanswered:
		c.exit = exitUndetermined
	default:
		c.exit = exitFailed
	}
	return nil
}

// writeReleased writes the files that were asked for.
func (c *call) writeReleased(ctx context.Context, asker *request.Asker, got *request.Answer) error {
	o := c.options.(*requestOptions)
	if o.out != "" && got.Presentation != nil {
		if err := writeOutput(o.out, got.Presentation); err != nil {
			return err
		}
	}
	if o.evidence == "" || got.Answer == nil {
		return nil
	}
	e, err := asker.Evidence(ctx, got.Kept.Agency, got.Kept.Digest)
	if err != nil {
		return err
	}
	return writeOutput(o.evidence, e.Bytes())
}

// printRequest prints a request for people.
func (c *call) printRequest(w io.Writer, got *request.Answer) {
	line := func(zh, en, text string) { fmt.Fprintf(w, "  %s: %s\n", c.pick(zh, en), printable(text)) }
	fmt.Fprintf(w, "%s\n", c.name(got.Kept.State.Text()))
	line("共享请求", "request", got.Kept.Digest.String())
	if got.Answer != nil {
		line("理由", "reason", fmt.Sprintf("%s (%s)", c.name(policy.Text(got.Answer.Reason)), got.Answer.Reason))
		if len(got.Answer.Basis) > 0 {
			line("法定依据", "legal bases", c.list(got.Answer.Basis))
		}
		if got.Answer.Grant != nil {
			line("授权用证", "grant", fmt.Sprintf("%s, %s %d", got.Answer.Grant, c.pick("第几次使用", "use"), got.Answer.Use))
		}
	} else if got.Kept.Problem != "" {
		line("最近一次未获答复的原因", "why the last attempt brought no answer", got.Kept.Problem)
	}
	if got.RefusalToShare() {
		fmt.Fprintf(w, "  %s\n", c.pick("依共享政策应予共享,已作为拒不共享记录", "by the policy it had to be released: recorded as a refusal to share"))
	}
	if got.Verdict != nil {
		c.printVerdict(w, got.Verdict, []licence.Text{})
	}
}
