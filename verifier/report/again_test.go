package report_test

import (
	"context"
	"maps"
	"testing"
	"time"

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
			next.Type = pick("property", "marriage")
			if m := matters.Matter(e.Matter, licence.Date(20758)); m != nil {
				next.Fields = m.Fields(next.Type)
			}
			e = &next
			out = append(out, e)
		}
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
			s.Department = department
			middle := uint64(november + 30*day) // November ends; a month later quarter and year do
			entries := randomEntries(t, uint64(n), 600, middle-40*day, middle+40*day)
			for i := range entries { // and some of them at the very bounds
				if i%40 == 0 {
					entries[i].Time = middle - uint64(i/40%3)
				}
			}
			var logs []report.Log
			for name, part := range map[string][]*access.Entry{"a": entries[:200], "b": entries[200:]} {
				logs = append(logs, report.Log{Tally: tally(t, s, part...), Ledger: c.ID, Department: "data-bureau", Name: name, Root: sm.Sum([]byte(name))})
			}
			got := reported(made(t, s, export, logs))
			facts := append(factsOfLedger(t, s, blocks), factsOfEntries(t, s, entries)...)
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
			if department == "" && when == "2026" && len(facts) < 1000 {
				t.Errorf("there are only %d facts", len(facts))
			}
		}
	}
}
