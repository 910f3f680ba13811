package rest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/callers"
)

func TestAddressLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := NewAddressLimiter(callers.Rate{PerSecond: 2, Burst: 3}, func() time.Time { return now })
	take := func(address string) time.Duration {
		a, err := netip.ParseAddr(address)
		if err != nil {
			t.Fatal(err)
		}
		return l.Take(a)
	}
	for range 3 {
		if wait := take("192.0.2.1"); wait != 0 {
			t.Fatalf("wait %v", wait)
		}
	}
	if wait := take("192.0.2.1"); wait != 500*time.Millisecond {
		t.Errorf("wait %v", wait)
	}
	if wait := take("192.0.2.2"); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
	now = now.Add(500 * time.Millisecond)
	if take("192.0.2.1") != 0 || take("192.0.2.1") == 0 {
		t.Error("not one token after half a second")
	}
	now = now.Add(time.Hour)
	for range 3 {
		if wait := take("192.0.2.1"); wait != 0 {
			t.Errorf("wait %v after an hour", wait)
		}
	}
	if take("192.0.2.1") == 0 {
		t.Error("more than the burst after an hour")
	}
	now = now.Add(-time.Hour) // the clock is set back: nothing is gained or lost
	if take("192.0.2.1") == 0 {
		t.Error("a clock that is set back gives tokens")
	}
	for range 3 {
		take("2001:db8:1:2:aaaa::1")
	}
	if take("2001:db8:1:2:bbbb::2") == 0 {
		t.Error("one IPv6 network counts as many addresses")
	}
	if take("2001:db8:1:3::1") != 0 {
		t.Error("another network waits")
	}
	if l.Take(netip.Addr{}) != 0 {
		t.Error("an unknown address waits")
	}
}

// However many addresses call, memory is bounded, and who has used up the calls stays without.
func TestAddressLimiterForgets(t *testing.T) {
	now := time.Unix(0, 0)
	l := NewAddressLimiter(callers.Rate{PerSecond: 1e-3, Burst: 1}, func() time.Time { return now })
	for i := range 200_000 {
		now = now.Add(time.Microsecond)
		l.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	total := 0
	for i := range l.shards {
		total += len(l.shards[i].buckets)
	}
	if total > limiterShards*shardBuckets {
		t.Errorf("%d buckets", total)
	}
	last := 200_000 - 1
	if l.Take(netip.AddrFrom4([4]byte{10, byte(last >> 16), byte(last >> 8 & 0xff), byte(last & 0xff)})) == 0 {
		t.Error("the newest was forgotten")
	}
}

func BenchmarkAddressLimiter(b *testing.B) {
	l := NewAddressLimiter(callers.Rate{PerSecond: 1, Burst: 1}, time.Now)
	i := 0
	for b.Loop() {
		i++
		l.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
}
