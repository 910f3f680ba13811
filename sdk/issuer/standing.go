package issuer

import (
	"context"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// A standing is what the ledger says of a licence of this department.
type standing struct {
	Included bool   `json:"included"`
	Disowned bool   `json:"disowned"`
	Type     string `json:"type"`
	Status   struct {
		State    licence.State `json:"state"`
		Sequence uint32        `json:"sequence"`
		Last     *sm.Hash      `json:"last"`
	} `json:"status"`
	Restrictions struct {
		Sequence uint32   `json:"sequence"`
		Last     *sm.Hash `json:"last"`
		Open     []struct {
			ID string `json:"id"`
		} `json:"open"`
	} `json:"restrictions"`
}

// ours makes sure that a credential names this department and ledger.
func (iss *Issuer) ours(o *credential.Opened) error {
	if o.Signed.Issuer != iss.department.ID || o.Signed.Ledger != iss.ledgerID {
		return errorf(CodeOtherIssuer, nil, "the credential is not one of %s on this ledger", iss.department.ID)
	}
	return nil
}

// standing asks the ledger about a licence, which must be anchored by this department.
func (iss *Issuer) standing(ctx context.Context, o *credential.Opened) (*standing, error) {
	if err := iss.ours(o); err != nil {
		return nil, err
	}
	s := new(standing)
	err := iss.query(ctx, s, "verify", o.Signed.Issuer, o.Signed.Root.String(),
		strconv.FormatUint(uint64(o.Index), 10), o.Digest.String(), hex.EncodeToString(o.Path))
	if err != nil {
		return nil, err
	}
	if !s.Included || s.Type != o.Type.ID {
		return nil, errorf(CodeNotAnchored, nil, "the licence is not on the ledger; if its run was interrupted, let that come to its end first")
	}
	if s.Disowned {
		return nil, errorf(CodeNotAnchored, nil, "the licence stands under a root that the department has disowned")
	}
	return s, nil
}

// firstDay is the day from which a change holds that holds from the beginning: the day of issue, or
// the first day of validity if that is earlier.
func firstDay(o *credential.Opened) licence.Date {
	day := licence.DateOf(time.Unix(int64(o.Record.IssuedAt), 0))
	if from := o.Record.ValidFrom; from != nil && *from < day {
		return *from
	}
	return day
}

// about adds to an error which licence of many it is about, by its name on the ledger.
func about(o *credential.Opened, err error) error {
	if code := Code(err); code != "" {
		return errorf(code, err, "licence %s", o.Digest)
	}
	return err
}
