package wallet

import (
	"context"
	"slices"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
)

// An Access is that somebody verified a licence, or asked for fields of it. It never says which person did.
type Access struct {
	Index   uint64 // in its log
	Time    time.Time
	Call    string // the same in entries of one call; "": not known
	Release bool   // of the department's own log
	Agency  string // "": a member of the public
	Unit    string
	Matter  string
	Fields  []string // given out; with refused or unanswered, asked for
	Outcome string
}

// accessPage is how many accesses are told at a time.
const accessPage = 50

// A Place is where a list of accesses goes on: the entries before these indexes; 0: there are none left.
type Place struct {
	Verifier uint64
	Releases uint64
}

// Newest is where a list begins.
var Newest = Place{access.MaxEntries, access.MaxEntries}

// Accesses are some of those to a licence, newest first.
type Accesses struct {
	All      []Access
	Next     *Place // nil: these are the last
	Verifier bool   // false: the verifier does not answer, and its part is missing
}

// Accesses returns who looked at a licence. Not for helpers. Errors: CodeNotThere, CodeLimits.
func (w *Wallet) Accesses(ctx context.Context, c *Caller, id vault.ID, from Place) (*Accesses, error) {
	if err := c.alone(); err != nil {
		return nil, err
	}
	l, err := w.Licence(ctx, c, id)
	if err != nil {
		return nil, err
	}
	out := &Accesses{Verifier: w.Verifier != nil}
	var verified, released []Access
	if w.Verifier != nil && from.Verifier > 0 {
		if verified, err = w.Verifier.Accesses(ctx, l.Digest, from.Verifier, accessPage); err != nil {
			out.Verifier = false
		}
	}
	if from.Releases > 0 {
		if released, err = w.released(l.Digest, from.Releases); err != nil {
			return nil, err
		}
	}
	out.All, out.Next = merge(verified, released, from, out.Verifier)
	return out, nil
}

// released reads the department's own log.
func (w *Wallet) released(digest sm.Hash, before uint64) ([]Access, error) {
	found, err := w.Releases.Accesses(w.Department.ID, digest, before, accessPage)
	if err != nil {
		return nil, err
	}
	out := make([]Access, len(found))
	for i := range found {
		e, err := access.ParseEntry(found[i].Entry)
		if err != nil {
			return nil, err
		}
		out[i] = Access{
			Index: found[i].Index, Time: time.Unix(int64(e.Time), 0).UTC(), Call: e.Call.String(), Release: true,
			Agency: e.Agency, Unit: e.Unit, Matter: e.Matter, Fields: slices.Clone(e.Fields), Outcome: e.Outcome,
		}
	}
	return out, nil
}

// merge puts two lists together, and says where they go on. A request stands in the log of whoever asked as well as in that
// of whoever was asked: where both are on the page it is told once.
func merge(verified, released []Access, from Place, answered bool) ([]Access, *Place) {
	next := from
	var out []Access
	told := map[string]bool{} // calls of releases that are on the page
	i, k := 0, 0
	for len(out) < accessPage && (i < len(verified) || k < len(released)) {
		if k == len(released) || i < len(verified) && !verified[i].Time.Before(released[k].Time) {
			next.Verifier = verified[i].Index
			out, i = append(out, verified[i]), i+1
			continue
		}
		next.Releases = released[k].Index
		told[released[k].Call] = true
		out, k = append(out, released[k]), k+1
	}
	if answered && i == len(verified) && len(verified) < accessPage {
		next.Verifier = 0
	}
	if k == len(released) && len(released) < accessPage {
		next.Releases = 0
	}
	out = slices.DeleteFunc(out, func(a Access) bool {
		return !a.Release && told[a.Call] && slices.Contains([]string{access.Released, access.Refused, access.Unanswered}, a.Outcome)
	})
	if next.Releases == 0 && (next.Verifier == 0 || !answered) {
		return out, nil
	}
	return out, &next
}

// AgencyText returns the name of a department, nil if it is not known.
func (w *Wallet) AgencyText(id string) *licence.Text {
	if name, ok := w.AgencyName(id); ok {
		return &name
	}
	return nil
}

// MatterText returns the name of a matter, nil if it is not known.
func (w *Wallet) MatterText(id string) *licence.Text {
	if m := w.Matters.Matter(id, w.today()); m != nil {
		return &m.Name
	}
	return nil
}
