package fabric

// A policy is who has to endorse: a majority of the organisations that includes the authority.
type policy struct {
	authority     string
	organisations int // that have peers
}

func (p policy) majority() quorum { return quorum{p.authority, p.organisations/2 + 1} }

// A quorum is met by some number of organisations, the authority among them.
type quorum struct {
	authority string
	size      int
}

func (q quorum) met(organisations map[string]bool) bool {
	return organisations[q.authority] && len(organisations) >= q.size
}

// choose returns whom of the candidates, best first, to ask beside those of whom an answer is there
// or on its way, so that the quorum will be met; false if it cannot be.
func (q quorum) choose(candidates []*peer, have map[string]bool) ([]*peer, bool) {
	will := map[string]bool{}
	for o := range have {
		will[o] = true
	}
	var chosen []*peer
	take := func(only string, enough int) {
		for _, p := range candidates {
			if !will[p.organisation] && (only == "" || p.organisation == only) && len(will) < enough {
				will[p.organisation] = true
				chosen = append(chosen, p)
			}
		}
	}
	if !will[q.authority] {
		take(q.authority, len(will)+1)
	}
	take("", q.size)
	return chosen, q.met(will)
}
