package store

import (
	"bytes"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func testChallenges(t *testing.T, p *place) {
	s := p.open(t)
	challenge, err := s.NewChallenge("desk", time.Minute)
	must(t, err)
	if len(challenge.Nonce) != NonceSize || NonceSize > 64 || challenge.Audience != "desk" {
		t.Fatalf("challenge %+v", challenge)
	}
	if left := challenge.Expires.Sub(p.time()); left > time.Minute || left < 59*time.Second {
		t.Fatalf("expires in %v", left)
	}
	for i := range challenge.Nonce {
		altered := bytes.Clone(challenge.Nonce)
		altered[i] ^= 1
		refused(t, s.RedeemChallenge(t.Context(), altered, "desk"), CodeChallengeUnknown)
	}
	for _, nonce := range [][]byte{nil, {}, challenge.Nonce[:NonceSize-1], append(bytes.Clone(challenge.Nonce), 0)} {
		refused(t, s.RedeemChallenge(t.Context(), nonce, "desk"), CodeChallengeUnknown)
	}
	for _, audience := range []string{"", "des", "desks", "Desk"} {
		refused(t, s.RedeemChallenge(t.Context(), challenge.Nonce, audience), CodeChallengeUnknown)
	}
	must(t, s.RedeemChallenge(t.Context(), challenge.Nonce, "desk"))
	refused(t, s.RedeemChallenge(t.Context(), challenge.Nonce, "desk"), CodeChallengeUsed, string(challenge.Nonce))

	late, err := s.NewChallenge("desk", time.Minute)
	must(t, err)
	p.pass(time.Minute)
	refused(t, s.RedeemChallenge(t.Context(), late.Nonce, "desk"), CodeChallengeExpired)
	refused(t, s.RedeemChallenge(t.Context(), challenge.Nonce, "desk"), CodeChallengeExpired)
	must(t, s.Purge(t.Context()))
	p.pass(24 * time.Hour)
	must(t, s.Purge(t.Context()))
	refused(t, s.RedeemChallenge(t.Context(), challenge.Nonce, "desk"), CodeChallengeExpired)

	for _, bad := range []struct {
		audience string
		ttl      time.Duration
	}{{"", time.Minute}, {string(make([]byte, MaxAudience+1)), time.Minute}, {"desk", 0}, {"desk", -time.Minute}, {"desk", MaxChallengeTTL + 1}} {
		_, err := s.NewChallenge(bad.audience, bad.ttl)
		refused(t, err, CodeArgument)
	}
}

func testChallengesOfReplicas(t *testing.T, p *place) {
	first, err := Open(t.Context(), p.address, p.time)
	must(t, err)
	used, err := first.NewChallenge("desk", time.Minute)
	must(t, err)
	open, err := first.NewChallenge("desk", time.Minute)
	must(t, err)
	must(t, first.RedeemChallenge(t.Context(), used.Nonce, "desk"))
	must(t, first.Close())

	second, third := p.open(t), p.open(t)
	refused(t, second.RedeemChallenge(t.Context(), used.Nonce, "desk"), CodeChallengeUsed)
	must(t, second.RedeemChallenge(t.Context(), open.Nonce, "desk"))
	refused(t, third.RedeemChallenge(t.Context(), open.Nonce, "desk"), CodeChallengeUsed)

	// A replica whose clock is behind must not accept again what another has deleted.
	behind, err := Open(t.Context(), p.address, func() time.Time { return p.time().Add(-skew + time.Second) })
	must(t, err)
	defer behind.Close()
	p.pass(time.Minute)
	must(t, second.Purge(t.Context()))
	refused(t, behind.RedeemChallenge(t.Context(), open.Nonce, "desk"), CodeChallengeUsed)

	other := newPlace(filepath.Join(t.TempDir(), "other.db")).open(t)
	foreign, err := other.NewChallenge("desk", time.Minute)
	must(t, err)
	refused(t, second.RedeemChallenge(t.Context(), foreign.Nonce, "desk"), CodeChallengeUnknown)
}

func testChallengesOnce(t *testing.T, p *place) {
	replicas := []*Store{p.open(t), p.open(t), p.open(t)}
	const challenges, each = 60, 4
	nonces := make([][]byte, challenges)
	for i := range nonces {
		c, err := replicas[i%len(replicas)].NewChallenge("desk", time.Minute)
		must(t, err)
		nonces[i] = c.Nonce
	}
	var redeemed [challenges]atomic.Int32
	inParallel(len(replicas)*each, func(i int) {
		for k := range nonces {
			if i%2 == 1 { // in an order of its own
				k = challenges - 1 - k
			}
			switch err := replicas[i%len(replicas)].RedeemChallenge(t.Context(), nonces[k], "desk"); Code(err) {
			case "":
				redeemed[k].Add(1)
			case CodeChallengeUsed:
			default:
				t.Errorf("challenge %d: %v", k, err)
			}
		}
	})
	for k := range redeemed {
		if n := redeemed[k].Load(); n != 1 {
			t.Errorf("challenge %d was redeemed %d times", k, n)
		}
	}
}

// testChallengesInBulk makes challenges without end, and redeems more at a time than one group takes.
func testChallengesInBulk(t *testing.T, p *place) {
	s := p.open(t)
	seen := map[string]bool{}
	var nonces [][]byte
	for range 10 * groupSize {
		c, err := s.NewChallenge("desk", time.Minute)
		must(t, err)
		seen[string(c.Nonce)] = true
		nonces = append(nonces, c.Nonce)
	}
	if len(seen) != len(nonces) {
		t.Fatalf("only %d of %d nonces differ", len(seen), len(nonces))
	}
	if n := rows(t, s, "verifier_redeemed"); n != 0 {
		t.Fatalf("challenges that nobody answered have %d rows", n)
	}
	var used atomic.Int32
	inParallel(2*groupSize+10, func(i int) {
		if Code(s.RedeemChallenge(t.Context(), nonces[i/2], "desk")) == CodeChallengeUsed {
			used.Add(1)
		}
	})
	if n := used.Load(); n != groupSize+5 {
		t.Fatalf("of %d calls for %d challenges %d came too late", 2*groupSize+10, groupSize+5, n)
	}
}

func FuzzRedeemChallenge(f *testing.F) {
	p := newPlace(filepath.Join(f.TempDir(), "store.db"))
	s := p.open(f)
	c, err := s.NewChallenge("desk", time.Minute)
	must(f, err)
	f.Add(c.Nonce, "Desk")
	f.Add(c.Nonce[:8], "desk")
	f.Fuzz(func(t *testing.T, nonce []byte, audience string) {
		if err := s.RedeemChallenge(t.Context(), nonce, audience); Code(err) != CodeChallengeUnknown {
			if !bytes.Equal(nonce, c.Nonce) || audience != "desk" {
				t.Fatalf("a nonce that was never given: %v", err)
			}
		}
	})
}
