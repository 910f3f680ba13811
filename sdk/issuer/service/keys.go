package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// A keyring has the department's keys of the present: those that are in the home and that the ledger has in
// force. It is safe for concurrent use.
type keyring struct {
	read func(ctx context.Context, p statement.Purposes) ([]sm.Signer, error)

	reading sync.Mutex // one reads at a time
	at      time.Time  // when that began last
	mu      sync.Mutex
	keys    map[statement.Purposes][]sm.Signer
}

// purposes are those that the service signs for.
var purposes = []statement.Purposes{statement.PurposeAnchor, statement.PurposeStatus, statement.PurposeConsent, statement.PurposeLog}

// keysEvery is how often the keys are read again without a reason.
const keysEvery = 15 * time.Second

// refresh reads the keys again, unless somebody has begun to do so since it was called: all whose key was
// refused at a time wait for one answer.
func (k *keyring) refresh(ctx context.Context) error {
	called := time.Now()
	k.reading.Lock()
	defer k.reading.Unlock()
	if k.at.After(called) {
		return nil
	}
	began := time.Now()
	found := map[statement.Purposes][]sm.Signer{}
	for _, p := range purposes {
		keys, err := k.read(ctx, p)
		if err != nil {
			return fmt.Errorf("read the department's keys: %w", err)
		}
		found[p] = keys
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.at = found, began
	return nil
}

// signers returns the keys for a purpose, as issuer.Config wants them.
func (k *keyring) signers(ctx context.Context, p statement.Purposes, refused bool) ([]sm.Signer, error) {
	if refused {
		if err := k.refresh(ctx); err != nil {
			return nil, err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[p], nil
}

// has reports whether there is a key for a purpose.
func (k *keyring) has(p statement.Purposes) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.keys[p]) > 0
}
