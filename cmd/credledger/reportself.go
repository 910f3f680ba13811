package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/credledger/credledger/sdk/sqldb"
	indicators "github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/store"
)

func reportSelfCommand() *command {
	return &command{
		name: "report self", args: "--month M|--quarter Q|--year Y --department ID",
		summary: "write what a department's processes have counted, as its self-report for the data bureau",
		detail: "From its vault: ratings, and objections with their times. From the store of its verifier: requests that\n" +
			"were refused for asking too much, and those that got no answer. What no process counts, materials that\n" +
			"were collected all the same, is for somebody to fill in. The answer is a file for `credledger report\n" +
			"--self-report`; no figure in it can be computed again by anybody else.",
		flags: func(c *call) {
			o := new(reportOptions)
			c.options = o
			o.periodFlags(c)
			c.flags.StringVar(&o.department, "department", "", "`ID` of the department")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*reportOptions)
			period, err := o.period(c)
			if err != nil {
				return err
			}
			if !departmentID.MatchString(o.department) {
				return usagef("name the department with --department ID")
			}
			h, err := c.connectHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.reportSelf(ctx, h, o.department, period), h.close())
		},
	}
}

func (c *call) reportSelf(ctx context.Context, h *home, department string, period indicators.Period) error {
	s := &indicators.SelfReport{Department: department, Period: period.String()}
	inVault, err := h.countedInVault(ctx, s, period)
	if err != nil {
		return err
	}
	inStore, err := h.countedInStore(ctx, s, period)
	if err != nil {
		return err
	}
	if !inVault && !inStore {
		return failf("nothing-counted", "this home has neither a vault of %s nor a verifier of its: run this where its services run", department)
	}
	c.answer(s, func(w io.Writer) { err = s.WriteYAML(w) })
	return err
}

// countedInVault fills in what the department's vault has; false if there is none here.
func (h *home) countedInVault(ctx context.Context, s *indicators.SelfReport, period indicators.Period) (bool, error) {
	v, err := h.knownVault(ctx, s.Department)
	if err != nil || v == nil {
		return false, err
	}
	from, until := period.Bounds()
	ratings, err := v.Ratings(ctx, from, until)
	if err != nil {
		return false, err
	}
	for _, r := range ratings {
		row := indicators.Rated{Matter: r.Matter}
		for i, n := range r.Scores {
			row.Scores[i] = indicators.Number(n)
		}
		s.Ratings = append(s.Ratings, row)
	}
	o, err := v.ObjectionTotals(ctx, from, until)
	s.Objections = indicators.Objections{
		Received: indicators.Number(o.Received), Settled: indicators.Number(o.Settled),
		InTime: indicators.Number(o.InTime), Days: indicators.Number(o.Days),
	}
	return true, err
}

// countedInStore fills in what the store of the home's verifier has; false if the verifier is not the
// department's, or never ran.
func (h *home) countedInStore(ctx context.Context, s *indicators.SelfReport, period indicators.Period) (bool, error) {
	config, err := verifierConfig(h.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || config.Department != s.Department {
		return false, err
	}
	if !sqldb.IsPostgreSQL(config.Store) && !exists(config.Store) {
		return false, nil
	}
	counted, err := store.Open(ctx, config.Store, h.now)
	if err != nil {
		return false, err
	}
	counts, err := counted.Counts(ctx, period.First(), period.Last())
	if err = errors.Join(err, counted.Close()); err != nil {
		return false, fmt.Errorf("%s: %w", config.Store, err)
	}
	for _, n := range counts {
		row := indicators.AskedBy{Department: n.Department, Matter: n.Matter, Count: indicators.Number(n.Number)}
		switch n.Kind {
		case store.OverAsking:
			s.OverAsking = append(s.OverAsking, row)
		case store.Unanswered:
			s.Unanswered = append(s.Unanswered, row)
		}
	}
	return true, nil
}
