package release

import (
	"context"
	"slices"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/envelope"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// openSubject opens what a licence is to be found by; nil if the request names it by its digest.
func (d *Desk) openSubject(ctx context.Context, r *grant.Request, sealed []byte) (*grant.Subject, error) {
	if r.Subject == nil {
		return nil, nil
	}
	if len(sealed) == 0 {
		return nil, errorf(CodeSubjectMissing, nil, "send what the licence is to be found by, sealed to the department's key for consent, beside the request")
	}
	e, err := envelope.Parse(sealed)
	if err != nil {
		return nil, err
	}
	keys, err := d.c.Signers(ctx, statement.PurposeConsent, false)
	if err != nil {
		return nil, errorf(CodeSignerMissing, err, "get the department's keys for consent")
	}
	var decrypters []envelope.Decrypter
	for _, key := range keys {
		if k, ok := key.(envelope.Decrypter); ok {
			decrypters = append(decrypters, k)
		}
	}
	contents, err := e.Open(decrypters...)
	if err != nil {
		return nil, err
	}
	s, err := grant.ParseSubject(contents, r.Request)
	if err != nil {
		return nil, err
	}
	if t := d.types[r.Type]; t != nil && s.Key != t.NumberField().Key {
		return nil, errorf(CodeSubjectKey, nil, "licences of the type %s are found by %s only", r.Type, t.NumberField().Key)
	}
	return s, nil
}

// find returns the licence that is asked for; nil if the department has none of the type.
func (a *answering) find(ctx context.Context, held *grant.Held, of vault.ID) (l *vault.Licence, err error) {
	v := a.d.c.Vault
	switch {
	case a.subject != nil:
		l, err = a.byNumber(ctx)
	case held != nil && of != 0:
		l, err = v.Licence(ctx, of)
	default:
		l, err = v.Named(ctx, *a.r.Licence)
	}
	if vault.Code(err) == vault.CodeUnknown {
		return nil, nil
	}
	if err == nil && l != nil && l.Type != a.r.Type {
		return nil, nil
	}
	return l, err
}

// byNumber returns the licence that holds the number, or else the newest that had it; nil if there is none.
func (a *answering) byNumber(ctx context.Context) (*vault.Licence, error) {
	t := a.d.types[a.r.Type]
	if t == nil {
		return nil, nil
	}
	number, ok := t.CanonicalNumber(a.subject.Value)
	if !ok {
		return nil, nil
	}
	all, err := a.d.c.Vault.ByNumber(ctx, t.ID, number)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(l *vault.Licence) bool { return l.HoldsNumber }); i > 0 {
		return all[i], nil
	}
	return all[0], nil
}

// A released presentation, of one licence.
type released struct {
	licence      vault.ID
	fields       []string
	presentation sm.Hash
	sealed       []byte // to the key that the request names
}

// disclose opens a licence, which its history says, and seals the presentation of exactly these fields: steps 3 and 4. It
// returns the code of a refusal if the department cannot: "" if it can.
func (a *answering) disclose(ctx context.Context, l *vault.Licence, fields []string) (string, error) {
	if r := a.released; r != nil && r.licence == l.ID && slices.Equal(r.fields, fields) {
		return "", nil
	}
	_, opened, err := a.d.c.Issuer.Credential(ctx, a.by(), l.ID)
	switch issuer.Code(err) {
	case vault.CodeErased, vault.CodeNoContent:
		return policy.CodeLicenceUnknown, nil
	}
	if err != nil {
		return "", err
	}
	if err := a.d.step(stepOpened); err != nil {
		return "", err
	}
	leaves := opened.Type.Leaves()
	if slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(leaves, f) }) {
		return policy.CodeFieldUnknown, nil
	}
	shown, err := credential.Disclose(opened.Presentation, opened.Type, fields...)
	if err != nil {
		return "", err
	}
	recipient, err := sm.NewPublicKey(a.r.Recipient[:])
	if err != nil {
		return "", err
	}
	b := shown.Bytes()
	sealed, err := envelope.Seal(recipient, envelope.Presentation, b)
	if err != nil {
		return "", err
	}
	a.released = &released{licence: l.ID, fields: fields, presentation: sm.Sum(b), sealed: sealed}
	return "", nil
}
