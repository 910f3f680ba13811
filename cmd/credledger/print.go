package main

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/licence/catalog"
	"github.com/credledger/credledger/sdk/paper"
	"github.com/credledger/credledger/verifier/matter"
)

type printOptions struct {
	disclose []string
	all      bool
	matter   string
	large    bool
	out      string
}

func printCommand() *command {
	return &command{
		name: "print", args: "FILE --disclose a,b | --all | --matter M [--large] --out FILE.pdf",
		summary: "print some fields of a credential on paper, with the code that proves them",
		detail: "The sheet is a PDF in the language of --lang. Whoever gets it on paper scans its code, whoever gets the\n" +
			"file hands that in to be verified: what is shown is attached to it, and nothing else. With --matter it\n" +
			"says what it is for, and shows what that needs unless --disclose or --all says otherwise.",
		flags: func(c *call) {
			o := new(printOptions)
			c.options = o
			c.flags.StringSliceVar(&o.disclose, "disclose", nil, "the fields to show, `a,b`")
			c.flags.BoolVar(&o.all, "all", false, "show every field")
			c.flags.StringVar(&o.matter, "matter", "", "`M`, what it is printed for, such as second-hand-home-transfer")
			c.flags.BoolVar(&o.large, "large", false, "large type")
			c.flags.StringVar(&o.out, "out", "", "the `FILE` to write")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*printOptions)
			switch {
			case len(c.args) != 1:
				return usagef("name one credential FILE")
			case o.all && len(o.disclose) > 0 || !o.all && len(o.disclose) == 0 && o.matter == "":
				return usagef("say what to show with one of --disclose, --all and --matter")
			case o.out == "":
				return usagef("name the file to write with --out")
			}
			return c.withTypes(ctx, func(h *home, types dictionary) error {
				return printSheet(ctx, c, o, h, types)
			})
		},
	}
}

func printSheet(ctx context.Context, c *call, o *printOptions, h *home, types dictionary) error {
	full, err := c.one(c.args[0])
	if err != nil {
		return err
	}
	opened, err := openPresentation(full, types)
	if err != nil {
		return err
	}
	s := paper.Sheet{Host: defaultHost, Printed: c.now(), Large: o.large, Language: c.lang}
	if h != nil {
		s.Host = h.config.Host
	}
	keys := o.disclose
	if o.all {
		keys = opened.Type.Leaves()
	}
	if o.matter != "" {
		m, err := c.matterFor(o.matter, opened.Type)
		if err != nil {
			return err
		}
		s.Purpose = m.Name
		if len(keys) == 0 {
			keys = m.Fields(opened.Type.ID)
		}
	}
	shown, err := credential.Disclose(full, opened.Type, keys...)
	if err != nil {
		return err
	}
	if s.Shown, err = shown.Open(opened.Type); err != nil {
		return err
	}
	if s.Issuer, s.Unit, err = issuerNames(ctx, h, opened); err != nil {
		return err
	}
	var file bytes.Buffer
	if err := paper.Print(&file, s); err != nil {
		return err
	}
	if err := writeOutput(o.out, file.Bytes()); err != nil {
		return err
	}
	answer := map[string]any{"file": o.out, "bytes": file.Len(), "fields": keysOf(s.Shown)}
	c.answer(answer, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("已写入 %s,出示 %d 项内容\n", "wrote %s, which shows %d fields\n"), printable(o.out), len(shown.Fields))
	})
	return nil
}

// matterFor is the matter of an id as it is today, which has to take licences of a type.
func (c *call) matterFor(id string, t *licence.Type) (*matter.Matter, error) {
	matters, err := matter.Builtin()
	if c.homeDir != "" {
		matters, err = homeMatters(c.homeDir)
	}
	if err != nil {
		return nil, err
	}
	m := matters.Matter(id, licence.DateOf(c.now()))
	if m == nil {
		return nil, failf("matter-unknown", "there is no matter %q today", id)
	}
	if len(m.Fields(t.ID)) == 0 {
		return nil, failf("matter-without-type", "the matter %s takes no licence of the type %s", id, t.ID)
	}
	return m, nil
}

// issuerNames are the names of who issued a licence: as the home's ledger has them, or without a home the
// demonstration departments'.
func issuerNames(ctx context.Context, h *home, o *credential.Opened) (department, unit licence.Text, err error) {
	var d *licence.Department
	if h != nil {
		record, err := h.department(ctx, o.Record.Issuer)
		if err != nil {
			return licence.Text{}, licence.Text{}, err
		}
		d = &record.Department
	} else {
		known, err := catalog.Departments()
		if err != nil {
			return licence.Text{}, licence.Text{}, err
		}
		for i := range known {
			if known[i].ID == o.Record.Issuer {
				d = &known[i]
			}
		}
	}
	if d == nil {
		return licence.Text{}, licence.Text{}, failf("department-unknown", "name the home whose ledger has the department %s with --home", o.Record.Issuer)
	}
	for _, u := range d.Units {
		if u.ID == o.Head.Unit {
			unit = u.Name
		}
	}
	return d.Name, unit, nil
}

// keysOf are the keys of the fields that a presentation shows.
func keysOf(o *credential.Opened) []string {
	keys := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		keys[i] = o.Type.Leaves()[f.Index]
	}
	return keys
}
