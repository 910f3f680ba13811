package report_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/grant/policy"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/report"
	"github.com/credledger/credledger/verifier/verifiertest"
)

// randomEntries are verifications of which few are in order.
func randomEntries(t *testing.T, seed uint64, n int, from, until uint64) []*access.Entry {
	t.Helper()
	rng := random(seed)
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	matters := builtin(t)
	var out []*access.Entry
	for len(out) < n {
		e := &access.Entry{
			Time: from + rng.Uint64N(until-from), Agency: pick("", "tax", "shared-counter", "natural-resources"), Matter: pick(transfer, transfer, opening, "unheard-of", ""),
			Case: pick("", "1", "2", "3", "4", "5"), Type: pick("", "property", "marriage", "divorce", "business"),
			Outcome: pick("valid", "valid", "valid", "restricted", "not-current", "invalid", "undetermined", "other"),
			Overall: pick("", "valid", "valid", "restricted", "incomplete", "undetermined"),
		}
		if e.Agency == "shared-counter" {
			e.OnBehalf = pick("", "tax", "housing")
		}
		if m := matters.Matter(e.Matter, licence.Date(20758)); m != nil {
			e.Fields = m.Fields(e.Type)
			if len(e.Fields) > 0 && rng.IntN(8) == 0 {
				e.Fields = e.Fields[1:]
			}
		}
		out = append(out, e)
		for rng.IntN(3) == 0 { // something else for the same case, soon after
			next := *e
			next.Time += rng.Uint64N(4)
			next.Type, next.Overall = pick("property", "marriage"), pick("", "valid", "incomplete")
			if m := matters.Matter(e.Matter, licence.Date(20758)); m != nil {
				next.Fields = m.Fields(next.Type)
			}
			e = &next
			out = append(out, e)
		}
	}
	return out
}

// randomRequests are entries about a few requests, of which not all logs say the same: those of the
// department asked, and those of the departments that asked.
func randomRequests(t *testing.T, seed uint64, n int, from, until uint64) (answers, ends []*access.Entry) {
	t.Helper()
	rng := random(seed)
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	for i := range n {
		e := &access.Entry{
			Time: from + rng.Uint64N(until-from), Call: access.RequestCall(sm.Sum(fmt.Append(nil, seed, i))), Agency: pick("tax", "natural-resources", "civil-affairs"), Asked: pick("civil-affairs", "civil-affairs", "natural-resources"),
			Matter: pick(transfer, opening), Type: pick("marriage", "property"), Outcome: access.Released, Reasons: []string{"basis-and-grant", "a", "b", "a"},
			Fields: [][]string{{"a"}, {"b"}, {"a", "b"}, {"c"}}[rng.IntN(4)],
		}
		change := func(e *access.Entry) {
			switch rng.IntN(6) {
			case 0:
				e.Outcome, e.Reasons = access.Refused, []string{pick("no-basis", "excluded", "licence-unknown")}
			case 1:
				e.Reasons = []string{"grant"}
			case 2:
				e.Reasons = []string{"basis", pick("a", "b")}
			case 3:
				e.Outcome, e.Reasons = access.Unanswered, nil
			}
		}
		if change(e); e.Outcome != access.Unanswered && rng.IntN(8) > 0 {
			answers = append(answers, e)
		}
		end := *e
		end.Time += rng.Uint64N(200)
		if rng.IntN(8) == 0 {
			change(&end)
			end.Time += rng.Uint64N(31 * day)
		}
		for rng.IntN(8) > 0 { // some twice
			again := end
			ends = append(ends, &again)
			if rng.IntN(20) > 0 {
				break
			}
			end.Time += rng.Uint64N(2)
		}
	}
	return answers, ends
}

// laws are two versions of the policy, the second of which begins on the last day of November.
func laws(t *testing.T) (out []*policy.Published) {
	t.Helper()
	const bases = `
answerWithin: 300
bases:
  - {id: x, text: {zh: 例, en: x}, agency: tax, matter: second-hand-home-transfer, issuer: civil-affairs, type: marriage, fields: [a]}
  - {id: y, text: {zh: 例, en: y}, agency: tax, matter: second-hand-home-transfer, issuer: civil-affairs, type: marriage, fields: [b], until: "2026-11-20"}
  - {id: z, text: {zh: 例, en: z}, agency: natural-resources, matter: company-opening, issuer: civil-affairs, type: property, fields: [a, b, c]}
  - {id: w, text: {zh: 例, en: w}, agency: natural-resources, matter: second-hand-home-transfer, issuer: civil-affairs, type: marriage, fields: [a, b, c]}
negative:
  - {id: n, text: {zh: 例, en: n}, type: marriage, fields: [c]}
  - {id: m, text: {zh: 例, en: m}, type: property, agency: natural-resources, from: "2026-12-05"}
`
	for _, text := range []string{"version: 2\nfrom: 2026-11-30" + bases, "version: 1\nfrom: 2026-11-01" + strings.Replace(bases, "fields: [a]", "fields: [a, b]", 1)} {
		p, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &policy.Published{Policy: p, Digest: sm.Sum([]byte(text))})
	}
	return out
}

// busyCity is a city in which much has happened since November 2026, and its blocks.
func busyCity(t *testing.T) (*verifiertest.City, []*ledger.Block) {
	t.Helper()
	c := verifiertest.New(t)
	today := func() licence.Date { return licence.DateOf(c.Clock.Now()) }
	marriages := c.Issue("marriage", 5)
	c.Issue("property", 3)
	c.Pass(3 * 24 * time.Hour)
	marriages[0].SetStatus(licence.Suspended)
	marriages[0].SetStatusFrom(licence.Active, today()-2)
	marriages[1].SetStatusFrom(licence.Revoked, today()-30)
	c.Pass(20 * 24 * time.Hour) // the last day of November
	house := c.Issue("property", 1)[0]
	c.Pass(24 * time.Hour)
	house.SetStatusFrom(licence.Revoked, today()-1)
	c.Issue("business", 2)[0].RevokeRoot()
	lost := c.Issue("business", 4)[0]
	c.Compromise(lost.Batch.Issuer, lost)
	c.Pass(60 * 24 * time.Hour) // the next year
	c.Issue("divorce", 1)
	c.Pass(time.Hour)
	return c, blocksOf(t, c)
}

func blocksOf(t *testing.T, c *verifiertest.City) (blocks []*ledger.Block) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	head, err := c.As(c.Authority.ID).Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range c.As(c.Authority.ID).Follow(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if blocks = append(blocks, b); uint64(len(blocks)) == head.Height {
			break
		}
	}
	return blocks
}

// Whoever has the ledger and the entries computes the same figures.
func TestComputedAgain(t *testing.T) {
	c, blocks := busyCity(t)
	export, err := c.Index.Export()
	if err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"2026-10", "2026-11", "2026-12", "2026-Q4", "2026", "2027-Q1"} {
		for n, department := range []string{"", "tax", "natural-resources", "shared-counter", "civil-affairs"} {
			s := scope(t, when)
			s.Department, s.Policies = department, laws(t)
			middle := uint64(november + 30*day) // November ends; a month later quarter and year do
			entries := randomEntries(t, uint64(n), 600, middle-40*day, middle+40*day)
			for i := range entries { // and some of them at the very bounds
				if i%40 == 0 {
					entries[i].Time = middle - uint64(i/40%3)
				}
			}
			answers, ends := randomRequests(t, uint64(n), 400, middle-40*day, middle+40*day)
			var logs []report.Log
			var all []kept
			for i, part := range []struct {
				keeper  string
				entries []*access.Entry
			}{{"data-bureau", entries[:200]}, {"tax", append(slices.Clone(entries[200:]), ends...)}, {"civil-affairs", answers}, {"natural-resources", answers[:n]}} {
				name := fmt.Sprint(i)
				log := report.Log{Tally: tally(t, s, part.entries...), Ledger: c.ID, Department: part.keeper, Name: name, Root: sm.Sum([]byte(name))}
				if i == 2 && n == 3 {
					log.Behind = 1
				}
				logs = append(logs, log)
				for _, e := range part.entries {
					all = append(all, kept{e, part.keeper, i > 1, log.Behind > 0})
				}
			}
			got := reported(made(t, s, export, logs))
			facts := slices.Concat(factsOfLedger(t, s, blocks), factsOfEntries(t, s, entries), factsOfRequests(s, all, export.Heartbeat().Time))
			if expected := rows(facts); !maps.Equal(got, expected) {
				for name := range expected {
					if got[name] != expected[name] {
						t.Errorf("%s, %q: %s is %q, want %q", when, department, name, got[name], expected[name])
					}
				}
				for name := range got {
					if expected[name] == "" {
						t.Errorf("%s, %q: %s is %s, and not to be there", when, department, name, got[name])
					}
				}
			}
			if department == "" && when == "2026" {
				if len(facts) < 1000 {
					t.Errorf("there are only %d facts", len(facts))
				}
				for _, name := range []string{report.Releases + " basis=grant", report.RefusalsToShare, report.Disagreements + " cause=" + report.CauseNotByAsked,
					report.Disagreements + " cause=" + report.CauseNotByAsking, report.Disagreements + " cause=" + report.CauseNotReceived, report.Disagreements + " cause=" + report.CauseContradict} {
					if n := got[name]; n == "" || strings.HasPrefix(n, "0/") {
						t.Errorf("%s is %q", name, n)
					}
				}
			}
		}
	}
}
