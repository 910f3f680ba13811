package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

type statusOptions struct {
	department, to, reason, effective, successor string
}

func statusSetCommand() *command {
	return &command{
		name: "status set", args: "--department ID --to STATE --reason R [--effective D] [--successor FILE] FILE...",
		summary: "suspend, revoke, supersede or reactivate licences, as their issuer",
		detail: "FILE holds credentials, one or a bundle. STATE is active, suspended, revoked or superseded; reasons are\n" +
			"those of the licence type. The ledger learns the state and its first day, of the reason only a\n" +
			"commitment. A change that needs two signers is signed with two keys of the home. What is in that state\n" +
			"already is left as it is, so that an interrupted run can be made again.",
		flags: func(c *call) {
			o := new(statusOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the issuing department")
			c.flags.StringVar(&o.to, "to", "", "the new `STATE`")
			c.flags.StringVar(&o.reason, "reason", "", "code of the reason, `R`")
			c.flags.StringVar(&o.effective, "effective", "", "first day of the new state, `D` (default: today, or the day of issue where the reason holds from the start)")
			c.flags.StringVar(&o.successor, "successor", "", "credential `FILE` of the licence that takes its place, for superseded")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*statusOptions)
			switch {
			case len(c.args) == 0:
				return usagef("name the FILEs of the licences")
			case o.department == "" || o.to == "" || o.reason == "":
				return usagef("--department, --to and --reason are needed")
			case !licence.State(o.to).Valid():
				return usagef("--to is active, suspended, revoked or superseded")
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(setStatus(ctx, c, o, h), h.close())
		},
	}
}

func setStatus(ctx context.Context, c *call, o *statusOptions, h *home) error {
	effective, err := dateFlag("effective", o.effective)
	if err != nil {
		return err
	}
	var successor *credential.Opened
	if o.successor != "" {
		if successor, err = c.oneOpened(o.successor, h.typeVersion); err != nil {
			return err
		}
	}
	return h.withLicences(ctx, c, o.department, func(iss *issuer.Issuer, licences []*issuer.Subject) error {
		change := issuer.StatusChange{To: licence.State(o.to), Reason: o.reason, Effective: effective}
		if successor != nil {
			if change.Successor, err = iss.SubjectOf(ctx, successor); err != nil {
				return err
			}
		}
		changes := make([]issuer.StatusChange, len(licences))
		for i, l := range licences {
			changes[i] = change
			changes[i].Licence = l
		}
		bar := c.newProgress("changing status")
		results, err := iss.SetStatus(ctx, c.by(), changes, func(done int) { bar.show(int64(done), int64(len(changes))) })
		bar.done()
		for _, r := range results {
			if r.Outcome != issuer.StatusNotDone {
				c.answer(newStatusAnswer(o.to, &r), func(w io.Writer) {
					if r.Outcome == issuer.StatusAlready {
						fmt.Fprintf(w, "%s %s\n", r.Digest, c.pick("原已是 "+o.to, "was "+o.to+" already"))
						return
					}
					fmt.Fprintf(w, "%s %s -> %s %s\n", r.Digest, r.From, o.to, c.pick("自 "+r.Effective.String(), "from "+r.Effective.String()))
				})
			}
		}
		return err
	})
}

// A statusAnswer is what came of one change, in JSON.
type statusAnswer struct {
	Digest    sm.Hash       `json:"digest"`
	Outcome   string        `json:"outcome"` // changed or already
	From      licence.State `json:"from,omitempty"`
	To        string        `json:"to"`
	Effective *day          `json:"effective,omitempty"` // first day of the new state
	TxID      string        `json:"txId,omitempty"`
}

func newStatusAnswer(to string, r *issuer.StatusResult) statusAnswer {
	answer := statusAnswer{Digest: r.Digest, Outcome: r.Outcome, From: r.From, To: to, TxID: r.TxID}
	if r.Outcome == issuer.StatusChanged {
		effective := day(r.Effective)
		answer.Effective = &effective
	}
	return answer
}

// licencesAtATime bounds how many credentials of a bundle are in memory.
const licencesAtATime = 10_000

// withLicences runs something as a department for the licences in the call's files, some thousand
// at a time.
func (h *home) withLicences(ctx context.Context, c *call, department string, run func(*issuer.Issuer, []*issuer.Subject) error) error {
	return h.withCredentials(ctx, c, department, func(iss *issuer.Issuer, credentials []*credential.Opened) error {
		subjects := make([]*issuer.Subject, len(credentials))
		for i, o := range credentials {
			var err error
			if subjects[i], err = iss.SubjectOf(ctx, o); err != nil {
				return err
			}
		}
		return run(iss, subjects)
	})
}

// withCredentials runs something as a department for what the call's files hold, some thousand at a time.
func (h *home) withCredentials(ctx context.Context, c *call, department string, run func(*issuer.Issuer, []*credential.Opened) error) error {
	var ids []string
	var opened []*credential.Opened
	flush := func() error {
		if len(opened) == 0 {
			return nil
		}
		err := h.withIssuer(ctx, c, department, "", ids, func(iss *issuer.Issuer) error { return run(iss, opened) })
		opened = opened[:0]
		return err
	}
	for _, path := range c.args {
		for p, err := range c.presentations(path) {
			if err != nil {
				return err
			}
			o, err := openPresentation(p, h.typeVersion)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if !slices.Contains(ids, o.Type.ID) {
				ids = append(ids, o.Type.ID)
			}
			if opened = append(opened, o); len(opened) == licencesAtATime {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// A statusRecord is what the ledger says of a status.
type statusRecord struct {
	State     licence.State `json:"state"`
	Sequence  uint32        `json:"sequence"`  // 0: never changed
	Effective day           `json:"effective"` // first day of the state
}

func (s statusRecord) String() string {
	if s.Sequence == 0 {
		return string(s.State)
	}
	return fmt.Sprintf("%s %s", s.State, s.Effective)
}

// A historyEntry is one change of a licence's status.
type historyEntry struct {
	statusRecord
	Reason    sm.Hash       `json:"reason"` // commitment
	Successor *sm.Hash      `json:"successor,omitempty"`
	TxID      string        `json:"txId"`
	Opened    *licence.Text `json:"reasonOpened,omitempty"` // if a vault in the home can open it
}

// A restrictionRecord is what the ledger says of the restrictions on a licence.
type restrictionRecord struct {
	Open []struct {
		ID        string  `json:"id"`
		Ground    sm.Hash `json:"ground"` // commitment
		Effective day     `json:"effective"`
	} `json:"open"`
}

func statusHistoryCommand() *command {
	return &command{
		name: "status history", args: "FILE",
		summary: "list the changes of a licence's status",
		detail:  "Reasons are commitments; those that a vault in the home can open are shown in words.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name one credential FILE")
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(statusHistory(ctx, c, h), h.close())
		},
	}
}

func statusHistory(ctx context.Context, c *call, h *home) error {
	o, err := c.oneOpened(c.args[0], h.typeVersion)
	if err != nil {
		return err
	}
	answer := struct {
		Digest       sm.Hash           `json:"digest"`
		Licence      []historyEntry    `json:"licence"`
		Batch        []historyEntry    `json:"batch"` // of all licences of its batch
		Restrictions restrictionRecord `json:"restrictions"`
	}{Digest: o.Digest}
	if answer.Licence, err = h.history(ctx, o, "status", o.Digest.String(), o.Record.Type); err != nil {
		return err
	}
	if answer.Batch, err = h.history(ctx, o, "root-status", o.Signed.Root.String()); err != nil {
		return err
	}
	if err = h.query(ctx, &answer.Restrictions, "restrictions", o.Record.Issuer, o.Digest.String(), o.Record.Type); err != nil {
		return err
	}
	c.answer(answer, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", o.Digest)
		for _, list := range [][]historyEntry{answer.Licence, answer.Batch} {
			for _, e := range list {
				reason := c.pick("原因保密", "reason not open")
				if e.Opened != nil {
					reason = c.name(*e.Opened)
				}
				fmt.Fprintf(w, "  %d  %s  %s  (%s)  %s\n", e.Sequence, e.Effective, e.State, reason, e.TxID)
			}
		}
		for _, r := range answer.Restrictions.Open {
			fmt.Fprintf(w, c.pick("  限制 %s 自 %s\n", "  restriction %s from %s\n"), r.ID, r.Effective)
		}
		if len(answer.Licence)+len(answer.Batch) == 0 {
			fmt.Fprintln(w, c.pick("  状态从未变更", "  its status was never changed"))
		}
	})
	return nil
}

// history asks for the changes under one name, and opens their reasons where it can.
func (h *home) history(ctx context.Context, o *credential.Opened, query string, name ...string) ([]historyEntry, error) {
	answer := struct {
		History []historyEntry `json:"history"`
	}{[]historyEntry{}}
	if err := h.query(ctx, &answer, query, append([]string{o.Record.Issuer}, name...)...); err != nil {
		return nil, err
	}
	for i := range answer.History {
		word, err := h.reason(ctx, o, answer.History[i].Reason)
		if err != nil {
			return nil, err
		}
		answer.History[i].Opened = word
	}
	return answer.History, nil
}

// reason opens the commitment to a reason, or to the kind of a restriction, with the issuer's
// vault if it is in the home; nil if it cannot.
func (h *home) reason(ctx context.Context, o *credential.Opened, commitment sm.Hash) (*licence.Text, error) {
	v, err := h.knownVault(ctx, o.Record.Issuer)
	if v == nil || err != nil {
		return nil, err
	}
	opening, err := v.Opening(ctx, commitment)
	if vault.Code(err) == vault.CodeUnknown {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	for _, r := range o.Type.Restrictions {
		if opening.Key != issuer.OpensReason && r.Code == opening.Code {
			return &r.Label, nil
		}
	}
	for _, t := range o.Type.Transitions {
		for _, r := range t.Reasons {
			if opening.Key == issuer.OpensReason && r.Code == opening.Code {
				return &r.Label, nil
			}
		}
	}
	return &licence.Text{Zh: opening.Code, En: opening.Code}, nil
}
