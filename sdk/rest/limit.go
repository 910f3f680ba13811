package rest

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/callers"
)

// An AddressLimiter bounds the calls of each address with a bucket of tokens. An IPv6 network of /64, which one
// household has, is one address. Its memory is bounded: buckets that are full again are forgotten,
// and if there are too many others, the oldest of a few is.
type AddressLimiter struct {
	rate   callers.Rate
	now    func() time.Time
	seed   maphash.Seed
	shards [limiterShards]limiterShard
}

const (
	limiterShards = 16
	shardBuckets  = 8192 // greatest number in a shard, some 100 bytes each
	sample        = 16   // looked at to find one to forget
)

type limiterShard struct {
	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

type bucket struct {
	tokens float64
	at     time.Time // when there were so many
}

// NewAddressLimiter returns one that gives every address a rate.
func NewAddressLimiter(rate callers.Rate, now func() time.Time) *AddressLimiter {
	l := &AddressLimiter{rate: rate, now: now, seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].buckets = map[netip.Prefix]bucket{}
	}
	return l
}

// Take takes a token of an address. If there is none it returns the time until there will be one.
func (l *AddressLimiter) Take(a netip.Addr) (wait time.Duration) {
	bits := 32
	if !a.Is4() {
		bits = 64
	}
	key, _ := a.Prefix(bits) // the zero prefix for the zero address
	s := &l.shards[maphash.Comparable(l.seed, key)%limiterShards]
	now := l.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	b, known := s.buckets[key]
	if !known {
		if len(s.buckets) >= shardBuckets {
			l.forget(s, now)
		}
		b = bucket{float64(l.rate.Burst), now}
	}
	b = bucket{l.tokens(b, now), now}
	if b.tokens < 1 {
		s.buckets[key] = b
		return time.Duration((1 - b.tokens) / l.rate.PerSecond * float64(time.Second))
	}
	b.tokens--
	s.buckets[key] = b
	return 0
}

// tokens returns how many a bucket has now.
func (l *AddressLimiter) tokens(b bucket, now time.Time) float64 {
	gained := max(0, now.Sub(b.at).Seconds()) * l.rate.PerSecond
	return min(float64(l.rate.Burst), b.tokens+gained)
}

// forget makes room for a bucket: a full one says nothing, the oldest says least.
func (l *AddressLimiter) forget(s *limiterShard, now time.Time) {
	var oldest netip.Prefix
	var at time.Time
	looked := 0
	for key, b := range s.buckets {
		if l.tokens(b, now) >= float64(l.rate.Burst) {
			delete(s.buckets, key)
			continue
		}
		if looked == 0 || b.at.Before(at) {
			oldest, at = key, b.at
		}
		if looked++; looked == sample {
			break
		}
	}
	if len(s.buckets) >= shardBuckets {
		delete(s.buckets, oldest)
	}
}
