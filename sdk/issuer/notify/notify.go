// Package notify tells subscribers what became of a department's licences, by webhooks (package webhook).
//
//	n := notify.New(notify.Config{...})
//	go n.Follow(ctx) // tells of the ledger's changes
//	go n.Send(ctx)   // sends what is told
//	err := n.TellDone(ctx)     // now and then
//	err = n.TellExpiring(ctx)
//
// States and restrictions are told of as the ledger has them, block by block, from a place that the vault
// remembers: once each, whoever made the change, by this service, another process or the command line. What is
// told and how far that has come is written to the vault in one transaction. What was on the ledger
// before the vault's first subscriber is not told.
//
// A message is sent until the subscriber answers with success, after growing pauses, for three days. Then it is
// given up: it is counted, and kept until somebody has it sent again. Messages come in the order in which
// things happened as long as nothing fails.
//
// A subscriber is called at the address that its configuration names, and nowhere else: redirections are not
// followed, no proxy is asked, and a name that resolves to a private address is not called unless the
// configuration has that network. Answers are not read but for their status.
//
// No message and no line of the log has anything personal.
package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/webhook"
)

// Config is what a Notifier works with. All of it is needed.
type Config struct {
	Vault  *vault.Vault // that has caught up with the ledger
	Ledger vault.Ledger

	Subscribers func() []*Subscriber // as they are now; none: nothing is told
	Types       func() []string      // ids of the licence types whose ends are told of
	Expiring    int                  // how many days before its last day a licence is told of; 0: not at all

	Now      func() time.Time
	Log      *slog.Logger
	Attempts func(subscriber, outcome string) // told of every attempt; the outcome is one of those below
}

// The outcomes of an attempt to send a message.
const (
	Delivered = "delivered"
	Failed    = "failed" // and tried again
	GivenUp   = "given-up"
)

// A Notifier tells subscribers. It is safe for concurrent use; several may work on one vault.
type Notifier struct {
	Config
	wake    chan struct{} // something may be to be sent
	senders map[*Subscriber]*sender
	busy    sync.Map    // names of subscribers to whom is being sent
	failing atomic.Bool // nothing can be sent, for the vault does not answer
}

// New makes a notifier.
func New(c Config) *Notifier {
	return &Notifier{Config: c, wake: make(chan struct{}, 1), senders: map[*Subscriber]*sender{}}
}

// by is who stands in the history of the vault.
var by = vault.By{Actor: "notify", Purpose: "tell subscribers"}

// enqueue keeps a message for each of the subscribers that want to know of an event.
func (n *Notifier) enqueue(tx *vault.Tx, e *webhook.Event) error {
	id := n.Vault.Identity()
	e.At, e.Ledger, e.Department = n.Now().UTC().Truncate(time.Second), id.Ledger, id.Department
	body, err := e.JSON()
	if err != nil {
		return err
	}
	for _, s := range n.Subscribers() {
		if !s.wants(e) {
			continue
		}
		if err := tx.Enqueue(s.Name, body); err != nil {
			return err
		}
	}
	return nil
}

// hurry has Send look at once.
func (n *Notifier) hurry() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// pause waits for a while, a little more or less, or until ctx is done: then it reports false.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d + rand.N(d/4+1)):
		return true
	}
}

// wants reports whether a subscriber is to be told of an event.
func (s *Subscriber) wants(e *webhook.Event) bool {
	if len(s.Events) > 0 && !slices.Contains(s.Events, e.Type) {
		return false
	}
	if len(s.Types) == 0 {
		return true
	}
	switch {
	case e.Licence != nil:
		return slices.Contains(s.Types, e.Licence.Type)
	case e.Job != nil:
		return slices.Contains(s.Types, e.Job.Type)
	}
	return true
}
