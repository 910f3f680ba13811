package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"time"
)

// MaxReport bounds a report in JSON, in bytes.
const MaxReport = 16 << 20

// Parse reads a report from its JSON, with white space between its values or without, and accepts
// nothing but what MarshalJSON writes. The report has no tallies: what it was made from is not in it,
// so its figures are the word of whoever wrote it. The error is an *Error with CodeReport.
func Parse(b []byte) (*Report, error) {
	if len(b) > MaxReport {
		return nil, errorf(CodeReport, "a report has at most %d bytes", MaxReport)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var in reportJSON
	if err := d.Decode(&in); err != nil {
		return nil, errorf(CodeReport, "this is not a report in JSON: %v", err)
	}
	r, err := in.report()
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	again, err := json.Marshal(r)
	if err == nil {
		err = json.Compact(&compact, b)
	}
	if err != nil || !bytes.Equal(again, compact.Bytes()) {
		return nil, errorf(CodeReport, "this is not a report as it was written: make it again")
	}
	return r, nil
}

// report is the inverse of MarshalJSON, except that it does not see what does not fit together.
func (in *reportJSON) report() (*Report, error) {
	if in.Version != formVersion {
		return nil, errorf(CodeReport, "this is not a report, or one of another version")
	}
	r := &Report{
		Period: in.Period, Department: orEmpty(in.Department), SelfReports: in.SelfReports, Names: in.Names,
		Ledger: Source{ID: in.Ledger.ID, Height: in.Ledger.Height, Block: in.Ledger.Block, Complete: in.Ledger.Complete},
	}
	if in.Ledger.Heartbeat != nil {
		at, err := time.Parse(time.RFC3339, *in.Ledger.Heartbeat)
		if err != nil || at.Unix() < 0 {
			return nil, errorf(CodeReport, "the time of the report's ledger is not one")
		}
		r.Ledger.Heartbeat = uint64(at.Unix())
	}
	for i := range in.AccessLogs {
		r.Logs = append(r.Logs, in.AccessLogs[i].log())
	}
	for _, p := range in.Policies {
		r.Policies = append(r.Policies, Policy(p))
	}
	for _, d := range in.Disagreements {
		to := Disagreement{Asked: d.Asked, Agency: d.Agency, Cause: d.Cause}
		if n, err := hex.Decode(to.Call[:], []byte(d.Call)[:min(len(d.Call), 2*len(to.Call))]); err != nil || n != len(to.Call) {
			return nil, errorf(CodeReport, "a request in the report is not named by its call")
		}
		r.Disagreements = append(r.Disagreements, to)
	}
	for i := range in.Indicators {
		from := &in.Indicators[i]
		if from.Form != Count && from.Form != Share && from.Form != Mean || from.Origin.Text().En == "" {
			return nil, errorf(CodeReport, "an indicator of the report has no known form and origin")
		}
		to := Indicator{Definition: &Definition{from.Code, from.Name, from.Form, from.Origin, orEmpty(from.Past), orEmpty(from.Target)}}
		for k := range from.Rows {
			row := Row{Where: from.Rows[k].Where, Numerator: from.Rows[k].Numerator}
			if d := from.Rows[k].Denominator; d != nil {
				row.Denominator = *d
			}
			to.Rows = append(to.Rows, row)
		}
		r.Indicators = append(r.Indicators, to)
	}
	return r, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
