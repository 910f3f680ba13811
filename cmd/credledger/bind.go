package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

type bindOptions struct {
	holderKey string
	ttl       time.Duration
	out       string
	revoke    bool
}

func bindCommand() *command {
	return &command{
		name: "bind", args: "--holder-key PUB [--ttl D] [--out FILE] FILE | --revoke [--holder-key PUB] FILE",
		summary: "bind a holder's public key to a licence, as its issuer, or revoke that",
		detail: "With the binding the holder can prove who shows the licence (`credledger present --holder-key`). It is\n" +
			"written beside the credential, ending in .binding, unless --out names another file. A holder can make a\n" +
			"key with `openssl genpkey -algorithm SM2 -out F` and its public half with `openssl pkey -in F -pubout`.\n\n" +
			"With --revoke, as when a phone was lost, the bindings of that key to the licence hold no longer, or without\n" +
			"--holder-key those of every key. The ledger gets their hashes; the licence stays what it is.",
		flags: func(c *call) {
			o := new(bindOptions)
			c.options = o
			c.flags.StringVar(&o.holderKey, "holder-key", "", "the holder's public key, a PEM file `PUB`")
			c.flags.DurationVar(&o.ttl, "ttl", 30*24*time.Hour, "`D`, how long the binding holds, at most 400 days")
			c.flags.StringVar(&o.out, "out", "", "write the binding to `FILE`")
			c.flags.BoolVar(&o.revoke, "revoke", false, "revoke what was bound, instead")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*bindOptions)
			switch {
			case len(c.args) != 1 || o.holderKey == "" && !o.revoke:
				return usagef("name one credential FILE and the holder's public key")
			case o.ttl < time.Second:
				return usagef("--ttl is a time like 720h")
			case o.revoke && (c.flags.Changed("ttl") || o.out != ""):
				return usagef("--revoke goes with --holder-key alone")
			}
			if o.out == "" {
				o.out = bindingFile(c.args[0])
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			do := c.bind
			if o.revoke {
				do = c.unbind
			}
			return errors.Join(do(ctx, o, h), h.close())
		},
	}
}

func (c *call) bind(ctx context.Context, o *bindOptions, h *home) error {
	opened, holder, err := c.boundTo(o, h)
	if err != nil {
		return err
	}
	return h.withIssuer(ctx, c, opened.Record.Issuer, "", []string{opened.Record.Type}, func(iss *issuer.Issuer) error {
		l, err := iss.SubjectOf(ctx, opened)
		if err != nil {
			return err
		}
		now := c.now()
		id, signed, err := iss.Bind(ctx, c.by(), l, holder, now, now.Add(o.ttl))
		if err != nil {
			return err
		}
		if err := writeOutput(o.out, signed); err != nil {
			return err
		}
		c.answer(map[string]any{"binding": o.out, "id": id}, func(w io.Writer) { fmt.Fprintln(w, o.out) })
		return nil
	})
}

// boundTo reads the credential and, if one is named, the holder's key.
func (c *call) boundTo(o *bindOptions, h *home) (*credential.Opened, *sm.PublicKey, error) {
	opened, err := c.oneOpened(c.args[0], h.typeVersion)
	if err != nil || o.holderKey == "" {
		return opened, nil, err
	}
	pem, err := readBounded(o.holderKey, maxKeyFile)
	if err != nil {
		return nil, nil, err
	}
	holder, err := sm.ParsePublicKeyPEM(pem)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", o.holderKey, err)
	}
	return opened, holder, nil
}

// unbind revokes the bindings of a key to a licence, or of all keys. One that was interrupted goes on when it is run
// again.
func (c *call) unbind(ctx context.Context, o *bindOptions, h *home) error {
	opened, holder, err := c.boundTo(o, h)
	if err != nil {
		return err
	}
	return h.withIssuer(ctx, c, opened.Record.Issuer, "", []string{opened.Record.Type}, func(iss *issuer.Issuer) error {
		l, err := iss.SubjectOf(ctx, opened)
		if err != nil {
			return err
		}
		v, err := h.openVault(ctx, opened.Record.Issuer)
		if err != nil {
			return err
		}
		all, err := v.Bindings(ctx, l.ID)
		if err != nil {
			return err
		}
		revoked := []int64{}
		for i := range all {
			if all[i].RevokedAt != nil || holder != nil && !isBindingOf(&all[i], holder) {
				continue
			}
			if err := iss.Unbind(ctx, c.by(), all[i].ID); err != nil {
				return err
			}
			revoked = append(revoked, all[i].ID)
		}
		c.answer(map[string]any{"revoked": revoked}, func(w io.Writer) {
			fmt.Fprintf(w, c.pick("已撤销 %d 项绑定\n", "bindings revoked: %d\n"), len(revoked))
		})
		return nil
	})
}

// isBindingOf reports whether a binding is of a holder's key.
func isBindingOf(b *vault.Binding, holder *sm.PublicKey) bool {
	bound, _, err := statement.ParseAs[*statement.Binding](b.Statement)
	return err == nil && bytes.Equal(bound.HolderKey[:], holder.Bytes())
}
