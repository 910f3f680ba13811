package load

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Chain is the blocks of one copy of the ledger; every ledger.Ledger is one. Its methods are as
// they are there.
type Chain interface {
	Head(ctx context.Context) (ledger.Head, error)
	Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error]
}

// A Peer is who keeps a copy.
type Peer struct {
	Name  string
	Chain Chain
}

// Codes of findings.
const (
	// of the copy of a peer
	FindingMissing    = "missing"    // acknowledged, but not on the ledger
	FindingMoved      = "moved"      // acknowledged, but not where the receipt says, or under another name
	FindingTwice      = "twice"      // on the ledger more than once
	FindingUnwanted   = "unwanted"   // on the ledger, though the client was told that it was refused
	FindingFork       = "fork"       // a block differs from that of the first peer
	FindingBehind     = "behind"     // it does not have the newest blocks, and they did not come
	FindingUnreadable = "unreadable" // its blocks cannot be read

	// of what the client was told
	FindingUnsettled = "unsettled" // the outcome was not found out
	FindingRefused   = "refused"   // a good transaction was refused
	FindingDenied    = "denied"    // said not to be submitted, or never submitted, but it was on the ledger
	FindingUncoded   = "uncoded"   // an error without a code of package chaincode or ledger
)

// A Finding is a promise that was not kept.
type Finding struct {
	Code string // one of the codes above
	Peer string // "" if it is no peer's
	Text string // of which transaction or block
}

func (f Finding) String() string {
	if f.Peer != "" {
		return f.Code + " on " + f.Peer + ": " + f.Text
	}
	return f.Code + ": " + f.Text
}

// Check compares the record with the copy of every peer: that nothing acknowledged is missing or
// stands elsewhere; that nothing was anchored or changed twice, by whomever; that what was refused is
// not there; that all peers have the same blocks, up to the newest that one of them has. It waits for
// peers that are behind until ctx is done. The rest of the findings is about the answers themselves.
// What there is on the ledger beside the load's transactions is of no account.
func (r *Record) Check(ctx context.Context, peers ...Peer) []Finding {
	findings := r.answers()
	target := r.height()
	for _, p := range peers {
		head, err := p.Chain.Head(ctx)
		if err != nil {
			findings = append(findings, Finding{FindingUnreadable, p.Name, "its head: " + err.Error()})
		}
		target = max(target, head.Height)
	}
	var first []sm.Hash // of the first peer's blocks
	for _, p := range peers {
		c := &copyOf{peer: p.Name, places: map[sm.Hash][]standing{}, done: map[string]bool{}}
		c.read(ctx, p.Chain, target)
		if first == nil {
			first = c.hashes
		}
		c.compare(first)
		for _, e := range r.Entries {
			c.check(e)
		}
		findings = append(findings, c.findings...)
	}
	return findings
}

// height is the number of blocks in which all receipts are true.
func (r *Record) height() (height uint64) {
	for _, e := range r.Entries {
		if e.Outcome == Written {
			height = max(height, e.Receipt.Position.Block+1)
		}
	}
	return height
}

// answers returns the findings about what the client was told.
func (r *Record) answers() (findings []Finding) {
	find := func(code string, e *Entry, text string) {
		findings = append(findings, Finding{code, "", e.String() + text})
	}
	for _, e := range r.Entries {
		denied := true
		for i, a := range e.Attempts {
			if a.Err != nil && a.Code == "" {
				find(FindingUncoded, e, ": "+a.Err.Error())
			}
			last := i == len(e.Attempts)-1
			if !last && a.Code != ledger.CodeNotSubmitted && a.Code != ledger.CodeClosed {
				denied = false
			}
		}
		switch {
		case e.Outcome == Refused:
			find(FindingRefused, e, ": "+e.Attempts[len(e.Attempts)-1].Err.Error())
		case e.Outcome == Unsettled && len(e.Attempts) > 0:
			find(FindingUnsettled, e, fmt.Sprintf(" after %d attempts", len(e.Attempts)))
		case e.Outcome == Existing && denied:
			find(FindingDenied, e, fmt.Sprintf(" after %d attempts", len(e.Attempts)))
		}
	}
	return findings
}

// String names the transaction.
func (e *Entry) String() string {
	return fmt.Sprintf("%s of %s with the sum %s", e.Kind, e.Department, e.Sum.String()[:16])
}

// A copyOf is what a peer has.
type copyOf struct {
	peer     string
	hashes   []sm.Hash
	places   map[sm.Hash][]standing // by SM3 of the transaction's bytes
	done     map[string]bool        // what can be done once: an anchor, a change
	findings []Finding
}

// A standing is a transaction on the ledger.
type standing struct {
	at        ledger.Position
	id, actor string
}

func (c *copyOf) find(code, format string, args ...any) {
	c.findings = append(c.findings, Finding{code, c.peer, fmt.Sprintf(format, args...)})
}

// read reads the blocks from 0 up to a height.
func (c *copyOf) read(ctx context.Context, chain Chain, height uint64) {
	for uint64(len(c.hashes)) < height {
		err := c.follow(ctx, chain, height)
		switch {
		case err == nil:
			return
		case ctx.Err() != nil:
			c.find(FindingBehind, "it has %d of %d blocks: %v", len(c.hashes), height, err)
			return
		case ledger.Code(err) == ledger.CodeClosed:
			c.find(FindingUnreadable, "block %d: %v", len(c.hashes), err)
			return
		}
		time.Sleep(again) // it is on its way back
	}
}

func (c *copyOf) follow(ctx context.Context, chain Chain, height uint64) error {
	for b, err := range chain.Follow(ctx, uint64(len(c.hashes))) {
		if err != nil {
			return err
		}
		if b.Number != uint64(len(c.hashes)) {
			return fmt.Errorf("block %d in place of block %d", b.Number, len(c.hashes))
		}
		c.hashes = append(c.hashes, b.Hash)
		for i := range b.Transactions {
			t := &b.Transactions[i]
			sum := sm.Sum(t.Bytes)
			c.places[sum] = append(c.places[sum], standing{ledger.Position{Block: b.Number, Index: t.Index}, t.ID, t.Actor})
			c.once(t)
		}
		if uint64(len(c.hashes)) >= height {
			return nil
		}
	}
	return fmt.Errorf("the stream of blocks ended before block %d", height)
}

// once looks for what another transaction has done already: the bytes may differ.
func (c *copyOf) once(t *ledger.Transaction) {
	tx, err := chaincode.ParseTransaction(t.Bytes)
	if err != nil {
		c.find(FindingUnreadable, "transaction %s: %v", t.ID, err)
		return
	}
	did := map[string]bool{} // two signatures may stand under one statement
	for _, b := range tx.Statements {
		s, err := statement.Parse(b)
		if err != nil {
			c.find(FindingUnreadable, "transaction %s: %v", t.ID, err)
			return
		}
		switch body := s.Body.(type) {
		case *statement.Head:
			did[fmt.Sprintf("anchor %s/%s", body.Issuer, body.Root)] = true
		case *statement.Status:
			of := body.Root
			if body.Licence != nil {
				of = body.Licence.Digest
			}
			did[fmt.Sprintf("change %d of %s/%s", body.Sequence, body.Issuer, of)] = true
		}
	}
	for what := range did {
		if c.done[what] {
			c.find(FindingTwice, "%s, the second time by transaction %s", what, t.ID)
		}
		c.done[what] = true
	}
}

// compare looks for the first block that differs from another copy.
func (c *copyOf) compare(with []sm.Hash) {
	for i := range min(len(with), len(c.hashes)) {
		if c.hashes[i] != with[i] {
			c.find(FindingFork, "block %d has the hash %s, on the first peer %s", i, c.hashes[i], with[i])
			return
		}
	}
}

// check compares one entry with where it stands.
func (c *copyOf) check(e *Entry) {
	places := c.places[e.Sum]
	if len(places) > 1 {
		c.find(FindingTwice, "%s, at %v and %v", e, places[0].at, places[1].at)
	}
	switch {
	case e.acknowledged() && len(places) == 0:
		c.find(FindingMissing, "%s, %s at %v", e, e.Outcome, e.Receipt.Position)
	case e.Outcome == Written:
		want := standing{e.Receipt.Position, e.Receipt.TxID, e.Department}
		if places[0] != want {
			c.find(FindingMoved, "%s is %v, acknowledged as %v", e, places[0], want)
		}
	case e.Outcome == Refused && len(places) > 0:
		c.find(FindingUnwanted, "%s, at %v", e, places[0].at)
	}
}
