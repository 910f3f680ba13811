package callers

import "github.com/credledger/credledger/sdk/sm"

// Place is where a token is looked up.
func (s *Secrets[T]) Place(token string) sm.Hash { return s.place(TokenDigest(token)) }
