package issuer

import (
	"context"
	"encoding/hex"
	"strconv"
	"sync"
	"sync/atomic"

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
			ID        string       `json:"id"`
			Effective licence.Date `json:"effective"`
		} `json:"open"`
	} `json:"restrictions"`
}

// standing asks the ledger about a licence, which must be anchored by this department.
func (iss *Issuer) standing(ctx context.Context, l *Subject) (*standing, error) {
	s := new(standing)
	p := &l.Place
	err := iss.query(ctx, s, "verify", iss.department.ID, p.Root.String(),
		strconv.FormatUint(uint64(p.Index), 10), p.Digest.String(), hex.EncodeToString(p.Path))
	if err != nil {
		return nil, err
	}
	if !s.Included || s.Type != l.Type {
		return nil, errorf(CodeNotAnchored, nil, "the licence is not on the ledger; if issuing it was interrupted, let that come to its end first")
	}
	if s.Disowned {
		return nil, errorf(CodeNotAnchored, nil, "the licence stands under a root that the department has disowned")
	}
	return s, nil
}

// standingsAtOnce is how many licences the ledger is asked about at the same time.
const standingsAtOnce = 16

// standings asks the ledger about the licences of changes.
func (iss *Issuer) standings(ctx context.Context, changes []StatusChange) ([]*standing, error) {
	out, errs := make([]*standing, len(changes)), make([]error, len(changes))
	var all sync.WaitGroup
	var next atomic.Int64
	for range min(standingsAtOnce, len(changes)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(changes); i = int(next.Add(1)) - 1 {
				out[i], errs[i] = iss.standing(ctx, changes[i].Licence)
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, about(changes[i].Licence, err)
		}
	}
	return out, nil
}

// about adds to an error which licence of many it is about, by its name on the ledger.
func about(l *Subject, err error) error {
	if code := Code(err); code != "" {
		return errorf(code, err, "licence %s", l.Place.Digest)
	}
	return err
}
