package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/statement"
)

// defaultHost is in the codes that are made without a home.
const defaultHost = "verify.credledger.example"

// maxKeyFile bounds a key or binding file in bytes.
const maxKeyFile = 64 << 10

type presentOptions struct {
	disclose  []string
	all       bool
	holderKey string
	binding   string
	audience  string
	nonce     string
	ttl       time.Duration
	qr        string
}

func presentCommand() *command {
	return &command{
		name: "present", args: "FILE --disclose a,b | --all [--holder-key F --audience A --nonce N --ttl D] [--qr out.png|out.svg]",
		summary: "make the code that shows some fields of a credential and proves them",
		detail: "The code's text goes to standard output. With --holder-key the code proves that the holder made it,\n" +
			"for one audience and nonce and a short time; the issuer has bound the key to the licence before\n" +
			"(`credledger bind`), in a file beside the credential that ends in .binding unless --binding names it.",
		flags: func(c *call) {
			o := new(presentOptions)
			c.options = o
			c.flags.StringSliceVar(&o.disclose, "disclose", nil, "the fields to show, `a,b`")
			c.flags.BoolVar(&o.all, "all", false, "show every field")
			c.flags.StringVar(&o.holderKey, "holder-key", "", "the holder's private key, a PEM `F`ile")
			c.flags.StringVar(&o.binding, "binding", "", "the issuer's binding of that key, a `F`ile")
			c.flags.StringVar(&o.audience, "audience", "", "`A`, who the code is for")
			c.flags.StringVar(&o.nonce, "nonce", "", "`N`, what the verifier asked to have in it, in hexadecimal")
			c.flags.DurationVar(&o.ttl, "ttl", 5*time.Minute, "`D`, how long the holder's proof holds")
			c.flags.StringVar(&o.qr, "qr", "", "draw the code too: `FILE`.png or FILE.svg")
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*presentOptions)
			switch {
			case len(c.args) != 1:
				return usagef("name one credential FILE")
			case o.all == (len(o.disclose) > 0):
				return usagef("say what to show with either --disclose or --all")
			case o.holderKey == "" && (o.audience != "" || o.nonce != "" || o.binding != ""):
				return usagef("--audience, --nonce and --binding go with --holder-key")
			case o.holderKey != "" && (o.audience == "" || o.nonce == ""):
				return usagef("--holder-key goes with the --audience and --nonce that the verifier gives")
			case o.ttl < time.Second:
				return usagef("--ttl is a time like 5m")
			case o.qr != "" && drawing(o.qr) == nil:
				return usagef("--qr names a file that ends in .png or .svg")
			}
			return c.withTypes(ctx, func(h *home, types dictionary) error {
				return present(c, o, h, types)
			})
		},
	}
}

func present(c *call, o *presentOptions, h *home, types dictionary) error {
	full, err := c.one(c.args[0])
	if err != nil {
		return err
	}
	opened, err := openPresentation(full, types)
	if err != nil {
		return err
	}
	keys := o.disclose
	if o.all {
		keys = opened.Type.Leaves()
	}
	p, err := credential.Disclose(full, opened.Type, keys...)
	if err != nil {
		return err
	}
	if o.holderKey != "" {
		if p, err = prove(c, o, p, opened); err != nil {
			return err
		}
	}
	host := defaultHost
	if h != nil {
		host = h.config.Host
	}
	code, err := credential.EncodeCode(host, p)
	if err != nil {
		return err
	}
	if o.qr != "" {
		if err := draw(o.qr, code); err != nil {
			return err
		}
	}
	answer := map[string]any{"code": code, "characters": len(code), "bytes": len(p.Bytes())}
	if o.qr != "" {
		answer["qr"] = o.qr
	}
	c.answer(answer, func(w io.Writer) { fmt.Fprintln(w, code) })
	return nil
}

// prove adds the holder part.
func prove(c *call, o *presentOptions, p *credential.Presentation, opened *credential.Opened) (*credential.Presentation, error) {
	nonce, err := hex.DecodeString(o.nonce)
	if err != nil {
		return nil, usagef("--nonce is in hexadecimal digits")
	}
	key, err := readPrivateKey(o.holderKey)
	if err != nil {
		return nil, err
	}
	file := o.binding
	if file == "" {
		file = bindingFile(c.args[0])
	}
	binding, err := readBounded(file, maxKeyFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, failf("no-binding", "%s is missing: the issuer binds the holder's key to the licence with `credledger bind`", file)
	} else if err != nil {
		return nil, err
	}
	shown := *opened
	shown.Presentation = p
	now := govern.Seconds(c.now())
	return credential.Prove(&shown, binding, statement.Proof{
		Audience: o.audience, Nonce: nonce, IssuedAt: now, NotAfter: now + uint64(o.ttl/time.Second),
	}, key)
}

// bindingFile is where the binding of a credential is looked for.
func bindingFile(credentialFile string) string {
	return strings.TrimSuffix(credentialFile, filepath.Ext(credentialFile)) + ".binding"
}

// drawing is how a symbol is written to a file of a name; nil for other names.
func drawing(file string) func(*qr.Symbol, io.Writer) error {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".png":
		return func(s *qr.Symbol, w io.Writer) error { return s.PNG(w, pixelsPerModule) }
	case ".svg":
		return func(s *qr.Symbol, w io.Writer) error { return s.SVG(w) }
	}
	return nil
}

// pixelsPerModule is the size of a module in a PNG.
const pixelsPerModule = 6

// draw draws a code.
func draw(file, code string) error {
	symbol, err := qr.Encode(code, qr.DefaultLevel(code))
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := drawing(file)(symbol, &picture); err != nil {
		return err
	}
	return writeOutput(file, picture.Bytes())
}
