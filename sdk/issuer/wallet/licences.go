package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verify"
)

// maxLicences is how many licences of one holder are listed.
const maxLicences = 200

// A Licence is one that the caller may act with, as it stands now, without what it says.
type Licence struct {
	*vault.Licence
	Type       *licence.Type // the newest version
	State      verify.Reason // ReasonActive, ReasonSuspended, ReasonSuperseded, ReasonRevoked, ReasonExpired
	StateText  licence.Text
	Since      licence.Date // of the state, if it is not active
	Restricted bool
	Showable   bool // it is on the ledger, and what it says is in the vault
}

// Licences returns the licences of whoever the caller acts for, newest first; to helpers those of their delegation.
func (w *Wallet) Licences(ctx context.Context, c *Caller) ([]*Licence, error) {
	found, err := w.Vault.ByHolder(ctx, c.Holder(), w.ids, 0, maxLicences)
	if err != nil {
		return nil, err
	}
	out := make([]*Licence, 0, len(found))
	for _, l := range found {
		if c.Delegation == nil || slices.Contains(c.Delegation.Licences, l.ID) {
			out = append(out, w.describe(l))
		}
	}
	return out, nil
}

// Licence returns one of them. Error: CodeNotThere for every other one.
func (w *Wallet) Licence(ctx context.Context, c *Caller, id vault.ID) (*Licence, error) {
	if c.Delegation != nil && !slices.Contains(c.Delegation.Licences, id) {
		return nil, notThere()
	}
	holds, err := w.Vault.Holds(ctx, c.Holder(), id)
	if err != nil {
		return nil, err
	}
	if !holds {
		return nil, notThere()
	}
	l, err := w.Vault.Licence(ctx, id)
	if err != nil {
		return nil, err
	}
	if w.types[l.Type] == nil {
		return nil, notThere()
	}
	return w.describe(l), nil
}

// describe says how a licence stands today, by the ledger, or by the vault while the view does not have it.
func (w *Wallet) describe(l *vault.Licence) *Licence {
	today := w.today()
	out := &Licence{Licence: l, Type: w.types[l.Type], State: verify.Reason(l.State)}
	known := w.View.Licence(w.Department.ID, l.Root, l.Digest)
	out.Showable = (l.BatchState != vault.Pending || known.Anchored) && !l.Lost && l.ErasedAt == nil
	if known.Anchored {
		state := licence.Active
		for _, changes := range [][]verify.Change{known.RootChanges, known.Changes} {
			if last := lastBy(changes, today); last != nil && last.State.Restrictiveness() > state.Restrictiveness() {
				state, out.Since = last.State, last.Effective
			}
		}
		out.State = verify.Reason(state)
		out.Restricted = slices.ContainsFunc(known.Restrictions, func(r verify.Restriction) bool { return r.Effective <= today })
	}
	if out.State == verify.ReasonActive && l.ValidUntil != nil && *l.ValidUntil < today {
		out.State, out.Since = verify.ReasonExpired, *l.ValidUntil+1
	}
	out.StateText = stateText(out.Type, out.State)
	return out
}

// lastBy returns the change that holds on a day (S-17.5).
func lastBy(changes []verify.Change, day licence.Date) *verify.Change {
	for i := range slices.Backward(changes) {
		if changes[i].Effective <= day {
			return &changes[i]
		}
	}
	return nil
}

// stateText is the word for a state: the type's own where it knows one reason only, as verdicts have it.
func stateText(t *licence.Type, state verify.Reason) licence.Text {
	if state == verify.ReasonActive {
		return licence.Text{Zh: "现行有效", En: "In force"}
	}
	var only *licence.Reason
	for i := range t.Transitions {
		for j := range t.Transitions[i].Reasons {
			if r := &t.Transitions[i].Reasons[j]; verify.Reason(t.Transitions[i].To) != state {
				continue
			} else if only != nil && only.Code != r.Code {
				return state.Text()
			} else {
				only = r
			}
		}
	}
	if only == nil {
		return state.Text()
	}
	return only.Label
}

// A Restriction lies on a licence.
type Restriction struct {
	Text  licence.Text
	Since licence.Date
}

// Restrictions returns those that lie on a licence, in the words of its type. The ledger is asked.
func (w *Wallet) Restrictions(ctx context.Context, l *Licence) ([]Restriction, error) {
	s, err := w.Issuer.Subject(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	lie, err := w.Issuer.Restrictions(ctx, s)
	if err != nil && issuer.Code(err) != issuer.CodeNotAnchored { // nothing lies on what is on its way to the ledger
		return nil, err
	}
	out := make([]Restriction, len(lie))
	for i := range lie {
		out[i] = Restriction{licence.Text{Zh: "有限制", En: "Restricted"}, lie[i].Effective}
		if kind, ok := l.Type.Restriction(lie[i].Code); ok {
			out[i].Text = kind.Label
		}
	}
	return out, nil
}

// Open returns what a licence says: to helpers, the fields that their matter needs. It stands in the licence's history.
//
// Errors: CodeFresh, CodeNotThere, CodeEnded, CodeLimits; issuer.CodeNotAnchored, vault.CodeErased, vault.CodeNoContent.
func (w *Wallet) Open(ctx context.Context, c *Caller, id vault.ID) (*Licence, *credential.Opened, []string, error) {
	l, err := w.Licence(ctx, c, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := w.fresh(c); err != nil {
		return nil, nil, nil, err
	}
	if err := w.act(ctx, c, WayShow, "read", id); err != nil {
		return nil, nil, nil, err
	}
	_, o, err := w.Issuer.Credential(ctx, c.by("read"), id)
	if err != nil {
		return nil, nil, nil, err
	}
	keys := o.Type.Leaves()
	if c.Delegation != nil {
		minimum := w.minimum(c.Delegation.Matter, l.Licence.Type)
		keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !slices.Contains(minimum, key) })
	}
	return l, o, keys, nil
}

// What a Reminder is about.
const (
	RemindExpires    = "licence-expires"
	RemindExpired    = "licence-expired"
	RemindSuspended  = "licence-suspended"
	RemindGrant      = "grant-expires"
	RemindDelegation = "delegation-expires"
	RemindObjection  = "objection-answered"
)

// How long before and after people are reminded, in days.
const (
	expiresAhead    = 60
	expiredBehind   = 90
	grantAhead      = 7
	delegationAhead = 3
	answeredBehind  = 14
)

// A Reminder is something to see to.
type Reminder struct {
	Kind       string
	Licence    vault.ID
	Grant      *Grant            // with RemindGrant
	Delegation *vault.Delegation // with RemindDelegation
	On         licence.Date      // last day on which it counts, or since when
	Days       int               // from today
}

// Reminders returns what to see to, most urgent first; to helpers what is about their licences.
func (w *Wallet) Reminders(ctx context.Context, c *Caller, all []*Licence) ([]Reminder, error) {
	today := w.today()
	var out []Reminder
	add := func(r Reminder) {
		r.Days = int(r.On - today)
		out = append(out, r)
	}
	for _, l := range all {
		switch {
		case l.State == verify.ReasonActive && l.ValidUntil != nil && *l.ValidUntil-today <= expiresAhead:
			add(Reminder{Kind: RemindExpires, Licence: l.ID, On: *l.ValidUntil})
		case l.State == verify.ReasonExpired && today-*l.ValidUntil <= expiredBehind:
			add(Reminder{Kind: RemindExpired, Licence: l.ID, On: *l.ValidUntil})
		case l.State == verify.ReasonSuspended:
			add(Reminder{Kind: RemindSuspended, Licence: l.ID, On: max(l.Since, 0)})
		}
	}
	if c.Delegation == nil {
		if err := w.remindOwn(ctx, c, all, add); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Reminder) int { return a.urgency() - b.urgency() })
	return out, nil
}

// urgency orders reminders: what is about to end comes first, then what has happened, the newest first.
func (r *Reminder) urgency() int {
	if r.Days >= 0 {
		return r.Days
	}
	return 1000 - r.Days
}

// remindOwn reminds of what only the holder sees to.
func (w *Wallet) remindOwn(ctx context.Context, c *Caller, all []*Licence, add func(Reminder)) error {
	today := w.today()
	grants, err := w.grantsFor(ctx, c, all)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if last := licence.DateOf(time.Unix(int64(g.NotAfter), 0)); g.Is == GrantGiven && last-today <= grantAhead {
			add(Reminder{Kind: RemindGrant, Licence: g.ID, Grant: g, On: last})
		}
	}
	given, err := w.Vault.DelegationsBy(ctx, c.Number, maxDelegations)
	if err != nil {
		return err
	}
	for _, d := range given {
		if d.Open(today) && d.Until-today <= delegationAhead {
			add(Reminder{Kind: RemindDelegation, Delegation: d, On: d.Until})
		}
	}
	objections, err := w.Vault.ObjectionsBy(ctx, c.Number, maxObjections)
	if err != nil {
		return err
	}
	for _, o := range objections {
		if o.Settled == nil || o.Rated {
			continue
		}
		if day := licence.DateOf(o.Settled.At); today-day <= answeredBehind {
			add(Reminder{Kind: RemindObjection, Licence: o.Licence, On: day})
		}
	}
	return nil
}
