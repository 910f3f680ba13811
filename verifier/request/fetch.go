package request

import (
	"context"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/receipt"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// What an Answer says, and what became of it.
type Answer struct {
	Kept    *store.Request
	Request *statement.Request
	Answer  *statement.Answer // nil while there is none

	// Of what was released, while that can be opened; else nil:
	Verdict      *verify.Verdict
	Receipt      *receipt.File // for the verification
	Presentation []byte        // nil also if the verdict is invalid
}

// noSuch are reasons of refusals that the law has nothing against: the issuer does not have what was asked for.
var noSuch = []string{policy.CodeLicenceUnknown, policy.CodeFieldUnknown}

// RefusalToShare reports whether the issuer refuses to share (拒不共享): by the policy of when the request was made the law gives all that
// it asks for, and it was refused, or not answered in time.
func (a *Answer) RefusalToShare() bool {
	switch a.Kept.State {
	case store.RequestUnanswered:
		return a.Kept.ByLaw
	case store.RequestRefused:
		return a.Kept.ByLaw && !slices.Contains(noSuch, a.Answer.Reason)
	}
	return false
}

// List returns requests of an agency, the newest first, without what was released: those in a state, or all for "",
// with a number below before, or all for 0, at most n of them. Errors: those of the store.
func (a *Asker) List(ctx context.Context, agency string, state store.RequestState, before int64, n int) ([]*Answer, error) {
	found, err := a.Store.Requests(ctx, agency, state, before, n)
	if err != nil {
		return nil, err
	}
	out := make([]*Answer, len(found))
	for i, r := range found {
		if out[i], err = read(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read returns a request without what was released.
func read(r *store.Request) (*Answer, error) {
	body, _, err := statement.ParseAs[*statement.Request](r.Signed)
	if err != nil {
		return nil, err
	}
	out := &Answer{Kept: r, Request: body}
	if r.Answer != nil {
		out.Answer, _, err = statement.ParseAs[*statement.Answer](r.Answer)
	}
	return out, err
}

// Fetch returns a request of an agency, with a verdict on what was released, for a clerk of a unit. The
// verification is in the access log when it returns; from the first one on what was released can be
// fetched for some minutes more.
//
// Errors: store.CodeRequestUnknown, CodeNotRecorded; those of the store.
func (a *Asker) Fetch(ctx context.Context, agency string, digest sm.Hash, clerk, unit string) (*Answer, error) {
	r, err := a.Store.Request(ctx, agency, digest)
	if err != nil {
		return nil, err
	}
	out, err := read(r)
	if err != nil || r.State != store.RequestReleased || r.Recipient == nil {
		return out, err
	}
	o, err := a.open(r, &grant.Answer{Answer: out.Answer, Request: &grant.Request{Request: out.Request, Digest: r.Digest}}, r.Released)
	if err != nil {
		return nil, err
	}
	if !r.Recorded { // its end comes first
		if err := a.record(ctx, r, o); err != nil {
			return nil, err
		}
		if err := a.Store.RecordedRequest(ctx, digest, a.Now().Add(keepUnread)); err != nil {
			return nil, err
		}
	}
	if err := a.verify(ctx, out, o, clerk, unit); err != nil {
		return nil, err
	}
	return out, a.Store.FetchedRequest(ctx, digest, a.Now().Add(keepRead))
}

// verify gives the verdict on what was released, and records it.
func (a *Asker) verify(ctx context.Context, out *Answer, o *credential.Opened, clerk, unit string) error {
	v := verify.Verify(a.View, verify.Request{Parsed: o.Presentation, Now: a.Now()})
	d := a.entry(out.Kept, out.Request)
	d.Entry.Clerk, d.Entry.Unit = clerk, unit
	d.Entry.Type, d.Issuer, d.Digest, d.Presentation = o.Record.Type, o.Record.Issuer, o.Digest, *out.Answer.Presentation
	d.Entry.Outcome, d.Entry.Reasons = string(v.Outcome), v.Reasons()
	if v.Outcome != verify.Invalid { // of which nothing is told
		d.Entry.Fields, out.Presentation = out.Answer.Fields, o.Presentation.Bytes()
	}
	p, err := a.Log.Append(ctx, d)
	if err != nil {
		return notRecorded(err)
	}
	out.Verdict = &v
	out.Receipt = &receipt.File{Entry: p.Entry, Encoded: p.Encoded, Salt: p.Salt, Presentation: d.Presentation, Proof: p.Proof}
	return nil
}

// Evidence returns what shows to others what became of a request: request, answer, and the grant that it is
// under. What was released is not in it; whoever has kept that can add it.
//
// Errors: store.CodeRequestUnknown, CodeNoEvidence; those of the store.
func (a *Asker) Evidence(ctx context.Context, agency string, digest sm.Hash) (*grant.Evidence, error) {
	r, err := a.Store.Request(ctx, agency, digest)
	if err != nil {
		return nil, err
	}
	if r.Answer == nil {
		return nil, errorf(CodeNoEvidence, nil, "there is no answer to this request: of silence there is no evidence but the request")
	}
	return &grant.Evidence{Request: r.Signed, Answer: r.Answer, Grant: r.Grant, Binding: r.Binding}, nil
}
