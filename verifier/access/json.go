package access

import (
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// MarshalJSON returns the entry for people and programs that read no CBOR: hashes in lower-case hex,
// times as in RFC 3339 in UTC, the day as in ISO 8601, and null for a heartbeat that was not there.
// Member names never change. It is not what the leaf is made of.
func (e *Entry) MarshalJSON() ([]byte, error) {
	list := func(s []string) []string { return append([]string{}, s...) }
	out := struct {
		Time         string   `json:"time"`
		Agency       string   `json:"agency"`
		Clerk        string   `json:"clerk"`
		Unit         string   `json:"unit"`
		Matter       string   `json:"matter"`
		Case         string   `json:"case"`
		OnBehalf     string   `json:"onBehalf"`
		Type         string   `json:"type"`
		Licence      sm.Hash  `json:"licence"`
		Presentation sm.Hash  `json:"presentation"`
		Fields       []string `json:"fields"`
		Outcome      string   `json:"outcome"`
		Reasons      []string `json:"reasons"`
		Day          string   `json:"day"`
		Height       uint64   `json:"height"`
		Heartbeat    *string  `json:"heartbeat"`
	}{
		utc(e.Time), e.Agency, e.Clerk, e.Unit, e.Matter, e.Case, e.OnBehalf, e.Type, e.Licence, e.Presentation,
		list(e.Fields), e.Outcome, list(e.Reasons), licence.Date(e.Day).String(), e.Height, nil,
	}
	if e.Heartbeat != 0 {
		heartbeat := utc(e.Heartbeat)
		out.Heartbeat = &heartbeat
	}
	return json.Marshal(out)
}

func utc(seconds uint64) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }
