package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/spf13/pflag"
)

// Exit statuses of Main; they are part of the interface.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main is a program that serves a chaincode until it gets SIGTERM or an interrupt. It reads the
// command line, and does not return.
//
//	--package-id LABEL:HASH   id of the installed package
//	--listen HOST:PORT        where to listen; port 0 for any that is free
//	--tls-cert FILE           the server's certificate and chain, PEM
//	--tls-key FILE            its key, PEM; not accessible to all users
//	--client-ca FILE          authorities of the peers' certificates, PEM
//
// All of them are needed. The log goes to the standard error output, a line for each event in
// key=value pairs. When the server listens, and not before, it logs msg=serving with address= and
// package=. What keeps it from serving it logs with level=ERROR and code=, one of the codes of this
// package.
//
// The exit status is 0 after it was stopped, 2 if it was called wrongly (CodeUsage), else 1.
func Main[C shim.Chaincode](name string, newChaincode func() (C, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, name, os.Args[1:], os.Stdout, os.Stderr, newChaincode))
}

func run[C shim.Chaincode](ctx context.Context, name string, args []string, stdout, stderr io.Writer, newChaincode func() (C, error)) int {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	err := serve(ctx, name, args, log, newChaincode)
	var failed *Error
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, help(name))
		return exitDone
	case errors.As(err, &failed):
		log.Error(failed.text(), "code", failed.Code)
		if failed.Code == CodeUsage {
			return exitUsage
		}
		return exitFailed
	}
	log.Info("stopped")
	return exitDone
}

func serve[C shim.Chaincode](ctx context.Context, name string, args []string, log *slog.Logger, newChaincode func() (C, error)) error {
	c, err := parse(name, args)
	if err != nil {
		return err
	}
	cc, err := newChaincode()
	if err != nil {
		return &Error{CodeChaincode, "make the chaincode", err}
	}
	s, err := Listen(*c, cc, log)
	if err != nil {
		return err
	}
	log.Info("serving", "address", s.Address(), "package", c.PackageID)
	return s.Serve(ctx)
}

// flags returns the flags that fill in a configuration.
func flags(name string, c *Config) *pflag.FlagSet {
	f := pflag.NewFlagSet(name, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.StringVar(&c.PackageID, "package-id", "", "`LABEL:HASH` of the installed package")
	f.StringVar(&c.Listen, "listen", "", "`HOST:PORT` to listen on; port 0 for any that is free")
	f.StringVar(&c.Certificate, "tls-cert", "", "`FILE` with the server's certificate and chain, PEM")
	f.StringVar(&c.Key, "tls-key", "", "`FILE` with its key, PEM; not accessible to all users")
	f.StringVar(&c.ClientCA, "client-ca", "", "`FILE` with the authorities of the peers' certificates, PEM")
	return f
}

func help(name string) string {
	return "Usage: " + name + " --package-id LABEL:HASH --listen HOST:PORT --tls-cert FILE --tls-key FILE --client-ca FILE\n\n" +
		"Serves a chaincode to the peers of one organisation, until SIGTERM.\n\n" + flags(name, new(Config)).FlagUsages()
}

func parse(name string, args []string) (*Config, error) {
	c := new(Config)
	f := flags(name, c)
	if err := f.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return nil, err
	} else if err != nil {
		return nil, &Error{CodeUsage, "see " + name + " --help", err}
	}
	if f.NArg() > 0 {
		return nil, &Error{CodeUsage, name + " takes flags only: see " + name + " --help", nil}
	}
	var missing []string
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.String() == "" {
			missing = append(missing, "--"+flag.Name)
		}
	})
	if len(missing) > 0 {
		return nil, &Error{CodeUsage, "give " + strings.Join(missing, ", ") + ": see " + name + " --help", nil}
	}
	return c, nil
}
