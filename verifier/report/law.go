package report

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/credledger/credledger/sdk/grant"
	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
	"github.com/credledger/credledger/verifier/access"
)

// A Policy is one by which a report judges what had to be answered.
type Policy struct {
	Version int
	Digest  sm.Hash // SM3 of the payload of the authority's statement
}

// law is what requests are judged by: the newest version of the policy that had begun on their day.
type law struct {
	versions []version
	known    map[string]bool // what it says of requests that were judged before
	scratch  []byte
}

type version struct {
	*policy.Published
	from licence.Date
}

// maxJudged bounds the requests that are remembered; there are few different ones, but for a log that somebody made up.
const maxJudged = 1 << 16

// newLaw takes the versions of the policy, the newest first. One that does not say from when it counts, which none
// that was read does, counts on no day.
func newLaw(of []*policy.Published) law {
	l := law{known: map[string]bool{}}
	for _, p := range of {
		if from, err := licence.ParseDate(p.From); err == nil {
			l.versions = append(l.versions, version{p, from})
		}
	}
	slices.SortFunc(l.versions, func(x, y version) int { return cmp.Compare(y.Version, x.Version) })
	return l
}

// gives reports whether the law gives all that an entry says was asked for.
func (l *law) gives(e *access.Entry) bool {
	day := dayOf(e.Time)
	i := slices.IndexFunc(l.versions, func(v version) bool { return v.from <= day })
	if i < 0 {
		return false
	}
	l.scratch = binary.BigEndian.AppendUint32(l.scratch[:0], uint32(day))
	for _, s := range [...]string{e.Asked, e.Agency, e.Matter, e.Type} {
		l.scratch = append(append(l.scratch, s...), 0) // no text of an entry has a NUL
	}
	for _, s := range e.Fields {
		l.scratch = append(append(l.scratch, s...), 0)
	}
	if gives, known := l.known[string(l.scratch)]; known {
		return gives
	}
	asked := &grant.Request{Request: &statement.Request{Agency: e.Agency, Issuer: e.Asked, Type: e.Type, Matter: e.Matter, Fields: e.Fields}}
	gives := len(e.Fields) > 0 && policy.Decide(asked, nil, l.versions[i].Policy, e.Time).Outcome == policy.MustAnswer
	if len(l.known) == maxJudged {
		clear(l.known)
	}
	l.known[string(l.scratch)] = gives
	return gives
}

// policies names those that a report judges by, the oldest first.
func (s *Scope) policies() []Policy {
	out := make([]Policy, len(s.Policies))
	for i, p := range s.Policies {
		out[i] = Policy{p.Version, p.Digest}
	}
	slices.SortFunc(out, func(x, y Policy) int {
		return cmp.Or(cmp.Compare(x.Version, y.Version), slices.Compare(x.Digest[:], y.Digest[:]))
	})
	return out
}
