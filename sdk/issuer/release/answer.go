package release

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// Answered is what became of a request.
type Answered struct {
	ID      int64 // in the order in which answers were given
	At      time.Time
	Digest  sm.Hash // of the request: its name
	Request *statement.Request
	Answer  *statement.Answer
	Licence vault.ID // 0: none was looked for, or found

	// Evidence is what the department shows about it to whoever asks: request and answer as they were signed, and
	// from Answer and Evidence also the grant that the request names, if the department has it and it is for that agency, with its binding. What was released is
	// not in it: the department does not keep that in the open.
	Evidence *grant.Evidence

	// Sealed is what was released, sealed to the key that the request names. It is nil of a refusal, in lists, and when it is
	// not given any more: the request has expired, the grant was withdrawn since, or the licence erased.
	Sealed []byte

	Earlier bool // the same request was answered before
}

// Answer answers a request, a signed statement. Subject is what came with it by which the licence is to be found, as it was
// sealed; nil if the request names the licence. The same request gets the same answer. A refusal is an answer too; an error
// is none, and the request can be made again.
//
// Errors: those of grant.ReadRequest and Request.Current; CodeElsewhere, CodeForgotten, CodePolicyMissing, CodeSignerMissing, CodeSubjectMissing,
// CodeSubjectKey, CodeContention; those of the envelope and of grant.ParseSubject; issuer.CodeNotAnchored for a licence that is
// on its way to the ledger; those of the vault and the access log; that of Config.Admit.
func (d *Desk) Answer(ctx context.Context, request, subject []byte) (*Answered, error) {
	r, err := grant.ReadRequest(request, d.c.View)
	if err != nil {
		return nil, err
	}
	if r.Issuer != d.c.Department {
		return nil, errorf(CodeElsewhere, nil, "the request asks %s: send it there", r.Issuer)
	}
	if d.c.Admit != nil {
		if err := d.c.Admit(r.Agency); err != nil {
			return nil, err
		}
	}
	end, err := d.flights.begin(ctx, r.Digest)
	if err != nil {
		return nil, err
	}
	defer end()
	kept, err := d.kept(ctx, r.Digest)
	if err == nil {
		return d.hand(ctx, kept, true)
	} else if vault.Code(err) != vault.CodeUnknown {
		return nil, err
	}
	if err := r.Current(d.seconds()); err != nil {
		return nil, err
	}
	if r.SignedAt <= d.restored {
		return nil, errorf(CodeForgotten, nil, "an old copy of the department's vault was put back since the request was signed: make a new one")
	}
	a := &answering{d: d, r: r, signed: request}
	if a.subject, err = d.openSubject(ctx, r, subject); err != nil {
		return nil, err
	}
	return a.answer(ctx)
}

// An answering is a request that is being answered.
type answering struct {
	d       *Desk
	r       *grant.Request
	signed  []byte // the request
	subject *grant.Subject

	released *released // of the licence that was opened for it
}

// errAgain ends a transaction in which the grant or the licence was found to be another one than the decision went by.
var errAgain = errors.New("decide again")

// maxDecisions is how often a request is decided anew because others have used the grant meanwhile. Each time, one of
// them got an answer.
const maxDecisions = 1000

// answer decides, and keeps the answer: steps 2 to 5.
func (a *answering) answer(ctx context.Context) (*Answered, error) {
	for range maxDecisions {
		body, licence, err := a.decide(ctx)
		if err != nil {
			return nil, err
		}
		kept, err := a.keep(ctx, body, licence)
		switch {
		case errors.Is(err, errAgain):
			continue
		case vault.Code(err) == vault.CodeErased:
			a.released = nil
			continue
		case vault.Code(err) == vault.CodeAnswered, sqldb.Code(err) == sqldb.CodeUnavailable:
			// Another process has answered the same, or it is not clear whether this one has.
			there, unknown := a.d.kept(ctx, a.r.Digest)
			if unknown != nil {
				return nil, err
			}
			return a.d.hand(ctx, there, true)
		case err != nil:
			return nil, err
		}
		if err := a.d.step(stepAnswered); err != nil {
			return nil, err
		}
		return a.d.hand(ctx, kept, false)
	}
	return nil, errorf(CodeContention, nil, "others use the same grant at this moment: send the request again")
}

// decide says what becomes of the request at this moment, and what is released. The answer lacks the number of the use.
func (a *answering) decide(ctx context.Context) (*statement.Answer, vault.ID, error) {
	p, err := a.d.Policy(ctx)
	if err != nil {
		return nil, 0, err
	}
	held, of, err := a.held(ctx)
	if err != nil {
		return nil, 0, err
	}
	now := a.d.seconds()
	decision := policy.Decide(a.r, held, p.Policy, now)
	body := decision.Answer(a.r, p, now)
	if decision.Outcome != policy.MustAnswer {
		return body, of, nil
	}
	l, err := a.find(ctx, held, of)
	if err != nil {
		return nil, 0, err
	}
	code := policy.CodeLicenceUnknown
	if l != nil {
		if code, err = a.disclose(ctx, l, decision.Fields); err != nil {
			return nil, 0, err
		}
		of = l.ID
	}
	if code != "" {
		return &statement.Answer{
			Ledger: body.Ledger, Issuer: body.Issuer, Request: body.Request, Outcome: statement.AnswerRefused, Reason: code, Policy: body.Policy, SignedAt: body.SignedAt,
		}, of, nil
	}
	body.Presentation = &a.released.presentation
	return body, of, nil
}

// held returns the grant that the request names, as the department holds it, and of which licence it is; nil if it names
// none, or the department has none that can be relied on.
func (a *answering) held(ctx context.Context) (*grant.Held, vault.ID, error) {
	if a.r.Grant == nil {
		return nil, 0, nil
	}
	kept, err := a.d.c.Vault.Grant(ctx, *a.r.Grant)
	if vault.Code(err) == vault.CodeUnknown {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	g, err := grant.ReadGrant(kept.Signed, kept.Binding, a.d.c.View)
	if grant.Code(err) == grant.CodeKeyCompromised {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	held := g.Hold(a.d.c.View, kept.Used)
	if held.Given && kept.State == vault.GrantKept { // the ledger has it, and whoever gave it was interrupted
		if err := a.d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.GrantGiven(g.Digest) }); err != nil {
			return nil, 0, err
		}
	}
	held.Given = held.Given || kept.State == vault.GrantGiven
	held.Withdrawn = held.Withdrawn || kept.State == vault.GrantWithdrawn
	if a.r.Licence == nil || g.Licence != *a.r.Licence {
		return held, 0, nil
	}
	return held, kept.Licence, nil
}

// keep counts the use of the grant, signs the answer with its number, and keeps it, in one transaction: step 5.
func (a *answering) keep(ctx context.Context, body *statement.Answer, licence vault.ID) (*vault.Answer, error) {
	d := a.d
	key, err := d.signer(ctx, sm.Hash{})
	if err != nil {
		return nil, err
	}
	kept := &vault.Answer{
		Request: a.r.Digest, Asked: a.signed, Licence: licence, Type: a.r.Type, Grant: body.Grant, At: time.Unix(int64(body.SignedAt), 0).UTC(),
		Expires: time.Unix(int64(a.r.NotAfter+grant.Skew), 0).UTC(),
	}
	if body.Presentation != nil {
		kept.Envelope = a.released.sealed
	}
	logged := d.toNote()
	err = d.write(ctx, a.by(), func(tx *vault.Tx) (err error) {
		if body.Grant != nil {
			if body.Use, err = tx.UseGrant(*body.Grant); err != nil {
				return err
			}
			if body.Use == 0 {
				return errAgain
			}
		}
		kept.Use = body.Use
		if kept.Answered, err = statement.Sign(body, key); err != nil {
			return err
		}
		if err := tx.AnswersLogged(logged...); err != nil {
			return err
		}
		return tx.AddAnswer(kept)
	})
	d.noted(logged, err == nil)
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// by is in whose name the licence is opened: the agency's, for the matter and the case.
func (a *answering) by() vault.By {
	purpose := a.r.Matter
	if a.r.Case != "" {
		purpose += " " + a.r.Case
	}
	return vault.By{Actor: a.r.Agency, Purpose: purpose}
}

// hand hands out an answer that is kept, once the access log has it: steps 6 and 7.
func (d *Desk) hand(ctx context.Context, kept *vault.Answer, earlier bool) (*Answered, error) {
	a, err := readAnswer(kept)
	if err != nil {
		return nil, err
	}
	if err := d.log(ctx, a, kept.Logged); err != nil {
		return nil, err
	}
	if err := d.evidence(ctx, a); err != nil {
		return nil, err
	}
	a.Earlier = earlier
	if !d.c.Now().After(kept.Expires) {
		a.Sealed = kept.Envelope
	}
	return a, nil
}

// readAnswer reads an answer from the vault.
func readAnswer(kept *vault.Answer) (*Answered, error) {
	r, _, err := statement.ParseAs[*statement.Request](kept.Asked)
	if err != nil {
		return nil, err
	}
	a, _, err := statement.ParseAs[*statement.Answer](kept.Answered)
	if err != nil {
		return nil, err
	}
	return &Answered{
		ID: kept.ID, At: kept.At, Digest: kept.Request, Request: r, Answer: a, Licence: kept.Licence,
		Evidence: &grant.Evidence{Request: kept.Asked, Answer: kept.Answered},
	}, nil
}

// evidence adds the grant that the request names, if it is one for the agency that asks: nobody gets another's.
func (d *Desk) evidence(ctx context.Context, a *Answered) error {
	if a.Request.Grant == nil {
		return nil
	}
	g, err := d.c.Vault.Grant(ctx, *a.Request.Grant)
	if vault.Code(err) == vault.CodeUnknown {
		return nil
	} else if err != nil {
		return err
	}
	body, _, err := statement.ParseAs[*statement.Grant](g.Signed)
	if err == nil && body.Agency == a.Request.Agency {
		a.Evidence.Grant, a.Evidence.Binding = g.Signed, g.Binding
	}
	return err
}

// Evidence returns what the department shows about a request, by the request's digest. Error: CodeRequestUnknown.
func (d *Desk) Evidence(ctx context.Context, request sm.Hash) (*grant.Evidence, error) {
	kept, err := d.c.Vault.Answer(ctx, request)
	if vault.Code(err) == vault.CodeUnknown {
		return nil, errorf(CodeRequestUnknown, nil, "no such request was answered here")
	} else if err != nil {
		return nil, err
	}
	a, err := readAnswer(kept)
	if err != nil {
		return nil, err
	}
	return a.Evidence, d.evidence(ctx, a)
}

// Answers returns up to limit answers to requests for licences of some types (nil: of all that are known here), with ids
// below one, newest first; 0: from the newest.
func (d *Desk) Answers(ctx context.Context, types []string, before int64, limit int) ([]*Answered, error) {
	if types == nil {
		types = slices.Sorted(maps.Keys(d.types))
	}
	all, err := d.c.Vault.AnswersOf(ctx, types, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]*Answered, len(all))
	for i, kept := range all {
		if out[i], err = readAnswer(kept); err != nil {
			return nil, err
		}
	}
	return out, nil
}
