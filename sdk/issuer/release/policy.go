package release

import (
	"context"
	"slices"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
	"github.com/credledger/credledger/sdk/statement"
)

// keeper does what nobody has asked for: it brings what is in the vault to where it should be.
var keeper = vault.By{Actor: "release", Purpose: "keep"}

// A version of the policy, as the vault has it.
type version struct {
	number int
	digest sm.Hash           // SM3 of the payload
	key    sm.Hash           // that it is signed with
	read   *policy.Published // nil: the key was declared compromised
	from   licence.Date
}

// SetPolicy takes a version of the policy, as the authority has signed it. Every version is kept, and the newest that has
// begun is applied: so one that begins later can be set before. The one that was set last can be set again.
//
// Errors: CodePolicyOlder, CodePolicyDiffers; those of policy.Read and the vault.
func (d *Desk) SetPolicy(ctx context.Context, signed []byte) error {
	p, err := policy.Read(signed, d.c.Authority, d.c.View)
	if err != nil {
		return err
	}
	known, err := d.known(ctx)
	if err != nil {
		return err
	}
	if there, err := follows(p, known); there || err != nil {
		return err
	}
	err = d.write(ctx, keeper, func(tx *vault.Tx) error {
		return tx.AddPolicy(vault.Policy{Version: uint32(p.Version), Signed: signed})
	})
	if sqldb.Code(err) != sqldb.CodeUnique {
		return err
	}
	if known, err = d.known(ctx); err == nil { // another process was here
		_, err = follows(p, known)
	}
	return err
}

// follows reports whether a version of the policy is the newest of those that are known. It refuses one that is neither that nor
// newer.
func follows(p *policy.Published, known []version) (there bool, err error) {
	if len(known) == 0 {
		return false, nil
	}
	switch newest := known[len(known)-1]; {
	case p.Version < newest.number:
		return false, errorf(CodePolicyOlder, nil, "version %d of the policy was set before, this is version %d: get the newest from the authority", newest.number, p.Version)
	case p.Version > newest.number:
		return false, nil
	case p.Digest != newest.digest:
		return false, errorf(CodePolicyDiffers, nil, "another policy was set as version %d: ask the authority for a new version", p.Version)
	}
	return true, nil
}

// known returns the versions of the policy that the vault has, the smallest first.
func (d *Desk) known(ctx context.Context) ([]version, error) {
	d.mu.Lock()
	known := d.policies
	d.mu.Unlock()
	var after uint32
	if len(known) > 0 {
		after = uint32(known[len(known)-1].number)
	}
	newer, err := d.c.Vault.Policies(ctx, after)
	if err != nil || len(newer) == 0 {
		return known, err
	}
	known = slices.Clone(known)
	for _, kept := range newer {
		v, err := d.readVersion(kept)
		if err != nil {
			return nil, err
		}
		known = append(known, v)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(known) > len(d.policies) {
		d.policies = known
	}
	return d.policies, nil
}

func (d *Desk) readVersion(kept vault.Policy) (version, error) {
	s, err := statement.Parse(kept.Signed)
	if err != nil {
		return version{}, err
	}
	v := version{number: int(kept.Version), digest: sm.Sum(s.Payload), key: s.KeyID}
	v.read, err = policy.Read(kept.Signed, d.c.Authority, d.c.View)
	if grant.Code(err) == grant.CodeKeyCompromised {
		return v, nil
	} else if err != nil {
		return version{}, err
	}
	v.from, err = licence.ParseDate(v.read.From)
	return v, err
}

// Policy returns the policy that is applied now: the newest that has begun, or the first if none has. One whose key was
// declared compromised does not count. Error: CodePolicyMissing.
func (d *Desk) Policy(ctx context.Context) (*policy.Published, error) {
	known, err := d.known(ctx)
	if err != nil {
		return nil, err
	}
	var first *policy.Published
	today := licence.DateOf(d.c.Now())
	for _, v := range slices.Backward(known) {
		if key := d.c.View.Key(v.key); v.read == nil || key == nil || key.State == grant.KeyCompromised {
			continue
		}
		if v.from <= today {
			return v.read, nil
		}
		first = v.read
	}
	if first == nil {
		return nil, errorf(CodePolicyMissing, nil, "no policy was set that the authority stands by: get it from there; nothing is released without it")
	}
	return first, nil
}
