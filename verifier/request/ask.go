package request

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/store"
	"github.com/credledger/credledger/verifier/verify"
)

// An Ask is what a department wants to know of one licence, and what for.
type Ask struct {
	Agency  string   // department that asks
	Issuer  string   // department that is asked
	Type    string   // of the licence
	Licence *sm.Hash // its digest
	Number  string   // instead of Licence: its number, as somebody typed it
	Matter  string   // id of the service item
	Case    string   // case number; may be ""
	Fields  []string // keys
	Grant   *sm.Hash // digest of the grant that it is made under; nil: by law alone

	Clerk string // who wants it; may be ""
	Unit  string // where
	// Within is how long an answer is waited for, in whole seconds; 0: as long as the policy gives the issuer.
	Within time.Duration
}

// usualWithin is how long an answer is waited for if there is no policy to say it.
const usualWithin = 5 * time.Minute

// Ask makes a request, keeps it and sends it once, and returns what became of it, as Fetch does. It may be pending, which
// is no error: Settle goes on with it.
//
// Errors: CodeAgency, CodeIssuer, CodeType, CodeInvalid, CodeIssuerKey, before anything is kept;
// CodeNotRecorded, after which it is settled later; those of the store.
func (a *Asker) Ask(ctx context.Context, ask Ask) (*Answer, error) {
	r, err := a.make(ask)
	if err != nil {
		return nil, err
	}
	if err := a.Store.AddRequest(ctx, r, lease); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // who asks may go: what was begun is noted all the same
	var ended *store.Request
	var released *credential.Opened
	select {
	case a.sending <- struct{}{}:
		ended, released, err = a.try(ctx, r, nil)
		<-a.sending
	default: // an issuer that is slow does not keep everybody waiting
		err = a.Store.RetryRequest(ctx, r.Digest, a.Now(), "")
	}
	if err != nil {
		return nil, err
	}
	if ended == nil {
		return a.Fetch(ctx, r.Agency, r.Digest, ask.Clerk, ask.Unit)
	}
	out, err := read(ended)
	if err == nil {
		err = a.record(ctx, ended, released)
	}
	if err == nil && released != nil {
		err = a.verify(ctx, out, released, ask.Clerk, ask.Unit)
	}
	if err != nil {
		return nil, err
	}
	look := keepUnread
	if released != nil {
		look = keepRead
	}
	return out, a.Store.RecordedRequest(ctx, r.Digest, a.Now().Add(look))
}

// make makes and signs a request.
func (a *Asker) make(ask Ask) (*store.Request, error) {
	key := a.Keys[ask.Agency]
	switch {
	case key == nil:
		return nil, errorf(CodeAgency, nil, "there is no key of %q here to sign requests with: name its key for consent in the configuration", ask.Agency)
	case a.clients[ask.Issuer] == nil || a.View.Department(ask.Issuer) == nil:
		return nil, errorf(CodeIssuer, nil, "it is not known here where %q is asked: name its URL in the configuration", ask.Issuer)
	case (ask.Licence == nil) == (ask.Number == ""):
		return nil, errorf(CodeInvalid, nil, "a licence is named by its digest or by its number")
	}
	now := a.Now()
	r := &store.Request{Agency: ask.Agency, Clerk: ask.Clerk, Unit: ask.Unit, Made: now}
	body := &statement.Request{
		Ledger: a.View.Ledger(), Agency: ask.Agency, Issuer: ask.Issuer, Type: ask.Type, Licence: ask.Licence, Matter: ask.Matter, Case: ask.Case,
		Fields: slices.Sorted(slices.Values(ask.Fields)), Grant: ask.Grant, SignedAt: uint64(now.Unix()),
	}
	rand.Read(body.Nonce[:])
	if err := a.name(body, r, ask.Number); err != nil {
		return nil, err
	}
	a.bound(body, r, ask.Within)
	if err := seal(body, r, key); err != nil {
		return nil, err
	}
	signed, err := statement.Sign(body, key)
	if grant.Code(err) != "" {
		return nil, errorf(CodeInvalid, err, "the request is not made")
	} else if err != nil {
		return nil, err
	}
	read, err := grant.ReadRequest(signed, a.Grants)
	if err != nil {
		return nil, errorf(CodeAgency, err, "the ledger does not have the key here in force for %s and consent: nobody would answer", ask.Agency)
	}
	if err := read.Current(body.SignedAt); err != nil {
		return nil, errorf(CodeAgency, err, "the key of %s for consent signs no more requests", ask.Agency)
	}
	r.Signed, r.Digest = signed, read.Digest
	r.State = store.RequestUnanswered
	if d, err := a.draft(r, nil); err != nil {
		return nil, err
	} else if err := d.Entry.Validate(); err != nil { // what could not be recorded is not asked for
		return nil, errorf(CodeInvalid, err, "the request could not be recorded")
	}
	r.State, r.Attempts = store.RequestPending, 1
	return r, nil
}

// name checks type and fields, and says which licence it is if only its number is known.
func (a *Asker) name(body *statement.Request, r *store.Request, number string) error {
	_, typ := a.View.Type(body.Type, 1)
	if typ == nil {
		return errorf(CodeType, nil, "the ledger has no such licence type")
	}
	leaves := typ.Leaves()
	for i, field := range body.Fields {
		if !slices.Contains(leaves, field) || i > 0 && body.Fields[i-1] == field {
			return errorf(CodeInvalid, nil, "licences of the type %s have no such fields, or one is asked for twice: they have %v", body.Type, leaves)
		}
	}
	if number == "" {
		return nil
	}
	canonical, ok := typ.CanonicalNumber(number)
	if !ok || len(canonical) > grant.MaxSubjectValue {
		return errorf(CodeInvalid, nil, "no licence of the type %s can have this number", body.Type)
	}
	to := a.consentKey(body.Issuer, body.SignedAt)
	if to == nil {
		return errorf(CodeIssuerKey, nil, "%s has no key for consent in force on the ledger: name the licence by its digest, or ask the department", body.Issuer)
	}
	s := &grant.Subject{Key: typ.NumberField().Key, Value: canonical}
	rand.Read(s.Salt[:])
	sealed, err := envelope.Seal(to, envelope.Subject, s.Bytes())
	if err != nil {
		return err
	}
	commitment := s.Commitment()
	body.Subject, r.Subject = &commitment, sealed
	return nil
}

// consentKey returns the key of a department for consent that is in force, of several the one that began last.
func (a *Asker) consentKey(department string, now uint64) *sm.PublicKey {
	var found *verify.Key
	for _, k := range a.View.Keys() {
		key := k.Key
		if key.Department != department || key.State != verify.KeyActive || !key.Purposes.Has(statement.PurposeConsent) ||
			key.NotBefore != nil && now < *key.NotBefore || key.NotAfter != nil && now > *key.NotAfter {
			continue
		}
		if found == nil || key.NotBefore != nil && (found.NotBefore == nil || *key.NotBefore > *found.NotBefore) {
			found = key
		}
	}
	if found == nil {
		return nil
	}
	return found.Public
}

// bound says until when an answer is waited for, and whether the law has it given.
func (a *Asker) bound(body *statement.Request, r *store.Request, within time.Duration) {
	r.Due = r.Made.Add(usualWithin)
	if p := a.Policy(); p != nil {
		d := policy.Decide(&grant.Request{Request: body}, nil, p.Policy, body.SignedAt)
		r.Due, r.ByLaw = time.Unix(int64(d.Due), 0), d.Outcome == policy.MustAnswer
	}
	if within > 0 {
		r.Due = r.Made.Add(within)
	}
	body.NotAfter = uint64(r.Due.Unix())
}

// pkcs8 is the media type of a private key (RFC 5958).
const pkcs8 = "application/pkcs8"

// seal draws the key that the answer is to be sealed to, and seals it to the department's.
func seal(body *statement.Request, r *store.Request, to Key) error {
	recipient, err := sm.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	copy(body.Recipient[:], recipient.Public().Bytes())
	r.Recipient, err = envelope.Seal(to.Public(), pkcs8, recipient.PKCS8())
	return err
}

// unseal returns the key that the answer to a request is sealed to.
func (a *Asker) unseal(r *store.Request) (*sm.PrivateKey, error) {
	key := a.Keys[r.Agency]
	if key == nil {
		return nil, errorf(CodeAgency, nil, "there is no key of %q here to open the answer with", r.Agency)
	}
	e, err := envelope.Parse(r.Recipient)
	if err != nil {
		return nil, err
	}
	b, err := e.Open(key)
	if err != nil {
		return nil, err
	}
	return sm.ParsePrivateKey(b)
}

// day is the civil day of a time, in UTC+8.
func day(t time.Time) int32 { return int32(licence.DateOf(t)) }
