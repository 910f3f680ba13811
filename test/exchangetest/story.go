package exchangetest

import (
	"os"
	"slices"
	"syscall"
)

// Story has the agency ask, with both services running, whatever there is to ask, and returns the evidence files of both parties
// about what was released and refused. The issuer's service is killed in the midst of it.
func (x *Exchange) Story() (evidence []string) {
	x.Helper()
	l := x.Issue(1)

	// By law.
	byLaw := x.want(x.Ask(l.Digest, Free, ""), "released", "basis")
	if byLaw.Verdict.Outcome != "valid" || len(byLaw.Presentation) == 0 {
		x.Fatalf("what was released by law: %+v", byLaw)
	}
	// Not by law: it takes a grant, which counts its uses.
	refused := x.want(x.Ask(l.Digest, Granted, ""), "refused", "no-basis")
	grant := x.Give(l, 2)
	var granted Answer
	for use := 1; use <= 2; use++ {
		granted = x.want(x.Ask(l.Digest, Granted, grant), "released", "grant")
		if granted.Answer.Use != use || granted.Answer.Grant != grant {
			x.Errorf("use %d: %+v", use, granted.Answer)
		}
	}
	x.want(x.Ask(l.Digest, Granted, grant), "refused", "grant-used-up")
	// Withdrawn, it is over at once.
	second := x.Give(l, 10)
	x.want(x.Ask(l.Digest, append(slices.Clone(Free), Granted...), second), "released", "basis-and-grant")
	x.Withdraw(second)
	withdrawn := x.want(x.Ask(l.Digest, Granted, second), "refused", "grant-withdrawn")
	// By its number, for who does not know the digest.
	x.want(x.Ask("", Free, "", func(body map[string]any) {
		delete(body, "licence")
		body["number"] = l.Number
	}), "released", "basis")

	// The issuer's service is killed: what is asked meanwhile is answered when it is back; what falls due before is a silence.
	x.Issuing.End(syscall.SIGKILL)
	waiting := x.Ask(l.Digest, Free, "")
	if waiting.State != "pending" {
		x.Errorf("asked of nobody: %+v", waiting)
	}
	silent := x.Ask(l.Digest, Free, "", func(body map[string]any) { body["within"] = 1 })
	x.Asking.Await("the silence", func() bool { return x.Look(silent.Request).State == "unanswered" })
	x.BeginIssuing()
	x.Asking.Await("the answer after the restart", func() bool { return x.Look(waiting.Request).State == "released" })

	if got := x.Accesses(l); len(got) < 9 || !slices.Contains(got, "released") || !slices.Contains(got, "refused") {
		x.Errorf("the issuer's access log has %v", got)
	}
	for _, a := range []Answer{byLaw, granted, refused, withdrawn, waiting} {
		evidence = append(evidence, x.Evidence(a.Request)...)
	}
	return evidence
}

// Ended waits for the end of a request that is pending, as one is to which the answer came before the asking side had seen on
// the ledger what it rests on.
func (x *Exchange) Ended(a Answer) Answer {
	x.Helper()
	if a.State == "pending" {
		x.Asking.Await("an answer", func() bool {
			a = x.Look(a.Request)
			return a.State != "pending"
		})
	}
	return a
}

// want wants a request to end in a state, for a reason.
func (x *Exchange) want(a Answer, state, reason string) Answer {
	x.Helper()
	a = x.Ended(a)
	if a.State != state || a.Answer.Reason != reason {
		x.Fatalf("%+v, want it %s: %s", a, state, reason)
	}
	return a
}

// Audited wants a third party, who has a home and knows nothing but the ledger, to find that files of evidence show what they say, and
// that one that was changed shows nothing.
func (x *Exchange) Audited(home string, evidence []string) {
	x.Helper()
	for _, file := range evidence {
		x.RunIn(home, 0, "evidence", file)
	}
	b, err := os.ReadFile(evidence[0])
	x.Must(err)
	b[len(b)/2] ^= 1
	changed := x.Path("changed.evidence")
	x.Must(os.WriteFile(changed, b, 0o600))
	x.RunIn(home, 1, "evidence", changed)
}

// Logs wants the access logs of both parties to be anchored, and nothing to be wrong with them. The services have ended in order.
func (x *Exchange) Logs() {
	x.Helper()
	x.RunIn(x.agencyHome, 0, "access-log", "verify")
	x.RunIn(x.issuerHome, 0, "access-log", "verify", x.issuerHome+"/issuer/"+Issuer+"/release/access-log")
}
