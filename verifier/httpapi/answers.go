package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/verifier/access"
	"github.com/credledger/credledger/verifier/verify"
)

// answer answers with JSON. <, > and & are escaped, so that nobody finds a page in it.
func (c *call) answer(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.send(status, "application/json", b)
	return nil
}

func (c *call) send(status int, media string, b []byte) {
	h := c.w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b) // the caller may be gone
}

// checkQuery refuses parameters that are not known, or given twice.
func (c *call) checkQuery(known []string) error {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return refuse(codeParameterInvalid, "the query is malformed")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			return refuse(codeParameterInvalid, "the query has a parameter that this path does not take")
		}
		if len(given) > 1 {
			return c.wrong(name, "is given twice")
		}
	}
	c.query = values
	return nil
}

func (c *call) wrong(name, what string) error {
	p := refuse(codeParameterInvalid, name+" "+what)
	p.member = name
	return p
}

// parameter returns a parameter of the path or the query.
func (c *call) parameter(name string) (value string, given bool) {
	if value, given = mux.Vars(c.r)[name]; given {
		return value, true
	}
	if values := c.query[name]; len(values) == 1 {
		return values[0], true
	}
	return "", false
}

func (c *call) idParameter(name string) (string, error) {
	s, _ := c.parameter(name)
	if !isID(s) {
		return "", c.wrong(name, "must be an id: 1 to 32 of a-z, 0-9 and -")
	}
	return s, nil
}

func (c *call) hashParameter(name string) (sm.Hash, error) {
	s, _ := c.parameter(name)
	h, err := sm.ParseHash(s)
	if err != nil {
		return h, c.wrong(name, "must be a hash: 64 lower-case hexadecimal digits")
	}
	return h, nil
}

// numberParameter reads a whole number from low to high, written in one way.
func (c *call) numberParameter(name string, low, high uint64) (uint64, error) {
	s, _ := c.parameter(name)
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s || n < low || n > high {
		return 0, c.wrong(name, "must be a whole number from "+strconv.FormatUint(low, 10)+" to "+strconv.FormatUint(high, 10))
	}
	return n, nil
}

// pageParameters reads where a page of a list begins, and how long it is; both may be left out.
func (c *call) pageParameters(start string) (from, limit uint64, err error) {
	limit = usualPage
	if _, given := c.parameter(start); given {
		if from, err = c.numberParameter(start, 0, access.MaxEntries); err != nil {
			return 0, 0, err
		}
	}
	if _, given := c.parameter("limit"); given {
		limit, err = c.numberParameter("limit", 1, maxPage)
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
	return &heartbeatJSON{h.Sequence, utc(h.Time), h.Block}
}

// utc returns the time so many seconds after 1970-01-01T00:00:00Z as in RFC 3339.
func utc(seconds uint64) string { return rfc3339(time.Unix(int64(seconds), 0)) }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func utcOrNull(seconds *uint64) *string {
	if seconds == nil {
		return nil
	}
	s := utc(*seconds)
	return &s
}

// orNull returns nil for "".
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (c *call) getContract() error {
	c.send(http.StatusOK, "application/yaml", Contract)
	return nil
}
