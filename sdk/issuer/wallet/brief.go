package wallet

import (
	"context"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
)

// How long a holder's key is bound to a licence, and how much of that must be left to use the binding once more.
const (
	briefTime = 10 * time.Minute
	briefLeft = 3 * time.Minute
)

// maxBrief bounds the bindings that are remembered.
const maxBrief = 10_000

// briefBindings are those of the last minutes, so that who shows a licence again need not be bound again.
type briefBindings struct {
	mu  sync.Mutex
	all map[briefName]briefBinding
}

type briefName struct {
	person  string
	licence vault.ID
}

type briefBinding struct {
	signed []byte
	until  time.Time
}

func (b *briefBindings) init() { b.all = map[briefName]briefBinding{} }

// find returns a binding that lasts; nil if there is none.
func (b *briefBindings) find(name briefName, now time.Time) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.all[name]; k.until.Sub(now) >= briefLeft {
		return k.signed
	}
	return nil
}

func (b *briefBindings) keep(name briefName, k briefBinding, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.all) >= maxBrief {
		for name, old := range b.all {
			if old.until.Sub(now) < briefLeft {
				delete(b.all, name)
			}
		}
	}
	if len(b.all) < maxBrief {
		b.all[name] = k
	}
}

// bound returns the holder's key for a licence, and a binding of it for the next minutes. It is for the holder alone: to a helper the
// department does not vouch for being one.
func (w *Wallet) bound(ctx context.Context, c *Caller, id vault.ID, digest sm.Hash) (*sm.PrivateKey, []byte, error) {
	key, err := w.Vault.HolderKey(c.Number, digest)
	if err != nil {
		return nil, nil, err
	}
	name, now := briefName{c.Number, id}, w.Now()
	if signed := w.brief.find(name, now); signed != nil {
		return key, signed, nil
	}
	subject, err := w.Issuer.Subject(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	by, until := c.by("show a code"), now.Add(briefTime)
	binding, signed, err := w.Issuer.Bind(ctx, by, subject, key.Public(), now, until)
	if err != nil {
		return nil, nil, err
	}
	if err := w.write(ctx, by, func(tx *vault.Tx) error { return tx.KeepBriefly(binding, until) }); err != nil {
		return nil, nil, err
	}
	w.brief.keep(name, briefBinding{signed, until}, now)
	return key, signed, nil
}
