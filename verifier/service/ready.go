package service

import (
	"context"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/verify"
)

// A readiness is the answer of /readyz.
type readiness struct {
	Ready    bool     `json:"ready"`
	Problems []string `json:"problems"` // codes; none if it is ready
	Height   uint64   `json:"height"`   // blocks that the index has
	Behind   uint64   `json:"behind"`   // blocks that the ledger had more when it was last reached
	Age      *int64   `json:"age"`      // seconds since the newest heartbeat that the index has; null if it has none
	Reached  bool     `json:"reached"`  // whether the ledger can be reached
}

// Problems of readiness; part of the interface.
const (
	notBegun     = "starting"          // or ending
	notCaughtUp  = "index-behind"      // by more blocks than ready.blocks, or not yet caught up since the start
	notRecent    = "view-old"          // older than ready.age, or without any time
	notInTime    = "clock-behind"      // this machine's clock is behind the view's: every verdict is undetermined
	notHonest    = "ledger-discrepant" // the ledger committed what it must not
	notEnrolled  = "key-not-for-log"   // receipts would be worth nothing
	notStored    = "store-unavailable" // challenges, references and daily counts do not work
	notRecorded  = "log-unavailable"   // the access log cannot be written, so that no verification is answered
	notFollowing = "log-not-anchored"  // the anchoring of the access log has ended
)

// age is how long ago the newest heartbeat of the view was, negative if this machine's clock is behind that;
// ok if it has one.
func (s *Service) age() (age time.Duration, ok bool) {
	beat := s.index.Licence("", sm.Hash{}, sm.Hash{}).Heartbeat
	if beat.Sequence == 0 {
		return 0, false
	}
	return s.parts.Now().Sub(time.Unix(int64(beat.Time), 0)), true
}

func (s *Service) readiness(ctx context.Context) readiness {
	l := s.follower.State()
	r := readiness{Problems: []string{}, Height: s.index.Head().Height, Behind: l.Behind, Reached: l.Reached}
	age, known := s.age()
	if known {
		seconds := int64(max(0, age) / time.Second)
		r.Age = &seconds
	}
	for _, p := range []struct {
		code string
		is   bool
	}{
		{notBegun, !s.doors.Serving()},
		{notCaughtUp, !l.Settled || l.Behind > s.config.Ready.Blocks},
		{notRecent, !known || age > s.config.Ready.Age},
		{notInTime, age < -verify.Skew},
		{notHonest, l.Discrepancy != ""},
		{notEnrolled, s.checkKey() != nil},
		{notFollowing, s.anchoringEnded.Load()},
		{notStored, s.pingStore(ctx) != nil},
		{notRecorded, s.unrecorded.Load()},
	} {
		if p.is {
			r.Problems = append(r.Problems, p.code)
		}
	}
	r.Ready = len(r.Problems) == 0
	return r
}

// ready is readiness as the probes want it.
func (s *Service) ready(ctx context.Context) (bool, any) {
	r := s.readiness(ctx)
	return r.Ready, r
}

func (s *Service) pingStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.store.Ping(ctx)
}
