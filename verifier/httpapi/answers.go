package httpapi

import (
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// pageParameters reads where a page of a list begins, and how long it is; both may be left out.
func (c *call) pageParameters(start string) (from, limit uint64, err error) {
	limit = usualPage
	if _, given := c.Parameter(start); given {
		if from, err = c.NumberParameter(start, 0, access.MaxEntries); err != nil {
			return 0, 0, err
		}
	}
	if _, given := c.Parameter("limit"); given {
		limit, err = c.NumberParameter("limit", 1, maxPage)
	}
	return from, limit, err
}

// viewJSON says how far the view of the ledger is, and how old.
type viewJSON struct {
	ID        sm.Hash        `json:"id"`
	Height    uint64         `json:"height"`
	Heartbeat *heartbeatJSON `json:"heartbeat"`
	Age       *int64         `json:"age"`
}

type heartbeatJSON struct {
	Sequence uint64 `json:"sequence"`
	Time     string `json:"time"`
	Block    uint64 `json:"block"`
}

func (c *call) view() viewJSON {
	now := c.View.Licence("", sm.Hash{}, sm.Hash{}) // of nobody: it says where the view stands
	out := viewJSON{ID: c.View.Ledger(), Height: now.Height, Heartbeat: heartbeat(now.Heartbeat)}
	if out.Heartbeat != nil {
		age := max(0, c.Now().Unix()-int64(now.Heartbeat.Time))
		out.Age = &age
	}
	return out
}

func heartbeat(h verify.Heartbeat) *heartbeatJSON {
	if h.Sequence == 0 {
		return nil
	}
	return &heartbeatJSON{h.Sequence, rest.UTC(h.Time), h.Block}
}

func utcOrNull(seconds *uint64) *string {
	if seconds == nil {
		return nil
	}
	s := rest.UTC(*seconds)
	return &s
}

func (c *call) getContract() error {
	c.Send(http.StatusOK, "application/yaml", Contract)
	return nil
}
