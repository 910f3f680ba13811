package wallet

import (
	"errors"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// Once is an idempotency key: of what a person asks under it, one thing is done, however often it is asked for.
type Once struct {
	Key     string  // as whoever calls has chosen it, 1 to 200 bytes; other people's have nothing to do with it
	Request sm.Hash // of what is asked for
}

// onceFor is how long a key is remembered.
const onceFor = 24 * time.Hour

// errEarlier undoes a transaction: what it was to do was done before.
var errEarlier = errors.New("done earlier, under the same idempotency key")

// claim is what the vault knows a key by, for one kind of thing; nil if there is none. What a helper asks for somebody is another
// thing than what they ask for themselves.
func (o *Once) claim(c *Caller, kind string) *vault.ClaimKey {
	if o == nil {
		return nil
	}
	what := []byte(kind + "\n")
	if c.Delegation != nil {
		what = append(what, c.Delegation.ID[:]...)
	}
	return &vault.ClaimKey{Caller: "wallet: " + c.Number, Key: o.Key, Request: sm.Sum(append(what, o.Request[:]...))}
}
