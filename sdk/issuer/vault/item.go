package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/sqldb"
)

// Codes of the errors about what the wallet keeps.
const (
	CodeDelegationEnded  = "delegation-ended"  // it was withdrawn, or is over, or another's
	CodeDelegationLimits = "delegation-limits" // it is not for this
	CodeRated            = "already-rated"     // a use is rated once, and not long afterwards
	CodeObjectionUnknown = "objection-unknown" // there is no such objection
	CodeSettled          = "objection-settled" // an objection is answered once
)

// What is sealed for the wallet is for one of these.
const (
	purposeSession    = "session"
	purposeDelegation = "delegation"
	purposeObjection  = "objection"
	purposeSettlement = "settlement"
	purposeRating     = "rating"
)

// An ItemID names something that a person keeps in the vault: a delegation, an objection, a use. Nobody
// guesses it.
type ItemID [16]byte

// String returns 32 lower-case hexadecimal digits.
func (id ItemID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler, as String.
func (id ItemID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// ParseItemID is the inverse of String and accepts nothing else. Error: CodeArgument.
func ParseItemID(s string) (ItemID, error) {
	var id ItemID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) || hex.EncodeToString(b) != s {
		return id, errorf(CodeArgument, nil, "an id is 32 lower-case hexadecimal digits")
	}
	return ItemID(b), nil
}

func newItemID() (id ItemID, err error) {
	if _, err := rand.Read(id[:]); err != nil {
		return id, errorf(CodeUnavailable, err, "draw an id")
	}
	return id, nil
}

// itemID reads an id out of a table.
func itemID(b []byte, what string) (id ItemID, err error) {
	if len(b) != len(id) {
		return id, damaged(what)
	}
	return ItemID(b), nil
}

// person is what somebody is found by.
func (v *Vault) person(id string) ([]byte, error) {
	if id == "" || len(id) > maxName {
		return nil, errorf(CodeArgument, nil, "a person's id has 1 to %d bytes", maxName)
	}
	n := v.holderNamer().holder(id)
	return n[:], nil
}

// timeOf returns a time as a table has it; nil stays.
func timeOf(seconds *int64) *time.Time {
	if seconds == nil {
		return nil
	}
	at := time.Unix(*seconds, 0).UTC()
	return &at
}

// KeepBriefly notes that a binding may be deleted a day after its end: it was made for one showing.
func (t *Tx) KeepBriefly(binding int64, ends time.Time) error {
	_, err := t.exec("note a binding", "INSERT INTO vault_brief (binding, ends) VALUES ($1, $2)", binding, ends.Unix())
	return err
}

// How long what has ended is kept, in seconds.
const (
	briefMemory = 86400
	useMemory   = 31 * 86400
)

// PurgeWallet deletes sessions that are over, bindings that were made briefly, and uses that can no longer be
// rated. It is meant to be called about once an hour.
func (v *Vault) PurgeWallet(ctx context.Context) error {
	now := v.seconds()
	return v.Write(ctx, By{Actor: "vault", Purpose: "purge"}, func(t *Tx) error {
		for _, s := range []struct {
			statement string
			before    int64
		}{
			{"DELETE FROM vault_session WHERE expires <= $1", now},
			{"DELETE FROM vault_binding WHERE id IN (SELECT binding FROM vault_brief WHERE ends <= $1)", now - briefMemory},
			{"DELETE FROM vault_brief WHERE ends <= $1", now - briefMemory},
			{"DELETE FROM vault_use WHERE at <= $1", now - useMemory},
		} {
			if _, err := t.exec("delete what has ended", s.statement, s.before); err != nil {
				return err
			}
		}
		return nil
	})
}

// Holds reports whether a person is a holder of a licence that was not erased.
func (v *Vault) Holds(ctx context.Context, person string, id ID) (bool, error) {
	p, err := v.person(person)
	if err != nil {
		return false, err
	}
	var n int
	err = v.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM vault_holder WHERE holder = $1 AND licence = $2", p, int64(id)).Scan(&n)
	return n > 0, sqldb.Wrap("look for a holder", err)
}

// HolderKey returns the key with which a person proves to be a holder of a licence where the department vouches for
// them: one for each person and licence, always the same, so that nobody passes for two holders; and nobody sees by it
// that two licences are of one person. It is derived from the vault's secret, and kept nowhere.
func (v *Vault) HolderKey(person string, digest sm.Hash) (*sm.PrivateKey, error) {
	if _, err := v.person(person); err != nil {
		return nil, err
	}
	key, err := sm.DeriveKey(v.secrets.people[:], append(digest[:], person...))
	if err != nil {
		return nil, errorf(CodeUnavailable, err, "derive a holder's key")
	}
	return key, nil
}

// VouchFor reports whether the department can vouch for a person who shows a licence with HolderKey: not if there are
// several holders and a key that one of them has themselves is bound to it. Nobody knows whose that is, and with both one
// person would pass for two.
func (v *Vault) VouchFor(ctx context.Context, id ID) (bool, error) {
	var holders, own int
	err := v.db.Read().QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM vault_holder WHERE licence = $1), "+
		"(SELECT COUNT(*) FROM vault_binding WHERE licence = $1 AND revoked_at IS NULL AND not_after > $2 AND id NOT IN (SELECT binding FROM vault_brief))",
		int64(id), v.seconds()).Scan(&holders, &own)
	return holders < 2 || own == 0, sqldb.Wrap("look for bindings", err)
}
