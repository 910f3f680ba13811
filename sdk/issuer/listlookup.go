package issuer

import (
	"context"
	"slices"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// prepareBlock makes changes of the rows of a block, or notes what is wrong with them.
func (r *listRun) prepareBlock(ctx context.Context, block []*listed) error {
	var names []string
	for _, l := range block {
		if l.problems != nil {
			continue
		}
		if l.problems = r.prepareRow(l); l.problems == nil {
			names = append(names, l.name())
			if s := l.row[listSuccessor]; s != "" {
				names = append(names, s)
			}
		}
	}
	subjects, err := r.lookUp(ctx, names)
	if err != nil {
		return err
	}
	for _, l := range block {
		if l.problems != nil {
			continue
		}
		if l.change.Licence = subjects[l.name()]; l.change.Licence == nil {
			l.problems = problem(vault.CodeUnknown, l.column(), "the department's vault has no such licence of the type %s", r.typ.ID)
			continue
		}
		if s := l.row[listSuccessor]; s != "" {
			if l.change.Successor = subjects[s]; l.change.Successor == nil {
				l.problems = problem(vault.CodeUnknown, listSuccessor, "the department's vault has no such licence of the type %s", r.typ.ID)
			}
		}
	}
	return nil
}

// column is the column that names the licence of a row.
func (l *listed) column() string {
	if l.row[listDigest] != "" {
		return listDigest
	}
	return listNumber
}

// name is what names the licence of a row.
func (l *listed) name() string { return l.row[l.column()] }

// prepareRow fills in what a row says, but for the licences.
func (r *listRun) prepareRow(l *listed) []licence.Problem {
	c := &l.change
	c.To, c.Reason, c.Effective = r.list.To, r.list.Reason, r.list.Effective
	if s := l.row[listTo]; s != "" {
		c.To = licence.State(s)
	}
	if s := l.row[listReason]; s != "" {
		c.Reason = s
	}
	if s := l.row[listEffective]; s != "" {
		day, err := licence.ParseDate(s)
		if err != nil {
			return problem(licence.BadValue, listEffective, "this is not a date like 2026-01-31")
		}
		c.Effective = &day
	}
	switch {
	case l.row[listNumber] == "" && l.row[listDigest] == "":
		return problem(licence.MissingField, listNumber, "the row names no licence")
	case l.row[listNumber] != "" && l.row[listDigest] != "":
		return problem(licence.DuplicateField, listDigest, "the row has a number and a digest: one of them is enough")
	case l.row[listDigest] != "" && !isDigest(l.row[listDigest]):
		return problem(licence.BadValue, listDigest, "a digest has 64 lower-case hexadecimal digits")
	case c.To == "":
		return problem(licence.MissingField, listTo, "the row does not say the new state")
	case !c.To.Valid():
		return problem(licence.BadValue, listTo, "the new state is active, suspended, revoked or superseded")
	case c.Reason == "":
		return problem(licence.MissingField, listReason, "the row does not say the reason")
	}
	return nil
}

func isDigest(s string) bool {
	_, err := sm.ParseHash(s)
	return err == nil
}

// lookUp returns licences of the list's type, by their numbers or digests as they stand in the list. Those that
// the vault does not have are not among them.
func (r *listRun) lookUp(ctx context.Context, names []string) (map[string]*Subject, error) {
	slices.Sort(names)
	names = slices.Compact(names)
	ids := map[string]vault.ID{}
	var digests []sm.Hash
	var numbers, typed []string // in their canonical form, and as they stand in the list
	for _, name := range names {
		if digest, err := sm.ParseHash(name); err == nil {
			digests = append(digests, digest)
		} else if number, ok := r.typ.CanonicalNumber(name); ok {
			numbers, typed = append(numbers, number), append(typed, name)
		}
	}
	if len(digests) > 0 {
		found, err := r.iss.vault.ByDigests(ctx, digests)
		if err != nil {
			return nil, err
		}
		for digest, id := range found {
			ids[digest.String()] = id
		}
	}
	holding, err := r.iss.vault.Holding(ctx, r.typ.ID, numbers)
	if err != nil {
		return nil, err
	}
	for i, id := range holding {
		if id == 0 { // it has ended
			had, err := r.iss.vault.ByNumber(ctx, r.typ.ID, numbers[i])
			if err != nil {
				return nil, err
			}
			if len(had) == 0 {
				continue
			}
			id = had[0].ID
		}
		ids[typed[i]] = id
	}
	return r.subjects(ctx, ids)
}

// subjects returns those of licences that are of the list's type.
func (r *listRun) subjects(ctx context.Context, ids map[string]vault.ID) (map[string]*Subject, error) {
	sorted := make([]vault.ID, 0, len(ids)) // so that those of a batch stand together
	for _, id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	all, err := r.iss.Subjects(ctx, sorted...)
	if err != nil {
		return nil, err
	}
	byID := make(map[vault.ID]*Subject, len(all))
	for _, s := range all {
		byID[s.ID] = s
	}
	out := make(map[string]*Subject, len(ids))
	for name, id := range ids {
		if s := byID[id]; s.Type == r.typ.ID {
			out[name] = s
		}
	}
	return out, nil
}
