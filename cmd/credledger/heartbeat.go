package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/statement"
)

// heartbeatRetry is how long the heartbeat waits for what it needs before it looks again.
const heartbeatRetry = 2 * time.Second

// minHeartbeat bounds the interval: a heartbeat carries whole seconds.
const minHeartbeat = time.Second

func heartbeatCommand() *command {
	var every time.Duration
	return &command{
		name: "heartbeat", args: "--home DIR [--every D]",
		summary: "keep the ledger's provable time moving, as the authority, until it is told to end",
		detail: "For a ledger on a network; `credledger network up` runs it where the topology names a home. It waits\n" +
			"until the home is there and has a key of the authority for the log, and goes on through outages of the\n" +
			"network. SIGTERM or SIGINT ends it, with exit code 0. It writes a line whenever something changes. An\n" +
			"embedded ledger needs none: every command that opens the home gives it a heartbeat that is due.",
		flags: func(c *call) {
			c.flags.DurationVar(&every, "every", govern.HeartbeatInterval, "`D`, the time between two heartbeats, 1s or more")
		},
		run: func(ctx context.Context, c *call) error {
			switch {
			case len(c.args) > 0:
				return usagef("heartbeat takes no arguments besides its flags")
			case c.homeDir == "":
				return usagef("name the home with --home DIR or CREDLEDGER_HOME")
			case every < minHeartbeat:
				return usagef("--every is a time like 1m, and 1s or more")
			}
			err := (&heart{call: c, every: every}).beatOn(ctx)
			if ctx.Err() != nil {
				return nil // told to end
			}
			return err
		},
	}
}

// A heart sends heartbeats.
type heart struct {
	*call
	every time.Duration
	home  *home // nil while there is none
	state heartState
}

// A heartState is what a line was written about last.
type heartState struct {
	State  string `json:"state"` // waiting, beating or failing
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"` // what is waited for, or went wrong
}

// beatOn beats until ctx is done, or until there is no use in going on.
func (h *heart) beatOn(ctx context.Context) error {
	for {
		err := h.beat(ctx)
		if errorCode(err) == codeHeartbeatEmbedded || ctx.Err() != nil {
			return errors.Join(err, h.close())
		}
		pause := h.every
		if h.tell(err); err != nil {
			pause = min(heartbeatRetry, h.every)
		}
		select {
		case <-ctx.Done():
			return h.close()
		case <-time.After(pause):
		}
	}
}

const codeHeartbeatEmbedded = "heartbeat-embedded"

// beat opens the home, if it is not open, and beats once.
func (h *heart) beat(ctx context.Context) error {
	if h.home == nil {
		config, err := readConfig(h.homeDir)
		if err != nil {
			return err
		}
		if config.Ledger == ledgerEmbedded {
			return failf(codeHeartbeatEmbedded, "%s has an embedded ledger, which this would lock: a command that opens the home gives it the heartbeat that is due", h.homeDir)
		}
		if h.home, err = h.openHome(ctx, ""); err != nil {
			return err
		}
	}
	signers, err := h.home.signers(ctx, h.home.author, statement.PurposeLog)
	if err != nil {
		return err
	}
	if len(signers) == 0 {
		return failf("no-key", "the home has no key of %s in force for the log", h.home.author)
	}
	return h.home.beat(ctx, h.every)
}

// tell writes a line if the state has changed.
func (h *heart) tell(err error) {
	now := heartState{State: "beating"}
	if err != nil {
		now = heartState{"failing", errorCode(err), err.Error()}
		switch now.Code {
		case "no-home", "no-key", "no-connections", codeConnectionMissing, "ledger-not-founded":
			now.State = "waiting"
		}
	}
	if now.State == h.state.State && now.Code == h.state.Code {
		return
	}
	h.state = now
	h.answer(now, func(w io.Writer) {
		what := fmt.Sprintf(h.pick("每 %s 一次心跳", "a heartbeat every %s"), h.every)
		switch now.State {
		case "waiting":
			what = h.pick("等待:", "waiting: ") + printable(now.Reason)
		case "failing":
			what = h.pick("未能发送心跳,将继续尝试:", "no heartbeat, trying on: ") + printable(now.Reason)
		}
		fmt.Fprintf(w, "%s %s\n", h.now().UTC().Format(time.RFC3339), what)
	})
}

func (h *heart) close() error {
	if h.home == nil {
		return nil
	}
	return h.home.close()
}
