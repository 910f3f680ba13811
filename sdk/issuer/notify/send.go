package notify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/webhook"
)

// How messages are sent.
const (
	lookEvery   = 5 * time.Second // if nothing hurries
	atOnce      = 128             // messages taken at a time
	lease       = time.Minute     // for which they are taken
	firstPause  = 5 * time.Second // after the first failure, then twice as long each time
	longPause   = 15 * time.Minute
	patience    = 72 * time.Hour // until a message is given up
	failsInARow = 3              // after which a subscriber is left alone for a while
	maxAnswer   = 4 << 10        // bytes of an answer that are read, to use the connection again
)

// Send sends what is due until ctx is done. Subscribers do not wait for each other. What fails is logged and tried again.
func (n *Notifier) Send(ctx context.Context) error {
	defer n.close()
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		n.tried(ctx, n.sendDue(ctx, sending.Go))
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		case <-time.After(lookEvery):
		}
	}
}

// tried logs, once, that sending does not work at all.
func (n *Notifier) tried(ctx context.Context, err error) {
	if failing := err != nil && ctx.Err() == nil; n.failing.Swap(failing) != failing && failing {
		n.Log.Warn("messages cannot be sent, which is tried again", "error", err)
	}
}

// sendDue begins to send to each subscriber for whom something is due, and to whom nobody sends yet.
func (n *Notifier) sendDue(ctx context.Context, begin func(func())) error {
	due, err := n.Vault.Due(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	known := n.current()
	for _, name := range due {
		if _, busy := n.busy.LoadOrStore(name, true); busy {
			continue
		}
		begin(func() {
			err := n.sendAll(ctx, name, known[name])
			n.busy.Delete(name)
			if n.tried(ctx, err); err == nil {
				n.hurry() // something may have come just now
			}
		})
	}
	return nil
}

// sendAll sends to one subscriber until nothing is due, it fails, or it is configured anew; to is nil if there is none of
// the name.
func (n *Notifier) sendAll(ctx context.Context, name string, to *sender) error {
	for ctx.Err() == nil && n.isCurrent(name, to) {
		if more, err := n.sendSome(ctx, name, to); err != nil || !more {
			return err
		}
	}
	return nil
}

// isCurrent reports whether a subscriber is still configured as it was; nil: there is still none of the name.
func (n *Notifier) isCurrent(name string, to *sender) bool {
	for _, s := range n.Subscribers() {
		if s.Name == name {
			return to != nil && to.Subscriber == s
		}
	}
	return to == nil
}

// sendSome sends some messages to one subscriber, and reports whether it should go on with others.
func (n *Notifier) sendSome(ctx context.Context, name string, to *sender) (more bool, err error) {
	due, err := n.Vault.TakeDue(ctx, name, lease, atOnce)
	if err != nil || len(due) == 0 {
		return false, err
	}
	var r result
	if to != nil {
		r = to.send(ctx, n, due)
	} else {
		n.Log.Warn("there is no such subscriber any more: its messages are given up", "subscriber", name, "messages", len(due))
		r.dead = ids(due)
	}
	// What was sent is noted also when the service ends now.
	return r.off.IsZero(), n.note(context.WithoutCancel(ctx), name, &r)
}

// A result is what is to be noted of messages to one subscriber.
type result struct {
	sent, dead []int64
	again      map[int64]time.Time
	off        time.Time // until when the subscriber is left alone; zero: it is not
}

func (r *result) later(id int64, at time.Time) {
	if r.again == nil {
		r.again = map[int64]time.Time{}
	}
	r.again[id] = at
}

func ids(messages []vault.Message) (out []int64) {
	for _, m := range messages {
		out = append(out, m.ID)
	}
	return out
}

func (n *Notifier) note(ctx context.Context, subscriber string, r *result) error {
	return n.Vault.Write(ctx, by, func(tx *vault.Tx) error {
		if err := errors.Join(tx.Sent(r.sent...), tx.GiveUp(r.dead...)); err != nil {
			return err
		}
		for id, at := range r.again {
			if err := tx.Retry(id, at); err != nil {
				return err
			}
		}
		if r.off.IsZero() {
			return nil
		}
		return tx.PutOff(subscriber, r.off)
	})
}

// current returns the senders of the present, by the names of their subscribers.
func (n *Notifier) current() map[string]*sender {
	out := map[string]*sender{}
	senders := map[*Subscriber]*sender{}
	for _, s := range n.Subscribers() {
		to := n.senders[s]
		if to == nil {
			to = &sender{Subscriber: s, http: s.client()}
		}
		senders[s], out[s.Name] = to, to
	}
	for s, to := range n.senders {
		if senders[s] == nil {
			to.http.CloseIdleConnections()
		}
	}
	n.senders = senders
	return out
}

func (n *Notifier) close() {
	for _, to := range n.senders {
		to.http.CloseIdleConnections()
	}
}

// A sender sends to one subscriber, one at a time.
type sender struct {
	*Subscriber
	http    *http.Client
	failing bool // when it was last tried
	rounds  int  // in a row that it was left alone after
}

// send sends messages one after the other, until the subscriber fails too often, or half the lease is over.
func (s *sender) send(ctx context.Context, n *Notifier, messages []vault.Message) (r result) {
	began := time.Now()
	fails := 0
	for i := range messages {
		m := &messages[i]
		if fails == failsInARow && r.off.IsZero() {
			s.rounds++
			r.off = n.Now().Add(pauseAfter(s.rounds))
		}
		switch {
		case !r.off.IsZero() && n.Now().Sub(m.Created) > patience:
			r.dead = append(r.dead, m.ID)
			n.Attempts(s.Name, GivenUp)
			continue
		case !r.off.IsZero() || time.Since(began) > lease/2 || ctx.Err() != nil:
			r.later(m.ID, n.Now())
			continue
		}
		err := s.post(ctx, n, m)
		switch {
		case err == nil:
			if s.failing {
				n.Log.Info("the subscriber answers again", "subscriber", s.Name)
			}
			fails, s.failing, s.rounds = 0, false, 0
			r.sent = append(r.sent, m.ID)
			n.Attempts(s.Name, Delivered)
		case ctx.Err() != nil:
			r.later(m.ID, n.Now())
		case n.Now().Sub(m.Created) > patience:
			n.Log.Error("a message is given up", "subscriber", s.Name, "attempts", m.Attempts, "error", err)
			r.dead = append(r.dead, m.ID)
			n.Attempts(s.Name, GivenUp)
			fails++
		default:
			if !s.failing {
				n.Log.Warn("the subscriber does not take a message; this is tried again", "subscriber", s.Name, "attempts", m.Attempts, "error", err)
			}
			s.failing = true
			r.later(m.ID, n.Now().Add(pauseAfter(m.Attempts)))
			n.Attempts(s.Name, Failed)
			fails++
		}
	}
	return r
}

// pauseAfter is how long to wait after so many attempts.
func pauseAfter(attempts int) time.Duration {
	return min(firstPause<<min(max(attempts-1, 0), 16), longPause)
}

// post makes one attempt. The error has neither the URL, which may hold a secret, nor the message.
func (s *sender) post(ctx context.Context, n *Notifier, m *vault.Message) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL.String(), bytes.NewReader(m.Body))
	if err != nil {
		return errors.New("the URL cannot be called")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "CredLedger")
	webhook.Sign(r.Header, s.Secrets, n.messageID(m), n.Now(), m.Body)
	answer, err := s.http.Do(r)
	if err != nil {
		var cause *url.Error
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the answer has the status %d", answer.StatusCode)
	}
	return nil
}

// messageID names a message for its subscriber: the same in every attempt, and another for every other message, also
// of a vault that was put back from a copy and gives the same numbers again.
func (n *Notifier) messageID(m *vault.Message) (id webhook.ID) {
	identity := n.Vault.Identity()
	b := append(identity.Ledger[:], identity.Department...)
	b = append(b, 0)
	b = append(b, m.Subscriber...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(m.ID))
	sum := sm.Sum(append(b, m.Body...))
	copy(id[:], sum[:])
	return id
}
