package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"

	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/webhook"
	"github.com/credledger/credledger/verifier/opener"
)

// openerDir is what the opener keeps in a home: index/ and token.
const openerDir = "opener"

// What the opener takes on: it serves the systems of one machine.
const (
	openerConnections = 64
	openerConcurrent  = 16
)

type openOptions struct {
	listen   string
	keys     []string // files
	secrets  []string // files
	token    string
	snapshot snapshotOptions
}

func openCommand() *command {
	return &command{
		name: "open", args: "[--key FILE]... [--webhook-secret FILE]... [--listen ADDRESS] [--token FILE] [--snapshot FILE]",
		summary: "run a local endpoint that opens and verifies, for systems without national cryptography",
		detail: "Programs on this machine, and nobody else, have it open what is sealed to one of the keys, verify what is\n" +
			"inside or shown, and check the messages of issuers; http://ADDRESS/v1/openapi.yaml describes it, and\n" +
			"docs/clients/java has a client. They call with the token in the token's file, which is made if there is\n" +
			"none: let the calling system read it, and nobody else. A key for envelopes is made with `openssl genpkey\n" +
			"-algorithm SM2 -out FILE`; its public half (`openssl pkey -in FILE -pubout`) goes to whoever seals.\n\n" +
			"Verdicts are by the home's ledger, which is followed, or by a snapshot, which is read again when the file\n" +
			"changes: with a home, or without one with --ledger, --authority-key and --token. Nothing is recorded, and\n" +
			"there are no receipts: offices that decide by a verdict ask a verifier's service. SIGTERM or SIGINT ends it.",
		flags: func(c *call) {
			o := new(openOptions)
			c.options = o
			c.flags.StringArrayVar(&o.keys, "key", nil, "a private key that envelopes are sealed to, in PEM in a `FILE`; may be repeated")
			c.flags.StringArrayVar(&o.secrets, "webhook-secret", nil, "a `FILE` with the secrets of an issuer's messages; may be repeated")
			c.flags.StringVar(&o.listen, "listen", "127.0.0.1:8420", "where on loopback to listen, as `ADDRESS`:PORT; port 0 is any that is free")
			c.flags.StringVar(&o.token, "token", "", "the `FILE` with the token of callers (default: opener/token in the home)")
			o.snapshot.flags(c)
		},
		run: func(ctx context.Context, c *call) error {
			o := c.options.(*openOptions)
			if err := o.check(c); err != nil {
				return err
			}
			return c.openEndpoint(ctx, o)
		},
	}
}

func (o *openOptions) check(c *call) error {
	address, err := netip.ParseAddrPort(o.listen)
	switch {
	case len(c.args) > 0:
		return usagef("open takes no arguments besides its flags; what is to be opened is sent to it")
	case err != nil || !address.Addr().IsLoopback():
		return usagef("--listen is an address of this machine alone, like 127.0.0.1:8420 or [::1]:8420")
	case c.homeDir == "" && o.snapshot.file == "":
		return usagef("name the home with --home DIR or CREDLEDGER_HOME, or a snapshot to go by with --snapshot FILE")
	case c.homeDir == "" && o.token == "":
		return usagef("without a home, say where the token of callers is with --token FILE")
	case o.snapshot.file == "" && o.snapshot.given():
		return usagef("--min-height, --ledger and --authority-key go with --snapshot")
	}
	return nil
}

// openEndpoint runs the endpoint until ctx is done.
func (c *call) openEndpoint(ctx context.Context, o *openOptions) error {
	config, err := c.openerConfig(o)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(c.stderr, nil))
	sight, err := c.openSight(ctx, o, log)
	if ctx.Err() != nil {
		return nil // told to end before it began
	} else if err != nil {
		return err
	}
	config.View = sight.view
	config.Observe = func(call *rest.Call) {
		if call.Err != nil {
			log.Error("a call failed", "request", call.ID, "route", call.Route, "error", call.Err)
		}
	}
	endpoint := opener.New(*config)
	doors, err := serve.Open(
		&serve.Config{Web: &serve.Web{Address: o.listen}, Connections: openerConnections, Concurrent: openerConcurrent},
		serve.NewMetrics("opener"),
		serve.Handler{API: endpoint, Refuse: endpoint.Refuse, Ready: endpoint.Ready},
	)
	if err != nil {
		return errors.Join(err, sight.close())
	}
	c.tellEndpoint(doors.Addresses()[0].URL, o.tokenFile(c))
	return doors.Run(ctx, log, sight.chores, sight.close)
}

func (c *call) tellEndpoint(url, token string) {
	c.answer(map[string]any{"serving": map[string]string{"opener": url}, "token": token}, func(w io.Writer) {
		fmt.Fprintf(w, "opener %s\n", url)
		fmt.Fprintf(w, c.pick("令牌文件 %s\n", "token %s\n"), printable(token))
	})
}

func (o *openOptions) tokenFile(c *call) string {
	if o.token != "" {
		return o.token
	}
	return filepath.Join(c.homeDir, openerDir, "token")
}

// openerConfig reads the keys, the secrets and the token.
func (c *call) openerConfig(o *openOptions) (*opener.Config, error) {
	config := &opener.Config{Now: c.now}
	for _, path := range o.keys {
		key, err := readPrivateKey(path)
		if err != nil {
			return nil, err
		}
		config.Keys = append(config.Keys, envelope.Decrypter(key))
	}
	for _, path := range o.secrets {
		b, err := readBounded(path, maxKeyFile)
		if err != nil {
			return nil, err
		}
		secrets, err := webhook.ParseSecrets(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		config.Secrets = append(config.Secrets, secrets...)
	}
	path := o.tokenFile(c)
	if o.token == "" {
		if _, err := readConfig(c.homeDir); err != nil {
			return nil, err
		}
		if err := makeDir(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	token, err := opener.KeepToken(path)
	if err != nil {
		return nil, failf("token", "%v", err)
	}
	config.Token = token
	return config, nil
}
