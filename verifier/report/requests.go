package report

import (
	"slices"
	"strings"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/verifier/access"
)

// Requests for fields are recorded by the department that was asked and by the one that asked, each in
// a log of its own, under the same call. Those of a year are kept in 24 bytes each, and are brought
// together when the report is made.

// answerSpan is the longest time between the two entries about one request, in seconds: a request lasts
// 30 days at most, and a day is for what was down. The entries of so many days before and after the
// period are looked at too, so that each request is found with all that is recorded of it.
const answerSpan = 31 * 86400

const (
	requestBuckets = 256
	maxKinds       = 1 << 16
)

// A requestEntry is what is kept of an entry about a request.
type requestEntry struct {
	call access.Call
	at   uint32 // seconds since answerSpan before the period began
	kind uint32 // number among the tally's kinds
}

// A requestKind is what many entries about requests have in common.
type requestKind struct {
	asked, agency, matter, typ, outcome string
	reasons                             []string
	byLaw                               bool // the law gives what was asked for
}

// A pair is a department that was asked and one that asked.
type pair struct{ asked, agency string }

// requests are the entries about requests of one log.
type requests struct {
	pairs   map[pair]struct{} // of all entries, whenever and whatever the report is about
	law     law
	numbers map[string]uint32 // of kinds, by their texts
	kinds   []requestKind
	entries [requestBuckets]pile[requestEntry]
}

// addRequest files an entry about a request.
func (t *part) addRequest(e *access.Entry) error {
	if err := t.pair(e); err != nil {
		return err
	}
	begin, end := begin(t.scope.Period.first)-answerSpan, begin(t.scope.Period.last+1)+answerSpan
	if e.Time < begin || e.Time >= end || t.scope.Department != "" && e.Asked != t.scope.Department && e.Agency != t.scope.Department {
		return nil
	}
	kind, err := t.kind(e)
	if err != nil {
		return err
	}
	t.requests.entries[e.Call[0]].add(requestEntry{e.Call, uint32(e.Time - begin), kind})
	return nil
}

// pair notes who asked whom.
func (t *part) pair(e *access.Entry) error {
	r := &t.requests
	p := pair{e.Asked, e.Agency}
	if _, known := r.pairs[p]; known {
		return nil
	}
	if len(r.pairs) == maxNames {
		return errorf(CodeTooMany, "the requests in an access log are between more than %d pairs of departments: audit it", maxNames)
	}
	r.pairs[pair{strings.Clone(p.asked), strings.Clone(p.agency)}] = struct{}{}
	return nil
}

// kind returns the number of the kind of an entry about a request.
func (t *part) kind(e *access.Entry) (uint32, error) {
	r := &t.requests
	byLaw := r.law.gives(e)
	t.scratch = append(t.scratch[:0], 'n')
	if byLaw {
		t.scratch[0] = 'y'
	}
	add := func(s string) { t.scratch = append(append(t.scratch, s...), 0) } // no text of an entry has a NUL
	for _, s := range [...]string{e.Asked, e.Agency, e.Matter, e.Type, e.Outcome} {
		add(s)
	}
	for _, s := range e.Reasons {
		add(s)
	}
	if number, known := r.numbers[string(t.scratch)]; known {
		return number, nil
	}
	if len(r.kinds) == maxKinds {
		return 0, errorf(CodeTooMany, "the requests in an access log differ in more than %d ways: audit it", maxKinds)
	}
	number := uint32(len(r.kinds))
	r.numbers[string(t.scratch)] = number
	texts := strings.Split(strings.TrimSuffix(string(t.scratch[1:]), "\x00"), "\x00")
	r.kinds = append(r.kinds, requestKind{texts[0], texts[1], texts[2], texts[3], texts[4], texts[5:], byLaw})
	return number, nil
}

// BasisGrant is the basis of a release, in a Where, if the holder gave a grant for it. Others are ids of
// legal bases.
const BasisGrant = "grant"

// code returns the reason of an answer, None if there is none.
func (k *requestKind) code() string {
	if len(k.reasons) == 0 {
		return None
	}
	return k.reasons[0]
}

// refusesToShare reports whether what the law gives was not given, though it could be.
func (k *requestKind) refusesToShare() bool {
	if !k.byLaw {
		return false
	}
	switch k.outcome {
	case access.Unanswered:
		return true
	case access.Refused:
		return k.code() != policy.CodeLicenceUnknown && k.code() != policy.CodeFieldUnknown
	}
	return false
}

// bases returns what a release was on, each once: legal bases, and BasisGrant.
func (k *requestKind) bases() []string {
	var out []string
	for i, id := range k.reasons {
		switch {
		case i > 0 && !slices.Contains(out, id):
			out = append(out, id)
		case i == 0 && (id == policy.CodeGrant || id == policy.CodeBasisAndGrant):
			out = append(out, BasisGrant)
		}
	}
	if len(out) == 0 {
		return []string{None}
	}
	return out
}
