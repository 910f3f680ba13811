package request_test

import (
	"testing"
)

// BenchmarkAsk is the whole way of a request that is answered at once: made, kept, sent over the loopback, accepted,
// recorded, verified, recorded again and given out; store and access log are durable.
func BenchmarkAsk(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		if got, err := w.asker.Ask(b.Context(), w.ask()); err != nil || got.Verdict == nil {
			b.Fatalf("%+v, %v", got, err)
		}
	}
}
