package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/verifier/request"
	"github.com/credledger/credledger/verifier/service"
	"github.com/credledger/credledger/verifier/web"
)

func serveCommand() *command {
	return &command{
		name: "serve", args: "--home DIR",
		summary: "run the verifier: the API that agencies integrate, and the pages that clerks and citizens use",
		detail: "verifier.yaml of the home says for which department, where to listen and what to take on; `credledger\n" +
			"init` writes one that works on this machine. The ledger is followed, and no request waits for it: with the\n" +
			"network gone answers go on, and say as of when. SIGHUP reads agencies, matters and certificates again;\n" +
			"SIGTERM or SIGINT finishes what is under way and ends, with exit code 0. The addresses are written to\n" +
			"standard output, a log in JSON without anything personal to standard error.",
		keepsHangup: true,
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("serve takes no arguments besides its flags")
			}
			return c.serve(ctx)
		},
	}
}

// verifierConfig reads the configuration of the service of a home.
func verifierConfig(dir string) (*service.Config, error) {
	path := filepath.Join(dir, verifierFile)
	b, err := readBounded(path, maxConfig)
	if err != nil {
		return nil, err
	}
	config, err := service.ParseConfig(b, dir)
	if err != nil {
		return nil, failf(serve.CodeConfig, "%s: %v", path, err)
	}
	return config, nil
}

func (c *call) serve(ctx context.Context) error {
	if c.homeDir == "" {
		return usagef("name the home with --home DIR or CREDLEDGER_HOME; `credledger init` makes one")
	}
	config, err := verifierConfig(c.homeDir)
	if err != nil {
		return err
	}
	h, err := c.connectHome(ctx, config.Department)
	if err != nil {
		return err
	}
	return errors.Join(c.serveHome(ctx, h, config), h.close())
}

// serveHome runs the service of an open home.
func (c *call) serveHome(ctx context.Context, h *home, config *service.Config) error {
	parts, err := c.serviceParts(ctx, h, config)
	if err != nil {
		return err
	}
	if err := tlcp.Quiet(); err != nil {
		return err
	}
	s, err := service.New(ctx, config, *parts)
	if ctx.Err() != nil {
		return nil // told to end before it began
	} else if err != nil {
		return err
	}
	defer onHangup(func() { _ = s.Reload() })() // it logs what is wrong
	c.answerServing(s.Addresses())
	return s.Run(ctx)
}

// answerServing says where a service listens.
func (c *call) answerServing(addresses []serve.Address) {
	serving := map[string]string{}
	for _, a := range addresses {
		serving[a.Name] = a.URL
	}
	c.answer(map[string]any{"serving": serving}, func(w io.Writer) {
		for _, a := range addresses {
			fmt.Fprintf(w, "%s %s\n", a.Name, a.URL)
		}
	})
}

// serviceParts is what the service is given beside its configuration.
func (c *call) serviceParts(ctx context.Context, h *home, config *service.Config) (*service.Parts, error) {
	key, err := readPrivateKey(config.Key)
	if err != nil {
		return nil, err
	}
	department, err := h.as(ctx, config.Department)
	if err != nil {
		return nil, err
	}
	level := new(slog.Level)
	if err := level.UnmarshalText([]byte(config.LogLevel)); err != nil {
		return nil, err
	}
	askers := map[string]request.Key{}
	if config.Requests != nil {
		for id, file := range config.Requests.Keys {
			if askers[id], err = readPrivateKey(file); err != nil {
				return nil, err
			}
		}
	}
	parts := &service.Parts{
		AskerKeys: askers,
		Keys:      h.signersOf,
		Dir:       filepath.Join(h.dir, verifierDir),
		Host:      h.config.Host,
		Ledger:    department,
		Signer:    key,
		Pages:     web.Handler(),
		Now:       c.now,
		Log:       slog.NewJSONHandler(c.stderr, &slog.HandlerOptions{Level: level}),
	}
	if h.config.Ledger == ledgerFabric {
		return parts, nil // `credledger heartbeat` goes with the network
	}
	if err := h.begin(ctx); err != nil {
		return nil, err
	}
	parts.Beat = func(ctx context.Context) error { return h.beat(ctx, govern.HeartbeatInterval) }
	return parts, nil
}

// signersOf returns the private keys of a department that are in the home.
func (h *home) signersOf(department string) ([]sm.Signer, error) {
	_, keys, err := h.keys(department)
	signers := make([]sm.Signer, len(keys))
	for i, key := range keys {
		signers[i] = key
	}
	return signers, err
}

// onHangup does something on every SIGHUP until stop is called.
func onHangup(do func()) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hangups:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(hangups); close(done) }
}
