package report

import (
	"cmp"
	"slices"

	"github.com/credledger/credledger/verifier/access"
)

// Causes for which two logs disagree about a request.
const (
	CauseNotByAsked  = "not-in-log-of-asked"  // who asked recorded an answer that the department asked did not record
	CauseNotByAsking = "not-in-log-of-asking" // the department asked recorded an answer, and who asked never recorded its end
	CauseNotReceived = "answer-not-received"  // the one recorded an answer, the other that there was none in time
	CauseContradict  = "logs-contradict"      // they recorded different answers
)

// MaxDisagreements is how many disagreements a report names; all of them are counted.
const MaxDisagreements = 1000

// A Disagreement is a request about which the logs of the two departments do not say the same.
type Disagreement struct {
	Call   access.Call // the first 16 bytes of the request's digest: who has the request finds it by that
	Asked  string      // id of the department that was asked
	Agency string      // id of the one that asked
	Cause  string
}

// A side is who recorded an entry about a request.
type side int

const (
	asking side = iota // the department that asked, or whoever verifies for it
	asked
)

// A recorded is an entry about a request, of whichever log.
type recorded struct {
	call access.Call
	side side
	at   uint64 // seconds since 1970-01-01T00:00:00Z
	kind *requestKind
}

// order brings together what is about one request, and of that first what counts first: of the
// department that asked, the earliest.
func (r *recorded) order(x *recorded) int {
	return cmp.Or(
		slices.Compare(r.call[:], x.call[:]), cmp.Compare(r.kind.asked, x.kind.asked), cmp.Compare(r.kind.agency, x.kind.agency),
		cmp.Compare(r.side, x.side), cmp.Compare(r.at, x.at),
		cmp.Compare(r.kind.outcome, x.kind.outcome), cmp.Compare(r.kind.matter, x.kind.matter), cmp.Compare(r.kind.typ, x.kind.typ),
		slices.Compare(r.kind.reasons, x.kind.reasons),
	)
}

func (r *recorded) sameRequest(x *recorded) bool {
	return r.call == x.call && r.kind.asked == x.kind.asked && r.kind.agency == x.kind.agency
}

// sameAnswer reports whether two entries about one request say the same.
func (r *recorded) sameAnswer(x *recorded) bool {
	k, l := r.kind, x.kind
	return k == l || k.outcome == l.outcome && k.matter == l.matter && k.typ == l.typ && slices.Equal(k.reasons, l.reasons)
}

// A keeping says of which departments the logs are here, so that what is not in them was not recorded.
type keeping struct {
	heartbeat uint64          // before which all logs have everything
	asked     map[string]bool // departments whose log has answers of theirs
	asking    map[string]bool // departments of whose requests a log has the ends
}

// sideOf says who recorded an entry about a request to a department: that one, if the log is its own and
// has nothing but answers. A verifier of its own, through which others ask it, has verifications too.
func (l *Log) sideOf(department string) side {
	if department == l.Department && !l.Tally.verified() {
		return asked
	}
	return asking
}

// keepingOf looks what the logs are of. A log that lacks what the ledger knows of it stands for nothing.
func keepingOf(logs []Log, heartbeat uint64) keeping {
	k := keeping{heartbeat, map[string]bool{}, map[string]bool{}}
	behind := keeping{0, map[string]bool{}, map[string]bool{}}
	for i := range logs {
		into := &k
		if logs[i].Behind > 0 {
			into = &behind
		}
		for _, part := range logs[i].Tally.parts {
			for p := range part.requests.pairs {
				if logs[i].sideOf(p.asked) == asked {
					into.asked[p.asked] = true
				} else {
					into.asking[p.agency] = true
				}
			}
		}
	}
	for id := range behind.asked {
		delete(k.asked, id)
	}
	for id := range behind.asking {
		delete(k.asking, id)
	}
	return k
}

// fromRequests computes what became of requests, and returns what the logs disagree about.
func (b *builder) fromRequests(logs []Log, heartbeat uint64) (out []Disagreement) {
	k := keepingOf(logs, heartbeat)
	var bucket []recorded
	for n := range requestBuckets {
		bucket = bucket[:0]
		for i := range logs {
			for _, t := range logs[i].Tally.parts {
				for chunk := range t.requests.entries[n].chunks() {
					for _, e := range chunk {
						kind := &t.requests.kinds[e.kind]
						bucket = append(bucket, recorded{e.call, logs[i].sideOf(kind.asked), begin(t.scope.Period.first) - answerSpan + uint64(e.at), kind})
					}
				}
			}
		}
		slices.SortFunc(bucket, func(x, y recorded) int { return x.order(&y) })
		for rest := bucket; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].sameRequest(&rest[0]) {
				n++
			}
			if b.scope.Period.has(rest[0].at) {
				out = b.exchange(rest[:n], k, out)
			}
			rest = rest[n:]
		}
	}
	for w, r := range b.figures[Refusals] {
		if w.Cause != "" {
			r.Denominator = b.figures[Refusals][Where{}].Denominator
		}
	}
	return firstOf(out)
}

// firstOf returns the first disagreements in order, as many as are named.
func firstOf(all []Disagreement) []Disagreement {
	slices.SortFunc(all, func(x, y Disagreement) int {
		return cmp.Or(cmp.Compare(x.Asked, y.Asked), cmp.Compare(x.Agency, y.Agency), cmp.Compare(x.Cause, y.Cause), slices.Compare(x.Call[:], y.Call[:]))
	})
	return all[:min(len(all), MaxDisagreements)]
}

// exchange counts one request by all that is recorded of it, in order: what the department recorded
// that asked counts, else what the other one did.
func (b *builder) exchange(entries []recorded, k keeping, out []Disagreement) []Disagreement {
	first := &entries[0]
	kind := first.kind
	if b.scope.includes(kind.asked) {
		b.end(kind)
	}
	if cause, lacks := k.disagreement(entries); cause != "" && (b.scope.includes(kind.asked) || b.scope.includes(kind.agency)) {
		for _, w := range []Where{{}, {Department: lacks}, {Cause: cause}, {Department: lacks, Cause: cause}} {
			b.add(Disagreements, w, 1, 0)
		}
		if out = append(out, Disagreement{first.call, kind.asked, kind.agency, cause}); len(out) >= 2*MaxDisagreements {
			out = firstOf(out)
		}
	}
	return out
}

// disagreement returns why what is recorded of a request does not agree, and which department has to
// say why; "" if it agrees, or one log alone is here.
func (k *keeping) disagreement(entries []recorded) (cause, department string) {
	kind := entries[0].kind
	var ends, answers []recorded
	for i := range entries {
		if entries[i].side == asked {
			ends, answers = entries[:i], entries[i:]
			break
		}
		ends = entries[:i+1]
	}
	for _, same := range [][]recorded{ends, answers} {
		for i := range same {
			if !same[i].sameAnswer(&same[0]) {
				return CauseContradict, kind.asked
			}
		}
	}
	switch {
	case len(answers) == 0:
		if kind.outcome != access.Unanswered && k.asked[kind.asked] && entries[0].at < k.heartbeat {
			return CauseNotByAsked, kind.asked
		}
	case len(ends) == 0:
		if k.asking[kind.agency] && answers[0].at+answerSpan < k.heartbeat {
			return CauseNotByAsking, kind.agency
		}
	case ends[0].kind.outcome == access.Unanswered:
		return CauseNotReceived, kind.asked
	case !ends[0].sameAnswer(&answers[0]):
		return CauseContradict, kind.asked
	}
	return "", ""
}

// end counts what became of a request.
func (b *builder) end(k *requestKind) {
	refused, silent := uint64(0), uint64(0)
	switch k.outcome {
	case access.Refused:
		refused = 1
		b.add(Refusals, Where{Cause: k.code()}, 1, 0) // of how many is known in the end
	case access.Unanswered:
		silent = 1
	default:
		matter := orNone(k.matter)
		for _, w := range []Where{{}, {Department: k.asked}, {Matter: matter}} {
			b.add(Releases, w, 1, 0)
		}
		for _, basis := range k.bases() {
			b.add(Releases, Where{Basis: basis}, 1, 0)
			b.add(Releases, Where{Matter: matter, Basis: basis}, 1, 0)
		}
	}
	if k.byLaw {
		withheld := uint64(0)
		if k.refusesToShare() {
			withheld = 1
		}
		b.addFor(RefusalsToShare, k.asked, orNone(k.matter), withheld, 1)
	}
	b.addFor(Refusals, k.asked, orNone(k.matter), refused, 1)
	b.addFor(Silences, k.asked, orNone(k.matter), silent, 1)
}
