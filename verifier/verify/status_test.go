package verify_test

import (
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/verifier/verify"
)

const today = "2026-11-03"

func changes(of ...any) []verify.Change {
	var out []verify.Change
	for i := 0; i < len(of); i += 2 {
		out = append(out, verify.Change{State: of[i].(licence.State), Effective: day(of[i+1].(string))})
	}
	return out
}

func TestStatusOnADay(t *testing.T) {
	const (
		active, suspended, revoked, superseded = licence.Active, licence.Suspended, licence.Revoked, licence.Superseded
	)
	for _, test := range []struct {
		name          string
		licence, root []verify.Change
		asOf          string // "" for today
		outcome       verify.Outcome
		reason        verify.Reason
		since         string // "" for unknown
		ofBatch       bool
		pending       string // effective day of the pending change
	}{
		{"never changed", nil, nil, "", verify.Valid, verify.ReasonActive, "", false, ""},
		{"revoked today", changes(revoked, today), nil, "", verify.NotCurrent, verify.ReasonRevoked, today, false, ""},
		{"revoked from tomorrow", changes(revoked, "2026-11-04"), nil, "", verify.Valid, verify.ReasonActive, "", false, "2026-11-04"},
		{"revoked, asked for the day before", changes(revoked, "2026-10-01"), nil, "2026-09-30", verify.Valid, verify.ReasonActive, "", false, "2026-10-01"},
		{"revoked from tomorrow, asked for then", changes(revoked, "2026-11-04"), nil, "2026-11-04", verify.NotCurrent, verify.ReasonRevoked, "2026-11-04", false, ""},
		{"suspended and reinstated", changes(suspended, "2026-10-01", active, "2026-10-20"), nil, "", verify.Valid, verify.ReasonActive, "2026-10-20", false, ""},
		{"suspended and reinstated, asked for a day between", changes(suspended, "2026-10-01", active, "2026-10-20"), nil, "2026-10-05",
			verify.NotCurrent, verify.ReasonSuspended, "2026-10-01", false, "2026-10-20"},
		{"revoked and corrected from the beginning, asked for a day between", changes(revoked, "2026-10-01", active, "2026-10-01"), nil, "2026-10-05",
			verify.Valid, verify.ReasonActive, "2026-10-01", false, ""},
		{"a later change with an earlier day holds from that day", changes(suspended, "2026-10-10", revoked, "2026-10-01"), nil, "",
			verify.NotCurrent, verify.ReasonRevoked, "2026-10-01", false, ""},
		{"two to come: the first is pending", changes(suspended, "2026-12-01", revoked, "2026-11-20"), nil, "", verify.Valid, verify.ReasonActive, "", false, "2026-11-20"},
		{"superseded", changes(superseded, "2026-10-01"), nil, "", verify.NotCurrent, verify.ReasonSuperseded, "2026-10-01", false, ""},
		{"the whole batch suspended", nil, changes(suspended, "2026-10-01"), "", verify.NotCurrent, verify.ReasonSuspended, "2026-10-01", true, ""},
		{"the batch is the more restrictive", changes(suspended, "2026-10-02"), changes(revoked, "2026-10-01"), "", verify.NotCurrent, verify.ReasonRevoked, "2026-10-01", true, ""},
		{"the licence is the more restrictive", changes(revoked, "2026-10-02"), changes(suspended, "2026-10-01"), "", verify.NotCurrent, verify.ReasonRevoked, "2026-10-02", false, ""},
		{"the batch reinstated, the licence not", changes(suspended, "2026-10-02"), changes(revoked, "2026-10-01", active, "2026-10-03"), "",
			verify.NotCurrent, verify.ReasonSuspended, "2026-10-02", false, ""},
		{"the licence reinstated, the batch not", changes(suspended, "2026-10-02", active, "2026-10-03"), changes(suspended, "2026-10-01"), "",
			verify.NotCurrent, verify.ReasonSuspended, "2026-10-01", true, ""},
		{"a change of the batch to come", nil, changes(revoked, "2026-11-09"), "", verify.Valid, verify.ReasonActive, "", false, "2026-11-09"},
		{"a state that is none is not taken for a lesser one", changes(licence.State("lost"), "2026-10-01"), changes(revoked, "2026-10-01"), "",
			verify.NotCurrent, "lost", "2026-10-01", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 3, func(r *credential.Record) { r.ValidFrom = dayp("2020-01-01") })
			c.view.licence.Changes, c.view.licence.RootChanges = test.licence, test.root
			v := c.check(c.two(t, 0), func(r *verify.Request) {
				if test.asOf != "" {
					r.AsOf = dayp(test.asOf)
				}
			})
			result := verify.Fail
			if test.reason == verify.ReasonActive {
				result = verify.Pass
			}
			expect(t, v, test.outcome, want{verify.AxisStatus, result, test.reason})
			since, known := v.Since()
			if known != (test.since != "") || known && since.String() != test.since {
				t.Errorf("since %v (%v), want %q", since, known, test.since)
			}
			if v.OfBatch != test.ofBatch {
				t.Errorf("of the batch: %v", v.OfBatch)
			}
			switch {
			case v.Pending == nil && test.pending == "":
			case v.Pending == nil || v.Pending.Effective.String() != test.pending:
				t.Errorf("pending %+v, want %q", v.Pending, test.pending)
			}
		})
	}
}

func TestValidityDates(t *testing.T) {
	for _, test := range []struct {
		name        string
		from, until string
		now         time.Time
		asOf        string
		outcome     verify.Outcome
		reason      verify.Reason
		since       string
	}{
		{"first day", today, "", noon, "", verify.Valid, verify.ReasonActive, ""},
		{"day before the first", "2026-11-04", "", noon, "", verify.NotCurrent, verify.ReasonNotYetValid, ""},
		{"last day", "", today, noon, "", verify.Valid, verify.ReasonActive, ""},
		{"day after the last", "", "2026-11-02", noon, "", verify.NotCurrent, verify.ReasonExpired, today},
		// The day turns at midnight in UTC+8, which is 16:00 UTC.
		{"one second before midnight", "", today, time.Date(2026, 11, 3, 15, 59, 59, 0, time.UTC), "", verify.Valid, verify.ReasonActive, ""},
		{"midnight", "", today, time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC), "", verify.NotCurrent, verify.ReasonExpired, "2026-11-04"},
		// Issued on 2026-11-02.
		{"as of the day of issue", "", "", noon, "2026-11-02", verify.Valid, verify.ReasonActive, ""},
		{"as of the day before", "", "", noon, "2026-11-01", verify.NotCurrent, verify.ReasonNotYetValid, ""},
		{"as of before the issue, but it says it was valid", "2026-01-01", "", noon, "2026-11-01", verify.Valid, verify.ReasonActive, ""},
		{"as of after it expires", "", "2026-12-31", noon, "2027-01-01", verify.NotCurrent, verify.ReasonExpired, "2027-01-01"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 3, func(r *credential.Record) {
				if test.from != "" {
					r.ValidFrom = dayp(test.from)
				}
				if test.until != "" {
					r.ValidUntil = dayp(test.until)
				}
			})
			c.view.licence.Heartbeat.Time = uint64(test.now.Unix())
			v := c.check(c.two(t, 0), func(r *verify.Request) {
				r.Now = test.now
				if test.asOf != "" {
					r.AsOf = dayp(test.asOf)
				}
			})
			result := verify.Fail
			if test.reason == verify.ReasonActive {
				result = verify.Pass
			}
			expect(t, v, test.outcome, want{verify.AxisStatus, result, test.reason})
			since, known := v.Since()
			if known != (test.since != "") || known && since.String() != test.since {
				t.Errorf("since %v (%v), want %q", since, known, test.since)
			}
		})
	}
}

// TestRevokedComesBeforeExpired: why a licence is not in force is first of all what was done to it.
func TestRevokedComesBeforeExpired(t *testing.T) {
	c := newCity(t, 3, func(r *credential.Record) { r.ValidUntil = dayp("2026-10-31") })
	c.view.licence.Changes = changes(licence.Revoked, "2026-10-01")
	expect(t, c.check(c.two(t, 0)), verify.NotCurrent, fail(verify.AxisStatus, verify.ReasonRevoked))
}

func TestRestrictions(t *testing.T) {
	c := newCity(t, 3)
	lay := func(days ...string) {
		c.view.licence.Restrictions = nil
		for _, d := range days {
			c.view.licence.Restrictions = append(c.view.licence.Restrictions, verify.Restriction{Effective: day(d)})
		}
	}
	lay("2026-10-01", today, "2026-11-04")
	v := c.check(c.two(t, 0))
	expect(t, v, verify.Restricted, fail(verify.AxisRestrictions, verify.ReasonRestricted), pass(verify.AxisStatus, verify.ReasonActive))
	if n, since := v.RestrictionsInEffect(); n != 2 || since != day("2026-10-01") {
		t.Errorf("%d in effect since %s, want 2", n, since)
	}
	lay("2026-11-04")
	expect(t, c.check(c.two(t, 0)), verify.Valid, pass(verify.AxisRestrictions, verify.ReasonUnrestricted))

	// What is not in force is not in force, restricted or not.
	lay("2026-10-01")
	c.view.licence.Changes = changes(licence.Revoked, "2026-10-01")
	expect(t, c.check(c.two(t, 0)), verify.NotCurrent, fail(verify.AxisRestrictions, verify.ReasonRestricted))
}

func TestFreshness(t *testing.T) {
	maxAge := newCity(t, 1).typ.MaxStatusAge
	for _, test := range []struct {
		name    string
		age     time.Duration
		outcome verify.Outcome
		want    want
	}{
		{"now", 0, verify.Valid, pass(verify.AxisFreshness, verify.ReasonFresh)},
		{"as old as allowed", maxAge, verify.Valid, pass(verify.AxisFreshness, verify.ReasonFresh)},
		{"a second older", maxAge + time.Second, verify.Undetermined, fail(verify.AxisFreshness, verify.ReasonStale)},
		{"frozen for a year", 365 * 24 * time.Hour, verify.Undetermined, fail(verify.AxisFreshness, verify.ReasonStale)},
		{"clocks a little apart", -verify.Skew, verify.Valid, pass(verify.AxisFreshness, verify.ReasonFresh)},
		{"clock set back", -verify.Skew - time.Second, verify.Undetermined, unknown(verify.AxisFreshness, verify.ReasonClockBehind)},
		{"clock set back by a year", -365 * 24 * time.Hour, verify.Undetermined, unknown(verify.AxisFreshness, verify.ReasonClockBehind)},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCity(t, 3)
			c.view.licence.Heartbeat.Time = at(-test.age)
			expect(t, c.check(c.two(t, 0)), test.outcome, test.want)
			// A licence known to be revoked stays so, however old the view.
			c.view.licence.Changes = changes(licence.Revoked, "2026-10-01")
			expect(t, c.check(c.two(t, 0)), verify.NotCurrent, test.want)
		})
	}
	t.Run("the newest version of the type says how old", func(t *testing.T) {
		c := newCity(t, 3)
		newest := *c.typ
		newest.Version, newest.MaxStatusAge = 2, 30*time.Second
		c.view.types["marriage"] = append(c.view.types["marriage"], &newest)
		expect(t, c.check(c.two(t, 0)), verify.Undetermined, fail(verify.AxisFreshness, verify.ReasonStale))
	})
}
