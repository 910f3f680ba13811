package release

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A Grant is one as the department holds it. What it says is in its statement; Licence there is the digest.
type Grant struct {
	*statement.Grant
	Digest sm.Hash  // its name
	ID     vault.ID // of the licence

	State   string // vault.GrantKept: it cannot be used before the ledger has it; GrantGiven, GrantWithdrawn
	Settled bool   // the ledger has it so
	Used    uint32

	KeptAt      time.Time
	By          vault.By // who kept it
	WithdrawnAt *time.Time
	WithdrawnBy *vault.By

	Signed     []byte // the statement
	Binding    []byte // of the key that it is signed with; nil if the department signed
	Withdrawal []byte // the statement; nil if it was not withdrawn
}

// Terms are what a holder lets an agency have.
type Terms struct {
	Licence   vault.ID
	Agency    string   // id of the department that may ask
	Matter    string   // id
	Fields    []string // keys of the licence's type, in any order
	Uses      uint32   // how many times, 1 to statement.MaxUses
	NotBefore time.Time
	NotAfter  time.Time // at most statement.MaxGrant seconds later

	// Claim is an idempotency key: who gives again under it, for the same, gets the grant that was kept the first time. nil:
	// each call gives another grant.
	Claim *vault.ClaimKey
}

// claimTime is how long an idempotency key is remembered.
const claimTime = 24 * time.Hour

// Identified says how a grant or its withdrawal is known to be the holder's will when the department signs it on his
// behalf.
type Identified struct {
	Means  string // statement.MeansCounter, MeansPlatform or MeansDelegate
	Record string // who was identified, by whom and how; kept under the key of the licence, up to vault.MaxIdentification bytes
}

// Record takes a grant that a holder has signed with a key that is bound to the licence, and has the ledger know that it is
// given. The same grant can be recorded again. If the ledger cannot be reached, it stays vault.GrantKept until Settle.
//
// Errors: CodeGrantMeans, CodeElsewhere; those of grant.ReadGrant and MayBeGiven; vault.CodeUnknown, vault.CodeErased;
// those of the ledger's rules, after which the grant is forgotten.
func (d *Desk) Record(ctx context.Context, by vault.By, signed, binding []byte) (*Grant, error) {
	g, err := grant.ReadGrant(signed, binding, d.c.View)
	if err != nil {
		return nil, err
	}
	switch {
	case g.Issuer != d.c.Department:
		return nil, errorf(CodeElsewhere, nil, "the grant is for a licence of %s: hand it in there", g.Issuer)
	case g.Binding == nil:
		return nil, errorf(CodeGrantMeans, nil, "a grant that is handed in is signed by the holder; else it is given here")
	}
	l, err := d.c.Vault.Named(ctx, g.Licence)
	if err != nil {
		return nil, err
	}
	if l.Type != g.Type {
		return nil, errorf(grant.CodeOtherLicence, nil, "the grant names another type than the licence has")
	}
	return d.keep(ctx, by, g, &vault.Grant{Licence: l.ID, Signed: signed, Binding: binding}, nil, nil)
}

// Give signs a grant on a holder's behalf, whose will it is known to be, and has the ledger know that it is given. If the
// ledger cannot be reached, it stays vault.GrantKept until Settle.
//
// Errors: CodeArguments, CodeSignerMissing; statement.CodeInvalid; vault.CodeUnknown, vault.CodeErased, vault.CodeNoContent,
// vault.CodeClaimReused; those of the ledger's rules, after which the grant is forgotten.
func (d *Desk) Give(ctx context.Context, by vault.By, terms Terms, how Identified) (*Grant, error) {
	if earlier, err := d.Given(ctx, terms.Claim); earlier != nil || err != nil {
		return earlier, err
	}
	l, err := d.c.Vault.Licence(ctx, terms.Licence)
	if err != nil {
		return nil, err
	}
	fields := slices.Compact(slices.Sorted(slices.Values(terms.Fields)))
	if t := d.types[l.Type]; t == nil || slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(t.Leaves(), f) }) {
		return nil, errorf(CodeArguments, nil, "licences of the type %s have no such fields", l.Type)
	}
	body := &statement.Grant{
		Ledger: d.c.View.Ledger(), Issuer: d.c.Department, Licence: l.Digest, Type: l.Type, Agency: terms.Agency, Matter: terms.Matter, Fields: fields,
		Uses: terms.Uses, NotBefore: seconds(terms.NotBefore), NotAfter: seconds(terms.NotAfter), Means: how.Means, SignedAt: d.seconds(),
	}
	rand.Read(body.Salt[:])
	identification, err := how.identification()
	if err != nil {
		return nil, err
	}
	body.Evidence = grant.EvidenceCommitment(&identification.Salt, identification.Record)
	signed, err := d.sign(ctx, body)
	if err != nil {
		return nil, err
	}
	g, err := grant.ReadGrant(signed, nil, d.c.View)
	if err != nil {
		return nil, err
	}
	kept, err := d.c.Vault.KeepIdentification(ctx, l.ID, g.Digest, *identification)
	if err != nil {
		return nil, err
	}
	return d.keep(ctx, by, g, &vault.Grant{Licence: l.ID, Signed: signed}, kept, terms.Claim)
}

// Given returns the grant that was given under an idempotency key, as it is by now; nil if there is no key, if nothing was given
// under it, or if the ledger refused what was. Error: vault.CodeClaimReused if something else was asked under it.
func (d *Desk) Given(ctx context.Context, claim *vault.ClaimKey) (*Grant, error) {
	if claim == nil {
		return nil, nil
	}
	answer, err := d.c.Vault.Recall(ctx, *claim)
	if err != nil || answer == nil {
		return nil, err
	}
	g, err := d.claimed(ctx, answer)
	if Code(err) == CodeGrantUnknown {
		return nil, d.write(ctx, keeper, func(tx *vault.Tx) error { return tx.Unclaim(*claim) })
	}
	return g, err
}

// claimed returns the grant that the vault keeps as the answer to an idempotency key.
func (d *Desk) claimed(ctx context.Context, answer []byte) (*Grant, error) {
	if len(answer) != sm.HashSize {
		return nil, errorf(CodeArguments, nil, "what the vault keeps with the idempotency key was not written for a grant")
	}
	return d.Grant(ctx, sm.Hash(answer))
}

func seconds(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }

// identification returns what is kept of how somebody was identified, with a new salt.
func (how *Identified) identification() (*vault.Identification, error) {
	if !slices.Contains([]string{statement.MeansCounter, statement.MeansPlatform, statement.MeansDelegate}, how.Means) {
		return nil, errorf(CodeArguments, nil, "a holder is identified at a counter, by the platform or through a delegate")
	}
	i := &vault.Identification{Record: how.Record}
	rand.Read(i.Salt[:])
	return i, nil
}

// keep puts a grant into the vault, and brings it to the ledger. Under an idempotency key (nil: none) under which one came there
// meanwhile, it returns that.
func (d *Desk) keep(ctx context.Context, by vault.By, g *grant.Grant, kept *vault.Grant, identified *vault.KeptIdentification, claim *vault.ClaimKey) (*Grant, error) {
	if err := g.MayBeGiven(d.c.View, d.seconds()); err != nil {
		return nil, err
	}
	kept.Digest, kept.Uses, kept.NotAfter = g.Digest, g.Uses, time.Unix(int64(g.NotAfter), 0)
	var earlier []byte
	if err := d.write(ctx, by, func(tx *vault.Tx) (err error) {
		if claim != nil {
			if earlier, err = tx.Claim(*claim, g.Digest[:], d.c.Now().Add(claimTime)); earlier != nil || err != nil {
				return err
			}
		}
		_, err = tx.AddGrant(kept, identified)
		return err
	}); err != nil {
		return nil, err
	}
	if earlier != nil {
		return d.claimed(ctx, earlier)
	}
	if err := d.step(stepKept); err != nil {
		return nil, err
	}
	if err := d.give(ctx, g.Digest); err != nil && !unreached(err) {
		return nil, err
	}
	given, err := d.Grant(ctx, g.Digest)
	if err == nil && given.State == vault.GrantWithdrawn {
		return nil, &grant.Error{Code: grant.CodeWithdrawn, Message: "the grant was withdrawn, which is final: give a new one"}
	}
	return given, err
}

// Grant returns a grant by its digest. Error: CodeGrantUnknown.
func (d *Desk) Grant(ctx context.Context, digest sm.Hash) (*Grant, error) {
	kept, err := d.c.Vault.Grant(ctx, digest)
	if vault.Code(err) == vault.CodeUnknown {
		return nil, errorf(CodeGrantUnknown, nil, "there is no such grant here")
	} else if err != nil {
		return nil, err
	}
	return readKept(kept)
}

// Grants returns the grants of a licence, newest first.
func (d *Desk) Grants(ctx context.Context, licence vault.ID) ([]*Grant, error) {
	all, err := d.c.Vault.Grants(ctx, licence)
	if err != nil {
		return nil, err
	}
	out := make([]*Grant, len(all))
	for i, kept := range all {
		if out[i], err = readKept(kept); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// GrantsOfHolder returns the grants of all licences of a holder, by the id that these are found by; those of the newest
// licence first.
func (d *Desk) GrantsOfHolder(ctx context.Context, holder string) ([]*Grant, error) {
	const page = 100
	var types []string
	for id := range d.types {
		types = append(types, id)
	}
	var out []*Grant
	for before := vault.ID(0); ; {
		licences, err := d.c.Vault.ByHolder(ctx, holder, types, before, page)
		if err != nil {
			return nil, err
		}
		for _, l := range licences {
			grants, err := d.Grants(ctx, l.ID)
			if err != nil {
				return nil, err
			}
			out, before = append(out, grants...), l.ID
		}
		if len(licences) < page {
			return out, nil
		}
	}
}

// Identification returns the record of who was identified when a grant was given, and how; what opens the evidence in it.
// That it was opened stands in the history of the licence before. Errors: CodeGrantUnknown; vault.CodeUnknown if there is
// none; vault.CodeErased.
func (d *Desk) Identification(ctx context.Context, by vault.By, digest sm.Hash) (record string, salt credential.Salt, err error) {
	if _, err := d.Grant(ctx, digest); err != nil {
		return "", salt, err
	}
	i, err := d.c.Vault.GrantIdentification(ctx, by, digest)
	if err != nil {
		return "", salt, err
	}
	return i.Record, i.Salt, nil
}

// readKept reads a grant from the vault, whose signatures were checked before it came there.
func readKept(kept *vault.Grant) (*Grant, error) {
	body, _, err := statement.ParseAs[*statement.Grant](kept.Signed)
	if err != nil {
		return nil, err
	}
	g := &Grant{
		Grant: body, Digest: kept.Digest, ID: kept.Licence, State: kept.State, Settled: kept.Settled, Used: kept.Used,
		KeptAt: kept.KeptAt, By: kept.By, WithdrawnAt: kept.WithdrawnAt, Signed: kept.Signed, Binding: kept.Binding,
	}
	if w := kept.Withdrawal; w != nil {
		g.WithdrawnBy, g.Withdrawal = &w.By, w.Signed
	}
	return g, nil
}
