package wallet

import (
	"context"
	"slices"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
)

// The ways in which a helper may act.
const (
	WayShow  = "show"  // codes, and reading what the matter needs
	WayPrint = "print" // sheets
	WayGrant = "grant" // giving and withdrawing grants
)

// Ways are all of them.
var Ways = []string{WayShow, WayPrint, WayGrant}

// Bounds of delegations.
const (
	MaxHelpDays    = 90
	maxDelegations = 100 // that are listed of each side, and that can be open
	maxActs        = 50  // that are listed of each
)

// Helping is what a holder wants a helper to do.
type Helping struct {
	Helper   string // identity number, as somebody typed it
	Licences []vault.ID
	Matter   string
	Ways     []string
	Days     int   // 1 to MaxHelpDays, today included
	Once     *Once // nil: each call names a helper anew
}

// Delegate names a helper. It needs a fresh sign-in; helpers cannot.
//
// Errors: CodeFresh, CodeLimits, CodeHelper, CodeNotThere, CodeMatter, CodeTooMany, CodeArguments, vault.CodeClaimReused.
func (w *Wallet) Delegate(ctx context.Context, c *Caller, h Helping) (*vault.Delegation, error) {
	if err := c.alone(); err != nil {
		return nil, err
	}
	done, err := w.turns.take(ctx, "delegations by "+c.Number)
	if err != nil {
		return nil, err
	}
	defer done()
	claim := h.Once.claim(c, "delegation")
	if earlier, ok, err := w.recall(ctx, claim); err != nil {
		return nil, err
	} else if ok {
		return w.Vault.Delegation(ctx, earlier)
	}
	if err := w.fresh(c); err != nil {
		return nil, err
	}
	helper, ok := licence.CanonicalHolder(h.Helper)
	if !ok || helper == c.Number {
		return nil, errorf(CodeHelper, nil, "a helper is named by their identity number, and is somebody else")
	}
	if len(h.Licences) == 0 || len(h.Licences) > vault.MaxDelegated || len(h.Ways) == 0 || h.Days < 1 || h.Days > MaxHelpDays ||
		slices.ContainsFunc(h.Ways, func(way string) bool { return !slices.Contains(Ways, way) }) {
		return nil, errorf(CodeArguments, nil, "somebody helps with 1 to %d licences, in at least one way, for 1 to %d days", vault.MaxDelegated, MaxHelpDays)
	}
	for _, id := range h.Licences {
		l, err := w.Licence(ctx, c, id)
		if err != nil {
			return nil, err
		}
		if len(w.minimum(h.Matter, l.Licence.Type)) == 0 {
			return nil, errorf(CodeMatter, nil, "there is no such matter, or it does not need all of these licences")
		}
	}
	given, err := w.Vault.DelegationsBy(ctx, c.Number, maxDelegations)
	if err != nil {
		return nil, err
	}
	today := w.today()
	if len(given) == maxDelegations && !slices.ContainsFunc(given, func(d *vault.Delegation) bool { return !d.Open(today) }) {
		return nil, errorf(CodeTooMany, nil, "there are too many helpers: withdraw some delegations first")
	}
	d := &vault.Delegation{
		Holder: c.Number, HolderName: c.Name, Helper: helper, Licences: slices.Compact(slices.Sorted(slices.Values(h.Licences))), Matter: h.Matter,
		Ways: slices.Compact(slices.Sorted(slices.Values(h.Ways))), Until: today + licence.Date(h.Days-1),
	}
	earlier, ok, err := w.keepOnce(ctx, c.by("name a helper"), claim, func(tx *vault.Tx) (vault.ItemID, error) {
		err := tx.Delegate(d)
		return d.ID, err
	})
	if ok {
		return w.Vault.Delegation(ctx, earlier)
	}
	return d, err
}

// Delegations returns those that a person gave and those to them, newest first.
func (w *Wallet) Delegations(ctx context.Context, c *Caller) (given, received []*vault.Delegation, err error) {
	if given, err = w.Vault.DelegationsBy(ctx, c.Number, maxDelegations); err != nil {
		return nil, nil, err
	}
	received, err = w.Vault.DelegationsTo(ctx, c.Number, maxDelegations)
	return given, received, err
}

// Helping counts the delegations under which a person can act now.
func (w *Wallet) Helping(ctx context.Context, c *Caller) (n int, err error) {
	received, err := w.Vault.DelegationsTo(ctx, c.Number, maxDelegations)
	for _, d := range received {
		if d.Open(w.today()) {
			n++
		}
	}
	return n, err
}

// EndDelegation withdraws a delegation that a person gave, or that was given to them. Error: CodeNotThere for any other one.
func (w *Wallet) EndDelegation(ctx context.Context, c *Caller, id vault.ItemID) (*vault.Delegation, error) {
	d, err := w.Vault.Delegation(ctx, id)
	if vault.Code(err) == vault.CodeUnknown {
		return nil, notThere()
	} else if err != nil {
		return nil, err
	}
	if d.Holder != c.Number && d.Helper != c.Number {
		return nil, notThere()
	}
	if err := w.write(ctx, c.by("end a delegation"), func(tx *vault.Tx) error { return tx.EndDelegation(id) }); err != nil {
		return nil, err
	}
	return w.Vault.Delegation(ctx, id)
}

// Acts returns what the helper did under a delegation, newest first.
func (w *Wallet) Acts(ctx context.Context, d *vault.Delegation) ([]vault.Act, error) {
	if d.Acts == 0 {
		return nil, nil
	}
	return w.Vault.Acts(ctx, d.ID, maxActs)
}
