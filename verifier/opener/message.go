package opener

import (
	"io"
	"net/http"

	"github.com/credledger/credledger/sdk/rest"
	"github.com/credledger/credledger/sdk/webhook"
)

// A message is the answer of POST /v1/webhooks.
type message struct {
	ID       string         `json:"id"`
	Replayed bool           `json:"replayed"`
	Event    *webhook.Event `json:"event"`
}

func (o *Opener) checkMessage(c *rest.Call) error {
	if _, err := c.MediaType("application/json"); err != nil {
		return err
	}
	in, err := c.Stream(webhook.MaxBody)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	id, event, err := webhook.Verify(o.Secrets, c.R.Header, body, o.Now(), o.seen)
	replayed := webhook.Code(err) == webhook.CodeReplayed
	if replayed {
		event, err = webhook.ParseEvent(body)
	}
	if err != nil {
		return err
	}
	return c.Answer(http.StatusOK, message{ID: id.String(), Replayed: replayed, Event: event})
}
