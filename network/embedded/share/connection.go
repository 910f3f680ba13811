package share

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
)

// A connection is one organisation's use of a Store, from one host to the next.
type connection struct {
	store *Store
	actor string
	life  context.Context
	end   context.CancelCauseFunc
}

// A goneError says that the host did not answer to the end.
type goneError struct {
	err      error
	accepted bool // it had begun to take a transaction in
}

func (e *goneError) Error() string {
	return "the process that has the ledger open is gone: " + e.err.Error()
}
func (e *goneError) Unwrap() error { return e.err }

// bind returns a ctx that ends with the connection, too.
func (c *connection) bind(ctx context.Context) (context.Context, func()) {
	bound, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	return bound, func() { stop(); cancel(nil) }
}

// try asks the ledger, and asks the next host where one is gone, until an answer is there. ask gives
// a *goneError where asking again is right.
func (c *connection) try(ctx context.Context, ask func(context.Context, ledger.Ledger) error) error {
	ctx, done := c.bind(ctx)
	defer done()
	for {
		if c.life.Err() != nil {
			return context.Cause(c.life)
		} else if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s, err := c.store.session(ctx)
		if err != nil {
			return err
		}
		err = ask(ctx, s.as(c.actor))
		var gone *goneError
		switch {
		case errors.As(err, &gone):
			c.store.lost(s)
			if gone.accepted {
				return &ledger.Error{Code: ledger.CodeOutcomeUnknown, Message: "the process that had the ledger open ended before it answered; " +
					"look for the transaction, or submit the same bytes", Err: gone}
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		case err != nil && c.life.Err() != nil && ledger.Code(err) != ledger.CodeOutcomeUnknown:
			return context.Cause(c.life)
		default:
			return err
		}
	}
}

// Submit implements ledger.Ledger.
func (c *connection) Submit(ctx context.Context, tx *chaincode.Transaction) (receipt ledger.Receipt, err error) {
	if _, err := chaincode.ParseTransaction(tx.Bytes()); err != nil && c.life.Err() == nil {
		return receipt, err // no host reads one that is too large
	}
	err = c.try(ctx, func(ctx context.Context, l ledger.Ledger) (err error) {
		receipt, err = l.Submit(ctx, tx)
		return err
	})
	if err != nil && chaincode.Code(err) == "" && ledger.Code(err) == "" {
		err = &ledger.Error{Code: ledger.CodeNotSubmitted, Message: "the transaction was given up before it was submitted", Err: err}
	}
	return receipt, err
}

// Evaluate implements ledger.Ledger.
func (c *connection) Evaluate(ctx context.Context, q chaincode.Query) (answer []byte, err error) {
	err = c.try(ctx, func(ctx context.Context, l ledger.Ledger) (err error) {
		answer, err = l.Evaluate(ctx, q)
		return err
	})
	return answer, err
}

// Head implements ledger.Ledger.
func (c *connection) Head(ctx context.Context) (head ledger.Head, err error) {
	err = c.try(ctx, func(ctx context.Context, l ledger.Ledger) (err error) {
		head, err = l.Head(ctx)
		return err
	})
	return head, err
}

// Follow implements ledger.Ledger.
func (c *connection) Follow(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		stopped := false
		err := c.try(ctx, func(ctx context.Context, l ledger.Ledger) error {
			for block, err := range l.Follow(ctx, from) {
				if err != nil {
					return err
				}
				from = block.Number + 1
				if stopped = !yield(block, nil); stopped {
					return nil
				}
			}
			return nil
		})
		if !stopped {
			yield(nil, err)
		}
	}
}

// Close implements ledger.Ledger.
func (c *connection) Close() error {
	c.end(errClosed())
	return nil
}
