package index

import (
	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/sm"
)

// Grants returns the index as those see it who judge grants, requests and answers. It goes on with the
// index.
func (x *Index) Grants() grant.View { return grants{x} }

type grants struct{ *Index }

// Key implements grant.View.
func (g grants) Key(kid sm.Hash) *grant.Key {
	k := g.Index.Key(kid)
	if k == nil {
		return nil
	}
	return &grant.Key{
		Department: k.Department, Public: k.Public, Purposes: k.Purposes, NotBefore: k.NotBefore, NotAfter: k.NotAfter, State: grant.KeyState(k.State),
	}
}

// Consent implements grant.View.
func (g grants) Consent(department string, digest sm.Hash) string {
	return g.memory.consentTo(department, digest)
}
