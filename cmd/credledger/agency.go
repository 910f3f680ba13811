package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

func agencyTokenCommand() *command {
	return &command{
		name:    "agency token",
		summary: "draw a token for an agency's programs, and the digest of it for agencies.yaml",
		detail: "The token goes to the agency, once, by a way that nobody else reads; it is not kept. The digest goes\n" +
			"under the agency's tokens in agencies.yaml. To change a token, put the new digest beside the old one, and\n" +
			"remove the old one when the agency's programs have changed over.",
		run: func(_ context.Context, c *call) error {
			if len(c.args) > 0 {
				return usagef("agency token takes no arguments")
			}
			return c.drawToken()
		},
	}
}

func agencyClerkCommand() *command {
	return &command{
		name: "agency clerk", args: "NAME UNIT",
		summary: "hash a clerk's password, and print the lines for agencies.yaml",
		detail: "Asks for the password on a terminal, twice, and does not show it; else reads it as one line from\n" +
			"standard input. It is not kept. The lines go under the agency's clerks in agencies.yaml.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 2 {
				return usagef("name the clerk, as to sign in with, and the unit")
			}
			return c.hashPerson(ctx, "      ")
		},
	}
}

// password asks for a new password where there is a terminal, else reads it as a line.
func (c *call) password(ctx context.Context) (string, error) {
	f, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(c.stdin, 4<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
	}
	first, err := c.ask(ctx, f, c.pick("密码:", "Password: "))
	if err != nil {
		return "", err
	}
	again, err := c.ask(ctx, f, c.pick("再输入一次:", "Once more: "))
	if err != nil {
		return "", err
	}
	if first != again {
		return "", failf("password-refused", "the two are not the same; nothing was made")
	}
	return first, nil
}

// ask reads a line from a terminal that does not show it. Whoever interrupts it has the terminal back
// as it was.
func (c *call) ask(ctx context.Context, terminal *os.File, prompt string) (string, error) {
	before, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	fmt.Fprint(c.stderr, prompt)
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(int(terminal.Fd()))
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		fmt.Fprintln(c.stderr)
		if a.err != nil {
			return "", fmt.Errorf("read the password: %w", a.err)
		}
		return string(a.line), nil
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return "", errors.Join(ctx.Err(), term.Restore(int(terminal.Fd()), before))
	}
}
