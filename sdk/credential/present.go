package credential

import (
	"slices"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Disclose makes the presentation that shows the given fields of a credential and nothing else. The
// type must be the credential's.
func Disclose(c *Presentation, t *licence.Type, keys ...string) (*Presentation, error) {
	all := t.Leaves()
	if !c.Complete() || len(c.Fields) != len(all) {
		return nil, errorf(CodeIncomplete, "only the whole credential can be used to disclose fields; this shows some of them")
	}
	indices := make([]int, 0, len(keys))
	for _, key := range keys {
		i := slices.Index(all, key)
		if i < 0 {
			return nil, errorf(CodeNoSuchField, "the type %s has no field of that name; its fields are %v", t.ID, all)
		}
		indices = append(indices, i)
	}
	slices.Sort(indices)
	indices = slices.Compact(indices)

	leaves := make([]sm.Hash, len(all))
	for i := range leaves {
		leaves[i] = Commit(&c.Fields[i].Salt, all[i], c.Fields[i].Value)
	}
	p := *c
	p.Fields = make([]Field, len(indices))
	for i, x := range indices {
		p.Fields[i] = c.Fields[x]
	}
	p.Proof = appendMultiproof(nil, leaves, indices)
	return &p, nil
}

// binding returns the statement by which the issuer binds the holder's key to the licence.
func (o *Opened) binding(h *Holder) *statement.Binding {
	return &statement.Binding{
		Ledger: o.Signed.Ledger, Issuer: o.Signed.Issuer, Digest: o.Digest, HolderKey: h.Key,
		NotBefore: h.BindingNotBefore, NotAfter: h.BindingNotAfter,
	}
}

// BindingStatement returns the issuer's signed binding; false if there is no holder part, or the
// binding cannot be a statement.
func (o *Opened) BindingStatement() (*statement.Statement, bool) {
	if o.Holder == nil {
		return nil, false
	}
	return rebuild(o.binding(o.Holder), o.Holder.BindingKeyID, o.Holder.BindingSignature)
}

// ProofStatement returns the holder's signed proof; false as for BindingStatement.
func (o *Opened) ProofStatement() (*statement.Statement, bool) {
	if o.Holder == nil {
		return nil, false
	}
	key, err := sm.NewPublicKey(o.Holder.Key[:])
	if err != nil {
		return nil, false
	}
	return rebuild(o.proof(o.Holder), key.ID(), o.Holder.ProofSignature)
}

// proof returns the statement that the holder signs: over SM3 of the presentation with null in
// place of the holder part.
func (o *Opened) proof(h *Holder) *statement.Proof {
	return &statement.Proof{
		Ledger: o.Signed.Ledger, Presentation: sm.Sum(o.appendTo(nil, nil)),
		Audience: h.Audience, Nonce: h.Nonce, IssuedAt: h.ProofIssuedAt, NotAfter: h.ProofNotAfter,
	}
}

// Prove adds the holder part to a presentation: the issuer's signed binding, and a proof that the
// holder's key makes for this audience and nonce. Ledger and presentation of the proof are filled in.
func Prove(o *Opened, binding []byte, proof statement.Proof, holder sm.Signer) (*Presentation, error) {
	body, s, err := statement.ParseAs[*statement.Binding](binding)
	if err != nil {
		return nil, err
	}
	if body.Ledger != o.Signed.Ledger || body.Issuer != o.Signed.Issuer || body.Digest != o.Digest {
		return nil, errorf(CodeInconsistent, "the binding is for another licence")
	}
	if [64]byte(holder.Public().Bytes()) != body.HolderKey {
		return nil, errorf(CodeInconsistent, "the binding is for another holder's key")
	}
	h := &Holder{
		Key: body.HolderKey, BindingNotBefore: body.NotBefore, BindingNotAfter: body.NotAfter,
		BindingKeyID: s.KeyID, BindingSignature: s.Signature,
		Audience: proof.Audience, Nonce: proof.Nonce,
		ProofIssuedAt: proof.IssuedAt, ProofNotAfter: proof.NotAfter,
	}
	signed, err := statement.Sign(o.proof(h), holder)
	if err != nil {
		return nil, err
	}
	if s, err = statement.Parse(signed); err != nil {
		return nil, err
	}
	h.ProofSignature = s.Signature
	p := *o.Presentation
	p.Holder = h
	return &p, nil
}
