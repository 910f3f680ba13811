package main

import (
	"bufio"
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/credledger/credledger/cmd/credledger/commandtest"
)

// A background is a command that goes on until it is told to end.
type background struct {
	t     *testing.T
	wait  func() error
	kill  func(syscall.Signal) error
	lines *bufio.Scanner // of its answers
}

func (p *process) background(args ...string) *background {
	p.t.Helper()
	cmd := p.command(args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return &background{p.t.(*testing.T), cmd.Wait, func(s syscall.Signal) error { return cmd.Process.Signal(s) }, bufio.NewScanner(out)}
}

// answer reads one answer in JSON.
func (b *background) answer() heartState {
	b.t.Helper()
	var text strings.Builder
	for b.lines.Scan() {
		text.WriteString(b.lines.Text())
		if b.lines.Text() == "}" {
			break
		}
	}
	var state heartState
	if err := json.Unmarshal([]byte(text.String()), &state); err != nil {
		b.t.Fatalf("%v in %q", err, text.String())
	}
	return state
}

// The heartbeat waits for a home, without one it ends when it is told to, and it refuses one with an
// embedded ledger, which the other commands can go on using.
func TestHeartbeatWaits(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		b := p.background("heartbeat", "--json", "--every", "1s")
		if state := b.answer(); state.State != "waiting" || state.Code != "no-home" || !strings.Contains(state.Reason, p.home) {
			t.Errorf("%+v", state)
		}
		if err := b.kill(signal); err != nil {
			t.Fatal(err)
		}
		if got := exitCode(t, b.wait()); got != exitDone {
			t.Errorf("%v: exit code %d", signal, got)
		}
	}

	b := p.background("heartbeat", "--every", "1s")
	if !b.lines.Scan() || !strings.Contains(b.lines.Text(), "waiting: ") {
		t.Errorf("it says %q", b.lines.Text())
	}
	p.run(exitDone, "init")
	for b.lines.Scan() {
		t.Errorf("it says %q", b.lines.Text())
	}
	if got := exitCode(t, b.wait()); got != exitFailed {
		t.Errorf("of an embedded ledger: exit code %d", got)
	}
	_, problems := p.run(exitFailed, "heartbeat", "--json")
	if values, err := commandtest.Values(problems); err != nil || commandtest.At(values[0], "error.code") != "heartbeat-embedded" {
		t.Errorf("%v: %s", err, problems)
	}
	p.run(exitUsage, "heartbeat", "--every", "10ms")
	p.run(exitUsage, "heartbeat", "surplus")
}
