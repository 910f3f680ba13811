package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/qr"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/matter"
)

// A Showing is what somebody wants to show of a licence.
type Showing struct {
	Licence vault.ID
	Fields  []string // keys, 1 to licence.MaxFields
	Matter  string   // id; "": none of the list
	Beyond  bool     // they were told that it is more than the matter needs, and want it
}

// alternative returns what a matter needs of a type; nil if it does not want it.
func alternative(m *matter.Matter, typ string) (part licence.Text, a *matter.Alternative) {
	for i := range m.Requirements {
		for j := range m.Requirements[i].Alternatives {
			if a := &m.Requirements[i].Alternatives[j]; a.Type == typ {
				return m.Requirements[i].Name, a
			}
		}
	}
	return part, nil
}

// minimum returns the keys that a matter needs of a type; nil if there is no such matter, or it does not want the type.
func (w *Wallet) minimum(id, typ string) []string {
	if m := w.Matters.Matter(id, w.today()); m != nil {
		return m.Fields(typ)
	}
	return nil
}

// A Matter is one that can use licences of the department.
type Matter struct {
	*matter.Matter
	Needs    []Need
	Licences []vault.ID // of those given, that it can use
}

// A Need is what a matter needs of a type.
type Need struct {
	Part licence.Text // that the licence plays
	*matter.Alternative
}

// MattersFor returns the matters that can use licences of the department, those first that can use some of these; to helpers that
// of their delegation.
func (w *Wallet) MattersFor(c *Caller, all []*Licence) []*Matter {
	var out []*Matter
	for _, m := range w.Matters.All(w.today()) {
		if c.Delegation != nil && c.Delegation.Matter != m.ID {
			continue
		}
		found := &Matter{Matter: m}
		for _, typ := range w.ids {
			if part, a := alternative(m, typ); a != nil {
				found.Needs = append(found.Needs, Need{part, a})
			}
		}
		for _, l := range all {
			if len(m.Fields(l.Licence.Type)) > 0 && l.Showable {
				found.Licences = append(found.Licences, l.ID)
			}
		}
		if len(found.Needs) > 0 {
			out = append(out, found)
		}
	}
	slices.SortStableFunc(out, func(a, b *Matter) int { return min(len(b.Licences), 1) - min(len(a.Licences), 1) })
	return out
}

// permit refuses what is more than needed and was not confirmed, or not by somebody who has just proven who they are.
// Without a matter every field is more than needed.
func (w *Wallet) permit(c *Caller, l *Licence, s *Showing) error {
	leaves := l.Type.Leaves()
	for i, key := range s.Fields {
		if !slices.Contains(leaves, key) {
			return errorf(CodeField, nil, "the licence has no field of this name")
		}
		if slices.Contains(s.Fields[:i], key) {
			return errorf(CodeArguments, nil, "a field is shown once")
		}
	}
	if len(s.Fields) == 0 {
		return errorf(CodeArguments, nil, "choose a field to show")
	}
	minimum := w.minimum(s.Matter, l.Licence.Type)
	if s.Matter != "" && minimum == nil {
		return errorf(CodeMatter, nil, "there is no such matter, or it does not need a licence of this type")
	}
	var beyond []string
	for _, key := range s.Fields {
		if !slices.Contains(minimum, key) {
			beyond = append(beyond, key)
		}
	}
	if d := c.Delegation; d != nil && (s.Matter != d.Matter || len(beyond) > 0) {
		return errorf(CodeLimits, nil, "a helper shows what the matter of the delegation needs, and nothing else")
	}
	if len(beyond) == 0 {
		return nil
	}
	return w.confirmed(c, s.Beyond, beyond)
}

// confirmed refuses more than needed unless it was confirmed by somebody who has just proven who they are.
func (w *Wallet) confirmed(c *Caller, confirmed bool, beyond []string) error {
	if !confirmed {
		err := errorf(CodeBeyond, nil, "this is more than the matter needs: say that the holder was told and wants it")
		err.Fields = beyond
		return err
	}
	return w.fresh(c)
}

// purpose is what a showing is for, as the history has it.
func (s *Showing) purpose(what string) string {
	if s.Matter == "" {
		return what
	}
	return what + ", " + s.Matter
}

// prepare finds the licence of a showing, checks what is wanted, notes what a helper does, opens the licence, and makes the
// presentation.
func (w *Wallet) prepare(ctx context.Context, c *Caller, s *Showing, way, act string) (*credential.Opened, error) {
	l, err := w.Licence(ctx, c, s.Licence)
	if err != nil {
		return nil, err
	}
	if err := w.permit(c, l, s); err != nil {
		return nil, err
	}
	if err := w.act(ctx, c, way, act, l.ID); err != nil {
		return nil, err
	}
	_, o, err := w.Issuer.Credential(ctx, c.by(s.purpose(act)), l.ID)
	if err != nil {
		return nil, err
	}
	shown, err := credential.Disclose(o.Presentation, o.Type, s.Fields...)
	if err != nil {
		return nil, err
	}
	return shown.Open(o.Type)
}

// use notes that the caller has used something, which they can rate.
func (w *Wallet) use(ctx context.Context, c *Caller, kind, matter string) (id vault.ItemID, err error) {
	err = w.write(ctx, c.by(kind), func(tx *vault.Tx) (err error) {
		id, err = tx.AddUse(c.Number, kind, matter)
		return err
	})
	return id, err
}

// The kinds of codes.
const (
	Reference     = "reference"      // shown once, within a minute
	SelfContained = "self-contained" // holds the fields itself; proves nothing about who shows it
)

// maxReference is the greatest length of a reference code in characters.
const maxReference = 120

// A Shown is a code as it is shown at a counter.
type Shown struct {
	Kind    string
	Text    string
	Symbol  *qr.Symbol
	Expires *time.Time // nil: it does not
	Use     vault.ItemID
}

// Code makes a code. A self-contained one takes a fresh sign-in.
//
// Errors: CodeNotThere, CodeField, CodeMatter, CodeBeyond, CodeFresh, CodeEnded, CodeLimits, CodeVerifier; those of Open,
// issuer.CodeSignerMissing, credential.CodeTooLarge, those of the ledger.
func (w *Wallet) Code(ctx context.Context, c *Caller, s Showing, kind string) (*Shown, error) {
	switch {
	case kind == Reference && w.Verifier == nil:
		return nil, errorf(CodeVerifier, nil, "this department names no verifier: take the self-contained code")
	case kind == SelfContained: // it says in clear what it shows, and for good
		if err := w.fresh(c); err != nil {
			return nil, err
		}
	}
	o, err := w.prepare(ctx, c, &s, WayShow, "code")
	if err != nil {
		return nil, err
	}
	out := &Shown{Kind: kind}
	switch kind {
	case Reference:
		err = w.leave(ctx, c, s.Licence, o, out)
	case SelfContained:
		out.Text, err = credential.EncodeCode(w.Host, o.Presentation)
	default:
		err = errorf(CodeArguments, nil, "a code is reference or self-contained")
	}
	if err != nil {
		return nil, err
	}
	if out.Symbol, err = qr.Encode(out.Text, qr.DefaultLevel(out.Text)); err != nil {
		return nil, err
	}
	out.Use, err = w.use(ctx, c, vault.UseCode, s.Matter)
	return out, err
}

// leave leaves a presentation at the verifier, with the proof that its holder shows it, if the department can vouch for that. A
// helper is no holder, and has no such proof: the verdict says that an identity document is to be looked at.
func (w *Wallet) leave(ctx context.Context, c *Caller, id vault.ID, o *credential.Opened, out *Shown) error {
	left, vouch := o.Presentation, c.Delegation == nil
	if vouch {
		var err error
		if vouch, err = w.Vault.VouchFor(ctx, id); err != nil {
			return err
		}
	}
	if vouch {
		nonce, audience, err := w.Verifier.Challenge(ctx)
		if err != nil {
			return err
		}
		key, binding, err := w.bound(ctx, c, id, o.Digest)
		if err != nil {
			return err
		}
		now := uint64(max(w.Now().Unix(), 0))
		proof := statement.Proof{Audience: audience, Nonce: nonce, IssuedAt: now, NotAfter: now + proofSeconds}
		if left, err = credential.Prove(o, binding, proof, key); err != nil {
			return err
		}
	}
	text, expires, err := w.Verifier.Keep(ctx, left.Bytes())
	if err != nil {
		return err
	}
	if len(text) > maxReference {
		return errorf(CodeVerifier, nil, "the verifier's reference is longer than %d characters", maxReference)
	}
	out.Text, out.Expires = text, &expires
	return nil
}

// proofSeconds is how long a holder's proof lasts: as long as the verifier keeps a presentation, and some more.
const proofSeconds = 120
