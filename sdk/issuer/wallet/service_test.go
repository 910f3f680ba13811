package wallet_test

import (
	"testing"

	"github.com/credledger/credledger/sdk/callers"
	"github.com/credledger/credledger/sdk/issuer/wallet"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

func day(t *testing.T, text string) licence.Date {
	t.Helper()
	d, err := licence.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDeadline(t *testing.T) {
	// In 2026 the first of October is a Thursday; the holidays are until the seventh, and Saturday the tenth is a working day.
	d := wallet.Deadline{}
	for _, text := range []string{"2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"} {
		d.Holidays = append(d.Holidays, day(t, text))
	}
	d.Workdays = []licence.Date{day(t, "2026-10-10")}
	for _, c := range []struct {
		made string
		days int
		due  string
	}{
		{"2026-11-02", 1, "2026-11-03"}, // Monday to Tuesday
		{"2026-11-06", 1, "2026-11-09"}, // Friday to Monday
		{"2026-11-07", 1, "2026-11-09"}, // Saturday
		{"2026-11-02", 5, "2026-11-09"},
		{"2026-11-02", 10, "2026-11-16"},
		{"2026-09-30", 1, "2026-10-08"},
		{"2026-09-30", 3, "2026-10-10"}, // the Saturday that is one in exchange
		{"2026-09-30", 4, "2026-10-12"},
	} {
		d.Days = c.days
		if err := d.Check(); err != nil {
			t.Error(err)
		}
		if due := d.Due(day(t, c.made)).String(); due != c.due {
			t.Errorf("%d days from %s: %s, want %s", c.days, c.made, due, c.due)
		}
	}
	for _, days := range []int{0, -1, 61} {
		d.Days = days
		if d.Check() == nil {
			t.Errorf("%d days are taken", days)
		}
	}
}

// digestOf names the session of a token.
func digestOf(token string) sm.Hash { return callers.TokenDigest(token) }
