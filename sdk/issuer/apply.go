package issuer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
)

// An Application is one licence that is to be issued.
type Application struct {
	Type   string // id
	Record []byte // the one record, in any format of licence.NewReader

	// First and last day of validity, instead of those in the record. Types that are permanent take no
	// last day.
	ValidFrom, ValidUntil *licence.Date

	// Predecessor is the licence whose place the new one takes: it names it, and may have the same
	// number. The predecessor stays what it is until SetStatus makes it superseded. 0: none.
	Predecessor vault.ID

	// Claim is an idempotency key: who applies again under it, for the same, gets the licence that was issued
	// then. It is remembered for three days; nil: none.
	Claim *vault.ClaimKey
}

// An Issued licence is on the ledger.
type Issued struct {
	Licence    *vault.Licence
	Credential []byte
	Position   ledger.Position // of its batch
	Earlier    bool            // it was issued earlier, under the same idempotency key
}

// A Preview is what would be anchored.
type Preview struct {
	Type   *licence.Type
	Record credential.Record // with the present as date of issue
	Values []licence.Value   // one per leaf, in the order of Type.Leaves
}

// Check says what would be issued of an application. Nothing is kept of it; a predecessor is opened for it.
// What is wrong with the record is a *Refusal.
func (iss *Issuer) Check(ctx context.Context, by vault.By, a *Application) (*Preview, error) {
	d, typ, err := iss.draftOne(ctx, by, a)
	if err != nil {
		return nil, err
	}
	holding, err := iss.vault.Holding(ctx, typ.ID, []string{d.number})
	if err != nil {
		return nil, err
	}
	if holding[0] != 0 && holding[0] != a.Predecessor {
		return nil, &Refusal{taken(typ)}
	}
	p := &Preview{Type: typ, Record: d.Record(), Values: make([]licence.Value, len(typ.Leaves()))}
	for i := range p.Values {
		p.Values[i] = d.Value(i)
	}
	return p, nil
}

// Apply issues one licence. It is on the ledger, and durable in the vault, when Apply returns. Licences of a type
// that are applied for at the same time share one anchor; none waits longer than Config.Window for others.
//
// What is wrong with the record is a *Refusal; so is a number that is held (CodeLicenceActive). Other errors:
// CodeArguments, CodeTypeUnknown, CodeSignerMissing, chaincode.CodeTypeNotIssued, CodeClosed;
// vault.CodeClaimReused, vault.CodeContentsLost, and others of the vault; those of the ledger, after which the licence was
// not issued if the ledger has refused it, and else may still be: ask again under the same
// idempotency key, or look for the number. That holds too if ctx ends.
func (iss *Issuer) Apply(ctx context.Context, by vault.By, a *Application) (*Issued, error) {
	if err := by.Check(); err != nil { // others share the batch
		return nil, err
	}
	if a.Claim != nil {
		if err := a.Claim.Check(); err != nil {
			return nil, err
		}
	}
	d, typ, err := iss.draftOne(ctx, by, a)
	if err != nil {
		if a.Claim != nil { // it may have been right when it was asked first
			if issued, err := iss.recall(ctx, by, a.Claim); issued != nil || err != nil {
				return issued, err
			}
		}
		return nil, err
	}
	m, err := iss.gatherers.add(typ, d, by)
	if err != nil {
		return nil, err
	}
	select {
	case <-m.done:
	case <-ctx.Done():
		return nil, errorf(ledger.CodeOutcomeUnknown, context.Cause(ctx), "the licence was not waited for, and may still be issued: "+
			"ask again under the same idempotency key, or look for its number")
	}
	switch {
	case m.err != nil:
		return nil, m.err
	case d.earlier.Reused:
		return nil, errorf(vault.CodeClaimReused, nil, "something else was asked under this idempotency key: take another key")
	case d.asked():
		issued, err := iss.recall(ctx, by, a.Claim)
		if issued == nil && err == nil { // what was asked first came to nothing, and the key is free again
			return iss.Apply(ctx, by, a)
		}
		return issued, err
	case d.taken:
		return nil, &Refusal{taken(typ)}
	}
	return m.issued(), nil
}

// issuable returns the type of an application, if licences of it can be issued.
func (iss *Issuer) issuable(id string) (*licence.Type, error) {
	t, err := iss.typ(id)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(iss.department.Issues, id):
		return nil, errorf(chaincode.CodeTypeNotIssued, nil, "%s does not issue the type %s", iss.department.ID, id)
	}
	return t, nil
}

// checkValidity refuses days of validity that licences of a type cannot have.
func checkValidity(t *licence.Type, from, until *licence.Date) error {
	switch {
	case until != nil && t.Validity == licence.ValidityPermanent:
		return errorf(CodeArguments, nil, "licences of the type %s have no last day of validity", t.ID)
	case from != nil && until != nil && *from > *until:
		return errorf(CodeArguments, nil, "the last day of validity must not be before the first")
	}
	return nil
}

// draftOne makes the draft of an application.
func (iss *Issuer) draftOne(ctx context.Context, by vault.By, a *Application) (*draft, *licence.Type, error) {
	typ, err := iss.issuable(a.Type)
	if err != nil {
		return nil, nil, err
	}
	if err := checkValidity(typ, a.ValidFrom, a.ValidUntil); err != nil {
		return nil, nil, err
	}
	raw, err := oneRecord(typ, a.Record)
	if err != nil {
		return nil, nil, err
	}
	t := terms{validFrom: a.ValidFrom, validUntil: a.ValidUntil}
	if a.Predecessor != 0 {
		if t.predecessor, err = iss.predecessor(ctx, by, typ, a.Predecessor); err != nil {
			return nil, nil, err
		}
	}
	d, problems, err := iss.drafter(typ, t, iss.random).draft(raw, iss.clock.next())
	if err != nil {
		return nil, nil, err
	}
	if problems != nil {
		return nil, nil, &Refusal{problems}
	}
	d.claim = a.Claim
	return d, typ, nil
}

// oneRecord returns the record in an input of one.
func oneRecord(t *licence.Type, input []byte) (licence.Raw, error) {
	reader, err := licence.NewReader(bytes.NewReader(input), t)
	if err != nil {
		return licence.Raw{}, refusal(err)
	}
	raw, err := reader.NextRaw()
	if err != nil {
		return licence.Raw{}, refusal(err)
	}
	if _, err := reader.NextRaw(); !errors.Is(err, io.EOF) {
		return licence.Raw{}, &Refusal{problem(licence.Malformed, "", "there is more than the record of one licence")}
	}
	return raw, nil
}

// refusal is why an input of one record could not be read.
func refusal(err error) error {
	var input *licence.InputError
	var record *licence.RecordError
	switch {
	case errors.As(err, &record):
		return &Refusal{record.Problems}
	case errors.As(err, &input):
		return &Refusal{problem(input.Code, input.Field, "%s", input.Message)}
	case errors.Is(err, io.EOF):
		return &Refusal{problem(licence.EmptyInput, "", "there is no record")}
	}
	return err
}

// predecessor looks up the licence whose place another one is to take.
func (iss *Issuer) predecessor(ctx context.Context, by vault.By, t *licence.Type, id vault.ID) (*predecessor, error) {
	s, err := iss.Subject(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.Type != t.ID {
		return nil, errorf(CodeArguments, nil, "the predecessor is of another type than %s", t.ID)
	}
	if _, err := iss.standing(ctx, s); err != nil {
		return nil, err
	}
	_, o, err := iss.Credential(ctx, by, id)
	if err != nil {
		return nil, err
	}
	identifier, _ := o.Value(licence.IdentifierKey)
	return &predecessor{id, o.Digest, identifier}, nil
}

// formatAnswer is what is kept with an idempotency key.
func formatAnswer(id vault.ID) []byte { return strconv.AppendInt(nil, int64(id), 10) }

// recall returns what was issued under an idempotency key, nil if nothing was. A batch that has not come to the
// ledger is brought there.
func (iss *Issuer) recall(ctx context.Context, by vault.By, k *vault.ClaimKey) (*Issued, error) {
	answer, err := iss.vault.Recall(ctx, *k)
	if err != nil || answer == nil {
		return nil, err
	}
	id, err := strconv.ParseInt(string(answer), 10, 64)
	if err != nil {
		return nil, errorf(CodeContent, nil, "what the vault keeps with an idempotency key was not written for a licence")
	}
	l, err := iss.vault.Licence(ctx, vault.ID(id))
	if vault.Code(err) == vault.CodeUnknown { // the ledger has refused its batch, which was discarded
		return nil, iss.write(ctx, self, func(tx *vault.Tx) error { return tx.Unclaim(*k) })
	} else if err != nil {
		return nil, err
	}
	kept, err := iss.vault.Batch(ctx, l.Batch)
	if err != nil {
		return nil, err
	}
	b := &batch{Batch: kept}
	if kept.State == vault.Pending {
		if err := iss.bring(ctx, b); err != nil {
			return nil, err
		}
		if err := iss.write(ctx, self, func(tx *vault.Tx) error { return note(tx, []*batch{b}) }); err != nil {
			return nil, err
		}
		if l, err = iss.vault.Licence(ctx, l.ID); err != nil {
			return nil, err
		}
	}
	c, _, err := iss.Credential(ctx, by, l.ID)
	if err != nil {
		return nil, err
	}
	issued := &Issued{Licence: l, Credential: c, Earlier: true}
	if b.Position != nil {
		issued.Position = *b.Position
	}
	return issued, nil
}
