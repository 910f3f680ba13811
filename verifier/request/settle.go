package request

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
	"github.com/credledger/credledger/verifier/store"
)

// Settle does what is to be done now about requests of all departments whose keys are here: sends them again, ends
// those that are due, records ends, destroys keys. It is to be called every SettleEvery, by any number
// of replicas. What fails is tried again later; the error is for whoever keeps the service.
//
// An issuer that could not be reached is not called again before the next time, so that one that hangs holds up the
// requests to others once and not for each that waits for it.
func (a *Asker) Settle(ctx context.Context) error {
	away := new(away)
	for ctx.Err() == nil {
		taken, err := a.Store.TakeRequests(ctx, lease, atATime)
		if err != nil || len(taken) == 0 {
			return err
		}
		errs := make([]error, len(taken))
		var all sync.WaitGroup
		for i, r := range taken {
			all.Go(func() { errs[i] = a.step(context.WithoutCancel(ctx), r, away) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// away are the issuers that could not be reached. A nil one remembers nothing.
type away struct{ issuers sync.Map }

func (w *away) has(issuer string) bool {
	if w == nil {
		return false
	}
	_, ok := w.issuers.Load(issuer)
	return ok
}

func (w *away) add(issuer string) {
	if w != nil {
		w.issuers.Store(issuer, nil)
	}
}

// step does what is next about a request that the caller has for the time of the lease.
func (a *Asker) step(ctx context.Context, r *store.Request, away *away) error {
	var released *credential.Opened
	if r.State == store.RequestPending {
		var err error
		if r, released, err = a.try(ctx, r, away); err != nil || r == nil {
			return err
		}
	}
	if r.Recorded {
		return a.Store.DestroyRecipient(ctx, r.Digest)
	}
	if err := a.record(ctx, r, released); err != nil {
		return err
	}
	return a.Store.RecordedRequest(ctx, r.Digest, a.Now().Add(keepUnread))
}

// try sends a request once, unless it is due, and returns how it ended, nil if it did not, with what was released.
func (a *Asker) try(ctx context.Context, r *store.Request, away *away) (*store.Request, *credential.Opened, error) {
	end, released := store.End{State: store.RequestUnanswered}, (*credential.Opened)(nil)
	if a.Now().Before(r.Due) {
		var err error
		end, released, err = a.call(ctx, r, away)
		var failed *attempt
		switch {
		case errors.As(err, &failed):
			at := a.Now().Add(max(pauseAfter(r.Attempts), failed.after))
			if at.After(r.Due) {
				at = r.Due
			}
			return nil, nil, a.Store.RetryRequest(ctx, r.Digest, at, failed.problem)
		case err != nil:
			return nil, nil, err
		}
	}
	ended, err := a.Store.EndRequest(ctx, r.Digest, end)
	if err == nil && ended.State != end.State { // another replica was quicker
		released = nil
	}
	return ended, released, err
}

// call sends a request and looks at what comes.
func (a *Asker) call(ctx context.Context, r *store.Request, away *away) (end store.End, released *credential.Opened, err error) {
	body, _, err := statement.ParseAs[*statement.Request](r.Signed)
	if err != nil {
		return end, nil, err
	}
	c := a.clients[body.Issuer]
	if c == nil { // it is not configured any more
		return end, nil, &attempt{problem: CodeIssuer}
	}
	if away.has(body.Issuer) {
		return end, nil, &attempt{problem: CodeUnreachable}
	}
	m, err := c.send(ctx, r)
	if err != nil {
		if failed := new(attempt); errors.As(err, &failed) && failed.problem == CodeUnreachable {
			away.add(body.Issuer)
		}
		return end, nil, err
	}
	return a.accept(r, m)
}

// pauseAfter is how long to wait after so many attempts.
func pauseAfter(attempts int) time.Duration {
	return min(firstPause<<min(max(attempts-1, 0), 16), longestPause)
}

// record puts the end of a request into the access log; released is nil if it has not been opened. Who calls notes in the
// store that it is there. If the process ends between the two, the entry comes again, with the same call.
func (a *Asker) record(ctx context.Context, r *store.Request, released *credential.Opened) error {
	d, err := a.draft(r, released)
	if err != nil {
		return err
	}
	if _, err := a.Log.Append(ctx, d); err != nil {
		return notRecorded(err)
	}
	a.Ended(r.State)
	return nil
}

func notRecorded(err error) error {
	return errorf(CodeNotRecorded, err, "the access log cannot be written, so nothing is given out")
}

// draft is the entry of the end of a request.
func (a *Asker) draft(r *store.Request, released *credential.Opened) (*accesslog.Draft, error) {
	body, _, err := statement.ParseAs[*statement.Request](r.Signed)
	if err != nil {
		return nil, err
	}
	d := a.entry(r, body)
	d.Entry.Asked, d.Entry.Type, d.Entry.Fields, d.Entry.Outcome = body.Issuer, body.Type, body.Fields, string(r.State)
	if body.Licence != nil {
		d.Issuer, d.Digest = body.Issuer, *body.Licence
	}
	if r.State == store.RequestUnanswered {
		return d, nil
	}
	answer, _, err := statement.ParseAs[*statement.Answer](r.Answer)
	if err != nil {
		return nil, err
	}
	d.Entry.Reasons = append([]string{answer.Reason}, answer.Basis...)
	if r.State != store.RequestReleased {
		return d, nil
	}
	d.Presentation = *answer.Presentation
	if released == nil { // an error: the department's key was changed meanwhile, and the record goes without what only it opens
		released, _ = a.open(r, &grant.Answer{Answer: answer, Request: &grant.Request{Request: body, Digest: r.Digest}}, r.Released)
	}
	if released != nil {
		d.Issuer, d.Digest = released.Record.Issuer, released.Digest
	}
	return d, nil
}

// entry is what all entries about a request have in common.
func (a *Asker) entry(r *store.Request, body *statement.Request) *accesslog.Draft {
	now := a.Now()
	view := a.View.Licence("", sm.Hash{}, sm.Hash{}) // of nobody: it says where the view stands
	return &accesslog.Draft{Entry: access.Entry{
		Time: uint64(now.Unix()), Call: access.RequestCall(r.Digest), Agency: r.Agency, Clerk: r.Clerk, Unit: r.Unit,
		Matter: body.Matter, Case: body.Case, Day: day(now), Height: view.Height, Heartbeat: view.Heartbeat.Time,
	}}
}
