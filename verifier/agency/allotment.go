package agency

import (
	"context"
	"fmt"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

// maxBlock bounds how much of a daily cap a gate takes from the counter at a time.
const maxBlock = 1000

// An allotment is what a gate has taken from the counter for an agency and not spent yet. It takes a
// thousandth of the cap at a time, so that not every call costs a write; what a replica that ends
// has not spent is lost for the day. Never is more spent than the cap.
type allotment struct {
	turn chan struct{} // holds one value while somebody uses the rest
	day  licence.Date
	left uint64
}

func newAllotment() allotment { return allotment{turn: make(chan struct{}, 1)} }

// spend counts n for the daily cap of an agency.
func (l *allotment) spend(ctx context.Context, counter Counter, a *Agency, n uint64, now time.Time) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	today := licence.DateOf(now)
	if today != l.day {
		l.day, l.left = today, 0
	}
	if l.left >= n {
		l.left -= n
		return nil
	}
	need := n - l.left
	block := max(need, min(a.DailyCap/1000, maxBlock))
	_, ok, err := counter.Add(ctx, a.ID, today, block, a.DailyCap)
	if err == nil && !ok && block > need {
		block = need
		_, ok, err = counter.Add(ctx, a.ID, today, block, a.DailyCap)
	}
	switch {
	case err != nil:
		return fmt.Errorf("count for the daily cap: %w", err)
	case ok:
		l.left += block - n
		return nil
	}
	midnight := (int64(today)+1)*86400 - 8*3600
	return &Refusal{Code: CodeDailyCap, RetryAfter: time.Duration(midnight-now.Unix()) * time.Second,
		Message: fmt.Sprintf("this agency may have %d licences verified on one day; the day ends at midnight in UTC+8", a.DailyCap)}
}
