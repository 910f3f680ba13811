package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/credledger/credledger/sdk/issuer"
)

// Exit codes; they are part of the interface.
const (
	exitDone         = 0 // done, or valid
	exitFailed       = 1 // failed, or invalid
	exitUsage        = 2 // called wrongly
	exitNotCurrent   = 3 // genuine but not current
	exitUndetermined = 4 // could not be determined
	exitRestricted   = 5 // valid, but restricted
)

// An environment is what the command has from outside.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
}

// A command is one subcommand of credledger.
type command struct {
	name    string // one or two words
	args    string // synopsis of the arguments
	summary string // one line
	detail  string // paragraphs for its help
	run     func(ctx context.Context, c *call) error
	flags   func(c *call)

	keepsHangup bool // SIGHUP does not end it
}

// A call is a command on its way, with its flags and arguments.
type call struct {
	*environment
	command *command
	flags   *pflag.FlagSet
	args    []string

	homeDir string
	json    bool
	lang    string
	exit    int // for commands that report with it
	failed  int // for an error, in place of exitFailed

	options any // of the command, set by its flags function
}

// commands lists every subcommand, in the order of the help.
func commands() []*command {
	return append([]*command{
		demoCommand(),
		initCommand(),
		issueCommand(),
		showCommand(),
		presentCommand(),
		printCommand(),
		bindCommand(),
		verifyCommand(),
		serveCommand(),
		openCommand(),
		receiptVerifyCommand(),
		requestCommand(),
		evidenceCommand(),
		statusSetCommand(),
		statusImportCommand(),
		statusHistoryCommand(),
		restrictCommand(),
		releaseCommand(),
		vaultShowCommand(),
		vaultHistoryCommand(),
		vaultRecoverCommand(),
		vaultAcceptLossCommand(),
		vaultRotateCommand(),
		vaultCreateCommand(),
		ledgerShowCommand(),
		departmentAdmitCommand(),
		departmentSuspendCommand(),
		departmentReadmitCommand(),
		keysGenerateCommand(),
		keysRotateCommand(),
		keysRetireCommand(),
		keysCompromiseCommand(),
		keysExportCommand(),
		keysRequestCommand(),
		keysVouchCommand(),
		keysSubmitCommand(),
		auditCommand(),
		accessLogVerifyCommand(),
		accessLogExportCommand(),
		accessLogCreateCommand(),
		reportSelfCommand(), // before report, whose argument "self" would be
		reportCommand(),
		snapshotMakeCommand(),
		agencyTokenCommand(),
		agencyClerkCommand(),
		issuerInitCommand(),
		issuerServeCommand(),
		issuerTokenCommand(),
		issuerPersonCommand(),
		issuerWebhooksCommand(),
		policyPublishCommand(),
		policyShowCommand(),
		heartbeatCommand(),
	}, networkCommands()...)
}

// A usageError is the caller's mistake: exit 2.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, env *environment, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(env.stderr, overview())
		return exitUsage
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		return help(env, args[1:])
	}
	cmd, rest := find(args)
	if cmd == nil {
		return notFound(env, args)
	}
	own := *env
	own.stdout = &answerWriter{w: env.stdout}
	c := &call{environment: &own, command: cmd}
	c.flags = pflag.NewFlagSet("credledger "+cmd.name, pflag.ContinueOnError)
	c.flags.SetOutput(io.Discard)
	c.flags.SortFlags = false
	if cmd.flags != nil {
		cmd.flags(c)
	}
	c.flags.StringVar(&c.homeDir, "home", "", "the home `DIR` (default: $CREDLEDGER_HOME)")
	c.flags.BoolVar(&c.json, "json", false, "answer in JSON, errors too; one value for each of several answers")
	c.flags.StringVar(&c.lang, "lang", "", "language of answers, `zh|en` (default: by locale)")

	err := c.flags.Parse(rest)
	if c.homeDir == "" {
		c.homeDir = env.getenv("CREDLEDGER_HOME")
	}
	if !c.flags.Changed("lang") {
		c.lang = locale(env.getenv)
	}
	c.args = c.flags.Args()
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(env.stdout, commandHelp(c))
		return exitDone
	case err != nil:
		c.json = c.json || slices.Contains(rest, "--json")
		err = usagef("%v", err)
	case c.lang != "zh" && c.lang != "en":
		err = usagef("--lang is zh or en")
	default:
		err = cmd.run(ctx, c)
	}
	return c.finish(ctx, err)
}

// finish reports an error, if there is one, and returns the exit code.
func (c *call) finish(ctx context.Context, err error) int {
	if err == nil {
		err = c.stdout.(*answerWriter).err
	}
	var usage *usageError
	switch {
	case err == nil:
		return c.exit
	case ctx.Err() != nil && errorCode(err) != codeInterrupted:
		err = failf(codeInterrupted, "interrupted; what was done so far is kept, run the same command again to go on")
	}
	report(c.stderr, c.json, "credledger "+c.command.name, err)
	if errors.As(err, &usage) || issuer.Code(err) == issuer.CodeArguments {
		if !c.json {
			fmt.Fprintf(c.stderr, "usage: %s\n", synopsis(c.command))
		}
		return exitUsage
	}
	return cmp.Or(c.failed, exitFailed)
}

// report writes an error.
func report(w io.Writer, asJSON bool, command string, err error) {
	if asJSON {
		writeJSON(w, map[string]any{"error": map[string]string{"code": errorCode(err), "message": err.Error()}})
		return
	}
	fmt.Fprintf(w, "%s: %s\n", command, printable(err.Error()))
}

const codeInterrupted = "interrupted"

// find finds the command that the arguments begin with.
func find(args []string) (*command, []string) {
	for _, cmd := range commands() {
		words := strings.Fields(cmd.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return cmd, args[len(words):]
		}
	}
	return nil, nil
}

// notFound says that no command has the name that the arguments begin with, and what may be meant.
func notFound(env *environment, args []string) int {
	var group []string // commands of two words, of which the first was given
	for _, cmd := range commands() {
		if first, second, two := strings.Cut(cmd.name, " "); two && first == args[0] {
			group = append(group, second)
		}
	}
	err := usagef("there is no command %q; `credledger help` lists them", args[0])
	switch {
	case len(group) > 0:
		err = usagef("`credledger %s` is followed by one of: %s", args[0], strings.Join(group, ", "))
	case strings.HasPrefix(args[0], "-"):
		err = usagef("the command comes first, then its flags: credledger COMMAND %s ...", args[0])
	}
	report(env.stderr, slices.Contains(args, "--json"), "credledger", err)
	return exitUsage
}

func synopsis(cmd *command) string {
	return strings.TrimSpace("credledger " + cmd.name + " " + cmd.args)
}

func help(env *environment, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(env.stdout, overview())
		return exitDone
	}
	cmd, _ := find(args)
	if cmd == nil {
		return notFound(env, args)
	}
	return run(context.Background(), env, append(strings.Fields(cmd.name), "--help"))
}

func overview() string {
	var b strings.Builder
	b.WriteString("CredLedger (证核链): departments anchor hashes of the licences they issue on a ledger,\n" +
		"anyone they are shown to verifies them, and nothing personal is ever on the ledger.\n\n" +
		"usage: credledger COMMAND [--home DIR] [--json] [--lang zh|en] ...\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  %-18s %s\n", cmd.name, cmd.summary)
	}
	b.WriteString("\n`credledger COMMAND --help` says more of each. Begin with `credledger demo`.\n" +
		"Exit codes: 0 done or valid, 1 failed or invalid, 2 called wrongly, 3 genuine but not current,\n" +
		"4 undetermined, 5 valid but restricted.\n")
	return b.String()
}

func commandHelp(c *call) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nusage: %s\n\n", c.command.summary, synopsis(c.command))
	if c.command.detail != "" {
		fmt.Fprintf(&b, "%s\n\n", c.command.detail)
	}
	b.WriteString(c.flags.FlagUsages())
	return b.String()
}

// locale is the language that the environment asks for.
func locale(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}
