// Command credledger issues, anchors, presents and verifies electronic licences, and runs the
// ledger that they are anchored on. `credledger help` lists what it does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	cmd, _ := find(os.Args[1:])
	if !signal.Ignored(syscall.SIGHUP) /* as under nohup */ && (cmd == nil || !cmd.keepsHangup) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, &environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now,
	}, os.Args[1:])
	os.Exit(code)
}
