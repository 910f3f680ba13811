package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/statement"
)

// departmentCommand makes a subcommand of department, which the authority runs.
func departmentCommand(name, args, summary, detail string, run func(context.Context, *call, *founding) error) *command {
	return &command{
		name: "department " + name, args: args, summary: summary, detail: detail,
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name one %s", args)
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			f, err := h.authority(ctx)
			if err == nil {
				err = run(ctx, c, f)
			}
			return errors.Join(err, h.close())
		},
	}
}

// authority is the home in the hands of the authority.
func (h *home) authority(ctx context.Context) (*founding, error) {
	signers, err := h.signers(ctx, h.author, statement.PurposeGovern)
	if err != nil {
		return nil, err
	}
	if len(signers) == 0 {
		return nil, failf("no-key", "the home has no key of the authority, %s, in force for governing", h.author)
	}
	l, err := h.as(ctx, h.author)
	return &founding{home: h, authority: l, govern: signers[0]}, err
}

// A departmentAnswer is the answer of the commands for departments, for each of them.
type departmentAnswer struct {
	Department  string             `json:"department"`
	State       string             `json:"state"`
	Outcome     string             `json:"outcome"` // admitted, changed or already
	Certificate *certificateAnswer `json:"certificate,omitempty"`
}

func departmentSuspendCommand() *command {
	return departmentCommand("suspend", "ID",
		"take a department's rights away, as the authority",
		"Nothing more is accepted from the department; what it did before stays as it is. `credledger department\n"+
			"readmit` gives the rights back. The authority cannot suspend itself.",
		func(ctx context.Context, c *call, f *founding) error {
			return c.setDepartment(ctx, f, statement.DepartmentSuspended)
		})
}

func departmentReadmitCommand() *command {
	return departmentCommand("readmit", "ID",
		"give a suspended department its rights back, as the authority",
		"Its keys are in force again as they were.",
		func(ctx context.Context, c *call, f *founding) error {
			return c.setDepartment(ctx, f, statement.DepartmentActive)
		})
}

// setDepartment changes the state of the department that the call names.
func (c *call) setDepartment(ctx context.Context, f *founding, state string) error {
	id := c.args[0]
	known, err := f.department(ctx, id)
	if err != nil {
		return err
	}
	answer := departmentAnswer{Department: id, State: state, Outcome: "already"}
	if known.State != state {
		answer.Outcome = "changed"
		if err := govern.Admit(ctx, f.authority, f.id, &known.Department, state, known.Sequence+1, f.govern, f.now()); err != nil {
			return err
		}
	}
	c.answer(answer, func(w io.Writer) {
		what := c.pick(map[string]string{statement.DepartmentActive: "有效", statement.DepartmentSuspended: "已暂停"}[state], state)
		if answer.Outcome == "already" {
			what = c.pick("原已是:", "already ") + what
		}
		fmt.Fprintf(w, "%s %s\n", id, what)
	})
	return nil
}

func departmentAdmitCommand() *command {
	cmd := departmentCommand("admit", "FILE",
		"admit departments, or change what the ledger says of them, as the authority",
		"FILE lists departments as for `credledger init`. Those that the ledger does not have are admitted, and get\n"+
			"their keys and vault in the home; of the others the names, units and types are brought to what FILE\n"+
			"says. On a network a department can act once it is an organisation there (`credledger network add-org`).\n\n"+
			"With --enrolment a department brings its first key in a file of `credledger keys request`, and keeps the private\n"+
			"half to itself; ask it for the key's id, --key, in person or by telephone. Its other keys it enrols itself.\n\n"+
			"With --certificate each department that is new has its first key, in an --enrolment or in the home as\n"+
			"keys/ID/govern.pem, certified: it is admitted if an authority in ROOTS vouches for the key now, and if the\n"+
			"certificate names no other unified social credit code than FILE. Nothing is written before all have passed.",
		func(ctx context.Context, c *call, f *founding) error {
			all, err := readDepartments(c.args[0])
			if err != nil {
				return err
			}
			before, err := f.admitted(ctx)
			if err != nil {
				return err
			}
			certified, err := f.prepare(ctx, c, c.options.(*admission), all, before)
			if err != nil {
				return err
			}
			if err := f.departments(ctx, all, before); err != nil {
				return err
			}
			for _, d := range all {
				answer := departmentAnswer{d.ID, statement.DepartmentActive, "admitted", newCertificateAnswer(certified[d.ID])}
				if known := before[d.ID]; known != nil {
					answer.State, answer.Outcome = known.State, "changed"
					if sameProfile(&d, &known.Department) {
						answer.Outcome = "already"
					}
				}
				c.answer(answer, func(w io.Writer) {
					outcome := c.pick(map[string]string{"admitted": "已准入", "changed": "已变更", "already": "无变化"}[answer.Outcome], answer.Outcome)
					fmt.Fprintf(w, "%s %s\n", d.ID, outcome)
					answer.Certificate.print(c, w)
				})
			}
			return nil
		})
	cmd.args = "[--enrolment REQUEST --key KEY] [--certificate CHAIN --ca ROOTS] FILE"
	cmd.flags = func(c *call) {
		o := new(admission)
		c.options = o
		o.flags(c)
	}
	return cmd
}

// admitted returns what the ledger says of every department, by id.
func (h *home) admitted(ctx context.Context) (map[string]*departmentRecord, error) {
	var all []departmentRecord
	if err := h.query(ctx, &all, "departments"); err != nil {
		return nil, err
	}
	out := map[string]*departmentRecord{}
	for i := range all {
		out[all[i].ID] = &all[i]
	}
	return out, nil
}

func readDepartments(file string) ([]licence.Department, error) {
	b, err := readBounded(file, licence.MaxDepartmentsFile)
	if err != nil {
		return nil, err
	}
	all, err := licence.ParseDepartments(b)
	if err != nil {
		return nil, failf("departments-malformed", "%s: %v", file, err)
	}
	return all, nil
}
