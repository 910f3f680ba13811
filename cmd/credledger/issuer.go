package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/issuer/service"
	"github.com/credledger/credledger/sdk/issuer/staff"
	"github.com/credledger/credledger/sdk/issuer/vault"
	walletweb "github.com/credledger/credledger/sdk/issuer/wallet/web"
	"github.com/credledger/credledger/sdk/issuer/web"
	"github.com/credledger/credledger/sdk/serve"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sm/tlcp"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/accesslog"
)

// What a home has for the issuing service of a department, in a directory of its own.
const (
	issuersDir = "issuer" // with a directory for each department
	issuerFile = "issuer.yaml"
	staffFile  = "staff.yaml"
)

// issuerDir is the directory of a department's issuing service.
func (c *call) issuerDir(department string) string {
	return filepath.Join(c.homeDir, issuersDir, department)
}

func issuerServeCommand() *command {
	return &command{
		name: "issuer serve", args: "--home DIR [--department ID]",
		summary: "run a department's issuing service: the API that registries integrate, and the desk",
		detail: "issuer.yaml of the department says where to listen, whom to tell and what to take on; `credledger issuer\n" +
			"init` writes one that works on this machine. Nothing is issued before the vault was compared with the ledger\n" +
			"and what an interrupted process has left is settled. SIGHUP reads staff, webhooks, keys and certificates\n" +
			"again; SIGTERM or SIGINT finishes what is under way and ends, with exit code 0. The addresses are written to\n" +
			"standard output, a log in JSON without anything personal to standard error.",
		keepsHangup: true,
		flags:       departmentFlag,
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("issuer serve takes no arguments besides its flags")
			}
			return c.withIssuing(ctx, c.serveIssuer)
		},
	}
}

// departmentFlag is the flag of commands that are about one department's issuing service.
func departmentFlag(c *call) {
	department := new(string)
	c.options = department
	c.flags.StringVar(department, "department", "", "`ID` of the department (default: the only one with an issuing service)")
}

// issuing returns the department whose issuing service is meant.
func (c *call) issuing() (string, error) {
	if c.homeDir == "" {
		return "", usagef("name the home with --home DIR or CREDLEDGER_HOME; `credledger init` makes one")
	}
	if department := *c.options.(*string); department != "" {
		if !departmentID.MatchString(department) {
			return "", usagef("--department is the id of one")
		}
		return department, nil
	}
	all, err := os.ReadDir(filepath.Join(c.homeDir, issuersDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	switch len(all) {
	case 0:
		return "", failf("no-issuer", "no department has an issuing service here: `credledger issuer init --department ID` makes one")
	case 1:
		return all[0].Name(), nil
	}
	return "", usagef("several departments have an issuing service here: name one with --department")
}

// issuingConfig reads the configuration of a department's issuing service.
func (c *call) issuingConfig(department string) (*service.Config, error) {
	dir := c.issuerDir(department)
	path := filepath.Join(dir, issuerFile)
	b, err := readBounded(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf("no-issuer", "%s is missing: `credledger issuer init --department %s` makes it", path, department)
	} else if err != nil {
		return nil, err
	}
	config, err := service.ParseConfig(b, dir)
	if err != nil {
		return nil, failf(serve.CodeConfig, "%s: %v", path, err)
	}
	if config.Department != department {
		return nil, failf(serve.CodeConfig, "%s is of the department %s: it lies in the directory of its department", path, config.Department)
	}
	return config, nil
}

// withIssuing does something with a home, and the configuration of a department's issuing service in it.
func (c *call) withIssuing(ctx context.Context, do func(context.Context, *home, *service.Config) error) error {
	department, err := c.issuing()
	if err != nil {
		return err
	}
	config, err := c.issuingConfig(department)
	if err != nil {
		return err
	}
	h, err := c.connectHome(ctx, department)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, h, config), h.close())
}

// serveIssuer runs the issuing service of a department.
func (c *call) serveIssuer(ctx context.Context, h *home, config *service.Config) error {
	parts, err := c.issuerParts(ctx, h, config)
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
	defer onHangup(func() { _ = s.Reload(ctx) })() // it logs what is wrong
	c.answerServing(s.Addresses())
	return s.Run(ctx)
}

// issuerParts is what the service is given beside its configuration.
func (c *call) issuerParts(ctx context.Context, h *home, config *service.Config) (*service.Parts, error) {
	l, err := h.as(ctx, config.Department)
	if err != nil {
		return nil, err
	}
	v, err := h.openVault(ctx, config.Department)
	if err != nil {
		return nil, err
	}
	level := new(slog.Level)
	if err := level.UnmarshalText([]byte(config.LogLevel)); err != nil {
		return nil, err
	}
	if err := makeDir(config.Spool); err != nil {
		return nil, err
	}
	parts := &service.Parts{
		Vault: v, Ledger: l, Host: h.config.Host, Pages: web.Handler(), WalletPages: walletweb.Handler(), Now: c.now,
		Keys: func(ctx context.Context, p statement.Purposes) ([]sm.Signer, error) {
			return h.signers(ctx, config.Department, p)
		},
		Log: slog.NewJSONHandler(c.stderr, &slog.HandlerOptions{Level: level}),
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

func issuerInitCommand() *command {
	return &command{
		name: "issuer init", args: "--home DIR --department ID",
		summary: "write the configuration of a department's issuing service, the file of its staff, and an access log",
		detail: "They lie in issuer/ID of the home: issuer.yaml, which works on this machine as it is; staff.yaml, in which\n" +
			"nobody may do anything yet; and the access log for what is released to other departments. What is there\n" +
			"already stays. `credledger issuer token` and `credledger issuer person` make the lines for systems and\n" +
			"people. In a home of the demonstration city holders get a wallet as well (docs/WALLET.md), a trial on this\n" +
			"machine: whoever can reach it can be any of the made-up people of people.yaml.",
		flags: departmentFlag,
		run: func(ctx context.Context, c *call) error {
			switch {
			case len(c.args) > 0:
				return usagef("issuer init takes no arguments besides its flags")
			case *c.options.(*string) == "":
				return usagef("name the department with --department")
			}
			return c.initIssuer(ctx)
		},
	}
}

func (c *call) initIssuer(ctx context.Context) error {
	department, err := c.issuing()
	if err != nil {
		return err
	}
	h := newHome(c.homeDir, c.now)
	if h.config, err = readConfig(c.homeDir); err != nil {
		return err
	}
	v, err := h.knownVault(ctx, department)
	if err != nil {
		return err
	}
	defer h.closeVaults()
	dir := c.issuerDir(department)
	if err := makeDir(dir); err != nil {
		return err
	}
	config := service.Default(department, filepath.Join("..", "..", tlcpDir))
	if _, err := os.Stat(filepath.Join(c.homeDir, tlcpDir, "signing.key")); err != nil {
		config.TLCP = nil // no certificates were made for it
	}
	if v == nil {
		config.Release = nil // what is not issued here is not released
	}
	files := []newFile{{staffFile, staff.Template()}}
	if _, err := os.Lstat(filepath.Join(dir, issuerFile)); v != nil && errors.Is(err, fs.ErrNotExist) && h.demonstration() {
		more, err := h.trialWallet(department, config)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	files = append(files, newFile{issuerFile, config.Text()})
	var made []string
	for _, f := range files {
		path, content := filepath.Join(dir, f.name), f.content
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		if err := writeOutput(path, content); err != nil {
			return err
		}
		made = append(made, path)
	}
	if v != nil {
		log, err := c.makeReleaseLog(department, v.Identity().Ledger)
		if err != nil {
			return err
		}
		if log != "" {
			made = append(made, log)
		}
	}
	c.answer(map[string]any{"directory": dir, "made": len(made)}, func(w io.Writer) { fmt.Fprintln(w, dir) })
	return nil
}

// makeReleaseLog makes the access log for releases that the configuration names, unless it is there, and returns where.
func (c *call) makeReleaseLog(department string, ledger sm.Hash) (string, error) {
	config, err := c.issuingConfig(department)
	if err != nil || config.Release == nil {
		return "", err
	}
	if err := makeDir(config.Release.Directory); err != nil {
		return "", err
	}
	dir := filepath.Join(config.Release.Directory, service.AccessLogDir)
	err = accesslog.Create(dir, accesslog.Identity{Ledger: ledger, Department: department, Log: config.Release.AccessLog})
	if accesslog.Code(err) == accesslog.CodeExists {
		return "", nil
	}
	return dir, err
}

func issuerTokenCommand() *command {
	return &command{
		name:    "issuer token",
		summary: "draw a token for a system that issues, and the digest of it for staff.yaml",
		detail: "The token goes to the system, once, by a way that nobody else reads; it is not kept. The digest goes under\n" +
			"the system's tokens in staff.yaml. To change a token, put the new digest beside the old one, and remove\n" +
			"the old one when the system has changed over.",
		run: func(_ context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("issuer token takes no arguments")
			}
			return c.drawToken()
		},
	}
}

func issuerPersonCommand() *command {
	return &command{
		name: "issuer person", args: "NAME UNIT",
		summary: "hash a person's password, and print the lines for staff.yaml",
		detail: "Asks for the password on a terminal, twice, and does not show it; else reads it as one line from\n" +
			"standard input. It is not kept. The lines go under people in staff.yaml, with the person's rights.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 2 {
				return usagef("name the person, as to sign in with, and the unit")
			}
			return c.hashPerson(ctx, "  ")
		},
	}
}

func issuerWebhooksCommand() *command {
	return &command{
		name: "issuer webhooks", args: "--home DIR [--department ID] [--again]",
		summary: "count the messages that wait for subscribers, and those that were given up",
		detail: "A message is tried for three days and then given up, but kept. With --again those are tried once more,\n" +
			"for three days, by the service.",
		flags: func(c *call) {
			departmentFlag(c)
			c.flags.Bool("again", false, "have what was given up sent again")
		},
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("issuer webhooks takes no arguments besides its flags")
			}
			return c.withIssuing(ctx, c.webhooks)
		},
	}
}

func (c *call) webhooks(ctx context.Context, h *home, config *service.Config) error {
	v, err := h.openVault(ctx, config.Department)
	if err != nil {
		return err
	}
	if again, err := c.flags.GetBool("again"); err != nil {
		return err
	} else if again {
		err = v.Write(ctx, c.by(), func(tx *vault.Tx) error {
			_, err := tx.Revive()
			return err
		})
		if err != nil {
			return err
		}
	}
	waiting, err := v.Queued(ctx)
	if err != nil {
		return err
	}
	dead, err := v.GivenUp(ctx)
	if err != nil {
		return err
	}
	c.answer(map[string]int64{"waiting": waiting, "givenUp": dead}, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("待发送 %d,已放弃 %d\n", "waiting: %d, given up: %d\n"), waiting, dead)
	})
	return nil
}

// drawToken answers with a token and its digest.
func (c *call) drawToken() error {
	token := callers.NewToken()
	digest := callers.TokenDigest(token).String()
	c.answer(map[string]string{"token": token, "digest": digest}, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n    tokens:\n      - %q\n", token, digest)
	})
	return nil
}

// hashPerson asks for the password of the person whom the arguments name, and answers with the lines for a
// file of YAML, indented.
func (c *call) hashPerson(ctx context.Context, indent string) error {
	name, unit := c.args[0], c.args[1]
	if err := callers.CheckPerson(name, unit); err != nil {
		return usagef("%v", err)
	}
	password, err := c.password(ctx)
	if err != nil {
		return err
	}
	hash, err := callers.HashPassword(password)
	if err != nil {
		return failf("password-refused", "%v", err)
	}
	c.answer(map[string]string{"name": name, "unit": unit, "password": hash}, func(w io.Writer) {
		fmt.Fprintf(w, "%[1]s- name: %[2]s\n%[1]s  unit: %[3]s\n%[1]s  password: %[4]q\n", indent, strconv.Quote(name), strconv.Quote(unit), hash)
	})
	return nil
}
