package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// sortedHashes sorts hashes, each once.
func sortedHashes(h []sm.Hash) []sm.Hash {
	slices.SortFunc(h, func(a, b sm.Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(h)
}

// withTypes runs a command that needs licence types, from the home if one is named.
func (c *call) withTypes(ctx context.Context, run func(h *home, types dictionary) error) error {
	if c.homeDir == "" {
		types, err := c.dictionary(nil)
		if err != nil {
			return err
		}
		return run(nil, types)
	}
	h, err := c.openHome(ctx, "")
	if err != nil {
		return err
	}
	types, err := c.dictionary(h)
	if err == nil {
		err = run(h, types)
	}
	return errors.Join(err, h.close())
}

func showCommand() *command {
	return &command{
		name: "show", args: "FILE...",
		summary: "show what credentials, presentations or codes hold; nothing is verified",
		detail: "FILE is a credential, a bundle, a presentation, a code's text or a PNG or JPEG picture of it, or a PDF or\n" +
			"OFD to which one is attached; - is standard input. Licence types are those of the home's ledger if one\n" +
			"is named, else the built-in ones.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) == 0 {
				return usagef("name the FILEs to show")
			}
			return c.withTypes(ctx, func(_ *home, types dictionary) error {
				for _, path := range c.args {
					for p, err := range c.presentations(path) {
						if err != nil {
							return err
						}
						o, err := openPresentation(p, types)
						if err != nil {
							return err
						}
						c.showOne(o)
					}
				}
				return nil
			})
		},
	}
}

// A shownField is a disclosed field.
type shownField struct {
	Key   string       `json:"key"`
	Label licence.Text `json:"label"`
	Value any          `json:"value"` // text, or array of texts
}

// A shown is what show prints of a presentation.
type shown struct {
	Kind        string       `json:"kind"` // credential or presentation
	Type        string       `json:"type"`
	TypeVersion uint32       `json:"typeVersion"`
	TypeName    licence.Text `json:"typeName"`
	Issuer      string       `json:"issuer"`
	Unit        string       `json:"unit"`
	IssuedAt    instant      `json:"issuedAt"`
	ValidFrom   *day         `json:"validFrom,omitempty"`
	ValidUntil  *day         `json:"validUntil,omitempty"`
	Predecessor *sm.Hash     `json:"predecessor,omitempty"`
	Fields      []shownField `json:"fields"`
	Ledger      sm.Hash      `json:"ledger"`
	Digest      sm.Hash      `json:"digest"`
	Root        sm.Hash      `json:"root"`
	Index       uint32       `json:"index"`
	Size        uint32       `json:"size"`
	HolderBound bool         `json:"holderBound"`
	Bytes       int          `json:"bytes"`
}

func newShown(o *credential.Opened) *shown {
	s := &shown{
		Kind: "presentation", Type: o.Type.ID, TypeVersion: o.Record.TypeVersion, TypeName: o.Type.Name,
		Issuer: o.Record.Issuer, Unit: o.Head.Unit, IssuedAt: instant(o.Record.IssuedAt),
		ValidFrom: (*day)(o.Record.ValidFrom), ValidUntil: (*day)(o.Record.ValidUntil), Predecessor: o.Record.Predecessor,
		Fields: []shownField{}, Ledger: o.Head.Ledger, Digest: o.Digest, Root: o.Signed.Root,
		Index: o.Index, Size: o.Head.Size, HolderBound: o.Holder != nil, Bytes: len(o.Bytes()),
	}
	if o.Complete() {
		s.Kind = "credential"
	}
	for _, f := range o.Fields {
		if !f.Value.IsNull() {
			key := o.Type.Leaves()[f.Index]
			shown := shownField{key, o.Type.Label(key), f.Value.String()}
			if f.Value.IsList() {
				shown.Value = f.Value.Strings()
			}
			s.Fields = append(s.Fields, shown)
		}
	}
	return s
}

func (c *call) showOne(o *credential.Opened) {
	s := newShown(o)
	c.answer(s, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s (%s v%d)\n", c.pick(map[string]string{"credential": "证照凭证", "presentation": "亮证"}[s.Kind], s.Kind), c.name(s.TypeName), s.Type, s.TypeVersion)
		row := func(zh, en, format string, args ...any) {
			fmt.Fprintf(w, "  %s: %s\n", c.pick(zh, en), fmt.Sprintf(format, args...))
		}
		row("颁发机构", "issuer", "%s / %s", s.Issuer, s.Unit)
		row("制发时间", "issued at", "%s", formatTime(o.Record.IssuedAt))
		if s.ValidFrom != nil {
			row("有效期起", "valid from", "%s", s.ValidFrom)
		}
		if s.ValidUntil != nil {
			row("有效期至", "valid until", "%s", s.ValidUntil)
		}
		if s.Predecessor != nil {
			row("前证摘要", "predecessor", "%s", s.Predecessor)
		}
		for _, f := range o.Fields {
			if key := o.Type.Leaves()[f.Index]; !f.Value.IsNull() {
				label := o.Type.Label(key)
				row(label.Zh, label.En, "%s", printable(f.Value.String()))
			}
		}
		row("摘要", "digest", "%s", s.Digest)
		row("批次根", "root", "%s  (%d/%d)", s.Root, s.Index+1, s.Size)
		row("账本", "ledger", "%s", s.Ledger)
	})
}
