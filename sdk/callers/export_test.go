package callers

import "github.com/credledger/credledger/sdk/sm"

// Place is where a token is looked up.
func (s *Secrets[T]) Place(token string) sm.Hash { return s.place(TokenDigest(token)) }

// Crowd has as many wait as may, until leave is called.
func (s *SignIns) Crowd() (leave func()) {
	for range mostWaiting {
		s.places <- struct{}{}
	}
	return func() {
		for range mostWaiting {
			<-s.places
		}
	}
}
