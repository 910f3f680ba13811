package issuer

import (
	"context"
	"database/sql"
	"errors"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// What a commitment opens to: the key that the code is committed under.
const (
	OpensReason      = "reason"      // of a status change
	OpensRestriction = "restriction" // the kind of one that was laid
	OpensRelease     = "release"     // the kind of one that was lifted
)

// An Opening is what a salted commitment on the ledger says, for those who are entitled to know.
type Opening struct {
	Key         string // OpensReason, OpensRestriction or OpensRelease
	Salt        credential.Salt
	Code        string        // of the reason, or of the kind of restriction, in the licence type
	Digest      sm.Hash       // of the licence
	Restriction RestrictionID // zero for a reason
}

// Commitment returns what stands on the ledger: credential.Commit of salt, key and code.
func (o *Opening) Commitment() sm.Hash {
	return credential.Commit(&o.Salt, o.Key, licence.TextValue(o.Code))
}

// opening draws the salt of a new commitment.
func (iss *Issuer) opening(key, code string, digest sm.Hash) (*Opening, error) {
	o := &Opening{Key: key, Code: code, Digest: digest}
	return o, iss.read(o.Salt[:])
}

// Opening returns what a commitment says that this department has made; nil if there is none.
func (r *Register) Opening(ctx context.Context, commitment sm.Hash) (*Opening, error) {
	found, err := r.openings(ctx, "commitment = ?", commitment[:])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Opening, nil
}

// A keptOpening is an opening as the register has it.
type keptOpening struct {
	*Opening
	settled bool // it is known that the ledger holds the commitment
}

// openingsOf returns the openings of a licence for a key and code, oldest first.
func (r *Register) openingsOf(ctx context.Context, digest sm.Hash, key, code string) ([]keptOpening, error) {
	return r.openings(ctx, "digest = ? AND key = ? AND code = ? ORDER BY made_at", digest[:], key, code)
}

func (r *Register) openings(ctx context.Context, where string, args ...any) ([]keptOpening, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT key, salt, code, digest, restriction, settled FROM opening WHERE "+where, args...)
	if err != nil {
		return nil, r.failed("read the register", err)
	}
	defer rows.Close()
	var out []keptOpening
	for rows.Next() {
		o := keptOpening{Opening: new(Opening)}
		var salt, digest, restriction []byte
		if err := rows.Scan(&o.Key, &salt, &o.Code, &digest, &restriction, &o.settled); err != nil {
			return nil, r.failed("read the register", err)
		}
		copy(o.Salt[:], salt)
		copy(o.Digest[:], digest)
		copy(o.Restriction[:], restriction)
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, r.failed("read the register", err)
	}
	return out, nil
}

// keep registers openings before the ledger gets their commitments.
func (r *Register) keep(ctx context.Context, openings []*Opening, madeAt uint64) error {
	return r.write(ctx, "keep the reasons", func(tx *sql.Tx) error {
		for _, o := range openings {
			commitment := o.Commitment()
			restriction := []byte{}
			if o.Key != OpensReason {
				restriction = o.Restriction[:]
			}
			_, err := tx.Exec("INSERT INTO opening (commitment, key, salt, code, digest, restriction, settled, made_at) VALUES (?, ?, ?, ?, ?, ?, FALSE, ?)",
				commitment[:], o.Key, o.Salt[:], o.Code, o.Digest[:], restriction, madeAt)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// settled registers that the ledger holds the commitments.
func (r *Register) settled(ctx context.Context, openings []*Opening) error {
	return r.write(ctx, "keep the reasons", func(tx *sql.Tx) error { return settleOpenings(tx, openings) })
}

func settleOpenings(tx *sql.Tx, openings []*Opening) error {
	for _, o := range openings {
		commitment := o.Commitment()
		if _, err := tx.Exec("UPDATE opening SET settled = TRUE WHERE commitment = ?", commitment[:]); err != nil {
			return err
		}
	}
	return nil
}

// setStates registers the states that licences have now, where the register has them, and settles
// the openings of the changes that led there. An ended licence gives its number free; one that was
// ended and is not any more takes it again.
func (r *Register) setStates(ctx context.Context, changes []StatusChange, openings []*Opening) error {
	return r.write(ctx, "register the new status", func(tx *sql.Tx) error {
		for i := range changes {
			c := &changes[i]
			id, state, err := licenceAt(ctx, tx, c.Licence.Signed.Root, c.Licence.Index)
			if err != nil {
				return err
			}
			if id == 0 || state == c.To {
				continue
			}
			set := "holds = FALSE"
			switch {
			case alive(c.To) && alive(state):
				set = "holds = holds"
			case alive(c.To): // unless another took the number while mayRevive was not looking
				set = "holds = NOT EXISTS (SELECT 1 FROM licence AS other WHERE other.number = licence.number AND other.holds)"
			}
			if _, err := tx.Exec("UPDATE licence SET state = ?, "+set+" WHERE id = ?", c.To, id); err != nil {
				return err
			}
		}
		return settleOpenings(tx, openings)
	})
}

// alive reports whether a licence in a state keeps its number from others.
func alive(s licence.State) bool { return s == licence.Active || s == licence.Suspended }

// mayRevive refuses to bring an ended licence back whose number another one has taken since.
func (r *Register) mayRevive(ctx context.Context, c *StatusChange, from licence.State) error {
	if alive(from) || !alive(c.To) {
		return nil
	}
	var other int64
	err := r.db.QueryRowContext(ctx, "SELECT other.id FROM batch "+
		"JOIN licence ON licence.id = batch.first + ? "+
		"JOIN licence AS other ON other.number = licence.number AND other.holds AND other.id <> licence.id "+
		"WHERE batch.root = ? AND batch.size > ?", c.Licence.Index, c.Licence.Signed.Root[:], c.Licence.Index).Scan(&other)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return r.failed("look the licence up", err)
	}
	return errorf(CodeLicenceActive, nil, "another licence with the same number has been issued since; end that first")
}
