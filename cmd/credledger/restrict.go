package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/credledger/credledger/sdk/issuer"
)

type restrictOptions struct {
	department, kind, effective, id string
}

func restrictCommand() *command {
	return restriction("restrict", "lay a restriction on licences: a seizure, a mortgage, an objection",
		"The status of the licence stays what it is. Kinds are those of the licence type; the ledger learns only a\n"+
			"commitment to the kind.", false)
}

func releaseCommand() *command {
	return restriction("release", "lift a restriction from licences",
		"If several of the kind lie on a licence, --id names the one to lift.", true)
}

func restriction(name, summary, detail string, lift bool) *command {
	args := "--department ID --kind KIND [--effective D] FILE..."
	if lift {
		args = "--department ID --kind KIND [--id RESTRICTION] [--effective D] FILE..."
	}
	return &command{
		name: name, args: args, summary: summary, detail: detail,
		flags: func(c *call) {
			o := new(restrictOptions)
			c.options = o
			c.flags.StringVar(&o.department, "department", "", "`ID` of the issuing department")
			c.flags.StringVar(&o.kind, "kind", "", "code of the kind of restriction, `KIND`")
			c.flags.StringVar(&o.effective, "effective", "", "first day, `D` (default: today)")
			if lift {
				c.flags.StringVar(&o.id, "id", "", "the `RESTRICTION` to lift, 32 hexadecimal digits")
			}
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*restrictOptions)
			if len(c.args) == 0 || o.department == "" || o.kind == "" {
				return usagef("--department, --kind and the FILEs of the licences are needed")
			}
			h, err := c.openHome(ctx, o.department)
			if err != nil {
				return err
			}
			return errors.Join(restrict(ctx, c, o, h, lift), h.close())
		},
	}
}

func restrict(ctx context.Context, c *call, o *restrictOptions, h *home, lift bool) error {
	effective, err := dateFlag("effective", o.effective)
	if err != nil {
		return err
	}
	var which *issuer.RestrictionID
	if o.id != "" {
		id, err := issuer.ParseRestrictionID(o.id)
		if err != nil {
			return usagef("--id is 32 hexadecimal digits")
		}
		which = &id
	}
	return h.withLicences(ctx, c, o.department, func(iss *issuer.Issuer, licences []*issuer.Subject) error {
		for _, l := range licences {
			var r issuer.RestrictionResult
			var err error
			if lift {
				r, err = iss.Release(ctx, c.by(), l, o.kind, which, effective)
			} else {
				r, err = iss.Restrict(ctx, c.by(), l, o.kind, effective)
			}
			if err != nil {
				return err
			}
			c.answer(map[string]any{"digest": l.Place.Digest, "restriction": r.ID.String(), "kind": o.kind, "lifted": lift, "earlier": r.Earlier}, func(w io.Writer) {
				what := c.pick("已限制", "restricted")
				if lift {
					what = c.pick("已解除", "released")
				}
				if r.Earlier {
					what += c.pick("(由上次中断的操作完成)", " (by an earlier run that was interrupted)")
				}
				fmt.Fprintf(w, "%s %s %s %s\n", l.Place.Digest, what, o.kind, r.ID)
			})
		}
		return nil
	})
}
