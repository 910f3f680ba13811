package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/index"
	"github.com/credledger/credledger/verifier/snapshot"
	"github.com/credledger/credledger/verifier/verify"
)

func snapshotMakeCommand() *command {
	return &command{
		name: "snapshot make", args: "FILE",
		summary: "put all that a verifier must know of the ledger into one signed file, for verifying without a network",
		detail: "The home must hold a key of the authority for logs. A snapshot is as good as it is recent: make one as\n" +
			"often as readers can fetch it. `credledger verify --snapshot FILE` reads it.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) != 1 {
				return usagef("name the FILE to write the snapshot to")
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			return errors.Join(c.makeSnapshot(ctx, h, c.args[0]), h.close())
		},
	}
}

// A madeSnapshot is the answer of snapshot make.
type madeSnapshot struct {
	File      string   `json:"file"`
	Bytes     int      `json:"bytes"`
	Ledger    sm.Hash  `json:"ledger"`
	Height    uint64   `json:"height"` // number of the newest block in it
	Block     sm.Hash  `json:"block"`  // hash of that block
	Heartbeat *instant `json:"heartbeat"`
	Key       sm.Hash  `json:"key"` // with which it is signed
}

func (c *call) makeSnapshot(ctx context.Context, h *home, path string) error {
	signers, err := h.signers(ctx, h.author, statement.PurposeLog)
	if err != nil {
		return err
	}
	if len(signers) == 0 {
		return failf("no-key", "the home has no key of the authority, %s, in force for logs, to sign a snapshot with", h.author)
	}
	view, err := h.index(ctx)
	if err != nil {
		return err
	}
	export, err := view.Export()
	if err != nil {
		return err
	}
	b, header, err := snapshot.Build(export, signers[0])
	if err != nil {
		return err
	}
	if err := writeOutput(path, b); err != nil {
		return err
	}
	made := madeSnapshot{File: path, Bytes: len(b), Ledger: header.Ledger, Height: header.Height, Block: header.Block, Key: signers[0].Public().ID()}
	if header.Heartbeat > 0 {
		made.Heartbeat = (*instant)(&header.Heartbeat)
	}
	c.answer(made, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("快照已写入 %s(%d 字节)\n  账本 %s\n  签名密钥 %s\n", "snapshot written to %s (%d bytes)\n  ledger %s\n  signed with the key %s\n"),
			printable(path), made.Bytes, made.Ledger, made.Key)
		fmt.Fprintf(w, "  %s\n", c.asOf(header.Height, header.Heartbeat))
	})
	return nil
}

// asOf says which state of the ledger a snapshot is of.
func (c *call) asOf(height, heartbeat uint64) string {
	if heartbeat == 0 {
		return fmt.Sprintf(c.pick("截至第 %d 个区块,账本上还没有时间", "as of block %d, without a time on the ledger"), height)
	}
	return fmt.Sprintf(c.pick("截至第 %d 个区块,%s", "as of block %d, %s"), height, formatTime(heartbeat))
}

// snapshotOptions are the flags of verify that go with a snapshot.
type snapshotOptions struct {
	file      string
	minHeight uint64
	ledger    string
	keys      []string // files
}

func (o *snapshotOptions) flags(c *call) {
	c.flags.StringVar(&o.file, "snapshot", "", "verify by the snapshot in `FILE`, without a network")
	c.flags.Uint64Var(&o.minHeight, "min-height", 0, "refuse a snapshot whose newest block has a number less than `N`")
	c.flags.StringVar(&o.ledger, "ledger", "", "without a home: `ID` of the ledger of the snapshot, as `credledger ledger show` prints it")
	c.flags.StringArrayVar(&o.keys, "authority-key", nil, "without a home: a public key in PEM with which the authority signs snapshots, in a `FILE`; may be repeated")
}

// given reports whether a flag beside --snapshot was given.
func (o *snapshotOptions) given() bool {
	return o.minHeight != 0 || o.ledger != "" || len(o.keys) > 0
}

// verifyBySnapshot verifies without a ledger.
func (c *call) verifyBySnapshot(ctx context.Context, o *snapshotOptions, r verify.Request) error {
	view, err := c.openSnapshot(ctx, o)
	if err != nil {
		var refused *snapshot.Error
		if errors.As(err, &refused) {
			c.failed = exitUndetermined // which says nothing against what is shown
		}
		return err
	}
	if !c.json {
		fmt.Fprintln(c.stdout, c.pick("以快照为准:", "by the snapshot ")+c.asOf(view.Head().Height-1, view.Heartbeat().Time))
	}
	return c.verdicts(view, r, func(*verify.Verdict) []licence.Text { return nil })
}

func (c *call) openSnapshot(ctx context.Context, o *snapshotOptions) (*snapshot.View, error) {
	trust, err := c.snapshotTrust(ctx, o)
	if err != nil {
		return nil, err
	}
	b, err := readBounded(o.file, snapshot.MaxFile)
	if err != nil {
		return nil, err
	}
	if c.homeDir == "" {
		return snapshot.Open(b, trust, o.minHeight)
	}
	memory := seenMemory{c.homeDir, trust.Ledger}
	seen, err := memory.recall()
	if err != nil {
		return nil, err
	}
	if seen.Height > trust.Seen.Height {
		trust.Seen = seen
	}
	view, err := snapshot.Open(b, trust, o.minHeight)
	if err != nil {
		return nil, err
	}
	return view, memory.remember(ctx, view.Head())
}

// snapshotTrust is what a snapshot is checked against: what the flags say, or what the home has seen of
// its ledger.
func (c *call) snapshotTrust(ctx context.Context, o *snapshotOptions) (t snapshot.Trust, err error) {
	switch {
	case (o.ledger == "") != (len(o.keys) == 0):
		return t, usagef("--ledger and --authority-key go together")
	case o.ledger == "" && c.homeDir == "":
		return t, usagef("name the home, or say whose snapshot it is with --ledger ID --authority-key FILE")
	}
	if c.homeDir != "" {
		if _, err := readConfig(c.homeDir); err != nil {
			return t, err
		}
	}
	if o.ledger == "" {
		return c.homeTrust(ctx)
	}
	if t.Ledger, err = sm.ParseHash(o.ledger); err != nil {
		return t, usagef("--ledger is written as 64 lower-case hexadecimal digits")
	}
	for _, path := range o.keys {
		text, err := readBounded(path, maxKeyFile)
		if err != nil {
			return t, err
		}
		key, err := sm.ParsePublicKeyPEM(text)
		if err != nil {
			return t, fmt.Errorf("%s: %w", path, err)
		}
		t.Keys = append(t.Keys, key)
	}
	return t, nil
}

// homeTrust is what the home's index has seen of its ledger; the ledger is not asked.
func (c *call) homeTrust(ctx context.Context) (t snapshot.Trust, err error) {
	h := newHome(c.homeDir, c.now)
	if err := h.openIndex(ctx); err != nil {
		return t, err
	}
	export, err := h.view.Export()
	if err == nil {
		_, t, err = snapshot.TrustOf(export)
	}
	if errorCode(err) == index.CodeEmpty {
		err = failf("ledger-not-seen", "this home has seen nothing of its ledger yet: verify something once with the network, or say whose snapshot it is with --ledger and --authority-key")
	}
	return t, errors.Join(err, h.view.Close())
}
