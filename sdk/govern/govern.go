// Package govern makes the statements that say who may do what on a ledger: its genesis, the
// admission of departments, their keys, licence types and heartbeats. It holds no keys and decides
// nothing: the rules are in package chaincode.
package govern

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// Genesis makes the statement that begins a ledger, signed with the authority's first key, and
// returns the ledger's id with it.
func Genesis(name string, authority *licence.Department, purposes statement.Purposes, key sm.Signer, now time.Time) ([]byte, sm.Hash, error) {
	g := &statement.Genesis{
		Name:      name,
		Authority: Profile(authority),
		PublicKey: [64]byte(key.Public().Bytes()),
		Purposes:  purposes,
		CreatedAt: Seconds(now),
	}
	if _, err := rand.Read(g.Nonce[:]); err != nil {
		return nil, sm.Hash{}, fmt.Errorf("draw a nonce: %w", err)
	}
	payload, err := statement.Encode(g)
	if err != nil {
		return nil, sm.Hash{}, err
	}
	signed, err := statement.Sign(g, key)
	return signed, sm.Sum(payload), err
}

// Seconds is a time as statements carry it: seconds since 1970-01-01T00:00:00Z.
func Seconds(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }

// Profile is the description of a department as statements carry it.
func Profile(d *licence.Department) statement.Profile {
	p := statement.Profile{ID: d.ID, USCC: d.USCC, NameZh: d.Name.Zh, NameEn: d.Name.En, Issues: slices.Sorted(slices.Values(d.Issues))}
	for _, u := range d.Units {
		p.Units = append(p.Units, statement.Unit{ID: u.ID, DivisionCode: u.DivisionCode, NameZh: u.Name.Zh, NameEn: u.Name.En})
	}
	return p
}

// Submit signs a statement with each of the keys and submits it.
func Submit(ctx context.Context, l ledger.Ledger, body statement.Body, signers ...sm.Signer) (ledger.Receipt, error) {
	tx := new(chaincode.Transaction)
	for _, signer := range signers {
		signed, err := statement.Sign(body, signer)
		if err != nil {
			return ledger.Receipt{}, err
		}
		tx.Statements = append(tx.Statements, signed)
	}
	return l.Submit(ctx, tx)
}

// Admit admits a department, or changes its profile and state, as the authority: sequence is one
// more than that of its record, 1 for a new one.
func Admit(ctx context.Context, l ledger.Ledger, id sm.Hash, d *licence.Department, state string, sequence uint64, govern sm.Signer, now time.Time) error {
	_, err := Submit(ctx, l, &statement.Department{
		Ledger: id, Profile: Profile(d), State: state, Sequence: sequence, SignedAt: Seconds(now),
	}, govern)
	return err
}

// Publish publishes a version of a licence type, as the authority.
func Publish(ctx context.Context, l ledger.Ledger, id sm.Hash, t *licence.Type, govern sm.Signer, now time.Time) error {
	_, err := Submit(ctx, l, &statement.Type{
		Ledger: id, ID: t.ID, Version: uint32(t.Version), Definition: t.Canonical(), SignedAt: Seconds(now),
	}, govern)
	return err
}

// Enrol enrols a new key of a department; it signs for itself, and the others vouch for it.
func Enrol(ctx context.Context, l ledger.Ledger, id sm.Hash, department string, purposes statement.Purposes, now time.Time, key sm.Signer, vouching ...sm.Signer) error {
	_, err := Submit(ctx, l, &statement.Key{
		Ledger: id, Department: department, Action: statement.KeyEnrol,
		KeyID: key.Public().ID(), PublicKey: key.Public().Bytes(), Purposes: purposes, SignedAt: Seconds(now),
	}, append([]sm.Signer{key}, vouching...)...)
	return err
}

// End retires a key, or declares it compromised and disowns the given roots.
func End(ctx context.Context, l ledger.Ledger, id sm.Hash, department, action string, kid sm.Hash, disowned []sm.Hash, signer sm.Signer, now time.Time) error {
	_, err := Submit(ctx, l, &statement.Key{
		Ledger: id, Department: department, Action: action, KeyID: kid, PublicKey: []byte{},
		Disowned: disowned, SignedAt: Seconds(now),
	}, signer)
	return err
}

// HeartbeatInterval is the longest that a heartbeat stays the newest one while the authority is up.
const HeartbeatInterval = time.Minute

// Beat submits a heartbeat, as the authority, if the newest one is older than an interval. Where
// several beat at the same time one heartbeat comes of it, and no error.
func Beat(ctx context.Context, l ledger.Ledger, id sm.Hash, key sm.Signer, now time.Time, interval time.Duration) error {
	var last struct{ Sequence, Time uint64 }
	answer, err := l.Evaluate(ctx, chaincode.Query{Name: "heartbeat"})
	switch {
	case chaincode.Code(err) == chaincode.CodeNotFound:
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(answer, &last); err != nil {
			return fmt.Errorf("read the newest heartbeat: %w", err)
		}
	}
	at := Seconds(now)
	if at < last.Time+uint64(interval/time.Second) {
		return nil
	}
	_, err = Submit(ctx, l, &statement.Heartbeat{Ledger: id, Sequence: last.Sequence + 1, Time: at}, key)
	if chaincode.Code(err) == chaincode.CodeSequence {
		return nil // another one has
	}
	return err
}
