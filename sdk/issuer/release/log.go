package release

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/accesslog"
)

// kept returns the answer to a request from the vault, with what is known about the log. That is asked first: whoever has the
// vault know it forgets it afterwards.
func (d *Desk) kept(ctx context.Context, request sm.Hash) (*vault.Answer, error) {
	d.mu.Lock()
	_, logged := d.logged[request]
	d.mu.Unlock()
	a, err := d.c.Vault.Answer(ctx, request)
	if err == nil {
		a.Logged = a.Logged || logged
	}
	return a, err
}

// log has the access log record an answer, unless it is known to: step 6. Whether it does is noted with the next
// transaction, so that an answer waits for the disk twice and not three times; a process that is killed before that records
// it once more, with the same Call.
func (d *Desk) log(ctx context.Context, a *Answered, known bool) error {
	if known {
		return nil
	}
	draft, err := d.draft(ctx, a)
	if err != nil {
		return err
	}
	if _, err := d.c.Log.Append(ctx, draft); err != nil {
		return err
	}
	d.mu.Lock()
	d.logged[a.Digest] = false
	d.mu.Unlock()
	return d.step(stepLogged)
}

// draft is the entry about an answer.
func (d *Desk) draft(ctx context.Context, a *Answered) (*accesslog.Draft, error) {
	r := a.Request
	out := &accesslog.Draft{Entry: access.Entry{
		Call: access.RequestCall(a.Digest), Time: a.Answer.SignedAt, Agency: r.Agency, Asked: r.Issuer, Matter: r.Matter, Case: r.Case, Type: r.Type,
		Fields: r.Fields, Outcome: access.Refused, Reasons: append([]string{a.Answer.Reason}, a.Answer.Basis...), Day: int32(licence.DateOf(time.Unix(int64(a.Answer.SignedAt), 0))),
	}}
	out.Entry.Height, out.Entry.Heartbeat = d.c.Known()
	if a.Answer.Outcome == statement.AnswerReleased {
		out.Entry.Outcome, out.Presentation = access.Released, *a.Answer.Presentation
	}
	switch {
	case r.Licence != nil:
		out.Issuer, out.Digest = r.Issuer, *r.Licence
	case a.Licence != 0:
		l, err := d.c.Vault.Licence(ctx, a.Licence)
		if err != nil {
			return nil, err
		}
		out.Issuer, out.Digest = r.Issuer, l.Digest
	}
	return out, nil
}

// toNote returns the requests whose answers are in the log, which the vault does not know yet and no other transaction is
// about to tell it; noted says how that has ended. They are in one order, so that transactions do not wait for each other.
func (d *Desk) toNote() []sm.Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []sm.Hash
	for request, taken := range d.logged {
		if !taken {
			out, d.logged[request] = append(out, request), true
		}
	}
	slices.SortFunc(out, func(a, b sm.Hash) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// noted says whether the vault knows by now that the answers to these requests are in the log.
func (d *Desk) noted(requests []sm.Hash, done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range requests {
		if done {
			delete(d.logged, r)
		} else {
			d.logged[r] = false
		}
	}
}

// noteLogged has the vault know which answers are in the log.
func (d *Desk) noteLogged(ctx context.Context) error {
	requests := d.toNote()
	if len(requests) == 0 {
		return nil
	}
	err := d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.AnswersLogged(requests...) })
	d.noted(requests, err == nil)
	return err
}
