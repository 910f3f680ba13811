package report

import (
	"encoding/json"
	"time"

	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
)

// formVersion is that of the form in JSON.
const formVersion = 1

// The form of a report in JSON. Hashes are in lower-case hex, times as in RFC 3339 in UTC, days as in
// ISO 8601; what is not there is null. Member names never change.
type (
	reportJSON struct {
		Version     int             `json:"report"`
		Period      Period          `json:"period"`
		First       string          `json:"first"`
		Last        string          `json:"last"`
		Department  *string         `json:"department"` // null: all
		Ledger      ledgerJSON      `json:"ledger"`
		AccessLogs  []logJSON       `json:"accessLogs"`
		SelfReports []string        `json:"selfReports"`
		Indicators  []indicatorJSON `json:"indicators"`
		Names       Names           `json:"names"`

		Policies      []policyJSON       `json:"policies"`
		Disagreements []disagreementJSON `json:"disagreements"`
	}
	ledgerJSON struct {
		ID        sm.Hash `json:"id"`
		Height    uint64  `json:"height"`
		Block     sm.Hash `json:"block"`
		Heartbeat *string `json:"heartbeat"`
		Complete  bool    `json:"complete"`
	}
	logJSON struct {
		Department string  `json:"department"`
		Log        string  `json:"log"`
		Size       uint64  `json:"size"`
		Root       sm.Hash `json:"root"`
		Anchored   uint64  `json:"anchored"`
		Behind     uint64  `json:"behind"`
		Clean      bool    `json:"clean"`
	}
	indicatorJSON struct {
		Code   string       `json:"code"`
		Name   licence.Text `json:"name"`
		Form   Form         `json:"form"`
		Origin Origin       `json:"origin"`
		Past   *string      `json:"past"`
		Target *string      `json:"target"`
		Rows   []rowJSON    `json:"rows"`
	}
	rowJSON struct {
		Where       Where   `json:"where"`
		Numerator   uint64  `json:"numerator"`
		Denominator *uint64 `json:"denominator"` // null of a count
		Value       *string `json:"value"`       // Row.Value; null of a share of nothing
	}
	policyJSON struct {
		Version int     `json:"version"`
		Digest  sm.Hash `json:"digest"`
	}
	disagreementJSON struct {
		Call   string `json:"call"` // in lower-case hex
		Asked  string `json:"asked"`
		Agency string `json:"agency"`
		Cause  string `json:"cause"`
	}
)

// MarshalJSON implements json.Marshaler. The same report has the same bytes.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{
		Version: formVersion, Period: r.Period, First: r.Period.first.String(), Last: r.Period.last.String(), Department: orNull(r.Department),
		Ledger:     ledgerJSON{r.Ledger.ID, r.Ledger.Height, r.Ledger.Block, nil, r.Ledger.Complete},
		AccessLogs: make([]logJSON, len(r.Logs)), SelfReports: append([]string{}, r.SelfReports...),
		Indicators: make([]indicatorJSON, len(r.Indicators)), Names: r.Names,
		Policies: make([]policyJSON, len(r.Policies)), Disagreements: make([]disagreementJSON, len(r.Disagreements)),
	}
	if r.Ledger.Heartbeat > 0 {
		out.Ledger.Heartbeat = orNull(time.Unix(int64(r.Ledger.Heartbeat), 0).UTC().Format(time.RFC3339))
	}
	for i := range r.Logs {
		l := &r.Logs[i]
		out.AccessLogs[i] = logJSON{l.Department, l.Name, l.Size, l.Root, l.Anchored, l.Behind, l.Clean}
	}
	for i, p := range r.Policies {
		out.Policies[i] = policyJSON(p)
	}
	for i, d := range r.Disagreements {
		out.Disagreements[i] = disagreementJSON{d.Call.String(), d.Asked, d.Agency, d.Cause}
	}
	for i := range r.Indicators {
		d := &r.Indicators[i]
		rows := make([]rowJSON, len(d.Rows))
		for k := range d.Rows {
			row := &d.Rows[k]
			rows[k] = rowJSON{row.Where, row.Numerator, nil, orNull(row.Value(d.Form))}
			if d.Form != Count {
				rows[k].Denominator = &row.Denominator
			}
		}
		out.Indicators[i] = indicatorJSON{d.Code, d.Name, d.Form, d.Origin, orNull(d.Past), orNull(d.Target), rows}
	}
	return json.Marshal(out)
}

func (l *logJSON) log() Log {
	return Log{Department: l.Department, Name: l.Log, Size: l.Size, Root: l.Root, Anchored: l.Anchored, Behind: l.Behind, Clean: l.Clean}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
